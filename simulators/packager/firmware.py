"""The device side of PPL/1: bytes and the time go in, bytes come out; what is durable goes through the recorder."""

import struct
import zlib
from collections.abc import Callable
from enum import IntEnum

from simulators.packager.build import Build
from simulators.packager.codec import EVT, HELLO, HELLO_RSP, REQ, RSP, Counters, Frame, Receiver, encode_frame
from simulators.packager.jobs import JobOperations
from simulators.packager.labels import LabelOperations
from simulators.packager.machine import Machine, Show
from simulators.packager.memory import NO_JOB, Event, Kind, Memory, number
from simulators.packager.recorder import Recorder
from simulators.packager.refusal import Rc, Refused, read_numbers, tell_text
from simulators.packager.service import ServiceOperations
from simulators.packager.update import TEST_MAKER_KEY, UpdateOperations

EVENTS_ON_THE_WAY = 16
EVENT_RESEND_S = 0.2
STATUS_PAGE = 20
PING_LIMIT = 225
PROTOCOL = (1, 1)
CAPABILITIES = 0b1111111
SCHEMA_CRC = zlib.crc32(b"PPL/1.1")
SERVED_IN_SAFE_MODE = frozenset({0x01, 0x05, 0x06, 0x08, 0x10, 0x11, 0x12, 0x13, 0x14})

_HELLO = struct.Struct("<BBI")
_HELLO_RSP = struct.Struct("<BBBIIBIIBH")
_STATUS = struct.Struct("<BB16sBIIIIIIIBBB")
_ENTRY = struct.Struct("<BIH")
_ACK = struct.Struct("<II")
_EVENT = struct.Struct("<II16sB")

Operation = Callable[[bytes, float], bytes]
"""Take the payload of a request and the simulated time; gives what follows the rc OK, or raises Refused."""


class Cause(IntEnum):
    """Why the device started."""

    POWER_ON, WATCHDOG, BROWN_OUT, SOFTWARE = range(4)


