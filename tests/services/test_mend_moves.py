"""A patient moves while the dose is in the pharmacy: no pack leaves it with the old ward on its label."""

import pytest

from hub.domain.doses import DoseState
from hub.domain.packs import PackState, Verdict
from tests.services.small_world import World, long_standing
from tests.services.test_late_changes import brought_to, finished

PHARMACY = ("sent", "at-camera", "verified", "quarantined", "released")


@pytest.mark.parametrize("place", PHARMACY)
def test_a_pack_in_the_pharmacy_is_made_anew_with_the_new_ward_on_its_label(world: World, place: str) -> None:
    brought_to(world, place)
    old = world.pack_of("a")
    world.move(1, "Surgery", "5")
    world.labels()
    finished(world)
    new = world.pack_of("a")
    assert new.serial != old.serial and new.replaces == old.serial and new.state is PackState.RELEASED
    assert (new.department, new.room, new.trolley, new.stat) == ("Surgery", "5", None, True)
    assert world.get("packs", old.serial).department == "Cardiology", "the old label says so"
    assert world.get("packs", old.serial).state in (PackState.DESTROYED, PackState.RESTOCKED)
    assert world.dose("a").state is DoseState.PACKED and world.get("cassettes", 1).reserved == 0


@pytest.mark.parametrize("place", ["sent", "at-camera"])
def test_a_pouch_in_the_machine_fails_at_the_camera_when_its_patient_moved(world: World, place: str) -> None:
    brought_to(world, place)
    job, old = world.job_of("a"), world.pack_of("a")
    world.move(1, "Surgery")
    assert world.pack_of("a").serial == old.serial and world.dose("a").state is DoseState.FROZEN, "no second live pack"
    if place == "sent":
        world.machine.make(job)
    assert world.machine.look(job) is Verdict.FAIL


def test_a_shared_pouch_is_made_anew_whole(world: World) -> None:
    world.sheet(long_standing("b", drug="TWIN"))
    brought_to(world, "released", long_standing("a"))
    old = world.pack_of("a")
    world.move(1, "Surgery")
    world.labels()
    finished(world)
    assert {world.dose(order).department for order in "ab"} == {"Surgery"}
    assert all(world.pack_of(order).state is PackState.RELEASED and world.pack_of(order).serial != old.serial for order in "ab")
