"""The parts of the crash runs: the ward, where a process is started again, the tray that is matter, and what counts as proven."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from hub.demo.plant import pinned
from simulators.printer.paper import Paper
from simulators.truth import Truth
from tests.crashes.__main__ import is_proven, median
from tests.crashes.crasher import Answered, Toll
from tests.crashes.printer import KeptTray
from tests.crashes.run import CrashedDay, story_of
from tests.crashes.ward import copied, first_of

SHEET = "a;b;c;code;name;drug\n;;;P1;Ann;x\n;;;P1;Ann;y\n;;;P2;Bob;x\n"


def test_a_ward_of_copies_has_as_many_patients_under_other_codes() -> None:
    rows = [row.split(";")[3:5] for row in copied(SHEET, 2).splitlines()[1:]]
    assert rows == [["P1", "Ann"], ["P1", "Ann"], ["P2", "Bob"], ["P1-1", "Ann 2"], ["P1-1", "Ann 2"], ["P2-1", "Bob 2"]]


def test_a_small_ward_has_the_first_patients_with_all_their_lines() -> None:
    assert first_of(SHEET, 1).splitlines()[1:] == [";;;P1;Ann;x", ";;;P1;Ann;y"]


def test_a_process_is_started_again_where_it_was() -> None:
    printer = ["sim", "--tcp", "127.0.0.1:0", "--control", "127.0.0.1:0", "--seed", "1"]
    told = {"printer": "tcp://127.0.0.1:9101", "control": "http://127.0.0.1:9102"}
    assert pinned(printer, told) == ["sim", "--tcp", "127.0.0.1:9101", "--control", "127.0.0.1:9102", "--seed", "1"]
    assert pinned(pinned(printer, told), told) == pinned(printer, told)


def test_a_hub_is_started_again_with_its_clock_where_it_stood() -> None:
    hub = ["hub", "--port", "0", "--stepped-from", "2026-03-05T06:00:00+03:00"]
    again = pinned(hub, {"url": "http://127.0.0.1:9103"}, datetime.fromisoformat("2026-03-05T09:30:00+03:00"))
    assert again == ["hub", "--port", "9103", "--stepped-from", "2026-03-05T09:30:00+03:00"]


def test_labels_that_nobody_took_lie_in_the_tray_of_the_next_process(tmp_path: Path) -> None:
    truth_file = tmp_path / "printer.truth.ndjson"
    truth_file.write_text("".join(json.dumps({"what": "label-printed", "label": f"L{number:06d}"}) + "\n" for number in (1, 2)))
    assert names(tmp_path, truth_file) == ["L000001", "L000002"]
    assert names(tmp_path, truth_file) == []
    with truth_file.open("a") as truth:
        truth.write(json.dumps({"what": "label-printed", "label": "L000003"}) + "\n")
    assert names(tmp_path, truth_file) == ["L000003"]


def names(paper: Path, truth_file: Path) -> list[str]:
    """Return the labels that are taken out of the tray of a process that has just begun."""
    with Truth(None) as truth:
        tray = KeptTray(paper, truth_file, Paper(paper), truth, speed=None, seed=1, faults="none")
        return [label.name for label in tray.take()]


@pytest.mark.parametrize(
    ("days", "proven"),
    [
        ([CrashedDay(Toll([Answered("hub", 1.0, True)] * 3))], True),
        ([CrashedDay(Toll([Answered("hub", 1.0, True)] * 2))], False),
        ([CrashedDay(Toll([Answered("hub", 1.0, True)] * 3), lost=1)], False),
        ([CrashedDay(Toll([Answered("hub", 1.0, True)] * 3), doubled=1)], False),
        ([CrashedDay(Toll([Answered("hub", 1.0, True)] * 3), wrong=["the day broke off"])], False),
    ],
)
def test_a_run_is_proven_by_enough_kills_and_nothing_wrong(days: Sequence[CrashedDay], proven: bool) -> None:
    assert is_proven(days, 3) is proven


def test_the_middle_of_so_many_seconds() -> None:
    assert [median([]), median([2.0]), median([3.0, 1.0, 2.0])] == [0.0, 2.0, 2.0]


def test_the_story_of_a_dose_has_what_befell_it_its_pack_and_its_job() -> None:
    told = [("dose-planned", {"dose": "d"}), ("pack-expected", {"pack": "p", "doses": ["d", "e"]}), ("job-queued", {"job": "j", "pack": "p"})]
    entries = [{"at": "2026-03-05T09:30:00+03:00", "kind": kind, "data": data} for kind, data in (*told, ("dose-planned", {"dose": "f"}))]
    assert story_of(entries, "d") == "dose d, packs ['p']: 09:30:00 dose-planned, 09:30:00 pack-expected, 09:30:00 job-queued"
