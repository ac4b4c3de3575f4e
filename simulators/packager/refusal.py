"""The result codes of PPL/1, and the readers of payloads that are of another shape than they must be."""

import struct
from enum import IntEnum

TEXT_LIMIT = 32


class Rc(IntEnum):
    """The first byte of every answer."""

    OK, BAD_REQUEST, CONFLICT, BUSY, NO_LABEL, UNKNOWN_JOB, CASSETTE_MISMATCH, OFFSET, DIGEST, STALE_EVENT, FENCED, \
        UNSUPPORTED, EMPTY, STOPPED, LOCKED, NOT_LOCKED, SIGNATURE, SAFE_MODE = range(18)


class Refused(Exception):
    """A request that gets another rc than OK; `payload` follows it."""

    def __init__(self, rc: Rc, payload: bytes = b"") -> None:
        super().__init__(rc.name)
        self.rc = rc
        self.payload = payload


def unpack(shape: struct.Struct, payload: bytes) -> tuple[int | bytes, ...]:
    """Unpack a payload of exactly this shape; anything else is a BAD_REQUEST."""
    if len(payload) != shape.size:
        raise Refused(Rc.BAD_REQUEST)
    return shape.unpack(payload)


def read_numbers(shape: struct.Struct, payload: bytes) -> tuple[int, ...]:
    """Unpack a payload of exactly this shape that has numbers only; anything else is a BAD_REQUEST."""
    return tuple(map(int, unpack(shape, payload)))


def read_text(payload: bytes, at: int) -> str:
    """Read the text of 1 to 32 printable ASCII characters with which a payload ends; its length byte is at `at`."""
    found = payload[at + 1 :]
    if not 1 <= len(found) <= TEXT_LIMIT or payload[at] != len(found) or not all(0x20 <= byte < 0x7F for byte in found):
        raise Refused(Rc.BAD_REQUEST)
    return found.decode("ascii")


def tell_text(text: str) -> bytes:
    """Write a text with its length byte."""
    return bytes([len(text)]) + text.encode("ascii")
