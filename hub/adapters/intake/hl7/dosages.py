"""From written timings to dosages: exact values where the standard gives them, and the name of everything else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from fractions import Fraction

from hub.adapters.intake.hl7.patterns import AT_ONCE, at_times, every, timing_of
from hub.adapters.intake.hl7.timestamps import Stamp, clock, number, stamp, whole
from hub.adapters.intake.hl7.timings import ROUTINE, Pattern, Written
from hub.domain.quantities import Quantity
from hub.domain.timing import Dosage, PeriodUnit, Repeat, Span, Timing
from hub.domain.words import Words, about_times

Dose = tuple[Quantity, Quantity]
Doubts = list[Words]
_START, _END = Words("start", "начало"), Words("end", "конец")
URGENT = frozenset({"S", "STAT", "A", "ASAP", "NOW"})
_DURATION = re.compile(r"([SMHDWL])([1-9]\d{0,3})")
_COUNT = re.compile(r"X([1-9]\d{0,3})")
_LETTERS = {
    "S": PeriodUnit.SECOND, "M": PeriodUnit.MINUTE, "H": PeriodUnit.HOUR, "D": PeriodUnit.DAY, "W": PeriodUnit.WEEK, "L": PeriodUnit.MONTH,
}  # fmt: skip
_SPELLINGS = {
    PeriodUnit.SECOND: "s sec second seconds",
    PeriodUnit.MINUTE: "min minute minutes",
    PeriodUnit.HOUR: "h hr hour hours",
    PeriodUnit.DAY: "d day days",
    PeriodUnit.WEEK: "w wk week weeks",
    PeriodUnit.MONTH: "l mo month months",
    PeriodUnit.YEAR: "a y yr year years",
}
_UNITS = {spelling: unit for unit, words in _SPELLINGS.items() for spelling in words.split()}
_CLOCK_UNITS = {PeriodUnit.SECOND: 1, PeriodUnit.MINUTE: 60, PeriodUnit.HOUR: 3600}
_EVENTS = "MORN NOON AFT EVE NIGHT PHS HS WAKE C CM CD CV AC ACM ACD ACV PC PCM PCD PCV IMD MORN.early MORN.late AFT.early AFT.late EVE.early EVE.late"
_WHEN = frozenset(_EVENTS.split())


@dataclass(frozen=True, slots=True)
class Course:
    """The dosages of an order with the bounds that hold for all of them."""

    dosages: tuple[Dosage, ...]
    starts: Stamp | None
    ends_at: datetime | None
    stat: bool


def course_of(written: Sequence[Written], dose: Dose | None, route: str, text: str, zone: tzinfo, unsupported: Doubts) -> Course:
    """Return the dosages of an order; several timings go on together or one after the other, as their conjunctions say."""
    timings, of_times = list(written) or [Written()], Doubts()
    starts = [_stamp(one.starts, _START, zone, of_times) for one in timings]
    ends = [_end(one.ends, zone, of_times) for one in timings]
    sequences = _sequences(timings, starts, ends, of_times)
    stat = any(_priorities(one, unsupported) for one in timings)
    dosages: list[Dosage] = []
    for at, one in enumerate(timings):
        own = Dosage(
            dose=_dose(one, dose, unsupported),
            route=route,
            sequence=sequences[at],
            starts_at=starts[at].at if starts[at] is not None and len(timings) > 1 else None,  # type: ignore[union-attr]
            ends_at=ends[at] if len(timings) > 1 else None,
            lasts=_lasts(one.duration, of_times),
            text=" | ".join(part for part in (_pattern_text(one), one.text, text) if part),
        )
        dosages += [replace(own, timing=timing) for timing in _at_once(one, starts[at], ends[at]) or _timings(one, of_times)]
    unsupported += about_times(of_times)
    stat = stat or any(dosage.timing is not None and (dosage.timing.code or "") in AT_ONCE for dosage in dosages)
    known = [start for start in starts if start is not None]
    last = None if None in ends else max(end for end in ends if end is not None)
    return Course(tuple(dosages), min(known, key=lambda one: one.at, default=None), last, stat)


def _at_once(written: Written, start: Stamp | None, end: datetime | None) -> list[Timing | None]:
    """Return the one moment of a timing without a pattern whose single occurrence fills it: from eight to one, and lasting five hours."""
    span = length(written.occurrence) if written.occurrence else None
    if written.patterns or written.times or start is None or end is None or span is None or span.unit not in _CLOCK_UNITS:
        return []
    if start.is_day or end - start.at != timedelta(seconds=int(span.value * _CLOCK_UNITS[span.unit])):
        return []
    return [Timing(events=(start.at,), repeat=Repeat(duration=span.value, duration_unit=span.unit))]


def _pattern_text(written: Written) -> str:
    return ", ".join(dict.fromkeys(pattern.text for pattern in written.patterns if pattern.text))


def _stamp(text: str, what: Words, zone: tzinfo, unsupported: Doubts) -> Stamp | None:
    found = stamp(text, zone) if text else None
    if text and found is None:
        unsupported.append(Words(f"a {what.en} that cannot be read: {text[:40]}", f"{what.ru} не читается: {text[:40]}"))
    return found


def _end(text: str, zone: tzinfo, unsupported: Doubts) -> datetime | None:
    found = _stamp(text, _END, zone, unsupported)
    return found.end if found is not None else None


def _sequences(
    timings: Sequence[Written], starts: Sequence[Stamp | None], ends: Sequence[datetime | None], unsupported: Doubts
) -> list[int | None]:
    """Return which dosage follows which: S begins the next one, A goes on beside it (HL7 table 0472)."""
    if len(timings) == 1:
        return [None]
    conjunctions = [one.conjunction for one in timings[:-1]]
    sequence, found = 1, [1]
    for conjunction in conjunctions:
        sequence += conjunction == "S"
        found.append(sequence)
    bounded = all(start is not None and end is not None for start, end in zip(starts, ends, strict=True))
    if unknown := sorted({one or "none" for one in conjunctions if one not in ("A", "S")} - ({"none"} if bounded else set())):
        unsupported.append(Words(
            f"{len(timings)} timings with the conjunction {', '.join(unknown)}",
            f"режимов: {len(timings)}, связка между ними: {', '.join('нет' if one == 'none' else one for one in unknown)}",
        ))
    return [None] * len(timings) if "S" not in conjunctions else list(found)


def _priorities(written: Written, unsupported: Doubts) -> bool:
    """Tell whether an order is wanted at once; name a priority that means something else than routine."""
    named = [text.upper() for text in written.priorities]
    for text in named:
        if text not in URGENT | ROUTINE and text != "PRN":
            unsupported.append(Words(f"priority {text[:40]}", f"срочность {text[:40]}"))
    return not URGENT.isdisjoint(named)


def _dose(written: Written, dose: Dose | None, unsupported: Doubts) -> Dose | None:
    """Return the dose each time: the give amount, of which the quantity says how many (HL7 v2.5.1, 4.14.4.3: it is 1)."""
    if not written.quantity:
        return dose
    quantity = number(written.quantity)
    if quantity == 1 or (dose is not None and quantity == dose[0].amount == dose[1].amount):
        return dose
    told = f"{written.quantity} {written.quantity_unit}".strip()[:60]
    unsupported.append(Words(f"a quantity of {told} each time beside the amount to give", f"количество {told} на приём рядом с дозой"))
    return dose


def _lasts(text: str, unsupported: Doubts) -> tuple[Span, Span] | None:
    if not text or text.upper() == "INDEF" or _COUNT.fullmatch(text.upper()):
        return None
    found = length(text)
    if found is None:
        unsupported.append(Words(f"a duration of {text[:40]}", f"длительность не читается: {text[:40]}"))
        return None
    return found, found


def length(text: str) -> Span | None:
    """Return a length of time in `D4`, `7 D`, `7 days`; None for anything else, and for the unit M, which is two things."""
    if match := _DURATION.fullmatch(text.upper()):
        return Span(Fraction(match[2]), _LETTERS[match[1]])
    amount, _, unit = text.partition(" ")
    value, known = number(amount), _UNITS.get(unit.strip().casefold())
    return Span(value, known) if value and known else None


def _timings(written: Written, unsupported: Doubts) -> list[Timing | None]:
    """Return one timing a repeat pattern; None where nothing says when."""
    prn = "PRN" in {text.upper() for text in written.priorities}
    if written.relative:
        unsupported.append(Words(
            f"a relative time or sequence: {written.relative[:60]}",
            f"относительное время или очерёдность: {written.relative[:60]}",
        ))
    if written.condition and not (prn or any(_timing(pattern, [], []).prn for pattern in written.patterns)):
        unsupported.append(Words(f"a condition: {written.condition[:80]}", f"условие: {written.condition[:80]}"))
    explicit = list(written.times)
    found: list[Timing | None] = [_timing(pattern, explicit, unsupported) for pattern in written.patterns]
    if not found and explicit:
        found = [_timing(Pattern(), explicit, unsupported)]
    limited = [_limited(timing, written, unsupported) for timing in found or [None]]
    return [replace(timing, prn=True) if prn and timing else Timing(prn=True) if prn else timing for timing in limited]


def _timing(pattern: Pattern, explicit: Sequence[str], unsupported: Doubts) -> Timing:
    unsupported.extend(pattern.odd)
    timing = timing_of(pattern.code) if pattern.code else Timing()
    timing = _with_period(timing, pattern, unsupported)
    if pattern.event:
        timing = _with_event(timing, pattern, unsupported)
    texts = [*explicit, *pattern.times.split(",")] if pattern.times else list(explicit)
    times = [clock(text) for text in texts]
    known = tuple(sorted({one for one in times if one is not None}))
    if not texts:
        return timing
    held = at_times(timing, known) if None not in times else None
    if held is None:
        unsupported.append(Words(
            f"the times {' '.join(texts)[:80]} beside the pattern {pattern.code or '(none)'}",
            f"время {' '.join(texts)[:80]} рядом с режимом {pattern.code or '(нет)'}",
        ))
    return held or timing


def _with_period(timing: Timing, pattern: Pattern, unsupported: Doubts) -> Timing:
    if not pattern.period and not pattern.period_unit:
        return timing
    value, unit = number(pattern.period), _UNITS.get(pattern.period_unit.casefold())
    if value and unit and not pattern.code:
        return every(value, unit)
    same = every(value, unit).repeat if value and unit else None
    spelt = timing_of(f"Q{value}{unit.name[0]}") if value and unit in (PeriodUnit.HOUR, PeriodUnit.DAY) else None
    if same is None or (timing.repeat != same and timing != spelt):
        unsupported.append(Words(
            f"a period of {pattern.period} {pattern.period_unit} beside the pattern {pattern.code or '(none)'}",
            f"период {pattern.period} {pattern.period_unit} рядом с режимом {pattern.code or '(нет)'}",
        ))
    return timing


def _with_event(timing: Timing, pattern: Pattern, unsupported: Doubts) -> Timing:
    offset = _minutes(pattern)
    if pattern.event not in _WHEN or (pattern.offset and offset is None) or timing.code or timing.repeat:
        unsupported.append(Words(
            f"the event {pattern.event} {pattern.offset} {pattern.offset_unit}".strip(),
            f"событие {pattern.event} {pattern.offset} {pattern.offset_unit}".strip(),
        ))
        return timing
    return Timing(repeat=Repeat(when=(pattern.event,), offset_minutes=offset), prn=timing.prn)


def _minutes(pattern: Pattern) -> int | None:
    value = number(pattern.offset) if pattern.offset else None
    factor = {PeriodUnit.MINUTE: 1, PeriodUnit.HOUR: 60}.get(_UNITS.get(pattern.offset_unit.casefold(), PeriodUnit.YEAR))
    minutes = value * factor if value is not None and factor else None
    return int(minutes) if minutes is not None and minutes.denominator == 1 else None


def _limited(timing: Timing | None, written: Written, unsupported: Doubts) -> Timing | None:
    """Return a timing with its number of occurrences and how long one of them lasts."""
    members: dict[str, object] = {}
    if count := _count(written, unsupported):
        members["count"] = count
    if written.occurrence and (span := length(written.occurrence)):
        members |= {"duration": span.value, "duration_unit": span.unit}
    elif written.occurrence:
        unsupported.append(Words(
            f"an occurrence of {written.occurrence[:40]}",
            f"длительность одного введения не читается: {written.occurrence[:40]}",
        ))
    if not members:
        return timing
    base = timing or Timing()
    if len(written.patterns) > 1 and "count" in members:
        unsupported.append(Words(
            f"{members['count']} occurrences of {len(written.patterns)} patterns together",
            f"общее число приёмов {members['count']} на несколько режимов ({len(written.patterns)})",
        ))
    return replace(base, repeat=replace(base.repeat or Repeat(), **members))  # type: ignore[arg-type]


def _count(written: Written, unsupported: Doubts) -> int | None:
    counted = _COUNT.fullmatch(written.duration.upper())
    told = [text for text in (written.total, counted[1] if counted else "") if text]
    counts = {whole(text) for text in told}
    if len(counts) > 1 or None in counts:
        unsupported.append(Words(f"a total of {' and '.join(told)[:40]} occurrences", f"общее число приёмов: {' и '.join(told)[:40]}"))
        return None
    return counts.pop() if counts else None
