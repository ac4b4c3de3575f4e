"""What the engineer's page needs of a machine's bridge: what it tells, its frames while somebody watches, and service acts with one answer.

An act is never kept and done later: it is answered within seconds, or nobody knows and the answer says so.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from hub.domain.refusals import Refusal
from hub.services.firmware_updates import FirmwareAct, Objection, UpdateNews

LockMode = Literal["take", "take-over", "release"]
Motor = Literal["film", "gate", "tray"]
Direction = Literal["back", "forward"]
FieldValue = bool | int | str

NO_BROKER = "This hub was started without a broker: no machine can be heard."


@dataclass(frozen=True, slots=True)
class LockAct:
    """Take the service lock, take it over from whoever has it, or give it back."""

    mode: LockMode
    owner: str


@dataclass(frozen=True, slots=True)
class SelfTestAct:
    """Let the machine make all of its tests."""


@dataclass(frozen=True, slots=True)
class JogAct:
    """Let a motor run `hold_ms` from now (1 to 500)."""

    motor: Motor
    direction: Direction
    hold_ms: int


@dataclass(frozen=True, slots=True)
class WatchAct:
    """Have the frames told for so many seconds (1 to 600); it moves nothing."""

    seconds: int


@dataclass(frozen=True, slots=True)
class JobQueryAct:
    """Ask what the machine's journal has of a job (32 hex digits); it changes nothing."""

    job: str


@dataclass(frozen=True, slots=True)
class FirmwareStatusAct:
    """Ask what lies in both firmware slots; it changes nothing."""


ServiceAct = LockAct | SelfTestAct | JogAct | WatchAct | JobQueryAct | FirmwareStatusAct


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """The answer of docs/mqtt.md, or `BROKER_AWAY` and `UNANSWERED` where none came; `reason` is empty when `rc` is OK."""

    rc: str
    reason: str = ""
    data: Mapping[str, FieldValue] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Tell whether it was done."""
        return self.rc == "OK"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame on the wire, or what came instead of one; `hex` is empty where `withheld` is the SHA-256 of the bytes that are not shown."""

    at_us: int
    direction: str
    octets: int
    hex: str
    type: str = ""
    seq: int = 0
    op: str = ""
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    error: str = ""
    round_trip_us: int | None = None
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """Frames in their order; `dropped` counts those that are missing since the watch began: not told by the bridge, or too many here."""

    frames: tuple[Frame, ...] = ()
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class SelfTestTold:
    """What a machine's last self test found, whoever asked for it, and when by the bridge's clock."""

    at: datetime
    results: Mapping[str, str]


class Viewer(Protocol):
    """One who watches."""

    def take(self) -> Watched:
        """Return the frames since the last `take`; what was more than the buffer holds is counted, the oldest are gone."""


class DeviceService(Protocol):
    """The bridges of a site over the broker."""

    @property
    def changes(self) -> int:
        """A number that grows when what is told here changed."""

    @property
    def trouble(self) -> str:
        """Why nobody can be asked now, as a sentence; empty where the broker is there."""

    def description(self, device: str) -> Mapping[str, Any] | None:
        """Return the `$description` of a device, or None where nobody has told it since this hub started."""

    def self_test(self, device: str) -> SelfTestTold | None:
        """Return the machine's last self test, or None where nobody has told of one."""

    def watching(self, device: str) -> AbstractContextManager[Viewer]:
        """Hear the frames of a device until the block ends; to have them told, ask for a watch."""

    def recorded(self, device: str) -> Watched:
        """Return the frames of the last watch, the newest of them where they were too many."""

    def capture(self, device: str) -> bytes:
        """Return the frames of the last watch as a pcapng file."""

    def read_image(self, data: bytes) -> FirmwareAct | Refusal:
        """Return which firmware a file holds; a file that may not be sent is refused with the reason."""

    def update(self, device: str, data: bytes, event: str, objection: Objection) -> AsyncIterator[UpdateNews]:
        """Bring the image in a file into the machine; the last news says how it ended.

        `objection` is asked before each step that changes or moves something; commands are named after `event`.
        """

    async def ask(self, device: str, act: ServiceAct, command: str) -> ServiceAnswer:
        """Ask once under an id of the sender's making, and wait some seconds for the answer; an id that was asked before moves nothing again."""


class NoBroker:
    """The service of a hub without a broker: nothing is heard, and every act is refused."""

    changes = 0

    def __init__(self, trouble: str = NO_BROKER) -> None:
        self.trouble = trouble

    def description(self, device: str) -> Mapping[str, Any] | None:
        """Return that nothing was told."""
        return None

    def self_test(self, device: str) -> SelfTestTold | None:
        """Return that nothing was told."""
        return None

    def watching(self, device: str) -> AbstractContextManager[Viewer]:
        """Hear nothing."""
        return _Nothing()

    def recorded(self, device: str) -> Watched:
        """Return no frames."""
        return Watched()

    def capture(self, device: str) -> bytes:
        """Return a file without frames: there is none."""
        return b""

    def read_image(self, data: bytes) -> FirmwareAct | Refusal:
        """Refuse: there is nobody to send it to."""
        return Refusal("BROKER_AWAY", self.trouble)

    async def update(self, device: str, data: bytes, event: str, objection: Objection) -> AsyncIterator[UpdateNews]:
        """Refuse."""
        yield UpdateNews(rc="BROKER_AWAY", words=self.trouble)

    async def ask(self, device: str, act: ServiceAct, command: str) -> ServiceAnswer:
        """Refuse."""
        return ServiceAnswer("BROKER_AWAY", self.trouble)


class _Nothing:
    def __enter__(self) -> "_Nothing":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def take(self) -> Watched:
        return Watched()
