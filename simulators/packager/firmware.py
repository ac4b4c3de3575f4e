"""The device side of PPL/1: bytes and the time go in, bytes come out; what is durable goes through the recorder."""

import struct
import zlib
from collections.abc import Callable
from enum import IntEnum

from simulators.packager import labels
from simulators.packager.codec import EVT, HELLO, HELLO_RSP, REQ, RSP, Counters, Frame, Receiver, encode_frame
from simulators.packager.journal import ACCEPTED, Extent
from simulators.packager.labels import Upload
from simulators.packager.machine import EVENT_LIMIT, Machine, Phase, State
from simulators.packager.memory import (
    NO_JOB,
    Drop,
    Event,
    EventKind,
    Job,
    JobState,
    Kind,
    Memory,
    event_entry,
    job_entry,
    label_entry,
    number,
    step_entry,
)
from simulators.packager.recorder import Recorder

EVENTS_ON_THE_WAY = 16
EVENT_RESEND_S = 0.2
JOBS_ACCEPTED = 4
DROPS_LIMIT = 12
STATUS_PAGE = 20
PING_LIMIT = 225
CAPABILITIES = 0b11
SCHEMA_CRC = zlib.crc32(b"PPL/1.0")
VERSION = "1.0.0"

_HELLO = struct.Struct("<BBI")
_HELLO_RSP = struct.Struct("<BBBIIBIIBH")
_STATUS = struct.Struct("<BB16sBIIIIIIIBBB")
_ENTRY = struct.Struct("<BIH")
_RUN = struct.Struct("<16sI32sB")
_DROP = struct.Struct("<BIB")
_RUN_RSP = struct.Struct("<BI")
_QUERY_RSP = struct.Struct("<BBBI")
_ACK = struct.Struct("<II")
_BEGIN = struct.Struct("<32sHHI")
_DATA = struct.Struct("<4sI")
_OFFSET = struct.Struct("<I")
_VERDICT = struct.Struct("<16sBIIB")
_EVENT = struct.Struct("<II16sB")


class Rc(IntEnum):
    """The first byte of every answer."""

    OK, BAD_REQUEST, CONFLICT, BUSY, NO_LABEL, UNKNOWN_JOB, CASSETTE_MISMATCH, OFFSET, DIGEST, STALE_EVENT, FENCED, \
        UNSUPPORTED, EMPTY, STOPPED = range(14)


class Refused(Exception):
    """A request that gets another rc than OK; `payload` follows it."""

    def __init__(self, rc: Rc, payload: bytes = b"") -> None:
        super().__init__(rc.name)
        self.rc = rc
        self.payload = payload


def unpack(shape: struct.Struct, payload: bytes) -> tuple[int | bytes, ...]:
    """Unpack a payload of exactly this shape; anything else is a BAD_REQUEST."""
    if len(payload) != shape.size:
        raise Refused(Rc.BAD_REQUEST)
    return shape.unpack(payload)


