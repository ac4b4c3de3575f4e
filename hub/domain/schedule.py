"""The door of everything about due times: what the dosages of a line mean, and the parts that work on it.

`schedule_for` makes the one canonical `Schedule`; `expand` gives its due times, `in_words` its sentence.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction

from hub.domain.calendar_days import elapsed, months_in
from hub.domain.counted_words import amount_text, length_text, span_text
from hub.domain.course_meetings import first_clock, meetings
from hub.domain.courses import ONE, Course, DayTimes, Interval, Moments, Pattern, Permission, Schedule
from hub.domain.expander import ends_by_itself, expand, singles_due
from hub.domain.frequencies import (
    FrequencyRule,
    FrequencyTable,
    ScheduleKind,
    WardDay,
    is_prn,
    normal_code,
    read_frequency_table,
    repeats_allowed,
)
from hub.domain.intake_slots import DAY_SLOTS, IntakeSlot, cut_of, first_slot_on, once_due, slot_bounds, slot_of
from hub.domain.orders import Reason
from hub.domain.quantities import convert
from hub.domain.schedule_figures import days_between, doses_a_day, factors_of, least_interval
from hub.domain.schedule_reading import ORDER_1088, read_timing
from hub.domain.schedule_rules import HOUSE_RULES, DurationMeaning, ScheduleRules
from hub.domain.schedule_words import in_words
from hub.domain.timing import NOTHING_REPEATED, Dosage, PeriodUnit, Repeat, Span
from hub.domain.timing_rules import (
    RULE_CONTRADICTION,
    RULE_DOSAGES,
    RULE_DURATION,
    RULE_FREQUENCY,
    RULE_RANGE,
    RULE_SEQUENCE,
    RULE_VALUE,
    reason,
)

__all__ = [
    "DAY_SLOTS", "HOUSE_RULES", "RULE_FREQUENCY", "Course", "DayTimes", "FrequencyRule", "FrequencyTable", "IntakeSlot", "Interval",
    "Moments", "Schedule", "ScheduleKind", "ScheduleRules", "cut_of", "days_between", "doses_a_day", "ends_by_itself", "expand", "factors_of",
    "first_slot_on", "in_words", "is_prn", "least_interval", "moment_outside", "normal_code", "once_due", "read_frequency_table", "schedule_for", "singles_due", "slot_bounds", "slot_of",
    "within",
]  # fmt: skip

_MOST_DOSAGES = 24
_MOST_REMEMBERED = 10_000
_MOST_HOUSES = 16
_LONGEST_DAYS = 36_600
_ABOUT_DAYS: Mapping[PeriodUnit, Fraction] = {
    PeriodUnit.SECOND: Fraction(1, 86_400),
    PeriodUnit.MINUTE: Fraction(1, 1440),
    PeriodUnit.HOUR: Fraction(1, 24),
    PeriodUnit.DAY: Fraction(1),
    PeriodUnit.WEEK: Fraction(7),
    PeriodUnit.MONTH: Fraction(30),
    PeriodUnit.YEAR: Fraction(365),
}


@dataclass(frozen=True, slots=True)
class _House:
    """How timings are read: the table at a ward, the slots, the rules."""

    table: FrequencyTable
    ward: str
    slots: tuple[IntakeSlot, ...]
    rules: ScheduleRules


def schedule_for(
    dosages: Sequence[Dosage],
    table: FrequencyTable,
    ward: str,
    slots: tuple[IntakeSlot, ...] = DAY_SLOTS,
    rules: ScheduleRules = HOUSE_RULES,
) -> Schedule | Reason:
    """Return what the dosages of a line mean at a ward, or why nobody can tell.

    Each dosage is a course whose factor counts its dose in doses of the first one. Dosages of one sequence (or none) go on
    together, a higher sequence begins when the lower ones are over. Nothing that is written is ignored: it is a reason.
    """
    house = _House(table, ward, slots, rules)
    if len(dosages) == 1:
        return _remembered(dosages[0], house)
    if not 0 < len(dosages) <= _MOST_DOSAGES:
        return reason(RULE_DOSAGES, f"{len(dosages)} dosages are not 1 to {_MOST_DOSAGES}", f"{len(dosages)} дозировок — не от 1 до {_MOST_DOSAGES}")
    return _of_several(dosages, house)


def _remembered(dosage: Dosage, house: _House) -> Schedule | Reason:
    """Return the meaning of a single dosage; remembered, as a day asks the same few thousands of times."""
    key = (dosage.timing, dosage.starts_at, dosage.ends_at, dosage.lasts, dosage.limits, house.ward)
    known = _known_to(house)
    found = known.get(key)
    if found is None:
        if len(known) >= _MOST_REMEMBERED:
            known.clear()
        course = _course(dosage, dosage, 0, house)
        found = known[key] = course if isinstance(course, Reason) else Schedule(course.kind, (course,), house.rules)
    return found


def _known_to(house: _House) -> dict[object, Schedule | Reason]:
    """Return what was read under the same slots and rules; they are told apart by identity, which is far quicker than by value."""
    readings = house.table.readings
    place = (id(house.slots), id(house.rules))
    if place not in readings:
        if len(readings) >= _MOST_HOUSES:
            readings.clear()
        readings[place] = (house.slots, house.rules, {})
    return readings[place][2]


def _of_several(dosages: Sequence[Dosage], house: _House) -> Schedule | Reason:
    courses = []
    for dosage in dosages:
        course = _course(dosage, dosages[0], _step(dosage, dosages), house)
        if isinstance(course, Reason):
            return course
        courses.append(course)
    kind = _kind_of(courses)
    if isinstance(kind, Reason):
        return kind
    ordered = sorted(courses, key=lambda course: (course.step, first_clock(course), repr(course)))
    broken = next(_impossible(ordered), None) or next(meetings(ordered), None)
    return broken or Schedule(kind, tuple(ordered), house.rules)


def _step(dosage: Dosage, dosages: Sequence[Dosage]) -> int:
    """Return the place of a dosage's sequence among those written; where some have none, all go on together."""
    if any(each.sequence is None for each in dosages):
        return 0
    return sorted({each.sequence or 0 for each in dosages}).index(dosage.sequence or 0)


