"""A packager without its process: firmware, machine and journal in memory, time turned by hand, power cut at will."""

import hashlib
import struct
import zlib
from typing import Any

from simulators.packager.build import INSTANT, Build
from simulators.packager.codec import EVT, HELLO, HELLO_RSP, REQ, RSP, Counters, Frame, Receiver, encode_frame
from simulators.packager.firmware import Firmware
from simulators.packager.journal import Entry, decode_entries, encode_together
from simulators.packager.machine import Machine
from simulators.packager.memory import Memory
from simulators.packager.recorder import Recorder
from simulators.packager.world import Fact, World

RASTER = bytes.fromhex("fff0 8010 fff0")
ROUND = {"colour": "#ffffff", "shape": "round", "size_mm": 8.0}
OK, BAD_REQUEST, CONFLICT, BUSY, NO_LABEL, UNKNOWN_JOB, CASSETTE_MISMATCH, OFFSET, DIGEST = range(9)
STALE_EVENT, FENCED, UNSUPPORTED, EMPTY, STOPPED, LOCKED, NOT_LOCKED, SIGNATURE, SAFE_MODE = range(9, 18)


def job_id(n: int) -> bytes:
    """Make a job id of sixteen bytes."""
    return bytes([n % 256, n // 256]) + bytes(range(2, 16))


def a_label(text: bytes = RASTER, width: int = 12) -> tuple[bytes, int, int, bytes]:
    """Give (digest, width, height, stream) of a raster."""
    height = len(text) // ((width + 7) // 8)
    digest = hashlib.sha256(struct.pack("<HH", width, height) + text).digest()
    return digest, width, height, zlib.compress(text)


def run_payload(job: bytes, label: bytes, drops: list[tuple[int, int, int]]) -> bytes:
    """Write a JOB_RUN payload; drops are (machine slot, cassette, count)."""
    tail = label + bytes([len(drops)]) + b"".join(struct.pack("<BIB", *drop) for drop in drops)
    return job + struct.pack("<I", zlib.crc32(tail)) + tail


def event_of(frame: Frame) -> dict[str, Any]:
    """Read an EVT frame."""
    boot, evt = struct.unpack_from("<II", frame.payload)
    return {"kind": frame.op, "boot": boot, "evt": evt, "job": frame.payload[8:24], "slot": frame.payload[24],
            "data": frame.payload[25:], "seq": frame.seq}


class Bench:
    """One device on the bench, driven frame by frame."""

    def __init__(self, build: Build | None = None, *, shows: bool = True) -> None:
        self.build = build or Build(motions=INSTANT)
        self.shows = shows
        self.log = b""
        self.ends: list[int] = []
        self.now = 0.0
        self.facts: list[Fact] = []
        self.scenes: list[dict[str, Any] | None] = []
        self.events: list[dict[str, Any]] = []
        self.power_on()

    def power_on(self) -> None:
        """Start from what the log holds, as after a power loss; the truth is what follows from the log."""
        memory = Memory(World(pouch_name="P"))
        self.facts = [fact for entry, _ in decode_entries(self.log) for fact in memory.apply(entry)]
        recorder = Recorder(memory, self._append, self.facts.append, lambda: len(self.facts))
        self.sid = self._seq = 0
        self.memory = memory
        self.recorder = recorder
        self._receiver = Receiver(Counters())
        self.firmware = Firmware(self.build, recorder, self._show, "S007")

    @property
    def machine(self) -> Machine:
        """Give the machine; a restart of the firmware makes another one."""
        return self.firmware.machine

    def _append(self, entries: Any) -> None:
        self.log += encode_together(entries)
        self.ends.append(len(self.log))

    @property
    def appends(self) -> int:
        """Count the appends so far; `ends` holds where in the log each ended."""
        return len(self.ends)

    def entries(self) -> list[Entry]:
        """Give the log's entries."""
        return [entry for entry, _ in decode_entries(self.log)]

    def _show(self, scene: dict[str, Any] | None) -> None:
        self.scenes.append(scene)

    def feed(self, data: bytes) -> list[Frame]:
        """Send raw bytes; events that come back are kept apart in `events`."""
        return self._sort(self.firmware.receive(data, self.now, self.now))

    def tick(self, seconds: float = 0.0) -> list[Frame]:
        """Let time pass."""
        self.now += seconds
        return self._sort(self.firmware.tick(self.now, self.now))

    def _sort(self, data: bytes) -> list[Frame]:
        frames = self._receiver.feed(data)
        while self.shows and self.machine.phase.name == "SHOWING":
            self.machine.scene_shown(self.now)
            frames += self._receiver.feed(self.firmware.tick(self.now, self.now))
        self.events += [event_of(frame) for frame in frames if frame.type == EVT]
        return [frame for frame in frames if frame.type != EVT]

    def hello(self, sid: int = 0xBEEF, fence: int = 0) -> Frame:
        """Open a session."""
        self.sid, self._seq = sid, 0
        [answer] = self.feed(encode_frame(Frame(HELLO, 0, sid, 0, struct.pack("<BBI", 1, 0, fence))))
        assert (answer.type, answer.sid, answer.op) == (HELLO_RSP, sid, 0)
        return answer

    def ask(self, op: int, payload: bytes = b"") -> tuple[int, bytes]:
        """Make one request and give (rc, what follows)."""
        self._seq = (self._seq + 1) % 256
        [answer] = self.feed(encode_frame(Frame(REQ, self._seq, self.sid, op, payload)))
        assert (answer.type, answer.seq, answer.sid, answer.op) == (RSP, self._seq, self.sid, op)
        return answer.payload[0], answer.payload[1:]

    def load(self, slot: int = 5, cassette: int = 1234, count: int = 100, item: str = "A", lot: str = "L1") -> None:
        """Put a cassette in by hand."""
        self.machine.load({"op": "load", "slot": slot, "cassette": cassette, "item": item, "lot": lot, "count": count,
                           "look": ROUND})
        self.tick()

    def upload(self, label: tuple[bytes, int, int, bytes] | None = None) -> bytes:
        """Carry a label over; gives its digest."""
        digest, width, height, stream = label or a_label()
        rc, answer = self.ask(0x20, digest + struct.pack("<HHI", width, height, len(stream)))
        assert rc == OK
        offset = struct.unpack("<I", answer)[0]
        while offset < len(stream):
            rc, answer = self.ask(0x21, digest[:4] + struct.pack("<I", offset) + stream[offset : offset + 200])
            assert rc == OK
            offset = struct.unpack("<I", answer)[0]
        assert self.ask(0x22, digest) == (OK, b"")
        return digest

    def run(self, n: int, drops: list[tuple[int, int, int]] | None = None) -> int:
        """Upload the label and order job n; gives the rc."""
        return self.ask(0x02, run_payload(job_id(n), self.upload(), drops or [(5, 1234, 1)]))[0]

    def verdict(self, n: int, verdict: int = 1) -> int:
        """Answer the AT_CAMERA event of job n; gives the rc."""
        event = next(event for event in reversed(self.events) if event["kind"] == 0x43 and event["job"] == job_id(n))
        payload = job_id(n) + bytes([event["slot"]]) + struct.pack("<IIB", event["boot"], event["evt"], verdict)
        return self.ask(0x23, payload)[0]

    def told(self, kind: int) -> dict[str, Any]:
        """Give the newest event of a kind."""
        return max((event for event in self.events if event["kind"] == kind), key=lambda event: (event["boot"], event["evt"]))

    def resolve(self, n: int, counted: int, slot: int = 0) -> tuple[int, bytes]:
        """Answer the newest STOPPED event, which is of the doubt of job n."""
        stopped = self.told(0x47)
        return self.ask(0x04, job_id(n) + struct.pack("<BIIB", slot, stopped["boot"], stopped["evt"], counted))

    def lock(self, mode: int = 1, owner: str = "engineer 1") -> tuple[int, bytes]:
        """Ask for the service lock."""
        return self.ask(0x08, bytes([mode, len(owner)]) + owner.encode())

    def status(self) -> tuple[int, int]:
        """Give (state, reason)."""
        rc, answer = self.ask(0x01, b"\1")
        assert rc == OK
        return answer[0], answer[1]

    def ack_all(self) -> None:
        """Acknowledge every event so far."""
        while self.memory.events:
            assert self.ask(0x05, struct.pack("<II", self.memory.boot, self.memory.next_evt - 1)) == (OK, b"")

    def query(self, n: int) -> tuple[int, ...]:
        """Give (job_state, job_slot, running, evt)."""
        rc, answer = self.ask(0x03, job_id(n))
        assert rc == OK
        return struct.unpack("<BBBI", answer)

    def kinds(self, n: int) -> list[int]:
        """Give the kinds of the events of job n, each number once, in order."""
        seen = {(event["boot"], event["evt"]): event["kind"] for event in self.events if event["job"] == job_id(n)}
        return list(seen.values())
