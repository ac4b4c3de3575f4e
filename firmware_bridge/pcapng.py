"""pcapng: the capture format that Wireshark reads (draft-ietf-opsawg-pcapng), as much of it as one serial line needs; pure.

One interface of link type USER0, times in microseconds. A packet that was no frame has its error in the flags of the link layer.
"""

import struct
from collections.abc import Mapping
from typing import Literal

from firmware_bridge.trace_contract import CrossingError

LINK_TYPE_USER0 = 147
SNAP_LENGTH = 262_144
CrossingFault = Literal["", "crc", "overrun", "cobs"]

_SECTION, _INTERFACE, _STATISTICS, _PACKET = 0x0A0D0D0A, 1, 5, 6
_BYTE_ORDER, _UNKNOWN_LENGTH = 0x1A2B3C4D, -1
_END_OF_OPTIONS, _COMMENT = 0, 1
_SECTION_PROGRAM = 4
_INTERFACE_NAME, _INTERFACE_RESOLUTION = 2, 9
_STATISTICS_RECEIVED, _STATISTICS_DROPPED = 4, 5
_PACKET_FLAGS, _PACKET_DROPS = 2, 4
_MICROSECONDS = b"\x06"
_INBOUND, _OUTBOUND = 1, 2
COMMENTS: Mapping[CrossingError, str] = {
    "crc": "the check sum is wrong",
    "cobs": "no frame could be made of these bytes",
    "overrun": "more bytes between two delimiters than a frame has; the first ones are shown",
    "stale": "a frame of another session, or an answer that nobody waits for",
    "payload": "the bridge could not read the payload",
}
_FAULTS: Mapping[CrossingFault, int] = {"": 0, "crc": 1 << 24, "overrun": 1 << 25, "cobs": 1 << 31}


def head(program: str, interface: str) -> bytes:
    """Return the beginning of a file: its section, written by `program`, and the one interface."""
    section = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, _UNKNOWN_LENGTH) + _options((_SECTION_PROGRAM, program.encode()))
    described = _options((_INTERFACE_NAME, interface.encode()), (_INTERFACE_RESOLUTION, _MICROSECONDS))
    return _block(_SECTION, section) + _block(
        _INTERFACE, struct.pack("<HHI", LINK_TYPE_USER0, 0, SNAP_LENGTH) + described
    )


def crossing(
    data: bytes,
    at_us: int,
    *,
    is_sent: bool,
    error: CrossingError,
    lost: int = 0,
    octets: int | None = None,
    remark: str = "",
) -> bytes:
    """Return what crossed the wire at `at_us` microseconds since 1970, before which `lost` frames were not told.

    Where there were more `octets` than are in `data`, the packet is one of which only so much was kept; `remark` says why.
    """
    comments = [COMMENTS[error]] if error else []
    comments += [f"{lost} frames before this one were not told"] if lost else []
    comments += [remark] if remark else []
    return packet(
        data, at_us, is_sent=is_sent, fault=_fault(error), drops=lost, comment="; ".join(comments), octets=octets
    )


def _fault(error: CrossingError) -> CrossingFault:
    """Return the error of bytes that were no frame; a frame that came out of turn is a frame."""
    return "" if error == "stale" or error == "payload" else error  # noqa: PLR1714 - narrows the type


def packet(
    data: bytes, at_us: int, *, is_sent: bool, fault: CrossingFault = "", drops: int = 0, comment: str = "",
    octets: int | None = None,
) -> bytes:  # fmt: skip
    """Return one packet at `at_us` microseconds since 1970; `drops` packets are missing between the one before and this one.

    It had `octets` bytes, of which `data` was kept; without a number all of them were.
    """
    flags = (_OUTBOUND if is_sent else _INBOUND) | _FAULTS[fault]
    options = [(_PACKET_FLAGS, struct.pack("<I", flags))]
    if drops:
        options.append((_PACKET_DROPS, struct.pack("<Q", drops)))
    if comment:
        options.append((_COMMENT, comment.encode()))
    fixed = struct.pack(
        "<IIIII", 0, at_us >> 32, at_us & 0xFFFFFFFF, len(data), len(data) if octets is None else octets
    )
    return _block(_PACKET, fixed + _padded(data) + _options(*options))


def statistics(at_us: int, received: int, dropped: int) -> bytes:
    """Return the end of a file: how many packets there were, and how many are missing."""
    counts = _options(
        (_STATISTICS_RECEIVED, struct.pack("<Q", received)), (_STATISTICS_DROPPED, struct.pack("<Q", dropped))
    )
    return _block(_STATISTICS, struct.pack("<III", 0, at_us >> 32, at_us & 0xFFFFFFFF) + counts)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _options(*options: tuple[int, bytes]) -> bytes:
    told = b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options)
    return told + struct.pack("<HH", _END_OF_OPTIONS, 0)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
