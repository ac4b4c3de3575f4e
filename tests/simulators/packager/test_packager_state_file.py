"""The state file on a real disk, and the pace of the line."""

from pathlib import Path

import pytest

from simulators.packager.journal import Extent, Journal, JournalInUse, Step
from simulators.packager.line import Pace

STEPS = [Step(1, 0, 2, evt, bytes(range(8)), 99) for evt in range(5)]


def test_what_was_appended_is_read_back_and_a_torn_end_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "state"
    journal = Journal(path, fsync=True)
    journal.append(STEPS[:2])
    journal.append([Extent(4, b"x" * 1000)])
    journal.close()
    with path.open("ab") as file:
        file.write(STEPS[2].encode()[:-1])
    journal = Journal(path)
    assert journal.load() == [*STEPS[:2], Extent(4, b"x" * 1000)]
    assert journal.size == path.stat().st_size
    journal.append([STEPS[3]])
    assert journal.load()[-1] == STEPS[3]
    journal.close()


def test_a_log_is_replaced_as_a_whole_and_stays_locked(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state")
    journal.append(STEPS)
    journal.rewrite([Extent(1, b"all")])
    journal.append(STEPS[:1])
    assert journal.load() == [Extent(1, b"all"), STEPS[0]]
    with pytest.raises(JournalInUse):
        Journal(tmp_path / "state")
    journal.close()
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_bytes_arrive_when_a_uart_would_have_carried_them() -> None:
    pace = Pace(100.0)
    pace.push(bytes(50), 10.0)
    pace.push(bytes(25), 10.1)
    assert (pace.due, pace.take(10.49)) == (10.5, b"")
    assert len(pace.take(10.5)) == 50
    assert (pace.due, len(pace.take(11.0)), pace.due) == (10.75, 25, None)
    pace.push(bytes(100), 20.0)
    assert pace.due == 21.0


def test_without_a_pace_bytes_arrive_at_once_and_a_line_nobody_reads_loses_them() -> None:
    pace = Pace(None, limit=100)
    pace.push(b"a" * 60, 1.0)
    pace.push(b"b" * 60, 1.0)
    assert pace.take(1.0) == b"a" * 60
