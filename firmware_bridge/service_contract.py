"""The service commands and answers of docs/mqtt.md as types: apart from the jobs', so that a broker may grant them to other users.

Nothing here is ever kept and done later: a motor that moves because of an old message is what hurts a hand.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from firmware_bridge.contract import CommandId, Instant, Long, misfit, read

OwnerName = Annotated[str, Meta(pattern=r"^[\x21-\x7e](?:[\x20-\x7e]{0,30}[\x21-\x7e])?$")]
HoldMilliseconds = Annotated[int, Meta(ge=1, le=500)]
WatchSeconds = Annotated[int, Meta(ge=1, le=600)]
SelfTestWord = Literal["memory", "drop-sensor", "film", "print-head", "door", "gate", "reject-bin"]
TestResultWord = Literal["passed", "failed", "not-fitted"]


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


MachineCommand = LockCommand | SelfTestCommand | JogCommand
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


class ServiceRefused(Struct, frozen=True, kw_only=True):
    """A refusal says nothing beyond its rc and reason."""


ServiceData = LockHolder | JogPosition | Watching | ServiceRefused | dict[SelfTestWord, TestResultWord]

_COMMANDS: msgspec.json.Decoder[ServiceCommand] = msgspec.json.Decoder(ServiceCommand)
_EVENTS = msgspec.json.Decoder(ServiceEvent)


def decode_service_command(message: bytes) -> ServiceCommand:
    """Return the service command in `message`; raise ContractError."""
    return read(_COMMANDS, message)


def decode_service_event(message: bytes) -> ServiceEvent:
    """Return the answer in `message`; raise ContractError. Its data are read by `service_data`."""
    return read(_EVENTS, message)


def service_data(answer: ServiceEvent, command: ServiceCommand) -> ServiceData:
    """Return the typed data of the answer to `command`; raise ContractError."""
    try:
        if isinstance(command, LockCommand) and answer.rc in {"OK", "LOCKED"}:
            return msgspec.convert(answer.data, LockHolder)
        if answer.rc != "OK":
            return ServiceRefused()
        if isinstance(command, JogCommand):
            return msgspec.convert(answer.data, JogPosition)
        if isinstance(command, WatchCommand):
            return msgspec.convert(answer.data, Watching)
        return msgspec.convert(answer.data, dict[SelfTestWord, TestResultWord])
    except msgspec.ValidationError as error:
        raise misfit(error, "$.data") from error
