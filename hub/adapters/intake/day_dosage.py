"""How much and when, in the words of a ward's row: dose cells, slots of the day, schemes, courses. What cannot be read is named."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from fractions import Fraction
from functools import lru_cache

from hub.adapters.intake.amounts import unit_name
from hub.adapters.intake.column_map import SLOTS, dated
from hub.adapters.intake.course import Course, read_course, read_days
from hub.adapters.intake.moments import is_date_alone, moment
from hub.adapters.intake.slot_scheme import MOST_AT_ONCE, is_scheme, read_scheme
from hub.adapters.intake.table import Row
from hub.domain.frequencies import is_prn
from hub.domain.quantities import Quantity, parse_dose_amount
from hub.domain.timing import Dosage, PeriodUnit, SlotDose, Span, Timing
from hub.domain.words import Words, about_times, words_of

YES = frozenset({"+", "v", "x", "х", "✓", "✔", "да", "yes"})
NO = frozenset({"", "-", "–", "—", "0", "нет", "no"})
_NO_DOSE = NO - {"0"}
EARLIEST_YEAR, LATEST_YEAR = 2000, 2100
_DOSE = re.compile(r"(?:по\s+)?([\d\s.,/½¼¾⅓⅔]+?)(?:\s*[-–—]\s*([\d\s.,/½¼¾⅓⅔]+?))?\s*([^\W\d_].*)?", re.DOTALL)
_ENDS: Mapping[str, Words] = {"starts": Words("start", "начало"), "ends": Words("end", "конец")}
_SLOTS_RU: Mapping[str, str] = {"morning": "утро", "noon": "день", "evening": "вечер", "night": "ночь"}


@dataclass(frozen=True, slots=True)
class Reading:
    """How a source writes: its decimal sign, the order of its scheme, its formats of dates, its zone."""

    decimal_sign: str | None
    slots: tuple[str, ...]
    dates: tuple[str, ...]
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Bounds:
    """From when to when; `lasts` where only a number of days is written; `on_day`: the start is a day without a time."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    lasts: tuple[Span, Span] | None = None
    on_day: bool = False


def read_dosage(row: Row, reading: Reading, lasts: tuple[Span, Span] | None, unsupported: list[Words]) -> Dosage:
    """Return the dosage of a row; what cannot be read is None and named in `unsupported`."""
    dose = read_dose(row["dose"], row["unit"], unsupported, reading.decimal_sign)
    of_times: list[Words] = []
    timing = _timing(row, reading, of_times)
    unsupported += about_times(of_times)
    return Dosage(dose, timing, row["route"], lasts=lasts)


def read_dose(
    text: str, unit: str, unsupported: list[Words], decimal_sign: str | None = None
) -> tuple[Quantity, Quantity] | None:
    """Return (low, high) of `500`, `0,5 г`, `по 1 таб` or `5-10 мг`; None where no dose is written or it cannot be read.

    `decimal_sign` is the source's; None: an amount that it would decide is not read.
    """
    dose, doubt = _dose(text, unit, decimal_sign)
    if doubt:
        unsupported.append(doubt)
    return dose


@lru_cache(maxsize=8192)
def _dose(text: str, unit: str, decimal_sign: str | None) -> tuple[tuple[Quantity, Quantity] | None, Words | None]:
    """Return (dose, doubt); remembered, as a ward writes the same few doses again and again."""
    if text in _NO_DOSE:
        return None, None
    match = _DOSE.fullmatch(text)
    written = match[3] if match else None
    if match is None or not (written or unit):
        return None, Words(f"a dose without unit: {text}", f"доза без единицы: {text}") if match else Words(f"the dose cannot be read: {text}", f"доза не читается: {text}")
    if written and unit and unit_name(written) != unit_name(unit):
        return None, Words(f"the dose has two units: {text} and {unit}", f"у дозы две единицы: {text} и {unit}")
    try:
        low = parse_dose_amount(match[1], decimal_sign)
        high = parse_dose_amount(match[2], decimal_sign) if match[2] else low
    except ValueError as error:
        return None, Words(f"the dose cannot be read: {error}", f"доза не читается: {words_of(error).ru}")
    name = unit_name(written or unit)
    return (Quantity(low, name), Quantity(high, name)), None


def _timing(row: Row, reading: Reading, unsupported: list[Words]) -> Timing | None:
    code: str | None = row["frequency"] or None
    scheme = row["scheme"]
    if code is not None and not scheme and is_scheme(code):
        scheme, code = code, None
    slots = _slots(row, reading, scheme, unsupported)
    prn = row["prn"].casefold() in YES or (code is not None and is_prn(code))
    if row["prn"].casefold() not in YES | NO:
        unsupported.append(Words(
            f"the cell of 'as needed' cannot be read: {row['prn']}",
            f"ячейка «по требованию» не читается: {row['prn']}",
        ))
    if code is None and not slots and not prn:
        return None
    return Timing(code=code, slots=slots, prn=prn)


