"""A new allergy acts at once, wherever the dose is; and what is no longer packed by its decision is not packed."""

from dataclasses import replace
from typing import Any

import pytest

from hub.adapters.intake_desk import IntakeDesk
from hub.domain.doses import DoseState
from hub.domain.orders import LineState, OrderSheet, SheetChange
from hub.domain.packs import PackState
from hub.services.administer import BedsideScan, give
from hub.services.receive_changes import receive_changes
from hub.services.receive_sheet import receive_sheet
from tests.services.small_world import NURSE, PATIENTS, SYSTEM, World, order_line
from tests.services.test_late_changes import PLACES, brought_to, finished


def listed(world: World, texts: str = "metformin") -> Any:
    """Send the source's list of allergies: the first patient has one."""
    data = f"код пациента;аллергия\np1;{texts}\n".encode()
    return world.do(lambda unit: IntakeDesk(world.house).allergies(unit, "hospital", world.fresh("allergies.csv"), data), SYSTEM)


def told_by_changes(world: World) -> Any:
    changes = (SheetChange(world.now, patient=replace(PATIENTS[0], allergies=("metformin",))),)
    sheet = OrderSheet("hospital", "c", world.fresh("sha"), changes=changes)
    return world.do(lambda unit: receive_changes(unit, sheet, world.house))


def told_by_a_sheet(world: World) -> Any:
    """Bring the allergy with a sheet that does not repeat the order."""
    patients = (replace(PATIENTS[0], allergies=("metformin",)), *PATIENTS[1:])
    sheet = OrderSheet("hospital", "s", world.fresh("sha"), patients)
    return world.do(lambda unit: receive_sheet(unit, sheet, world.house))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("way", [listed, told_by_changes, told_by_a_sheet])
def test_a_new_allergy_stops_the_dose_wherever_it_is(world: World, way: Any, place: str) -> None:
    brought_to(world, place)
    way(world)
    assert world.get("orders", "a").state is LineState.NEEDS_REVIEW
    world.tick()
    finished(world)
    assert world.dose("a").state in (DoseState.CANCELLED, DoseState.RETURNED)
    assert all(pack.state in (PackState.NEVER_MADE, PackState.DESTROYED, PackState.RESTOCKED) for pack in world.all("packs"))
    assert world.get("cassettes", 1).reserved == 0


def test_an_allergy_to_something_else_leaves_the_dose_and_its_version(world: World) -> None:
    brought_to(world, "received")
    assert listed(world, "penicillin") == {"patients": 1, "orders_out": []}
    assert world.get("orders", "a").version == 1 and world.get("patients", "p1").allergies == ("penicillin",)
    world.at("08:00")
    scan = BedsideScan("W-1", world.pack_of("a").serial)
    given: Any = world.do(lambda unit: give(unit, scan, world.house), NURSE)
    assert [dose.state for dose in given] == [DoseState.GIVEN]


def test_the_answer_names_the_orders_that_fell_and_the_same_list_again_changes_nothing(world: World) -> None:
    brought_to(world, "planned")
    assert listed(world) == {"patients": 1, "orders_out": ["a"]}
    assert listed(world) == {"patients": 1, "orders_out": []}


def test_a_dose_given_before_the_allergy_was_told_opens_an_incident(world: World) -> None:
    brought_to(world, "received")
    world.at("07:30")
    scan = BedsideScan("W-1", world.pack_of("a").serial)
    world.do(lambda unit: give(unit, scan, world.house), NURSE)
    listed(world)
    assert [incident.kind for incident in world.all("incidents")] == ["given-after-change"]


@pytest.mark.parametrize("place", PLACES)
def test_an_unchanged_line_that_its_sheet_moves_out_of_what_is_packed_takes_its_doses_along(world: World, place: str) -> None:
    brought_to(world, place)
    patients = (replace(PATIENTS[0], allergies=("metformin",)), *PATIENTS[1:])
    world.do(lambda unit: unit.patients.put_many(patients))
    world.sheet(order_line("a"))
    world.tick()
    finished(world)
    assert world.get("orders", "a").state is LineState.NEEDS_REVIEW
    assert world.dose("a").state in (DoseState.CANCELLED, DoseState.RETURNED)


@pytest.mark.parametrize("state", [LineState.NEEDS_REVIEW, LineState.STOPPED, LineState.REJECTED, LineState.ON_HOLD])
def test_a_planned_dose_whose_order_is_not_active_is_cancelled_at_the_cut(world: World, state: LineState) -> None:
    world.sheet(order_line("a"), order_line("b", 2))
    silently = replace(world.get("orders", "a"), state=state)
    world.do(lambda unit: unit.orders.put(silently))
    world.at("06:15")
    assert world.dose("a").state is DoseState.CANCELLED and "packed" in world.dose("a").reason
    assert world.dose("b").state is DoseState.FROZEN


def test_an_order_that_was_reviewed_away_gets_new_doses_when_a_later_sheet_accepts_it(world: World) -> None:
    brought_to(world, "planned")
    listed(world)
    cleared = replace(world.get("patients", "p1"), allergies=())
    world.do(lambda unit: unit.patients.put(cleared))
    world.sheet(order_line("a"))
    assert (world.dose("a").state, world.dose("a").version) == (DoseState.PLANNED, 2)
