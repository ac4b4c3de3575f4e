"""What firmware and mechanics remember, built up entry by entry: the same code runs when an entry is made and at the next boot."""

import json
import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from simulators.packager.journal import ACCEPTED, CAMERA, DIVERTED, DONE, DROPPED, INTENT, VOID, Entry, Extent, Step
from simulators.packager.slots import Change, Slots
from simulators.packager.snapshot import world_from_bytes, world_to_bytes
from simulators.packager.world import Fact, Label, Movement, World

JOBS_REMEMBERED = 65536
NO_JOB = bytes(16)


class Kind(IntEnum):
    """What an extent of the state file holds."""

    BOOT, FENCE, LABEL, LABEL_GONE, JOB, EVENT, ACKED, MOVEMENT, WORLD, ENDED, COUNTED, ANSWERED, LOCK, FIRMWARE = range(1, 15)


_NUMBER = struct.Struct("<I")
_LABEL = struct.Struct("<32sHH")
_JOB = struct.Struct("<16sI32s")
_SLOT = struct.Struct("<BIB")
_EVENT = struct.Struct("<B16sB")
_COUNTED = struct.Struct("<BB")
_ENDED = struct.Struct("<16sIBB")


class JobState(IntEnum):
    """Where a job is, as JOB_QUERY tells it."""

    NONE, ACCEPTED, RUNNING, AT_CAMERA, DONE, DIVERTED, DOUBT, REFUSED, ABORTED = range(9)


_STATE_AFTER = {
    ACCEPTED: JobState.ACCEPTED, INTENT: JobState.RUNNING, DROPPED: JobState.RUNNING, CAMERA: JobState.AT_CAMERA,
    DONE: JobState.DONE, DIVERTED: JobState.DIVERTED, VOID: JobState.ABORTED,
}


class EventKind(IntEnum):
    """The op of an EVT frame."""

    ACCEPTED, DROPPED, AT_CAMERA, RELEASED, DIVERTED, DONE, STOPPED, READY, CASSETTE, RESOLVED, LOCK = range(0x41, 0x4C)


@dataclass(frozen=True, slots=True)
class Drop:
    """`count` tablets out of cassette number `cassette`, which sits in machine slot `slot`."""

    slot: int
    cassette: int
    count: int


@dataclass(slots=True)
class Job:
    """One pouch to make; `slot` is the number of the drop under way or next, `intent` that its actuator may have moved.

    `camera_evt` and `doubt_evt` are the numbers, in this boot, of the events that wait for a verdict and for a person's count;
    `verdict` and `answer` are what came (the answer as the payload of RESOLVE, which is remembered for good).
    """

    id: bytes
    digest: int
    label: bytes
    drops: tuple[Drop, ...]
    state: JobState = JobState.NONE
    slot: int = 0
    intent: bool = False
    evt: int = 0
    camera_evt: int = 0
    doubt_evt: int = 0
    verdict: tuple[int, int, int] | None = None
    answer: bytes = b""

    @property
    def ended(self) -> bool:
        """Tell that nothing will happen to the job any more."""
        return self.state in (JobState.DONE, JobState.DIVERTED, JobState.ABORTED)

    @property
    def last(self) -> int:
        """Give the number of the last drop."""
        return len(self.drops) - 1

    @property
    def place(self) -> int:
        """Give the number of the drop that the job has come to, never beyond the last."""
        return min(self.slot, max(0, self.last)) if self.drops else self.slot


@dataclass(frozen=True, slots=True)
class Event:
    """An event without boot and number, which it has by its place among those not acknowledged."""

    kind: int
    job: bytes
    slot: int
    data: bytes = b""


