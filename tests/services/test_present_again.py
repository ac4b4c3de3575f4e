"""A sheet that shows somebody who has left: the doses come back and the ward is asked; a death and an announced discharge stand."""

from datetime import datetime, timedelta

from hub.domain.doses import DoseState
from hub.domain.orders import LineState, Outcome, SheetChange, Stay
from tests.services.small_world import MSK, World, order_line
from tests.services.test_discharges import open_doses, stay_of, told

TWICE = order_line("a", code="BID")


def leaves(world: World, at: datetime, *, died: bool = False) -> None:
    told(world, SheetChange(at, stay=stay_of(world, finished_at=at, died=died)))


def kinds(world: World) -> list[str]:
    return [review.kind for review in world.all("reviews")]


def test_the_day_s_doses_come_back_and_the_ward_is_asked_once(world: World) -> None:
    world.sheet(TWICE)
    leaves(world, world.now)
    assert open_doses(world) == []
    world.now += timedelta(minutes=20)
    world.sheet(TWICE)
    assert [(dose.version, dose.due.astimezone(MSK).hour, dose.state) for dose in open_doses(world)] == [
        (2, 8, DoseState.PLANNED), (2, 20, DoseState.PLANNED),
    ]  # fmt: skip
    assert kinds(world) == ["present-again"] and len(world.facts("discharge-cancelled")) == 1
    assert "06:00 on 02.03.2026" in world.all("reviews")[0].reasons[0]
    world.sheet(TWICE)
    assert kinds(world) == ["present-again"] and world.get("orders", "a").version == 2


def test_what_was_rejected_for_the_discharge_alone_comes_back_too(world: World) -> None:
    world.sheet(TWICE)
    leaves(world, world.now)
    world.sheet(order_line("b", drug="ALERT"), stays=[stay_of(world)])
    assert world.get("orders", "b").outcome is Outcome.REJECTED
    world.sheet(order_line("b", drug="ALERT"))
    assert world.get("orders", "b").state is LineState.ACTIVE


def test_orders_that_were_stopped_or_are_not_listed_stay_so(world: World) -> None:
    other = order_line("b", drug="ALERT")
    world.sheet(TWICE, other)
    world.stop(TWICE)
    leaves(world, world.now)
    world.sheet(TWICE)
    assert world.get("orders", "a").state is LineState.STOPPED and open_doses(world) == []
    assert [dose.state for dose in world.all("doses", order="b")] == [DoseState.CANCELLED]


def test_a_death_is_not_taken_back_by_a_sheet(world: World) -> None:
    world.sheet(TWICE)
    leaves(world, world.now, died=True)
    world.sheet(TWICE)
    assert world.get("stays", "p1").died and open_doses(world) == [] and kinds(world) == ["present-after-death"]
    assert world.get("orders", "a").outcome is Outcome.REJECTED


def test_an_announced_discharge_outlives_a_sheet_that_is_silent_about_it(world: World) -> None:
    world.sheet(TWICE)
    at = world.now.replace(hour=18)
    leaves(world, at)
    world.sheet(TWICE)
    assert world.get("stays", "p1").finished_at == at and kinds(world) == []
    assert [dose.due.astimezone(MSK).hour for dose in open_doses(world)] == [8]


def test_a_new_admission_does_not_wake_the_orders_of_an_earlier_one(world: World) -> None:
    world.sheet(TWICE)
    leaves(world, world.now)
    world.now += timedelta(minutes=20)
    told(world, SheetChange(world.now, stay=Stay(stay_of(world).patient, "e-new", "Therapy", "9", "1")))
    assert world.get("stays", "p1").encounter == "e-new" and open_doses(world) == []
