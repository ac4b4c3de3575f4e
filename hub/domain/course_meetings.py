"""Dosages of one order that are due at the same moment: whether their sum is meant, only a person can tell."""

from collections.abc import Iterator, Sequence
from datetime import time
from itertools import combinations
from math import gcd

from hub.domain.courses import Course, DayTimes, Interval
from hub.domain.frequencies import ScheduleKind
from hub.domain.orders import Reason
from hub.domain.timing_rules import RULE_DOSAGES, reason

SOURCE = "FHIR R4 Dosage.sequence; national guides forbid one time of day in two dosages"


def meetings(courses: Sequence[Course]) -> Iterator[Reason]:
    """Yield why a person must look: two courses that go on together have a common due time, or nobody can tell that they have none."""
    for one, other in combinations(courses, 2):
        if one.kind is other.kind is ScheduleKind.ONCE and not _begin_apart(one, other):
            yield reason(
                RULE_DOSAGES, "two single doses of one order without a moment of its own for each: ask when each is due, or whether one of them is meant",
                "две разовые дозы в одном назначении, и не у каждой указан свой момент: уточните время каждой или какая из них нужна", SOURCE,
            )  # fmt: skip
        if one.step != other.step or {one.kind, other.kind} != {ScheduleKind.REGULAR} or not _go_on_together(one, other):
            continue
        if _goes_by_interval(one) or _goes_by_interval(other):
            yield reason(
                RULE_DOSAGES, "one dosage goes by an interval from its first dose beside another one: they may fall together, ask for the hours",
                "одна дозировка идёт с промежутком от первой дозы рядом с другой: приёмы могут совпасть, уточните часы", SOURCE,
            )  # fmt: skip
        elif (clock := _common_time(one, other)) is not None:
            yield reason(
                RULE_DOSAGES, f"two dosages are both due at {clock:%H:%M}: ask whether their sum is meant or one of them",
                f"две дозировки назначены на одно время, {clock:%H:%M}: уточните, нужна их сумма или одна из них", SOURCE,
            )  # fmt: skip


def _begin_apart(one: Course, other: Course) -> bool:
    """Tell whether each of two single doses has its own written moment; a common one would put both into one pouch."""
    return one.starts_at is not None and other.starts_at is not None and one.starts_at != other.starts_at


def first_clock(course: Course) -> time:
    """Return the first clock time of a course, the day's last one where it has none: the order in which people read dosages."""
    clocks = [clock for _, pattern in course.editions if isinstance(pattern, DayTimes) for clock, _ in pattern.times]
    return min(clocks, default=time.max)


def _goes_by_interval(course: Course) -> bool:
    return any(isinstance(pattern, Interval) for _, pattern in course.editions)


def _go_on_together(one: Course, other: Course) -> bool:
    """Tell whether two courses certainly overlap: not where one may be over before the other one's own start."""
    return not (_may_be_over(one, other) or _may_be_over(other, one))


def _may_be_over(earlier: Course, later: Course) -> bool:
    if later.starts_at is None:
        return False
    if earlier.ends_at is not None:
        return earlier.ends_at < later.starts_at
    return earlier.lasts is not None or earlier.is_counted


def _common_time(one: Course, other: Course) -> time | None:
    pairs = [(first, second) for _, first in one.editions for _, second in other.editions]
    clocks = [clock for first, second in pairs for clock in _common_clocks(first, second, one, other)]
    return min(clocks, default=None)


def _common_clocks(first: object, second: object, one: Course, other: Course) -> set[time]:
    if not (isinstance(first, DayTimes) and isinstance(second, DayTimes)) or not _days_meet(first, second, one, other):
        return set()
    return {clock for clock, _ in first.times} & {clock for clock, _ in second.times}


def _is_daily(pattern: DayTimes) -> bool:
    return pattern.every_days == 1 and not (pattern.weekdays or pattern.every_months)


def _days_meet(first: DayTimes, second: DayTimes, one: Course, other: Course) -> bool:
    """Tell whether two patterns certainly have a common day; every n days from different starts may alternate."""
    if _is_daily(first) or _is_daily(second):
        return True
    if first.weekdays and second.weekdays:
        return bool(set(first.weekdays) & set(second.weekdays)) and first.every_weeks == second.every_weeks == 1
    if first.every_months or second.every_months or first.weekdays or second.weekdays:
        return False
    apart = gcd(first.every_days, second.every_days)
    if one.starts_at is None and other.starts_at is None:
        return True
    if apart == 1 or one.starts_at is None or other.starts_at is None:
        return apart == 1
    return (one.starts_at.date() - other.starts_at.date()).days % apart == 0