def _slots(row: Row, reading: Reading, scheme: str, unsupported: list[Words]) -> tuple[SlotDose, ...]:
    marked = tuple(SlotDose(slot, factor) for slot in SLOTS if (factor := _factor(row, slot, reading, unsupported)))
    if scheme.casefold() in NO:
        return marked
    if marked:
        unsupported.append(Words(
            f"both a scheme ({scheme}) and marked slots of the day",
            f"указаны и схема ({scheme}), и отметки по частям суток",
        ))
    try:
        return read_scheme(scheme, reading.slots, reading.decimal_sign)
    except ValueError as error:
        unsupported.append(Words(f"the scheme cannot be read: {error}", f"схема не читается: {words_of(error).ru}"))
        return marked


def _factor(row: Row, slot: str, reading: Reading, unsupported: list[Words]) -> Fraction | None:
    if not row[slot]:
        return None
    factor = _count(row[slot].casefold(), reading.decimal_sign)
    if factor is None:
        unsupported.append(Words(f"the {slot} cell cannot be read: {row[slot]}", f"ячейка «{_SLOTS_RU[slot]}» не читается: {row[slot]}"))
    return factor


@lru_cache(maxsize=1024)
def _count(text: str, decimal_sign: str | None) -> Fraction | None:
    """Return how many are taken by one slot's cell; None where nobody can tell."""
    if text in YES or text in NO:
        return Fraction(text in YES)
    try:
        factor = parse_dose_amount(text, decimal_sign)
    except ValueError:
        return None
    return factor if factor <= MOST_AT_ONCE else None


def read_bounds(row: Row, reading: Reading, unsupported: list[Words]) -> Bounds:
    """Return from when to when a row's course goes: by its dates, or by its start and a number of days, which end with the last day."""
    of_times: list[Words] = []
    bounds = _bounds(row, reading, of_times)
    unsupported += about_times(of_times)
    return bounds


def _bounds(row: Row, reading: Reading, unsupported: list[Words]) -> Bounds:
    course = _course(row, unsupported)
    starts = row["starts"] or dated(course.starts, reading.dates)
    ends = row["ends"] or dated(course.ends, reading.dates)
    starts_at, ends_at = _date(starts, "starts", reading, unsupported), _date(ends, "ends", reading, unsupported)
    bounds = Bounds(starts_at, ends_at, on_day=is_date_alone(starts))
    if course.days is None:
        return bounds
    if starts_at is None:
        span = Span(Fraction(course.days), PeriodUnit.DAY)
        return Bounds(None, ends_at, (span, span))
    last = starts_at + timedelta(days=course.days) - timedelta(seconds=1)
    if ends_at is not None and ends_at.date() != last.date():
        unsupported.append(Words(
            f"the course of {course.days} days from {starts} does not end on {ends}",
            f"курс в днях ({course.days}) с {starts} не кончается {ends}",
        ))
    return Bounds(starts_at, ends_at or last, on_day=bounds.on_day)


def _course(row: Row, unsupported: list[Words]) -> Course:
    days = read_days(row["days"]) if row["days"] else None
    if row["days"] and days is None:
        unsupported.append(Words(f"the number of days cannot be read: {row['days']}", f"число дней не читается: {row['days']}"))
    told = read_course(row["course"]) if row["course"] else Course()
    if told is None:
        unsupported.append(Words(f"the course cannot be read: {row['course']}", f"курс не читается: {row['course']}"))
        told = Course()
    if days is not None and told.days is not None and days != told.days:
        unsupported.append(Words(
            f"the course has two lengths: {days} and {told.days} days",
            f"у курса две длительности в днях: {days} и {told.days}",
        ))
    return Course(told.starts, told.ends, days if days is not None else told.days)


def _date(text: str, column: str, reading: Reading, unsupported: list[Words]) -> datetime | None:
    value = moment(text, reading.zone, end=column == "ends") if text else None
    if text and value is None:
        unsupported.append(Words(f"the course {_ENDS[column].en} cannot be read: {text}", f"{_ENDS[column].ru} курса не читается: {text}"))
    if value is not None and not EARLIEST_YEAR <= value.year <= LATEST_YEAR:
        unsupported.append(Words(
            f"the course {_ENDS[column].en} is of another age: {text}",
            f"{_ENDS[column].ru} курса из другого века: {text}",
        ))
        return None
    return value
