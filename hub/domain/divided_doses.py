"""A day's dose that two orders divide between them: one names the morning, the other the evening. That is no duplicate."""

from hub.domain.courses import DayTimes, Schedule
from hub.domain.frequencies import ScheduleKind


def is_divided(one: Schedule, other: Schedule) -> bool:
    """Tell whether two regular schedules name only events of the day, and never the same one or the same clock time.

    Codes that say how often a day (once, twice) name no event: who writes two of them for one substance may not know of the first.
    """
    if one.kind is not ScheduleKind.REGULAR or other.kind is not ScheduleKind.REGULAR:
        return False
    first, second = _named(one), _named(other)
    return first is not None and second is not None and not first & second


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
