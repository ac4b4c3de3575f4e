"""The fuzz itself: one host and one machine, an enemy on both directions of their line, and a judge of each."""

import os
import random
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simulators.packager import codec
from tests.fuzz.ends import Host, Machine, WatchedDecoder
from tests.fuzz.hostile_line import HostileLine, framed

TURN_S = 0.06
WARM_UP_SHARE = 0.3
PIECES_BYTES = (1, 7, 64, 300, 4096)
_HEADER = struct.Struct("<BBHB")


@dataclass
class Side:
    """What was fed into one end, and what became of it."""

    name: str
    line: HostileLine
    fed_bytes: int = 0
    accepted: int = 0
    strangers: list[bytes] = field(default_factory=list)
    missed: int = 0
    dropped: dict[str, int] = field(default_factory=dict)

    @property
    def expected_by_chance(self) -> float:
        """Return how many pieces that are no frames a CRC-32 lets through on average."""
        return (self.line.judge.pieces - self.line.judge.sound) / 2**32

    @property
    def uncounted(self) -> int:
        """Return the pieces that were neither accepted nor counted as dropped; 0 where every byte is accounted for."""
        return self.line.judge.pieces - self.accepted - sum(self.dropped.values())

    def compare(self, expected: Sequence[bytes], taken: Sequence[bytes]) -> None:
        """Hold what an end took against what was on the line."""
        self.accepted += len(taken)
        if list(taken) == list(expected):
            return
        on_line, at_end = Counter(expected), Counter(taken)
        self.strangers += (at_end - on_line).elements()
        self.missed += (on_line - at_end).total()


@dataclass
class Result:
    """Both sides, what moved, and how much memory was held after the first part and at the end."""

    seed: int
    bridge: Side
    machine: Side
    told: Counter[str]
    disorders: list[str]
    tablets_fallen: int
    tablets_unasked: int
    counters_agree: bool
    held_bytes: tuple[int, int]

    @property
    def grown_bytes(self) -> int:
        """Return by how much memory grew after the first part."""
        return self.held_bytes[1] - self.held_bytes[0]

    def faults(self, growth_limit_bytes: int) -> list[str]:
        """Name all that must not be; empty where the fuzz found nothing."""
        found = [f"{side.name}: {what}" for side in (self.bridge, self.machine) for what in _faults_of(side)]
        found += self.disorders[:1]
        if self.tablets_unasked:
            found.append(f"{self.tablets_unasked} tablets fell that no frame had asked for")
        if not self.counters_agree:
            found.append("the firmware counted other errors than its receiver")
        if self.grown_bytes > growth_limit_bytes:
            found.append(f"memory grew by {self.grown_bytes} bytes")
        return found


def _faults_of(side: Side) -> list[str]:
    found = [f"accepted {len(side.strangers)} frames that were not sent, such as {side.strangers[0].hex()}"] if side.strangers else []
    found += [f"missed {side.missed} sound frames"] if side.missed else []
    return found + ([f"{side.uncounted} pieces are neither accepted nor counted"] if side.uncounted else [])


def resident_bytes() -> int:
    """Return the memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Fuzz:
    """`run` feeds at least so many hostile bytes into each end; the same seed gives the same bytes."""

    def __init__(
        self, seed: int, decoder: WatchedDecoder | None = None, receiver: Callable[[codec.Counters], codec.Receiver] = codec.Receiver
    ) -> None:
        self._seed = seed
        self._chance = random.Random(seed)
        counters = codec.Counters()
        self._decoder = decoder or WatchedDecoder()
        self._host, self._machine = Host(self._chance, self._decoder), Machine(receiver(counters), counters)
        self._bridge = Side("machine to bridge", HostileLine(self._chance))
        self._device = Side("host to machine", HostileLine(self._chance))
        self._now_s = 0.0
        self._replies = b""

    def run(self, count: int, held: Callable[[], int] = resident_bytes) -> Result:
        """Feed until both ends have had `count` bytes; `held` measures memory."""
        self._until(int(count * WARM_UP_SHARE))
        before = held()
        self._until(count)
        after = held()
        self._end()
        return Result(
            self._seed, self._bridge, self._device, self._host.told, self._host.disorders, self._machine.fell.total(), self._machine.unasked(),
            self._errors(self._machine.firmware_counters) == self._errors(self._machine.counters), (before, after),
        )  # fmt: skip

    def _until(self, count: int) -> None:
        while min(self._bridge.fed_bytes, self._device.fed_bytes) < count:
            self._now_s += TURN_S
            self._bridge.line.session = self._device.line.session = self._host.session
            self._to_host(self._bridge.line.carry(codec.split_frames(self._replies)))
            self._to_machine(self._device.line.carry(codec.split_frames(self._host.data_to_send())))

    def _end(self) -> None:
        """End the pieces that are under way, and write down what was dropped."""
        self._to_host(b"\0")
        self._to_machine(b"\0")
        self._bridge.dropped = vars(self._decoder.counters)
        self._device.dropped = self._errors(self._machine.counters)

    def _to_host(self, data: bytes) -> None:
        for part in self._parts(data):
            taken = self._host.receive(part, self._now_s)
            self._bridge.fed_bytes += len(part)
            self._bridge.compare(self._bridge.line.judge.expect(part), [_block(f.type, f.seq, f.session, f.op, f.payload) for f in taken])

    def _to_machine(self, data: bytes) -> None:
        replies = []
        for part in self._parts(data):
            taken, sent = self._machine.receive(part, self._now_s)
            replies.append(sent)
            self._device.fed_bytes += len(part)
            self._device.compare(self._device.line.judge.expect(part), [_block(f.type, f.seq, f.sid, f.op, f.payload) for f in taken])
        self._replies = b"".join(replies)

    def _parts(self, data: bytes) -> list[bytes]:
        size = self._chance.choice(PIECES_BYTES)
        return [data[at : at + size] for at in range(0, len(data), size)] if size < len(data) else [data]

    @staticmethod
    def _errors(counters: codec.Counters) -> dict[str, int]:
        return {"cobs_err": counters.cobs_err, "crc_err": counters.crc_err, "overrun": counters.overrun}


def _block(kind: int, seq: int, session: int, op: int, payload: bytes) -> bytes:
    """Return a frame as it must have stood on the line, without delimiters."""
    return framed(_HEADER.pack(kind, seq, session, op) + payload)[1:-1]
