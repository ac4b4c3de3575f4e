"""The expander: orders of a hospital's day to their due times, beside a bare loop that only combines days, clocks and a zone.

Two windows: the day that a morning's sheet plans (every order asks once), and a year at a stretch. Both are counted in doses a second of
one core; the schedules are read before the clock runs.
"""

import time
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from fractions import Fraction
from zoneinfo import ZoneInfo

from hub.bootstrap import frequency_table
from hub.domain.orders import Reason
from hub.domain.quantities import Quantity
from hub.domain.schedule import Schedule, expand, schedule_for
from hub.domain.timing import Dosage, PeriodUnit, Repeat, Span, Timing
from tests.benchmarks.figures import Figure, beside

ZONE = ZoneInfo("Europe/Moscow")
BEGINS = datetime(2026, 11, 22, 7, tzinfo=ZONE)
CODES = ("DAILY", "BID", "TID", "QID", "HS", "Q8H", "Q6H", "QPM", "3X/WEEK", "EVERY OTHER DAY")
GOAL = 100_000
TABLET = (Quantity(Fraction(1), "tablet"),) * 2

Clocks = Sequence[tuple[clock_time, Fraction]]


def figures(runs: int = 5) -> list[Figure]:
    """Expand the orders of 1,000 beds for a day, and a few dozen orders for a year; the best of the runs, in CPU time."""
    plain = [_read(Dosage(TABLET, Timing(code=code), "PO")) for code in CODES]
    found = _figure("a day of 8,000 orders by code", plain * 800, 1, runs)
    found += _figure("a year of 20 orders by code", plain * 2, 365, runs)
    written = Repeat(frequency=2, period=Fraction(1), period_unit=PeriodUnit.DAY, count=400)
    taper = _read(
        Dosage(TABLET, Timing(repeat=written), "PO", sequence=1, lasts=(Span(Fraction(90), PeriodUnit.DAY),) * 2),
        Dosage(TABLET, Timing(code="DAILY"), "PO", sequence=2),
    )
    return [*found, *_figure("a year of 20 tapers with a count", [taper] * 20, 365, runs)]


def _read(*dosages: Dosage) -> Schedule:
    found = schedule_for(dosages, frequency_table(), "")
    assert not isinstance(found, Reason), found
    return found


def _figure(name: str, schedules: Sequence[Schedule], days: int, runs: int) -> list[Figure]:
    ends = BEGINS + timedelta(days=days)
    clocks = [_clocks_of(schedule) for schedule in schedules]
    ours = max(_rate(lambda: sum(len(expand(each, BEGINS, None, BEGINS, ends, ZONE)) for each in schedules)) for _ in range(runs))
    bare = max(_rate(lambda: sum(len(_bare(each, BEGINS.date(), days)) for each in clocks)) for _ in range(runs))
    return [beside(f"expander, {name}", ours, "doses/s", bare, f"≥ {GOAL:,}/s", ours >= GOAL)]


def _clocks_of(schedule: Schedule) -> Clocks:
    """Return the clock times of a schedule's first day, from its own expansion."""
    day = expand(schedule, BEGINS, None, BEGINS, BEGINS + timedelta(days=3), ZONE)
    return sorted({(due.time(), factor) for due, factor in day})


def _bare(clocks: Clocks, first: date, days: int) -> list[tuple[datetime, Fraction]]:
    """Return a time for each day and clock: the least that any expander does."""
    found = []
    for number in range(days):
        day = first + timedelta(days=number)
        for clock, factor in clocks:
            found.append((datetime.combine(day, clock, ZONE), factor))
    return found


def _rate(work: Callable[[], int]) -> float:
    started = time.process_time()
    doses = work()
    return doses / (time.process_time() - started)
