"""One day's dose that two orders divide between events of the day is no duplicate; two that say only how often are."""

from datetime import UTC, datetime, time

import pytest

from hub.domain.divided_doses import are_gives_of_one, is_divided
from hub.domain.frequencies import FrequencyRule, FrequencyTable, ScheduleKind
from hub.domain.identifiers import OrderId
from hub.domain.schedule import Schedule, schedule_for
from hub.domain.timing import Dosage, Timing

TABLE = FrequencyTable(
    [
        FrequencyRule("QAM", "", ScheduleKind.REGULAR, (time(8),), called=("MORN",)),
        FrequencyRule("QPM", "", ScheduleKind.REGULAR, (time(20),), called=("EVE",)),
        FrequencyRule("SUPPER", "", ScheduleKind.REGULAR, (time(20),), called=("CV",)),
        FrequencyRule("DAILY", "", ScheduleKind.REGULAR, (time(8),)), FrequencyRule("NOW", "", ScheduleKind.ONCE),
    ]
)  # fmt: skip


def schedule(code: str) -> Schedule:
    found = schedule_for((Dosage(timing=Timing(code=code)),), TABLE, "")
    assert isinstance(found, Schedule)
    return found


@pytest.mark.parametrize(
    ("one", "other", "divided"),
    [
        ("QAM", "QPM", True), ("QAM", "QAM", False), ("QPM", "SUPPER", False), ("QAM", "DAILY", False), ("DAILY", "QPM", False),
        ("DAILY", "DAILY", False), ("QAM", "NOW", False),
    ],
)  # fmt: skip
def test_only_different_events_of_the_day_divide_a_dose(one: str, other: str, divided: bool) -> None:
    assert is_divided(schedule(one), schedule(other)) is divided
    assert is_divided(schedule(other), schedule(one)) is divided


def at(*hours: int) -> Schedule:
    moments = tuple(datetime(2026, 3, 5, hour, tzinfo=UTC) for hour in hours)
    found = schedule_for((Dosage(timing=Timing(events=moments)),), TABLE, "")
    assert isinstance(found, Schedule)
    return found


@pytest.mark.parametrize(
    ("one", "other", "first", "second", "divided"),
    [
        ("a/give/1", "a/give/2", at(8), at(14), True), ("a/give/1", "a/give/2", at(8), at(8, 14), False), ("a/give/1", "b/give/2", at(8), at(14), False),
        ("a", "b", at(8), at(14), False), ("a/give/1", "a/give/2", at(8), schedule("QPM"), False), ("a/give/1", "a/give/2", schedule("NOW"), schedule("NOW"), False),
    ],
)  # fmt: skip
def test_single_gives_of_one_order_at_moments_of_their_own_divide_it(one: str, other: str, first: Schedule, second: Schedule, divided: bool) -> None:
    assert are_gives_of_one(OrderId(one), OrderId(other), first, second) is divided
    assert are_gives_of_one(OrderId(other), OrderId(one), second, first) is divided
