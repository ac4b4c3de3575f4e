"""What is announced for later stays announced, and blocks no news of what happens before it."""

from dataclasses import replace
from datetime import datetime, timedelta

from hub.domain.doses import DoseState
from hub.domain.orders import OrderStatus, SheetChange, Stay
from hub.services.views import bench_board
from tests.services.small_world import MSK, World, order_line
from tests.services.test_discharges import open_doses, told

TWICE = order_line("a", code="BID")


def stop_at(world: World, hour: int) -> datetime:
    ends = world.now.replace(hour=hour)
    told(world, SheetChange(ends, line=replace(TWICE, status=OrderStatus.STOPPED)))
    return ends


def test_news_that_happened_before_the_announcement_counts_though_it_comes_after_it(world: World) -> None:
    world.sheet(TWICE)
    world.now = world.now.replace(minute=30)
    ends = stop_at(world, 19)
    told(world, SheetChange(world.now - timedelta(minutes=20), line=order_line("a", code="BID", units=2)))
    assert [(dose.units, dose.due.astimezone(MSK).hour) for dose in open_doses(world)] == [(2, 8)]
    assert world.get("orders", "a").stopped_at == ends


def test_an_edit_keeps_the_announced_end_and_asks_whether_it_holds(world: World) -> None:
    world.sheet(TWICE)
    ends = stop_at(world, 19)
    world.now = world.now.replace(hour=7)
    told(world, SheetChange(world.now, line=order_line("a", code="BID", units=2)))
    assert world.get("orders", "a").stopped_at == ends
    assert [dose.due.astimezone(MSK).hour for dose in open_doses(world)] == [8]
    (review,) = world.all("reviews")
    assert (review.kind, review.subject) == ("end-announced", "a") and "19:00 on 02.03.2026" in review.reasons[0]
    (shown,) = world.do(bench_board)["reviews"]
    assert "окончание объявлено на 02.03.2026 19:00" in shown["reasons_ru"][0] and shown["reasons_ru"][1].startswith("Спросите врача")


def test_a_sheet_that_edits_a_line_keeps_its_announced_end(world: World) -> None:
    world.sheet(TWICE)
    ends = stop_at(world, 19)
    world.sheet(order_line("a", code="BID", units=2))
    assert world.get("orders", "a").stopped_at == ends
    assert [(dose.units, dose.due.astimezone(MSK).hour) for dose in open_doses(world)] == [(2, 8)]


def test_an_edit_after_the_end_has_come_has_no_end_of_its_own(world: World) -> None:
    world.sheet(TWICE)
    stop_at(world, 7)
    world.now = world.now.replace(hour=9)
    told(world, SheetChange(world.now, line=order_line("a", code="BID", units=2)))
    assert world.get("orders", "a").stopped_at is None and world.all("reviews") == []


def test_a_move_that_happened_before_a_discharge_was_announced_moves_the_patient_who_still_leaves(world: World) -> None:
    world.sheet(TWICE)
    world.now = world.now.replace(minute=30)
    before = world.get("stays", "p1")
    leaves = world.now.replace(hour=18)
    told(world, SheetChange(leaves, stay=replace(before, finished_at=leaves)))
    moved = Stay(before.patient, before.encounter, "Surgery", "5", "1")
    told(world, SheetChange(world.now - timedelta(minutes=20), stay=moved))
    assert world.get("stays", "p1") == replace(moved, finished_at=leaves)
    assert {dose.department for dose in open_doses(world)} == {"Surgery"} and len(open_doses(world)) == 1


def test_news_that_is_newer_than_the_announcement_takes_the_discharge_back(world: World) -> None:
    world.sheet(TWICE)
    before = world.get("stays", "p1")
    leaves = world.now.replace(hour=18)
    told(world, SheetChange(leaves, stay=replace(before, finished_at=leaves)))
    world.now = world.now.replace(minute=30)
    told(world, SheetChange(world.now, stay=before))
    assert world.get("stays", "p1").finished_at is None
    assert [dose.state for dose in world.all("doses", order="a", version=2)] == [DoseState.PLANNED] * 2


def test_an_edit_of_later_leaves_what_is_due_before_it_and_is_asked_about(world: World) -> None:
    world.sheet(TWICE)
    changes = world.now.replace(hour=14)
    told(world, SheetChange(changes, line=order_line("a", code="BID", units=2)))
    assert [(dose.units, dose.due.astimezone(MSK).hour) for dose in open_doses(world)] == [(1, 8)]
    assert (world.get("orders", "a").line.dose, world.get("orders", "a").stopped_at) == (TWICE.dose, changes)
    (review,) = world.all("reviews", kind="change-announced")
    assert "changed from 14:00 on 02.03.2026" in review.reasons[0] and "2 tablet" in review.reasons[1] and "изменено с 14:00" in review.reasons_ru[0]


def test_an_edit_whose_start_is_tomorrow_is_no_edit_of_today(world: World) -> None:
    world.sheet(TWICE)
    told(world, SheetChange(world.now, line=order_line("a", code="BID", units=2, starts_at=world.now.replace(day=3, hour=8))))
    assert [(dose.units, dose.due.astimezone(MSK).hour) for dose in open_doses(world)] == [(1, 8), (1, 20)]
    assert len(world.all("reviews", kind="change-announced")) == 1


def test_a_clock_that_is_a_little_ahead_announces_nothing(world: World) -> None:
    world.sheet(TWICE)
    told(world, SheetChange(world.now + timedelta(minutes=2), line=order_line("a", code="BID", units=2)))
    assert [(dose.units, dose.due.astimezone(MSK).hour) for dose in open_doses(world)] == [(2, 8), (2, 20)]
    assert world.all("reviews") == []


def test_an_edit_whose_start_comes_before_any_dose_counts_at_once(world: World) -> None:
    world.sheet(TWICE)
    told(world, SheetChange(world.now, line=order_line("a", code="BID", units=2, starts_at=world.now.replace(hour=7))))
    assert [(dose.units, dose.due.astimezone(MSK).hour) for dose in open_doses(world)] == [(2, 8), (2, 20)]
    assert world.all("reviews") == []
