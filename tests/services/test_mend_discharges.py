"""Discharges and stops act at their time: not before it, not for other patients, and never in silence."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hub.adapters.intake_desk import IntakeDesk
from hub.domain.doses import DoseState
from hub.domain.orders import LineState, OrderLine, OrderSheet, OrderStatus, SheetChange, Stay
from hub.domain.packs import PackState
from hub.services.administer import BedsideScan, give
from hub.services.receive_changes import receive_changes
from tests.services.small_world import NURSE, SYSTEM, World, order_line

WARDS = {"p1": "Cardiology", "p2": "Cardiology"}
TWICE = order_line("a", code="BID")


def discharges(world: World, *rows: tuple[str, str], sha: str = "") -> Any:
    """Send a list of (patient, clock) of the day."""
    lines = "".join(f"{patient};{WARDS.get(patient, 'Therapy')};02.03.2026 {clock}\n" for patient, clock in rows)
    data = f"код пациента;отделение;выписан\n{lines}".encode()
    return world.do(lambda unit: IntakeDesk(world.house).discharges(unit, "hospital", f"{world.fresh('d')}.csv", data), SYSTEM)


def doses(world: World, order: str = "a") -> list[Any]:
    return sorted(world.all("doses", order=order), key=lambda dose: (dose.version, dose.due))


def told(world: World, at: datetime, **change: Any) -> None:
    sheet = OrderSheet("hospital", "c", world.fresh("sha"), changes=(SheetChange(at, **change),))
    world.do(lambda unit: receive_changes(unit, sheet, world.house))


def stopped(world: World, clock: str, line: OrderLine = TWICE) -> None:
    hour, minute = map(int, clock.split(":"))
    told(world, world.now.replace(hour=hour, minute=minute), line=replace(line, status=OrderStatus.STOPPED))


def given(world: World, dose: Any) -> Any:
    scan = BedsideScan("W-1", world.get("doses", dose.id).pack)
    return world.do(lambda unit: give(unit, scan, world.house), NURSE)


def test_a_stranger_on_the_list_is_named_and_the_others_are_discharged(world: World) -> None:
    world.sheet(order_line("a"), order_line("b", 2))
    answer = discharges(world, ("p1", "06:00"), ("stranger", "06:00"))
    assert answer["unknown"] == ["stranger"] and answer["changes"] == 1
    assert world.dose("a").state is DoseState.CANCELLED and world.dose("b").state is DoseState.PLANNED
    (fact,) = world.facts("discharge-unknown")
    assert (fact["patient"], fact["source"], fact["department"]) == ("stranger", "hospital", "Therapy")
    assert discharges(world, ("p1", "06:00"), ("stranger", "06:00")).code == "known-sheet"
    assert len(world.facts("discharge-unknown")) == 1


def test_a_discharge_in_the_evening_leaves_the_morning_s_dose(world: World) -> None:
    world.sheet(TWICE)
    morning, evening = doses(world)
    assert morning.due.astimezone(world.now.tzinfo).hour == 8
    discharges(world, ("p1", "18:00"))
    assert [dose.state for dose in doses(world)] == [DoseState.PLANNED, DoseState.CANCELLED]
    world.at("06:15")
    world.machine.run_all()
    world.deliver("a")
    world.at("08:00")
    assert [dose.state for dose in given(world, morning)] == [DoseState.GIVEN]
    assert world.get("doses", evening.id).state is DoseState.CANCELLED


def test_the_bedside_refuses_from_the_moment_of_the_discharge(world: World) -> None:
    world.brought(order_line("a"))
    discharges(world, ("p1", "08:05"))
    assert world.pack_of("a").state is PackState.RECEIVED
    world.at("08:06")
    assert given(world, world.dose("a")).code == "discharged"


def test_a_discharge_that_has_been_takes_every_open_dose(world: World) -> None:
    world.brought(order_line("a"))
    world.at("08:30")
    discharges(world, ("p1", "08:10"))
    assert world.pack_of("a").state is PackState.REVOKED


def test_a_stop_in_the_evening_leaves_the_morning_s_dose_and_its_moment_counts_at_the_bedside(world: World) -> None:
    world.sheet(order_line("a", code="BID"))
    stopped(world, "08:05")
    morning, evening = doses(world)
    assert (morning.state, evening.state) == (DoseState.PLANNED, DoseState.CANCELLED)
    assert world.get("orders", "a").state is LineState.ACTIVE
    world.at("06:15")
    world.machine.run_all()
    world.deliver("a")
    world.now = world.now.replace(hour=8, minute=6)
    assert given(world, morning).code == "stopped", "before the clock's next round, too"


def test_an_announced_stop_ends_the_order_at_its_moment_and_what_was_not_given_comes_back(world: World) -> None:
    pack = world.brought(order_line("a"))
    stopped(world, "08:05", order_line("a"))
    world.at("08:05")
    assert world.get("orders", "a").state is LineState.ACTIVE
    world.at("08:06")
    assert world.get("orders", "a").state is LineState.STOPPED and world.get("packs", pack.serial).state is PackState.REVOKED
    assert [fact["state"] for fact in world.facts("order-changed")] == ["active", "stopped"]


def test_a_stop_in_the_evening_lets_the_morning_s_dose_be_given(world: World) -> None:
    world.brought(order_line("a"))
    stopped(world, "19:00", order_line("a"))
    world.at("08:00")
    assert [dose.state for dose in given(world, world.dose("a"))] == [DoseState.GIVEN]


def test_a_sheet_that_repeats_the_line_forgets_neither_the_announced_stop_nor_the_one_that_came(world: World) -> None:
    world.sheet(TWICE)
    stopped(world, "19:00")
    world.sheet(TWICE)
    assert [dose.state for dose in doses(world)] == [DoseState.PLANNED, DoseState.CANCELLED]
    world.at("19:30")
    world.sheet(TWICE)
    assert world.get("orders", "a").state is LineState.STOPPED


def test_a_discharge_that_is_put_off_brings_the_doses_back_once(world: World) -> None:
    world.sheet(TWICE)
    before = world.get("stays", "p1")
    discharges(world, ("p1", "18:00"))
    told(world, world.now, stay=replace(before, finished_at=world.now + timedelta(hours=16)))
    assert [dose.state for dose in doses(world) if dose.version == 2] == [DoseState.PLANNED] * 2
    assert [dose.state for dose in doses(world) if dose.version == 1] == [DoseState.CANCELLED] * 2


def test_a_patient_moves_before_the_announced_discharge(world: World) -> None:
    world.sheet(order_line("a"))
    discharges(world, ("p1", "18:00"))
    told(world, world.now, stay=Stay(world.get("stays", "p1").patient, "e-p1", "Surgery", "5", "1", world.get("stays", "p1").finished_at))
    assert world.dose("a").department == "Surgery" and world.dose("a").state is DoseState.PLANNED
