"""Dates, times and lengths of time as HL7 v2 writes them (TS, DTM, TM, NM)."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from fractions import Fraction
from functools import lru_cache

from hub.adapters.intake.moments import LAST_MOMENT, is_date_alone, moment

_STAMP = re.compile(r"(\d{4})(\d{2})?(\d{2})?(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6}))?)?)?)?(?:([+-])(\d{2})(\d{2}))?")
_CLOCK = re.compile(r"(\d{2}):?(\d{2})?(?::?(\d{2})(?:\.\d{1,4})?)?")
_NUMBER = re.compile(r"[+]?(\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})")


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment with its zone; `is_day` where only the day was written: `at` is then its first moment."""

    at: datetime
    is_day: bool = False

    @property
    def end(self) -> datetime:
        """Return the moment as the end of a period: the whole day is inside."""
        return datetime.combine(self.at.date(), LAST_MOMENT, self.at.tzinfo) if self.is_day else self.at


@lru_cache(maxsize=8192)
def stamp(text: str, zone: tzinfo) -> Stamp | None:
    """Return a moment that is written at least to the day; None for anything else. Without an offset it is of `zone`."""
    match = _STAMP.fullmatch(text)
    if match is None:
        written = moment(text, zone)
        return None if written is None or not _is_on_clocks(written) else Stamp(written, is_date_alone(text))
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = match.groups()
    if day is None:
        return None
    try:
        offset = _offset(sign, int(hours), int(minutes)) if sign else zone
        micro = int((fraction or "0").ljust(6, "0"))
        at = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micro, offset)
    except ValueError:
        return None
    return Stamp(at, hour is None) if _is_on_clocks(at) else None


def _is_on_clocks(at: datetime) -> bool:
    """Tell whether a moment can be told in every zone: not one at the very ends of the calendar."""
    return date.min.year < at.year < date.max.year


def _offset(sign: str, hours: int, minutes: int) -> tzinfo:
    length = timedelta(hours=hours, minutes=minutes)
    return timezone(-length if sign == "-" else length)


@lru_cache(maxsize=8192)
def birth_date(text: str) -> date | None:
    """Return a date of birth; None where it is not written to the day."""
    match = _STAMP.fullmatch(text)
    if match is None or match[3] is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def clock(text: str) -> time | None:
    """Return a time of day in `0600`, `06`, `06:00` or `060000`; None for anything else."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        return time(hour, minute, second)
    except ValueError:
        return None


def number(text: str) -> Fraction | None:
    """Return a number as HL7 writes one (NM: a point, no groups), not negative; None for anything else."""
    match = _NUMBER.fullmatch(text.strip())
    return Fraction(match[1]) if match else None


def whole(text: str) -> int | None:
    """Return a whole number of at least one; None for anything else."""
    found = number(text)
    return int(found) if found is not None and found.denominator == 1 and found >= 1 else None
