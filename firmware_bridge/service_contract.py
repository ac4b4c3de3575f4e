"""The service commands and answers of docs/mqtt.md as types: apart from the jobs', so that a broker may grant them to other users.

Nothing here is ever kept and done later: a motor that moves because of an old message is what hurts a hand.
"""

from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta, Struct

from firmware_bridge.contract import Byte, CommandId, DigestHex, Instant, JobHex, Long, misfit, read

OwnerName = Annotated[str, Meta(pattern=r"^[\x21-\x7e](?:[\x20-\x7e]{0,30}[\x21-\x7e])?(?!\n)$")]
HoldMilliseconds = Annotated[int, Meta(ge=1, le=500)]
WatchSeconds = Annotated[int, Meta(ge=1, le=600)]
SelfTestWord = Literal["memory", "drop-sensor", "film", "print-head", "door", "gate", "reject-bin"]
TestResultWord = Literal["passed", "failed", "not-fitted"]
SlotWord = Literal["A", "B"]
FIRMWARE_LIMIT_BYTES = 1_048_576
FIRMWARE_DATA_LIMIT_BYTES = 200
Version = Annotated[str, Meta(pattern=r"^[\x20-\x7e]{1,32}(?!\n)$")]
Signature = Annotated[str, Meta(pattern=r"^[0-9a-f]{128}(?!\n)$")]
FirmwareSize = Annotated[int, Meta(ge=1, le=FIRMWARE_LIMIT_BYTES)]
FirmwareOffsetBytes = Annotated[int, Meta(ge=0, le=FIRMWARE_LIMIT_BYTES)]
FirmwarePiece = Annotated[bytes, Meta(min_length=1, max_length=FIRMWARE_DATA_LIMIT_BYTES)]


class _ServiceCommand(Struct, frozen=True, kw_only=True, tag_field="kind"):
    command: CommandId
    fence: Long
    expires_at: Instant


class LockCommand(_ServiceCommand, frozen=True, kw_only=True, tag="lock"):
    """Take the service lock, take it over from whoever has it, or give it back."""

    mode: Literal["take", "take-over", "release"]
    owner: OwnerName


class SelfTestCommand(_ServiceCommand, frozen=True, kw_only=True, tag="self-test"):
    """Let the machine test itself; no test named means all of them."""

    tests: frozenset[SelfTestWord]


class JogCommand(_ServiceCommand, frozen=True, kw_only=True, tag="jog"):
    """Let a motor run `hold_ms` from now; it stops by itself unless another command prolongs it."""

    motor: Literal["film", "gate", "tray"]
    direction: Literal["back", "forward"]
    hold_ms: HoldMilliseconds


class WatchCommand(_ServiceCommand, frozen=True, kw_only=True, tag="watch"):
    """Have the frames on the wire told on `trace` for so long from now; it moves nothing and needs no lock."""

    seconds: WatchSeconds


class JobQueryCommand(_ServiceCommand, frozen=True, kw_only=True, tag="job-query"):
    """Ask what the machine's journal has of one job; it changes nothing and needs no lock."""

    job: JobHex


class FirmwareStatusCommand(_ServiceCommand, frozen=True, kw_only=True, tag="firmware-status"):
    """Ask what lies in both firmware slots and how much of an image has been carried; it needs no lock."""


class FirmwareBeginCommand(_ServiceCommand, frozen=True, kw_only=True, tag="firmware-begin"):
    """Name the image to be carried; the answer tells from where on. With `restart` it starts at 0, also where the same image was half carried."""

    version: Version
    size: FirmwareSize
    crc: Long
    sha256: DigestHex
    signature: Signature
    restart: bool


class FirmwareDataCommand(_ServiceCommand, frozen=True, kw_only=True, tag="firmware-data"):
    """Carry one piece of the image that was named with this `crc`; the machine keeps it, and the bridge nothing."""

    crc: Long
    offset: FirmwareOffsetBytes
    data: FirmwarePiece


class FirmwareCommitCommand(_ServiceCommand, frozen=True, kw_only=True, tag="firmware-commit"):
    """Let the machine prove the carried image and restart out of it, on trial."""

    sha256: DigestHex


class FirmwareConfirmCommand(_ServiceCommand, frozen=True, kw_only=True, tag="firmware-confirm"):
    """Let the machine keep the firmware that runs; without this it falls back at the fourth boot."""


