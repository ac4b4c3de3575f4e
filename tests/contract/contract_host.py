"""A small host at a packager's port: one request at a time, repeated until it is answered. It knows the protocol and nothing else."""

import hashlib
import os
import struct
import time
import zlib
from dataclasses import dataclass
from typing import Self

import serial
from contract_wire import EVT, HELLO, HELLO_RSP, REQ, RSP, Frame, Splitter, to_wire

PATIENCE_S = 20.0
REPEAT_S = 0.4

(OK, BAD_REQUEST, CONFLICT, BUSY, NO_LABEL, UNKNOWN_JOB, CASSETTE_MISMATCH, OFFSET, DIGEST, STALE_EVENT, FENCED,
 UNSUPPORTED, EMPTY, STOPPED, LOCKED, NOT_LOCKED, SIGNATURE, SAFE_MODE) = range(18)
(ACCEPTED, DROPPED, AT_CAMERA, RELEASED, DIVERTED, DONE, STOPPED_EVENT, READY, CASSETTE, RESOLVED, LOCK_EVENT) = range(0x41, 0x4C)
PASS, FAIL, LOOK = 1, 2, 3
RASTER, WIDTH = bytes.fromhex("fff08010fff0"), 12


@dataclass(frozen=True)
class Event:
    """What an EVT frame says."""

    kind: int
    boot: int
    evt: int
    job: bytes
    slot: int
    data: bytes


@dataclass(frozen=True)
class Identity:
    """What HELLO_RSP says."""

    rc: int
    major: int
    minor: int
    schema_crc: int
    boot: int
    reset_cause: int
    next_evt: int
    capabilities: int
    cassette_slots: int
    label_width: int
    firmware: bytes
    serial: bytes


@dataclass(frozen=True)
class Status:
    """What STATUS says; `slots` holds (slot, cassette, remaining)."""

    state: int
    reason: int
    job: bytes
    job_slot: int
    next_evt: int
    crc_err: int
    cobs_err: int
    overrun: int
    ok: int
    dup: int
    stale_sid: int
    slot_count: int
    slots: tuple[tuple[int, int, int], ...]


def new_job() -> bytes:
    """Make a job id that no machine has seen."""
    return os.urandom(16)