def _kind_of(courses: Sequence[Course]) -> ScheduleKind | Reason:
    kinds = {course.kind for course in courses}
    if ScheduleKind.CONTINUOUS in kinds and len(kinds) > 1:
        return reason(RULE_DOSAGES, "one dosage has times of doses and another one has none", "у одной дозировки есть время приёма, у другой нет", ORDER_1088)
    if kinds == {ScheduleKind.ONCE} and len({(course.step, course.starts_at) for course in courses}) == 1:
        return ScheduleKind.ONCE
    if len(kinds) == 1 and kinds != {ScheduleKind.ONCE}:
        return kinds.pop()
    return ScheduleKind.REGULAR


def _impossible(courses: Sequence[Course]) -> Iterator[Reason]:
    """Yield why courses cannot follow each other."""
    last = courses[-1].step
    for course in courses:
        if last and any(isinstance(pattern, Moments) for _, pattern in course.editions):
            yield reason(RULE_SEQUENCE, "exact moments stand in a sequence of dosages", "в последовательности дозировок указаны точные моменты")
        if course.step < last and not course.is_bounded:
            yield reason(
                RULE_SEQUENCE, f"the dosage of step {course.step + 1} never ends, so the next one never begins",
                f"дозировка шага {course.step + 1} не кончается, и следующая не начнётся",
            )  # fmt: skip


