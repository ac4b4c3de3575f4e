"""Days by the hospital's calendar: lengths of time as people count them, and the days on which a pattern has doses."""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from fractions import Fraction

from hub.domain.courses import DayTimes
from hub.domain.schedule_rules import MonthEnd
from hub.domain.timing import PeriodUnit, Span

_MICROSECONDS: Mapping[PeriodUnit, int] = {
    PeriodUnit.SECOND: 10**6,
    PeriodUnit.MINUTE: 60 * 10**6,
    PeriodUnit.HOUR: 3600 * 10**6,
    PeriodUnit.DAY: 24 * 3600 * 10**6,
    PeriodUnit.WEEK: 7 * 24 * 3600 * 10**6,
}
_MONTHS: Mapping[PeriodUnit, int] = {PeriodUnit.MONTH: 1, PeriodUnit.YEAR: 12}


def months_in(span: Span) -> Fraction | None:
    """Return a length in calendar months, or None where it is not counted in months."""
    months = _MONTHS.get(span.unit)
    return None if months is None else span.value * months


def elapsed(span: Span) -> timedelta | None:
    """Return the elapsed time of a length, exactly to a microsecond, or None where it is counted in months."""
    size = _MICROSECONDS.get(span.unit)
    return None if size is None else timedelta(microseconds=int(span.value * size))


def add_months(day: date, months: int, month_end: MonthEnd) -> date | None:
    """Return the same day some months later; in a shorter month its last day, or None, as the rule says."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    longest = monthrange(year, month + 1)[1]
    if day.day > longest and month_end is MonthEnd.SKIP:
        return None
    return date(year, month + 1, min(day.day, longest))


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return the first moment of a day in a zone, in UTC."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)


def after(moment: datetime, span: Span, zone: tzinfo) -> datetime:
    """Return the moment a length later, in UTC: days, weeks, months by the calendar at the same clock time, hours as elapsed time."""
    local = moment.astimezone(zone)
    months = months_in(span)
    if months is not None:
        day = add_months(local.date(), int(months), MonthEnd.LAST_DAY)
        assert day is not None
        return datetime.combine(day, local.time(), zone).astimezone(UTC)
    passed = elapsed(span)
    assert passed is not None
    if span.unit not in (PeriodUnit.DAY, PeriodUnit.WEEK):
        return moment.astimezone(UTC) + passed
    shifted = datetime.combine(local.date() + timedelta(days=passed.days), local.time(), zone)
    return shifted.astimezone(UTC) + (passed - timedelta(days=passed.days))


def days_of(pattern: DayTimes, anchor: date, first: date, last: date, month_end: MonthEnd) -> Iterator[date]:
    """Yield the days of a pattern from `first` to `last`, counted from the course's start date `anchor`."""
    if pattern.every_months:
        yield from _by_months(anchor, pattern.every_months, first, last, month_end)
        return
    if pattern.every_days == 1 and not pattern.weekdays:
        yield from (date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1))
        return
    step = timedelta(days=pattern.every_days)
    day = first + timedelta(days=(anchor - first).days % pattern.every_days)
    week = anchor - timedelta(days=anchor.weekday())
    while day <= last:
        if not pattern.weekdays or (day.weekday() in pattern.weekdays and (day - week).days // 7 % pattern.every_weeks == 0):
            yield day
        day += step


def _by_months(anchor: date, every: int, first: date, last: date, month_end: MonthEnd) -> Iterator[date]:
    passed = (first.year - anchor.year) * 12 + first.month - anchor.month
    months = max(0, passed // every * every)
    while (start := add_months(anchor.replace(day=1), months, month_end)) is not None and start <= last:
        day = add_months(anchor, months, month_end)
        if day is not None and first <= day <= last:
            yield day
        months += every
