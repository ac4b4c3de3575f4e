"""The MQTT contract of docs/mqtt.md as types: topics, payloads, and the digests that hub and machine must agree on."""

import hashlib
import re
import struct
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

ROOT = "dosehub/v1"
LABEL_RASTER_LIMIT_BYTES = 65536
LABEL_STREAM_LIMIT_BYTES = 65536
LABEL_HEIGHT_LIMIT_DOTS = 800
SLOTS_PER_JOB_LIMIT = 12
SEQ_LIMIT = 1 << 63

Byte = Annotated[int, Meta(ge=0, le=0xFF)]
Word = Annotated[int, Meta(ge=0, le=0xFFFF)]
Long = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
EventNumber = Annotated[int, Meta(ge=0, le=0x7FFFFFFFFFFFFFFF)]
JobHex = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
DigestHex = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
CommandId = Annotated[str, Meta(min_length=1, max_length=200)]
Instant = Annotated[datetime, Meta(tz=True)]
VerdictWord = Literal["PASS", "FAIL", "LOOK"]


class ContractError(ValueError):
    """A message does not fit docs/mqtt.md; `field` names the place (JSON path such as `$.slots[0].count`)."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def topic(site: str, device: str, leaf: str) -> str:
    """Return the topic of a device's leaf, for example `job/cmd`."""
    return f"{ROOT}/{site}/{device}/{leaf}"


def hub_state_topic(site: str) -> str:
    """Return the topic on which the hub of a site tells that it lives."""
    return topic(site, "hub", "$state")


class RunSlot(Struct, frozen=True, kw_only=True):
    """One drop of a job: `count` tablets out of the cassette in machine slot `slot` (1 ..)."""

    slot: Annotated[int, Meta(ge=1, le=250)]
    cassette: Annotated[int, Meta(ge=1, le=0xFFFFFFFF)]
    count: Annotated[int, Meta(ge=1, le=255)]


class RunLabel(Struct, frozen=True, kw_only=True):
    """The pouch label: its digest, size in dots, and the zlib stream of its one-bit raster (base64 in JSON)."""

    digest: DigestHex
    width: Annotated[int, Meta(ge=1, le=0xFFFF)]
    height: Annotated[int, Meta(ge=1, le=LABEL_HEIGHT_LIMIT_DOTS)]
    raster: Annotated[bytes, Meta(min_length=1)]


class _Command(Struct, frozen=True, kw_only=True, tag_field="kind"):
    command: CommandId
    seq: Annotated[int, Meta(ge=1)]
    fence: Long
    expires_at: Instant


class RunCommand(_Command, frozen=True, kw_only=True, tag="run"):
    """Make one pouch; the same job with the same content makes nothing twice."""

    job: JobHex
    slots: Annotated[tuple[RunSlot, ...], Meta(min_length=1, max_length=SLOTS_PER_JOB_LIMIT)]
    label: RunLabel


class VerdictCommand(_Command, frozen=True, kw_only=True, tag="verdict"):
    """Answer the at-camera event (boot, event) of a job."""

    job: JobHex
    slot: Byte
    boot: Long
    event: Long
    verdict: VerdictWord


class ResolveCommand(_Command, frozen=True, kw_only=True, tag="resolve"):
    """Answer the stopped event (boot, event) of a job in doubt: `counted` tablets were found to have fallen in its slot."""

    job: JobHex
    slot: Annotated[int, Meta(ge=0, lt=SLOTS_PER_JOB_LIMIT)]
    boot: Long
    event: Long
    counted: Byte


class AbortCommand(_Command, frozen=True, kw_only=True, tag="abort"):
    """End a job of which nothing has moved; it is never started afterwards."""

    job: JobHex


class StatusCommand(_Command, frozen=True, kw_only=True, tag="status"):
    """Ask for a fresh `status` and `$description`; `seq` is 0 where it goes out under no number, as a question that may get lost."""

    seq: Annotated[int, Meta(ge=0)]


Decision = VerdictCommand | ResolveCommand | AbortCommand
Command = RunCommand | Decision | StatusCommand


