"""A small machine for the tests of this folder: it answers PPL/1, counts what it executes, and can be told to misbehave."""

import os
import select
import struct
import tempfile
import threading
import time
import tty
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

from firmware_bridge.codec import Frame, FrameDecoder, FrameType, encode_frame
from firmware_bridge.contract import label_digest
from firmware_bridge.packets import SCHEMA_CRC, Op, Rc

EVENT_REPEAT_S = 0.2
NO_JOB = bytes(16)


@dataclass
class ScriptedMachine:
    """The firmware's side, without port and clock: `receive` returns the bytes to send."""

    boot: int = 3
    serial: bytes = b"\x04S007"
    schema_crc: int = SCHEMA_CRC
    fence: int = 0
    slots: int = 40
    cassettes: dict[int, tuple[int, int]] = field(default_factory=lambda: {5: (1234, 100), 6: (12345, 50)})
    answers_to_run: list[int] = field(default_factory=list)
    holds_at_camera: bool = False
    holds_jobs: bool = False
    is_silent: bool = False
    executed: Counter[tuple[int, bytes]] = field(default_factory=Counter)
    jobs: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    labels: set[bytes] = field(default_factory=set)
    verdicts: dict[tuple[int, int], int] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    next_event: int = 1
    unacknowledged: dict[int, tuple[int, bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._decoder = FrameDecoder()
        self._session = 0
        self._last: tuple[Frame, bytes] | None = None
        self._out = bytearray()
        self._partial: tuple[bytes, int, int, int] | None = None
        self._stream = bytearray()
        self._at_camera: tuple[bytes, int] | None = None
        self._doubt: tuple[bytes, int, int] | None = None
        self._resolved: bytes | None = None
        self._repeat_at_s = 0.0

    def receive(self, data: bytes) -> bytes:
        for frame in self._decoder.feed(data):
            if not self.is_silent:
                self._take(frame)
        out = bytes(self._out)
        self._out.clear()
        return out

    def tick(self, now_s: float) -> bytes:
        if not self.unacknowledged or not self._session or self.is_silent:
            self._repeat_at_s = now_s + EVENT_REPEAT_S
            return b""
        if now_s < self._repeat_at_s:
            return b""
        self._repeat_at_s = now_s + EVENT_REPEAT_S
        number = min(self.unacknowledged)
        return self._event_frame(number)

    def reboot(self) -> None:
        self.boot += 1
        self._session = 0
        self._last = None
        self._partial = None
        old = [self.unacknowledged[number] for number in sorted(self.unacknowledged)]
        self.unacknowledged = {
            number: (kind, struct.pack("<II", self.boot, number) + payload[8:])
            for number, (kind, payload) in enumerate(old, 1)
        }
        self.next_event = len(old) + 1

    def happen(self, kind: int, job: bytes = NO_JOB, slot: int = 0, data: bytes = b"") -> None:
        number = self.next_event
        self.next_event += 1
        self.unacknowledged[number] = (kind, struct.pack("<II", self.boot, number) + job + bytes([slot]) + data)
        if self._session and number - min(self.unacknowledged) < 16:
            self._out += self._event_frame(number)

    def skip_event_number(self) -> None:
        self.next_event += 1

    def _event_frame(self, number: int) -> bytes:
        kind, payload = self.unacknowledged[number]
        return encode_frame(Frame(FrameType.EVT, number & 0xFF, self._session, kind, payload))

    def _take(self, frame: Frame) -> None:
        if frame.type == FrameType.HELLO:
            self._hello(frame)
        elif frame.type == FrameType.REQ and frame.session == self._session and self._session:
            if self._last is not None and self._last[0] == frame:
                self._out += self._last[1]
                return
            self.asked.append(frame.op)
            self.executed[(frame.op, frame.payload)] += 1
            payload = self.answer(frame.op, frame.payload)
            wire = encode_frame(Frame(FrameType.RSP, frame.seq, frame.session, frame.op, payload))
            self._last = (frame, wire)
            # The answer leaves before the events that the request caused.
            self._out[:0] = wire

    def _hello(self, frame: Frame) -> None:
        (fence,) = struct.unpack_from("<I", frame.payload, 2)
        rc = Rc.FENCED if fence < self.fence else Rc.OK
        head = struct.pack("<BBBIIBIIBH", rc, 1, 1, self.schema_crc, self.boot, 0, self.next_event, 3, self.slots, 576)
        wire = encode_frame(Frame(FrameType.HELLO_RSP, 0, frame.session, 0, head + b"\x051.2.3" + self.serial))
        self._out += wire
        if rc == Rc.OK:
            self.fence = fence
            if frame.session != self._session:
                self._session = frame.session
                self._last = None
                for number in sorted(self.unacknowledged)[:16]:
                    self._out += self._event_frame(number)

    def answer(self, op: int, payload: bytes) -> bytes:
        """Execute one request and return the payload of its answer."""
        handlers: dict[int, Callable[[bytes], bytes]] = {
            Op.STATUS: self._status,
            Op.JOB_RUN: self._run,
            Op.JOB_QUERY: self._query,
            Op.EVT_ACK: self._ack,
            Op.PING: lambda data: b"\0" + data,
            Op.LABEL_BEGIN: self._begin,
            Op.LABEL_DATA: self._data,
            Op.LABEL_COMMIT: self._commit,
            Op.VERDICT: self._verdict,
            Op.RESOLVE: self._resolve,
            Op.ABORT: self._abort,
        }
        return handlers[op](payload) if op in handlers else bytes([Rc.UNSUPPORTED])

    def _status(self, payload: bytes) -> bytes:
        first = payload[0]
        shown = range(first, min(first + 20, self.slots + 1))
        entries = b"".join(struct.pack("<BIH", slot, *self.cassettes.get(slot, (0, 0))) for slot in shown)
        job = self._at_camera[0] if self._at_camera else NO_JOB
        head = struct.pack(
            "<BBB16sBI6IBBB",
            0,
            2 if self._at_camera else 0,
            0,
            job,
            0,
            self.next_event,
            *([0] * 6),
            self.slots,
            first,
            len(shown),
        )
        return head + entries

    def _begin(self, payload: bytes) -> bytes:
        label, (width, height, length) = payload[:32], struct.unpack_from("<HHI", payload, 32)
        if label in self.labels:
            return struct.pack("<BI", 0, length)
        if self._partial is None or self._partial[0] != label:
            self._partial = (label, width, height, length)
            self._stream.clear()
        return struct.pack("<BI", 0, len(self._stream))

    def _data(self, payload: bytes) -> bytes:
        (offset,) = struct.unpack_from("<I", payload, 4)
        if self._partial is None or payload[:4] != self._partial[0][:4]:
            return bytes([Rc.BAD_REQUEST])
        if offset != len(self._stream):
            return struct.pack("<BI", Rc.OFFSET, len(self._stream))
        self._stream += payload[8:]
        return struct.pack("<BI", 0, len(self._stream))

    def _commit(self, payload: bytes) -> bytes:
        if self._partial is None:
            return bytes([Rc.OK if payload in self.labels else Rc.BAD_REQUEST])
        label, width, height, _ = self._partial
        self._partial = None
        if label_digest(width, height, zlib.decompress(self._stream)) != payload:
            return bytes([Rc.DIGEST])
        self.labels.add(label)
        return b"\0"

    def _run(self, payload: bytes) -> bytes:
        job, (digest,), label, count = payload[:16], struct.unpack_from("<I", payload, 16), payload[20:52], payload[52]
        if job in self.jobs:
            known, state = self.jobs[job]
            return bytes([Rc.CONFLICT]) if known != digest else struct.pack("<BBI", 0, state, 0)
        if self.answers_to_run and (rc := self.answers_to_run.pop(0)) != Rc.OK:
            return bytes([rc])
        if label not in self.labels:
            return bytes([Rc.NO_LABEL])
        self.jobs[job] = (digest, 1 if self.holds_jobs else 4)
        self.happen(0x41, job)
        if self.holds_jobs:
            return struct.pack("<BBI", 0, 1, self.next_event - 1)
        for k in range(count):
            slot, cassette, number = struct.unpack_from("<BIB", payload, 53 + 6 * k)
            left = self.cassettes[slot][1] - number
            self.cassettes[slot] = (cassette, left)
            self.happen(0x42, job, k, struct.pack("<IBBH", cassette, number, number, left))
        self._at_camera = (job, self.next_event)
        self.happen(0x43, job, count - 1)
        if not self.holds_at_camera:
            self.leave(1)
        return struct.pack("<BBI", 0, 1, self.next_event - 1)

    def leave(self, verdict: int) -> None:
        assert self._at_camera is not None
        job, _ = self._at_camera
        self._at_camera = None
        self.happen(0x44 if verdict == 1 else 0x45, job, 0, b"" if verdict == 1 else bytes([verdict]))
        self.happen(0x46, job, 0, bytes([4 if verdict == 1 else 5]))

    def _verdict(self, payload: bytes) -> bytes:
        job = payload[:16]
        _, boot, event, verdict = struct.unpack_from("<BIIB", payload, 16)
        if self.verdicts.get((boot, event)) == verdict:
            return b"\0"
        if self._at_camera != (job, event) or boot != self.boot:
            return bytes([Rc.STALE_EVENT])
        self.verdicts[(boot, event)] = verdict
        self.leave(verdict)
        return b"\0"

    def fall_into_doubt(self, job: bytes, slot: int) -> tuple[int, int]:
        """Stop in doubt over a slot; return the (boot, event) that tells it."""
        self.jobs[job] = (self.jobs.get(job, (0, 0))[0], 6)
        self._doubt = (job, slot, self.next_event)
        self.happen(0x47, job, slot, b"\0")
        return self.boot, self._doubt[2]

    def _resolve(self, payload: bytes) -> bytes:
        job = payload[:16]
        slot, boot, event, counted = struct.unpack_from("<BIIB", payload, 16)
        if payload == self._resolved:
            return struct.pack("<BBI", 0, 5, self.next_event - 1)
        if self._doubt != (job, slot, event) or boot != self.boot:
            return bytes([Rc.STALE_EVENT])
        cassette, remaining = self.cassettes[5]
        if counted > remaining:
            return bytes([Rc.BAD_REQUEST])
        self.cassettes[5] = (cassette, remaining - counted)
        self._doubt, self._resolved, self.jobs[job] = None, payload, (self.jobs[job][0], 5)
        self.happen(0x4A, job, slot, struct.pack("<IBBH", cassette, 1, counted, remaining - counted))
        for kind, data in ((0x45, b"\0"), (0x46, b"\x05"), (0x48, b"")):
            self.happen(kind, job, slot, data)
        return struct.pack("<BBI", 0, 5, self.next_event - 1)

    def _abort(self, payload: bytes) -> bytes:
        if payload not in self.jobs:
            return bytes([Rc.UNKNOWN_JOB])
        digest, state = self.jobs[payload]
        if state in {2, 3, 6}:
            return bytes([Rc.BUSY])
        if state == 1:
            self.jobs[payload] = (digest, 8)
            self.happen(0x46, payload, 0, b"\x08")
        return struct.pack("<BBI", 0, self.jobs[payload][1], self.next_event - 1)

    def _query(self, payload: bytes) -> bytes:
        if payload not in self.jobs:
            return bytes([Rc.UNKNOWN_JOB])
        return struct.pack("<BBBBI", 0, self.jobs[payload][1], 0, 0, 0)

    def _ack(self, payload: bytes) -> bytes:
        boot, event = struct.unpack("<II", payload)
        if boot != self.boot:
            return bytes([Rc.STALE_EVENT])
        before = min(self.unacknowledged, default=event + 1)
        for number in [number for number in self.unacknowledged if number <= event]:
            del self.unacknowledged[number]
        # What was beyond the window of sixteen goes on its way now.
        for number in sorted(self.unacknowledged):
            if before + 16 <= number < event + 17:
                self._out += self._event_frame(number)
        return b"\0"


class MachineOnPty:
    """Runs a scripted machine on a real pty; `path` is what the bridge opens.

    It is a symlink that goes with the machine: the number of a closed pty is soon another machine's, and a bridge that
    tries again must not find that one.
    """

    def __init__(self, machine: ScriptedMachine) -> None:
        self.machine = machine
        self.lock = threading.Lock()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self._folder = tempfile.TemporaryDirectory()
        self.path = f"{self._folder.name}/port"
        os.symlink(os.ttyname(self._slave), self.path)
        self._wake_read, self._wake_write = os.pipe()
        self._ending = False
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "MachineOnPty":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending = True
        os.write(self._wake_write, b"x")
        self._thread.join()
        self._folder.cleanup()
        for handle in (self._master, self._slave, self._wake_read, self._wake_write):
            os.close(handle)

    def tell(self, action: Callable[[ScriptedMachine], None]) -> None:
        """Do something to the machine and send what comes of it."""
        with self.lock:
            action(self.machine)
            out = self.machine.receive(b"")
        os.write(self._master, out)

    def _serve(self) -> None:
        while not self._ending:
            ready, _, _ = select.select([self._master, self._wake_read], [], [], 0.05)
            data = os.read(self._master, 4096) if self._master in ready else b""
            with self.lock:
                out = self.machine.receive(data) + self.machine.tick(time.monotonic())
            if out:
                os.write(self._master, out)
