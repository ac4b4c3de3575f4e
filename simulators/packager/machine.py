"""The controller of the machine: which motion comes when, one pouch at a time; time is passed in, nothing is awaited."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any

from simulators.packager.faults import NO_FAULTS, PLANTED_POUCH, Plant, PouchFaults, faults_of_job
from simulators.packager.journal import CAMERA, DIVERTED, DONE, DROPPED, INTENT, Entry
from simulators.packager.memory import (
    NO_JOB,
    Event,
    EventKind,
    Job,
    JobState,
    Memory,
    event_entry,
    step_entry,
)
from simulators.packager.recorder import Recorder
from simulators.packager.world import Cassette, Impossible, Movement

PASS, FAIL, LOOK = 1, 2, 3
VERDICT_TIMEOUT_S = 30.0
EVENT_LIMIT = 256

_DROPPED = struct.Struct("<IBBH")
_CASSETTE = struct.Struct("<BIH")

Show = Callable[[dict[str, Any] | None], None]
"""Lay a scene into the camera station (`scene_shown` is to be called when its picture is being sent), or clear it."""


class State(IntEnum):
    """What STATUS tells of the machine."""

    IDLE, RUNNING, AT_CAMERA, STOPPED, DOUBT = range(5)


class Reason(IntEnum):
    """Why the machine waits for a person."""

    NONE, NO_VERDICT, FILM_OUT, DOOR_OPEN, JAM, REJECT_FULL = range(6)


class Phase(Enum):
    """The motion under way."""

    REST, FALLING, COUNTING, CUTTING, SHOWING, WAITING, LEAVING = range(7)


@dataclass(frozen=True)
class Motions:
    """How long each motion takes, in seconds of simulated time."""

    fall_s: float = 0.08
    count_s: float = 0.06
    cut_s: float = 0.25
    leave_s: float = 0.15


INSTANT = Motions(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Build:
    """How this machine was built and what is wrong with it."""

    seed: int = 0
    mild_faults: bool = False
    plant: Plant = Plant.NONE
    motions: Motions = field(default_factory=Motions)
    cassette_slots: int = 250
    label_width: int = 640
    reject_room: int = 1000


class Machine:
    """Runs the queued jobs in order. Call `advance` with the simulated time; `due` tells when it wants to be called."""

    def __init__(self, build: Build, recorder: Recorder, show: Show) -> None:
        self.build = build
        self.memory: Memory = recorder.memory
        self.stopped = Reason.NONE
        self.phase = Phase.REST
        self.due: float | None = None
        self._recorder = recorder
        self._show = show
        self._counted = 0
        self._verdict = 0
        self._faults: tuple[bytes, PouchFaults] = (NO_JOB, NO_FAULTS)
        self._settle_after_boot()

    @property
    def state(self) -> State:
        """Give the state as STATUS tells it."""
        head = self.memory.head
        if head is not None and head.state == JobState.DOUBT:
            return State.DOUBT
        if self.stopped:
            return State.STOPPED
        if head is None:
            return State.IDLE
        return State.AT_CAMERA if self.phase in (Phase.WAITING, Phase.LEAVING) else State.RUNNING

    def advance(self, now: float) -> None:
        """Do every motion that ends at or before `now`, in simulated seconds."""
        if self.phase is Phase.REST:
            self._next(now)
        while self.due is not None and self.due <= now:
            self._finish(self.due)

    def scene_shown(self, now: float) -> None:
        """Note that the camera sees the pouch: the firmware asks for a verdict."""
        job = self.memory.head
        if self.phase is not Phase.SHOWING or job is None:
            return
        last = len(job.drops) - 1
        if job.camera_evt == 0:
            evt = self.memory.next_evt
            self._commit(step_entry(CAMERA, job, last, evt), self._event(EventKind.AT_CAMERA, job, last))
        self._enter(Phase.WAITING, now + VERDICT_TIMEOUT_S)

    def take_verdict(self, verdict: int, now: float) -> None:
        """Let the pouch out (PASS) or divert it (everything else); a machine that stopped for want of it goes on."""
        job = self._head()
        job.verdict = (self.memory.boot, job.camera_evt, verdict)
        self._verdict = verdict
        if self.stopped:
            self._go_on(job)
        self._enter(Phase.LEAVING, now + self.build.motions.leave_s)

    def reset_stop(self, now: float) -> bool:
        """Let a person clear what stopped the machine; False where nothing did or where it cannot be cleared yet."""
        job = self.memory.head
        if job is not None and job.state == JobState.DOUBT:
            self._destroy_doubtful(job)
        elif not self.stopped or (self.stopped is Reason.REJECT_FULL and self._reject_full()):
            return False
        elif self.stopped is Reason.NO_VERDICT:
            self._enter(Phase.WAITING, now + VERDICT_TIMEOUT_S)
            self._go_on(self._head())
        else:
            if self.stopped is Reason.FILM_OUT:
                self._recorder.move({"op": "film"})
            self._go_on(self._head())
        self.advance(now)
        return True

    def load(self, movement: Movement) -> None:
        """Put a cassette in; raises Impossible where matter forbids it."""
        self._change_cassette(movement["slot"], movement)

    def unload(self, slot: int) -> None:
        """Take the cassette of a slot out; raises Impossible where none is."""
        self._change_cassette(slot, {"op": "unload", "slot": slot})

    def take(self, name: str) -> None:
        """Empty the "output" or the "reject" bin."""
        self._recorder.move({"op": "take", "bin": name})

    def _settle_after_boot(self) -> None:
        job = self.memory.head
        if job is None:
            return
        if job.intent:
            job.state = JobState.DOUBT
            told = any(event.kind == EventKind.STOPPED and event.job == job.id for event in self.memory.events)
            if not told:
                self._stop_event(job, Reason.NONE)
        elif self.memory.world.station is not None:
            self._show_pouch()

    def _next(self, now: float) -> None:
        job = self.memory.head
        if job is None or self.stopped or job.state == JobState.DOUBT:
            return
        world = self.memory.world
        if world.forming is None and world.film <= 0:
            self._stop(job, Reason.FILM_OUT)
        elif world.forming is None and self._reject_full():
            self._stop(job, Reason.REJECT_FULL)
        elif job.slot < len(job.drops):
            self._commit(step_entry(INTENT, job, job.slot, job.evt))
            self._enter(Phase.FALLING, now + self.build.motions.fall_s)
        else:
            self._enter(Phase.CUTTING, now + self.build.motions.cut_s)

    def _finish(self, now: float) -> None:
        job = self._head()
        match self.phase:
            case Phase.FALLING:
                self._fall(job)
                self._enter(Phase.COUNTING, now + self.build.motions.count_s)
            case Phase.COUNTING:
                self._report_drop(job)
                self._rest(now)
            case Phase.CUTTING:
                self._cut(job)
            case Phase.WAITING:
                self.due = None
                self._stop(job, Reason.NO_VERDICT)
            case Phase.LEAVING:
                self._leave(job)
                self._rest(now)

    def _fall(self, job: Job) -> None:
        drop, faults = job.drops[job.slot], self._faults_of(job)
        cassette = self._cassette_of(job)
        there = cassette.tablets if cassette.number == drop.cassette else 0
        counted = max(0, min(drop.count + faults.surplus(job.slot), there))
        twin = self._planting(Plant.DOUBLE_DROP) and 0 < counted < there
        self._counted = counted
        self._recorder.move({
            "op": "drop", "job": job.id.hex(), "drop": job.slot, "slot": drop.slot, "fell": counted + twin,
            "counted": counted, "broken": faults.broken_at == job.slot, "hidden": twin, "planted": twin,
        })

    def _report_drop(self, job: Job) -> None:
        drop, slot = job.drops[job.slot], job.slot
        data = _DROPPED.pack(drop.cassette, drop.count, self._counted, self._cassette_of(job).remaining)
        step = step_entry(DROPPED, job, slot, self.memory.next_evt)
        if self._planting(Plant.LOST_EVENT):
            self._recorder.move({"op": "nothing", "planted": True}, step)
        else:
            self._commit(step, self._event(EventKind.DROPPED, job, slot, data))

    def _cut(self, job: Job) -> None:
        marks = self._faults_of(job).print
        self._recorder.move({
            "op": "cut", "job": job.id.hex(), "label": job.label.hex(), "contrast": marks.contrast,
            "dead_columns": list(marks.dead_columns),
        })
        self._show_pouch()

    def _leave(self, job: Job) -> None:
        last, passed = len(job.drops) - 1, self._verdict == PASS
        where = self._way_out() if passed else "reject"
        kind, data = (EventKind.RELEASED, b"") if passed else (EventKind.DIVERTED, bytes([self._verdict]))
        self._end(job, last, where, self._event(kind, job, last, data))

    def _end(self, job: Job, slot: int, where: str, *events: Entry) -> None:
        journal_state, state = (DIVERTED, JobState.DIVERTED) if where == "reject" else (DONE, JobState.DONE)
        step = step_entry(journal_state, job, slot, self.memory.next_evt)
        done = self._event(EventKind.DONE, job, slot, bytes([state]))
        planted = self.memory.world.chute is not None and where == "output"
        self._recorder.move({"op": "leave", "to": where, "planted": planted}, step, *events, done)
        self._show(None)

    def _destroy_doubtful(self, job: Job) -> None:
        if self.memory.world.station is None:
            self._recorder.move({"op": "cut", "job": job.id.hex(), "label": job.label.hex(), "contrast": 1.0,
                                 "dead_columns": []})
        slot = job.slot
        self._end(job, slot, "reject", self._event(EventKind.DIVERTED, job, slot, b"\0"))
        self._commit(self._event(EventKind.READY, job, slot))
        self.phase, self.due = Phase.REST, None

    def _way_out(self) -> str:
        held = self.memory.world.chute is not None
        return "chute" if self._planting(Plant.SWAPPED_LABEL) and not held else "output"

    def _planting(self, plant: Plant) -> bool:
        world = self.memory.world
        at_work = world.pouches_begun + (world.forming is None and world.station is None)
        return self.build.plant is plant and not world.planted and at_work >= PLANTED_POUCH

    def _faults_of(self, job: Job) -> PouchFaults:
        if self.build.mild_faults and self._faults[0] != job.id:
            width = self.memory.labels[job.label].width
            drawn = faults_of_job(self.build.seed, job.id, slots=len(job.drops), label_width=width)
            self._faults = (job.id, drawn)
        return self._faults[1]

    def _change_cassette(self, slot: int, movement: Movement) -> None:
        cassettes = self.memory.world.cassettes
        self.memory.world.check(movement)
        if len(self.memory.events) >= 2 * EVENT_LIMIT:
            raise Impossible("no event can be stored until the host has acknowledged some")
        after = movement.get("cassette", 0)
        before = cassettes.get(slot, Cassette(after)).remaining if after else 0
        data = _CASSETTE.pack(slot, after, before + movement.get("count", 0))
        event = Event(EventKind.CASSETTE, NO_JOB, 0, data)
        self._recorder.move(movement, event_entry(event))

    def _cassette_of(self, job: Job) -> Cassette:
        return self.memory.world.cassettes.get(job.drops[min(job.slot, len(job.drops) - 1)].slot, Cassette(0))

    def _show_pouch(self) -> None:
        station = self.memory.world.station
        self._enter(Phase.SHOWING, None)
        if station is not None:
            self._show(station.scene())

    def _reject_full(self) -> bool:
        return len(self.memory.world.reject) >= self.build.reject_room

    def _stop(self, job: Job, reason: Reason) -> None:
        self.stopped = reason
        self._stop_event(job, reason)

    def _stop_event(self, job: Job, reason: Reason) -> None:
        self._commit(self._event(EventKind.STOPPED, job, min(job.slot, len(job.drops) - 1), bytes([reason])))

    def _go_on(self, job: Job) -> None:
        self.stopped = Reason.NONE
        self._commit(self._event(EventKind.READY, job, min(job.slot, len(job.drops) - 1)))

    def _rest(self, now: float) -> None:
        self._enter(Phase.REST, None)
        self._next(now)

    def _enter(self, phase: Phase, due: float | None) -> None:
        self.phase, self.due = phase, due

    def _head(self) -> Job:
        job = self.memory.head
        if job is None:
            raise AssertionError(f"{self.phase} without a job")
        return job

    def _event(self, kind: EventKind, job: Job, slot: int, data: bytes = b"") -> Entry:
        return event_entry(Event(kind, job.id, slot, data))

    def _commit(self, *entries: Entry) -> None:
        self._recorder.commit(*entries)
