"""What a bad cable does to frames, one direction of it: loses them, flips a bit, brings them twice or late; seeded.

It works on the bytes between two delimiters and knows nothing of what they say. A frame that is late holds up those behind
it: no serial line lets one frame overtake another.
"""

import random
import re
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

HELD_LIMIT = 4096
KINDS = ("lost", "flipped", "twice", "late")

_PIECE = re.compile(rb"\0|[^\0]+\0?")


@dataclass(frozen=True)
class LineFaults:
    """Probabilities by frame, 0..1 each, drawn apart from one another; `late_s` in real seconds."""

    lost: float = 0.0
    flipped: float = 0.0
    twice: float = 0.0
    late: float = 0.0
    late_s: float = 0.2

    @property
    def any(self) -> bool:
        """Tell that something can happen to a frame."""
        return any((self.lost, self.flipped, self.twice, self.late))


def read_line_faults(found: Mapping[str, Any]) -> LineFaults:
    """Read the members of LineFaults, those left out are 0 (`late_s` 0.2); raises ValueError that names what is wrong."""
    unknown = set(found) - {*KINDS, "late_s"}
    if unknown:
        raise ValueError(f"no such fault of the line: {', '.join(sorted(map(str, unknown)))}")
    numbers = {name: _number(name, value) for name, value in found.items()}
    for name in KINDS:
        if numbers.get(name, 0.0) > 1:
            raise ValueError(f"{name} is a probability, 0 to 1")
    return LineFaults(**numbers)


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 3600:
        raise ValueError(f"{name} is a number from 0")
    return float(value)


class Disturbance:
    """One direction of the line. `faults` may be set at any time, `befell` counts what happened to how many frames."""

    def __init__(self, seed: str) -> None:
        self.befell: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
        self._source = random.Random(seed)
        self.faults = LineFaults()
        self._held = b""
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0

    @property
    def due(self) -> float | None:
        """Tell when the next frame that is held up goes on, in real seconds."""
        return self._waiting[0][0] if self._waiting else None

    def push(self, data: bytes, now: float) -> None:
        """Take bytes in; the part of a frame that has no end yet is kept until it has one."""
        if not self.faults.any:
            self._send(self._held + data, now)
            self._held = b""
            return
        pieces = _PIECE.findall(self._held + data)
        self._held = b""
        if pieces and not pieces[-1].endswith(b"\0") and len(pieces[-1]) <= HELD_LIMIT:
            self._held = pieces.pop()
        for piece in pieces:
            self._befall(piece, now)

    def take(self, now: float) -> list[bytes]:
        """Give the pieces that get through by `now`."""
        through = []
        while self._waiting and self._waiting[0][0] <= now:
            through.append(self._waiting.popleft()[1])
        return through

    def clear(self) -> None:
        """Forget what is on the way: the line is cut."""
        self._held = b""
        self._waiting.clear()

    def _befall(self, piece: bytes, now: float) -> None:
        if piece == b"\0":
            self._send(piece, now)
            return
        rates = asdict(self.faults)
        hits = {kind: self._source.random() < rates[kind] for kind in KINDS}
        place = self._source.random()
        if hits["lost"]:
            self.befell["lost"] += 1
            return
        self.befell.update(kind for kind, hit in hits.items() if hit)
        whole = _flipped(piece, place) if hits["flipped"] else piece
        self._send(whole * (1 + hits["twice"]), now + self.faults.late_s * hits["late"])

    def _send(self, data: bytes, at: float) -> None:
        if data:
            self._free_at = max(self._free_at, at)
            self._waiting.append((self._free_at, data))


def _flipped(piece: bytes, place: float) -> bytes:
    """Flip one bit before the delimiter; `place` is 0 <= place < 1."""
    at = int(place * 8 * max(1, len(piece.removesuffix(b"\0"))))
    return piece[: at // 8] + bytes([piece[at // 8] ^ 1 << at % 8]) + piece[at // 8 + 1 :]
