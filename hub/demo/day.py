"""One day, step by step: sheets in, cuts, packing, trolleys, rounds, changes, returns, until every dose has ended."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hub.demo.api import HubClient, People, Refused
from hub.demo.case import PEOPLE, PIN, DayCase
from hub.demo.plant import Plant
from hub.domain.schedule import DAY_SLOTS, cut_of

STEP = timedelta(minutes=30)
TAIL = timedelta(hours=7)
STUCK_S = 90.0
PATIENCE_S = 0.5
LOOK_EVERY_S = 0.1
POWER_OUT_S = 0.5
CASSETTE_FILL = 80
WORKING = ("queued", "sent", "accepted", "running")


class Stuck(RuntimeError):
    """The line made no progress for a minute and a half; the message says what it waited for."""


@dataclass
class DayResult:
    """What the day's inputs did."""

    sheet_orders: int = 0
    sheet_outcomes: dict[str, int] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=lambda: {"changes": 0, "orders": 0, "outcomes": {}})
    problems: list[str] = field(default_factory=list)


class Day:
    """Runs one case on a running plant; `progress(text, done, of)` is told of every step."""

    def __init__(
        self, case: DayCase, plant: Plant, hub: HubClient, people: People, progress: Callable[[str, int, int], None]
    ) -> None:
        self._case = case
        self._plant = plant
        self._hub = hub
        self._people = people
        self._progress = progress
        self._changes = list(case.changes)
        self.result = DayResult()

    def run(self) -> DayResult:
        """Run the whole day; problems are collected, and end it only where nothing can go on."""
        self._open()
        moments = self._moments()
        started_s = time.monotonic()
        for number, moment in enumerate(moments, start=1):
            self._wait_for(moment, started_s)
            self._step(moment)
            self._progress(f"{moment:%H:%M}", number, len(moments))
        self._close(moments[-1])
        self.result.problems += self._people.troubles
        return self.result

    def _wait_for(self, moment: datetime, started_s: float) -> None:
        """At a given speed, wait until the moment has come; a line that is behind is not waited for."""
        if self._plant.speed == "max":
            return
        due_s = started_s + (moment - self._case.starts_at).total_seconds() / float(self._plant.speed)
        while (left_s := due_s - time.monotonic()) > 0:
            self._plant.check_alive()
            time.sleep(min(left_s, 1.0))

    def _open(self) -> None:
        """Receive stock, load cassettes, take in the lists and the sheets."""
        self._people.do(
            "start",
            people={role: {"badge": badge, "pin": PIN} for role, (_, _, badge) in PEOPLE.items() if role != "system"},
        )
        self._progress("stock", 0, 1)
        self._people.do("stock", packs=list(self._case.stock))
        self._progress("cassettes", 0, 1)
        self._people.do("cassettes", fill=CASSETTE_FILL)
        if self._case.allergies is not None:
            self._hub.take_in("allergies", self._case.source, self._case.allergies.name, self._case.allergies.data)
        for sheet in self._case.sheets:
            told = self._hub.take_in("sheet", self._case.source, sheet.name, sheet.data)
            self.result.sheet_orders += told["orders"]
            _add(self.result.sheet_outcomes, told["outcomes"])

    def _moments(self) -> list[datetime]:
        """Return the moments of the day: every half hour, every cut and delivery; to the last dose and what may follow it."""
        start = self._case.starts_at
        end = start + timedelta(days=1) + TAIL
        moments = {start + STEP * number for number in range(int((end - start) / STEP) + 1)}
        for slot in DAY_SLOTS:
            moments.add(cut_of(slot, self._case.day, start.tzinfo or datetime.now().astimezone().tzinfo))  # type: ignore[arg-type]
            moments.add(datetime.combine(self._case.day, slot.delivery, start.tzinfo))
        return sorted(moment for moment in moments if moment >= start)

    def _step(self, moment: datetime) -> None:
        self._take_changes(moment)
        local = moment.time()
        if self._plant.faults == "mild" and any(slot.cut == local for slot in DAY_SLOTS):
            self._order_power_cut(moment)
        self._hub.step(moment)
        self._settle()
        if any(slot.cut == local for slot in DAY_SLOTS):
            self._people.do("cassettes", fill=CASSETTE_FILL)
        self._people.do("load")
        if any(slot.delivery == local for slot in DAY_SLOTS):
            self._people.do("deliver")
        self._people.do("handover")
        self._people.do("round", until=moment.isoformat())
        self._people.do("returns")

    def _order_power_cut(self, moment: datetime) -> None:
        """Have the machine lose its power somewhere in the work of this cut: where, follows from the seed."""
        self._plant.cut_power(random.Random(f"{self._plant.seed} {moment}").randint(2, 60), POWER_OUT_S)  # noqa: S311 a seed, no secret

    def _take_changes(self, moment: datetime) -> None:
        """Take in what happened up to a moment, at the time of the last of it, as the hospital's feed would."""
        due = [line for at, line in self._changes if at <= moment]
        if self._case.discharges is not None and moment >= self._case.starts_at + timedelta(hours=6):
            told = self._hub.take_in(
                "discharges", self._case.source, self._case.discharges.name, self._case.discharges.data
            )
            self.result.changes["changes"] += told["changes"]
            object.__setattr__(self._case, "discharges", None)
        if not due:
            return
        last = max(at for at, _ in self._changes[: len(due)])
        self._hub.step(max(last, datetime.fromisoformat(self._hub.state()["now"])))
        self._changes = self._changes[len(due) :]
        told = self._hub.take_in("changes", self._case.source, f"changes-{last:%H%M%S}.ndjson", b"\n".join(due) + b"\n")
        self.result.changes["changes"] += told["changes"]
        self.result.changes["orders"] += told["orders"]
        _add(self.result.changes["outcomes"], told["outcomes"])

    def _settle(self) -> None:
        """Have people and machines work until nothing is left to do now; a line that stands still is an error.

        People come to the bench when the machine has done its jobs, or when it has waited for half a second.
        """
        before: dict[str, Any] = {}
        moved_s, tidy = time.monotonic(), True
        while True:
            self._plant.check_alive()
            state = self._hub.state()
            waits = _waiting(state)
            if not waits and (tidy or not _for_people(state)):
                return
            stood_s, stands = time.monotonic() - moved_s, waits == before
            if stands and stood_s > STUCK_S:
                raise Stuck(f"the line stands still and waits for {waits}")
            if not stands:
                before, moved_s, tidy = waits, time.monotonic(), False
            people_come = _for_people(state) and (not _machine_works(state) or (stands and stood_s > PATIENCE_S))
            if stands or not people_come:
                time.sleep(LOOK_EVERY_S)
            if people_come:
                self._people.do("bench")
                tidy = True

    def _close(self, last: datetime) -> None:
        """Bring everything back and close the trolleys."""
        self._settle()
        for _ in range(3):
            self._people.do("bench")
            self._people.do("returns")
        try:
            self._people.do("close")
        except Refused as error:
            self.result.problems.append(str(error))


def _waiting(state: dict[str, Any]) -> dict[str, int]:
    """Return what the line still has to do now, by name."""
    waits = {f"jobs {name}": state["jobs"].get(name, 0) for name in WORKING}
    waits |= {name: state[name] for name in ("doubts", "unlabelled", "picks", "requisitions", "rejects", "reviews", "outbox")}
    return {name: count for name, count in waits.items() if count}


def _machine_works(state: dict[str, Any]) -> bool:
    return any(state["jobs"].get(name, 0) for name in WORKING)


def _for_people(state: dict[str, Any]) -> bool:
    """Tell whether there is something on the bench; the machine works by itself."""
    return any(state[name] for name in ("doubts", "picks_printed", "requisitions", "rejects", "reviews")) or bool(
        state["packs"].get("released")
    )


def _add(totals: dict[str, int], more: dict[str, int]) -> None:
    for name, count in more.items():
        totals[name] = totals.get(name, 0) + count
