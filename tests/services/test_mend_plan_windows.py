"""A dose that is made at once because its slot's cut has passed is not given before its time."""

from typing import Any

from hub.domain.doses import DoseState
from hub.services.administer import BedsideScan, give
from tests.services.small_world import NURSE, World, order_line


def given(world: World, order: str) -> Any:
    scan = BedsideScan("W-1", world.pack_of(order).serial)
    return world.do(lambda unit: give(unit, scan, world.house), NURSE)


def made_after_the_cut(world: World, **changes: Any) -> None:
    """Take an order for ten in the evening that came half an hour after the night's cut to its ward."""
    world.at("19:30")
    world.sheet(order_line("a", code="QHS", **changes))
    world.at("19:31")
    world.machine.run_all()
    world.deliver("a")


def test_a_late_order_s_dose_goes_by_hand_and_is_given_in_its_window_only(world: World) -> None:
    made_after_the_cut(world)
    assert world.dose("a").stat and world.pack_of("a").stat
    world.at("19:45")
    refused = given(world, "a")
    assert refused.code == "too-early" and "not before 20:00" in refused.text
    world.at("20:00")
    assert [dose.state for dose in given(world, "a")] == [DoseState.GIVEN]


def test_a_stat_order_is_given_as_soon_as_it_is_there(world: World) -> None:
    made_after_the_cut(world, stat=True)
    world.at("19:45")
    assert [dose.state for dose in given(world, "a")] == [DoseState.GIVEN]


def test_a_dose_that_is_made_anew_keeps_its_time(world: World) -> None:
    world.sheet(order_line("a", code="QHS"))
    world.at("19:00")
    world.machine.run_all()
    world.move(1, "Therapy")
    world.at("19:10")
    world.machine.run_all()
    assert world.hand(world.pack_of("a")) == 1
    world.at("19:30")
    assert given(world, "a").code == "too-early"
    world.at("21:00")
    assert [dose.state for dose in given(world, "a")] == [DoseState.GIVEN]
