"""The hub's numbers of commands, at the bridge and at a machine that speaks MQTT itself: what has not come is counted, what comes late no more."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite

from firmware_bridge import sequence as bridge_sequence
from firmware_bridge.contract import encode
from firmware_bridge.inbox import Inbox
from firmware_bridge.intake import Intake
from firmware_bridge.spool import Spool
from simulators.packager.native.desk import Desk, Now
from simulators.packager.native.notes import Notes, Refusal
from simulators.packager.native.sequence import Sequence as NativeSequence
from tests.bridge.orders import run_command, status_command
from tests.bridge.plant import DEVICE

CASES = [
    ([], 0),
    ([1, 2, 3], 0),
    ([40, 41], 0),  # the first number heard is the beginning
    ([1, 3], 1),
    ([1, 5], 3),
    ([1, 5, 3], 2),
    ([1, 5, 2, 3, 4], 0),  # late is not lost
    ([1, 3, 3, 1], 1),  # repetitions
    ([5, 4, 3], 0),  # before the beginning
    ([1, 4, 9, 3, 10], 5),
    ([1, 2_000_000_000_000], 20_000),  # no more than that are looked back at
    ([1, 3, 20_002], 19_999),  # 2 is the farthest that counts
    ([1, 3, 20_003], 19_999),  # and does not any more
    ([1, 3, 20_003, 4, 2], 19_998),
    ([2, 0, 3], 0),  # one that could not be read has no number
    ([10, 1, 2], 0),  # a hub that counts anew, from the first on
]


def taken(folder: Path, numbers: Sequence[int]) -> Spool:
    spool = Spool(folder / "spool.db")
    intake = Intake(spool, DEVICE, Inbox())
    for place, number in enumerate(numbers):
        told = json.loads(encode(run_command(place + 1)))
        intake.command(json.dumps(told | {"seq": number}).encode())
    return spool


@pytest.mark.parametrize(("numbers", "missing"), CASES)
def test_bridge_counts_what_has_not_come(tmp_path: Path, numbers: list[int], missing: int) -> None:
    spool = taken(tmp_path, numbers)
    assert spool.seq_gaps(DEVICE) == missing
    assert spool.seq_gaps("another") == 0
    spool.close()
    again = Spool(tmp_path / "spool.db")
    assert again.seq_gaps(DEVICE) == missing
    again.close()


@pytest.mark.parametrize(("numbers", "missing"), CASES)
def test_native_machine_counts_the_same(numbers: list[int], missing: int) -> None:
    sequence = NativeSequence()
    for number in numbers:
        sequence.note(number)
    assert sequence.missing == missing


ODD = [2 * place + 1 for place in range(101)]  # 2, 4 .. 200 are missing: as many gaps as are kept
JOINED = [
    (ODD, 100),
    ([*ODD, 203], 102),  # of 2 and 4 one gap was made, and 3 counts with them
    ([*ODD, 203, 3], 102),  # one that comes late in their midst changes nothing
    ([*ODD, 203, 2, 4], 100),
    ([*ODD, 203, 205, 207], 106),
    ([*ODD, 300, 250], 199),  # late ones make gaps too
]


@pytest.mark.parametrize(("numbers", "at_most"), JOINED)
def test_so_many_gaps_are_kept_and_of_more_the_oldest_are_one(tmp_path: Path, numbers: list[int], at_most: int) -> None:
    Spool(tmp_path / "spool.db").close()
    db, sequence = sqlite.connect(str(tmp_path / "spool.db")), NativeSequence()
    for number in numbers:
        bridge_sequence.note(db, DEVICE, number)
        sequence.note(number)
    rows = db.execute("SELECT first, last FROM sequence_gaps ORDER BY first").fetchall()
    assert rows == sequence.gaps and len(rows) <= 100
    assert bridge_sequence.missing(db, DEVICE) == sequence.missing == at_most
    assert at_most >= len(set(range(1, max(numbers))) - set(numbers))
    db.close()


def test_number_of_a_command_that_is_refused_has_come(tmp_path: Path) -> None:
    spool = taken(tmp_path, [1])
    intake = Intake(spool, DEVICE, Inbox())
    spool.raise_fence(DEVICE, 5)
    intake.command(encode(status_command(2)))
    intake.command(b'{"kind": "run", "command": "x", "seq": 3}')
    intake.command(b'{"kind": "run", "command": "y", "seq": true}')
    assert spool.seq_gaps(DEVICE) == 0
    spool.close()


def test_question_may_have_no_number_and_a_command_may_not(tmp_path: Path) -> None:
    spool, notes = taken(tmp_path, [1]), Notes(tmp_path / "notes")
    intake, desk = Intake(spool, DEVICE, Inbox()), Desk(notes)
    now = Now(0.0, datetime.now(UTC), 0.0)
    question = encode(status_command(0))
    intake.command(question)
    read = desk.read(question, now)
    assert read is not None and desk.admit(read, question, 0, now) == read
    assert [waiting.kind for waiting in spool.waiting(DEVICE)] == ["run", "status"]
    unnumbered = json.dumps(json.loads(encode(run_command(2))) | {"seq": 0}).encode()
    intake.command(unnumbered)
    assert desk.read(unnumbered, now) is None
    [event] = spool.pending(DEVICE, 0, 9)
    told = [json.loads(event.message)["data"], *(refused["data"] for refused in notes.refused.values())]
    assert [(data["command"], data["rc"]) for data in told] == [("run-2", "INVALID")] * 2
    assert spool.seq_gaps(DEVICE) == notes.seq_gaps == 0
    spool.close()
    notes.close()


def test_number_that_is_no_number_of_a_hub_is_passed_over(tmp_path: Path) -> None:
    spool = taken(tmp_path, [1, 1 << 70, 2])
    assert (spool.seq_gaps(DEVICE), len(spool.waiting(DEVICE))) == (0, 3)
    spool.close()


def test_notes_of_a_native_machine_outlive_power(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "notes")
    notes.take("a", b"{}", 1)
    notes.take("b", b"{}", 4)
    notes.ask("b")
    notes.end("a", at="now")
    notes.end("c", Refusal("c", None, "INVALID", "why"), at="now", seq=2)
    notes.abort("0f", ["d"], Refusal("d", "0f", "ABORTED", "why"), at="now")
    [first, second] = notes.refused
    assert second == first + 1
    notes.acknowledge(first)
    notes.close()
    again = Notes(tmp_path / "notes")
    assert [*again.waiting] == ["b"] and again.waiting["b"].asked
    assert [again.knows(name) for name in ("a", "b", "c", "d", "e")] == [True, True, True, True, False]
    assert (again.seq_gaps, again.is_aborted("0f"), [*again.refused]) == (1, True, [second])
    again.end("e", Refusal("e", None, "INVALID", "why"), at="now")
    assert max(again.refused) == second + 1
    again.close()


