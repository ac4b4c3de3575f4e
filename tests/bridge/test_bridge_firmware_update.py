"""The rules of a firmware update against a machine of a few lines, in virtual time: what is asked next, whatever is lost."""

import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from firmware_bridge.firmware_carrying import (
    PIECES_UNDER_WAY,
    STALL_PATIENCE_S,
    Ask,
    Boot,
    Found,
    Hear,
    Pause,
    Reached,
    Said,
    Send,
    Step,
)
from firmware_bridge.firmware_image import Image
from firmware_bridge.firmware_update import RESTART_PATIENCE_S, Ended, update
from firmware_bridge.service_contract import (
    FIRMWARE_DATA_LIMIT_BYTES,
    FirmwareBeginCommand,
    FirmwareCommitCommand,
    FirmwareConfirmCommand,
    FirmwareDataCommand,
    FirmwareSlots,
    FirmwareStatusCommand,
    SelfTestCommand,
    ServiceCommand,
    ServiceEvent,
)

IMAGE = Image("1.2.0", "ab" * 64, bytes(range(256)) * 12)
OLD = "1.1.0"


@dataclass
class Machine:
    """Slot A runs the old firmware; what it is told lies in `carried`. `refuses` answers instead of it where it returns an rc."""

    carried: bytes = b""
    boot: int = 4
    trial: str = ""
    kept: str = OLD
    starts: bool = True
    restarts: bool = True
    safe_mode: bool = False
    failed: str = ""
    refuses: Callable[[ServiceCommand], str] = lambda _: ""
    heard: list[ServiceCommand] = field(default_factory=list)

    def answer(self, command: ServiceCommand) -> ServiceEvent | None:
        self.heard.append(command)
        rc = self.refuses(command)
        if rc:
            return None if rc == "SILENT" else ServiceEvent(command=command.command, rc=rc, reason="no", data={})
        rc, data = self._done(command)
        return ServiceEvent(command=command.command, rc=rc, reason="" if rc == "OK" else "no", data=data)

    def _done(self, command: ServiceCommand) -> tuple[str, dict[str, Any]]:
        match command:
            case FirmwareStatusCommand():
                return "OK", self._slots()
            case FirmwareBeginCommand(restart=restart):
                self.carried = b"" if restart else self.carried
                return "OK", {"next_offset": len(self.carried)}
            case FirmwareDataCommand(offset=offset, data=piece):
                if offset != len(self.carried):
                    return "OFFSET", {"next_offset": len(self.carried)}
                self.carried += piece
                return "OK", {"next_offset": len(self.carried)}
            case FirmwareCommitCommand():
                self.boot += self.restarts
                self.trial = IMAGE.version if self.starts else ""
                self.carried = b""
                return "OK", {}
            case SelfTestCommand():
                return "OK", {"memory": "passed", "door": "failed" if self.failed else "passed"}
            case FirmwareConfirmCommand():
                self.kept, self.trial = self.trial, ""
                return "OK", {}
        raise AssertionError(command)

    def _slots(self) -> dict[str, Any]:
        runs_new = self.trial or self.kept == IMAGE.version
        return {
            "active": "B" if runs_new else "A", "confirmed": "A" if self.kept == OLD else "B", "failed_boots": 0,
            "safe_mode": self.safe_mode, "offset": len(self.carried), "crc": zlib.crc32(self.carried), "version_a": OLD,
            "version_b": IMAGE.version if runs_new else "",
        }  # fmt: skip


