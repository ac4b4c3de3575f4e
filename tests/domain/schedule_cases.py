"""Short forms in which the tests of schedules write timings and read doses."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from fractions import Fraction
from typing import Any

from domain_cases import MONDAY, MOSCOW, TABLE

from hub.domain.frequencies import FrequencyTable
from hub.domain.orders import Reason
from hub.domain.quantities import Quantity
from hub.domain.schedule import HOUSE_RULES, Schedule, ScheduleRules, expand, schedule_for
from hub.domain.timing import Dosage, PeriodUnit, Repeat, Span, Timing

MIN, H, D, WK, MO, A = (PeriodUnit(code) for code in ("min", "h", "d", "wk", "mo", "a"))
START = MONDAY.replace(hour=0)
"""Monday 2 March 2026, 00:00 in Moscow."""


def amount(value: str | int, unit: str = "tablet") -> tuple[Quantity, Quantity]:
    return (Quantity(Fraction(value), unit),) * 2


def repeat(often: int | None = None, period: str | int | None = None, unit: PeriodUnit | None = None, **more: Any) -> Timing:
    length = None if period is None else Fraction(period)
    for name in ("period_max", "duration", "duration_max"):
        if more.get(name) is not None:
            more[name] = Fraction(more[name])
    return Timing(repeat=Repeat(frequency=often, period=length, period_unit=unit, **more))


def dosage(timing: Timing, dose: tuple[Quantity, Quantity] | None = amount(1), **more: Any) -> Dosage:
    return Dosage(dose, timing, "PO", **more)


def span(value: str | int, unit: PeriodUnit = D) -> tuple[Span, Span]:
    return (Span(Fraction(value), unit),) * 2


def read(
    *dosages: Dosage | Timing, ward: str = "", table: FrequencyTable = TABLE, rules: ScheduleRules = HOUSE_RULES
) -> Schedule | Reason:
    whole = [each if isinstance(each, Dosage) else dosage(each) for each in dosages]
    return schedule_for(whole, table, ward, rules=rules)


def understood(*dosages: Dosage | Timing, **facts: Any) -> Schedule:
    found = read(*dosages, **facts)
    assert isinstance(found, Schedule), found
    return found


def refused(*dosages: Dosage | Timing, **facts: Any) -> Reason:
    found = read(*dosages, **facts)
    assert isinstance(found, Reason), found
    assert found.text and found.text_ru and found.source
    return found


def doses(
    schedule: Schedule, days: int = 7, start: datetime = START, end: datetime | None = None, since: datetime | None = None, zone: tzinfo = MOSCOW
) -> list[str]:
    """Return the doses of the first days as `02 08:00`, with the factor behind where it is not one."""
    begins = since or start
    found = expand(schedule, start, end, begins, begins + timedelta(days=days), zone)
    return [f"{due:%d %H:%M}" + ("" if factor == 1 else f" ×{factor}") for due, factor in found]


def listed(*schedule_days: Sequence[int] | range, clocks: str) -> list[str]:
    return [f"{day:02} {clock}" for days in schedule_days for day in days for clock in clocks.split()]
