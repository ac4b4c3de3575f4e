"""A watched folder: whole files in order, moved after the commit, with the reason beside what was refused; a crash changes nothing."""

import gzip
import os
from pathlib import Path

import pytest

from hub.adapters.feeds import folder as folder_module
from hub.adapters.feeds.folder import WatchedFolder
from hub.adapters.feeds.held_sheets import HeldSheets, TooManyHeld
from hub.services.feeds import FAILING, HELD, REFUSED
from tests.feeds.feed_world import SOURCE, FeedWorld, csv_sheet


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tmp_path / "inbox"


def watched(fed: FeedWorld, inbox: Path) -> WatchedFolder:
    return WatchedFolder(inbox, fed.desk._folder_door(SOURCE))


def looked_twice(fed: FeedWorld, inbox: Path) -> None:
    watching = watched(fed, inbox)
    watching.work()
    watching.work()


def names(inbox: Path) -> list[str]:
    return sorted(str(path.relative_to(inbox)) for path in inbox.rglob("*") if path.is_file())


def test_a_file_is_taken_once_it_is_the_same_in_two_looks(fed: FeedWorld, inbox: Path) -> None:
    watching = watched(fed, inbox)
    watching.work()
    path = inbox / "day.csv"
    path.write_bytes(csv_sheet("1"))
    watching.work()
    assert fed.orders() == {}
    path.write_bytes(csv_sheet("1", "2"))
    watching.work()
    assert names(inbox) == ["day.csv"]  # it grew between the two looks
    watching.work()
    assert names(inbox) == ["done/day.csv"]
    assert set(fed.orders()) == {"1", "2"}
    assert (fed.feed().name, fed.feed().counts) == ("day.csv", (2,))


def test_files_that_are_being_written_hidden_ones_links_and_folders_are_left(fed: FeedWorld, inbox: Path) -> None:
    inbox.mkdir()
    for name in ("a.csv.tmp", "b.PART", ".c.csv"):
        (inbox / name).write_bytes(csv_sheet("1"))
    (inbox / "sub").mkdir()
    (inbox / "link.csv").symlink_to("/etc/hostname")
    looked_twice(fed, inbox)
    assert names(inbox) == [".c.csv", "a.csv.tmp", "b.PART", "link.csv"]
    assert fed.orders() == {}


def test_a_refused_file_lies_apart_with_the_reason_and_stops_no_other(fed: FeedWorld, inbox: Path) -> None:
    inbox.mkdir()
    (inbox / "1-bad.csv").write_bytes(gzip.compress(csv_sheet("1"))[:-9])
    (inbox / "2-good.csv").write_bytes(csv_sheet("2"))
    watching = watched(fed, inbox)
    watching.work()
    watching.work()
    assert names(inbox) == ["done/2-good.csv", "refused/1-bad.csv", "refused/1-bad.csv.reason.txt"]
    assert (inbox / "refused" / "1-bad.csv.reason.txt").read_text().splitlines() == ["1-bad.csv: the gzip file is truncated.", "1-bad.csv: архив gzip обрывается."]
    assert set(fed.orders()) == {"2"}
    assert fed.alarms() == []  # the good sheet after it answered
    (inbox / "3-bad.csv").write_bytes(b"\x00\x01")
    watching.work()
    watching.work()
    assert fed.kinds() == [REFUSED]
    assert "The file 3-bad.csv of hospital was refused as a whole" in fed.alarms()[0].text
    assert "Файл 3-bad.csv источника hospital отклонён целиком" in fed.alarms()[0].text_ru


def test_the_same_content_twice_changes_nothing_and_both_files_are_kept(fed: FeedWorld, inbox: Path) -> None:
    inbox.mkdir()
    (inbox / "day.csv").write_bytes(csv_sheet("1"))
    looked_twice(fed, inbox)
    orders, entries = fed.orders(), fed.entries()
    (inbox / "day.csv").write_bytes(csv_sheet("1"))
    looked_twice(fed, inbox)
    assert (fed.orders(), fed.entries()) == (orders, entries)
    assert names(inbox) == ["done/day.csv", "done/day.csv.2", "done/day.csv.2.reason.txt"]
    assert "the same content was taken in at" in (inbox / "done" / "day.csv.2.reason.txt").read_text()