FirmwareCommand = (
    FirmwareStatusCommand | FirmwareBeginCommand | FirmwareDataCommand | FirmwareCommitCommand | FirmwareConfirmCommand
)
MachineCommand = LockCommand | SelfTestCommand | JogCommand | JobQueryCommand | FirmwareCommand
ServiceCommand = MachineCommand | WatchCommand


class ServiceEvent(Struct, frozen=True, kw_only=True):
    """The one answer to a service command: `rc` for programs, `reason` for people (empty when `rc` is OK)."""

    command: Annotated[str, Meta(max_length=200)]
    rc: Annotated[str, Meta(min_length=1, max_length=40)]
    reason: str
    data: dict[str, bool | int | str]


class LockHolder(Struct, frozen=True, kw_only=True):
    """Whose the lock is now, also where it was not given (rc LOCKED); `owner` is empty where it is free."""

    locked: bool
    owner: str


class JogPosition(Struct, frozen=True, kw_only=True):
    """The motor's step count, modulo 2^32."""

    position: Long


class Watching(Struct, frozen=True, kw_only=True):
    """The frames are told for so many seconds."""

    seconds: WatchSeconds


class JobStanding(Struct, frozen=True, kw_only=True):
    """What the machine's journal has of a job; `event` is the highest of its events so far, or 0."""

    job_state: str
    slot: Byte
    running: bool
    event: Long


class FirmwareOffset(Struct, frozen=True, kw_only=True):
    """From where on the image is to be carried, also where a piece did not fit (rc OFFSET)."""

    next_offset: FirmwareOffsetBytes


class FirmwareSlots(Struct, frozen=True, kw_only=True):
    """The two slots (a version is empty where no sound image lies), and how much of an image is carried: `crc` is over these `offset` bytes."""

    active: SlotWord
    confirmed: SlotWord
    failed_boots: Byte
    safe_mode: bool
    offset: FirmwareOffsetBytes
    crc: Long
    version_a: str
    version_b: str


class ServiceDone(Struct, frozen=True, kw_only=True):
    """It was done, and there is no more to say."""


class ServiceRefused(Struct, frozen=True, kw_only=True):
    """A refusal says nothing beyond its rc and reason."""


class SelfTestReport(Struct, frozen=True, kw_only=True):
    """What the machine's last self test found, and when (retained on `self-test`); tests that were not asked for are missing."""

    at: Instant
    results: dict[SelfTestWord, TestResultWord]


_SHAPES: dict[type[Struct], type[Struct]] = {
    LockCommand: LockHolder,
    JogCommand: JogPosition,
    WatchCommand: Watching,
    JobQueryCommand: JobStanding,
    FirmwareStatusCommand: FirmwareSlots,
    FirmwareBeginCommand: FirmwareOffset,
    FirmwareDataCommand: FirmwareOffset,
    FirmwareCommitCommand: ServiceDone,
    FirmwareConfirmCommand: ServiceDone,
}
_TOLD_WITH = {LockCommand: "LOCKED", FirmwareDataCommand: "OFFSET"}
ServiceData = (
    LockHolder | JogPosition | Watching | JobStanding | FirmwareSlots | FirmwareOffset | ServiceDone | ServiceRefused
    | dict[SelfTestWord, TestResultWord]
)  # fmt: skip

_COMMANDS: msgspec.json.Decoder[ServiceCommand] = msgspec.json.Decoder(ServiceCommand)
_EVENTS = msgspec.json.Decoder(ServiceEvent)
_SELF_TESTS = msgspec.json.Decoder(SelfTestReport)


def decode_service_command(message: bytes) -> ServiceCommand:
    """Return the service command in `message`; raise ContractError."""
    return read(_COMMANDS, message)


def decode_service_event(message: bytes) -> ServiceEvent:
    """Return the answer in `message`; raise ContractError. Its data are read by `service_data`."""
    return read(_EVENTS, message)


def decode_self_test(message: bytes) -> SelfTestReport:
    """Return the last self test in a message of `self-test`; raise ContractError."""
    return read(_SELF_TESTS, message)


def service_data(answer: ServiceEvent, command: ServiceCommand) -> ServiceData:
    """Return the typed data of the answer to `command`; raise ContractError."""
    try:
        if answer.rc not in {"OK", _TOLD_WITH.get(type(command), "OK")}:
            return ServiceRefused()
        if isinstance(command, SelfTestCommand):
            return msgspec.convert(answer.data, dict[SelfTestWord, TestResultWord])
        return cast(ServiceData, msgspec.convert(answer.data, _SHAPES[type(command)]))
    except msgspec.ValidationError as error:
        raise misfit(error, "$.data") from error
