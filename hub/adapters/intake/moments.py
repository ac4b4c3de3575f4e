"""Dates and times as sheets write them, read into moments with a zone."""

import re
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache

_RUSSIAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ T](\d{1,2}):(\d{2}))?")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_YEAR_OR_MONTH = re.compile(r"(\d{4})(?:-(\d{2}))?", re.ASCII)
LAST_MOMENT = time(23, 59, 59)


@lru_cache(maxsize=8192)
def moment(text: str, zone: tzinfo, *, end: bool = False) -> datetime | None:
    """Return the moment of an ISO 8601 or `31.12.2026 14:30` text; None where it is none.

    A time without a zone is of `zone`; a date alone is its first moment, or its last second where it ends a period
    (FHIR R4 Period.end: the whole day is inside).
    """
    text = text.strip()
    try:
        if match := _RUSSIAN.fullmatch(text):
            day, month, year, hour, minute = match.groups()
            value = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), tzinfo=zone)
            return value if hour or not end else datetime.combine(value, LAST_MOMENT, zone)
        if _ISO_DATE.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), LAST_MOMENT if end else time(), zone)
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return value if value.tzinfo else value.replace(tzinfo=zone)


@lru_cache(maxsize=8192)
def partial_moment(text: str, zone: tzinfo, *, end: bool = False) -> datetime | None:
    """Return the moment of an ISO 8601 text, also of a month or a year alone: its first moment, or its last second as an end."""
    if (match := _YEAR_OR_MONTH.fullmatch(text)) is None:
        return moment(text, zone, end=end)
    year, month = int(match[1]), int(match[2] or (12 if end else 1))
    if not (1 <= year <= 9998 and 1 <= month <= 12):
        return None
    following = date(year + month // 12, month % 12 + 1, 1)
    return datetime.combine(following - timedelta(days=1), LAST_MOMENT, zone) if end else datetime(year, month, 1, tzinfo=zone)


@lru_cache(maxsize=8192)
def is_date_alone(text: str) -> bool:
    """Tell whether a text is a date (or a month or a year) without a time of day."""
    text = text.strip()
    if _YEAR_OR_MONTH.fullmatch(text):
        return True
    match = _RUSSIAN.fullmatch(text)
    return match[4] is None if match else _ISO_DATE.fullmatch(text) is not None


@lru_cache(maxsize=8192)
def calendar_day(text: str) -> date | None:
    """Return the date of `2026-12-31` or `31.12.2026`; None where it is none."""
    text = text.strip()
    try:
        if match := _RUSSIAN.fullmatch(text):
            return date(int(match[3]), int(match[2]), int(match[1]))
        return date.fromisoformat(text) if _ISO_DATE.fullmatch(text) else None
    except ValueError:
        return None
