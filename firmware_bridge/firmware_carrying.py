"""An image on its way into the machine, a few pieces under way at once, resumed from where the machine says; and the steps that are yielded.

A generator yields what is to be done next and is sent what came of it: it has no connection and no clock of its own.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from firmware_bridge.firmware_image import Image
from firmware_bridge.service_contract import (
    FIRMWARE_DATA_LIMIT_BYTES,
    FirmwareBeginCommand,
    FirmwareDataCommand,
    FirmwareSlots,
    ServiceCommand,
    ServiceEvent,
)

PIECES_UNDER_WAY = 4
PIECE_PATIENCE_S = 3.0
STALL_PATIENCE_S = 120.0
PAUSE_S = 1.0
UNANSWERED = "UNANSWERED"
BROKER_AWAY = "BROKER_AWAY"
PASSING = frozenset({"OFFSET", "NOT_AT_ONCE", "NO_ANSWER", "LINK_DOWN", "EXPIRED", UNANSWERED, BROKER_AWAY})

# Makes a command of its id, a fence and the time of its end.
MakeCommand = Callable[[str, int, datetime], ServiceCommand]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Ask:
    """Ask until it is answered: sent the ServiceEvent, with rc UNANSWERED where none came. `phase` is what it is asked for."""

    make: MakeCommand
    phase: str


@dataclass(frozen=True)
class Send:
    """Send a piece once: sent the id of its command."""

    make: MakeCommand


@dataclass(frozen=True)
class Hear:
    """Wait for the next answer to one of these commands: sent the ServiceEvent, or None after `patience_s`."""

    commands: frozenset[str]
    patience_s: float = PIECE_PATIENCE_S


@dataclass(frozen=True)
class Pause:
    """Let a moment pass, `PAUSE_S` seconds."""


@dataclass(frozen=True)
class Boot:
    """Sent the number of the machine's boot as it was last told, or None."""


@dataclass(frozen=True)
class Reached:
    """So many bytes of `whole` lie in the machine."""

    carried: int
    whole: int


@dataclass(frozen=True)
class Said:
    """A sentence for the person who waits."""

    words: str
    is_trouble: bool = False


@dataclass(frozen=True)
class Found:
    """What the machine's self test found."""

    results: dict[str, str]


Step = Ask | Send | Hear | Pause | Boot | Reached | Said | Found | FirmwareSlots


class NotDone(Exception):
    """An update does not go on: `rc` for programs, the message for people."""

    def __init__(self, rc: str, words: str) -> None:
        super().__init__(words)
        self.rc = rc


class _Stalled(Exception):
    """The carrying does not go on; from where on it must, the machine has to say."""


def demand(answer: ServiceEvent) -> None:
    """Raise NotDone where it was not done."""
    if answer.rc != "OK":
        raise NotDone(answer.rc, f"{answer.rc}: {answer.reason}")


def carry(image: Image, clock: Clock, *, restart: bool) -> Generator[Step, Any, None]:
    """Carry the whole image; raise NotDone, also where nothing has moved for two minutes."""
    reached, moved_s = -1, clock()
    while (offset := (yield from _begin(image, clock, restart, moved_s + STALL_PATIENCE_S))) < len(image.data):
        restart = False
        yield Reached(offset, len(image.data))
        if offset > reached:
            reached, moved_s = offset, clock()
        elif clock() > moved_s + STALL_PATIENCE_S:
            words = f"nothing was carried for {STALL_PATIENCE_S:.0f} s: the machine keeps {offset} bytes"
            raise NotDone("NOT_CARRIED", words)
        try:
            yield from _carry_from(image, offset)
        except _Stalled as stalled:
            yield Said(f"carrying is resumed: {stalled}", is_trouble=True)
    yield Reached(offset, len(image.data))


def _begin(image: Image, clock: Clock, restart: bool, until_s: float) -> Generator[Step, Any, int]:
    """Name the image and return from where on it is to be carried; wait for a bridge or link that is away."""
    while True:
        answer: ServiceEvent = yield Ask(_begin_of(image, restart), "carrying")
        if answer.rc == "OK":
            return int(answer.data["next_offset"])
        if answer.rc not in PASSING:
            demand(answer)
        if clock() > until_s:
            raise NotDone("NOT_CARRIED", f"the image could not be carried: {answer.rc}: {answer.reason}")
        yield Pause()


def _carry_from(image: Image, offset: int) -> Generator[Step, Any, None]:
    """Send the pieces from `offset` on, and wait for the answer to each; raise _Stalled or NotDone."""
    under_way: set[str] = set()
    while offset < len(image.data) or under_way:
        while offset < len(image.data) and len(under_way) < PIECES_UNDER_WAY:
            under_way.add((yield Send(_piece_of(image, offset))))
            offset += FIRMWARE_DATA_LIMIT_BYTES
        answer: ServiceEvent | None = yield Hear(frozenset(under_way))
        if answer is None:
            raise _Stalled(f"no answer within {PIECE_PATIENCE_S:.0f} s")
        under_way.remove(answer.command)
        if answer.rc in PASSING:
            raise _Stalled(f"{answer.rc}: {answer.reason}")
        demand(answer)
        yield Reached(int(answer.data["next_offset"]), len(image.data))


def _piece_of(image: Image, offset: int) -> MakeCommand:
    piece = image.data[offset : offset + FIRMWARE_DATA_LIMIT_BYTES]

    def make(command: str, fence: int, expires_at: datetime) -> ServiceCommand:
        return FirmwareDataCommand(
            command=command, fence=fence, expires_at=expires_at, crc=image.crc, offset=offset, data=piece
        )

    return make


def _begin_of(image: Image, restart: bool) -> MakeCommand:
    def make(command: str, fence: int, expires_at: datetime) -> ServiceCommand:
        return FirmwareBeginCommand(
            command=command, fence=fence, expires_at=expires_at, version=image.version, size=len(image.data), crc=image.crc,
            sha256=image.sha256, signature=image.signature, restart=restart,
        )  # fmt: skip

    return make
