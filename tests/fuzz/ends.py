"""The two ends under attack: the bridge's Link with a host that keeps asking, and the simulated firmware with its machine."""

import contextlib
import hashlib
import random
import struct
import zlib
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from typing import Any

from firmware_bridge import packets
from firmware_bridge.codec import Frame, FrameDecoder
from firmware_bridge.contract import RunSlot
from firmware_bridge.link import Answered, Crossing, Down, Greeted, Happened, Link, LinkEvent, Refused, Repeated
from firmware_bridge.packets import DecodeError, EventKind, Op
from simulators.packager import codec
from simulators.packager.build import INSTANT, Build
from simulators.packager.firmware import Firmware
from simulators.packager.memory import Memory
from simulators.packager.recorder import Recorder
from simulators.packager.world import World

BAUD = 115_200
QUESTIONS_KEPT, VERDICT_SHARE = 4, 0.2
HIGHEST_FENCE = 0xFFFFFFFF
SLOTS = 12
POUCHES_IN_THE_BIN = 50
LOOK = {"colour": "#ffffff", "shape": "round", "size_mm": 8.0}
RASTER, WIDTH, HEIGHT = bytes(range(256)) * 2, 64, 64
LABEL = hashlib.sha256(struct.pack("<HH", WIDTH, HEIGHT) + RASTER).digest()
STREAM = zlib.compress(RASTER)


class WatchedDecoder(FrameDecoder):
    """The bridge's decoder, with the frames it took since the last look."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Frame] = []

    def feed(self, data: bytes) -> list[Frame]:
        """Decode, and remember what was taken."""
        frames = super().feed(data)
        self.taken += frames
        return frames


class Host:
    """A bridge's Link under virtual time: it greets, asks something sound whenever it may, and greets anew when the link is down."""

    def __init__(self, chance: random.Random, decoder: WatchedDecoder) -> None:
        self.told: Counter[str] = Counter()
        self.disorders: list[str] = []
        self.session = 0
        self._decoder = decoder
        self._link = Link(BAUD)
        self._link.decoder = decoder
        self._chance = chance
        self._kept = 0
        self._asked: int | None = None
        self._owed: tuple[int, int] | None = None
        self._at_camera: deque[packets.FirmwareEvent] = deque(maxlen=QUESTIONS_KEPT)

    def receive(self, data: bytes, now_s: float) -> list[Frame]:
        """Take bytes off the line and react; return the frames that were taken."""
        self._react([*self._link.receive(data, now_s), *self._link.tick(now_s)], now_s)
        if self.session == 0:
            self._greet(now_s)
        if self._link.is_idle:
            self._asked, payload = self._wish()
            self._link.request(self._asked, payload, now_s)
        taken, self._decoder.taken = self._decoder.taken, []
        return taken

    def data_to_send(self) -> bytes:
        """Return, once, what the host sends."""
        return self._link.data_to_send()

    def _greet(self, now_s: float) -> None:
        self.session = self._chance.randrange(1, 0x10000)
        # In half of the sessions somebody watches the line: then the link takes another way through the same bytes.
        self._link.tap = self._watch if self._chance.random() < 0.5 else None
        self._asked = self._owed = None
        self._link.hello(self.session, HIGHEST_FENCE, now_s)

    def _watch(self, crossing: Crossing) -> None:
        self.told[f"crossing {crossing.error or 'sound'}"] += 1

    def _react(self, events: Sequence[LinkEvent], now_s: float) -> None:
        for event in events:
            self.told[type(event).__name__.lower()] += 1
            match event:
                case Greeted():
                    # As the bridge does it: a number that the machine has not given yet is of no use.
                    self._kept = self._kept if self._kept < event.hello.next_event else 0
                    self._react(self._link.accept_events(self._kept), now_s)
                case Down() | Refused():
                    self.session = 0
                case Answered():
                    self._read(event)
                case Repeated():
                    self._owed = (event.boot, self._link.taken_event or 0)
                case Happened():
                    self._hear(event.event)

    def _read(self, answer: Answered) -> None:
        """Read an answer as the bridge does: what is not readable is told by DecodeError and by nothing else."""
        asked, self._asked = self._asked, None
        if answer.op != asked:
            self.disorders.append(f"op {answer.op:#04x} was answered where {asked} was asked")
        with contextlib.suppress(DecodeError):
            match answer.op:
                case Op.STATUS:
                    packets.unpack_status(answer.payload)
                case Op.JOB_RUN | Op.ABORT | Op.RESOLVE:
                    packets.unpack_job_state(answer.payload)
                case Op.JOB_QUERY:
                    packets.unpack_job_query(answer.payload)
                case Op.LABEL_BEGIN | Op.LABEL_DATA:
                    packets.unpack_offset(answer.payload)

    def _hear(self, event: packets.FirmwareEvent) -> None:
        if event.event <= self._kept:
            self.disorders.append(f"event {event.event} came after {self._kept}")
        self._kept, self._owed = event.event, (event.boot, event.event)
        with contextlib.suppress(DecodeError):
            packets.event_fields(event)
        if event.kind == EventKind.AT_CAMERA:
            self._at_camera.append(event)

    def _wish(self) -> tuple[int, bytes]:
        chance = self._chance
        if self._at_camera and chance.random() < VERDICT_SHARE:
            event = chance.choice(self._at_camera)
            return Op.VERDICT, packets.pack_verdict(event.job, event.slot, event.boot, event.event, chance.choice(("PASS", "FAIL")))
        if self._owed is not None:
            owed, self._owed = self._owed, None
            return Op.EVT_ACK, packets.pack_event_ack(*owed)
        wishes = (
            (Op.STATUS, packets.pack_status(1)), (Op.PING, chance.randbytes(chance.randrange(226))), (Op.JOB_QUERY, chance.randbytes(16)),
            (Op.LABEL_BEGIN, packets.pack_label_begin(LABEL, WIDTH, HEIGHT, len(STREAM))),
            (Op.LABEL_DATA, packets.pack_label_data(LABEL, chance.choice((0, 200)), STREAM)), (Op.LABEL_COMMIT, LABEL),
            (Op.LOCK, bytes([chance.choice((0, 0, 2)), 4]) + b"fuzz"), (Op.JOB_RUN, self._job()), (Op.ABORT, chance.randbytes(16)),
        )  # fmt: skip
        return chance.choice(wishes)

    def _job(self) -> bytes:
        slot = self._chance.randrange(1, SLOTS + 1)
        return packets.pack_job_run(self._chance.randbytes(16), LABEL, (RunSlot(slot=slot, cassette=100 + slot, count=1),))


