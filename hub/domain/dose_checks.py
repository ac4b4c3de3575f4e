"""Checks of a dose against drug, schedule and the patient's other orders: each a named rule that says what a person must look at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from math import ceil

from hub.domain.counted_words import range_text
from hub.domain.drugs import Dosing, Drug, Form
from hub.domain.orders import OrderLine, RangePolicy, Reason
from hub.domain.quantities import Quantity, convert, fraction_text
from hub.domain.schedule import Schedule, ScheduleKind, days_between, doses_a_day, factors_of, least_interval
from hub.domain.sounds import sound, words_of
from hub.domain.strengths import dispensing_unit, parse_strength, units_for
from hub.domain.timing import DoseLimit, LimitPer, PeriodUnit, Span

RULE_WRITTEN_MAXIMUM = "written-maximum"
RULE_DIRECTORY_MAXIMUM = "directory-maximum"
RULE_TENFOLD = "tenfold"
RULE_WEEKLY = "weekly-drug"
RULE_RANGE = "dose-range"
SOURCE_WRITTEN = "the prescriber's own maximum (FHIR Dosage.maxDosePer…)"
SOURCE_DIRECTORY = "drug directory: most_at_once, most_a_day"
SOURCE_USUAL = "drug directory: usual_dose"
SOURCE_WEEKLY = "ISMP list of high-alert medications (oral methotrexate); drug directory: dosed"
SOURCE_RANGE = "settings of the source: range_policy"
TENFOLD_FROM = 8
DAYS_OF_A_WEEK = 7
_AT_ONCE = ("at once", "на один приём")

_DAYS: Mapping[PeriodUnit, Fraction] = {
    PeriodUnit.SECOND: Fraction(1, 86_400), PeriodUnit.MINUTE: Fraction(1, 1440), PeriodUnit.HOUR: Fraction(1, 24), PeriodUnit.DAY: Fraction(1),
    PeriodUnit.WEEK: Fraction(7), PeriodUnit.MONTH: Fraction(31), PeriodUnit.YEAR: Fraction(366),
}  # fmt: skip
_SPAN_RU: Mapping[PeriodUnit, str] = {
    PeriodUnit.SECOND: "с", PeriodUnit.MINUTE: "мин", PeriodUnit.HOUR: "ч", PeriodUnit.DAY: "сут", PeriodUnit.WEEK: "нед", PeriodUnit.MONTH: "мес",
    PeriodUnit.YEAR: "лет",
}  # fmt: skip


class Weekly(StrEnum):
    """Which items of an INN are given once a week only."""

    ALL = "all"
    STRONG = "strong"
    INJECTED = "injected"


# Beginnings of INNs, as they sound. Bisphosphonates also come in daily tablets: the weekly ones hold at least 35 mg.
_WEEKLY_STEMS: Mapping[str, Weekly] = {
    sound(stem): kind
    for stem, kind in {
        "methotrexat": Weekly.ALL, "alendron": Weekly.STRONG, "risedron": Weekly.STRONG, "dulaglutid": Weekly.ALL, "albiglutid": Weekly.ALL,
        "semaglutid": Weekly.INJECTED, "tirzepatid": Weekly.ALL,
    }.items()
}  # fmt: skip
_LEAST_WEEKLY = Quantity(Fraction(35), "mg")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What a schedule asks of a dose: the most at one time and on one day, counted in the line's dose.

    `days_between` is the average number of days between dosing days (0: no second one follows), `least_gap` the shortest time between
    two doses, in days.
    """

    at_once: Fraction
    a_day: Fraction
    days_between: Fraction
    least_gap: Fraction | None

    def most_in(self, days: Fraction) -> Fraction:
        """Return the most that falls into a span of so many days."""
        if days < 1:
            return self.at_once * (ceil(days / self.least_gap) if self.least_gap else 1)
        return max(self.at_once, self.a_day * ceil(days / max(Fraction(1), self.days_between)))