class Conductor:
    """Does the steps of an update in virtual time, and keeps what they were."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.now_s, self.steps, self.most_under_way = machine, 0.0, list[Step](), 0
        self._answers: deque[ServiceEvent] = deque()
        self._names = 0

    def run(self) -> Ended:
        steps, came = update(IMAGE, lambda: self.now_s), None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as stop:
                ended: Ended = stop.value
                return ended
            self.steps.append(step)
            came = self._do(step)

    def _do(self, step: Step) -> Any:
        match step:
            case Ask(make):
                silence = ServiceEvent(command="", rc="UNANSWERED", reason="nobody answered", data={})
                answer = self.machine.answer(self._command(make))
                self.now_s += 0 if answer is not None else 12
                return answer or silence
            case Send(make):
                command = self._command(make)
                if (answer := self.machine.answer(command)) is not None:
                    self._answers.append(answer)
                return command.command
            case Hear(commands, patience_s):
                self.most_under_way = max(self.most_under_way, len(commands))
                while self._answers:
                    if (answer := self._answers.popleft()).command in commands:
                        return answer
                self.now_s += patience_s
            case Boot():
                return self.machine.boot
            case Pause():
                self.now_s += 1
        return None

    def _command(self, make: Callable[[str, int, datetime], ServiceCommand]) -> ServiceCommand:
        self._names += 1
        return make(f"c-{self._names}", 1, datetime(2026, 3, 2, tzinfo=UTC))

    def said(self) -> list[str]:
        return [step.words for step in self.steps if isinstance(step, Said)]

    def kinds(self) -> list[str]:
        return list(dict.fromkeys(type(command).__name__ for command in self.machine.heard))


def rarely(rc: str, kind: type = FirmwareDataCommand, every: int = 5) -> Callable[[ServiceCommand], str]:
    """Answer with `rc` to each fifth command of a kind."""
    seen = 0

    def refuses(command: ServiceCommand) -> str:
        nonlocal seen
        seen += isinstance(command, kind)
        return rc if isinstance(command, kind) and seen % every == 0 else ""

    return refuses


def test_image_is_carried_whole_a_few_pieces_at_once_then_proven_tested_and_confirmed() -> None:
    conductor = Conductor(Machine())
    assert conductor.run() == Ended("OK", "firmware 1.2.0 is confirmed")
    assert conductor.machine.kept == "1.2.0" and conductor.most_under_way == PIECES_UNDER_WAY
    assert conductor.kinds() == [
        "FirmwareStatusCommand", "FirmwareBeginCommand", "FirmwareDataCommand", "FirmwareCommitCommand", "SelfTestCommand",
        "FirmwareConfirmCommand",
    ]  # fmt: skip
    reached = [step.carried for step in conductor.steps if isinstance(step, Reached)]
    assert reached == sorted(reached) and reached[-1] == len(IMAGE.data)
    assert [step.results for step in conductor.steps if isinstance(step, Found)] == [
        {"memory": "passed", "door": "passed"}
    ]


@pytest.mark.parametrize("rc", ["OFFSET", "NOT_AT_ONCE", "NO_ANSWER", "LINK_DOWN", "EXPIRED", "BROKER_AWAY", "SILENT"])
def test_what_is_lost_on_the_way_is_resumed_from_where_the_machine_says(rc: str) -> None:
    conductor = Conductor(Machine(refuses=rarely(rc)))
    assert conductor.run().rc == "OK"
    assert any("carrying is resumed" in words for words in conductor.said())
    pieces = [command for command in conductor.machine.heard if isinstance(command, FirmwareDataCommand)]
    assert b"".join({piece.offset: piece.data for piece in pieces}.values()) == IMAGE.data
    assert all(piece.offset % FIRMWARE_DATA_LIMIT_BYTES == 0 for piece in pieces)


@pytest.mark.parametrize(("kind", "rc"), [(FirmwareBeginCommand, "BROKER_AWAY"), (FirmwareDataCommand, "SILENT")])
def test_carrying_that_does_not_go_on_ends_after_two_minutes_and_says_why(kind: type, rc: str) -> None:
    conductor = Conductor(Machine(refuses=rarely(rc, kind, every=1)))
    ended = conductor.run()
    assert ended.rc == "NOT_CARRIED"
    assert ("BROKER_AWAY: no" in ended.words) or ("the machine keeps 0 bytes" in ended.words)
    assert STALL_PATIENCE_S < conductor.now_s < 2 * STALL_PATIENCE_S


@pytest.mark.parametrize("rc", ["NOT_LOCKED", "CONFLICT", "INVALID", "FENCED"])
def test_refusal_of_the_machine_ends_it_at_once_with_its_reason(rc: str) -> None:
    conductor = Conductor(Machine(refuses=rarely(rc, FirmwareBeginCommand, every=1)))
    assert conductor.run() == Ended(rc, f"{rc}: no")
    assert conductor.now_s == 0


def test_signature_of_a_stranger_is_not_tried() -> None:
    conductor = Conductor(Machine(refuses=rarely("SIGNATURE", FirmwareCommitCommand, every=1)))
    assert conductor.run() == Ended("SIGNATURE", "SIGNATURE: no")
    assert conductor.machine.kept == OLD and "SelfTestCommand" not in conductor.kinds()


@pytest.mark.parametrize(("carried", "restart"), [(IMAGE.data[:600], False), (b"other firmware", True), (b"", False)])
def test_beginning_that_lies_there_is_gone_on_with_and_other_bytes_are_not(carried: bytes, restart: bool) -> None:
    conductor = Conductor(Machine(carried=carried))
    assert conductor.run().rc == "OK"
    begun = next(command for command in conductor.machine.heard if isinstance(command, FirmwareBeginCommand))
    pieces = [command for command in conductor.machine.heard if isinstance(command, FirmwareDataCommand)]
    assert begun.restart is restart
    assert pieces[0].offset == (len(carried) if not restart else 0)


def test_lost_answer_to_the_proof_is_asked_for_again() -> None:
    conductor = Conductor(Machine(refuses=rarely("NO_ANSWER", FirmwareStatusCommand, every=2)))
    assert conductor.run().rc == "OK", "a machine that restarts is asked until it answers"
    proofs = 0

    def once(command: ServiceCommand) -> str:
        nonlocal proofs
        proofs += isinstance(command, FirmwareCommitCommand)
        return "NO_ANSWER" if isinstance(command, FirmwareCommitCommand) and proofs == 1 else ""

    again = Conductor(Machine(refuses=once))
    assert again.run().rc == "OK" and proofs == 2


@pytest.mark.parametrize(
    ("changes", "rc", "words"),
    [
        ({"starts": False}, "ROLLED_BACK", "rolled back: the machine runs 1.1.0 and not 1.2.0"),
        ({"safe_mode": True}, "SAFE_MODE", "neither slot holds a sound image"),
        ({"restarts": False}, "NO_RESTART", f"within {RESTART_PATIENCE_S:.0f} s: look at it"),
        ({"failed": "door"}, "NOT_CONFIRMED", "failed: door; firmware 1.2.0 is not confirmed"),
    ],
)
def test_what_is_not_sound_is_not_confirmed(changes: dict[str, Any], rc: str, words: str) -> None:
    conductor = Conductor(Machine(**changes))
    ended = conductor.run()
    assert ended.rc == rc and words in ended.words
    assert "FirmwareConfirmCommand" not in conductor.kinds() and conductor.machine.kept == OLD


def test_trial_that_was_left_is_only_tested_and_confirmed() -> None:
    conductor = Conductor(Machine(trial="1.2.0"))
    assert conductor.run().rc == "OK"
    assert conductor.kinds() == ["FirmwareStatusCommand", "SelfTestCommand", "FirmwareConfirmCommand"]
    assert [step for step in conductor.steps if isinstance(step, FirmwareSlots)]
