"""The controller of the machine: which motion comes when, one pouch at a time; time is passed in, nothing is awaited."""

import struct
from collections.abc import Callable
from typing import Any

from simulators.packager.build import TROUBLES, Build, Phase, Reason, State
from simulators.packager.faults import NO_FAULTS, PLANTED_POUCH, Plant, PouchFaults, faults_of_job
from simulators.packager.jog import Handle
from simulators.packager.journal import CAMERA, DIVERTED, DONE, DROPPED, INTENT, VOID, Entry
from simulators.packager.memory import (
    NO_JOB,
    Event,
    EventKind,
    Job,
    JobState,
    Memory,
    answer_entry,
    counted_entry,
    event_entry,
    step_entry,
)
from simulators.packager.recorder import Recorder
from simulators.packager.world import Cassette, Impossible, Movement

PASS, FAIL, LOOK = 1, 2, 3
VERDICT_TIMEOUT_S = 30.0
EVENT_LIMIT = 256
SENSOR_LIMIT = 255

_DROPPED = struct.Struct("<IBBH")
_CASSETTE = struct.Struct("<BIH")

Show = Callable[[dict[str, Any] | None], None]
"""Lay a scene into the camera station (`scene_shown` is to be called when its picture is being sent), or clear it."""


class Machine:
    """Runs the queued jobs in order. Call `advance` with the simulated time; `due` tells when it wants to be called."""

    def __init__(self, build: Build, recorder: Recorder, show: Show) -> None:
        self.build = build
        self.memory: Memory = recorder.memory
        self.stopped = Reason.NONE
        self.phase = Phase.REST
        self.due: float | None = None
        self.handle = Handle()
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
        if self.memory.slots.safe:
            return State.SAFE_MODE
        if head is not None and head.state == JobState.DOUBT:
            return State.DOUBT
        if self.stopped:
            return State.STOPPED
        if head is None or head.state == JobState.ACCEPTED:
            return State.LOCKED if self.memory.lock_owner else State.RUNNING if head else State.IDLE
        return State.AT_CAMERA if self.phase in (Phase.WAITING, Phase.LEAVING) else State.RUNNING

    @property
    def at_rest(self) -> bool:
        """Tell that no job is accepted, and so no pouch begun."""
        return not self.memory.queue

    @property
    def doubt(self) -> Job | None:
        """Give the job of which nobody knows what fell in its drop `slot`."""
        head = self.memory.head
        return head if head is not None and head.state == JobState.DOUBT else None

    def held(self, job: Job) -> int:
        """Give what the machine believes the cassette of the drop under way holds; nothing where another one sits there."""
        drop = job.drops[job.place]
        sitting = self.memory.world.cassettes.get(drop.slot)
        return sitting.remaining if sitting is not None and sitting.number == drop.cassette else 0

    def advance(self, now: float) -> None:
        """Do every motion that ends at or before `now`, in simulated seconds; in safe mode nothing moves."""
        if self.memory.slots.safe:
            return
        if self.phase is Phase.REST:
            self._next(now)
        while self.due is not None and self.due <= now:
            self._finish(self.due)

    def scene_shown(self, now: float) -> None:
        """Note that the camera sees the pouch: the firmware asks for a verdict."""
        job = self.memory.head
        if self.phase is not Phase.SHOWING or job is None:
            return
        if job.camera_evt == 0:
            evt = self.memory.next_evt
            self._commit(step_entry(CAMERA, job, job.last, evt), self._event(EventKind.AT_CAMERA, job, job.last))
        self._enter(Phase.WAITING, now + VERDICT_TIMEOUT_S)

    def take_verdict(self, verdict: int, now: float) -> None:
        """Let the pouch out (PASS) or divert it (everything else); a machine that stopped for want of it goes on."""
        job = self._head()
        job.verdict = (self.memory.boot, job.camera_evt, verdict)
        self._verdict = verdict
        if self.stopped:
            self._go_on()
        self._enter(Phase.LEAVING, now + self.build.motions.leave_s)

    def resolve(self, counted: int, answer: bytes) -> None:
        """Take a person's count of the drop in doubt: the pouch is cut and diverted, and all of it is durable at once."""
        job = self._head()
        slot, drop, held = job.slot, job.drops[job.slot], self.held(job)
        told = _DROPPED.pack(drop.cassette, drop.count, counted, held - counted)
        cut = {"op": "cut", "job": job.id.hex(), "label": job.label.hex(), "contrast": 1.0, "dead_columns": []}
        self._commit(
            answer_entry(answer), *([counted_entry(drop.slot, counted)] if counted else []), self._recorder.moved(cut),
            *self._end(job, slot, "reject", self._event(EventKind.RESOLVED, job, slot, told),
                       self._event(EventKind.DIVERTED, job, slot, b"\0")),
            self._event(EventKind.READY, job, slot))

    def abort(self, job: Job) -> None:
        """End an accepted job of which nothing has moved."""
        done = self._event(EventKind.DONE, job, 0, bytes([JobState.ABORTED]))
        self._commit(step_entry(VOID, job, 0, self.memory.next_evt), done)

    def reset_stop(self, now: float) -> None:
        """Let a person clear what stopped the machine; raises Impossible with the reason where that cannot be."""
        if self.doubt is not None:
            raise Impossible(f"what fell in drop {self.doubt.slot} is in doubt: a person counts it and answers at the hub")
        self._put_right()
        if self.stopped is Reason.NO_VERDICT:
            self._enter(Phase.WAITING, now + VERDICT_TIMEOUT_S)
        if self.stopped:
            self._go_on()
        self.advance(now)

    def _put_right(self) -> None:
        world = self.memory.world
        if not self.stopped and not world.trouble:
            raise Impossible("nothing is stopped")
        if self.stopped is Reason.REJECT_FULL and self._reject_full():
            raise Impossible("the reject bin is still full")
        if self.stopped is Reason.DOOR_OPEN and world.door_open:
            raise Impossible("the door is still open")
        if self.stopped is Reason.FILM_OUT:
            self._recorder.move({"op": "film"})
        if world.trouble:
            self._recorder.move({"op": "trouble", "trouble": ""})

    def open_door(self, is_open: bool, now: float) -> None:
        """Open or close the door; a motor that is jogged stops at once, the machine before its next motion."""
        self._recorder.move({"op": "door", "open": is_open})
        if is_open:
            self.handle.stop(now)

    def befall(self, trouble: str) -> None:
        """Let something happen that `TROUBLES` names: the machine stops before its next motion."""
        self._recorder.move({"op": "trouble", "trouble": trouble})

    def load(self, movement: Movement) -> None:
        """Put a cassette in; raises Impossible where matter forbids it."""
        self._change_cassette(movement["slot"], movement)

    def unload(self, slot: int) -> None:
        """Take the cassette of a slot out; raises Impossible where none is, or where it is latched.

        A cassette is latched from the INTENT of a drop until that is counted: else nobody could tell what it held before.
        """
        head = self.memory.head
        if head is not None and head.intent and head.drops[head.slot].slot == slot:
            raise Impossible(f"slot {slot} is latched: what fell out of it is not counted yet")
        self._change_cassette(slot, {"op": "unload", "slot": slot})

    def take(self, name: str) -> None:
        """Empty the "output" or the "reject" bin."""
        self._recorder.take_out(name)

    def _settle_after_boot(self) -> None:
        job = self.memory.head
        if job is None or self.memory.slots.safe:
            return
        if job.intent:
            job.state = JobState.DOUBT
            if job.doubt_evt == 0:
                self._tell(EventKind.STOPPED, bytes([Reason.NONE]))
        elif self.memory.world.station is not None:
            self._show_pouch()

    def _next(self, now: float) -> None:
        job = self.memory.head
        if job is None or self.stopped or job.state == JobState.DOUBT:
            return
        if job.state == JobState.ACCEPTED and self.memory.lock_owner:
            return
        if obstacle := self._obstacle():
            self._stop(obstacle)
        elif job.slot < len(job.drops):
            self._commit(step_entry(INTENT, job, job.slot, job.evt))
            self._enter(Phase.FALLING, now + self.build.motions.fall_s)
        else:
            self._enter(Phase.CUTTING, now + self.build.motions.cut_s)

    def _obstacle(self) -> Reason:
        world = self.memory.world
        if world.door_open:
            return Reason.DOOR_OPEN
        if world.trouble:
            return TROUBLES[world.trouble]
        if world.forming is None and world.film <= 0:
            return Reason.FILM_OUT
        return Reason.REJECT_FULL if world.forming is None and self._reject_full() else Reason.NONE

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
                self._stop(Reason.NO_VERDICT)
            case Phase.LEAVING:
                self._leave(job)
                self._rest(now)

    def _fall(self, job: Job) -> None:
        drop, faults = job.drops[job.slot], self._faults_of(job)
        sitting = self.memory.world.cassettes.get(drop.slot)
        there = sitting.tablets if sitting is not None and sitting.number == drop.cassette else 0
        counted = max(0, min(drop.count + faults.surplus(job.slot), there, SENSOR_LIMIT))
        twin = self._planting(Plant.DOUBLE_DROP) and 0 < counted < there
        self._counted = counted
        self._recorder.move({
            "op": "drop", "job": job.id.hex(), "drop": job.slot, "slot": drop.slot, "fell": counted + twin,
            "broken": faults.broken_at == job.slot, "hidden": twin, "planted": twin,
        })

    def _report_drop(self, job: Job) -> None:
        drop, slot, counted = job.drops[job.slot], job.slot, self._counted
        data = _DROPPED.pack(drop.cassette, drop.count, counted, max(0, self.held(job) - counted))
        made: list[Entry] = [step_entry(DROPPED, job, slot, self.memory.next_evt)]
        if counted:
            made.append(counted_entry(drop.slot, counted))
        if self._planting(Plant.LOST_EVENT):
            self._recorder.move({"op": "nothing", "planted": True}, *made)
        else:
            self._commit(*made, self._event(EventKind.DROPPED, job, slot, data))

    def _cut(self, job: Job) -> None:
        marks = self._faults_of(job).print
        self._recorder.move({
            "op": "cut", "job": job.id.hex(), "label": job.label.hex(), "contrast": marks.contrast,
            "dead_columns": list(marks.dead_columns),
        })
        self._show_pouch()

    def _leave(self, job: Job) -> None:
        passed = self._verdict == PASS
        where = self._way_out() if passed else "reject"
        kind, data = (EventKind.RELEASED, b"") if passed else (EventKind.DIVERTED, bytes([self._verdict]))
        self._commit(*self._end(job, job.last, where, self._event(kind, job, job.last, data)))
        self._show(None)

    def _end(self, job: Job, slot: int, where: str, *events: Entry) -> list[Entry]:
        journal_state, state = (DIVERTED, JobState.DIVERTED) if where == "reject" else (DONE, JobState.DONE)
        step = step_entry(journal_state, job, slot, self.memory.next_evt)
        done = self._event(EventKind.DONE, job, slot, bytes([state]))
        planted = self.memory.world.chute is not None and where == "output"
        return [self._recorder.moved({"op": "leave", "to": where, "planted": planted}), step, *events, done]

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

    def _show_pouch(self) -> None:
        station = self.memory.world.station
        self._enter(Phase.SHOWING, None)
        if station is not None:
            self._show(station.scene())

    def _reject_full(self) -> bool:
        return len(self.memory.world.reject) >= self.build.reject_room

    def _stop(self, reason: Reason) -> None:
        self.stopped = reason
        self._tell(EventKind.STOPPED, bytes([reason]))

    def _go_on(self) -> None:
        self.stopped = Reason.NONE
        self._tell(EventKind.READY)

    def _tell(self, kind: EventKind, data: bytes = b"") -> None:
        job = self.memory.head
        event = Event(kind, NO_JOB, 0, data) if job is None else Event(kind, job.id, job.place, data)
        self._commit(event_entry(event))

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
