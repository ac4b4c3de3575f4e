"""The commands of `job/cmd` and `svc/cmd`, read from docs/mqtt.md; the numbers in them are those of docs/protocol.md."""

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulators.packager.memory import Drop
from simulators.packager.native.reading import Members, parse

BYTE, WORD, LONG, COUNT = 0xFF, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF
VERDICTS = ("PASS", "FAIL", "LOOK")
LOCK_MODES = ("release", "take", "take-over")
SELF_TESTS = ("memory", "drop-sensor", "film", "print-head", "door", "gate", "reject-bin")
MOTORS = ("film", "gate", "tray")
DIRECTIONS = ("back", "forward")
COMMAND = r"[^\ud800-\udfff]{1,200}"
OWNER = r"[\x21-\x7e](?:[\x20-\x7e]{0,30}[\x21-\x7e])?"

_BEGIN = struct.Struct("<32sHHI")
_DROP = struct.Struct("<BIB")
_ANSWER = struct.Struct("<16sBIIB")


@dataclass(frozen=True, slots=True)
class Head:
    """What each command has; `seq` is 0 where it has none, `expires_at` is in seconds since 1970."""

    command: str
    fence: int
    expires_at: float
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """Make one pouch."""

    head: Head
    job: bytes
    drops: tuple[Drop, ...]
    label: bytes
    width: int
    height: int
    stream: bytes

    @property
    def begin(self) -> bytes:
        """Give the payload of LABEL_BEGIN."""
        return _BEGIN.pack(self.label, self.width, self.height, len(self.stream))

    @property
    def order(self) -> bytes:
        """Give the payload of JOB_RUN."""
        drops = b"".join(_DROP.pack(drop.slot, drop.cassette, drop.count) for drop in self.drops)
        summed = self.label + bytes([len(self.drops)]) + drops
        return self.job + zlib.crc32(summed).to_bytes(4, "little") + summed


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict or a person's count: `value` is what it says of the event (boot, event) of a job."""

    head: Head
    job: bytes
    slot: int
    boot: int
    event: int
    value: int

    @property
    def payload(self) -> bytes:
        """Give the payload of VERDICT or RESOLVE."""
        return _ANSWER.pack(self.job, self.slot, self.boot, self.event, self.value)


class Verdict(Answer):
    """What was found of the pouch at the camera."""


class Resolve(Answer):
    """What a person found to have fallen."""


@dataclass(frozen=True, slots=True)
class Abort:
    """End a job of which nothing has moved."""

    head: Head
    job: bytes


@dataclass(frozen=True, slots=True)
class Status:
    """Tell status and description afresh."""

    head: Head


Command = Run | Verdict | Resolve | Abort | Status


@dataclass(frozen=True, slots=True)
class Service:
    """One request of an engineer: `op` and `payload` of docs/protocol.md; what this machine leaves out has none (`op` 0)."""

    head: Head
    kind: str
    op: int
    payload: bytes


def read_command(message: bytes) -> Command:
    """Read a message of `job/cmd`; raises Misfit."""
    members = Members(parse(message))
    kind = tuple(_COMMANDS)[members.word("kind", tuple(_COMMANDS))]
    least = 0 if kind == "status" else 1  # a question may go out under no number
    return _COMMANDS[kind](members, _head(members, members.whole("seq", least, COUNT)))


def read_service(message: bytes) -> Service:
    """Read a message of `svc/cmd`; raises Misfit."""
    members = Members(parse(message))
    kind = tuple(_SERVICE)[members.word("kind", tuple(_SERVICE))]
    op, payload = _SERVICE[kind](members)
    return Service(_head(members), kind, op, payload)


def _head(members: Members, seq: int = 0) -> Head:
    command = members.text("command", COMMAND)
    return Head(command, members.whole("fence", 0, LONG), members.moment("expires_at"), seq)


def _job(members: Members) -> bytes:
    return bytes.fromhex(members.text("job", "[0-9a-f]{32}"))


def _run(members: Members, head: Head) -> Run:
    label = members.object("label")
    drops = tuple(
        Drop(each.whole("slot", 1, 250), each.whole("cassette", 1, LONG), each.whole("count", 1, BYTE))
        for each in members.objects("slots", 1, 12))
    return Run(head, _job(members), drops, bytes.fromhex(label.text("digest", "[0-9a-f]{64}")),
               label.whole("width", 1, WORD), label.whole("height", 1, 800), label.data("raster", 65536))


def _verdict(members: Members, head: Head) -> Verdict:
    return Verdict(head, _job(members), members.whole("slot", 0, BYTE), *_named(members),
                   1 + members.word("verdict", VERDICTS))


def _resolve(members: Members, head: Head) -> Resolve:
    return Resolve(head, _job(members), members.whole("slot", 0, 11), *_named(members), members.whole("counted", 0, BYTE))


def _named(members: Members) -> tuple[int, int]:
    return members.whole("boot", 0, LONG), members.whole("event", 0, LONG)


_COMMANDS: Mapping[str, Callable[[Members, Head], Command]] = {
    "run": _run, "verdict": _verdict, "resolve": _resolve,
    "abort": lambda members, head: Abort(head, _job(members)), "status": lambda members, head: Status(head),
}


def _lock(members: Members) -> tuple[int, bytes]:
    mode, owner = members.word("mode", LOCK_MODES), members.text("owner", OWNER).encode("ascii")
    return 0x08, bytes([mode, len(owner)]) + owner


def _self_test(members: Members) -> tuple[int, bytes]:
    return 0x0A, bytes([sum(1 << test for test in set(members.words("tests", SELF_TESTS)))])


def _jog(members: Members) -> tuple[int, bytes]:
    motor, direction = 1 + members.word("motor", MOTORS), members.word("direction", DIRECTIONS)
    return 0x09, bytes([motor, direction]) + members.whole("hold_ms", 1, 500).to_bytes(2, "little")


def _left_out(members: Members) -> tuple[int, bytes]:
    return 0, b""


LEFT_OUT = ("watch", "job-query", "firmware-status", "firmware-begin", "firmware-data", "firmware-commit", "firmware-confirm")
_SERVICE: Mapping[str, Callable[[Members], tuple[int, bytes]]] = {
    "lock": _lock, "self-test": _self_test, "jog": _jog, **dict.fromkeys(LEFT_OUT, _left_out),
}