class Firmware:
    """One device. `receive` takes bytes, `tick` the time alone; both give the bytes to send. `due` is when to tick next.

    While `still` is set the line is served and the machine does not move on.
    """

    machine: Machine

    def __init__(
        self, build: Build, recorder: Recorder, show: Show, serial: str, maker_key: bytes = TEST_MAKER_KEY,
        cause: Cause = Cause.POWER_ON,
    ) -> None:
        self.memory: Memory = recorder.memory
        self.build = build
        self._recorder = recorder
        self._show = show
        self.serial = serial
        self._maker_key = maker_key
        self.still = False
        self._start(cause)

    def _start(self, cause: Cause) -> None:
        """Count the boot and begin with nothing but what is durable."""
        self._recorder.commit(number(Kind.BOOT, self.memory.boot + 1))
        self.counters = Counters()
        self.machine = Machine(self.build, self._recorder, self._show)
        self._receiver = Receiver(self.counters)
        self.cause = cause
        self._restarting = False
        self._sid = 0
        self._replied: tuple[Frame, bytes] | None = None
        self._sent: dict[int, float] = {}
        self._operations = self._served()

    def _served(self) -> dict[int, Operation]:
        jobs = JobOperations(self._recorder, self.machine)
        labels = LabelOperations(self._recorder, self.build.label_width)
        service = ServiceOperations(self._recorder, self.machine)
        update = UpdateOperations(self._recorder, self.machine, self._maker_key, self._restart)
        return {
            0x01: self._status, 0x05: self._evt_ack, 0x06: self._ping,
            0x02: jobs.run, 0x03: jobs.query, 0x04: jobs.resolve, 0x07: jobs.abort, 0x23: jobs.verdict,
            0x08: service.lock, 0x09: service.jog, 0x0A: service.self_test,
            0x10: update.begin, 0x11: update.data, 0x12: update.status, 0x13: update.commit, 0x14: update.confirm,
            0x20: labels.begin, 0x21: labels.data, 0x22: labels.commit,
        }

    def _restart(self) -> None:
        self._restarting = True

    def receive(self, data: bytes, now: float, simulated_now: float) -> bytes:
        """Take bytes off the line; `now` is real time, `simulated_now` the machine's. Gives the answers and events due.

        A restart comes after the answer that asked for it; what came behind that request is lost, as on any reset.
        """
        answers = []
        for frame in self._receiver.feed(data):
            answers.append(self._handle(frame, simulated_now))
            if self._restarting:
                self._start(Cause.SOFTWARE)
                break
        return b"".join(answers) + self.tick(now, simulated_now)

    def tick(self, now: float, simulated_now: float) -> bytes:
        """Let the machine move on and give the events due to be sent."""
        if not self.still:
            self.machine.advance(simulated_now)
        return self._events_due(now) if self._sid else b""

    def event_due(self) -> float | None:
        """Tell when, in real time, the oldest event must be repeated; None where none is on the way."""
        oldest = self._sent.get(self.memory.first_evt)
        return None if oldest is None else oldest + EVENT_RESEND_S

    def _handle(self, frame: Frame, simulated_now: float) -> bytes:
        if frame.type == HELLO:
            self.counters.ok += 1
            return self._hello(frame, simulated_now)
        if frame.type not in (REQ, RSP, EVT):
            return b""
        if frame.sid != self._sid or self._sid == 0:
            self.counters.stale_sid += 1
            return b""
        self.counters.ok += 1
        return self._request(frame, simulated_now) if frame.type == REQ else b""

    def _request(self, frame: Frame, simulated_now: float) -> bytes:
        if self._replied is not None and self._replied[0] == frame:
            self.counters.dup += 1
            return self._replied[1]
        rc, told = self.ask(frame.op, frame.payload, simulated_now)
        reply = encode_frame(Frame(RSP, frame.seq, frame.sid, frame.op, bytes([rc]) + told))
        self._replied = (frame, reply)
        return reply

    def ask(self, op: int, payload: bytes, simulated_now: float) -> tuple[int, bytes]:
        """Carry out one request, whichever way it came; gives the rc and what follows it."""
        try:
            return Rc.OK, self._operation(op)(payload, simulated_now)
        except Refused as refused:
            return refused.rc, refused.payload

    def _operation(self, op: int) -> Operation:
        if self.memory.slots.safe and op not in SERVED_IN_SAFE_MODE:
            raise Refused(Rc.SAFE_MODE)
        if op not in self._operations:
            raise Refused(Rc.UNSUPPORTED)
        return self._operations[op]

    def _hello(self, frame: Frame, simulated_now: float) -> bytes:
        try:
            fence = self._welcome(frame)
        except Refused as refused:
            return self._hello_rsp(frame, refused.rc)
        if frame.sid == self._sid and fence == self.memory.fence:
            return self._hello_rsp(frame, Rc.OK)  # a repetition: the session goes on, with its reply store
        if fence > self.memory.fence:
            self._recorder.commit(number(Kind.FENCE, fence))
        self._sid, self._replied = frame.sid, None
        self._sent.clear()
        self.machine.handle.stop(simulated_now)
        return self._hello_rsp(frame, Rc.OK)

    def _welcome(self, frame: Frame) -> int:
        major, _, fence = read_numbers(_HELLO, frame.payload)
        if frame.sid == 0:
            raise Refused(Rc.BAD_REQUEST)
        if major != PROTOCOL[0]:
            raise Refused(Rc.UNSUPPORTED)
        if fence < self.memory.fence:
            raise Refused(Rc.FENCED)
        return fence

    def _hello_rsp(self, frame: Frame, rc: Rc) -> bytes:
        memory, build = self.memory, self.build
        head = _HELLO_RSP.pack(rc, *PROTOCOL, SCHEMA_CRC, memory.boot, self.cause, memory.next_evt, CAPABILITIES,
                               build.cassette_slots, build.label_width)
        texts = tell_text(memory.slots.version) + tell_text(self.serial)
        return encode_frame(Frame(HELLO_RSP, 0, frame.sid, 0, head + texts))

    def _status(self, payload: bytes, now: float) -> bytes:
        if len(payload) != 1 or payload[0] == 0:
            raise Refused(Rc.BAD_REQUEST)
        first, count, slots = payload[0], self.counters, self.build.cassette_slots
        job = self.memory.head
        page = range(first, min(first + STATUS_PAGE, slots + 1))
        entries = [(slot, self.memory.world.cassettes.get(slot)) for slot in page]
        head = _STATUS.pack(
            self.machine.state, self.machine.stopped, job.id if job else NO_JOB, job.place if job else 0,
            self.memory.next_evt, count.crc_err, count.cobs_err, count.overrun, count.ok, count.dup, count.stale_sid,
            slots, first, len(entries))
        return head + b"".join(_ENTRY.pack(slot, found.number if found else 0, found.remaining if found else 0)
                               for slot, found in entries)

    def _evt_ack(self, payload: bytes, now: float) -> bytes:
        boot, evt = read_numbers(_ACK, payload)
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

    def _ping(self, payload: bytes, now: float) -> bytes:
        if len(payload) > PING_LIMIT:
            raise Refused(Rc.BAD_REQUEST)
        return payload

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