@dataclass
class Memory:
    """Everything durable. `queue` holds the ids of the jobs that have not ended, in the order they run.

    `lock_owner` is empty where nobody holds the service lock.
    """

    world: World = field(default_factory=World)
    boot: int = 0
    fence: int = 0
    labels: dict[bytes, Label] = field(default_factory=dict)
    jobs: dict[bytes, Job] = field(default_factory=dict)
    queue: list[bytes] = field(default_factory=list)
    events: deque[Event] = field(default_factory=deque)
    first_evt: int = 1
    lock_owner: str = ""
    slots: Slots = field(default_factory=Slots)

    @property
    def next_evt(self) -> int:
        """Give the number the next event will have."""
        return self.first_evt + len(self.events)

    @property
    def head(self) -> Job | None:
        """Give the job that runs, or runs next."""
        return self.jobs[self.queue[0]] if self.queue else None

    def apply(self, entry: Entry) -> list[Fact]:
        """Take one entry in and give the physical facts it made true."""
        if isinstance(entry, Step):
            self._step(entry)
            return []
        match entry.kind:
            case Kind.MOVEMENT:
                return self._movement(json.loads(entry.payload))
            case Kind.WORLD:
                self.world = world_from_bytes(entry.payload)
            case Kind.COUNTED:
                self.world.count(*_COUNTED.unpack(entry.payload))
            case kind:
                self._remember(kind, entry.payload)
        return []

    def _remember(self, kind: int, payload: bytes) -> None:
        match kind:
            case Kind.BOOT:
                self._boot(*_NUMBER.unpack(payload))
            case Kind.FENCE:
                self.fence = _NUMBER.unpack(payload)[0]
            case Kind.LABEL:
                digest, width, height = _LABEL.unpack_from(payload)
                self.labels[digest] = Label(digest, width, height, payload[_LABEL.size :])
            case Kind.LABEL_GONE:
                self.labels.pop(payload, None)
            case Kind.JOB:
                self._job(payload)
            case Kind.EVENT:
                self._event(payload)
            case Kind.ACKED:
                self._acked(*_NUMBER.unpack(payload))
            case Kind.ENDED:
                self._ended(payload)
            case Kind.ANSWERED:
                self.jobs[payload[:16]].answer = payload
            case Kind.LOCK:
                self.lock_owner = payload.decode("ascii")
            case Kind.FIRMWARE:
                self.slots.apply(payload[0], payload[1:])

    def touch_label(self, digest: bytes) -> None:
        """Note that the label is of use: the one longest unused goes first."""
        self.labels[digest] = self.labels.pop(digest)

    def evictable_label(self) -> bytes | None:
        """Give the label longest unused that no open job needs, or None."""
        needed = {self.jobs[job].label for job in self.queue}
        return next((digest for digest in self.labels if digest not in needed), None)

    def entries(self) -> Iterator[Entry]:
        """Say all of this in the fewest entries, for a state file written anew."""
        yield from (number(Kind.BOOT, self.boot), number(Kind.FENCE, self.fence), lock_entry(self.lock_owner))
        yield firmware_entry(Change.WHOLE, self.slots.to_bytes())
        yield from (label_entry(label) for label in self.labels.values())
        for job in self.jobs.values():
            if job.ended:
                yield Extent(Kind.ENDED, _ENDED.pack(job.id, job.digest, job.state, job.slot))
                yield from [answer_entry(job.answer)] if job.answer else []
            else:
                yield from _open_job_entries(job)
        yield Extent(Kind.WORLD, world_to_bytes(self.world))
        yield from (event_entry(event) for event in self.events)

    def _boot(self, boot: int) -> None:
        self.boot, self.first_evt = boot, 1
        self.slots.start()
        for job in self.jobs.values():
            job.evt = job.camera_evt = job.doubt_evt = 0
            job.verdict = None
        for offset, event in enumerate(self.events):
            self._name_event(event, 1 + offset)

    def _step(self, step: Step) -> None:
        job = next(job for job in map(self.jobs.__getitem__, self.queue)
                   if job.id.startswith(step.job_head) and job.digest == step.digest)
        job.state = _STATE_AFTER[step.state]
        job.intent = step.state == INTENT
        job.slot = step.slot + (step.state == DROPPED)
        if job.ended:
            self.queue.remove(job.id)
            job.drops, job.label = (), b""

    def _job(self, payload: bytes) -> None:
        job_id, digest, label = _JOB.unpack_from(payload)
        drops = tuple(Drop(*found) for found in _SLOT.iter_unpack(payload[_JOB.size :]))
        self.jobs[job_id] = Job(job_id, digest, label, drops)
        self.queue.append(job_id)
        if len(self.jobs) > JOBS_REMEMBERED:
            del self.jobs[next(old for old, job in self.jobs.items() if job.ended)]

    def _ended(self, payload: bytes) -> None:
        job_id, digest, state, slot = _ENDED.unpack(payload)
        self.jobs[job_id] = Job(job_id, digest, b"", (), JobState(state), slot)

    def _event(self, payload: bytes) -> None:
        kind, job, slot = _EVENT.unpack_from(payload)
        event = Event(kind, job, slot, payload[_EVENT.size :])
        self._name_event(event, self.next_evt)
        self.events.append(event)

    def _name_event(self, event: Event, evt: int) -> None:
        job = self.jobs.get(event.job)
        if job is not None:
            job.evt = evt
            if event.kind == EventKind.AT_CAMERA:
                job.camera_evt = evt
            if event.kind == EventKind.STOPPED and event.data == b"\0":
                job.doubt_evt = evt

    def _acked(self, count: int) -> None:
        for _ in range(count):
            self.events.popleft()
        self.first_evt += count

    def _movement(self, movement: Movement) -> list[Fact]:
        label = self.labels[bytes.fromhex(movement["label"])] if movement["op"] == "cut" else None
        return self.world.apply(movement, label)


