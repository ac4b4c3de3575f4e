"""At the bedside: given with patient, pack and nurse identified, and refused in every other case by its code."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.domain.doses import DoseState
from hub.domain.identifiers import DoseId, PatientId
from hub.domain.orders import OrderStatus
from hub.domain.packs import PackState
from hub.services.administer import BedsideScan, give, give_from_ward, not_given
from tests.services.small_world import NURSE, World, long_standing, order_line

LINE = order_line("a")


def given(world: World, patient: str = "W-1", serial: str | None = None) -> Any:
    scan = BedsideScan(patient, world.pack_of("a").serial if serial is None else serial)
    return world.do(lambda unit: give(unit, scan, world.house), NURSE)


def test_a_pack_is_given_and_everything_ends(world: World) -> None:
    pack = world.brought(LINE)
    world.at("08:00")
    assert [dose.state for dose in given(world)] == [DoseState.GIVEN]
    assert world.held("patient:p1", "PLAIN/P1") == 1 and world.held(f"pack:{pack.serial}", "PLAIN/P1") == 0
    fact = world.ledger("dose-given")[0]
    assert (fact["actor"], fact["data"]["patient"], fact["data"]["pack"], fact["data"]["units"]) == (NURSE, "p1", pack.serial, "1")
    assert given(world).code == "already-given"


def _expired(world: World) -> None:
    world.do(lambda unit: unit.packs.put(replace(world_pack(unit), expires_on=world.now.date() - timedelta(days=1))))


def _recalled(world: World) -> None:
    world.do(lambda unit: unit.lots.put(replace(unit.lots.get("PLAIN/P1"), recalled=True)))


def world_pack(unit: Any) -> Any:
    return unit.packs.where(patient="p1")[0]


@pytest.mark.parametrize(
    ("code", "meddle"),
    [
        ("stopped", lambda world: world.do(lambda unit: unit.orders.put(replace(unit.orders.get("a"), stopped_at=world.now)))),
        ("on-hold", lambda world: world.change(line=replace(LINE, status=OrderStatus.ON_HOLD))),
        ("revoked", lambda world: world.stop(LINE)),
        ("revoked", lambda world: world.discharge(1)),
        ("expired", _expired),
        ("recalled", _recalled),
        ("too-early", lambda world: world.at("05:59")),
        ("too-late", lambda world: world.at("10:01")),
    ],
)
def test_what_may_not_be_given_is_refused(world: World, code: str, meddle: Callable[[World], object]) -> None:
    world.brought(LINE)
    world.at("08:00")
    meddle(world)
    before = len(world.facts("dose-given", "stock-moved"))
    assert given(world).code == code
    assert len(world.facts("dose-given", "stock-moved")) == before


def test_wrong_scans_are_refused(world: World) -> None:
    world.brought(LINE)
    world.at("08:00")
    assert given(world, "W-99").code == "unknown-patient"
    assert given(world, "W-2").code == "wrong-patient"
    assert given(world, serial="NOBODY").code == "unknown-pack"


def test_a_wristband_code_that_two_patients_carry_identifies_neither(world: World) -> None:
    world.brought(LINE)
    world.at("08:00")
    world.do(lambda unit: unit.patients.put(replace(unit.patients.where(code="W-1")[0], id=PatientId("p9"))))
    refusal = given(world)
    assert refusal.code == "unknown-patient" and "2 patients" in refusal.text and not world.ledger("dose-given")


def test_a_pack_that_was_not_received_is_refused(world: World) -> None:
    world.sheet(LINE)
    world.at("06:15")
    world.machine.run_all()
    world.at("08:00")
    assert given(world).code == "not-received"


def test_a_patient_who_left_gets_nothing(world: World) -> None:
    world.brought(LINE)
    world.at("08:00")
    stay = world.get("stays", "p1")
    world.do(lambda unit: unit.stays.put(replace(stay, finished_at=world.now)))
    assert given(world).code == "discharged"


def test_a_pack_for_another_ward_is_not_yours(world: World) -> None:
    world.brought(LINE)
    world.at("08:00")
    stay = world.get("stays", "p1")
    world.do(lambda unit: unit.stays.put(replace(stay, department="Surgery")))
    assert given(world).code == "not-yours"


def test_a_pack_that_another_one_replaces_is_refused_as_revoked(world: World) -> None:
    world.sheet(long_standing("a"), long_standing("b", drug="TWIN"))
    world.at("06:15")
    world.machine.run_all()
    shared = world.deliver("a")
    world.at("08:00")
    world.stop(long_standing("a"))
    world.stop(long_standing("b", drug="TWIN"))
    assert given(world, serial=shared.serial).code == "revoked"


def test_a_hold_keeps_the_pack_and_a_resumption_makes_it_good_again(world: World) -> None:
    world.brought(LINE)
    world.at("08:00")
    world.change(line=replace(LINE, status=OrderStatus.ON_HOLD))
    assert given(world).code == "on-hold" and world.get("orders", "a").version == 1
    world.change(line=LINE)
    assert [dose.state for dose in given(world)] == [DoseState.GIVEN]


def test_not_given_holds_the_pack_and_it_may_be_offered_again(world: World) -> None:
    pack = world.brought(LINE)
    world.at("08:00")
    scan = BedsideScan("W-1", pack.serial)
    assert world.do(lambda unit: not_given(unit, scan, "bored"), NURSE).code == "reason"
    assert world.do(lambda unit: not_given(unit, replace(scan, patient_code="W-2"), "asleep"), NURSE).code == "wrong-patient"
    assert [dose.state for dose in world.do(lambda unit: not_given(unit, scan, "asleep"), NURSE)] == [DoseState.NOT_GIVEN]
    assert world.get("packs", pack.serial).state is PackState.HELD
    assert world.do(lambda unit: not_given(unit, scan, "asleep"), NURSE).code == "not-received"
    assert [dose.state for dose in given(world)] == [DoseState.GIVEN]


@pytest.fixture
def injection(world: World) -> DoseId:
    world.sheet(order_line("i", drug="AMP", route="IM"), LINE)
    world.at("06:15")
    world.issue_all()
    world.at("08:00")
    return world.dose("i").id


def from_ward(world: World, dose: str, patient: str = "W-1", source: str = "AMP-F1") -> Any:
    scan = BedsideScan(patient, dose=DoseId(dose), source_code=source)
    return world.do(lambda unit: give_from_ward(unit, scan, world.house), NURSE)


def test_an_injection_is_given_from_the_ward_s_stock(world: World, injection: DoseId) -> None:
    assert from_ward(world, injection, "W-99").code == "unknown-patient"
    assert from_ward(world, injection, "W-2").code == "wrong-patient"
    assert from_ward(world, injection, source="PLAIN-P1").code == "unknown-pack"
    assert from_ward(world, "nobody").code == "unknown-pack"
    assert from_ward(world, world.dose("a").id, source="PLAIN-P1").code == "not-yours"
    assert from_ward(world, injection)[0].state is DoseState.GIVEN
    assert world.held("ward:Cardiology", "AMP/F1") == 0 and world.held("patient:p1", "AMP/F1") == 1
    assert from_ward(world, injection).code == "already-given"


def test_an_injection_without_stock_is_refused(world: World) -> None:
    world.sheet(order_line("i", drug="AMP", route="IM"))
    world.at("06:15")
    world.at("08:00")
    assert from_ward(world, world.dose("i").id).code == "no-stock"


def test_an_injection_not_given_stays_in_the_ward(world: World, injection: DoseId) -> None:
    def tell(patient: str, dose: str) -> Any:
        return world.do(lambda unit: not_given(unit, BedsideScan(patient, dose=DoseId(dose)), "refused"), NURSE)

    assert tell("W-99", injection).code == "unknown-patient" and tell("W-2", injection).code == "wrong-patient"
    assert tell("W-1", world.dose("a").id).code == "not-yours" and tell("W-1", "nobody").code == "unknown-pack"
    assert tell("W-1", injection)[0].state is DoseState.RETURNED
    assert world.held("ward:Cardiology", "AMP/F1") == 1 and tell("W-1", injection).code == "already-given"
