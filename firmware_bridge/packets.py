"""The payloads of PPL/1, operation by operation and event by event (docs/protocol.md sections 2 to 4); pure."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from firmware_bridge.contract import RunSlot, job_tail

SCHEMA_CRC = zlib.crc32(b"PPL/1.0")
PROTOCOL_MAJOR = 1
PROTOCOL_MINOR = 0
LABEL_DATA_LIMIT_BYTES = 200
NO_JOB = bytes(16)


class DecodeError(ValueError):
    """A payload does not have the layout of its operation or event."""


class Op(IntEnum):
    """Operations that the bridge asks for."""

    HELLO = 0x00
    STATUS = 0x01
    JOB_RUN = 0x02
    JOB_QUERY = 0x03
    EVT_ACK = 0x05
    PING = 0x06
    LABEL_BEGIN = 0x20
    LABEL_DATA = 0x21
    LABEL_COMMIT = 0x22
    VERDICT = 0x23


class Rc(IntEnum):
    """The first byte of every answer."""

    OK = 0
    BAD_REQUEST = 1
    CONFLICT = 2
    BUSY = 3
    NO_LABEL = 4
    UNKNOWN_JOB = 5
    CASSETTE_MISMATCH = 6
    OFFSET = 7
    DIGEST = 8
    STALE_EVENT = 9
    FENCED = 10
    UNSUPPORTED = 11
    EMPTY = 12
    STOPPED = 13


class EventKind(IntEnum):
    """Op byte of an event frame."""

    ACCEPTED = 0x41
    DROPPED = 0x42
    AT_CAMERA = 0x43
    RELEASED = 0x44
    DIVERTED = 0x45
    DONE = 0x46
    STOPPED = 0x47
    READY = 0x48
    CASSETTE = 0x49


class JobState(IntEnum):
    """What a machine knows of a job."""

    NONE = 0
    ACCEPTED = 1
    RUNNING = 2
    AT_CAMERA = 3
    DONE = 4
    DIVERTED = 5
    DOUBT = 6
    REFUSED = 7


MACHINE_STATES = ("idle", "running", "at-camera", "stopped", "in-doubt")
STOP_REASONS = ("none", "no-verdict", "film-out", "door-open", "jam", "reject-bin")
RESET_CAUSES = ("power-on", "watchdog", "brown-out", "software")
CAPABILITIES = ("labels", "verdict")
VERDICTS = {"PASS": 1, "FAIL": 2, "LOOK": 3}
VERDICT_WORDS = {number: word for word, number in VERDICTS.items()} | {0: "NONE"}
DONE_WORDS = {4: "done", 5: "diverted"}
COUNTER_NAMES = ("crc_err", "cobs_err", "overrun", "ok", "dup", "stale_sid")


def word_of(words: Sequence[str], number: int) -> str:
    """Return the word of a number, or the number itself where this bridge knows none."""
    return words[number] if number < len(words) else f"unknown-{number}"


@dataclass(frozen=True)
class Hello:
    """HELLO_RSP: who the machine is and where its event numbers stand."""

    protocol_major: int
    protocol_minor: int
    schema_crc: int
    boot: int
    reset_cause: int
    next_event: int
    capabilities: int
    cassette_slots: int
    label_width: int
    firmware: str
    serial: str


@dataclass(frozen=True)
class CassetteEntry:
    """One machine slot of a STATUS page; cassette 0 is an empty slot."""

    slot: int
    cassette: int
    remaining: int


@dataclass(frozen=True)
class StatusPage:
    """STATUS answer: the machine's state, its counters, and up to 20 cassette entries from slot `first` on."""

    state: int
    reason: int
    job: bytes
    job_slot: int
    next_event: int
    counters: dict[str, int]
    slots: int
    first: int
    entries: tuple[CassetteEntry, ...]


@dataclass(frozen=True)
class JobAnswer:
    """What the machine says of a job; `slot` and `running` are told by JOB_QUERY only."""

    state: int
    event: int
    slot: int = 0
    running: int = 0


@dataclass(frozen=True)
class FirmwareEvent:
    """One EVT frame; `data` is unpacked by `event_fields`."""

    kind: int
    boot: int
    event: int
    job: bytes
    slot: int
    data: bytes


_HELLO_HEAD = struct.Struct("<BBIIBIIBH")
_STATUS_HEAD = struct.Struct("<BB16sBI6IBBB")
_ENTRY = struct.Struct("<BIH")
_EVENT_HEAD = struct.Struct("<II16sB")
_DROPPED = struct.Struct("<IBBH")
_CASSETTE = struct.Struct("<BIH")


def _unpack(layout: struct.Struct, payload: bytes, offset: int = 0) -> tuple[Any, ...]:
    try:
        return layout.unpack_from(payload, offset)
    except struct.error as error:
        raise DecodeError(f"{len(payload) - offset} bytes where {layout.size} are needed") from error


def result_code(payload: bytes) -> int:
    """Return the `rc` of an answer."""
    if not payload:
        raise DecodeError("answer without rc")
    return payload[0]


def pack_hello(fence: int) -> bytes:
    """Return the HELLO payload."""
    return struct.pack("<BBI", PROTOCOL_MAJOR, PROTOCOL_MINOR, fence)


