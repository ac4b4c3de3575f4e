"""Frames of PPL/1 on the wire: COBS between zero bytes, a header, a CRC-32 (docs/protocol.md section 1); pure."""

import re
import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

PAYLOAD_LIMIT_BYTES = 226
SMALLEST_FRAME_BYTES = 9
ENCODED_LIMIT_BYTES = 236
_HEADER = struct.Struct("<BBHB")
_CHECK = struct.Struct("<I")
_BLOCK_BYTES = 254
_RUNS = re.compile(rb"[^\0]+")


class FrameType(IntEnum):
    """What a frame is."""

    REQ = 0x11
    RSP = 0x12
    EVT = 0x13
    HELLO = 0x14
    HELLO_RSP = 0x15


@dataclass(frozen=True)
class Frame:
    """One frame; `type` is a plain number because a newer firmware may send another."""

    type: int
    seq: int
    session: int
    op: int
    payload: bytes = b""


class CobsError(ValueError):
    """The bytes between two delimiters are no COBS block."""


def cobs_encode(data: bytes) -> bytes:
    """Return `data` without zero bytes, at most one byte longer per 254."""
    if len(data) >= _BLOCK_BYTES:
        return _encode_long(data)
    # Every zero becomes the length of the run behind it: 1 where that is empty, so only the others are looked at.
    out = bytearray(b"\1" + data.replace(b"\0", b"\1"))
    for run in _RUNS.finditer(data):
        start, end = run.span()
        out[start] = end - start + 1
    return bytes(out)


def cobs_decode(data: bytes) -> bytes:
    """Return the bytes that were stuffed; raise CobsError when a block reaches past the end."""
    end = len(data)
    if end > _BLOCK_BYTES:
        return _decode_long(data)
    out, at = bytearray(data), 0
    while at < end and (code := data[at]):
        out[at] = 0
        at += code
    if at != end:
        raise CobsError(f"a block of {end} bytes ends at {at}")
    return bytes(out[1:])


def _encode_long(data: bytes) -> bytes:
    """Stuff what may need blocks of 254 bytes, which no zero follows; no frame is so long."""
    out = bytearray()
    for part in data.split(b"\0"):
        rest = part
        while len(rest) >= _BLOCK_BYTES:
            out.append(0xFF)
            out += rest[:_BLOCK_BYTES]
            rest = rest[_BLOCK_BYTES:]
        out.append(len(rest) + 1)
        out += rest
    return bytes(out)


def _decode_long(data: bytes) -> bytes:
    out, at = bytearray(), 0
    while at < len(data):
        code = data[at]
        block = data[at + 1 : at + code]
        if code == 0 or len(block) != code - 1:
            raise CobsError(f"block at {at} of {len(data)} bytes claims {code - 1}")
        out += block
        at += code
        if code != 0xFF and at < len(data):
            out.append(0)
    return bytes(out)


def encode_frame(frame: Frame) -> bytes:
    """Return the wire bytes with both delimiters; raise ValueError for a payload over 226 bytes."""
    if len(frame.payload) > PAYLOAD_LIMIT_BYTES:
        raise ValueError(f"payload of {len(frame.payload)} bytes, at most {PAYLOAD_LIMIT_BYTES}")
    body = _HEADER.pack(frame.type, frame.seq, frame.session, frame.op) + frame.payload
    return b"\0" + cobs_encode(body + _CHECK.pack(zlib.crc32(body))) + b"\0"


@dataclass
class DecoderCounters:
    """Frames dropped since the decoder was made, by cause."""

    cobs_err: int = 0
    crc_err: int = 0
    overrun: int = 0


class FrameDecoder:
    """Find frames in a stream of bytes; noise costs at most the bytes up to the next zero."""

    def __init__(self) -> None:
        self.counters = DecoderCounters()
        self._partial = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that end in `data`, in order."""
        *ended, rest = data.split(b"\0")
        frames = [frame for piece in ended if (frame := self._end(piece)) is not None]
        self._collect(rest)
        return frames

    def _end(self, piece: bytes) -> Frame | None:
        """Take the last bytes before a delimiter; mostly they are the whole frame."""
        self._collect(piece)
        if not self._partial:
            self._skipping = False
            return None
        encoded = bytes(self._partial)
        self._partial.clear()
        return self._decode(encoded)

    def _collect(self, piece: bytes) -> None:
        if self._skipping or not piece:
            return
        if len(self._partial) + len(piece) > ENCODED_LIMIT_BYTES:
            self.counters.overrun += 1
            self._partial.clear()
            self._skipping = True
        else:
            self._partial += piece

    def _decode(self, encoded: bytes) -> Frame | None:
        try:
            data = cobs_decode(encoded)
        except CobsError:
            data = b""
        if len(data) < SMALLEST_FRAME_BYTES:
            self.counters.cobs_err += 1
            return None
        body = data[:-4]
        if _CHECK.pack(zlib.crc32(body)) != data[-4:]:
            self.counters.crc_err += 1
            return None
        kind, seq, session, op = _HEADER.unpack_from(body)
        return Frame(kind, seq, session, op, body[_HEADER.size :])