def test_a_crash_between_commit_and_move_has_no_second_effect(fed: FeedWorld, inbox: Path) -> None:
    inbox.mkdir()
    (inbox / "day.csv").write_bytes(csv_sheet("1"))
    taker = fed.desk._taker
    taker.take(SOURCE, "day.csv", csv_sheet("1"))  # the commit; the process ends before the file is moved
    orders, entries = fed.orders(), fed.entries()
    looked_twice(fed, inbox)
    assert (fed.orders(), fed.entries()) == (orders, entries)
    assert names(inbox) == ["done/day.csv", "done/day.csv.reason.txt"]


def test_a_crash_between_reason_and_move_leaves_one_of_each(fed: FeedWorld, inbox: Path) -> None:
    (inbox / "refused").mkdir(parents=True)
    (inbox / "refused" / "x.csv.reason.txt").write_text("left behind")
    (inbox / "x.csv").write_bytes(b"\x00")
    looked_twice(fed, inbox)
    assert names(inbox) == ["refused/x.csv", "refused/x.csv.reason.txt"]
    assert "the content is binary" in (inbox / "refused" / "x.csv.reason.txt").read_text()
    assert len(fed.alarms()) == 1


def test_a_file_above_the_limit_is_not_read(fed: FeedWorld, inbox: Path) -> None:
    inbox.mkdir()
    with (inbox / "large.csv").open("wb") as file:
        os.truncate(file.fileno(), 200 * 2**20)
    looked_twice(fed, inbox)
    assert names(inbox) == ["refused/large.csv", "refused/large.csv.reason.txt"]
    assert "209715200 bytes, more than the limit" in fed.alarms()[0].text


def test_a_round_takes_a_limited_number_in_order_of_name(fed: FeedWorld, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "FILES_A_ROUND", 2)
    inbox.mkdir()
    for name in ("c.csv", "a.csv", "b.csv"):
        (inbox / name).write_bytes(csv_sheet(name[0]))
    watching = watched(fed, inbox)
    assert not watching.work()
    assert watching.work()
    assert names(inbox) == ["c.csv", "done/a.csv", "done/b.csv"]
    assert not watching.work()
    assert names(inbox) == ["done/a.csv", "done/b.csv", "done/c.csv"]


def test_a_stump_is_held_with_its_bytes_and_asked_about(fed: FeedWorld, inbox: Path) -> None:
    inbox.mkdir()
    (inbox / "1.csv").write_bytes(csv_sheet("1", "2", "3", "4"))
    (inbox / "2.csv").write_bytes(csv_sheet("1"))
    looked_twice(fed, inbox)
    assert fed.kinds() == [HELD]
    digest = fed.alarms()[0].id.rpartition(":")[2]
    held = fed.desk.held(digest)
    assert held is not None
    assert (held.source, held.name, held.data) == (SOURCE, "2.csv", csv_sheet("1"))
    assert set(fed.orders()) == {"1", "2", "3", "4"}
    assert "2.csv.reason.txt" in " ".join(names(inbox))
    fed.desk.forget(digest)
    assert fed.desk.held(digest) is None


def test_a_folder_that_cannot_be_used_is_an_alarm_until_it_can(fed: FeedWorld, inbox: Path) -> None:
    inbox.write_bytes(b"no folder")
    watching = watched(fed, inbox)
    watching.work()
    watching.work()
    assert fed.kinds() == [FAILING]
    assert "cannot be used" in fed.feed().problem
    inbox.unlink()
    watching.work()
    assert (fed.kinds(), fed.feed().problem) == ([], "")


def test_changes_in_the_folder_are_told_by_their_content(fed: FeedWorld, inbox: Path) -> None:
    inbox.mkdir()
    (inbox / "1.csv").write_bytes(csv_sheet("o1"))
    (inbox / "2").write_bytes(b'{"at": "2026-03-02T06:00:00+03:00", "resource": {"resourceType": "MedicationRequest", "id": "o1", "status": "stopped", "intent": "order", "subject": {"reference": "Patient/W-o1"}}}\n')
    looked_twice(fed, inbox)
    assert fed.orders()["o1"].state.value == "stopped"
    assert fed.feed().counts == (1,)


def test_held_sheets_are_limited_and_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.adapters.feeds.held_sheets.MOST_HELD", 1)
    held = HeldSheets(tmp_path / "held")
    digest = held.keep("a", "x.csv", b"one")
    assert held.keep("a", "x.csv", b"one") == digest
    with pytest.raises(TooManyHeld):
        held.keep("a", "y.csv", b"two")
    assert held.get("../../etc/passwd") is None
    (tmp_path / "held" / f"{digest}.bin").write_bytes(b"other")
    assert held.get(digest) is None
