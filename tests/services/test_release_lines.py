"""A pharmacist lets a line in review go on: for this order, this rule and this matter, until drug, dose, times or matter change."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from hub.domain.doses import DoseState
from hub.domain.drugs import Dosing
from hub.domain.identifiers import DrugCode, OrderId, UserId
from hub.domain.orders import LineState, Order, OrderLine, OrderSheet, Outcome, Reason
from hub.domain.quantities import Quantity
from hub.domain.refusals import Refusal
from hub.domain.rulings import about_of
from hub.domain.schedule import Schedule
from hub.domain.timing import PeriodUnit, Repeat, Timing
from hub.domain.words import Topic, Words
from hub.services.administer import BedsideScan, give
from hub.services.lines_in_review import review_board, review_statistics
from hub.services.preview import known_of, preview_sheet
from hub.services.release_lines import Duration, release_doubt, settle_dose, tell_duration, withdraw_ruling
from hub.services.ruling_desk import Said
from tests.services.small_world import MSK, NURSE, PHARMACIST, PLAIN, SIX, World, order_line

TABLETS = (Quantity(Fraction(1), "tablet"), Quantity(Fraction(2), "tablet"))
FIRST = order_line("a", authored_at=SIX - timedelta(days=2))
LATER = order_line("b", code="BID")


def said(order: str, by: str = PHARMACIST, reason: str = "tolerated before", second: str | None = None) -> Said:
    return Said(OrderId(order), reason, UserId(by), UserId(second) if second else None)


def released(world: World, order: str, rule: str, **who: Any) -> Any:
    doubt = next((each for each in world.get("orders", order).reasons if each.rule == rule), None)
    about = about_of(doubt) if doubt is not None else "none"
    return world.do(lambda unit: release_doubt(unit, said(order, **who), rule, about, world.house), who.get("by", PHARMACIST))


def settled(world: World, order: str, amount: str, **who: Any) -> Any:
    return world.do(lambda unit: settle_dose(unit, said(order, **who), amount, world.house), PHARMACIST)


def told(world: World, order: str, meaning: Duration) -> Any:
    return world.do(lambda unit: tell_duration(unit, said(order), meaning, world.house), PHARMACIST)


def withdrawn(world: World, order: str) -> Any:
    (ruling,) = world.all("rulings", order=OrderId(order), ended_at=None)
    return world.do(lambda unit: withdraw_ruling(unit, said(order, reason="thought again"), ruling.id, world.house), PHARMACIST)


def outcome(world: World, order: str) -> tuple[Outcome, list[str]]:
    found = world.get("orders", order)
    return found.outcome, [reason.rule for reason in found.reasons]


def other_pharmacist(world: World) -> str:
    other = replace(world.get("users", PHARMACIST), id=UserId("u-other"), badge="other")
    world.do(lambda unit: unit.users.put(other))
    return str(other.id)


def lasting(days: int) -> OrderLine:
    """Return a line once a day whose duration is so many days."""
    return order_line("a", timing=Timing(repeat=Repeat(frequency=1, period=Fraction(1), period_unit=PeriodUnit.DAY, duration=Fraction(days), duration_unit=PeriodUnit.DAY)))


def test_a_duplicate_is_released_by_name_and_its_doses_are_planned_at_once(world: World) -> None:
    world.sheet(FIRST, LATER)
    assert outcome(world, "b") == (Outcome.NEEDS_REVIEW, ["duplicate-therapy"]) and not world.all("doses", order=OrderId("b"))
    order = released(world, "b", "duplicate-therapy")
    assert isinstance(order, Order) and order.state is LineState.ACTIVE
    reason = next(each for each in order.reasons if each.rule == "pharmacist-released")
    assert all(PHARMACIST in text and "tolerated before" in text for text in (reason.text, reason.text_ru))
    assert "дублирование терапии" in reason.text_ru
    assert {dose.state for dose in world.all("doses", order=OrderId("b"))} == {DoseState.PLANNED}
    (fact,) = world.facts("line-released")
    assert (fact["order"], fact["rule"], fact["by"], fact["reason"]) == ("b", "duplicate-therapy", PHARMACIST, "tolerated before")


def test_a_release_survives_the_next_sheet_where_both_lines_stand_elsewhere(world: World) -> None:
    world.sheet(FIRST, LATER)
    version = released(world, "b", "duplicate-therapy").version
    world.sheet(replace(FIRST, position="line 7"), replace(LATER, position="line 9"))
    assert outcome(world, "b")[0] is Outcome.SCHEDULED and world.get("orders", "b").version == version
    assert len(world.facts("ruling-ended")) == 0


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (FIRST, order_line("b", code="TID")),
        (FIRST, order_line("b", code="BID", units=2)),
        (order_line("a", units=2, authored_at=SIX - timedelta(days=2)), LATER),
    ],
    ids=["times", "dose", "the other order's dose"],
)
def test_a_release_falls_when_its_line_or_its_matter_changes(world: World, first: OrderLine, later: OrderLine) -> None:
    world.sheet(FIRST, LATER)
    released(world, "b", "duplicate-therapy")
    world.sheet(first, later)
    assert outcome(world, "b") == (Outcome.NEEDS_REVIEW, ["duplicate-therapy"])
    assert all(dose.state is DoseState.CANCELLED for dose in world.all("doses", order=OrderId("b")))


def test_a_third_order_is_another_matter(world: World) -> None:
    world.sheet(FIRST, LATER)
    released(world, "b", "duplicate-therapy")
    world.sheet(FIRST, LATER, order_line("aa", code="HS", authored_at=SIX - timedelta(days=3)))
    assert outcome(world, "b")[1].count("duplicate-therapy") == 1


def test_a_release_after_the_cut_makes_the_doses_urgent(world: World) -> None:
    world.sheet(FIRST, LATER)
    world.at("07:00")
    released(world, "b", "duplicate-therapy")
    first = min(world.all("doses", order=OrderId("b")), key=lambda dose: dose.due)
    assert first.stat and first.due.astimezone(MSK).hour == 8


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("directory-maximum", {"most_at_once": Quantity(Fraction(250), "mg")}),
        ("tenfold", {"usual_dose": Quantity(Fraction(50), "mg")}),
    ],
)
def test_unusual_figures_are_released_until_the_directory_says_something_else(world: World, rule: str, changes: Any) -> None:
    world.do(lambda unit: unit.drugs.put(replace(PLAIN, **changes)))
    world.sheet(FIRST)
    assert outcome(world, "a") == (Outcome.NEEDS_REVIEW, [rule])
    assert released(world, "a", rule).outcome is Outcome.SCHEDULED
    stricter: Any = {name: Quantity(value.amount / 2, value.unit) for name, value in changes.items()}
    world.do(lambda unit: unit.drugs.put(replace(PLAIN, **stricter)))
    world.sheet(FIRST)
    assert outcome(world, "a") == (Outcome.NEEDS_REVIEW, [rule])


def test_a_high_alert_drug_needs_a_second_pharmacist(world: World) -> None:
    alert = world.get("drugs", "ALERT")
    world.do(lambda unit: unit.drugs.put(replace(alert, most_at_once=Quantity(Fraction(1), "mg"))))
    world.sheet(order_line("a", drug="ALERT"))
    second = other_pharmacist(world)
    for wrong in (None, PHARMACIST, NURSE):
        assert released(world, "a", "directory-maximum", second=wrong).code == "second-person"
    assert released(world, "a", "directory-maximum", second=second).outcome is Outcome.SCHEDULED
    assert world.facts("line-released")[0]["second"] == second


def test_what_is_not_understood_or_cannot_be_counted_is_never_released(world: World) -> None:
    lines = {
        "whole-units": order_line("whole-units", 2, units=Fraction(1, 3)), "plausible-count": order_line("plausible-count", 3, units=30),
        "route": order_line("route", 4, route="somehow"), "frequency": order_line("frequency", 5, code="now and then"),
        "unknown-drug": replace(order_line("unknown-drug", 6), drug=DrugCode("NOBODY")),
    }  # fmt: skip
    world.sheet(*lines.values())
    for rule in lines:
        assert outcome(world, rule) == (Outcome.NEEDS_REVIEW, [rule])
        refusal = released(world, rule, rule)
        assert isinstance(refusal, Refusal) and refusal.code == "not-releasable" and refusal.text_ru
    assert world.all("rulings") == []


NOTED = ("medication with the status inactive", "RXG-12: a person has to look at this give", "dosage 2: a maximum dose that cannot be read: 2 per ?")
NOT_NOTED = ("modifierExtension: http://x", "priority X", "timing.repeat.frequency -1", "a maximum dose that cannot be read: 2")


def doubted_lines(texts: Sequence[str], about: Topic) -> list[OrderLine]:
    return [order_line(f"n{at}", at + 2, unsupported=(Words(text, "то же по-русски", about),)) for at, text in enumerate(texts)]


def test_what_changes_neither_dose_nor_time_route_or_patient_is_taken_note_of(world: World) -> None:
    lines = doubted_lines(NOTED, Topic.NOTE)
    world.sheet(*lines)
    assert [released(world, line.id, "source-note").outcome for line in lines] == [Outcome.SCHEDULED] * len(NOTED)
    world.sheet(*(replace(line, unsupported=(*line.unsupported, Words("dose with a rate", "скорость"))) for line in lines))
    assert {outcome(world, line.id)[0] for line in lines} == {Outcome.NEEDS_REVIEW}, "one note releases no other"


@pytest.mark.parametrize("about", [Topic.NONE, Topic.TIMES])
def test_what_may_change_dose_time_route_or_patient_needs_a_corrected_line_whatever_its_words_are(world: World, about: Topic) -> None:
    lines = doubted_lines((*NOT_NOTED, *NOTED), about)
    world.sheet(*lines)
    assert {released(world, line.id, rule).code for line in lines for rule in ("unsupported", "source-note")} <= {"not-releasable", "no-such-doubt"}
    assert {outcome(world, line.id)[0] for line in lines} == {Outcome.NEEDS_REVIEW}


def test_a_weekly_drug_is_never_released(world: World) -> None:
    world.do(lambda unit: unit.drugs.put(replace(PLAIN, dosed=Dosing.WEEKLY)))
    world.sheet(order_line("a", code="ASDIR"), order_line("b", patient=2))
    assert outcome(world, "b") == (Outcome.REJECTED, ["weekly-drug"])
    assert released(world, "b", "weekly-drug").code == "not-waiting"
    assert outcome(world, "a") == (Outcome.NEEDS_REVIEW, ["weekly-drug"])
    assert released(world, "a", "weekly-drug").code == "not-releasable"


def test_a_range_is_settled_and_the_chosen_dose_is_planned(world: World) -> None:
    chosen = {"1": Fraction(1), "2": Fraction(2), "1,5": Fraction(3, 2), "3/2": Fraction(3, 2)}
    lines = [order_line(amount, at + 2, dose=TABLETS) for at, amount in enumerate(chosen)]
    world.sheet(*lines)
    for amount, units in chosen.items():
        assert outcome(world, amount) == (Outcome.NEEDS_REVIEW, ["dose-range"])
        assert settled(world, amount, amount).outcome is Outcome.SCHEDULED and "dose-settled" in outcome(world, amount)[1]
        assert world.dose(amount).units == units
    world.sheet(*lines)
    assert {outcome(world, amount)[0] for amount in chosen} == {Outcome.SCHEDULED} and len(world.all("doses")) == len(chosen)


def test_a_dose_outside_the_range_or_in_no_permitted_part_settles_nothing(world: World) -> None:
    world.sheet(order_line("a", dose=TABLETS))
    for amount, code in {"3": "dose", "0.5": "dose", "one": "dose", "1e1": "dose", "1/0": "dose", "": "dose", "4/3": "whole-units"}.items():
        refusal = settled(world, "a", amount)
        assert refusal.code == code and refusal.text_ru and not world.all("rulings"), amount


def test_a_settled_dose_falls_with_another_range_and_comes_back_into_review(world: World) -> None:
    world.sheet(order_line("a", dose=TABLETS))
    settled(world, "a", "2")
    world.sheet(order_line("a", dose=(TABLETS[0], Quantity(Fraction(3), "tablet"))))
    assert outcome(world, "a") == (Outcome.NEEDS_REVIEW, ["dose-range"])
    assert world.dose("a").state is DoseState.CANCELLED and len(world.facts("ruling-ended")) == 1


def test_a_settled_dose_is_checked_like_a_written_one(world: World) -> None:
    world.do(lambda unit: unit.drugs.put(replace(PLAIN, most_at_once=Quantity(Fraction(600), "mg"))))
    world.sheet(order_line("a", dose=TABLETS))
    assert outcome(world, "a") == (Outcome.NEEDS_REVIEW, ["directory-maximum"])
    assert released(world, "a", "directory-maximum").outcome is Outcome.NEEDS_REVIEW
    assert settled(world, "a", "1").outcome is Outcome.SCHEDULED
    assert "pharmacist-released" not in outcome(world, "a")[1], "nothing is above the maximum any more"


def test_a_long_duration_is_the_course(world: World) -> None:
    world.sheet(lasting(3))
    assert outcome(world, "a") == (Outcome.NEEDS_REVIEW, ["timing-duration"])
    assert told(world, "a", Duration.COURSE).outcome is Outcome.SCHEDULED
    assert len(world.all("doses")) == 1 and "duration-of-course" in outcome(world, "a")[1]
    world.sheet(lasting(3))
    assert outcome(world, "a")[0] is Outcome.SCHEDULED
    world.sheet(lasting(5))
    assert outcome(world, "a") == (Outcome.NEEDS_REVIEW, ["timing-duration"])


def test_a_dose_of_a_course_that_was_told_has_the_window_of_its_times(world: World) -> None:
    world.sheet(lasting(3))
    told(world, "a", Duration.COURSE)
    rulings = world.all("rulings", order=OrderId("a"))
    line = world.get("orders", "a").line
    assert isinstance(world.house.schedule_of(line, "Cardiology"), Reason), "without the ruling nobody can tell"
    world.at("06:15")
    world.machine.run_all()
    world.deliver("a")
    world.at("08:50")
    scan = BedsideScan("W-1", world.pack_of("a").serial)
    assert not isinstance(world.do(lambda unit: give(unit, scan, world.house), NURSE), Refusal)
    assert isinstance(world.house.schedule_of(line, "Cardiology", rulings), Schedule)


def test_a_long_duration_is_an_infusion_which_is_not_packed(world: World) -> None:
    world.sheet(lasting(1))
    order = told(world, "a", Duration.INFUSION)
    assert order.outcome is Outcome.NOT_PACKABLE and [reason.rule for reason in order.reasons][:2] == ["infusion", "duration-of-infusion"]
    assert world.all("doses") == []


def test_an_infusion_of_a_weekly_drug_still_stops(world: World) -> None:
    world.do(lambda unit: unit.drugs.put(replace(PLAIN, dosed=Dosing.WEEKLY)))
    world.sheet(lasting(1))
    told(world, "a", Duration.INFUSION)
    assert outcome(world, "a") == (Outcome.REJECTED, ["weekly-drug"])


@pytest.mark.parametrize("line", [LATER, order_line("b", dose=TABLETS)])
def test_a_withdrawn_ruling_calls_the_doses_off_and_the_line_waits_again(world: World, line: OrderLine) -> None:
    world.sheet(FIRST, line)
    assert released(world, "b", "duplicate-therapy").outcome in (Outcome.SCHEDULED, Outcome.NEEDS_REVIEW)
    world.at("06:15")
    withdrawn(world, "b")
    assert outcome(world, "b") == (Outcome.NEEDS_REVIEW, ["duplicate-therapy"])
    assert all(dose.state is DoseState.CANCELLED for dose in world.all("doses", order=OrderId("b")))
    (fact,) = world.facts("ruling-withdrawn")
    assert (fact["reason"], fact["by"]) == ("thought again", PHARMACIST)


def test_what_is_no_ruling_changes_nothing(world: World) -> None:
    world.sheet(FIRST, LATER)
    assert released(world, "b", "duplicate-therapy", by=NURSE).code == "not-allowed"
    assert released(world, "b", "duplicate-therapy", reason=" ").code == "reason"
    unknown: Any = world.do(lambda unit: release_doubt(unit, said("nobody's"), "duplicate-therapy", "x", world.house))
    assert unknown.code == "unknown-order"
    assert released(world, "a", "duplicate-therapy").code == "not-waiting"
    stale: Any = world.do(lambda unit: release_doubt(unit, said("b"), "duplicate-therapy", "another matter", world.house))
    assert stale.code == "no-such-doubt" and stale.text_ru
    assert settled(world, "b", "1").code == "no-such-doubt" and told(world, "b", Duration.COURSE).code == "no-such-doubt"
    none: Any = world.do(lambda unit: withdraw_ruling(unit, said("b"), "none", world.house))
    assert none.code == "no-ruling" and world.all("rulings") == []


def board(world: World, **what: Any) -> dict[str, Any]:
    return world.do(lambda unit: review_board(unit, world.house, **what))


def test_the_board_has_the_most_urgent_first_and_no_names(world: World) -> None:
    world.sheet(
        order_line("night", 1, code="HS", dose=TABLETS), order_line("morning", 3, dose=TABLETS), order_line("alert", 4, drug="ALERT", units=Fraction(1, 2)),
        order_line("stat", 5, code="HS", dose=TABLETS, stat=True),
    )  # fmt: skip
    found = board(world)
    assert [group["department"] for group in found["departments"]] == ["Therapy", "Cardiology"]
    assert [row["order"] for row in found["departments"][0]["lines"]] == ["stat", "alert", "morning"]
    assert (found["waiting"], found["more"]) == (4, 0) and board(world, limit=1)["more"] == 3
    assert "Family" not in repr(found) and found["departments"][1]["lines"][0]["patient"] == "W-1"
    assert [group["department"] for group in board(world, department="Cardiology")["departments"]] == ["Cardiology"]


def test_the_board_tells_what_was_understood_what_else_is_given_and_what_may_be_done(world: World) -> None:
    world.sheet(FIRST, LATER, order_line("range", 2, dose=TABLETS), order_line("code", 3, code="now and then"))
    rows = {row["order"]: row for group in board(world)["departments"] for row in group["lines"]}
    twin = rows["b"]
    assert [other["order"] for other in twin["beside"]] == ["a"] and "2 раза" in twin["words"]["ru"]
    assert [doubt["remedy"] for doubt in twin["doubts"]] == ["release"]
    (doubt,) = rows["range"]["doubts"]
    assert doubt["remedy"] == "dose" and [dose["amount"] for dose in doubt["doses"]] == ["1", "1.25", "1.5", "1.75", "2"]
    assert rows["code"]["codes"] == ["now and then"] and rows["code"]["words"] == {} and rows["code"]["doubts"][0]["remedy"] == "code"


def test_the_board_lists_the_rulings_by_which_lines_go_on(world: World) -> None:
    world.sheet(FIRST, LATER)
    released(world, "b", "duplicate-therapy")
    (row,) = board(world)["ruled"]
    assert (row["order"], row["kind"], row["patient"], row["department"]) == ("b", "pharmacist-released", "W-1", "Cardiology")
    assert board(world, department="Therapy")["ruled"] == []
    withdrawn(world, "b")
    assert board(world)["ruled"] == []


def test_a_preview_shows_a_line_as_it_was_settled(world: World) -> None:
    line = order_line("a", dose=TABLETS)
    world.sheet(line)
    settled(world, "a", "2")
    known = world.do(known_of)
    preview: Any = preview_sheet(known, OrderSheet("hospital", "s", "sha", lines=(line,)), world.house, world.now)
    (shown,) = preview.lines
    assert shown.outcome is Outcome.SCHEDULED and shown.doses[0].dose == TABLETS[1] and "2 таблетки" in shown.words["ru"]


def test_waiting_lines_and_rulings_are_counted_by_ward_and_rule(world: World) -> None:
    world.sheet(FIRST, LATER, order_line("range", 3, dose=TABLETS), order_line("range-2", 4, dose=TABLETS))
    found = world.do(lambda unit: review_statistics(unit, world.house))
    assert found["counts"] == [
        {"department": "Therapy", "rule": "dose-range", "lines": 2}, {"department": "Cardiology", "rule": "duplicate-therapy", "lines": 1},
    ]  # fmt: skip
    assert found["departments"] == [{"department": "Therapy", "lines": 2}, {"department": "Cardiology", "lines": 1}]
    assert (found["waiting"], found["in_force"]) == (3, 1)
    released(world, "b", "duplicate-therapy")
    after = world.do(lambda unit: review_statistics(unit, world.house))
    assert after["rulings"] == [{"kind": "pharmacist-released", "rule": "duplicate-therapy", "by": PHARMACIST, "rulings": 1}]


def test_an_order_that_waits_counts_beside_a_later_one_and_meets_it_when_it_is_released(world: World) -> None:
    world.sheet(order_line("a", units=1, authored_at=SIX - timedelta(days=2), unsupported=(Words("a maximum dose that cannot be read: 4 g in ?", "предел"),)))
    assert outcome(world, "a")[0] is Outcome.NEEDS_REVIEW
    world.change(line=order_line("b", code="BID", authored_at=SIX - timedelta(days=1)))
    assert outcome(world, "b") == (Outcome.NEEDS_REVIEW, ["duplicate-therapy"])


def test_a_release_meets_an_order_that_was_scheduled_in_the_meantime(world: World) -> None:
    world.sheet(order_line("a", unsupported=(Words("rate", "скорость"),)))
    world.change(line=order_line("b", code="BID", authored_at=SIX - timedelta(days=1)))
    assert outcome(world, "b")[0] is Outcome.SCHEDULED
    world.change(line=order_line("a"))
    assert outcome(world, "a") == (Outcome.NEEDS_REVIEW, ["duplicate-therapy"])
    assert released(world, "a", "duplicate-therapy").outcome is Outcome.SCHEDULED
    world.sheet(order_line("a"), order_line("b", code="BID", authored_at=SIX - timedelta(days=1)))
    assert {outcome(world, each)[0] for each in "ab"} == {Outcome.SCHEDULED}


def test_an_earlier_order_that_comes_later_is_asked_about_and_what_stands_goes_on(world: World) -> None:
    world.sheet(LATER)
    world.change(line=FIRST)
    assert (outcome(world, "a"), outcome(world, "b")[0]) == ((Outcome.NEEDS_REVIEW, ["duplicate-therapy"]), Outcome.SCHEDULED)
    world.sheet(FIRST, LATER)
    assert (outcome(world, "a")[0], outcome(world, "b")[0]) == (Outcome.NEEDS_REVIEW, Outcome.SCHEDULED)


def test_a_changed_dose_meets_the_order_that_was_released_beside_it(world: World) -> None:
    world.sheet(FIRST, LATER)
    released(world, "b", "duplicate-therapy")
    world.change(line=order_line("a", units=2, authored_at=FIRST.authored_at))
    assert outcome(world, "a") == (Outcome.NEEDS_REVIEW, ["duplicate-therapy"])


def test_a_rejected_line_does_not_hold_its_corrected_successor(world: World) -> None:
    wrong = order_line("a", dose=None)
    world.sheet(wrong)
    world.sheet(wrong, order_line("b", authored_at=SIX - timedelta(hours=1)))
    assert (outcome(world, "a")[0], outcome(world, "b")[0]) == (Outcome.REJECTED, Outcome.SCHEDULED)
