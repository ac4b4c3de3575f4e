"""MLLP: bytes of a connection into the blocks between 0x0B and 0x1C, however the bytes are cut (HL7 v2.5.1, appendix C)."""

from collections.abc import Iterator
from dataclasses import dataclass

START, END = b"\x0b", b"\x1c"
LARGEST_BLOCK = 1024 * 1024
KEPT_OF_TOO_LARGE = 4_000
_BETWEEN = b"\r\n \t\x00"


@dataclass(frozen=True, slots=True)
class Block:
    """What came between the marks; `problem` says why it is not whole: `too-large`, `broken-off`, `outside` of any marks."""

    data: bytes
    problem: str = ""


def framed(message: bytes) -> bytes:
    """Return a message as it goes over the line."""
    return START + message + END + b"\r"


class Framing:
    """Takes bytes as they come and gives whole blocks; it keeps at most `largest` bytes and what one `feed` brings."""

    def __init__(self, largest: int = LARGEST_BLOCK) -> None:
        self._largest = largest
        self._kept = bytearray()
        self._looked_at = 0
        self._inside = False
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[Block]:
        """Yield the blocks that are whole now."""
        self._kept += data
        while self._kept:
            block = self._inner() if self._inside else self._outer()
            if block is None:
                return
            if block.data or block.problem:
                yield block

    def end(self) -> Iterator[Block]:
        """Yield what the end of the connection leaves half-sent."""
        if self._inside and not self._skipping:
            yield Block(bytes(self._kept[: self._largest]), "broken-off")
        self._kept, self._looked_at, self._inside, self._skipping = bytearray(), 0, False, False

    def _taken(self, count: int, marks: int = 1) -> bytes:
        """Take so many bytes from the front, and the mark behind them."""
        taken = bytes(self._kept[:count])
        del self._kept[: count + marks]
        self._looked_at = 0
        return taken

    def _outer(self) -> Block | None:
        """Look for the next beginning; what stands before it and is no line end is told."""
        start = self._kept.find(START)
        if start < 0 and len(self._kept) < KEPT_OF_TOO_LARGE:
            if not self._kept.strip(_BETWEEN + END):
                self._kept.clear()
            return None
        self._inside = start >= 0
        stray = self._taken(start if self._inside else len(self._kept)).strip(_BETWEEN + END)
        return Block(stray[:KEPT_OF_TOO_LARGE], "outside" if stray else "")

    def _inner(self) -> Block | None:
        """Look for the end; a new beginning before it means that the sender broke off and began anew."""
        end = self._kept.find(END, self._looked_at)
        again = -1 if self._skipping else self._kept.find(START, self._looked_at, end if end >= 0 else len(self._kept))
        if again >= 0:
            return Block(self._taken(again)[: self._largest], "broken-off")
        if end < 0:
            self._looked_at = len(self._kept)
            return self._too_large() if len(self._kept) > self._largest or self._skipping else None
        data, was_skipped = self._taken(end), self._skipping
        self._inside = self._skipping = False
        if was_skipped:
            return Block(b"")
        return Block(data[:KEPT_OF_TOO_LARGE], "too-large") if len(data) > self._largest else Block(data)

    def _too_large(self) -> Block:
        """Give up a block that grows beyond the limit: told once, the rest is read and dropped up to its end."""
        was_told = self._skipping
        first = self._taken(len(self._kept), marks=0)[:KEPT_OF_TOO_LARGE]
        self._skipping = True
        return Block(b"") if was_told else Block(first, "too-large")
