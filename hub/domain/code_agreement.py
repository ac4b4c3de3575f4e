"""A code and the repetition written beside it: what they say together, or that they contradict each other."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from hub.domain.courses import DayTimes, Pattern
from hub.domain.frequencies import ScheduleKind, normal_code
from hub.domain.timing import Repeat

WEEK = range(7)
_COUNTED_A_WEEK = re.compile(r"[1-7](?:X|Х|Р|РАЗА?)(?:/|В)(?:WEEK|WK|НЕД|НЕДЕЛЮ)")
"""A code in normal form that counts the days of a week and leaves open which ones they are."""
_PLAIN_RATES: Mapping[int, frozenset[str]] = {
    1: frozenset({"QD", "DAILY", "QDAY", "1X/DAY"}),
    2: frozenset({"BID", "2X/DAY"}),
    3: frozenset({"TID", "3X/DAY"}),
    4: frozenset({"QID", "4X/DAY"}),
}
"""Codes that say only how often a day: the clock times beside them are the more exact statement."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a timing means on one day: its kind and, where it has one, its pattern."""

    kind: ScheduleKind
    pattern: Pattern | None = None


def agreed(code: str, found: Reading, beside: Reading, repeat: Repeat) -> Reading | None:
    """Return what a code and a repetition say together, or None where they contradict each other."""
    if found.pattern is None or beside.pattern is None:
        return found if found == beside else None
    if found.pattern == beside.pattern or not (isinstance(found.pattern, DayTimes) and isinstance(beside.pattern, DayTimes)):
        return found if found.pattern == beside.pattern else None
    first, second = found.pattern, beside.pattern
    if first.times == second.times and _days(first) == _days(second):
        return found
    if found.kind is ScheduleKind.ONCE:
        return None
    if not (repeat.times or repeat.when):
        if not _same_rate(first, second):
            return None
        return _on_written_days(code, found, first, second) if repeat.weekdays else found
    plain = code.strip().upper() in _PLAIN_RATES.get(len(second.times), frozenset())
    return Reading(found.kind, second) if plain and _days(first) == _days(second) else None


def _same_rate(first: DayTimes, second: DayTimes) -> bool:
    return second.step is None and len(first.times) == len(second.times) and _rarity(first) == _rarity(second)


def _on_written_days(code: str, found: Reading, first: DayTimes, second: DayTimes) -> Reading | None:
    """Return a code on the days written beside it: they fill those that it leaves open, and contradict those that it names."""
    if first.weekdays == second.weekdays or (_days(first) == _days(DayTimes(())) and len(second.weekdays) == len(WEEK)):
        return found
    if first.weekdays and not _COUNTED_A_WEEK.fullmatch(normal_code(code)):
        return None
    if not first.weekdays and first.every_days % len(WEEK):
        return None
    return Reading(found.kind, replace(first, every_days=1, weekdays=second.weekdays, every_weeks=second.every_weeks))


def _days(pattern: DayTimes) -> tuple[object, ...]:
    return pattern.every_days, pattern.weekdays, pattern.every_weeks, pattern.every_months


def _rarity(pattern: DayTimes) -> Fraction:
    """Return the days of a week, or of its like, over the dosing days in it."""
    if pattern.every_months:
        return Fraction(1000 * pattern.every_months)
    return Fraction(7 * pattern.every_weeks, len(pattern.weekdays)) if pattern.weekdays else Fraction(pattern.every_days)
