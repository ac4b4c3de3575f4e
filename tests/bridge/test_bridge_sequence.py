"""The hub's numbers of commands, at the bridge and at a machine that speaks MQTT itself: what has not come is counted, what comes late no more."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from firmware_bridge.contract import encode
from firmware_bridge.inbox import Inbox
from firmware_bridge.intake import Intake
from firmware_bridge.spool import Spool
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
    ([1, 2_000_000_000_000], 1_999_999_999_998),
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


def test_number_of_a_command_that_is_refused_has_come(tmp_path: Path) -> None:
    spool = taken(tmp_path, [1])
    intake = Intake(spool, DEVICE, Inbox())
    spool.raise_fence(DEVICE, 5)
    intake.command(encode(status_command(2)))
    intake.command(b'{"kind": "run", "command": "x", "seq": 3}')
    intake.command(b'{"kind": "run", "command": "y", "seq": true}')
    assert spool.seq_gaps(DEVICE) == 0
    spool.close()


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


