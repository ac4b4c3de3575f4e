"""FHIR Timing read exactly as it was written; what cannot be a time or a number is named in words."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, tzinfo
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from hub.adapters.intake.amounts import exact
from hub.adapters.intake.fhir_model import Amount, Concept, DosageElement, Extension, TimingElement
from hub.adapters.intake.fhir_model import Repeat as RepeatElement
from hub.adapters.intake.moments import is_date_alone, partial_moment
from hub.domain.frequencies import is_prn
from hub.domain.timing import PeriodUnit, Repeat, Span, Timing
from hub.domain.words import Words
from hub.domain.written_rates import held_back, rate_of, rates_in, says_as_needed

ABBREVIATIONS = frozenset({
    "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation", "http://hl7.org/fhir/v3/GTSAbbreviation", "urn:oid:2.16.840.1.113883.5.1022",
})  # fmt: skip
# Members of R5 that a dosage of an earlier version carries (FHIR R5 versions.html, extensions for conversion between versions).
AS_NEEDED = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Dosage.asNeeded"
AS_NEEDED_FOR = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Dosage.asNeededFor"
MOST_EVENTS = 1000
LARGEST_NUMBER = 100_000
EARLIEST_YEAR, LATEST_YEAR = 1970, 2300
_WEEKDAYS = {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
_UNITS = {unit.value: unit for unit in PeriodUnit}
_PRINTED: Mapping[str, PeriodUnit] = _UNITS | {
    word: unit
    for unit, words in {
        PeriodUnit.SECOND: "second seconds sec sekunde sekunden секунда секунды секунд",
        PeriodUnit.MINUTE: "minute minutes mins minuten минута минуты минут мин",
        PeriodUnit.HOUR: "hour hours hr hrs stunde stunden час часа часов ч",
        PeriodUnit.DAY: "day days tag tage день дня дней сутки суток дн",
        PeriodUnit.WEEK: "week weeks woche wochen неделя недели недель нед",
        PeriodUnit.MONTH: "month months monat monate месяц месяца месяцев мес",
        PeriodUnit.YEAR: "year years jahr jahre год года лет",
    }.items()
    for word in words.split()
}
_PLURAL_IN_BRACKETS = re.compile(r"\((?:s|e|n)\)$")
_UCUM = frozenset({"", "http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8"})

Doubts = list[Words]
Bounds = tuple[datetime | None, datetime | None]


def read_timing(dosage: DosageElement, zone: tzinfo, unsupported: Doubts) -> Timing | None:
    """Return when a dosage is to be given; append to `unsupported` what was written and cannot be a time or a number."""
    prn = (
        dosage.as_needed_boolean
        or dosage.as_needed
        or bool(dosage.as_needed_for)
        or dosage.as_needed_codeable_concept is not None
        or any(map(_says_as_needed, dosage.extension))
    )
    if dosage.timing is None:
        return Timing(prn=True) if prn else None
    element = dosage.timing
    code = _code(element.code, unsupported) if element.code else None
    if code is not None and not prn and element.repeat is None and not element.event:
        _name_other_sayings(dosage.text, code, None, unsupported)
        return coded_timing(code)
    repeat = _repeat(element.repeat, unsupported) if element.repeat else None
    if not prn:
        _name_other_sayings(dosage.text, code, repeat, unsupported)
    timing = Timing(code=code, prn=prn, repeat=repeat, events=_events(element, zone, unsupported))
    return timing if timing.is_written else None


def _says_as_needed(extension: Extension) -> bool:
    return extension.url == AS_NEEDED_FOR or (extension.url == AS_NEEDED and extension.value_boolean)


def _name_other_sayings(text: str, code: str | None, repeat: Repeat | None, unsupported: Doubts) -> None:
    """Name what the text of a dosage says against its members: another number of times a day, or when to hold it back."""
    if not text:
        return
    if held_back(text):
        unsupported.append(Words(f"dosage.text that says when to hold the dose: {_sentence(text)}", f"dosage.text с условием, когда не давать: {_sentence(text)}"))
    if says_as_needed(text) and not is_prn(code or ""):
        unsupported.append(Words(
            f"dosage.text that says 'when needed', and asNeeded is not written: {_sentence(text)}",
            f"dosage.text со словами «при необходимости», а asNeeded не указан: {_sentence(text)}",
        ))
        return
    said, written = text_rates(text), set(text_rates(code or ""))
    if not written and repeat is not None and (rate := rate_of(repeat)) is not None:
        written = {rate}
    if said and written and not said & written:
        unsupported.append(Words(
            f"dosage.text that says another timing than timing: {_sentence(text)}",
            f"dosage.text с другим режимом, чем timing: {_sentence(text)}",
        ))


@lru_cache(maxsize=8192)
def text_rates(text: str) -> frozenset[Fraction]:
    """Return the numbers of times a day that a text names; remembered, as a day repeats the same few sentences."""
    return rates_in(text)


def _sentence(text: str) -> str:
    return text[:200]


@lru_cache(maxsize=1024)
def coded_timing(code: str) -> Timing:
    """Return the timing of a code alone; a day has thousands of orders and some dozens of codes."""
    return Timing(code=code)


def _code(concept: Concept, unsupported: Doubts) -> str | None:
    """Return the code that FHIR itself gives a meaning, or else the first one; a text where there is none."""
    sayings = [*(coding.code for coding in concept.coding if coding.code), *([concept.text] if concept.text and concept.coding else [])]
    said = [(saying, rates) for saying in sayings if (rates := text_rates(saying))]
    if len(said) > 1 and not frozenset.intersection(*(rates for _, rates in said)):
        unsupported.append(Words(
            "timing.code that says different things: " + " and ".join(_short(saying) for saying, _ in said),
            "timing.code, в котором сказано разное: " + " и ".join(_short(saying) for saying, _ in said),
        ))
    if len(concept.coding) == 1:
        return concept.first_code() or None
    general = {coding.code for coding in concept.coding if coding.system in ABBREVIATIONS and coding.code}
    if len(general) > 1:
        unsupported.append(Words(
            "timing.code that says " + " and ".join(sorted(general)),
            "timing.code с разными значениями: " + " и ".join(sorted(general)),
        ))
    return min(general) if general else concept.first_code() or None


def _repeat(element: RepeatElement, unsupported: Doubts) -> Repeat | None:
    repeat = Repeat(
        frequency=_count("frequency", element.frequency, unsupported),
        frequency_max=_count("frequencyMax", element.frequency_max, unsupported),
        period=_number("period", element.period, unsupported),
        period_max=_number("periodMax", element.period_max, unsupported),
        period_unit=_unit("periodUnit", element.period_unit, unsupported),
        weekdays=_weekdays(element.day_of_week, unsupported) if element.day_of_week else (),
        times=_times(element.time_of_day, unsupported) if element.time_of_day else (),
        when=tuple(code for code in element.when if code),
        offset_minutes=_count("offset", element.offset, unsupported, least=0),
        count=_count("count", element.count, unsupported),
        count_max=_count("countMax", element.count_max, unsupported),
        duration=_number("duration", element.duration, unsupported),
        duration_max=_number("durationMax", element.duration_max, unsupported),
        duration_unit=_unit("durationUnit", element.duration_unit, unsupported),
    )
    return None if repeat == _NOTHING else repeat


_NOTHING = Repeat()


def _count(name: str, value: Decimal | None, unsupported: Doubts, least: int = 1) -> int | None:
    if value is None:
        return None
    number = exact(value)
    if number is not None and number.denominator == 1 and least <= number <= LARGEST_NUMBER:
        return number.numerator
    unsupported.append(Words(f"timing.repeat.{name} {_short(value)}", f"значение timing.repeat.{name}: {_short(value)}"))
    return None


def _number(name: str, value: Decimal | None, unsupported: Doubts) -> Fraction | None:
    """Return an exact number above zero (FHIR tim-4, tim-5: never negative; nothing is given every 0 hours)."""
    if value is None:
        return None
    number = exact(value)
    if number is not None and 0 < number <= LARGEST_NUMBER:
        return number
    unsupported.append(Words(f"timing.repeat.{name} {_short(value)}", f"значение timing.repeat.{name}: {_short(value)}"))
    return None


def _short(value: object) -> str:
    return str(value)[:40] or "(empty)"


def _unit(name: str, code: str, unsupported: Doubts) -> PeriodUnit | None:
    unit = _UNITS.get(code)
    if code and unit is None:
        unsupported.append(Words(f"timing.repeat.{name} {_short(code)}", f"значение timing.repeat.{name}: {_short(code)}"))
    return unit


def _weekdays(names: Sequence[str | None], unsupported: Doubts) -> tuple[int, ...]:
    unknown = [name for name in names if name not in _WEEKDAYS]
    if unknown:
        unsupported.append(Words(
            "timing.repeat.dayOfWeek " + " ".join(_short(name or "") for name in unknown),
            "значение timing.repeat.dayOfWeek: " + " ".join(_short(name or "") for name in unknown),
        ))
    return tuple(sorted({_WEEKDAYS[name] for name in names if name in _WEEKDAYS}))


def _times(texts: Sequence[str | None], unsupported: Doubts) -> tuple[time, ...]:
    found = [_clock(text or "") for text in texts]
    if None in found:
        unsupported.append(Words(
            "timing.repeat.timeOfDay " + " ".join(_short(text or "") for text in texts),
            "значение timing.repeat.timeOfDay: " + " ".join(_short(text or "") for text in texts),
        ))
    return tuple(sorted({clock for clock in found if clock is not None}))


@lru_cache(maxsize=1024)
def _clock(text: str) -> time | None:
    """Return the clock time of `08:00:00`; None for anything else, also with a zone, which FHIR's `time` has not."""
    try:
        clock = time.fromisoformat(text)
    except ValueError:
        return None
    return clock if clock.tzinfo is None and ":" in text else None


