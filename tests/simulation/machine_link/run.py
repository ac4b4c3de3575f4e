"""One seed from its first pouch to the end: faults, then everything heals and must converge; and the command that runs many."""

import argparse
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.simulation.machine_link.box import DEVICE, Box, CrashingSpool
from tests.simulation.machine_link.broker import Broker
from tests.simulation.machine_link.device import SLOTS, Device
from tests.simulation.machine_link.faults import CALM, Faults, drawn, healed
from tests.simulation.machine_link.hub import Hub
from tests.simulation.machine_link.oracle import Broken, Truth, must
from tests.simulation.machine_link.timeline import Timeline
from tests.simulation.machine_link.wire import Wire

MOST_DROPS = 12
TROUBLE_EVERY_S = 1.0
FAULTY_FOR_S = 600.0
CONVERGES_WITHIN_S = 900.0
STEPS_LIMIT = 20_000_000


@dataclass(frozen=True)
class Outcome:
    """What came of a seed."""

    seed: int
    doses: int
    lost: int
    doubled: int
    doubts: int
    power_cuts: int
    crashes: int
    frames: int
    messages: int
    virtual_s: float
    digest: str


class Run:
    """One seed: `faults` hold while pouches are ordered and for a while after, then everything is healed."""

    def __init__(self, seed: int, doses: int, folder: Path, faults: Faults | None = None, *, whole: bool = False) -> None:
        self.seed, self.doses = seed, doses
        self.faults = drawn(seed) if faults is None else faults
        self.timeline = Timeline(seed)
        self.truth = Truth()
        self.wire = Wire(self.timeline, self.faults)
        self.device = Device(self.timeline, self.wire, CALM, self.truth)
        self.broker = Broker(self.timeline, self.faults)
        self.hub = self._hub(folder, whole)
        self.broker.hub = self.hub
        self.spool = CrashingSpool(folder / f"spool-{seed}.sqlite", self.timeline, self.faults)
        self.broker.connect_hub()
        self.box = Box(self.timeline, self.wire, self.device, self.faults, self.spool, self.broker)
        self._parts = (self.wire, self.device, self.broker, self.hub, self.spool, self.box)
        self.device.faults = self.faults
        self.timeline.after(TROUBLE_EVERY_S, self._trouble)

    def _hub(self, folder: Path, whole: bool) -> Any:
        if not whole:
            return Hub(self.timeline, self.faults, self.broker, self.device)
        from tests.simulation.machine_link.services_hub import ServicesHub

        return ServicesHub(self.timeline, self.faults, self.broker, self.device, folder)

    def run(self) -> Outcome:
        """Run to the end; raise Broken with the seed in its words."""
        try:
            self._order()
            self._faulty_phase()
            self._healed_phase()
            return self._judged()
        except Broken as broken:
            raise Broken(f"seed {self.seed}, {self.doses} doses, at {self.timeline.now_s:.3f} s: {broken}") from broken
        finally:
            self.spool.close()
            self.hub.close()

    def _order(self) -> None:
        chance, dose = self.timeline.chance, 0
        while dose < self.doses:
            drops = min(chance.randint(1, MOST_DROPS), self.doses - dose)
            slots = chance.sample(range(1, SLOTS + 1), drops)
            self.hub.order([(dose + at, slot, chance.choice((1, 1, 1, 2, 3))) for at, slot in enumerate(slots)])
            dose += drops
        self.hub.begin()

    def _faulty_phase(self) -> None:
        until_s = self.timeline.now_s + FAULTY_FOR_S + self.doses * 0.5
        self._go_on(lambda: self.timeline.now_s >= until_s or self.hub.open_jobs == 0, "the faulty phase ends")

    def _healed_phase(self) -> None:
        """Heal everything; what is left of the work must then be done, and the last of it within fifteen virtual minutes of progress."""
        for part in self._parts:
            part.faults = healed(self.faults)  # type: ignore[attr-defined]
        self.timeline.wall_offset_s = 0.0
        for part in (self.device, self.hub, self.box, self.broker):
            part.settle()  # type: ignore[attr-defined]
        while self.hub.open_jobs:
            self._converge(self.hub.open_jobs - 1)
        until_s = self.timeline.now_s + CONVERGES_WITHIN_S
        self._go_on(lambda: not self._still_to_be_told() or self.timeline.now_s >= until_s, "everything is told")
        must(not self._still_to_be_told(), "the hub hears of everything")

    def _still_to_be_told(self) -> bool:
        return bool(self.hub.waits_for_refusals or self.device.memory.events or self.spool.pending(DEVICE, 0, 1))

    def _converge(self, goal: int) -> None:
        until_s = self.timeline.now_s + CONVERGES_WITHIN_S
        self._go_on(lambda: self.hub.open_jobs <= goal or self.timeline.now_s >= until_s, "the healed phase ends")
        must(self.hub.open_jobs <= goal, "everything converges after it has healed", f"{self.hub.open_jobs} jobs open", *self.hub.still_open())

    def _go_on(self, is_over: object, what: str) -> None:
        for _ in range(STEPS_LIMIT):
            if is_over():  # type: ignore[operator]
                return
            must(self.timeline.step(), "something is always under way", what)
        raise Broken(f"{what} after {STEPS_LIMIT} steps")

    def _trouble(self) -> None:
        """Draw what befalls the parts from outside, once a second."""
        timeline, faults = self.timeline, self.box.faults
        timeline.after(TROUBLE_EVERY_S, self._trouble)
        if timeline.happens(faults.bridge_cut_off):
            self.broker.cut_bridge_off()
        if timeline.happens(faults.hub_cut_off):
            self.broker.cut_hub_off()
        if timeline.happens(faults.unplugged):
            self.box.unplug()
        if timeline.happens(faults.hub_crash):
            self.hub.crash()
        if timeline.happens(faults.bridge_crash):
            self.box.crash()
        if timeline.happens(faults.stale_host):
            self.device.hear_stale_host()
        if timeline.happens(faults.clock_jump):
            timeline.wall_offset_s = timeline.chance.uniform(-3600.0, 60.0)

    def _judged(self) -> Outcome:
        """Hold the hub's books against what physically happened."""
        lost, doubled, doubts = self.hub.judged(self.truth, self.doses)
        return Outcome(
            self.seed, self.doses, lost, doubled, doubts, self.device.power_cuts, self.hub.crashes + self.box.crashes, self.wire.frames,
            self.broker.messages, self.timeline.now_s, self.timeline.digest,
        )  # fmt: skip