def _course(dosage: Dosage, first: Dosage, step: int, house: _House) -> Course | Reason:
    timing = dosage.timing
    if timing is None or not timing.is_written:
        return Reason(RULE_FREQUENCY, "no frequency is written", ORDER_1088, "частота не указана")
    factor = ONE if dosage is first else _factor(dosage, first)
    if isinstance(factor, Reason):
        return factor
    editions = _editions(dosage, house)
    if isinstance(editions, Reason):
        return editions
    kind, patterns = editions
    repeat = timing.repeat or NOTHING_REPEATED
    lasts = _lasts(dosage, repeat, patterns, house.rules)
    if isinstance(lasts, Reason):
        return lasts
    bounds, duration = lasts
    course = Course(
        kind, patterns, factor, step, repeat.count, dosage.starts_at, dosage.ends_at, bounds, duration, _permission(repeat, kind, timing.code or ""),
        dosage.limits,
    )
    if (outside := _moment_outside(dosage)) is not None:
        return outside
    if kind is ScheduleKind.ONCE or any(isinstance(pattern, Moments) for _, pattern in patterns):
        return replace(course, count=None)
    return course


def _factor(dosage: Dosage, first: Dosage) -> Fraction | Reason:
    """Return a dosage's dose in doses of the first one."""
    if dosage.route.strip().casefold() != first.route.strip().casefold():
        return reason(
            RULE_DOSAGES, f"one dosage goes '{first.route}' and another one '{dosage.route}'",
            f"одна дозировка вводится «{first.route}», другая — «{dosage.route}»", ORDER_1088,
        )  # fmt: skip
    if dosage.dose == first.dose:
        return ONE
    if dosage.dose is None or first.dose is None:
        return reason(RULE_DOSAGES, "one dosage has a dose and another one has none", "у одной дозировки доза указана, у другой нет", ORDER_1088)
    ratios = set()
    for own, measure in zip(dosage.dose, first.dose, strict=True):
        same = convert(own, measure.unit)
        if same is None or measure.amount <= 0 or same.amount <= 0:
            return reason(
                RULE_DOSAGES, f"the dose {own} cannot be counted in doses of {measure}", f"дозу {own} нельзя сосчитать в дозах по {measure}", ORDER_1088
            )
        ratios.add(same.amount / measure.amount)
    if len(ratios) > 1:
        ends = (first.dose, dosage.dose)
        english, russian = (" / ".join(amount_text(*dose, language) for dose in ends) for language in ("en", "ru"))
        return reason(
            RULE_DOSAGES, f"the doses {english} are ranges of different width: ask for one dose each",
            f"дозы {russian} — диапазоны разной ширины: уточните дозу каждого приёма", ORDER_1088,
        )  # fmt: skip
    return ratios.pop()


def _editions(dosage: Dosage, house: _House) -> tuple[ScheduleKind, tuple[tuple[date, Pattern], ...]] | Reason:
    """Return the kind of a timing and its pattern by the day from which the ward's table has it so."""
    assert dosage.timing is not None
    kind, found = ScheduleKind.REGULAR, list[tuple[date, Pattern]]()
    for number, day in enumerate(house.table.changes):
        reading = read_timing(dosage.timing, WardDay(house.table, house.ward, day), house.slots, house.rules)
        if isinstance(reading, Reason):
            return reading
        if number and reading.kind is not kind:
            return reason(RULE_CONTRADICTION, f"the ward's table changes the kind of the timing on {day}", f"таблица отделения меняет вид режима с {day}", "frequencies.csv")
        kind = reading.kind
        if reading.pattern is not None and (not found or found[-1][1] != reading.pattern):
            found.append((day, reading.pattern))
    return kind, tuple(found)


def _moment_outside(dosage: Dosage) -> Reason | None:
    """Return that an exact moment is not within the dosage's own bounds, or None."""
    moments = dosage.timing.events if dosage.timing is not None else ()
    outside = [moment for moment in moments if not within(moment, dosage.starts_at, dosage.ends_at)]
    return None if not outside else moment_outside(min(outside))


def within(moment: datetime, starts_at: datetime | None, ends_at: datetime | None) -> bool:
    """Tell whether a moment is within bounds that are both inside."""
    return (starts_at is None or starts_at <= moment) and (ends_at is None or moment <= ends_at)