@lru_cache(maxsize=4096)
def rhythm_of(schedule: Schedule) -> Rhythm:
    """Return the rhythm of a schedule; what has no times counts as one dose. Remembered, as a patient's orders are compared with each other again and again."""
    at_once, gap = max(factors_of(schedule)), least_interval(schedule)
    least_gap = None if gap is None else Fraction(gap // timedelta(seconds=1), 86_400)
    return Rhythm(at_once, max(at_once, doses_a_day(schedule)), days_between(schedule), least_gap)


def settled_dose(dose: tuple[Quantity, Quantity], policy: RangePolicy) -> Quantity | Reason:
    """Return the one dose that a written range means by the source's policy, or the reason why a person must choose."""
    low, high = dose
    if low is high or low == high or policy is RangePolicy.LOWER:
        return low
    if policy is RangePolicy.UPPER:
        return high
    return Reason(
        RULE_RANGE,
        f"the dose {range_text(low, high)} must be settled before it is packed",
        SOURCE_RANGE,
        f"доза от {low.in_russian()} до {high.in_russian()}: до упаковки её надо уточнить",
    )


def is_weekly(drug: Drug) -> bool:
    """Tell whether a drug is given once a week at most: by its directory line, or because its INN is known for it."""
    if drug.dosed is Dosing.WEEKLY:
        return True
    return any(_is_weekly_item(drug, kind) for kind in _weekly_kinds(drug.inn, drug.trade_name))


@lru_cache(maxsize=8192)
def _weekly_kinds(inn: str, trade_name: str) -> tuple[Weekly, ...]:
    names = [sound(word) for word in words_of(f"{inn} {trade_name}")]
    return tuple(kind for stem, kind in _WEEKLY_STEMS.items() if any(name.startswith(stem) for name in names))


def _is_weekly_item(drug: Drug, kind: Weekly) -> bool:
    if kind is Weekly.INJECTED:
        return drug.form not in {Form.TABLET, Form.CAPSULE}
    if kind is Weekly.ALL:
        return True
    held = in_unit_of(Quantity(Fraction(1), dispensing_unit(drug)), drug, _LEAST_WEEKLY.unit)
    return held is None or held >= _LEAST_WEEKLY.amount


def weekly_stop(drug: Drug, schedule: Schedule) -> Iterator[Reason]:
    """Yield why a drug of weekly dosing must not be given by a schedule: a hard stop, which no code table and nobody's name lifts."""
    if schedule.kind not in {ScheduleKind.REGULAR, ScheduleKind.PRN} or not is_weekly(drug):
        return
    if schedule.kind is ScheduleKind.REGULAR and not _is_oftener_than_weekly(rhythm_of(schedule)) and not _is_permitted_oftener(schedule):
        return
    yield Reason(
        RULE_WEEKLY,
        f"'{drug.inn}' is given once a week at most, and this order asks for it more often: a daily dose of it kills",
        SOURCE_WEEKLY,
        f"«{drug.inn}» дают не чаще раза в неделю, а здесь назначено чаще: ежедневный приём смертелен",
    )


def _is_oftener_than_weekly(rhythm: Rhythm) -> bool:
    """Tell whether two dosing days may be nearer than a week; the parts of one day's dose count as one."""
    gap = rhythm.least_gap
    return 0 < rhythm.days_between < DAYS_OF_A_WEEK or (gap is not None and 1 <= gap < DAYS_OF_A_WEEK)


def _is_permitted_oftener(schedule: Schedule) -> bool:
    """Tell whether more times are permitted than are scheduled: `1 to 3 times a week` lets a ward give three."""
    often = (course.permission.frequency for course in schedule.courses)
    return any(each is not None and each[1] > each[0] for each in often)


def dose_doubts(line: OrderLine, drug: Drug, schedule: Schedule) -> Iterator[Reason]:
    """Yield what a pharmacist must look at in a line's dose before anything is packed or given."""
    if schedule.kind is ScheduleKind.CONTINUOUS and is_weekly(drug):
        yield _weekly_unclear(drug)
    if line.dose is None or line.dose[1].amount <= 0 or not _is_limited(line, drug):
        return
    rhythm = rhythm_of(schedule)
    for dosage in line.dosages:
        for limit in dosage.limits:
            yield from _written_maximum(limit, line.dose[1], drug, rhythm)
    yield from _directory_maxima(line.dose[1], drug, rhythm)
    yield from _tenfold(line.dose, drug, rhythm)


def maxima_of_unknown_drug(line: OrderLine, schedule: Schedule) -> Iterator[Reason]:
    """Yield the prescriber's own maxima that a dose is above, or cannot be compared with, where nobody knows the drug's strength."""
    if line.dose is not None and any(dosage.limits for dosage in line.dosages):
        rhythm = rhythm_of(schedule)
        for limit in (limit for dosage in line.dosages for limit in dosage.limits):
            yield from _written_maximum(limit, line.dose[1], None, rhythm)


def _is_limited(line: OrderLine, drug: Drug) -> bool:
    """Tell whether anything is known that a dose could be held against; most lines have nothing, and a day has thousands."""
    known = drug.usual_dose or drug.most_at_once or drug.most_a_day
    return known is not None or any(dosage.limits for dosage in line.dosages)


def _weekly_unclear(drug: Drug) -> Reason:
    return Reason(
        RULE_WEEKLY,
        f"'{drug.inn}' is given once a week at most, and this order does not say on which day: ask the prescriber",
        SOURCE_WEEKLY,
        f"«{drug.inn}» дают не чаще раза в неделю, а день недели не указан: уточните у врача",
    )


def _written_maximum(limit: DoseLimit, dose: Quantity, drug: Drug | None, rhythm: Rhythm) -> Iterator[Reason]:
    if limit.per is LimitPer.LIFETIME:
        yield Reason(
            RULE_WRITTEN_MAXIMUM,
            f"at most {limit.most} in the patient's life is written, and what was given before is not known here",
            SOURCE_WRITTEN,
            f"указан предел на всю жизнь пациента: {limit.most.in_russian()}, а сколько уже дано, здесь не известно",
        )
        return
    times, words = rhythm.at_once, _AT_ONCE
    if limit.per is LimitPer.PERIOD and limit.span is not None:
        times, words = rhythm.most_in(_days_in(limit.span)), _span_words(limit.span)
    yield from _too_much(dose.times(times), limit.most, drug, RULE_WRITTEN_MAXIMUM, SOURCE_WRITTEN, words)


def _days_in(span: Span) -> Fraction:
    return span.value * _DAYS[span.unit]


def _span_words(span: Span) -> tuple[str, str]:
    value = fraction_text(span.value)
    return f"in {value} {span.unit.value}", f"за {value.replace('.', ',')} {_SPAN_RU[span.unit]}"


def _directory_maxima(dose: Quantity, drug: Drug, rhythm: Rhythm) -> Iterator[Reason]:
    if drug.most_at_once is not None:
        yield from _too_much(dose.times(rhythm.at_once), drug.most_at_once, drug, RULE_DIRECTORY_MAXIMUM, SOURCE_DIRECTORY, _AT_ONCE)
    if drug.most_a_day is not None:
        yield from _too_much(dose.times(rhythm.a_day), drug.most_a_day, drug, RULE_DIRECTORY_MAXIMUM, SOURCE_DIRECTORY, ("a day", "в сутки"))


def _too_much(
    dose: Quantity, most: Quantity, drug: Drug | None, rule: str, source: str, words: tuple[str, str]
) -> Iterator[Reason]:
    """Yield a reason where a dose is above a maximum, and where the two cannot be compared."""
    english, russian = words
    amount = _amount_in(dose, drug, most.unit)
    if amount is None:
        yield Reason(
            rule,
            f"the maximum {english} is {most}, and {dose} cannot be compared with it",
            source,
            f"предел {russian}: {most.in_russian()}, сравнить с ним дозу {dose.in_russian()} нельзя",
        )
    elif amount > most.amount:
        reached = Quantity(amount, most.unit)
        yield Reason(
            rule,
            f"{reached} {english} is more than the maximum of {most}",
            source,
            f"{reached.in_russian()} {russian}: больше предела {most.in_russian()}",
        )


def _amount_in(dose: Quantity, drug: Drug | None, unit: str) -> Fraction | None:
    if drug is not None:
        return in_unit_of(dose, drug, unit)
    same = convert(dose, unit)
    return None if same is None else same.amount


def _tenfold(dose: tuple[Quantity, Quantity], drug: Drug, rhythm: Rhythm) -> Iterator[Reason]:
    """Yield a reason where a dose is about ten times the usual one, or a tenth: a slip of the decimal sign or of mg and mcg."""
    usual = drug.usual_dose
    if usual is None:
        return
    least, most = (in_unit_of(each, drug, usual.unit) for each in (dose[0], dose[1].times(rhythm.at_once)))
    if least is None or most is None:
        yield Reason(
            RULE_TENFOLD,
            f"the usual dose of '{drug.inn}' is {usual}, and {dose[0]} cannot be compared with it",
            SOURCE_USUAL,
            f"обычная доза «{drug.inn}»: {usual.in_russian()}, сравнить с ней {dose[0].in_russian()} нельзя",
        )
    elif most >= usual.amount * TENFOLD_FROM:
        times = round(most / usual.amount)
        yield _slip(drug, Quantity(most, usual.unit), f"about {times} times", f"примерно в {times} раз больше обычной")
    elif least * TENFOLD_FROM <= usual.amount:
        times = round(usual.amount / least)
        yield _slip(drug, Quantity(least, usual.unit), f"about 1/{times} of", f"примерно в {times} раз меньше обычной")


def _slip(drug: Drug, dose: Quantity, english: str, russian: str) -> Reason:
    usual = drug.usual_dose or dose
    return Reason(
        RULE_TENFOLD,
        f"{dose} of '{drug.inn}' is {english} the usual dose of {usual}: is the decimal sign or the unit right?",
        SOURCE_USUAL,
        f"{dose.in_russian()} «{drug.inn}» {russian} дозы ({usual.in_russian()}): верны ли запятая и единица?",
    )


def in_unit_of(dose: Quantity, drug: Drug, unit: str) -> Fraction | None:
    """Return a dose in another unit, exactly: by conversion, or by what the drug's strength says; None where nothing says it."""
    same = convert(dose, unit)
    if same is not None:
        return same.amount
    counted = units_for(dose, drug)
    if isinstance(counted, Reason):
        return None
    named = dispensing_unit(drug)
    strength = parse_strength(drug.strength, named)
    held = [Quantity(Fraction(1), named)]
    if strength is not None:
        held += strength.amounts if not strength.combination else ()
        held += [strength.volume] if strength.volume is not None else []
    return next((counted * one.amount for each in held if (one := convert(each, unit)) is not None), None)
