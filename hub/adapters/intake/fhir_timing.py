"""FHIR R4 Timing read into a local frequency code or the slots of a day; what fits neither is named in words."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from hub.adapters.intake.amounts import MAXIMUM_DIGITS
from hub.adapters.intake.fhir_model import Amount, DosageElement, Repeat, TimingElement
from hub.adapters.intake.moments import moment
from hub.domain.schedule import is_prn
from hub.domain.timing import SlotDose, Timing

FREQUENCY_CODES: Mapping[tuple[int, Decimal, str], str] = {
    (1, Decimal(1), "d"): "DAILY",
    (2, Decimal(1), "d"): "BID",
    (3, Decimal(1), "d"): "TID",
    (4, Decimal(1), "d"): "QID",
    (1, Decimal(2), "d"): "EVERY OTHER DAY",
    (1, Decimal(1), "wk"): "1X/WEEK",
    (2, Decimal(1), "wk"): "2X/WEEK",
    (3, Decimal(1), "wk"): "3X/WEEK",
    **{(1, Decimal(hours), "h"): f"Q{hours}H" for hours in (1, 2, 3, 4, 6, 8, 12, 24, 48, 72)},
}
WHEN_SLOTS: Mapping[str, str] = {
    "MORN": "morning",
    "NOON": "noon",
    "EVE": "evening",
    "NIGHT": "night",
    "HS": "night",
    "CM": "morning",
    "CD": "noon",
    "CV": "evening",
}
CLOCK_CODES: Mapping[tuple[str, ...], str] = {
    ("08:00",): "DAILY",
    ("08:00", "20:00"): "BID",
    ("08:00", "14:00", "20:00"): "TID",
    ("08:00", "12:00", "16:00", "20:00"): "QID",
    ("00:00", "06:00", "12:00", "18:00"): "Q6H",
    ("16:00",): "DAILY16",
    ("22:00",): "HS",
}
_BOUND_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "wk": timedelta(weeks=1)}

Words = list[str]


def read_timing(dosage: DosageElement, unsupported: Words) -> Timing | None:
    """Return when a dosage is to be given; append to `unsupported` what the source says and no code can say."""
    prn = dosage.as_needed_boolean or dosage.as_needed_codeable_concept is not None
    if dosage.as_needed is not None:
        unsupported.append("asNeeded is of FHIR R5, not R4")
        prn = True
    if dosage.timing is None:
        return Timing(prn=True) if prn else None
    return _timing(dosage.timing, prn, unsupported)


def _timing(timing: TimingElement, prn: bool, unsupported: Words) -> Timing | None:
    if timing.modifier_extension or (timing.repeat and timing.repeat.modifier_extension):
        unsupported.append("timing with a modifierExtension")
    if timing.event:
        unsupported.append(f"timing with {len(timing.event)} exact event times")
    code = timing.code.first_code() if timing.code else ""
    if timing.repeat and not _is_countable(timing.repeat):
        unsupported.append("timing with a number that cannot be counted with")
        return None
    if timing.repeat:
        _name_what_no_code_says(timing.repeat, unsupported)
    if code:
        return coded_timing(code, prn)
    found = _of_repeat(timing.repeat, unsupported) if timing.repeat else None
    if found is None:
        return Timing(prn=True) if prn else None
    return Timing(code=found.code, slots=found.slots, prn=prn)


def _is_countable(repeat: Repeat) -> bool:
    """Tell whether every number of a timing is finite and neither huge nor tiny beyond reason."""
    bound = repeat.bounds_duration.value if repeat.bounds_duration else None
    numbers = (repeat.duration, repeat.duration_max, repeat.period, repeat.period_max, bound)
    return all(
        number is None or (number.is_finite() and abs(number.adjusted()) <= MAXIMUM_DIGITS and len(number.as_tuple().digits) <= 28)
        for number in numbers
    )


@lru_cache(maxsize=1024)
def coded_timing(code: str, prn: bool) -> Timing:
    """Return the timing of a local frequency code; `PRN` inside the code counts."""
    return Timing(code=code, prn=prn or is_prn(code))


def _name_what_no_code_says(repeat: Repeat, unsupported: Words) -> None:
    members = {
        "countMax": repeat.count_max,
        "duration": repeat.duration,
        "durationMax": repeat.duration_max,
        "frequencyMax": repeat.frequency_max,
        "periodMax": repeat.period_max,
        "offset": repeat.offset or None,
        "boundsRange": repeat.bounds_range and "a range",
    }
    unsupported.extend(f"timing.repeat.{name} {value}" for name, value in members.items() if value is not None)
    if repeat.count is not None and not (repeat.count == 1 and repeat.period is None and not repeat.when):
        unsupported.append(f"timing.repeat.count {repeat.count}")
    if repeat.day_of_week and len(set(repeat.day_of_week)) < 7:
        unsupported.append("timing on certain days of the week: " + " ".join(repeat.day_of_week))


def _of_repeat(repeat: Repeat, unsupported: Words) -> Timing | None:
    if repeat.time_of_day:
        return _of_clock(repeat, unsupported)
    if repeat.when:
        return _of_when(repeat, unsupported)
    if repeat.period is None and repeat.frequency in (None, 1) and repeat.count == 1:
        return Timing(code="ONCE")
    if repeat.period is None:
        if repeat.frequency is not None:
            unsupported.append(f"timing.repeat.frequency {repeat.frequency} without a period")
        return None
    return _of_frequency(repeat, unsupported)


def _of_frequency(repeat: Repeat, unsupported: Words) -> Timing | None:
    period = Decimal(0) if repeat.period is None else repeat.period
    frequency = 1 if repeat.frequency is None else repeat.frequency
    code = FREQUENCY_CODES.get((frequency, period, repeat.period_unit))
    if code is None:
        unsupported.append(f"timing {frequency} times per {period} {repeat.period_unit or '(no unit)'}")
        return None
    return Timing(code=code)


def _daily(repeat: Repeat, events: int) -> bool:
    """Tell whether frequency and period, where present, only say again: these events, every day."""
    return repeat.frequency in (None, events) and repeat.period in (None, 1) and repeat.period_unit in ("", "d")


def _of_clock(repeat: Repeat, unsupported: Words) -> Timing | None:
    times = tuple(sorted(text[:5] if text.endswith(":00") else text for text in repeat.time_of_day))
    code = CLOCK_CODES.get(times)
    if code is None or repeat.when or not _daily(repeat, len(times)):
        unsupported.append("timing at the clock times " + " ".join(times))
        return None
    return Timing(code=code)


def _of_when(repeat: Repeat, unsupported: Words) -> Timing | None:
    slots = [WHEN_SLOTS.get(when) for when in repeat.when]
    named = [slot for slot in slots if slot is not None]
    if len(set(named)) != len(repeat.when) or not _daily(repeat, len(named)):
        unsupported.append("timing at the events " + " ".join(repeat.when))
        return None
    order = ("morning", "noon", "evening", "night")
    return Timing(slots=tuple(SlotDose(slot, Fraction(1)) for slot in sorted(named, key=order.index)))


def read_bounds(
    periods: Sequence[tuple[str, str]], repeat: Repeat | None, zone: tzinfo, unsupported: Words
) -> tuple[datetime | None, datetime | None]:
    """Return (starts, ends) that satisfy every written period: the latest start and the earliest end."""
    texts = list(periods)
    if repeat and repeat.bounds_period:
        texts.append((repeat.bounds_period.start, repeat.bounds_period.end))
    starts = _moments([start for start, _ in texts if start], zone, False, unsupported)
    ends = _moments([end for _, end in texts if end], zone, True, unsupported)
    start = max(starts, default=None)
    if repeat and repeat.bounds_duration and _is_countable(repeat):
        end = _after(start, repeat.bounds_duration)
        if end is None:
            unsupported.append("timing.repeat.boundsDuration that cannot be counted from a start")
        else:
            ends.append(end)
    return start, min(ends, default=None)


def _moments(texts: Sequence[str], zone: tzinfo, end: bool, unsupported: Words) -> list[datetime]:
    found: list[datetime] = []
    for text in texts:
        value = moment(text, zone, end=end)
        if value is None:
            unsupported.append(f"a date that cannot be read: {text}")
        else:
            found.append(value)
    return found


def _after(start: datetime | None, duration: Amount) -> datetime | None:
    unit = _BOUND_UNITS.get(duration.code or duration.unit)
    if start is None or unit is None or duration.value is None or not 0 < duration.value < 10_000:
        return None
    seconds = int(Fraction(duration.value) * int(unit.total_seconds()))
    try:
        return start + timedelta(seconds=seconds)
    except OverflowError:
        return None