class BridgeEvent(Struct, frozen=True, kw_only=True):
    """One event of `job/evt`; (source, boot, event) is its identity within the device."""

    source: Literal["firmware", "bridge"]
    boot: Long
    event: EventNumber
    kind: Annotated[str, Meta(min_length=1, max_length=40)]
    job: JobHex | None
    slot: Byte | None
    at: Instant
    data: dict[str, int | str]


class EventAck(Struct, frozen=True, kw_only=True):
    """The hub's own acknowledgement of one event, sent after its commit."""

    source: Literal["firmware", "bridge"]
    boot: Long
    event: EventNumber


class DeviceState(Struct, frozen=True, kw_only=True):
    """Birth or death of a bridge's device or of the hub; a death counts only for the session of its birth."""

    state: Literal["init", "ready", "lost"]
    session: Annotated[str, Meta(min_length=1, max_length=64)]
    at: Instant


class Description(Struct, frozen=True, kw_only=True):
    """What the machine said of itself in HELLO, with the bridge's own version."""

    serial: str
    firmware: str
    protocol: str
    schema_crc: Long
    boot: Long
    reset_cause: str
    cassette_slots: Byte
    label_width: Word
    capabilities: tuple[str, ...]
    bridge: str


class CassettePlace(Struct, frozen=True, kw_only=True):
    """Which cassette sits in which machine slot, and the tablets the machine counts in it."""

    slot: Byte
    cassette: Long
    remaining: Word


class StatusReport(Struct, frozen=True, kw_only=True):
    """The machine's state as the bridge last heard it; empty slots are left out of `cassettes`."""

    state: str
    reason: str
    job: JobHex | None
    cassettes: tuple[CassettePlace, ...]
    counters: dict[str, int]
    link: Literal["up", "down"]
    queued: Annotated[int, Meta(ge=0)]


class NoData(Struct, frozen=True, kw_only=True):
    """The event says nothing more than its kind."""


class DroppedData(Struct, frozen=True, kw_only=True):
    """What fell for one slot: `counted` is the drop sensor's number."""

    cassette: Long
    asked: Byte
    counted: Byte
    remaining: Word


class ResolvedData(DroppedData, frozen=True, kw_only=True):
    """What a person found to have fallen for the doubtful slot; `remaining` is what the machine counts from now on."""


class DivertedData(Struct, frozen=True, kw_only=True):
    """The verdict on which a pouch went to the reject bin; `NONE` where the machine had none."""

    verdict: Literal["PASS", "FAIL", "LOOK", "NONE"]


class DoneData(Struct, frozen=True, kw_only=True):
    """How the job ended."""

    state: Literal["done", "diverted", "aborted"]


class StoppedData(Struct, frozen=True, kw_only=True):
    """Why the machine waits for a person: `in-doubt` (of `job` at `slot`) or a word of `status.reason`."""

    reason: str


class LockData(Struct, frozen=True, kw_only=True):
    """Whose service lock was given back, taken, or taken over from somebody else."""

    mode: Literal["released", "taken", "taken-over"]
    owner: Annotated[str, Meta(max_length=32)]


class RefusedData(Struct, frozen=True, kw_only=True):
    """The command that was not taken, the rule that stopped it, and a sentence for a person."""

    command: str
    rc: str
    reason: str


class UnreadableData(Struct, frozen=True, kw_only=True):
    """An event of the firmware that this bridge does not know: its kind and payload as they came."""

    op: Byte
    payload: str


EventData = (
    NoData
    | DroppedData
    | ResolvedData
    | DivertedData
    | DoneData
    | StoppedData
    | LockData
    | CassettePlace
    | RefusedData
    | UnreadableData
)
EVENT_DATA: dict[str, type[EventData]] = {
    "accepted": NoData,
    "dropped": DroppedData,
    "at-camera": NoData,
    "released": NoData,
    "diverted": DivertedData,
    "done": DoneData,
    "stopped": StoppedData,
    "ready": NoData,
    "cassette": CassettePlace,
    "resolved": ResolvedData,
    "lock": LockData,
    "refused": RefusedData,
    "unreadable": UnreadableData,
}

Message = TypeVar("Message")

