"""The durable memory of prints: a command once, whatever happens to the process, and no store without an end."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware_bridge import printer_spool
from firmware_bridge.print_contract import OutcomeWord, PrintEvent
from firmware_bridge.printer_spool import OPEN_PRINTS_LIMIT, PrintSpool
from firmware_bridge.spool import Spool
from firmware_bridge.spool_file import SpoolFull
from tests.bridge.printer_desk import PRINTER, print_command


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[PrintSpool]:
    made = PrintSpool(tmp_path / "spool.db")
    yield made
    made.close()


def outcome(command: str, kind: OutcomeWord = "printed") -> PrintEvent:
    return PrintEvent(command=command, kind=kind, rc="OK", reason="", at=datetime(2026, 11, 22, 8, 30, tzinfo=UTC))


def work_off(spool: PrintSpool, name: str) -> None:
    waiting = spool.waiting(PRINTER)
    assert waiting is not None and waiting.command.command == name
    spool.begin(waiting)
    spool.finish(waiting, outcome(name))


def test_prints_are_given_in_their_order_and_whole(spool: PrintSpool) -> None:
    commands = [print_command(name) for name in "abc"]
    assert all(spool.take(PRINTER, command) for command in commands)
    assert spool.queued(PRINTER) == 3
    for command in commands:
        waiting = spool.waiting(PRINTER)
        assert waiting is not None and waiting.command == command
        work_off(spool, command.command)
    assert spool.waiting(PRINTER) is None
    assert spool.untold(PRINTER, 100) == [outcome("a"), outcome("b"), outcome("c")]
    assert spool.untold(PRINTER, 2) == [outcome("a"), outcome("b")]


def test_known_command_is_not_taken_again_but_told_again(spool: PrintSpool) -> None:
    spool.take(PRINTER, print_command("a"))
    assert not spool.take(PRINTER, print_command("a"))
    work_off(spool, "a")
    spool.acknowledge(PRINTER, "a")
    assert spool.untold(PRINTER, 100) == []
    assert not spool.take(PRINTER, print_command("a"))
    assert not spool.take_refused(PRINTER, outcome("a", "refused"))
    assert spool.waiting(PRINTER) is None
    assert spool.untold(PRINTER, 100) == [outcome("a")]


def test_acknowledgement_before_the_outcome_forgets_nothing(spool: PrintSpool) -> None:
    spool.take(PRINTER, print_command("a"))
    spool.acknowledge(PRINTER, "a")
    spool.acknowledge(PRINTER, "never heard of")
    work_off(spool, "a")
    assert spool.untold(PRINTER, 100) == [outcome("a")]


def test_what_was_begun_is_known_after_a_crash_and_waits_no_more(tmp_path: Path) -> None:
    before = PrintSpool(tmp_path / "spool.db")
    before.take(PRINTER, print_command("a"))
    before.take(PRINTER, print_command("b"))
    begun = before.waiting(PRINTER)
    assert begun is not None
    before.begin(begun)  # and the power goes: nothing of it is closed in order
    after = PrintSpool(tmp_path / "spool.db")
    found, waiting = after.begun(PRINTER), after.waiting(PRINTER)
    assert found is not None and found.command.command == "a"
    assert waiting is not None and waiting.command.command == "b"
    after.close()
    before.close()


def test_printers_do_not_see_each_other(spool: PrintSpool) -> None:
    spool.take(PRINTER, print_command("a"))
    assert spool.take("printer-2", print_command("a"))
    work_off(spool, "a")
    assert spool.untold("printer-2", 100) == []
    assert spool.queued("printer-2") == 1
    spool.raise_fence("printer-2", 5)
    assert spool.fence(PRINTER) == 0


def test_fence_only_rises(spool: PrintSpool) -> None:
    for fence in (3, 2, 0):
        spool.raise_fence(PRINTER, fence)
    assert spool.fence(PRINTER) == 3


def test_full_spool_takes_nothing_until_outcomes_are_acknowledged(spool: PrintSpool) -> None:
    for number in range(OPEN_PRINTS_LIMIT):
        spool.take(PRINTER, print_command(f"a{number}"))
    with pytest.raises(SpoolFull):
        spool.take(PRINTER, print_command("one more"))
    with pytest.raises(SpoolFull):
        spool.take_refused(PRINTER, outcome("one more", "refused"))
    work_off(spool, "a0")
    spool.acknowledge(PRINTER, "a0")
    assert spool.take(PRINTER, print_command("one more"))


def test_only_the_oldest_acknowledged_prints_are_forgotten(spool: PrintSpool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printer_spool, "TOLD_PRINTS_KEPT", 2)
    for name in ("a", "b", "c", "d"):
        spool.take(PRINTER, print_command(name))
        work_off(spool, name)
    for name in ("b", "c", "d"):
        spool.acknowledge(PRINTER, name)
    assert spool.untold(PRINTER, 100) == [outcome("a")]
    assert not spool.take(PRINTER, print_command("c"))
    assert spool.take(PRINTER, print_command("b"))


def test_prints_lie_in_the_file_of_the_machines_spool_beside_its_tables(tmp_path: Path) -> None:
    machines, prints = Spool(tmp_path / "spool.db"), PrintSpool(tmp_path / "spool.db")
    machines.raise_fence(PRINTER, 9)
    prints.take(PRINTER, print_command("a"))
    assert prints.fence(PRINTER) == 0
    assert prints.queued(PRINTER) == 1
    prints.close()
    machines.close()
