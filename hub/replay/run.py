"""One run of a history: quarter by quarter of an hour, sheets and changes as they came, everybody at work."""

import resource
import time as real_time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path

from hub.adapters.clock import SteppedClock
from hub.adapters.intake.cassettes import cassettes_from
from hub.adapters.intake.stock import make_stock
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.orders import OrderSheet
from hub.domain.refusals import Refusal
from hub.domain.schedule import IntakeSlot
from hub.planning_commands.opening import CommandRefused
from hub.replay.figures import Figures, code_of, count_store
from hub.replay.history import History, HistoryDay, changes_of, sheet_of, up_to
from hub.replay.late import positions_of
from hub.replay.people import People
from hub.services.close_day import tick
from hub.services.house import House
from hub.services.receive_changes import receive_changes
from hub.services.receive_sheet import receive_sheet
from hub.services.set_up import enter_cassettes, enter_directory

STEP = timedelta(minutes=15)
TAIL = timedelta(hours=6)
MACHINE_SLOTS = 250
FIRST_CUT, SECOND_CUT, THIRD_CUT = time(6, 15), time(15), time(10)
CUTS: dict[int, dict[str, time]] = {
    1: {"noon": FIRST_CUT, "evening": FIRST_CUT, "night": FIRST_CUT},
    2: {"noon": FIRST_CUT, "night": SECOND_CUT},
    3: {"night": SECOND_CUT},
    4: {},
}
"""How often a day is packed: for each slot that is packed earlier than by itself, when."""


def slots_packed(slots: tuple[IntakeSlot, ...], packings: int) -> tuple[IntakeSlot, ...]:
    """Return the slots of the day with so many cuts a day; what is packed together is packed at the first of its cuts."""
    earlier = CUTS[packings]
    return tuple(replace(slot, cut=earlier.get(slot.name, slot.cut)) for slot in slots)


class Replay:
    """Runs one history once; `progress(text, done, of)` is told of every day."""

    def __init__(self, history: History, house: House, source: str, packings: int, folder: Path) -> None:
        self._history = history
        self._house = replace(house, slots=slots_packed(house.slots, packings))
        self._settings = house.sources[source]
        first = history.days[0].day
        starts_at = datetime.combine(first, house.sheets_at, house.zone)
        self._clock = SteppedClock(starts_at, house.zone)
        self._writer = Writer(folder / "dosehub.sqlite", self._clock)
        self._people = People(self._writer, self._house)
        self.figures = Figures(packings)

    def run(self, progress: Callable[[str, int, int], None]) -> Figures:
        """Run every day, and on until what was planned has ended; the store is closed at the end."""
        started_s = real_time.monotonic()
        try:
            self._open()
            for number, day in enumerate(self._history.days, start=1):
                self._day(day)
                progress(day.day.isoformat(), number, len(self._history.days))
            self._quarters(None, self._clock() + TAIL)
            self._people.decide(lambda unit: count_store(unit, self.figures))
        finally:
            self._writer.close()
        self.figures.refused = self._people.refused
        self.figures.days = len(self._history.days)
        self.figures.seconds = real_time.monotonic() - started_s
        self.figures.largest_memory_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return self.figures

    def _open(self) -> None:
        directory = self._history.directory

        def enter(unit: SqlUnitOfWork) -> None:
            enter_directory(unit, "directory", directory.values())
            places = cassettes_from(directory, slots=MACHINE_SLOTS)
            enter_cassettes(unit, "cassette map", self._house.packager, places)

        self._people.start()
        self._people.decide(enter)

    def _day(self, day: HistoryDay) -> None:
        begins = datetime.combine(day.day, self._house.sheets_at, self._house.zone)
        self._people.stock_up(self._history.directory, make_stock(self._history.directory, day.day), day.day.isoformat())
        self._people.fill_cassettes()
        self._take_sheet(sheet_of(day, self._history, self._settings, self._house))
        changes = changes_of(day, self._history, self._settings, self._house)
        self._quarters(changes, begins + timedelta(days=1))

    def _take_sheet(self, sheet: OrderSheet) -> None:
        def take(unit: SqlUnitOfWork) -> None:
            _accepted(receive_sheet(unit, sheet, self._house))
            self._count_lines(unit, [line.id for line in sheet.lines])

        self._people.decide(take)

    def _count_lines(self, unit: SqlUnitOfWork, ids: list[str]) -> None:
        for order in unit.orders.where(id=ids):
            self.figures.lines[code_of(order.line), order.outcome.value] += 1

    def _quarters(self, changes: OrderSheet | None, until: datetime) -> None:
        while (now := self._clock()) < until:
            self._clock.step(now + STEP)
            for part in up_to(changes, now, now + STEP):
                self._take_changes(part)
            self._quarter(now + STEP)

    def _take_changes(self, part: OrderSheet) -> None:
        def take(unit: SqlUnitOfWork) -> None:
            self.figures.late += positions_of(unit, self._settings, part.changes)
            new = [change.line.id for change in part.changes if change.line is not None and unit.orders.get(change.line.id) is None]
            _accepted(receive_changes(unit, part, self._house))
            self._count_lines(unit, list(new))
            self.figures.changes += len(part.changes)

        self._people.decide(take)

    def _quarter(self, now: datetime) -> None:
        """Let everybody work for a quarter of an hour: what was sent arrives, what is due is given, what comes back comes back."""
        people, clock = self._people, now.timetz().replace(tzinfo=None)
        people.decide(lambda unit: tick(unit, self._house))
        if any(slot.cut == clock for slot in self._house.slots):
            people.fill_cassettes()
        people.receive()
        people.load()
        people.bench()
        delivered = [slot.name for slot in self._house.slots if slot.delivery == clock]
        for slot in delivered:
            people.dispatch(slot)
        people.round(now)
        if delivered:
            people.bring_back()


def _accepted(result: object) -> None:
    if isinstance(result, Refusal):
        raise CommandRefused(result.text)
