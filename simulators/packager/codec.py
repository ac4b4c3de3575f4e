"""PPL/1 on the wire, written from docs/protocol.md: COBS, CRC-32, frames, and a receiver that counts what it drops."""

import re
import struct
import zlib
from dataclasses import dataclass

REQ, RSP, EVT, HELLO, HELLO_RSP = 0x11, 0x12, 0x13, 0x14, 0x15
PAYLOAD_LIMIT = 226
FRAME_MINIMUM = 9
ENCODED_LIMIT = 236

_HEAD = struct.Struct("<BBHB")
_CRC = struct.Struct("<I")
_CODES = tuple(bytes((length + 1,)) for length in range(254))
_ON_WIRE = re.compile(rb"\0[^\0]+\0")


class CobsError(ValueError):
    """The bytes between two delimiters are no COBS block."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame without its check sum; `payload` holds at most 226 bytes."""

    type: int
    seq: int
    sid: int
    op: int
    payload: bytes = b""


def cobs_encode(data: bytes) -> bytes:
    """Remove the zeros from `data`, which is shorter than 254 bytes, at the cost of one byte."""
    return b"".join([_CODES[len(run)] + run if run else b"\1" for run in data.split(b"\0")])


def cobs_decode(data: bytes) -> bytes:
    """Undo `cobs_encode`. Raises CobsError where a code byte is zero or points beyond the end."""
    plain = bytearray(data)
    at, end = 0, len(data)
    while at < end:
        code = data[at]
        if code == 0 or at + code > end:
            raise CobsError(f"code {code} at {at} of {end}")
        plain[at] = 0
        at += code
    return bytes(plain[1:])


def encode_frame(frame: Frame) -> bytes:
    """Give the bytes of one frame with both delimiters. Raises ValueError for a payload that is too long."""
    if len(frame.payload) > PAYLOAD_LIMIT:
        raise ValueError(f"payload of {len(frame.payload)} bytes")
    body = _HEAD.pack(frame.type, frame.seq, frame.sid, frame.op) + frame.payload
    return b"\0" + cobs_encode(body + _CRC.pack(zlib.crc32(body))) + b"\0"


def split_frames(wire: bytes) -> list[bytes]:
    """Cut what `encode_frame` wrote, joined, into its frames again."""
    return _ON_WIRE.findall(wire)


@dataclass
class Counters:
    """What the receiver met since the power came on."""

    crc_err: int = 0
    cobs_err: int = 0
    overrun: int = 0
    ok: int = 0
    dup: int = 0
    stale_sid: int = 0


class Receiver:
    """Cut a stream of bytes into frames; at most 236 bytes are kept between two delimiters."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._pending = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[Frame]:
        """Take what came in and give the sound frames it completes, in order; everything else is dropped and counted."""
        *whole, rest = (self._pending + data).split(b"\0")
        frames = []
        for chunk in whole:
            skipping, self._skipping = self._skipping, False
            frame = None if skipping else self._frame(chunk)
            if frame is not None:
                frames.append(frame)
        if len(rest) > ENCODED_LIMIT:
            self._counters.overrun += not self._skipping
            self._skipping = True
        self._pending = b"" if self._skipping else rest
        return frames

    def _frame(self, chunk: bytes) -> Frame | None:
        if not chunk:
            return None
        if len(chunk) > ENCODED_LIMIT:
            self._counters.overrun += 1
            return None
        try:
            data = cobs_decode(chunk)
        except CobsError:
            data = b""
        if len(data) < FRAME_MINIMUM:
            self._counters.cobs_err += 1
            return None
        if zlib.crc32(data[:-4]) != _CRC.unpack(data[-4:])[0]:
            self._counters.crc_err += 1
            return None
        kind, seq, sid, op = _HEAD.unpack_from(data)
        return Frame(kind, seq, sid, op, data[5:-4])