class Firmware:
    """One device. `receive` takes bytes, `tick` the time alone; both give the bytes to send. `due` is when to tick next."""

    def __init__(self, machine: Machine, recorder: Recorder, serial: str) -> None:
        self.counters = Counters()
        self.memory: Memory = recorder.memory
        self.machine = machine
        self._recorder = recorder
        self._serial = serial
        self._receiver = Receiver(self.counters)
        self._sid = 0
        self._replied: tuple[Frame, bytes] | None = None
        self._upload: Upload | None = None
        self._sent: dict[int, float] = {}
        self._simulated_now = 0.0
        self._operations: dict[int, Callable[[bytes], bytes]] = {
            0x01: self._status, 0x02: self._job_run, 0x03: self._job_query, 0x05: self._evt_ack, 0x06: self._ping,
            0x20: self._label_begin, 0x21: self._label_data, 0x22: self._label_commit, 0x23: self._verdict,
        }

    def receive(self, data: bytes, now: float, simulated_now: float) -> bytes:
        """Take bytes off the line; `now` is real time, `simulated_now` the machine's. Gives the answers and events due."""
        self._simulated_now = simulated_now
        answers = [self._handle(frame) for frame in self._receiver.feed(data)]
        return b"".join(answers) + self.tick(now, simulated_now)

    def tick(self, now: float, simulated_now: float) -> bytes:
        """Let the machine move on and give the events due to be sent."""
        self._simulated_now = simulated_now
        self.machine.advance(simulated_now)
        return self._events_due(now) if self._sid else b""

    def event_due(self) -> float | None:
        """Tell when, in real time, the oldest event must be repeated; None where none is on the way."""
        oldest = self._sent.get(self.memory.first_evt)
        return None if oldest is None else oldest + EVENT_RESEND_S

    def _handle(self, frame: Frame) -> bytes:
        if frame.type == HELLO:
            self.counters.ok += 1
            return self._hello(frame)
        if frame.type not in (REQ, RSP, EVT):
            return b""
        if frame.sid != self._sid or self._sid == 0:
            self.counters.stale_sid += 1
            return b""
        self.counters.ok += 1
        return self._request(frame) if frame.type == REQ else b""

    def _request(self, frame: Frame) -> bytes:
        if self._replied is not None and self._replied[0] == frame:
            self.counters.dup += 1
            return self._replied[1]
        try:
            operation = self._operations.get(frame.op)
            if operation is None:
                raise Refused(Rc.UNSUPPORTED)
            payload = bytes([Rc.OK]) + operation(frame.payload)
        except Refused as refused:
            payload = bytes([refused.rc]) + refused.payload
        reply = encode_frame(Frame(RSP, frame.seq, frame.sid, frame.op, payload))
        self._replied = (frame, reply)
        return reply

    def _hello(self, frame: Frame) -> bytes:
        try:
            major, _, fence = map(int, unpack(_HELLO, frame.payload))
            if frame.sid == 0:
                raise Refused(Rc.BAD_REQUEST)
            if major != 1:
                raise Refused(Rc.UNSUPPORTED)
            if fence < self.memory.fence:
                raise Refused(Rc.FENCED)
        except Refused as refused:
            return self._hello_rsp(frame, refused.rc)
        if fence > self.memory.fence:
            self._recorder.commit(number(Kind.FENCE, fence))
        self._sid, self._replied = frame.sid, None
        self._sent.clear()
        return self._hello_rsp(frame, Rc.OK)

    def _hello_rsp(self, frame: Frame, rc: Rc) -> bytes:
        build, memory = self.machine.build, self.memory
        head = _HELLO_RSP.pack(rc, 1, 0, SCHEMA_CRC, memory.boot, 0, memory.next_evt, CAPABILITIES,
                               build.cassette_slots, build.label_width)
        texts = b"".join(bytes([len(text)]) + text.encode("ascii") for text in (VERSION, self._serial))
        return encode_frame(Frame(HELLO_RSP, 0, frame.sid, 0, head + texts))

    def _status(self, payload: bytes) -> bytes:
        if len(payload) != 1 or payload[0] == 0:
            raise Refused(Rc.BAD_REQUEST)
        first, count, slots = payload[0], self.counters, self.machine.build.cassette_slots
        job = self.memory.head
        page = range(first, min(first + STATUS_PAGE, slots + 1))
        entries = [(slot, self.memory.world.cassettes.get(slot)) for slot in page]
        head = _STATUS.pack(
            self.machine.state, self.machine.stopped, job.id if job else NO_JOB, self._job_slot(job) if job else 0,
            self.memory.next_evt, count.crc_err, count.cobs_err, count.overrun, count.ok, count.dup, count.stale_sid,
            slots, first, len(entries))
        return head + b"".join(_ENTRY.pack(slot, found.number if found else 0, found.remaining if found else 0)
                               for slot, found in entries)

    def _job_slot(self, job: Job) -> int:
        return min(job.slot, max(0, len(job.drops) - 1)) if job.drops else job.slot

    def _job_run(self, payload: bytes) -> bytes:
        if len(payload) < _RUN.size or (len(payload) - _RUN.size) % _DROP.size:
            raise Refused(Rc.BAD_REQUEST)
        job_id, digest, label, count = _RUN.unpack_from(payload)
        drops = tuple(Drop(*found) for found in _DROP.iter_unpack(payload[_RUN.size :]))
        slots = self.machine.build.cassette_slots
        if (job_id == NO_JOB or count != len(drops) or not 1 <= count <= DROPS_LIMIT
                or not all(drop.count and 1 <= drop.slot <= slots and drop.cassette for drop in drops)):
            raise Refused(Rc.BAD_REQUEST)
        known = self.memory.jobs.get(job_id)
        if known is None:
            if zlib.crc32(payload[20:]) != digest:
                raise Refused(Rc.DIGEST)
            known = Job(job_id, digest, label, drops)
            self._refuse_if_unable(known)
            self._accept(known)
            known = self.memory.jobs[job_id]
        elif known.digest != digest:
            raise Refused(Rc.CONFLICT)
        return _RUN_RSP.pack(known.state, known.evt)

    def _refuse_if_unable(self, job: Job) -> None:
        if self.machine.state in (State.STOPPED, State.DOUBT):
            raise Refused(Rc.STOPPED)
        if len(self.memory.queue) >= JOBS_ACCEPTED or len(self.memory.events) >= EVENT_LIMIT:
            raise Refused(Rc.BUSY)
        if job.label not in self.memory.labels:
            raise Refused(Rc.NO_LABEL)
        cassettes = self.memory.world.cassettes
        for drop in job.drops:
            sitting = cassettes.get(drop.slot)
            if sitting is None or sitting.number != drop.cassette:
                raise Refused(Rc.CASSETTE_MISMATCH)
        wanted = self._promised()
        for drop in job.drops:
            wanted[drop.slot] = wanted.get(drop.slot, 0) + drop.count
            if wanted[drop.slot] > cassettes[drop.slot].remaining:
                raise Refused(Rc.EMPTY)

    def _promised(self) -> dict[int, int]:
        promised: dict[int, int] = {}
        for job_id in self.memory.queue:
            job = self.memory.jobs[job_id]
            begin = job.slot + (job.intent and self.machine.phase is Phase.COUNTING)
            for drop in () if job.state == JobState.AT_CAMERA else job.drops[begin:]:
                promised[drop.slot] = promised.get(drop.slot, 0) + drop.count
        return promised

    def _accept(self, job: Job) -> None:
        self.memory.touch_label(job.label)
        evt = self.memory.next_evt
        self._recorder.commit(job_entry(job), step_entry(ACCEPTED, job, 0, evt),
                              event_entry(Event(EventKind.ACCEPTED, job.id, 0)))

    def _job_query(self, payload: bytes) -> bytes:
        job = self.memory.jobs.get(payload)
        if len(payload) != 16:
            raise Refused(Rc.BAD_REQUEST)
        if job is None:
            raise Refused(Rc.UNKNOWN_JOB)
        running = job is self.memory.head and job.state in (JobState.RUNNING, JobState.AT_CAMERA)
        return _QUERY_RSP.pack(job.state, self._job_slot(job), running and not self.machine.stopped, job.evt)

    def _evt_ack(self, payload: bytes) -> bytes:
        boot, evt = map(int, unpack(_ACK, payload))
        if boot != self.memory.boot:
            raise Refused(Rc.STALE_EVENT)
        if evt >= self.memory.next_evt:
            raise Refused(Rc.BAD_REQUEST)
        count = evt - self.memory.first_evt + 1
        if count > 0:
            for gone in range(self.memory.first_evt, evt + 1):
                self._sent.pop(gone, None)
            self._recorder.commit(number(Kind.ACKED, count))
        return b""

    def _ping(self, payload: bytes) -> bytes:
        if len(payload) > PING_LIMIT:
            raise Refused(Rc.BAD_REQUEST)
        return payload

    def _label_begin(self, payload: bytes) -> bytes:
        if len(payload) != _BEGIN.size:
            raise Refused(Rc.BAD_REQUEST)
        digest, width, height, length = _BEGIN.unpack(payload)
        if not labels.fits_head(width, height, length, self.machine.build.label_width):
            raise Refused(Rc.BAD_REQUEST)
        held = self.memory.labels.get(digest)
        if held is not None:
            self.memory.touch_label(digest)
            return _OFFSET.pack(length)
        if self._upload is None or not self._upload.same_as(digest, width, height, length):
            if len(self.memory.labels) >= labels.LABELS_HELD and self.memory.evictable_label() is None:
                raise Refused(Rc.BUSY)
            self._upload = Upload(digest, width, height, length, bytearray())
        return _OFFSET.pack(len(self._upload.stream))

    def _label_data(self, payload: bytes) -> bytes:
        data = payload[_DATA.size :]
        if not 1 <= len(data) <= 200:
            raise Refused(Rc.BAD_REQUEST)
        tag, offset = _DATA.unpack_from(payload)
        upload = self._upload
        if upload is None or tag != upload.tag:
            raise Refused(Rc.NO_LABEL)
        if offset != len(upload.stream):
            raise Refused(Rc.OFFSET, _OFFSET.pack(len(upload.stream)))
        if offset + len(data) > upload.length:
            raise Refused(Rc.BAD_REQUEST)
        upload.stream += data
        return _OFFSET.pack(len(upload.stream))

    def _label_commit(self, payload: bytes) -> bytes:
        if len(payload) != 32:
            raise Refused(Rc.BAD_REQUEST)
        if payload in self.memory.labels:
            return b""
        upload = self._upload
        if upload is None or upload.digest != payload:
            raise Refused(Rc.NO_LABEL)
        if len(upload.stream) < upload.length:
            raise Refused(Rc.OFFSET)
        label = labels.commit(upload)
        if label is None:
            self._upload = None
            raise Refused(Rc.DIGEST)
        self._make_room()
        self._recorder.commit(label_entry(label))
        self._upload = None
        return b""

    def _make_room(self) -> None:
        if len(self.memory.labels) < labels.LABELS_HELD:
            return
        oldest = self.memory.evictable_label()
        if oldest is None:
            raise Refused(Rc.BUSY)
        self._recorder.commit(Extent(Kind.LABEL_GONE, oldest))

    def _verdict(self, payload: bytes) -> bytes:
        if len(payload) != _VERDICT.size:
            raise Refused(Rc.BAD_REQUEST)
        job_id, slot, boot, evt, verdict = _VERDICT.unpack(payload)
        job = self.memory.jobs.get(job_id)
        if not 1 <= verdict <= 3:
            raise Refused(Rc.BAD_REQUEST)
        if job is None:
            raise Refused(Rc.UNKNOWN_JOB)
        if job.verdict == (boot, evt, verdict):
            return b""
        waiting = job is self.memory.head and self.machine.phase is Phase.WAITING and job.verdict is None
        if not waiting or (boot, evt, slot) != (self.memory.boot, job.camera_evt, len(job.drops) - 1):
            raise Refused(Rc.STALE_EVENT)
        self.machine.take_verdict(verdict, self._simulated_now)
        return b""

    def _events_due(self, now: float) -> bytes:
        memory, out = self.memory, []
        first = memory.first_evt
        for evt in range(first, min(first + EVENTS_ON_THE_WAY, memory.next_evt)):
            last = self._sent.get(evt)
            if last is None or (evt == first and now - last >= EVENT_RESEND_S):
                self._sent[evt] = now
                out.append(self._event_frame(memory.events[evt - first], evt))
        return b"".join(out)

    def _event_frame(self, event: Event, evt: int) -> bytes:
        payload = _EVENT.pack(self.memory.boot, evt, event.job, event.slot) + event.data
        return encode_frame(Frame(EVT, evt & 0xFF, self._sid, event.kind, payload))
