"""The messages of `trace` in docs/mqtt.md as types: the frames on the wire to a machine, in words."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from firmware_bridge.contract import Word, read

FRAMES_A_MESSAGE = 200

FieldValue = bool | int | str
CrossingError = Literal["", "cobs", "crc", "overrun", "stale", "payload"]
Microseconds = Annotated[int, Meta(ge=0)]


class TracedFrame(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One frame, `hex` unstuffed and with its check; or what was dropped instead of one, `hex` as it came between two delimiters.

    Members that say nothing are left out; `round_trip_us` is there for an answer.
    """

    at_us: Microseconds
    direction: Literal["to-device", "from-device"]
    hex: str
    type: str = ""
    seq: Word = 0
    sid: Word = 0
    op: str = ""
    fields: dict[str, FieldValue] = {}
    error: CrossingError = ""
    round_trip_us: Microseconds | None = None


class TraceReport(Struct, frozen=True, kw_only=True):
    """The frames since the message before; `dropped` counts what could not be told since the watch began, `ended` is the last message's."""

    frames: Annotated[tuple[TracedFrame, ...], Meta(max_length=FRAMES_A_MESSAGE)]
    dropped: Annotated[int, Meta(ge=0)]
    ended: bool


_REPORTS = msgspec.json.Decoder(TraceReport)


def decode_trace(message: bytes) -> TraceReport:
    """Return the frames in a message of `trace`; raise ContractError."""
    return read(_REPORTS, message)
