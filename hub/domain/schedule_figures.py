"""Figures of a schedule: doses a day, the shortest time between two, days between dosing days, factors that may meet."""

from collections.abc import Iterable
from datetime import UTC, time, timedelta
from fractions import Fraction
from itertools import combinations, pairwise

from hub.domain.courses import DAY, ONE, Course, DayTimes, Interval, Moments, Pattern, Schedule, steps_of
from hub.domain.frequencies import ScheduleKind
from hub.domain.schedule_rules import FirstDose

MONTH_DAYS = Fraction(3652425, 120000)
"""Days of a month on average of 400 years of the Gregorian calendar."""
_WEEK = range(7)


def doses_a_day(schedule: Schedule) -> Fraction:
    """Return the sum of the factors on the fullest calendar day, in doses of the first dosage.

    As-needed courses count with what is permitted at most (an interval, n times a day), with nothing where nothing is written.
    The day on which one step follows another may be the fullest, and so may the first one, where the house begins at once.
    """
    steps = steps_of(schedule)
    found = [max(_on_weekday(step, day) for day in _WEEK) for step in steps]
    found += [_on_change(before, after) for before, after in pairwise(steps)]
    return max(found, default=Fraction(0)) + (_at_start(schedule) if steps else Fraction(0))


def _on_change(before: tuple[Course, ...], after: tuple[Course, ...]) -> Fraction:
    """Return the most on a day that begins with one step and ends with the next, wherever in the day that changes."""
    edges = {time(0), *(clock for course in (*before, *after) for clock in _clocks(course))}
    return max(sum((_part(course, time(0), edge) for course in before), Fraction(0)) + sum((_part(course, edge, None) for course in after), Fraction(0)) for edge in edges)


def _part(course: Course, since: time, until: time | None) -> Fraction:
    """Return the most that a course gives in a part of a day; without clock times it may give all of its day there."""
    if not _clocks(course):
        return max(_most_on(course, day) for day in _WEEK)
    patterns = [pattern for _, pattern in course.editions if isinstance(pattern, DayTimes)]
    parts = [sum((part for clock, part in pattern.times if since <= clock and (until is None or clock < until)), Fraction(0)) for pattern in patterns]
    return course.factor * max(parts)


def _at_start(schedule: Schedule) -> Fraction:
    """Return what a dose at the order's start adds to the first day."""
    first = steps_of(schedule)[0]
    if schedule.rules.first_dose is not FirstDose.AT_START or len(first) > 1 or not _clocks(first[0]):
        return Fraction(0)
    return max(_own_factors(first[0]))


def _on_weekday(step: Iterable[Course], weekday: int) -> Fraction:
    return sum((_most_on(course, weekday) for course in step), Fraction(0))


def _most_on(course: Course, weekday: int) -> Fraction:
    if course.kind is ScheduleKind.ONCE:
        return course.factor
    most = max((_pattern_day(pattern, weekday) for _, pattern in course.editions), default=Fraction(0))
    return course.factor * (most if course.count is None else min(most, _counted_most(course)))


def _counted_most(course: Course) -> Fraction:
    factors = [factor for _, pattern in course.editions if isinstance(pattern, DayTimes) for _, factor in pattern.times]
    return max(factors, default=ONE) * (course.count or 0)


