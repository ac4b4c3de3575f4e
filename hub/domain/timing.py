"""What a prescriber wrote about how much and when: one exact form for every source, nothing of it interpreted yet."""

from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from fractions import Fraction

from hub.domain.quantities import Quantity


class PeriodUnit(StrEnum):
    """Unit of a length of time, by its UCUM code (FHIR UnitsOfTime)."""

    SECOND = "s"
    MINUTE = "min"
    HOUR = "h"
    DAY = "d"
    WEEK = "wk"
    MONTH = "mo"
    YEAR = "a"


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time as it was written: 7 days, half an hour; months stay months."""

    value: Fraction
    unit: PeriodUnit


@dataclass(frozen=True, slots=True)
class SlotDose:
    """One intake slot of a day sheet and how many times the dose is taken then (`1`, `2`, `1/2`)."""

    slot: str
    factor: Fraction


@dataclass(frozen=True, slots=True)
class Repeat:
    """A written repetition, the members of FHIR Timing.repeat but its bounds; None and empty mean that nothing was written.

    `weekdays` count from Monday = 0; `when` are codes of FHIR EventTiming; `offset_minutes` is how far from the event.
    """

    frequency: int | None = None
    frequency_max: int | None = None
    period: Fraction | None = None
    period_max: Fraction | None = None
    period_unit: PeriodUnit | None = None
    weekdays: tuple[int, ...] = ()
    times: tuple[time, ...] = ()
    when: tuple[str, ...] = ()
    offset_minutes: int | None = None
    count: int | None = None
    count_max: int | None = None
    duration: Fraction | None = None
    duration_max: Fraction | None = None
    duration_unit: PeriodUnit | None = None


NOTHING_REPEATED = Repeat()


@dataclass(frozen=True, slots=True)
class Timing:
    """When a dosage is to be given, as it was written.

    A local code (its meaning is the source's code table), the four slots of a day sheet, a repetition, or exact moments.
    A code is a whole statement by itself: what is written beside it must not contradict it.
    """

    code: str | None = None
    slots: tuple[SlotDose, ...] = ()
    prn: bool = False
    repeat: Repeat | None = None
    events: tuple[datetime, ...] = ()

    @property
    def is_written(self) -> bool:
        """Tell whether anything says when."""
        repeats = self.repeat is not None and self.repeat != NOTHING_REPEATED
        return bool(self.prn or self.slots or repeats or self.events or (self.code or "").strip())


class LimitPer(StrEnum):
    """What a written maximum dose is counted over."""

    PERIOD = "period"
    ADMINISTRATION = "administration"
    LIFETIME = "lifetime"


@dataclass(frozen=True, slots=True)
class DoseLimit:
    """A maximum that the prescriber wrote; `span` only where it is per period."""

    most: Quantity
    per: LimitPer
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Dosage:
    """One dosage of a line.

    `dose` is (low, high), equal where no range was written, None where the dose is missing. Dosages of one `sequence` go on
    together, a higher one begins when the lower ones are over; None: all go on together. `starts_at` and `ends_at` are the
    dosage's own bounds inside those of the line; `lasts` is (least, most), counted from its start.
    """

    dose: tuple[Quantity, Quantity] | None = None
    timing: Timing | None = None
    route: str = ""
    sequence: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    lasts: tuple[Span, Span] | None = None
    limits: tuple[DoseLimit, ...] = ()
    text: str = ""
