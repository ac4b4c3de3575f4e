"""Why is it so? Each answer comes from the records, in both languages, and leads on to what it rests on."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from hub.domain.doses import DoseState, Lane
from hub.domain.identifiers import DoseId, OrderId, UserId
from hub.domain.orders import Outcome
from hub.domain.packs import PackState
from hub.domain.refusals import SOURCES, Refusal
from hub.services.reject_packs import Decision, decide_review
from hub.services.why import WhyKind, why, why_facts
from hub.services.why_answers import RULE_NOT_KNOWN, Why
from tests.services.small_world import TECHNICIAN, World, order_line

LINE = order_line("a")


def asked(world: World, kind: WhyKind, id: object) -> Why:
    answer = world.do(lambda unit: why(unit, world.house, kind, str(id)))
    assert isinstance(answer, Why), answer
    for reason in (answer.reason, *answer.also, *answer.settings):
        assert reason.text and reason.source and any("а" <= letter <= "я" for letter in reason.text_ru.lower()), reason
    return answer


def grounds(answer: Why) -> set[tuple[str, str]]:
    return {(ground.kind, ground.id) for ground in answer.rests_on if ground.kind}


def test_a_line_says_its_outcome_what_was_understood_and_the_settings_in_force(world: World) -> None:
    world.sheet(LINE)
    answer = asked(world, WhyKind.LINE, "a")
    assert answer.reason.text.startswith("metformin, scheduled: ") and "understood as: 1 tablet once a day (08:00)" in answer.reason.text
    assert "по 1 таблетке 1 раз в день (08:00)" in answer.reason.text_ru
    assert any(setting.text.startswith("anchor:") for setting in answer.settings)
    assert any(setting.text.startswith("first dose:") for setting in answer.settings)
    assert any(setting.text.startswith("months:") for setting in answer.settings)
    assert grounds(answer) == {("dose", world.dose("a").id)}
    assert any("sheet1: 1" in ground.text or "s: 1" in ground.text for ground in answer.rests_on)
    assert any(ground.text == "patient W-1" for ground in answer.rests_on)


def test_a_line_that_nobody_understands_names_the_rule_that_it_breaks(world: World) -> None:
    world.sheet(order_line("a", code="NOPE"))
    answer = asked(world, WhyKind.LINE, "a")
    assert (answer.reason.rule, world.get("orders", "a").outcome) == ("frequency", Outcome.NEEDS_REVIEW)
    assert "'NOPE'" in answer.reason.text and "«NOPE»" in answer.reason.text_ru


def test_an_edited_line_says_what_changed_and_its_dose_which_one_came_instead(world: World) -> None:
    world.sheet(LINE)
    world.change(line=order_line("a", units=2))
    old, new = sorted(world.all("doses"), key=lambda dose: dose.version)
    line = asked(world, WhyKind.LINE, "a")
    assert any(reason.rule == "changed-line" and "version 2" in reason.text for reason in line.also)
    dose = asked(world, WhyKind.DOSE, old.id)
    assert dose.reason.rule == "late-change" and "the order was changed" in dose.reason.text and "назначение изменено" in dose.reason.text_ru
    assert ("dose", new.id) in grounds(dose)


def test_a_dose_says_why_then_why_that_way_and_why_it_waits(world: World) -> None:
    world.sheet(LINE)
    answer = asked(world, WhyKind.DOSE, world.dose("a").id)
    for part in ("due 08:00 02.03.2026", "its order is understood as", "by the machine", "waits for the cut of its slot at 06:15"):
        assert part in answer.reason.text
    assert {("line", "a"), ("lane", world.dose("a").id)} <= grounds(answer)


LANES = (
    ("PLAIN", 1, Lane.MACHINE, "has a cassette"), ("PLAIN", Fraction(1, 2), Lane.HALF_TABLET, "split by a person"), ("AMP", 1, Lane.AMPOULE, "vein"),
    ("COLD", 1, Lane.COLD, "kept cold"), ("TOXIC", 1, Lane.HAZARDOUS, "hazardous"),
)  # fmt: skip


@pytest.mark.parametrize(("drug", "units", "lane", "words"), LANES)
def test_a_lane_names_the_rule_that_chose_it(world: World, drug: str, units: Fraction, lane: Lane, words: str) -> None:
    world.sheet(order_line("a", drug=drug, units=units))
    dose = world.dose("a")
    answer = asked(world, WhyKind.LANE, dose.id)
    assert dose.lane is lane and answer.reason.rule == "lane" and words in answer.reason.text
    assert grounds(answer) == {("dose", dose.id), ("line", "a")}


def test_a_dose_that_fell_out_of_the_machine_says_that_no_cassette_held_enough(world: World) -> None:
    world.sheet(*(order_line(f"o{number}", number, units=20) for number in (1, 2)))
    world.at("06:15")
    fallen = next(dose for dose in world.all("doses") if dose.lane is Lane.TRAY)
    assert "no cassette holds enough" in asked(world, WhyKind.LANE, fallen.id).reason.text


def test_a_pack_says_who_let_it_out_and_a_stop_what_killed_it_and_each_leads_on(world: World) -> None:
    world.sheet(LINE)
    world.at("06:15")
    world.machine.run_all()
    pack = world.pack_of("a")
    released = asked(world, WhyKind.PACK, pack.serial)
    assert "the camera's verdict PASS" in released.reason.text and grounds(released) == {("dose", pack.doses[0])}
    assert any(reason.rule == "verdict" and "its own code was read" in reason.text for reason in released.also)
    world.stop(LINE)
    dead = asked(world, WhyKind.PACK, pack.serial)
    assert "revoked: the order was stopped" in dead.reason.text and "назначение отменено" in dead.reason.text_ru
    dose = asked(world, WhyKind.DOSE, pack.doses[0])
    assert "which is revoked: the order was stopped" in dose.reason.text and ("pack", pack.serial) in grounds(dose)
    assert any("newest change of its order" in ground.text and "1" in ground.text for ground in dose.rests_on)
    assert any(reason.rule == "order-state" for reason in asked(world, WhyKind.LINE, "a").also)


def test_a_pouch_that_failed_says_the_verdict_and_which_one_was_made_instead(world: World) -> None:
    world.sheet(LINE)
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.run(job, read=["SOMETHING"])
    failed = asked(world, WhyKind.PACK, job.pack)
    assert "the label says SOMETHING" in failed.reason.text and "на этикетке SOMETHING" in failed.reason.text_ru
    world.reject_all()
    dead = asked(world, WhyKind.PACK, job.pack)
    newer = world.get("packs", job.pack).replaced_by
    assert world.get("packs", job.pack).state is PackState.DESTROYED
    assert ("pack", newer) in grounds(dead) and ("pack", job.pack) in grounds(asked(world, WhyKind.PACK, newer))


def test_a_pouch_in_quarantine_says_what_a_person_is_asked_and_then_who_accepted_it(world: World) -> None:
    world.sheet(LINE)
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.make(job)
    world.machine.look(job, read=[])
    waiting = asked(world, WhyKind.PACK, job.pack)
    assert "no Data Matrix could be read" in waiting.reason.text and any(reason.rule == "review" for reason in waiting.also)
    review = world.all("reviews", subject=job.pack)[0]
    decision = Decision(review.id, True, job.pack, "seen", UserId("u-pharmacist"))
    assert not isinstance(world.do(lambda unit: decide_review(unit, decision, world.house), "u-pharmacist"), Refusal)
    accepted = asked(world, WhyKind.PACK, job.pack)
    assert "scanned and accepted" in accepted.reason.text and any("u-pharmacist" in reason.text for reason in accepted.also)


def test_a_bag_filled_by_hand_names_the_person(world: World) -> None:
    world.sheet(order_line("a", drug="TOXIC"))
    world.at("06:15")
    world.pick_all()
    assert TECHNICIAN in asked(world, WhyKind.PACK, world.pack_of("a").serial).reason.text


@pytest.mark.parametrize("deed", ["stop", "discharge", "move", "wait"])
def test_what_ends_a_dose_is_told_in_both_languages(world: World, deed: str) -> None:
    world.sheet(LINE)
    deeds: dict[str, Callable[[], object]] = {"stop": lambda: world.stop(LINE), "discharge": lambda: world.discharge(1), "move": lambda: world.move(1, "Intensive care unit"),
             "wait": lambda: world.at("06:15", days=1)}  # fmt: skip
    deeds[deed]()
    dose = next(dose for dose in world.all("doses") if dose.version == 1)
    assert dose.state in (DoseState.CANCELLED, DoseState.MISSED)
    answer = asked(world, WhyKind.DOSE, dose.id)
    assert answer.reason.rule == "late-change" and dose.reason in answer.reason.text
    assert dose.reason not in answer.reason.text_ru


def test_where_nothing_is_recorded_the_answer_says_so(world: World) -> None:
    world.sheet(LINE)
    dose = world.dose("a")
    world.do(lambda unit: unit.doses.put(replace(dose, id=DoseId("bare"), order=OrderId("gone"), state=DoseState.LOST)))
    answer = asked(world, WhyKind.DOSE, "bare")
    assert answer.reason.rule == RULE_NOT_KNOWN and "the ledger has no entry of it" in answer.reason.text
    assert sum(reason.rule == RULE_NOT_KNOWN for reason in answer.also) == 3


@pytest.mark.parametrize(("kind", "code"), [("line", "unknown-order"), ("dose", "unknown-dose"), ("lane", "unknown-dose"), ("pack", "unknown-pack"), ("refusal", "unknown-rule")])
def test_what_is_not_known_is_refused_with_a_reason(world: World, kind: str, code: str) -> None:
    refused = world.do(lambda unit: why(unit, world.house, WhyKind(kind), "nothing"))
    assert isinstance(refused, Refusal) and refused.code == code and refused.text_ru


def test_a_refusal_says_what_it_means_and_where_its_rule_stands(world: World) -> None:
    answer = asked(world, WhyKind.REFUSAL, "too-early")
    facts = why_facts(answer, "ru")
    assert facts["said"] == facts["text_ru"] == "дозу дают в её промежутке времени, не раньше"
    assert facts["source"] == SOURCES["too-early"] and facts["rests_on"] == []