class Machine:
    """The simulated firmware under virtual time, and what fell in it beside what sound frames had asked for."""

    def __init__(self, receiver: codec.Receiver, counters: codec.Counters) -> None:
        self.receiver, self.counters = receiver, counters
        self.fell: Counter[bytes] = Counter()
        self.asked: defaultdict[bytes, int] = defaultdict(int)
        recorder = Recorder(Memory(World(pouch_name="P")), lambda _entries: None, self._fact, lambda: 0)
        self._pictures = 0
        self._firmware = Firmware(Build(motions=INSTANT, cassette_slots=SLOTS), recorder, self._show, "SIM000001")
        for slot in range(1, SLOTS + 1):
            self._firmware.machine.load({"op": "load", "slot": slot, "cassette": 100 + slot, "item": "I", "lot": "L", "count": 60_000, "look": LOOK})

    @property
    def firmware_counters(self) -> codec.Counters:
        """Return what the firmware itself counted; it must be what the receiver beside it counted."""
        return self._firmware.counters

    def receive(self, data: bytes, now_s: float) -> tuple[list[codec.Frame], bytes]:
        """Take bytes off the line; return the frames that were taken, and what the machine sends."""
        taken = self.receiver.feed(data)
        for frame in taken:
            if frame.type == codec.REQ and frame.op == Op.JOB_RUN and len(frame.payload) > 52:
                self.asked[frame.payload[:16]] = sum(frame.payload[58::6])
        sent = self._firmware.receive(data, now_s, now_s)
        if self._pictures:
            self._pictures = 0
            self._firmware.machine.scene_shown(now_s)
            sent += self._firmware.tick(now_s, now_s)
        self._empty_bins()
        return taken, sent

    def unasked(self) -> int:
        """Count the tablets that fell for a job beyond what sound frames had asked for it."""
        return sum(max(0, fell - self.asked[job]) for job, fell in self.fell.items())

    def _show(self, scene: dict[str, Any] | None) -> None:
        self._pictures += scene is not None

    def _fact(self, fact: dict[str, Any]) -> None:
        if fact["what"] == "tablet-dropped":
            self.fell[bytes.fromhex(fact["job"])] += int(fact["quantity"])

    def _empty_bins(self) -> None:
        for name in ("output", "reject"):
            if len(self._firmware.memory.world.bin(name)) >= POUCHES_IN_THE_BIN:
                self._firmware.machine.take(name)