def _events(element: TimingElement, zone: tzinfo, unsupported: Doubts) -> tuple[datetime, ...]:
    texts = [text for text in element.event if text]
    if len(texts) > MOST_EVENTS:
        unsupported.append(Words(
            f"timing with {len(texts)} exact event times, more than {MOST_EVENTS}",
            f"в timing точных моментов {len(texts)}, больше {MOST_EVENTS}",
        ))
        return ()
    found: list[datetime] = []
    for text in texts:
        value = read_moment(text, zone, unsupported)
        if value is not None and is_date_alone(text):
            unsupported.append(Words(f"timing.event {text} without a time of day", f"timing.event {text} без времени суток"))
        elif value is not None:
            found.append(value)
    return tuple(sorted(set(found)))


def read_moment(text: str, zone: tzinfo, unsupported: Doubts, *, end: bool = False) -> datetime | None:
    """Return the moment that a FHIR dateTime names, by the hospital's clock; name what is no date and what cannot be of now.

    Also `2026-03` and `2026` are read. Senders often write UTC: words and due times of one order must not be of two clocks.
    """
    if not text:
        return None
    value = _by_the_clock_of(zone, text, end=end)
    if value is not None and EARLIEST_YEAR <= value.year <= LATEST_YEAR:
        return value
    unsupported.append(Words(
        f"a date that cannot be {'read' if value is None else 'meant'}: {_short(text)}",
        f"{'дата не читается' if value is None else 'такая дата невозможна'}: {_short(text)}",
    ))
    return None


