"""What a machine that speaks MQTT itself holds at most: what finds no room is said and counted, and comes again."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware_bridge.contract import AbortCommand, StatusCommand, encode
from simulators.packager.native import desk as desk_module
from simulators.packager.native import notes as notes_module
from simulators.packager.native.desk import Desk, Now
from simulators.packager.native.notes import Notes
from tests.bridge.orders import later

NOW = Now(0.0, datetime.now(UTC), 0.0)


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notes]:
    monkeypatch.setattr(notes_module, "EVENTS_LIMIT", 4)
    monkeypatch.setattr(desk_module, "WAITING_LIMIT", 3)
    made = Notes(tmp_path / "notes")
    yield made
    made.close()


def abort(number: int, fence: int = 1) -> bytes:
    command = AbortCommand(command=f"c{number}", seq=number, fence=fence, expires_at=later(), job=f"{number:032x}")
    return encode(command)


def come(desk: Desk, message: bytes, fence: int = 1) -> bool:
    """Let a message come; tell whether the command is in hand now."""
    command = desk.read(message, NOW)
    return command is not None and desk.admit(command, message, fence, NOW) is not None


def test_refusals_that_the_hub_does_not_acknowledge_have_a_limit(notes: Notes, capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(notes)
    for number in range(6):
        come(desk, b"garbage %d" % number)
    assert (len(notes.refused), desk.counters["refused"], desk.counters["not_taken"]) == (4, 4, 2)
    said = capsys.readouterr().err.splitlines()
    assert said == ["packager: command '' is not taken: 0 commands wait, and 4 refusals for the hub"] * 2
    assert not come(desk, abort(1)) and not come(desk, abort(2, fence=0))
    assert not notes.knows("c1") and not notes.knows("c2")
    notes.acknowledge(min(notes.refused))
    assert come(desk, abort(1))
    assert not come(desk, abort(2, fence=0))  # the place of c1 is kept for what it may be refused with
    assert desk.counters["not_taken"] == 5


def test_commands_that_wait_have_a_limit_and_a_question_needs_no_room(
    notes: Notes, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk(notes)
    assert [come(desk, abort(number)) for number in range(1, 6)] == [True, True, True, False, False]
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "packager: command 'c4' is not taken: 3 commands wait, and 0 refusals for the hub"
    assert (len(said), desk.counters["not_taken"], desk.queued, notes.knows("c4")) == (2, 2, 3, False)
    status = StatusCommand(command="s", seq=9, fence=1, expires_at=later())
    assert come(desk, encode(status)) and notes.knows("s")
    desk.begin_anew()
    assert not come(desk, abort(4))
    notes.end("c1", at=NOW.told)
    assert come(desk, abort(4))


def test_what_is_not_taken_leaves_its_number_missing(notes: Notes) -> None:
    desk = Desk(notes)
    for number in (1, 2, 3, 4):
        come(desk, abort(number))
    come(desk, encode(StatusCommand(command="s", seq=5, fence=1, expires_at=later())))
    assert desk.counters["seq_gaps"] == 1
    notes.end("c1", at=NOW.told)
    come(desk, abort(4))
    assert desk.counters["seq_gaps"] == 0