def moment_outside(moment: datetime) -> Reason:
    """Return that an exact moment of a dose is outside the order's bounds: one of the two is wrong."""
    when = f"{moment:%d.%m.%Y %H:%M}"
    return reason(
        RULE_CONTRADICTION, f"the exact moment {when} is outside the bounds of the order: ask which one is meant",
        f"точный момент {when} вне срока назначения: уточните, что верно",
    )  # fmt: skip


def _permission(repeat: Repeat, kind: ScheduleKind, code: str) -> Permission:
    """Return what is allowed beyond what is scheduled; of as-needed doses the most times are the pattern itself."""
    often = None
    if kind is not ScheduleKind.PRN and repeat.frequency is not None and repeat.frequency_max is not None:
        often = (repeat.frequency, repeat.frequency_max)
    period = None
    if repeat.period is not None and repeat.period_max is not None and repeat.period_unit is not None:
        period = (Span(repeat.period, repeat.period_unit), Span(repeat.period_max, repeat.period_unit))
    if kind is ScheduleKind.ONCE and (again := repeats_allowed(code)):
        return Permission(often, period, 1 + again)
    return Permission(often, period, repeat.count_max)


_Spans = tuple[Span, Span] | None


def _lasts(
    dosage: Dosage, repeat: Repeat, patterns: tuple[tuple[date, Pattern], ...], rules: ScheduleRules
) -> tuple[_Spans, _Spans] | Reason:
    """Return (how long the course lasts, how long one dose takes)."""
    if dosage.lasts is not None and (wrong := _wrong_bounds(dosage.lasts)) is not None:
        return wrong
    if dosage.starts_at is not None and dosage.ends_at is not None and dosage.ends_at < dosage.starts_at:
        return reason(RULE_VALUE, "a dosage ends before it starts", "дозировка кончается раньше, чем начинается")
    if repeat.duration is None or repeat.duration_unit is None:
        return dosage.lasts, None
    least = Span(repeat.duration, repeat.duration_unit)
    spans = (least, Span(repeat.duration_max or repeat.duration, repeat.duration_unit))
    if rules.duration is DurationMeaning.DOSE or not _is_course(least, repeat, patterns):
        return dosage.lasts, spans
    if rules.duration is DurationMeaning.COURSE and dosage.lasts is None:
        return _wrong_bounds(spans) or (spans, None)
    return reason(
        RULE_DURATION, f"a duration of {span_text(least, least, 'en')} is not shorter than the period: is it the length of the course?",
        f"длительность {length_text(least)} не меньше периода: это длина курса?",
    )  # fmt: skip


def _is_course(duration: Span, repeat: Repeat, patterns: tuple[tuple[date, Pattern], ...]) -> bool:
    """Tell whether a duration is at least the time from one dose to the next, so that it can hardly be of one dose."""
    passed = elapsed(duration)
    if passed is None:
        return True
    if repeat.period is not None and repeat.period_unit is not None and (period := elapsed(Span(repeat.period, repeat.period_unit))) is not None:
        return passed >= period
    gap = least_interval(Schedule(ScheduleKind.REGULAR, (Course(ScheduleKind.REGULAR, patterns),)))
    return gap is not None and passed >= gap


def _wrong_bounds(lasts: tuple[Span, Span]) -> Reason | None:
    least, most = (_days_in(span) for span in lasts)
    if not 0 < least <= _LONGEST_DAYS:
        return reason(RULE_VALUE, f"a course of {span_text(*lasts, 'en')} is none", f"курс {span_text(*lasts, 'ru')} — не курс")
    if most < least:
        return reason(RULE_RANGE, f"a course of {span_text(*lasts, 'en')} is no range", f"курс {span_text(*lasts, 'ru')} — не диапазон")
    months = months_in(lasts[0])
    if months is not None and months.denominator != 1:
        return reason(RULE_VALUE, f"a course of {span_text(*lasts, 'en')} has no exact end", f"у курса {span_text(*lasts, 'ru')} нет точного конца")
    return None


def _days_in(span: Span) -> Fraction:
    """Return about how many days a length has, for comparing and limiting it only."""
    return span.value * _ABOUT_DAYS[span.unit]