_ENCODER = msgspec.json.Encoder()
_COMMANDS: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_EVENTS = msgspec.json.Decoder(BridgeEvent)
_ACKS = msgspec.json.Decoder(EventAck)
_STATES = msgspec.json.Decoder(DeviceState)
_DESCRIPTIONS = msgspec.json.Decoder(Description)
_STATUSES = msgspec.json.Decoder(StatusReport)


def encode(payload: Struct) -> bytes:
    """Return the JSON bytes of one message."""
    return _ENCODER.encode(payload)


def decode_command(message: bytes) -> Command:
    """Return the command in `message`; raise ContractError, also for a label stream over its limit."""
    command = read(_COMMANDS, message)
    if isinstance(command, RunCommand) and len(command.label.raster) > LABEL_STREAM_LIMIT_BYTES:
        raise ContractError("$.label.raster", f"more than {LABEL_STREAM_LIMIT_BYTES} bytes")
    return command


def decode_event(message: bytes) -> BridgeEvent:
    """Return the event in `message`, its data checked against its kind; raise ContractError."""
    event = read(_EVENTS, message)
    event_data(event)
    return event


def event_data(event: BridgeEvent) -> EventData:
    """Return the typed data of an event; raise ContractError for an unknown kind or wrong members."""
    shape = EVENT_DATA.get(event.kind)
    if shape is None:
        raise ContractError("$.kind", f"unknown kind {event.kind!r}")
    try:
        return msgspec.convert(event.data, shape)
    except msgspec.ValidationError as error:
        raise misfit(error, "$.data") from error


def decode_ack(message: bytes) -> EventAck:
    """Return the acknowledgement in `message`; raise ContractError."""
    return read(_ACKS, message)


def decode_state(message: bytes) -> DeviceState:
    """Return the birth or death in `message`; raise ContractError."""
    return read(_STATES, message)


def decode_description(message: bytes) -> Description:
    """Return the machine's description; raise ContractError."""
    return read(_DESCRIPTIONS, message)


def decode_status(message: bytes) -> StatusReport:
    """Return the machine's status; raise ContractError."""
    return read(_STATUSES, message)


def named_command(message: bytes) -> str:
    """Return the `command` id of a message that may otherwise be wrong, or an empty text."""
    try:
        found: Any = msgspec.json.decode(message)
    except (msgspec.DecodeError, RecursionError):
        return ""
    name = found.get("command") if isinstance(found, dict) else None
    return name[:200] if isinstance(name, str) else ""


def named_seq(message: bytes) -> int:
    """Return the `seq` of a message that may otherwise be wrong, or 0."""
    try:
        found: Any = msgspec.json.decode(message)
    except (msgspec.DecodeError, RecursionError):
        return 0
    seq = found.get("seq") if isinstance(found, dict) else None
    return seq if type(seq) is int and 0 < seq < SEQ_LIMIT else 0


def read(decoder: msgspec.json.Decoder[Message], message: bytes) -> Message:
    """Return the message as the type of `decoder`; raise ContractError, also for what is no JSON."""
    try:
        return decoder.decode(message)
    except (msgspec.DecodeError, RecursionError) as error:
        raise misfit(error, "$") from error


def misfit(error: Exception, root: str) -> ContractError:
    """Return the refusal with its place named below `root`, from the words of msgspec (`... - at `$.path``)."""
    reason, _, place = str(error).partition(" - at ")
    field = root + place.strip("`")[1:] if place else root
    missing = re.search(r"missing required field `([^`]+)`", reason)
    return ContractError(f"{field}.{missing[1]}" if missing else field, reason)


def label_digest(width: int, height: int, raster: bytes) -> bytes:
    """Return the SHA-256 that names a label: over width u16, height u16 and the raster (protocol.md section 3)."""
    return hashlib.sha256(struct.pack("<HH", width, height) + raster).digest()


def job_digest(label: bytes, slots: Sequence[RunSlot]) -> int:
    """Return the CRC-32 over a JOB_RUN payload from its label on (protocol.md section 3)."""
    return zlib.crc32(job_tail(label, slots))


def job_tail(label: bytes, slots: Sequence[RunSlot]) -> bytes:
    """Return label, n and slots as JOB_RUN carries them."""
    drops = b"".join(struct.pack("<BIB", slot.slot, slot.cassette, slot.count) for slot in slots)
    return label + bytes([len(slots)]) + drops
