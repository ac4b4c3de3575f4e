"""One direction of a line that an enemy holds: real frames whole, changed or lost, and between them whatever he can think of.

What may be taken is judged from the bytes that came out of the line alone: a piece between two zero bytes is a sound frame only where
it is, byte for byte, one that somebody encoded (an end of the link, or the enemy with a right check sum).
"""

import random
import struct
import zlib
from collections import Counter, deque
from collections.abc import Callable

from firmware_bridge.codec import cobs_encode

LIMIT_BYTES = 236
RECENT, KNOWN = 64, 512
REAL_UNTOUCHED = 0.7
TYPES = (0x11, 0x12, 0x13, 0x14, 0x15)
_HEADER = struct.Struct("<BBHB")
_CHECK = struct.Struct("<I")


def framed(body: bytes, wrong: int = 0) -> bytes:
    """Return a body of any length with its check sum, changed by `wrong`, between delimiters."""
    return b"\0" + cobs_encode(body + _CHECK.pack(zlib.crc32(body) ^ wrong)) + b"\0"


class Judge:
    """Cuts what came out of the line into pieces, in a way of its own, and names those that are sound frames."""

    def __init__(self) -> None:
        self.pieces = self.sound = 0
        self._known: dict[bytes, None] = {}
        self._piece = b""

    def know(self, wire: bytes) -> None:
        """Remember a frame that was encoded; the last five hundred are kept."""
        self._known.pop(wire[1:-1], None)
        self._known[wire[1:-1]] = None
        if len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]

    def expect(self, data: bytes) -> list[bytes]:
        """Return the sound frames that end in these bytes, in order, without delimiters."""
        found = []
        for at, part in enumerate(data.split(b"\0")):
            if at:
                self.pieces += bool(self._piece)
                if self._piece in self._known:
                    found.append(self._piece)
                self._piece = b""
            self._piece = (self._piece + part)[: LIMIT_BYTES + 1]
        self.sound += len(found)
        return found


class HostileLine:
    """Takes an end's frames by `carry`, which returns the bytes for the other end; `session` is what the enemy has overheard."""

    def __init__(self, chance: random.Random) -> None:
        self.judge = Judge()
        self.fates: Counter[str] = Counter()
        self.session = 1
        self._chance = chance
        self._recent: deque[bytes] = deque([framed(_HEADER.pack(0x11, 0, 1, 6))], maxlen=RECENT)
        self._attacks: tuple[Callable[[], bytes], ...] = (
            self._noise, self._flood, self._storm, self._flipped, self._changed, self._torn, self._spliced, self._wrong_check,
            self._oversize, self._undersize, self._bad_blocks, self._replayed, self._altered, self._forged,
        )  # fmt: skip

    def carry(self, frames: list[bytes]) -> bytes:
        """Let real frames through, most of them untouched, and put one attack behind each and one more at the end."""
        out = []
        for wire in frames:
            self._recent.append(wire)
            self.judge.know(wire)
            if self._chance.random() < REAL_UNTOUCHED:
                self.fates["real"] += 1
                out.append(wire)
            else:
                out.append(self._attack())
        return b"".join([*out, self._attack()])

    def _attack(self) -> bytes:
        attack = self._chance.choice(self._attacks)
        self.fates[attack.__name__.strip("_").replace("_", " ")] += 1
        return attack()

    def _any(self) -> bytes:
        return self._chance.choice(self._recent)

    def _body(self) -> bytes:
        """Return the content of a frame with a head that fits and any payload."""
        chance = self._chance
        session = self.session if chance.random() < 0.8 else chance.randrange(0x10000)
        kind = chance.choice(TYPES) if chance.random() < 0.9 else chance.randrange(256)
        head = _HEADER.pack(kind, chance.randrange(256), session, chance.choice((*range(0x25), *range(0x40, 0x4D), chance.randrange(256))))
        return head + chance.randbytes(chance.choice((0, 1, 4, 8, 25, chance.randrange(227))))

    # Attacks

    def _noise(self) -> bytes:
        return self._chance.randbytes(self._chance.randrange(1, 300))

    def _flood(self) -> bytes:
        """Return bytes without any delimiter, far more than a frame has."""
        return bytes(byte or 1 for byte in self._chance.randbytes(self._chance.randrange(230, 800)))

    def _storm(self) -> bytes:
        return bytes(self._chance.randrange(1, 200))

    def _flipped(self) -> bytes:
        wire = bytearray(self._any())
        for _ in range(self._chance.randrange(1, 9)):
            wire[self._chance.randrange(len(wire))] ^= 1 << self._chance.randrange(8)
        return bytes(wire)

    def _changed(self) -> bytes:
        """Return a frame with a byte lost, doubled, changed, or swapped with its neighbour."""
        wire = self._any()
        at = self._chance.randrange(len(wire))
        head, byte, tail = wire[:at], wire[at : at + 1], wire[at + 1 :]
        other = bytes([self._chance.randrange(256)])
        return self._chance.choice((head + tail, head + byte * 2 + tail, head + other + tail, head + tail[:1] + byte + tail[1:]))

    def _torn(self) -> bytes:
        wire = self._any()
        at = self._chance.randrange(len(wire))
        return self._chance.choice((wire[:at], wire[at:]))

    def _spliced(self) -> bytes:
        one, two = self._any(), self._any()
        return one[: self._chance.randrange(len(one))] + two[self._chance.randrange(len(two)) :]

    def _wrong_check(self) -> bytes:
        return framed(self._body(), self._chance.choice((1, 0x80, 0xFFFFFFFF, self._chance.randrange(1, 1 << 32))))

    def _oversize(self) -> bytes:
        """Return a frame whose check sum is right and whose payload is larger than the page allows."""
        return framed(self._body()[:5] + self._chance.randbytes(self._chance.randrange(227, 800)))

    def _undersize(self) -> bytes:
        """Return a frame whose check sum is right and whose head is not whole."""
        return framed(self._body()[: self._chance.randrange(5)])

    def _bad_blocks(self) -> bytes:
        """Return code bytes that point beyond the end of their piece."""
        length = self._chance.randrange(1, 60)
        return b"\0" + bytes(self._chance.randrange(length, 256) for _ in range(length)) + b"\0"

    # Sound by their check sum: whoever can compute one is not kept out by the codec

    def _replayed(self) -> bytes:
        wire = self._any()
        self.judge.know(wire)
        return wire

    def _altered(self) -> bytes:
        """Return a real frame's kind with a few bytes of its content changed, under a right check sum."""
        body = bytearray(_unframed(self._any())[:-4] or self._body())
        for _ in range(self._chance.randrange(1, 4)):
            body[self._chance.randrange(len(body))] = self._chance.randrange(256)
        return self._sound(bytes(body))

    def _forged(self) -> bytes:
        return self._sound(self._body())

    def _sound(self, body: bytes) -> bytes:
        wire = framed(body)
        self.judge.know(wire)
        return wire


def _unframed(wire: bytes) -> bytes:
    """Return the content of a sound frame: COBS read backwards, in words of its own."""
    content, left = bytearray(), 0
    for byte in wire[1:-1]:
        if left == 0:
            content.append(0)
            left = byte - 1
        else:
            content.append(byte)
            left -= 1
    return bytes(content[1:])