@lru_cache(maxsize=8192)
def _by_the_clock_of(zone: tzinfo, text: str, *, end: bool) -> datetime | None:
    value = partial_moment(text, zone, end=end)
    return value.astimezone(zone) if value is not None and EARLIEST_YEAR <= value.year <= LATEST_YEAR else value


def read_period(start: str, end: str, zone: tzinfo, unsupported: Doubts) -> Bounds:
    """Return the first and the last moment of a Period; a date alone as its end is inside as a whole (FHIR R4 Period)."""
    return read_moment(start, zone, unsupported), read_moment(end, zone, unsupported, end=True)


def read_length(repeat: RepeatElement, unsupported: Doubts) -> tuple[Span, Span] | None:
    """Return (least, most) of how long a dosage goes on, from boundsDuration or boundsRange; FHIR allows one kind of bounds."""
    if sum(bool(each) for each in (repeat.bounds_period, repeat.bounds_duration, repeat.bounds_range)) > 1:
        named = "boundsPeriod, boundsDuration, boundsRange"
        unsupported.append(Words(f"timing.repeat with more than one of {named}", f"в timing.repeat больше одного из {named}"))
    if repeat.bounds_duration:
        span = read_span(repeat.bounds_duration)
        if span is None:
            unsupported.append(Words(
                f"timing.repeat.boundsDuration {_amount_text(repeat.bounds_duration)}",
                f"значение timing.repeat.boundsDuration: {_amount_text(repeat.bounds_duration)}",
            ))
        return (span, span) if span else None
    if repeat.bounds_range is None:
        return None
    low, high = (read_span(end) if end else None for end in (repeat.bounds_range.low, repeat.bounds_range.high))
    if low is None or high is None:
        ends = (repeat.bounds_range.low, repeat.bounds_range.high)
        unsupported.append(
            Words(
                "timing.repeat.boundsRange " + " to ".join(_amount_text(end) if end else "?" for end in ends),
                "значение timing.repeat.boundsRange: " + " — ".join(_amount_text(end) if end else "?" for end in ends),
            )
        )
        return None
    return low, high


def read_span(amount: Amount) -> Span | None:
    """Return a length of time above zero; None for anything else, also where the printed unit and the code are not one."""
    value = exact(amount.value) if amount.value is not None and not amount.comparator else None
    unit = _unit_of(amount)
    return Span(value, unit) if value is not None and 0 < value <= LARGEST_NUMBER and unit is not None else None


def _unit_of(amount: Amount) -> PeriodUnit | None:
    printed = _PRINTED.get(_PLURAL_IN_BRACKETS.sub("", amount.unit.strip().casefold()))
    if not amount.code or amount.system not in _UCUM:
        return printed
    coded = _UNITS.get(amount.code)
    return coded if printed in (coded, None) else None


def _amount_text(amount: Amount) -> str:
    unit = (
        f"{amount.code} ({amount.unit})"
        if amount.code and amount.unit not in ("", amount.code)
        else amount.code or amount.unit
    )
    return f"{amount.comparator}{_short(amount.value)} {unit or '(no unit)'}"
