"""Take an ESC/POS byte stream apart, as it comes in pieces: commands in their order, and real-time requests at once.

Most printers look for real-time requests in every byte they receive, also inside raster data. The command parser finds
those that stand between commands, which is all that some printers hear.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

RASTER_LIMIT_BYTES = 1 << 19
ESC, GS, DLE, LF, FF, CR = 0x1B, 0x1D, 0x10, 0x0A, 0x0C, 0x0D
CLEAR_REQUEST = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"
_REAL_TIME = re.compile(rb"\x10\x04[\x01-\x04]|" + re.escape(CLEAR_REQUEST), re.DOTALL)
_LINE_DOTS = 30


@dataclass(frozen=True)
class StatusRequest:
    """DLE EOT n."""

    number: int


@dataclass(frozen=True)
class ClearRequest:
    """DLE DC4, function 8: forget what is buffered."""


@dataclass(frozen=True)
class Initialise:
    """ESC @."""


@dataclass(frozen=True)
class RasterImage:
    """GS v 0: rows of whole bytes, 1 = black; each dot is printed `across` x `down` times."""

    row_bytes: int
    height: int
    bits: bytes
    across: int = 1
    down: int = 1


@dataclass(frozen=True)
class Feed:
    """LF, ESC J, ESC d: move the paper on."""

    dots: int


@dataclass(frozen=True)
class Cut:
    """GS V, in all its forms; `feed_dots` first."""

    feed_dots: int


@dataclass(frozen=True)
class AskProcess:
    """GS ( H, function 48: answer with this ID when all before it is printed."""

    identifier: bytes


RealTime = StatusRequest | ClearRequest
Command = Initialise | RasterImage | Feed | Cut | AskProcess | RealTime


class RealTimeScanner:
    """Finds real-time requests wherever they are, also across pieces."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, RealTime]]:
        """Give each request with the number of bytes of `data` up to its end."""
        window = self._tail + data
        known, end = len(self._tail), 0
        for match in _REAL_TIME.finditer(window):
            end = match.end()
            request = ClearRequest() if match.group() == CLEAR_REQUEST else StatusRequest(match.group()[2])
            yield end - known, request
        self._tail = window[max(end, len(window) - len(CLEAR_REQUEST) + 1):]


class CommandParser:
    """Turns bytes into commands; what it does not know is counted in `unknown_bytes` and passed over."""

    def __init__(self) -> None:
        self.unknown_bytes = 0
        self._buffer = bytearray()
        self._skip = 0

    def reset(self) -> None:
        """Forget what has not become a command."""
        self._buffer.clear()
        self._skip = 0

    def feed(self, data: bytes) -> list[Command]:
        """Take received bytes; returns the commands that are complete now."""
        commands: list[Command] = []
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        self._buffer += data[skipped:]
        while self._buffer:
            used, command = self._next(bytes(self._buffer[:16]))
            if used == 0 or used > len(self._buffer):
                break
            if isinstance(command, RasterImage):
                command = self._filled(command, bytes(self._buffer[8:used]))
            del self._buffer[:used]
            if command is not None:
                commands.append(command)
        return commands

    def _next(self, head: bytes) -> tuple[int, Command | None]:
        """Give how many bytes the first command has (0: not to be told yet) and what it is."""
        if head[0] == LF:
            return 1, Feed(_LINE_DOTS)
        if head[0] in (FF, CR):
            return 1, None
        takers = {ESC: self._escape, GS: self._group, DLE: self._data_link}
        if head[0] not in takers:
            return self._unknown(1)
        return takers[head[0]](head) if len(head) > 1 else (0, None)

    def _escape(self, head: bytes) -> tuple[int, Command | None]:
        if head[1:2] == b"@":
            return 2, Initialise()
        if head[1:2] in (b"J", b"d"):
            return (3, Feed(head[2] * (1 if head[1:2] == b"J" else _LINE_DOTS))) if len(head) > 2 else (0, None)
        return self._unknown(2)

    def _group(self, head: bytes) -> tuple[int, Command | None]:
        if head[1:2] == b"v":
            return self._raster(head)
        if head[1:2] == b"V":
            return self._cut(head)
        if head[1:2] == b"(":
            return self._function(head)
        return self._unknown(2)

    def _raster(self, head: bytes) -> tuple[int, Command | None]:
        if len(head) < 8:
            return 0, None
        mode = head[3] & 0x0F
        row_bytes, height = int.from_bytes(head[4:6], "little"), int.from_bytes(head[6:8], "little")
        length = row_bytes * height
        if head[2:3] != b"0" or mode > 3 or length == 0:
            return self._unknown(8)
        if length > RASTER_LIMIT_BYTES:
            self._skip = max(0, 8 + length - len(self._buffer))
            return self._unknown(min(8 + length, len(self._buffer)))
        return 8 + length, RasterImage(row_bytes, height, b"", 1 + (mode & 1), 1 + (mode >> 1))

    @staticmethod
    def _filled(image: RasterImage, bits: bytes) -> RasterImage:
        return RasterImage(image.row_bytes, image.height, bits, image.across, image.down)

    def _cut(self, head: bytes) -> tuple[int, Command | None]:
        if len(head) < 3:
            return 0, None
        if head[2] in (0, 1, 48, 49):
            return 3, Cut(0)
        if head[2] in (65, 66):
            return (4, Cut(head[3])) if len(head) > 3 else (0, None)
        return self._unknown(3)

    def _function(self, head: bytes) -> tuple[int, Command | None]:
        """GS ( x: two length bytes tell how much belongs to it, known or not."""
        if len(head) < 5:
            return 0, None
        length = int.from_bytes(head[3:5], "little")
        if head[2:3] == b"H" and length == 6:
            if len(head) < 11:
                return 0, None
            if head[5:7] == b"00":
                return 11, AskProcess(head[7:11])
        self._skip = max(0, 5 + length - len(self._buffer))
        return self._unknown(min(5 + length, len(self._buffer)))

    def _data_link(self, head: bytes) -> tuple[int, Command | None]:
        if head[1] == 0x04:
            return (3, StatusRequest(head[2]) if 1 <= head[2] <= 4 else None) if len(head) > 2 else (0, None)
        if CLEAR_REQUEST.startswith(head[: len(CLEAR_REQUEST)]):
            return (len(CLEAR_REQUEST), ClearRequest()) if len(head) >= len(CLEAR_REQUEST) else (0, None)
        return self._unknown(2)

    def _unknown(self, count: int) -> tuple[int, None]:
        self.unknown_bytes += count
        return count, None