def unpack_hello(payload: bytes) -> Hello:
    """Return the HELLO_RSP that follows its rc byte; raise DecodeError."""
    head = _unpack(_HELLO_HEAD, payload, 1)
    firmware, at = _text(payload, 1 + _HELLO_HEAD.size)
    serial, _ = _text(payload, at)
    return Hello(*(*head, firmware, serial))


def _text(payload: bytes, at: int) -> tuple[str, int]:
    length = payload[at] if at < len(payload) else 0
    end = at + 1 + length
    if end > len(payload):
        raise DecodeError(f"text of {length} bytes does not fit")
    return payload[at + 1 : end].decode("ascii", "replace"), end


def pack_status(first: int) -> bytes:
    """Return the STATUS request for the page from slot `first` on."""
    return bytes([first])


def unpack_status(payload: bytes) -> StatusPage:
    """Return a STATUS answer; raise DecodeError."""
    state, reason, job, job_slot, next_event, *tail = _unpack(_STATUS_HEAD, payload, 1)
    *numbers, slots, first, count = tail
    start = 1 + _STATUS_HEAD.size
    entries = tuple(CassetteEntry(*_unpack(_ENTRY, payload, start + k * _ENTRY.size)) for k in range(count))
    counters = dict(zip(COUNTER_NAMES, numbers, strict=True))
    return StatusPage(state, reason, job, job_slot, next_event, counters, slots, first, entries)


def pack_job_run(job: bytes, label: bytes, slots: Sequence[RunSlot]) -> bytes:
    """Return the JOB_RUN request with its digest."""
    tail = job_tail(label, slots)
    return job + struct.pack("<I", zlib.crc32(tail)) + tail


def unpack_job_run(payload: bytes) -> JobAnswer:
    """Return the state the job has; raise DecodeError."""
    state, event = _unpack(struct.Struct("<BI"), payload, 1)
    return JobAnswer(state, event)


def unpack_job_query(payload: bytes) -> JobAnswer:
    """Return the state the job has; raise DecodeError."""
    state, slot, running, event = _unpack(struct.Struct("<BBBI"), payload, 1)
    return JobAnswer(state, event, slot, running)


def pack_event_ack(boot: int, event: int) -> bytes:
    """Return the EVT_ACK request, which settles `event` and all before it."""
    return struct.pack("<II", boot, event)


def pack_label_begin(label: bytes, width: int, height: int, length: int) -> bytes:
    """Return the LABEL_BEGIN request; `length` is that of the zlib stream."""
    return label + struct.pack("<HHI", width, height, length)


def pack_label_data(label: bytes, offset: int, stream: bytes) -> bytes:
    """Return the LABEL_DATA request for the piece of `stream` at `offset`, at most 200 bytes."""
    return label[:4] + struct.pack("<I", offset) + stream[offset : offset + LABEL_DATA_LIMIT_BYTES]


def unpack_offset(payload: bytes) -> int:
    """Return `next_offset` of a LABEL_BEGIN or LABEL_DATA answer; raise DecodeError."""
    (offset,) = _unpack(struct.Struct("<I"), payload, 1)
    return int(offset)


def pack_verdict(job: bytes, slot: int, boot: int, event: int, verdict: str) -> bytes:
    """Return the VERDICT request; `verdict` is PASS, FAIL or LOOK."""
    return job + struct.pack("<BIIB", slot, boot, event, VERDICTS[verdict])


def unpack_event(op: int, payload: bytes) -> FirmwareEvent:
    """Return the event in an EVT frame, its kind unchecked; raise DecodeError when it has no number."""
    boot, event, job, slot = _unpack(_EVENT_HEAD, payload)
    return FirmwareEvent(op, boot, event, job, slot, payload[_EVENT_HEAD.size :])


def event_name(kind: int) -> str:
    """Return the kind as docs/mqtt.md writes it: `at-camera` for 0x43."""
    return EventKind(kind).name.lower().replace("_", "-")


def event_fields(event: FirmwareEvent) -> dict[str, int | str]:
    """Return the members that docs/mqtt.md gives for this kind; raise DecodeError for an unknown kind or layout."""
    if event.kind not in set(EventKind):
        raise DecodeError(f"unknown event kind {event.kind:#04x}")
    if event.kind == EventKind.DROPPED:
        return dict(zip(("cassette", "asked", "counted", "remaining"), _unpack(_DROPPED, event.data), strict=True))
    if event.kind == EventKind.CASSETTE:
        return dict(zip(("slot", "cassette", "remaining"), _unpack(_CASSETTE, event.data), strict=True))
    if event.kind in {EventKind.DIVERTED, EventKind.DONE, EventKind.STOPPED}:
        return _one_word(event)
    return {}


def _one_word(event: FirmwareEvent) -> dict[str, int | str]:
    if len(event.data) < 1:
        raise DecodeError("event without its data byte")
    number = event.data[0]
    if event.kind == EventKind.STOPPED:
        return {"reason": word_of(STOP_REASONS, number)}
    words = VERDICT_WORDS if event.kind == EventKind.DIVERTED else DONE_WORDS
    if number not in words:
        raise DecodeError(f"{event_name(event.kind)} with {number}")
    return {"verdict" if event.kind == EventKind.DIVERTED else "state": words[number]}
