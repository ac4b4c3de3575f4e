"""The daily step: orders that only messages told of are planned for every working day, and nothing of them ends in silence."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.domain.identifiers import OrderId, UserId
from hub.domain.orders import LineState, OrderLine, OrderSheet, OrderStatus, Outcome, SheetChange, SourceSettings
from hub.domain.rulings import about_of
from hub.services import plan_day as step
from hub.services.receive_changes import receive_changes
from hub.services.release_lines import release_doubt
from hub.services.ruling_desk import Said
from tests.services.small_world import MSK, PATIENTS, PHARMACIST, SIX, SOURCE, STAYS, World, order_line
from tests.services.test_discharges import told

ONGOING = replace(SOURCE, reconfirm_days=None)


def messages(world: World, *lines: OrderLine, settings: SourceSettings = ONGOING) -> Any:
    """Have a source that sends no sheets tell of all people and of some orders."""
    world.house = replace(world.house, sources={"hospital": settings})
    people = [SheetChange(world.now, patient=patient, stay=stay) for patient, stay in zip(PATIENTS, STAYS, strict=True)]
    return told(world, *people, *(SheetChange(world.now, line=line) for line in lines))


def hours(world: World, order: str, day: int) -> list[int]:
    due = [dose.due.astimezone(MSK) for dose in world.all("doses", order=order)]
    return sorted(moment.hour for moment in due if moment.day == day)


def test_the_next_day_is_planned_at_its_start_and_once(world: World) -> None:
    messages(world, order_line("a", code="BID"), order_line("b", patient=2))
    assert hours(world, "a", 2) == [8, 20] and hours(world, "a", 3) == []
    world.at("06:00", days=1)
    assert hours(world, "a", 3) == [8, 20] and hours(world, "b", 3) == [8]
    world.tick()
    world.reopen()
    world.tick()
    (fact,) = world.facts("day-planned")
    assert fact == {"source": "hospital", "day": "2026-03-03", "orders": 2, "in_force": 2, "asked": 0, "ended": 0, "doses": 3}
    assert {order.version for order in world.all("orders")} == {1}
    world.at("06:00", days=2)
    assert hours(world, "a", 4) == [8, 20] and len(world.facts("day-planned")) == 2


def test_what_comes_after_the_day_began_is_planned_at_once_and_not_judged_again(world: World) -> None:
    messages(world, order_line("a"))
    world.now = SIX + timedelta(days=1, minutes=1)
    told(world, SheetChange(world.now, line=order_line("c", patient=3, code="BID")))
    assert hours(world, "c", 3) == [8, 20]
    world.tick()
    assert world.facts("day-planned")[0]["orders"] == 1 and hours(world, "a", 3) == [8] and hours(world, "c", 3) == [8, 20]


def test_a_source_that_sends_sheets_is_left_to_its_sheet(world: World) -> None:
    world.sheet(order_line("a"))
    world.at("06:00", days=1)
    assert hours(world, "a", 3) == [] and world.facts("day-planned") == []


def test_a_source_that_is_bound_to_send_sheets_is_left_to_its_alarm(world: World) -> None:
    messages(world, order_line("a"))
    feed = replace(world.house.feed_of("hospital"), expected_by=(SIX.time(),))
    world.house = replace(world.house, feeds={"hospital": feed})
    world.at("06:30", days=1)
    world.at("06:30", days=2)
    assert hours(world, "a", 4) == [] and [alarm.kind for alarm in world.all("incidents")] == ["feed-absent"]


def test_an_open_ended_order_that_nobody_confirmed_goes_to_a_pharmacist_who_confirms_it_for_as_long_again(world: World) -> None:
    messages(world, order_line("a"), order_line("b", patient=2, ends_at=SIX + timedelta(days=9)), settings=SOURCE)
    world.at("06:00", days=3)
    assert hours(world, "a", 5) == [8], "confirmed until six of this day"
    world.at("06:00", days=4)
    order = world.get("orders", "a")
    assert (order.state, [reason.rule for reason in order.reasons]) == (LineState.NEEDS_REVIEW, ["not-confirmed"])
    assert "не подтверждено с 05.03.2026 06:00" in order.reasons[0].said("ru") and hours(world, "a", 6) == []
    assert hours(world, "b", 6) == [8] and world.facts("day-planned")[-1]["asked"] == 1
    _release(world, "a")
    assert world.get("orders", "a").state is LineState.ACTIVE and hours(world, "a", 6) == [8]
    world.at("06:00", days=7)
    assert world.get("orders", "a").state is LineState.ACTIVE and hours(world, "a", 9) == [8]
    world.at("06:00", days=8)
    assert world.get("orders", "a").state is LineState.NEEDS_REVIEW, "asked again three days after the pharmacist confirmed it"


def _release(world: World, order: str) -> None:
    (doubt,) = world.get("orders", order).reasons
    said = Said(OrderId(order), "the doctor was asked", UserId(PHARMACIST))
    done = world.do(lambda unit: release_doubt(unit, said, doubt.rule, about_of(doubt), world.house), PHARMACIST)
    assert done.outcome is Outcome.SCHEDULED


def test_a_message_that_says_the_same_again_confirms_the_order(world: World) -> None:
    line = order_line("a")
    messages(world, line, settings=SOURCE)
    world.at("06:00", days=3)
    world.at("10:00", days=3)
    told(world, SheetChange(world.now, line=line))
    world.at("06:00", days=4)
    assert world.get("orders", "a").state is LineState.ACTIVE and hours(world, "a", 6) == [8]


def test_an_order_that_waits_to_be_confirmed_goes_on_when_its_source_tells_of_it_again(world: World) -> None:
    line = order_line("a", code="BID")
    messages(world, line, settings=SOURCE)
    world.at("06:00", days=4)
    assert world.get("orders", "a").state is LineState.NEEDS_REVIEW
    world.now += timedelta(hours=4)
    told(world, SheetChange(world.now, line=line))
    assert world.get("orders", "a").state is LineState.ACTIVE and hours(world, "a", 6) == [20]


def test_allergies_stays_and_ends_count_as_they_are_now(world: World) -> None:
    lines = (order_line("a"), order_line("b", patient=2), order_line("c", patient=3, ends_at=SIX + timedelta(hours=20)), order_line("d", patient=4))
    messages(world, *lines)
    world.now += timedelta(hours=5)
    told(world, SheetChange(world.now, stay=replace(STAYS[1], finished_at=world.now)))
    told(world, SheetChange(world.now, line=replace(lines[3], status=OrderStatus.ON_HOLD)))
    world.do(lambda unit: unit.patients.put(replace(unit.patients.get("p1"), allergies=("metformin",))))
    world.at("06:00", days=1)
    states = {order.id: (order.state, order.reasons[0].rule) for order in world.all("orders")}
    assert states["a"][0] is LineState.NEEDS_REVIEW and "allerg" in states["a"][1]
    assert states["b"] == (LineState.REJECTED, "discharged") and states["c"] == (LineState.REJECTED, "course-over")
    assert states["d"][0] is LineState.ON_HOLD
    assert [dose for name in "abcd" for dose in hours(world, name, 3)] == []
    assert world.all("returned_lines") == [], "nobody on the ward has anything to correct"
    fact = world.facts("day-planned")[0]
    assert (fact["orders"], fact["in_force"], fact["asked"], fact["ended"]) == (4, 1, 1, 2)


def test_a_discharge_that_is_taken_back_brings_the_order_back(world: World) -> None:
    messages(world, order_line("a"))
    world.now += timedelta(hours=5)
    told(world, SheetChange(world.now, stay=replace(STAYS[0], finished_at=world.now)))
    world.at("06:00", days=1)
    told(world, SheetChange(world.now, stay=STAYS[0]))
    assert world.get("orders", "a").state is LineState.ACTIVE and hours(world, "a", 3) == [8]


def test_a_long_day_is_planned_in_parts_and_goes_on_after_a_restart(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "ORDERS_AT_ONCE", 3)
    messages(world, *(order_line(f"o{number}", patient=number) for number in range(1, 8)))
    judged = []
    world.now = SIX + timedelta(days=1)
    for _ in range(4):
        judged.append(world.do(lambda unit: step.plan_day(unit, world.house)))
        world.reopen()
    assert judged == [3, 3, 1, 0] and [fact["orders"] for fact in world.facts("day-planned")] == [7]
    assert all(hours(world, f"o{number}", 3) == [8] for number in range(1, 8))


def test_a_hub_that_was_away_when_the_day_began_says_so(world: World) -> None:
    messages(world, order_line("a", code="BID"))
    world.at("10:00", days=1)
    assert hours(world, "a", 3) == [20]
    (alarm,) = world.all("incidents", kind="feed-late")
    assert "10:00" in alarm.said("en") and "спланирован только в 10:00" in alarm.said("ru")


def test_two_sources_are_planned_each_by_its_own_way(world: World) -> None:
    world.house = replace(world.house, sources={"hospital": ONGOING, "other": replace(ONGOING, name="other")})
    world.sheet(order_line("a"))
    line = replace(order_line("m", patient=2), source="other")
    sheet = OrderSheet("other", "c", "sha-m", changes=(SheetChange(world.now, line=line),))
    world.do(lambda unit: receive_changes(unit, sheet, world.house))
    world.at("06:00", days=1)
    assert hours(world, "a", 3) == [] and hours(world, "m", 3) == [8]


def test_orders_of_an_earlier_stay_wait_for_a_pharmacist_when_the_patient_is_admitted_again(world: World) -> None:
    messages(world, order_line("a"))
    world.now += timedelta(hours=5)
    told(world, SheetChange(world.now, stay=replace(STAYS[0], finished_at=world.now)))
    world.now += timedelta(hours=5)
    told(world, SheetChange(world.now, stay=replace(STAYS[0], encounter="e-new")))
    order = world.get("orders", "a")
    assert order.state is LineState.NEEDS_REVIEW and order.reasons[0].rule == "earlier-stay"
    assert "пациент поступил снова" in order.reasons[0].said("ru")
    world.at("06:00", days=1)
    assert hours(world, "a", 3) == []
    _release(world, "a")
    assert hours(world, "a", 3) == [8]