def _pattern_day(pattern: Pattern, weekday: int) -> Fraction:
    if isinstance(pattern, Interval):
        return Fraction(max(1, -(-DAY // pattern.step)))
    if isinstance(pattern, Moments):
        days = [moment.date() for moment in pattern.moments]
        return Fraction(max(days.count(day) for day in days))
    if pattern.weekdays and weekday not in pattern.weekdays:
        return Fraction(0)
    return sum((factor for _, factor in pattern.times), Fraction(0))


def least_interval(schedule: Schedule) -> timedelta | None:
    """Return the shortest time between two doses, or None where no second dose follows a first.

    The night's gap to the next day that counts is one. Of courses that go on together, times of different courses count as of
    one day, and the same time as of the nearest days that may differ: the answer is then never longer than the truth.
    """
    found = [gap for course in schedule.courses if (gap := least_interval_of(course)) is not None]
    for step in steps_of(schedule):
        for one, other in combinations(step, 2):
            found += [_around(first, second) or _days_apart(one, other) * DAY for first in _clocks(one) for second in _clocks(other)]
    return min(found, default=None)


def _days_apart(one: Course, other: Course) -> int:
    """Return the fewest days between a day of one course and another day of the other."""
    days, others = _weekdays(one), _weekdays(other)
    if not days or not others:
        return 1
    apart = {(day - another) % 7 for day in days for another in others} - {0}
    return min((min(each, 7 - each) for each in apart), default=7)


def _weekdays(course: Course) -> set[int]:
    """Return the weekdays that a course keeps to; none where it may come to any."""
    found = [set(pattern.weekdays) if isinstance(pattern, DayTimes) else set() for _, pattern in course.editions]
    return set().union(*found) if all(found) else set()


def _clocks(course: Course) -> set[time]:
    if course.kind is not ScheduleKind.REGULAR:
        return set()
    return {clock for _, pattern in course.editions if isinstance(pattern, DayTimes) for clock, _ in pattern.times}


def _around(first: time, second: time) -> timedelta:
    apart = abs(_since_midnight(first) - _since_midnight(second))
    return min(apart, DAY - apart)


def _since_midnight(clock: time) -> timedelta:
    return timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second)


def least_interval_of(course: Course) -> timedelta | None:
    """Return the shortest time between two doses of one course, or None where there are not two."""
    if course.count == 1 or course.kind is ScheduleKind.ONCE:
        return None
    gaps = [gap for _, pattern in course.editions if (gap := _gap(pattern)) is not None]
    return min(gaps, default=None)


def _gap(pattern: Pattern) -> timedelta | None:
    if isinstance(pattern, Interval):
        return pattern.step
    if isinstance(pattern, Moments):
        moments = sorted({moment.astimezone(UTC) for moment in pattern.moments})
        return min((later - earlier for earlier, later in pairwise(moments)), default=None)
    clocks = [_since_midnight(clock) for clock, _ in pattern.times]
    following = [*clocks[1:], clocks[0] + _least_days(pattern) * DAY]
    return min(later - earlier for earlier, later in zip(clocks, following, strict=True))


def _least_days(pattern: DayTimes) -> int:
    """Return the fewest days from one dosing day to the next."""
    if pattern.every_months:
        return 28 * pattern.every_months
    if not pattern.weekdays:
        return pattern.every_days
    apart = [later - earlier for earlier, later in pairwise(pattern.weekdays)]
    over_sunday = pattern.weekdays[0] + 7 * pattern.every_weeks - pattern.weekdays[-1]
    return max(pattern.every_days, min([*apart, over_sunday]))


def days_between(schedule: Schedule) -> Fraction:
    """Return the average number of days between dosing days, of the densest step; 0 where none follows (once, no times)."""
    found = [_days_of_step(step) for step in steps_of(schedule)]
    return min((days for days in found if days), default=Fraction(0))


def _days_of_step(step: tuple[Course, ...]) -> Fraction:
    patterns = [pattern for course in step for _, pattern in course.editions if course.count != 1 and course.kind is not ScheduleKind.ONCE]
    weekly = {day for pattern in patterns if isinstance(pattern, DayTimes) for day in pattern.weekdays}
    if weekly and all(isinstance(pattern, DayTimes) and pattern.weekdays and pattern.every_weeks == 1 for pattern in patterns):
        return Fraction(7, len(weekly))
    rates = [1 / days for pattern in patterns if (days := _average_days(pattern))]
    return 1 / min(ONE, sum(rates, Fraction(0))) if rates else Fraction(0)


def _average_days(pattern: Pattern) -> Fraction:
    if isinstance(pattern, Interval):
        return max(ONE, Fraction(pattern.step // timedelta(seconds=1), 86400))
    if isinstance(pattern, Moments):
        days = sorted({moment.date() for moment in pattern.moments})
        return Fraction((days[-1] - days[0]).days, len(days) - 1) if len(days) > 1 else Fraction(0)
    if pattern.every_months:
        return pattern.every_months * MONTH_DAYS
    if pattern.weekdays:
        return Fraction(7 * pattern.every_weeks, len(pattern.weekdays)) * pattern.every_days
    return Fraction(pattern.every_days)


def factors_of(schedule: Schedule) -> tuple[Fraction, ...]:
    """Return every factor that one due time may have: of each course, and sums where courses that go on together meet."""
    if len(schedule.courses) == 1:
        return _own_factors(schedule.courses[0])
    found: set[Fraction] = set()
    for step in steps_of(schedule):
        given = [course for course in step if course.kind in (ScheduleKind.REGULAR, ScheduleKind.ONCE)]
        for clock in {clock for course in given for clock in _clocks(course)} or {time(0)}:
            found |= _sums([factor for course in given if (factor := _factor_at(course, clock)) is not None])
    return tuple(sorted(found)) or (ONE,)


def _own_factors(course: Course) -> tuple[Fraction, ...]:
    parts = {part.as_integer_ratio(): part for _, pattern in course.editions if isinstance(pattern, DayTimes) for _, part in pattern.times}
    return tuple(part * course.factor for part in parts.values()) or (course.factor,)


def _factor_at(course: Course, clock: time) -> Fraction | None:
    """Return how much a course may give at a clock time; one without clock times may give its dose at any."""
    if clocks := _clocks(course):
        parts = [part for _, pattern in course.editions if isinstance(pattern, DayTimes) for at, part in pattern.times if at == clock]
        return max(parts) * course.factor if clock in clocks else None
    return course.factor


def _sums(factors: list[Fraction]) -> set[Fraction]:
    sums = {Fraction(0)}
    for factor in factors:
        sums |= {known + factor for known in sums}
    return sums - {Fraction(0)}
