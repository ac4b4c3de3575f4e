"""Repeat patterns of HL7 table 0335 read into timings; what is not of the table stays a code of the source, never guessed."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from fractions import Fraction
from functools import lru_cache

from hub.domain.timing import PeriodUnit, Repeat, Timing

AT_ONCE = frozenset({"NOW", "STAT"})
_HOURS = frozenset({1, 2, 3, 4, 6, 8, 12, 24, 48, 72})
_DAYS = frozenset({2, 3, 7, 14})
_WARD_CODES = frozenset({"BID", "TID", "QID", "QAM", "QPM", "QHS", "QOD", "DAILY", "QD", "ONCE", "CONTINUOUS"})
_TIMES_A_DAY: Mapping[str, int] = {"DAILY": 1, "QD": 1, "QAM": 1, "QPM": 1, "QHS": 1, "BID": 2, "TID": 3, "QID": 4, "QSHIFT": 3}
_MEALS = frozenset({"AC", "PC", "ACM", "ACD", "ACV", "PCM", "PCD", "PCV"})
_UNITS: Mapping[str, PeriodUnit] = {
    "S": PeriodUnit.SECOND, "M": PeriodUnit.MINUTE, "H": PeriodUnit.HOUR, "D": PeriodUnit.DAY, "W": PeriodUnit.WEEK, "L": PeriodUnit.MONTH,
}  # fmt: skip
_EVERY = re.compile(r"Q([1-9]\d{0,3})([SMHDWL])")
_WEEKDAY = re.compile(r"Q([1-9]\d?)?J([1-7]+)")
_COUNTED = re.compile(r"([5-9]|1\d|2[0-4])ID")
_GLUED = re.compile(r"(?:AS NEEDED|PRN)[ :,]*(.*)|(.*?)[ :,]*(?:AS NEEDED|PRN)")
_WORDS: Mapping[str, int] = {"ONCE": 1, "TWICE": 2, "ONE TIME": 1, "TWO TIMES": 2, "THREE TIMES": 3, "FOUR TIMES": 4}
_DAILY = r"(?:A DAY|PER DAY|EACH DAY|EVERY DAY|DAILY)"
_COUNTED_WORDS = re.compile(rf"(?:({'|'.join(_WORDS)})|([1-9]|1\d|2[0-4]) ?(?:TIMES?|X)) {_DAILY}")
_EVERY_WORDS = re.compile(r"EVERY (?:([1-9]\d{0,2}) )?(MINUTE|HOUR|DAY|WEEK|MONTH)S?")
_LONG_UNITS: Mapping[str, PeriodUnit] = {
    "MINUTE": PeriodUnit.MINUTE, "HOUR": PeriodUnit.HOUR, "DAY": PeriodUnit.DAY, "WEEK": PeriodUnit.WEEK, "MONTH": PeriodUnit.MONTH,
}  # fmt: skip


@lru_cache(maxsize=4096)
def timing_of(written: str) -> Timing:
    """Return the timing of one repeat pattern; an unknown one is a timing whose code is the pattern as written."""
    code = " ".join(written.upper().split())
    if code in ("PRN", "AS NEEDED"):
        return Timing(prn=True)
    known = _known(code)
    if known is not None:
        return known
    glued = _GLUED.fullmatch(code)
    rest = (glued[1] or glued[2] or "") if glued else ""
    if rest and (within := _known(rest)) is not None:
        return replace(within, prn=True)
    return Timing(code=written.strip())


@lru_cache(maxsize=4096)
def _known(code: str) -> Timing | None:
    if code in _WARD_CODES or code in AT_ONCE:
        return Timing(code=code)
    if code == "C":
        return Timing(code="CONTINUOUS")
    if code in _MEALS:
        return Timing(repeat=Repeat(when=(code,)))
    return _interval(code) or _counted(code) or _in_words(code)


def _interval(code: str) -> Timing | None:
    if match := _EVERY.fullmatch(code):
        count, unit = int(match[1]), _UNITS[match[2]]
        in_table = (unit is PeriodUnit.HOUR and count in _HOURS) or (unit is PeriodUnit.DAY and count in _DAYS)
        return Timing(code=code) if in_table else every(count, unit)
    if match := _WEEKDAY.fullmatch(code):
        weeks, days = int(match[1] or 1), sorted({int(day) - 1 for day in match[2]})
        return Timing(repeat=Repeat(len(days), period=Fraction(weeks), period_unit=PeriodUnit.WEEK, weekdays=tuple(days)))
    return None


def every(count: int | Fraction, unit: PeriodUnit) -> Timing:
    """Return the timing of something that is done once in so long."""
    return Timing(repeat=Repeat(1, period=Fraction(count), period_unit=unit))


def _counted(code: str) -> Timing | None:
    match = _COUNTED.fullmatch(code)
    return _times_daily(int(match[1])) if match else None


def _times_daily(count: int) -> Timing:
    return Timing(repeat=Repeat(count, period=Fraction(1), period_unit=PeriodUnit.DAY))


def _in_words(code: str) -> Timing | None:
    """Read the words that can mean one thing only: `3 times daily`, `every 6 hours`."""
    if match := _COUNTED_WORDS.fullmatch(code):
        return _times_daily(_WORDS[match[1]] if match[1] else int(match[2]))
    if match := _EVERY_WORDS.fullmatch(code):
        return every(int(match[1] or 1), _LONG_UNITS[match[2]])
    return None


def at_times(timing: Timing, times: tuple[time, ...]) -> Timing | None:
    """Return a pattern held at explicit clock times; None where the times are not as many as the pattern asks for."""
    if not timing.code and timing.repeat is None:
        return replace(timing, repeat=Repeat(times=times))
    repeat = timing.repeat or _daily_repeat(timing.code or "")
    if repeat is None or repeat.period_unit not in (PeriodUnit.DAY, PeriodUnit.WEEK) or repeat.when:
        return None
    wanted = 1 if repeat.weekdays else repeat.frequency
    if wanted != len(times):
        return None
    plain = repeat.period == 1 and repeat.period_unit is PeriodUnit.DAY
    return replace(timing, code=None, repeat=Repeat(times=times) if plain else replace(repeat, times=times))


def _daily_repeat(code: str) -> Repeat | None:
    if code in _TIMES_A_DAY:
        return Repeat(_TIMES_A_DAY[code], period=Fraction(1), period_unit=PeriodUnit.DAY)
    if code == "QOD":
        return Repeat(1, period=Fraction(2), period_unit=PeriodUnit.DAY)
    match = _EVERY.fullmatch(code)
    if match is None:
        return None
    count, unit = int(match[1]), _UNITS[match[2]]
    if unit is PeriodUnit.HOUR and 24 % count == 0:
        return Repeat(24 // count, period=Fraction(1), period_unit=PeriodUnit.DAY)
    if unit is PeriodUnit.HOUR and count % 24 == 0:
        return Repeat(1, period=Fraction(count, 24), period_unit=PeriodUnit.DAY)
    return Repeat(1, period=Fraction(count), period_unit=unit)