def new_label() -> tuple[bytes, bytes]:
    """Give (SHA-256, zlib stream) of a raster of 12 x 27 dots that no machine has seen."""
    raster = RASTER + os.urandom(48)
    named = WIDTH.to_bytes(2, "little") + (len(raster) // 2).to_bytes(2, "little") + raster
    return hashlib.sha256(named).digest(), zlib.compress(raster, 0)


def label_begin(label: bytes, length: int) -> bytes:
    """Write LABEL_BEGIN of a label of `new_label`."""
    return label + struct.pack("<HHI", WIDTH, 27, length)


def job_run(job: bytes, label: bytes, drops: list[tuple[int, int, int]]) -> bytes:
    """Write JOB_RUN; drops are (machine slot, cassette, count)."""
    summed = label + bytes([len(drops)]) + b"".join(struct.pack("<BIB", *drop) for drop in drops)
    return job + struct.pack("<I", zlib.crc32(summed)) + summed


def answer_to(event: Event, value: int, **other: int) -> bytes:
    """Write VERDICT or RESOLVE that names an event; `other` replaces its slot, boot or evt by a wrong one."""
    named = {"slot": event.slot, "boot": event.boot, "evt": event.evt} | other
    return event.job + struct.pack("<BIIB", named["slot"], named["boot"], named["evt"], value)


def read_event(frame: Frame) -> Event:
    """Read an EVT frame; its seq is the low byte of its number."""
    boot, evt = struct.unpack_from("<II", frame.payload)
    assert frame.seq == evt & 0xFF, frame
    return Event(frame.op, boot, evt, frame.payload[8:24], frame.payload[24], frame.payload[25:])


def read_identity(payload: bytes) -> Identity:
    """Read HELLO_RSP to its last byte."""
    numbers = struct.unpack_from("<BBBIIBIIBH", payload)
    rest = payload[struct.calcsize("<BBBIIBIIBH") :]
    firmware, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
    assert len(rest) == 1 + rest[0], payload.hex()
    return Identity(*numbers, firmware, rest[1:])


class ContractHost:
    """The far end of the line. `events` are those that came since `hello`, repetitions and all."""

    def __init__(self, url: str) -> None:
        self._port = serial.serial_for_url(url, baudrate=115200, timeout=0.05)
        self._splitter = Splitter()
        self._answers: list[Frame] = []
        self._seq = 0
        self.sid = 0
        self.boot = 0
        self.events: list[Event] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._port.close()

    def write(self, data: bytes) -> None:
        """Send raw bytes."""
        self._port.write(data)

    def poll(self) -> None:
        """Take in what is there; waits a twentieth of a second at most."""
        data = self._port.read(1)
        while data:
            self._sort(self._splitter.feed(data))
            waiting = self._port.in_waiting
            data = self._port.read(waiting) if waiting else b""

    def _sort(self, frames: list[Frame]) -> None:
        self._answers += [frame for frame in frames if frame.type in (RSP, HELLO_RSP)]
        self.events += [read_event(frame) for frame in frames if frame.type == EVT and frame.sid == self.sid]

    def hello(self, fence: int, sid: int | None = None) -> Identity:
        """Open a session with a random id, or the one given."""
        sid = int.from_bytes(os.urandom(2), "little") | 1 if sid is None else sid
        identity = self.try_hello(sid, struct.pack("<BBI", 1, 1, fence))
        assert identity.rc == OK, f"HELLO got rc {identity.rc}; FENCED (10): give a higher --packager-fence"
        self.boot = identity.boot
        return identity

    def try_hello(self, sid: int, payload: bytes) -> Identity:
        """Send a HELLO that may be refused; a session that goes on keeps its number."""
        before, self.sid = self.sid, sid
        if before != sid:
            self.events.clear()
        identity = read_identity(self.exchange(Frame(HELLO, 0, sid, 0, payload)).payload)
        if identity.rc == OK:
            self._seq = 0
        else:
            self.sid = before
        return identity

    def ask(self, op: int, payload: bytes = b"") -> tuple[int, bytes]:
        """Make one request; gives (rc, what follows)."""
        answer = self.exchange(self.next_request(op, payload))
        return answer.payload[0], answer.payload[1:]

    def next_request(self, op: int, payload: bytes = b"") -> Frame:
        """Give the frame of the next request, not sent yet."""
        self._seq = (self._seq + 1) % 256
        return Frame(REQ, self._seq, self.sid, op, payload)

    def exchange(self, frame: Frame) -> Frame:
        """Send until an answer comes; a stopped clock of the device must not stop this."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            self.write(to_wire(frame))
            if answer := self._answer_to(frame, time.monotonic() + REPEAT_S):
                return answer
        raise AssertionError(f"no answer to {frame}")

    def start(self, frame: Frame) -> None:
        """Send a request that nobody will answer, since the power goes while it is carried out."""
        self.write(to_wire(frame))

    def _answer_to(self, frame: Frame, until: float) -> Frame | None:
        while time.monotonic() < until:
            self.poll()
            for answer in self._answers:
                if (answer.seq, answer.sid, answer.op) == (frame.seq, frame.sid, frame.op):
                    self._answers.clear()
                    return answer
        return None

    def answers_up_to(self, frame: Frame) -> list[Frame]:
        """Send a frame once and give all answers that come up to its own."""
        self._answers.clear()
        self.write(to_wire(frame))
        end = time.monotonic() + PATIENCE_S
        while not any((each.seq, each.op) == (frame.seq, frame.op) for each in self._answers):
            assert time.monotonic() < end, f"no answer to {frame}"
            self.poll()
        found, self._answers = self._answers, []
        return found

    def status(self, first: int = 1) -> Status:
        """Ask for STATUS."""
        rc, answer = self.ask(0x01, bytes([first]))
        assert rc == OK
        *numbers, slot_count, told_first, count = struct.unpack_from("<BB16sBIIIIIIIBBB", answer)
        assert (told_first, len(answer)) == (first, 50 + 7 * count), answer.hex()
        entries = tuple(struct.iter_unpack("<BIH", answer[50:]))
        return Status(*numbers, slot_count, entries)

    def remaining(self, slot: int) -> int:
        """Tell what the machine believes is left in a slot."""
        return self.status(slot).slots[0][2]

    def query(self, job: bytes) -> tuple[int, int, int, int]:
        """Give (job_state, job_slot, running, evt)."""
        rc, answer = self.ask(0x03, job)
        assert rc == OK
        return struct.unpack("<BBBI", answer)

    def upload(self) -> bytes:
        """Carry a new label over; gives its name."""
        label, stream = new_label()
        assert self.ask(0x20, label_begin(label, len(stream))) == (OK, bytes(4))
        assert self.ask(0x21, label[:4] + bytes(4) + stream) == (OK, struct.pack("<I", len(stream)))
        assert self.ask(0x22, label) == (OK, b"")
        return label

    def acknowledge(self, evt: int) -> tuple[int, bytes]:
        """Acknowledge an event of this boot and all before it."""
        return self.ask(0x05, struct.pack("<II", self.boot, evt))

    def acknowledge_all(self) -> None:
        """Acknowledge whatever the device may have sent."""
        newest = self.status().next_evt - 1
        if newest:
            assert self.acknowledge(newest) == (OK, b"")

    def fresh(self) -> list[Event]:
        """Give the events by their numbers, each once."""
        return sorted({(each.boot, each.evt): each for each in self.events}.values(), key=lambda each: (each.boot, each.evt))

    def of_job(self, job: bytes) -> list[Event]:
        """Give the events of one job, each once, in order."""
        return [each for each in self.fresh() if each.job == job]

    def await_event(self, kind: int, job: bytes) -> Event:
        """Wait for an event of this boot, acknowledging nothing."""
        end = time.monotonic() + PATIENCE_S
        while True:
            for event in self.events:
                if (event.kind, event.job, event.boot) == (kind, job, self.boot):
                    return event
            assert time.monotonic() < end, f"event {kind:#x} did not come; there came {self.fresh()}"
            self.poll()

    def finish(self, job: bytes, verdict: int = PASS) -> None:
        """Answer the camera event of a job, wait for its end, and acknowledge it all."""
        event = self.await_event(AT_CAMERA, job)
        assert self.ask(0x23, answer_to(event, verdict)) == (OK, b"")
        assert self.acknowledge(self.await_event(DONE, job).evt) == (OK, b"")
