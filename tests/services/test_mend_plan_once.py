"""An order to be given once has one dose over all sheets, days count from the first sheet, and an edit never doubles a day."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.domain.doses import DoseState, PlannedDose
from hub.domain.orders import Outcome
from hub.services.administer import BedsideScan, give
from tests.services.small_world import NURSE, SIX, World, order_line, with_dosage


def unstarted(order: str, **changes: Any) -> Any:
    return order_line(order, authored_at=None, **changes)


def doses(world: World, order: str = "a") -> list[tuple[str, str]]:
    """Return (clock time of the hospital, state) of an order's doses by time."""
    found: list[PlannedDose] = sorted(world.all("doses", order=order), key=lambda dose: (dose.due, dose.version))
    return [(dose.due.astimezone(SIX.tzinfo).strftime("%d %H:%M"), dose.state.value) for dose in found]


def given_at_eight(world: World, **changes: Any) -> Any:
    line = order_line("a", **changes)
    world.brought(line)
    world.at("08:00")
    scan = BedsideScan("W-1", world.pack_of("a").serial)
    assert [dose.state for dose in world.do(lambda unit: give(unit, scan, world.house), NURSE)] == [DoseState.GIVEN]
    return line


def test_once_without_a_start_is_planned_at_once_and_never_again(world: World) -> None:
    world.sheet(unstarted("a", code="ONCE"))
    assert doses(world) == [("02 07:00", "planned")]
    world.at("11:00")
    assert world.sheet(unstarted("a", code="ONCE")).planned == 0
    world.at("06:00", days=1)
    assert world.sheet(unstarted("a", code="ONCE")).planned == 0
    assert len(doses(world)) == 1


def test_once_that_is_written_anew_before_it_was_given_is_planned_anew(world: World) -> None:
    world.sheet(unstarted("a", code="ONCE"))
    world.at("06:05")
    assert world.sheet(unstarted("a", code="ONCE", units=2)).planned == 1
    assert [state for _, state in doses(world)] == ["cancelled", "planned"]


def test_once_that_was_given_is_not_planned_by_an_edit(world: World) -> None:
    line = given_at_eight(world, code="ONCE", starts_at=SIX.replace(hour=8))
    world.at("09:00")
    world.sheet(replace(line, starts_at=None, authored_at=None, note="another word"))
    assert doses(world) == [("02 08:00", "given")]
    (fact,) = world.facts("dose-not-planned")
    assert (fact["order"], fact["version"]) == ("a", 2)
    assert fact["reason"] == "to be given once, and the dose of 08:00 on 02.03.2026 was given"


@pytest.mark.parametrize(
    ("clock", "days", "due"), [("06:00", 0, ["02 08:00"]), ("09:10", 0, ["02 09:30"]), ("06:00", 1, [])]
)
def test_once_with_a_date_alone_is_due_in_the_first_slot_or_at_the_next_half_hour(
    world: World, clock: str, days: int, due: list[str]
) -> None:
    world.at(clock, days)
    world.sheet(order_line("a", code="ONCE", starts_at=SIX.replace(hour=0), starts_on_day=True))
    assert [when for when, _ in doses(world)] == due
    assert world.get("orders", "a").outcome is Outcome.ONCE


def test_once_of_an_earlier_time_says_plainly_that_it_is_over(world: World) -> None:
    world.sheet(order_line("a", code="ONCE", starts_at=SIX - timedelta(hours=7)))
    order = world.get("orders", "a")
    assert (order.outcome, doses(world)) == (Outcome.ONCE, [])
    assert "was due at 23:00 on 01.03.2026" in order.reasons[0].text and "not planned again" in order.reasons[0].text


def test_every_other_day_without_a_start_counts_from_the_first_sheet(world: World) -> None:
    for day in range(4):
        world.at("06:00", days=day)
        world.sheet(unstarted("a", code="EVERY OTHER DAY"))
    assert [when for when, _ in doses(world)] == ["02 08:00", "04 08:00"]
    assert world.get("orders", "a").first_seen_at == SIX


def test_a_daily_dose_that_was_given_is_not_given_again_in_the_evening(world: World) -> None:
    line = given_at_eight(world)
    world.at("08:20")
    world.change(line=with_dosage(line, timing=replace(line.timing, code="QPM")))
    assert doses(world) == [("02 08:00", "given")]
    (fact,) = world.facts("dose-not-planned")
    assert (fact["order"], fact["version"], fact["due"][:10]) == ("a", 2, "2026-03-02")
    assert fact["reason"] == "too soon after the dose of 08:00 on 02.03.2026 that was given: not before 06:00 on 03.03.2026"
    world.at("06:00", days=1)
    world.sheet(with_dosage(line, timing=replace(line.timing, code="QPM")))
    assert doses(world) == [("02 08:00", "given"), ("03 20:00", "planned")]


@pytest.mark.parametrize(
    ("before", "after", "due"),
    [
        ("DAILY", "BID", ["02 20:00"]),
        ("DAILY", "Q6H", ["02 18:00", "03 00:00", "03 06:00"]),
        ("BID", "QPM", ["02 20:00"]),
        ("BID", "DAILY12", []),
        ("DAILY", "DAILY", []),
    ],
)
def test_an_edit_goes_on_after_the_shorter_of_both_intervals(world: World, before: str, after: str, due: list[str]) -> None:
    line = given_at_eight(world, code=before)
    world.at("08:20")
    world.change(line=with_dosage(line, timing=replace(line.timing, code=after), note="edited"))
    assert [when for when, state in doses(world) if state == "planned"] == due


def test_an_edit_of_an_order_that_was_not_given_yet_goes_on_at_its_next_time(world: World) -> None:
    line = order_line("a")
    world.brought(line)
    world.at("07:50")
    world.change(line=with_dosage(line, timing=replace(line.timing, code="DAILY12")))
    assert doses(world)[-1] == ("02 12:00", "planned")
    assert world.facts("dose-not-planned") == []
