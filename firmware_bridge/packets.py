"""The payloads of PPL/1 for jobs, labels, status and events (docs/protocol.md sections 2 to 4); pure.

An answer or event is read to its last byte: one that is shorter, longer or says what the page does not know is a DecodeError.
What the service lock guards is in `service_packets`.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from firmware_bridge.contract import RunSlot, job_tail

SCHEMA_CRC = zlib.crc32(b"PPL/1.1")
PROTOCOL_MAJOR = 1
PROTOCOL_MINOR = 1
LABEL_DATA_LIMIT_BYTES = 200
STATUS_ENTRIES_LIMIT = 20
OWNER_LIMIT_CHARACTERS = 32
NO_JOB = bytes(16)


class DecodeError(ValueError):
    """A payload does not have the layout of its operation or event."""


class Op(IntEnum):
    """Operations that the bridge asks for."""

    HELLO = 0x00
    STATUS = 0x01
    JOB_RUN = 0x02
    JOB_QUERY = 0x03
    RESOLVE = 0x04
    EVT_ACK = 0x05
    PING = 0x06
    ABORT = 0x07
    LOCK = 0x08
    JOG = 0x09
    SELFTEST = 0x0A
    FW_BEGIN = 0x10
    FW_DATA = 0x11
    FW_STATUS = 0x12
    FW_COMMIT = 0x13
    FW_CONFIRM = 0x14
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
    LOCKED = 14
    NOT_LOCKED = 15
    SIGNATURE = 16
    SAFE_MODE = 17


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
    RESOLVED = 0x4A
    LOCK = 0x4B


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
    ABORTED = 8


MACHINE_STATES = ("idle", "running", "at-camera", "stopped", "in-doubt", "locked", "safe-mode")
STOP_REASONS = ("none", "no-verdict", "film-out", "door-open", "jam", "reject-bin", "ribbon-out", "gate-stuck")
DOUBT_REASON = "in-doubt"
RESET_CAUSES = ("power-on", "watchdog", "brown-out", "software")
CAPABILITIES = ("labels", "verdict", "resolve", "lock", "jog", "self-test", "firmware-update")
VERDICTS = {"PASS": 1, "FAIL": 2, "LOOK": 3}
VERDICT_WORDS = {number: word for word, number in VERDICTS.items()} | {0: "NONE"}
DONE_WORDS = {4: "done", 5: "diverted", 8: "aborted"}
LOCK_CHANGES = ("released", "taken", "taken-over")
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

    state: JobState
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
_BYTE = struct.Struct("<B")
_JOB_STATE = struct.Struct("<BI")
_JOB_QUERY = struct.Struct("<BBBI")
_OFFSET = struct.Struct("<I")
_NUMBERS = {
    EventKind.DROPPED: (_DROPPED, ("cassette", "asked", "counted", "remaining")),
    EventKind.RESOLVED: (_DROPPED, ("cassette", "asked", "counted", "remaining")),
    EventKind.CASSETTE: (_CASSETTE, ("slot", "cassette", "remaining")),
}
_WORDS = {
    EventKind.DIVERTED: ("verdict", VERDICT_WORDS),
    EventKind.DONE: ("state", DONE_WORDS),
    EventKind.STOPPED: ("reason", {0: DOUBT_REASON}),
}


def read(layout: struct.Struct, payload: bytes, at: int = 1) -> tuple[Any, ...]:
    """Return the fields at `at`, which more may follow; raise DecodeError."""
    try:
        return layout.unpack_from(payload, at)
    except struct.error as error:
        raise DecodeError(f"{len(payload) - at} bytes where {layout.size} are needed") from error


def read_last(layout: struct.Struct, payload: bytes, at: int = 1) -> tuple[Any, ...]:
    """Return the fields at `at`, with which the payload ends; raise DecodeError."""
    fields = read(layout, payload, at)
    ensure_end(payload, at + layout.size)
    return fields


def read_text(payload: bytes, at: int) -> tuple[str, int]:
    """Return the text whose length byte is at `at`, and where it ends; raise DecodeError, also when it is no ASCII."""
    length = payload[at] if at < len(payload) else len(payload)
    end = at + 1 + length
    if end > len(payload):
        raise DecodeError(f"text at {at} does not fit")
    try:
        return payload[at + 1 : end].decode("ascii"), end
    except UnicodeDecodeError as error:
        raise DecodeError(f"text at {at} is no ASCII") from error


def ensure_end(payload: bytes, at: int) -> None:
    """Raise DecodeError unless the payload ends at `at`."""
    if len(payload) != at:
        raise DecodeError(f"{len(payload)} bytes where {at} are due")


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
    head = read(_HELLO_HEAD, payload)
    firmware, at = read_text(payload, 1 + _HELLO_HEAD.size)
    serial, end = read_text(payload, at)
    ensure_end(payload, end)
    return Hello(*(*head, firmware, serial))


def pack_status(first: int) -> bytes:
    """Return the STATUS request for the page from slot `first` on."""
    return bytes([first])


def unpack_status(payload: bytes) -> StatusPage:
    """Return a STATUS answer; raise DecodeError."""
    state, reason, job, job_slot, next_event, *tail = read(_STATUS_HEAD, payload)
    *numbers, slots, first, count = tail
    start = 1 + _STATUS_HEAD.size
    if count > STATUS_ENTRIES_LIMIT:
        raise DecodeError(f"{count} entries in one page")
    ensure_end(payload, start + count * _ENTRY.size)
    entries = tuple(CassetteEntry(*fields) for fields in _ENTRY.iter_unpack(payload[start:]))
    counters = dict(zip(COUNTER_NAMES, numbers, strict=True))
    return StatusPage(state, reason, job, job_slot, next_event, counters, slots, first, entries)


def pack_job_run(job: bytes, label: bytes, slots: Sequence[RunSlot]) -> bytes:
    """Return the JOB_RUN request with its digest."""
    tail = job_tail(label, slots)
    return job + struct.pack("<I", zlib.crc32(tail)) + tail


def unpack_job_state(payload: bytes) -> JobAnswer:
    """Return the state that JOB_RUN, RESOLVE or ABORT tells of the job; raise DecodeError."""
    state, event = read_last(_JOB_STATE, payload)
    return JobAnswer(_job_state(state), event)


def unpack_job_query(payload: bytes) -> JobAnswer:
    """Return the state the job has; raise DecodeError."""
    state, slot, running, event = read_last(_JOB_QUERY, payload)
    return JobAnswer(_job_state(state), event, slot, running)


def _job_state(number: int) -> JobState:
    try:
        return JobState(number)
    except ValueError as error:
        raise DecodeError(f"job state {number}") from error


def pack_resolve(job: bytes, slot: int, boot: int, event: int, counted: int) -> bytes:
    """Return the RESOLVE request: so many tablets were found to have fallen in the doubtful slot."""
    return job + struct.pack("<BIIB", slot, boot, event, counted)


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
    """Return `next_offset` of a BEGIN or DATA answer, of a label or of firmware; raise DecodeError."""
    (offset,) = read_last(_OFFSET, payload)
    return int(offset)


def pack_verdict(job: bytes, slot: int, boot: int, event: int, verdict: str) -> bytes:
    """Return the VERDICT request; `verdict` is PASS, FAIL or LOOK."""
    return job + struct.pack("<BIIB", slot, boot, event, VERDICTS[verdict])


def unpack_event(op: int, payload: bytes) -> FirmwareEvent:
    """Return the event in an EVT frame, its kind unchecked; raise DecodeError when it has no number."""
    boot, event, job, slot = read(_EVENT_HEAD, payload, 0)
    return FirmwareEvent(op, boot, event, job, slot, payload[_EVENT_HEAD.size :])


def event_name(kind: int) -> str:
    """Return the kind as docs/mqtt.md writes it: `at-camera` for 0x43."""
    return EventKind(kind).name.lower().replace("_", "-")


def event_fields(event: FirmwareEvent) -> dict[str, int | str]:
    """Return the members that docs/mqtt.md gives for this kind; raise DecodeError for an unknown kind or layout."""
    if event.kind not in set(EventKind):
        raise DecodeError(f"unknown event kind {event.kind:#04x}")
    kind = EventKind(event.kind)
    if kind in _NUMBERS:
        layout, names = _NUMBERS[kind]
        return dict(zip(names, read_last(layout, event.data, 0), strict=True))
    if kind in _WORDS:
        return _one_word(kind, event.data)
    if kind == EventKind.LOCK:
        return _lock_change(event.data)
    ensure_end(event.data, 0)
    return {}


def _one_word(kind: EventKind, data: bytes) -> dict[str, int | str]:
    (number,) = read_last(_BYTE, data, 0)
    name, words = _WORDS[kind]
    if number in words:
        return {name: words[number]}
    if kind == EventKind.STOPPED:
        # Unlike a verdict or an end, a stop may have a reason that this bridge has no word for: the machine waits all the same.
        return {name: word_of(STOP_REASONS, number)}
    raise DecodeError(f"{event_name(kind)} with {number}")


def _lock_change(data: bytes) -> dict[str, int | str]:
    (mode,) = read(_BYTE, data, 0)
    owner, end = read_text(data, 1)
    ensure_end(data, end)
    if mode >= len(LOCK_CHANGES) or len(owner) > OWNER_LIMIT_CHARACTERS or (mode and not owner):
        raise DecodeError(f"lock change {mode} by an owner of {len(owner)} characters")
    return {"mode": LOCK_CHANGES[mode], "owner": owner}
