"""The hand that crashes things: at moments and in an order that follow from a seed, one at a time or several at once."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx

from hub.demo.api import Refused
from hub.demo.plant import PlantFailure
from tests.crashes.answers import Answers, NoAnswer
from tests.crashes.plant import HANDLED, KILLED, CrashingPlant, HeldHub, HeldPeople

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
FAULTS: Mapping[str, int] = {"kill": 12, "kill several": 4, "unplug": 2, "clock back": 1, "disk full": 1}
"""How often each comes in twenty."""
FURTHEST_BACK_MIN = 45
DISK_LEFT_BYTES = 8192


@dataclass(frozen=True)
class Answered:
    """One process that was killed, and how long after its new start it answered; `alone`: nothing else was away."""

    name: str
    seconds: float
    alone: bool


@dataclass
class Toll:
    """What was done to a plant."""

    answered: list[Answered] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    failure: str = ""


class Return(threading.Thread):
    """A process on its way back: `started` once it says that it can be used, `seconds` from its start to its first answer."""

    def __init__(self, plant: CrashingPlant, answers: Answers, process: str, clock: datetime) -> None:
        super().__init__(name=f"return of {process}", daemon=True)
        self.process = process
        self.started = threading.Event()
        self.seconds = 0.0
        self.failure = ""
        self._plant = plant
        self._answers = answers
        self._clock = clock
        self._before = answers.before(process)

    def run(self) -> None:
        """Start the process and wait for its first answer."""
        begun_s = time.monotonic()
        try:
            self._plant.revive(self.process, self._clock)
            self.started.set()
            self._answers.wait(self.process, self._before)
        except (NoAnswer, PlantFailure, Refused, httpx.HTTPError) as error:
            self.failure = f"{self.process}: {error}"
        finally:
            self.started.set()
            self.seconds = time.monotonic() - begun_s


class Crasher:
    """Crashes a plant in a thread of its own until it has killed as often as was asked, or is stopped.

    No clock is set back before `starts_at` nor while a file comes: what a file plans depends on when it comes.
    """

    def __init__(self, plant: CrashingPlant, people: HeldPeople, hub: HeldHub, answers: Answers, starts_at: datetime, kills: int, seed: str) -> None:
        self.toll = Toll()
        self._starts_at = starts_at
        self._plant = plant
        self._people = people
        self._hub = hub
        self._answers = answers
        self._kills = kills
        self._chance = random.Random(f"crashes {seed}")
        self._faults = self._shuffled([fault for fault, times in FAULTS.items() for _ in range(times)])
        self._names = self._shuffled(list(KILLED))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="crasher", daemon=True)

    def start(self) -> None:
        """Begin to crash."""
        self._thread.start()

    def stop(self) -> None:
        """Crash nothing more; what is away is back when this returns."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while len(self.toll.answered) < self._kills:
                if self._over.wait(self._chance.uniform(SHORTEST_PAUSE_S, LONGEST_PAUSE_S)):
                    return
                self._one()
        except (NoAnswer, PlantFailure, httpx.HTTPError) as error:
            self.toll.failure = f"{type(error).__name__}: {error}"

    def _shuffled(self, cards: list[str]) -> Iterator[str]:
        """Yield so many things in a new order each time, for ever: none of them comes much less often than another."""
        while True:
            yield from self._chance.sample(cards, len(cards))

    def _one(self) -> None:
        fault = next(self._faults)
        if fault == "kill":
            self._kill([next(self._names)])
        elif fault == "kill several":
            self._kill(self._chance.sample(KILLED, self._chance.randint(2, len(KILLED))))
        elif fault == "unplug":
            self._unplug(self._chance.uniform(0.05, 1.0))
        elif fault == "clock back":
            self._kill(["hub"], set_back_min=self._chance.randint(1, FURTHEST_BACK_MIN))
        else:
            self._fill_disk(self._chance.uniform(0.2, 1.5))
        self.toll.faults[fault] += 1

    def _kill(self, names: list[str], set_back_min: int = 0) -> None:
        """Kill processes at one moment and start them at once; return when each of them has answered."""
        with ExitStack() as held:
            if HANDLED & set(names):
                held.enter_context(self._people.hands)
            if set_back_min:
                held.enter_context(self._hub.uploading)
            held.enter_context(self._plant.standing())
            clock = max(self._starts_at, self._plant.clock() - timedelta(minutes=set_back_min))
            begun = [Return(self._plant, self._answers, name, clock) for name in names]
            for name in names:
                self._plant.kill(name)
            for each in begun:
                each.start()
            for each in begun:
                each.started.wait()
        for each in begun:
            each.join()
            self.toll.failure = self.toll.failure or each.failure
            self.toll.answered.append(Answered(each.process, each.seconds, len(names) == 1))

    def _unplug(self, seconds: float) -> None:
        """Tear the machine's serial port away; it is back under its name on another pseudo terminal."""
        with self._plant.standing():
            httpx.post(f"{self._plant.told('packager')['control']}/unplug", json={"seconds": seconds}, timeout=30.0).raise_for_status()

    def _fill_disk(self, seconds: float) -> None:
        """Leave the bridge's spool a few kilobytes for a while."""
        with self._plant.standing():
            self._plant.fill_disk(self._chance.randint(0, DISK_LEFT_BYTES))
        self._over.wait(seconds)
        with self._plant.standing():
            self._plant.empty_disk()
