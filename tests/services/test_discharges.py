"""Discharges, deaths and changes out of order: what they take, what comes back, and what a newer word overtook."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from hub.adapters.intake.allergies import read_allergies
from hub.adapters.intake.discharges import read_discharges
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake_desk import IntakeDesk
from hub.domain.allergy_words import is_high_criticality
from hub.domain.doses import DoseState
from hub.domain.orders import LineState, OrderLine, OrderSheet, OrderStatus, SheetChange, Stay
from hub.services.administer import BedsideScan, give
from hub.services.receive_changes import receive_changes
from tests.services.small_world import MSK, NURSE, SOURCE, SYSTEM, World, order_line

LINE = order_line("a")
TWICE = order_line("a", code="BID")


def told(world: World, *changes: SheetChange) -> Any:
    sheet = OrderSheet("hospital", "c", world.fresh("sha"), changes=changes)
    return world.do(lambda unit: receive_changes(unit, sheet, world.house))


def stay_of(world: World, **changes: Any) -> Stay:
    return replace(world.get("stays", "p1"), **changes)


def given(world: World) -> Any:
    scan = BedsideScan("W-1", world.pack_of("a").serial)
    return world.do(lambda unit: give(unit, scan, world.house), NURSE)


def open_doses(world: World) -> list[Any]:
    found = world.all("doses", state=["planned", "frozen", "packed"])
    return sorted(found, key=lambda dose: dose.due)


def test_a_cancelled_discharge_brings_back_what_can_still_be_given(world: World) -> None:
    world.sheet(TWICE)
    world.at("06:15")
    world.machine.run_all()
    world.deliver("a")
    told(world, SheetChange(world.now, stay=stay_of(world, finished_at=world.now)))
    assert world.all("packs")[0].state.value == "revoked" and [dose.state.value for dose in open_doses(world)] == ["packed"]
    world.now += timedelta(minutes=20)
    told(world, SheetChange(world.now, stay=stay_of(world, finished_at=None)))
    (fact,) = world.facts("discharge-cancelled")
    assert fact["patient"] == "p1" and world.facts("patient-moved") == []
    again = [dose for dose in world.all("doses") if dose.version == 2]
    assert [dose.state for dose in again] == [DoseState.PLANNED] * 2, "morning and evening, under the next version"
    world.tick()
    world.machine.run_all()
    world.deliver("a")
    world.at("08:00")
    assert not hasattr(given(world), "code")


def test_a_cancelled_discharge_brings_back_lines_that_a_sheet_rejected_for_it_and_no_others(world: World) -> None:
    world.sheet(LINE)
    gone = stay_of(world, finished_at=world.now)
    told(world, SheetChange(world.now, stay=gone))
    world.sheet(LINE, order_line("b", code="BID", ends_at=world.now - timedelta(hours=1)), stays=[gone])
    assert {order.state for order in world.all("orders")} == {LineState.REJECTED}
    told(world, SheetChange(world.now, stay=replace(gone, finished_at=None)))
    assert world.get("orders", "a").state is LineState.ACTIVE and world.get("orders", "b").state is LineState.REJECTED
    assert [dose.order for dose in open_doses(world)] == ["a"]


def test_a_death_is_told_apart_and_what_was_given_after_it_opens_an_incident(world: World) -> None:
    world.brought(LINE)
    world.at("08:00")
    given(world)
    world.now += timedelta(hours=1)
    told(world, SheetChange(world.now, stay=stay_of(world, finished_at=world.now.replace(hour=7), died=True)))
    assert [fact["patient"] for fact in world.facts("patient-died")] == ["p1"] and world.facts("patient-discharged") == []
    (incident,) = world.all("incidents")
    assert incident.kind == "given-after-change" and "died" in incident.text


def test_a_notice_without_a_place_keeps_the_place_that_is_known(world: World) -> None:
    world.sheet(LINE)
    patient = world.get("stays", "p1").patient
    told(world, SheetChange(world.now, stay=Stay(patient, "", "", "", "", world.now, died=True)))
    stay = world.get("stays", "p1")
    assert (stay.department, stay.room, stay.died) == ("Cardiology", "10", True) and world.dose("a").state is DoseState.CANCELLED


NOW = datetime(2026, 3, 2, 9, tzinfo=MSK)
LIST = "код пациента;отделение;выписан;исход\n"


@pytest.mark.parametrize(("outcome", "died"), [("умер", True), ("летальный исход", True), ("выписан в связи со смертью", True), ("переведён в морг", True), ("Expired", True), ("выписан с улучшением", False), ("", False), ("переведён", False)])
def test_a_list_tells_deaths_by_the_outcome(outcome: str, died: bool) -> None:
    data = f"{LIST}p1;Терапия;02.03.2026 08:10;{outcome}\n".encode()
    (stay,) = read_discharges("d.csv", data, SOURCE, zone=MSK, now=NOW).stays
    assert stay.died is died


def test_a_list_with_an_outcome_that_nobody_knows_is_refused_with_its_line() -> None:
    data = f"{LIST}p1;Терапия;02.03.2026 08:10;улетел\n".encode()
    with pytest.raises(IntakeError, match=r"line 2.*outcome.*улетел"):
        read_discharges("d.csv", data, SOURCE, zone=MSK, now=NOW)


def test_a_list_of_deaths_takes_the_doses(world: World) -> None:
    world.sheet(LINE)
    data = f"{LIST}p1;Cardiology;02.03.2026 06:00;умерла\n".encode()
    answer = world.do(lambda unit: IntakeDesk(world.house).discharges(unit, "hospital", "d.csv", data), SYSTEM)
    assert answer["changes"] == 1 and world.dose("a").state is DoseState.CANCELLED and len(world.facts("patient-died")) == 1


def test_a_list_of_allergies_keeps_how_grave_they_are() -> None:
    data = "код пациента;аллергия;реакция;тяжесть\np1;пенициллин;отёк Квинке;\np2;йод;сыпь;лёгкая\np3;аспирин;;severe\n".encode()
    listed = read_allergies("a.csv", data)
    assert [is_high_criticality(texts[0]) for texts in listed.values()] == [True, False, True]


# ---- out of order ----


def stopped(world: World, at: datetime, line: OrderLine = LINE) -> None:
    told(world, SheetChange(at, line=replace(line, status=OrderStatus.STOPPED)))


def test_an_older_edit_that_comes_after_a_stop_does_not_bring_the_order_back(world: World) -> None:
    world.sheet(LINE)
    world.now = world.now.replace(minute=10)
    stopped(world, world.now)
    told(world, SheetChange(world.now - timedelta(minutes=5), line=order_line("a", units=2)))
    assert world.get("orders", "a").state is LineState.STOPPED and open_doses(world) == []
    (fact,) = world.facts("order-unchanged")
    assert "overtaken_by" in fact and fact["position"] == "1"


def test_an_older_stop_that_comes_after_an_edit_is_asked_about(world: World) -> None:
    world.sheet(LINE)
    world.now = world.now.replace(minute=10)
    told(world, SheetChange(world.now, line=order_line("a", units=2)))
    stopped(world, world.now - timedelta(minutes=5))
    (review,) = world.all("reviews")
    assert (review.kind, review.subject) == ("end-overtaken", "a")
    assert [dose.units for dose in open_doses(world)] == [2]


def test_an_older_move_does_not_take_the_patient_back(world: World) -> None:
    world.sheet(LINE)
    world.now = world.now.replace(minute=10)
    told(world, SheetChange(world.now, stay=stay_of(world, department="Surgery", room="5")))
    told(world, SheetChange(world.now - timedelta(minutes=5), stay=stay_of(world, department="Therapy", room="9")))
    assert world.get("stays", "p1").department == "Surgery" and len(world.facts("change-overtaken")) == 1
    told(world, SheetChange(world.now - timedelta(minutes=2), stay=stay_of(world, finished_at=world.now - timedelta(minutes=2))))
    assert [review.kind for review in world.all("reviews")] == ["discharge-overtaken"]


def test_what_was_announced_for_later_does_not_overtake_what_happens_before_it(world: World) -> None:
    world.sheet(TWICE)
    told(world, SheetChange(world.now.replace(hour=19), line=replace(TWICE, status=OrderStatus.STOPPED)))
    world.now = world.now.replace(hour=7)
    told(world, SheetChange(world.now, line=order_line("a", code="BID", units=2)))
    assert {dose.units for dose in open_doses(world)} == {2}


def test_an_announced_stop_outlives_a_stay_in_another_ward(world: World) -> None:
    world.sheet(TWICE)
    told(world, SheetChange(world.now.replace(hour=19), line=replace(TWICE, status=OrderStatus.STOPPED)))
    world.move(1, "Intensive care unit")
    world.move(1, "Therapy")
    assert world.get("orders", "a").stopped_at is not None
    assert [dose.due.astimezone(MSK).hour for dose in open_doses(world)] == [8]
