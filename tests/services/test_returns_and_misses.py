"""What was not given comes back: sealed packs into the store, others into the waste; and time misses what nobody gave."""

from typing import Any

import pytest

from hub.domain.doses import DoseState
from hub.domain.packs import JobState, PackState
from hub.services.administer import BedsideScan, not_given
from hub.services.return_packs import packs_to_return, return_pack
from hub.services.ward_round import round_of
from tests.services.small_world import NURSE, TECHNICIAN, World, order_line


def back(world: World, serial: str, sealed: bool = True) -> Any:
    return world.do(lambda unit: return_pack(unit, serial, sealed), TECHNICIAN)


def held_pack(world: World, **line: Any) -> Any:
    pack = world.brought(order_line("a", **line))
    world.at("08:00")
    world.do(lambda unit: not_given(unit, BedsideScan("W-1", pack.serial), "refused"), NURSE)
    return pack


def test_a_sealed_pack_is_kept_as_a_single_pack_and_its_dose_is_returned(world: World) -> None:
    pack = held_pack(world)
    assert [one.serial for one in world.do(packs_to_return)] == [pack.serial]
    assert back(world, pack.serial).state is PackState.RESTOCKED
    assert world.dose("a").state is DoseState.RETURNED and world.held("store", "PLAIN/P1") == 30
    assert world.held(f"returned:{pack.serial}", "PLAIN/P1") == 1
    assert back(world, pack.serial).code == "state" and back(world, "NOBODY").code == "unknown-pack"


def test_an_opened_pack_is_destroyed_and_its_dose_wasted(world: World) -> None:
    pack = held_pack(world)
    assert back(world, pack.serial, sealed=False).state is PackState.DESTROYED
    assert world.dose("a").state is DoseState.WASTED and world.held("waste", "PLAIN/P1") == 1


@pytest.mark.parametrize(("drug", "units"), [("COLD", 1), ("TOXIC", 1), ("PLAIN", "1/2")])
def test_cold_hazardous_and_split_items_are_never_restocked(world: World, drug: str, units: Any) -> None:
    pack = held_pack(world, drug=drug, units=units)
    assert back(world, pack.serial).state is PackState.DESTROYED


def test_a_pack_on_the_ward_is_not_returned_as_long_as_it_may_be_given(world: World) -> None:
    assert back(world, world.brought(order_line("a")).serial).code == "state"


def test_a_dose_that_nobody_gave_is_missed_after_four_hours_and_its_pack_comes_back(world: World) -> None:
    pack = world.brought(order_line("a"))
    world.at("12:00")
    assert world.get("packs", pack.serial).state is PackState.RECEIVED
    world.at("12:01")
    assert world.get("packs", pack.serial).state is PackState.HELD and world.dose("a").state is DoseState.NOT_GIVEN
    back(world, pack.serial)
    assert world.dose("a").state is DoseState.RETURNED


def test_a_late_pack_in_the_pharmacy_is_revoked_and_comes_back(world: World) -> None:
    world.sheet(order_line("a"))
    world.at("06:15")
    world.machine.run_all()
    pack = world.pack_of("a")
    world.load(pack)
    world.at("12:01")
    assert world.get("packs", pack.serial).state is PackState.REVOKED
    assert back(world, pack.serial).state is PackState.RESTOCKED and world.dose("a").state is DoseState.RETURNED


def test_what_nobody_made_in_time_is_called_off(world: World) -> None:
    world.sheet(order_line("a"), order_line("x", drug="TOXIC"), order_line("i", drug="AMP", route="IM"))
    world.at("06:15")
    world.at("12:01")
    assert {world.dose(order).state for order in ("a", "x", "i")} == {DoseState.MISSED}
    assert world.job_of("a").state is JobState.ABORTED and world.get("cassettes", 1).reserved == 0
    assert {pack.state for pack in world.all("packs")} == {PackState.NEVER_MADE}
    assert world.all("requisitions", issued=False) == [] and not world.all("commands", done=False)
    assert {lot.promised for lot in world.all("lots")} == {0}


def test_a_pouch_that_the_machine_makes_too_late_fails(world: World) -> None:
    world.sheet(order_line("a"))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.at("12:01")
    assert world.dose("a").state is DoseState.MISSED and [one.kind for one in world.all("reviews")] == ["job-late"]
    world.machine.run(job)
    world.reject_all()
    assert world.get("packs", job.pack).state is PackState.DESTROYED and len(world.all("packs")) == 1


@pytest.mark.parametrize("looked", [False, True])
def test_a_pouch_at_the_camera_when_its_dose_is_missed_never_goes_out(world: World, looked: bool) -> None:
    world.sheet(order_line("a"))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.make(job)
    verdict = world.machine.look(job) if looked else None
    world.at("12:01")
    world.machine.finish(job, verdict or world.machine.look(job))
    assert world.dose("a").state is DoseState.MISSED and world.facts("pack-released") == []
    world.reject_all()
    for pack in world.do(packs_to_return):
        back(world, pack.serial)
    assert world.get("packs", job.pack).state in (PackState.DESTROYED, PackState.RESTOCKED)


def test_the_round_lists_what_is_open_with_where_it_is(world: World) -> None:
    world.sheet(order_line("a"), order_line("b", 2), order_line("late", code="QPM"))
    world.at("06:15")
    rows = world.do(lambda unit: round_of(unit, "Cardiology", world.now.replace(hour=9)))
    assert [(row["patient"], [item["state"] for item in row["items"]]) for row in rows] == [("p1", ["expected"]), ("p2", ["expected"])]