def run_seed(seed: int, doses: int, faults: Faults | None = None, *, whole: bool = False) -> Outcome:
    """Run one seed in a folder of its own, in memory where the system has one; `whole`: with the hub's own services and store."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as name:
        return Run(seed, doses, Path(name), faults, whole=whole).run()


@dataclass(frozen=True)
class Judged:
    """One seed as it ended, with the processor time that it took; `broken` says which invariant did not hold."""

    seed: int
    spent_s: float
    outcome: Outcome | None = None
    broken: str = ""


def judged(seed: int, doses: int, *, whole: bool = False) -> Judged:
    """Run one seed; what breaks is told, not raised."""
    logging.disable(logging.CRITICAL)
    began = time.process_time()
    try:
        outcome = run_seed(seed, doses, whole=whole)
    except Broken as broken:
        return Judged(seed, time.process_time() - began, broken=str(broken))
    return Judged(seed, time.process_time() - began, outcome)


def many(first: int, seeds: int, doses: int, jobs: int, *, whole: bool) -> Iterator[Judged]:
    """Run seed after seed, so many at a time; a seed is the same whichever process runs it."""
    run = partial(judged, doses=doses, whole=whole)
    if jobs == 1:
        yield from map(run, range(first, first + seeds))
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(run, range(first, first + seeds))


def main() -> int:
    """Run many seeds; status 1 with the seed to replay where an invariant broke."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--doses", type=int, default=500)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="seeds that run at the same time")
    parser.add_argument("--whole", action="store_true", help="with the hub's own services and store instead of their model: slower")
    options = parser.parse_args()
    began, spent_s = time.monotonic(), 0.0
    done: list[Outcome] = []
    for one in many(options.first_seed, options.seeds, options.doses, options.jobs, whole=options.whole):
        spent_s += one.spent_s
        if one.outcome is None:
            again = f'make simulate SEEDS=1 DOSES={options.doses} ARGS="--first-seed {one.seed}{" --whole" if options.whole else ""}"'
            sys.stdout.write(f"BROKEN: {one.broken}\nreplay: {again}\n")
            return 1
        done.append(one.outcome)
        sys.stdout.write(_line(one.outcome))
        sys.stdout.flush()
    sys.stdout.write(_summary(done, spent_s, time.monotonic() - began))
    return 0


def _summary(done: Sequence[Outcome], spent_s: float, passed_s: float) -> str:
    doses = sum(one.doses for one in done)
    return (
        f"{sum(one.frames for one in done)} frames, {sum(one.messages for one in done)} messages, {sum(one.power_cuts for one in done)} power cuts, "
        f"{sum(one.crashes for one in done)} crashes, {sum(one.virtual_s for one in done) / 3600:.1f} virtual hours, "
        f"{passed_s:.1f} s, {doses / spent_s:.0f} doses/s of CPU\n"
        f"{doses} doses over {len(done)} seeds, {sum(one.doubts for one in done)} in doubt, "
        f"{sum(one.lost for one in done)} lost, {sum(one.doubled for one in done)} doubled\n"
    )


def _line(one: Outcome) -> str:
    return (
        f"seed {one.seed}: {one.doses} doses, {one.doubts} in doubt, {one.power_cuts} power cuts, {one.crashes} crashes, "
        f"{one.frames} frames, {one.virtual_s:.0f} virtual s, {one.digest[:12]}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
