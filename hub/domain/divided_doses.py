"""A dose that two orders divide between them: one names the morning, the other the evening, or both are single gives of one order. That is no duplicate."""

from datetime import UTC, datetime

from hub.domain.courses import DayTimes, Moments, Schedule
from hub.domain.frequencies import ScheduleKind
from hub.domain.identifiers import OrderId

GIVE = "/give/"
"""What stands in the id of a single give (RGV) between the order's id and its own number."""


def is_divided(one: Schedule, other: Schedule) -> bool:
    """Tell whether two regular schedules name only events of the same days, and never the same one or the same clock time.

    Codes that say how often a day (once, twice) name no event: who writes two of them for one substance may not know of the first.
    """
    if one.kind is not ScheduleKind.REGULAR or other.kind is not ScheduleKind.REGULAR:
        return False
    first, second = _named(one), _named(other)
    return first is not None and second is not None and not first & second and _days(one) == _days(other)


def _days(schedule: Schedule) -> frozenset[object]:
    """Return by what the days of a schedule are counted: Monday's morning and Thursday's evening are of no one day."""
    patterns = [pattern for course in schedule.courses for _, pattern in course.editions]
    return frozenset((each.weekdays, each.every_days, each.every_weeks, each.every_months) for each in patterns if isinstance(each, DayTimes))


def are_gives_of_one(one: OrderId, other: OrderId, first: Schedule, second: Schedule) -> bool:
    """Tell whether two orders are single gives of one order, each at exact moments of its own."""
    parent, given, _ = one.rpartition(GIVE)
    if not given or other.rpartition(GIVE)[0] != parent:
        return False
    mine, theirs = _moments(first), _moments(second)
    return bool(mine) and bool(theirs) and not mine & theirs


def _moments(schedule: Schedule) -> frozenset[datetime]:
    """Return the exact moments of a schedule that has nothing else, in UTC."""
    patterns = [pattern for course in schedule.courses for _, pattern in course.editions]
    exact = [pattern for pattern in patterns if isinstance(pattern, Moments)]
    return frozenset(moment.astimezone(UTC) for pattern in exact for moment in pattern.moments) if len(exact) == len(patterns) else frozenset()


def _named(schedule: Schedule) -> frozenset[object] | None:
    """Return the events and clock times of a schedule, or None where not every time has an event."""
    named: set[object] = set()
    for course in schedule.courses:
        for _, pattern in course.editions:
            if not isinstance(pattern, DayTimes) or len(pattern.called) != len(pattern.times):
                return None
            named.update(pattern.called)
            named.update(clock for clock, _ in pattern.times)
    return frozenset(named) or None