def number(kind: Kind, value: int) -> Extent:
    """Make a BOOT, FENCE or ACKED entry; ACKED counts the oldest events that are acknowledged."""
    return Extent(kind, _NUMBER.pack(value))


def label_entry(label: Label) -> Extent:
    """Make the entry of a committed label."""
    return Extent(Kind.LABEL, _LABEL.pack(label.digest, label.width, label.height) + label.stream)


def job_entry(job: Job) -> Extent:
    """Make the entry of a job as it was ordered."""
    drops = b"".join(_SLOT.pack(drop.slot, drop.cassette, drop.count) for drop in job.drops)
    return Extent(Kind.JOB, _JOB.pack(job.id, job.digest, job.label) + drops)


def event_entry(event: Event) -> Extent:
    """Make the entry of an event to be sent."""
    return Extent(Kind.EVENT, _EVENT.pack(event.kind, event.job, event.slot) + event.data)


def counted_entry(slot: int, counted: int) -> Extent:
    """Make the entry that `counted` tablets left the cassette in a machine slot, as the machine was told."""
    return Extent(Kind.COUNTED, _COUNTED.pack(slot, counted))


def answer_entry(answer: bytes) -> Extent:
    """Make the entry of a person's answer to a doubt; `answer` is the payload of RESOLVE, which begins with the job."""
    return Extent(Kind.ANSWERED, answer)


def lock_entry(owner: str) -> Extent:
    """Make the entry that the service lock is this owner's, or nobody's (empty)."""
    return Extent(Kind.LOCK, owner.encode("ascii"))


def firmware_entry(change: Change, payload: bytes = b"") -> Extent:
    """Make the entry of a change of the firmware slots."""
    return Extent(Kind.FIRMWARE, bytes([change]) + payload)


def movement_entry(movement: Movement, **more: object) -> Extent:
    """Make the entry of a movement of matter."""
    return Extent(Kind.MOVEMENT, json.dumps({**movement, **more}, ensure_ascii=False, separators=(",", ":")).encode())


def step_entry(state: int, job: Job, slot: int, evt: int) -> Step:
    """Make the 28-byte record that `job` came to `state` at drop `slot`."""
    return Step(state, slot, len(job.drops), evt, job.id[:8], job.digest)


def _open_job_entries(job: Job) -> Iterator[Entry]:
    yield job_entry(job)
    yield step_entry(ACCEPTED, job, 0, job.evt)
    if job.state == JobState.AT_CAMERA:
        yield step_entry(CAMERA, job, job.slot, job.evt)
    elif job.intent:
        yield step_entry(INTENT, job, job.slot, job.evt)
    elif job.slot:
        yield step_entry(DROPPED, job, job.slot - 1, job.evt)
