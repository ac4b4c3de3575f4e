"""A pharmacist lets an allergy pass by name: for this order and this allergy, until drug, dose or allergies change."""

from dataclasses import replace
from typing import Any

import pytest

from hub.domain.doses import DoseState
from hub.domain.identifiers import OrderId, UserId
from hub.domain.orders import LineState, Order, OrderLine, OrderSheet, Outcome
from hub.services.overrides import Said, let_allergy_pass
from hub.services.receive_sheet import receive_sheet
from tests.services.small_world import NURSE, PATIENTS, PHARMACIST, STAYS, World, order_line

LINE = order_line("a")
ALLERGY = "метформин, сыпь"


def sheet(world: World, *lines: OrderLine, allergies: tuple[str, ...] = (ALLERGY,)) -> None:
    patients = (replace(PATIENTS[0], allergies=allergies), *PATIENTS[1:])
    made = OrderSheet("hospital", "s", world.fresh("sha"), patients, STAYS, lines)
    world.do(lambda unit: receive_sheet(unit, made, world.house))


def passed(world: World, allergy: str = ALLERGY, reason: str = "tolerated before", second: str | None = None, order: str = "a", by: str = PHARMACIST) -> Any:
    said = Said(OrderId(order), reason, UserId(by), UserId(second) if second else None)
    return world.do(lambda unit: let_allergy_pass(unit, said, allergy, world.house), by)


def outcome(world: World, order: str = "a") -> tuple[Outcome, list[str]]:
    found = world.get("orders", order)
    return found.outcome, [reason.rule for reason in found.reasons]


def test_an_override_lets_the_line_go_on_and_is_printed_among_its_reasons(world: World) -> None:
    sheet(world, LINE)
    assert outcome(world) == (Outcome.NEEDS_REVIEW, ["allergy"])
    order = passed(world)
    assert isinstance(order, Order) and order.state is LineState.ACTIVE
    told = next(reason for reason in order.reasons if reason.rule == "allergy-overridden")
    assert all(PHARMACIST in text and "tolerated before" in text and ALLERGY in text for text in (told.text, told.text_ru))
    assert world.dose("a").state is DoseState.PLANNED
    (fact,) = world.facts("allergy-overridden")
    assert (fact["order"], fact["allergy"], fact["by"], fact["second"], fact["reason"]) == ("a", ALLERGY, PHARMACIST, None, "tolerated before")
    world.at("06:15")
    assert world.dose("a").state is DoseState.FROZEN


def test_it_survives_the_same_line_sent_again(world: World) -> None:
    sheet(world, LINE)
    version = passed(world).version
    sheet(world, LINE)
    assert outcome(world)[0] is Outcome.SCHEDULED and world.get("orders", "a").version == version
    assert len(world.all("doses")) == 1


@pytest.mark.parametrize(
    ("line", "allergies", "rules"),
    [
        (order_line("a", units=2), (ALLERGY,), ["allergy"]),
        (order_line("a", code="BID"), (ALLERGY,), ["allergy"]),
        (LINE, (ALLERGY, "пыльца"), ["allergy"]),
        (LINE, ("метформин, отёк Квинке",), ["allergy"]),
    ],
)
def test_it_falls_when_dose_times_or_allergies_change_and_does_not_come_back(world: World, line: OrderLine, allergies: tuple[str, ...], rules: list[str]) -> None:
    sheet(world, LINE)
    passed(world)
    sheet(world, line, allergies=allergies)
    assert outcome(world) == (Outcome.NEEDS_REVIEW, rules)
    assert all(dose.state is DoseState.CANCELLED for dose in world.all("doses"))
    assert len(world.facts("ruling-ended")) == 1
    sheet(world, LINE)
    assert outcome(world)[0] is Outcome.NEEDS_REVIEW


def test_it_holds_for_no_other_order_and_no_other_allergy(world: World) -> None:
    sheet(world, LINE, order_line("other", code="ONCE"), allergies=(ALLERGY, "biguanides, metformin"))
    passed(world)
    assert "allergy" in outcome(world)[1], "the second allergy is not let pass"
    passed(world, "biguanides, metformin")
    assert outcome(world)[0] is Outcome.SCHEDULED
    assert "allergy" in outcome(world, "other")[1]


def test_a_grave_reaction_needs_a_second_person(world: World) -> None:
    grave = "метформин — анафилактический шок"
    sheet(world, LINE, allergies=(grave,))
    assert passed(world, grave).code == "second-person"
    other = replace(world.get("users", PHARMACIST), id=UserId("u-other"), badge="other")
    world.do(lambda unit: unit.users.put(other))
    for wrong in (PHARMACIST, NURSE, "u-nobody"):
        assert passed(world, grave, second=wrong).code == "second-person", "nobody is his own second, nor is who may not"
    order = passed(world, grave, second="u-other")
    assert isinstance(order, Order) and order.outcome is Outcome.SCHEDULED
    assert world.facts("allergy-overridden")[0]["second"] == "u-other"


def test_what_is_no_ruling_changes_nothing(world: World) -> None:
    sheet(world, LINE, allergies=(ALLERGY, "пыльца"))
    wrong = {"not-allowed": {"by": NURSE}, "reason": {"reason": "  "}, "unknown-order": {"order": "nobody's"}, "no-such-allergy": {"allergy": "пыльца"}}
    for code, changes in wrong.items():
        refusal = passed(world, **changes)
        assert refusal.code == code and refusal.text_ru
    assert world.all("rulings") == [] and outcome(world)[0] is Outcome.NEEDS_REVIEW


def test_an_allergy_that_passed_already_is_not_let_pass_twice(world: World) -> None:
    sheet(world, LINE)
    passed(world)
    assert passed(world).code == "passed"
    assert len(world.facts("allergy-overridden")) == 1


def test_a_new_allergy_after_the_override_stops_the_dose_on_its_way(world: World) -> None:
    sheet(world, LINE)
    passed(world)
    world.at("06:15")
    world.machine.run_all()
    sheet(world, allergies=(ALLERGY, "metformin, hives"))
    assert world.pack_of("a").state.value == "revoked" and outcome(world)[0] is Outcome.NEEDS_REVIEW


def test_a_high_alert_drug_needs_a_second_person_though_the_reaction_was_mild(world: World) -> None:
    mild = "варфарин, сыпь"
    sheet(world, order_line("a", drug="ALERT"), allergies=(mild,))
    other = replace(world.get("users", PHARMACIST), id=UserId("u-other"), badge="other")
    world.do(lambda unit: unit.users.put(other))
    assert passed(world, mild).code == "second-person"
    assert passed(world, mild, second="u-other").outcome is Outcome.SCHEDULED
