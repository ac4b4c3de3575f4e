"""Whatever the disk had written when the power went, what was acknowledged is there; `make power-cuts` runs many more states."""

import random
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite

from hub.adapters.ledger_export import verify_export
from tests.disk.__main__ import all_tallies, is_proven
from tests.disk.cut_disk import Disk, Files, Kind
from tests.disk.export_program import EXPORT
from tests.disk.hub_program import DATABASE
from tests.disk.judges import Found, HubJudge
from tests.disk.power_cuts import HUB, SPOOL, Mode, RecorderBlind, Tally, check_replay, cut_many, recorded
from tests.disk.recording import (
    Created,
    Event,
    FolderSynced,
    Marked,
    Removed,
    Renamed,
    Resized,
    Synced,
    Wrote,
    record,
    working_folder,
)

needs_a_compiler = pytest.mark.skipif(not (shutil.which("cc") or shutil.which("gcc")), reason="the recorder needs a C compiler")

KEPT, LATER = b"k" * 1024, b"l" * 1024


def _cut_often(kind: Kind, events: Sequence[Event]) -> list[Files]:
    disk, chooser = Disk(kind), random.Random(3)
    for event in events:
        disk.follow(event)
    return [disk.cut(chooser) for _ in range(200)]


def _names(kind: Kind, events: Sequence[Event]) -> set[frozenset[str]]:
    return {frozenset(files) for files in _cut_often(kind, events)}


@needs_a_compiler
def test_nothing_acknowledged_is_lost_at_full_and_every_control_is_harmed() -> None:
    tallies = list(all_tallies(states=400, seed=7))
    assert [tally.faults for tally in tallies if tally.mode is Mode.FULL] == [[], [], [], []]
    assert is_proven(tallies)


def test_a_proof_needs_unharmed_states_at_full_and_harm_in_every_control() -> None:
    full, normal, lying = (Tally(HUB, mode, Kind.STRICT, states=1) for mode in Mode)
    normal.lost, lying.corrupt = 1, 1
    assert is_proven([full, normal, lying])
    assert not is_proven([full, replace(normal, lost=0), lying])
    assert not is_proven([full, normal, replace(lying, corrupt=0)])
    assert not is_proven([replace(full, lost=1), normal, lying])
    assert not is_proven([replace(full, corrupt=1), normal, lying])
    assert not is_proven([normal, lying]) and not is_proven([full]) and not is_proven([])


@needs_a_compiler
def test_without_the_folder_s_syncs_a_strict_disk_loses_and_an_ordered_one_does_not() -> None:
    tallies = [Tally(SPOOL, Mode.FULL, kind) for kind in Kind]
    with working_folder() as name:
        recording = recorded(SPOOL, Mode.FULL, 1, Path(name))
        unsynced = replace(recording, events=[event for event in recording.events if not isinstance(event, FolderSynced)])
        for tally in tallies:
            with tempfile.TemporaryDirectory(dir=name) as rebuilt:
                cut_many(unsynced, 60, tally, Path(rebuilt))
    assert [(tally.kind, tally.lost > 0) for tally in tallies] == [(Kind.STRICT, True), (Kind.ORDERED, False)]


@needs_a_compiler
def test_damage_a_lost_decision_one_in_half_and_a_refused_one_are_seen() -> None:
    with working_folder() as name:
        recording = recorded(HUB, Mode.FULL, 1, Path(name))
        judge, disk, end = HubJudge(recording.events), Path(name) / "disk", len(recording.events)
        found = judge.look(disk)
        assert judge.verdict(found, end).lost == 0 and not judge.verdict(found, end).fault
        assert "never sent" in judge.verdict(found, 0).fault
        refused = next(event.about for event in recording.events if isinstance(event, Marked) and event.word == "refused")
        assert f"sent: ['{refused}']" in judge.verdict(Found({**found.facts, refused: 2}, ""), end).fault
        assert "half: ['0']" in judge.verdict(Found({**found.facts, "0": 1}, ""), end).fault
        _forget_balances(disk / DATABASE)
        assert "balances" in judge.look(disk).fault
        (disk / DATABASE).write_bytes((disk / DATABASE).read_bytes()[: 4096 * 3])
        assert judge.look(disk).fault
        (disk / DATABASE).unlink()
        assert judge.verdict(judge.look(disk), end).lost > 0


def _forget_balances(path: Path) -> None:
    connection = sqlite.connect(str(path))
    connection.execute("DELETE FROM balances")
    connection.commit()
    connection.close()


@needs_a_compiler
def test_an_export_under_its_name_is_whole_on_every_disk() -> None:
    with working_folder() as name:
        events = record("export_program", [], Path(name))
        check_replay(events, Path(name) / "disk")
        found = [_export_found(kind, events, Path(name) / "found") for kind in Kind]
    assert found == [{"missing", "entries 20", "entries 38"}] * len(Kind)


def _export_found(kind: Kind, events: Sequence[Event], path: Path) -> set[str]:
    disk, chooser, found = Disk(kind), random.Random(4), set()
    for event in events:
        disk.follow(event)
        content = disk.cut(chooser).get(EXPORT)
        if content is None:
            found.add("missing")
            continue
        path.write_bytes(content)
        told = verify_export(path)
        found.add(f"entries {told.entries}" if told.fault is None else f"fault {told.fault}")
    return found


def test_what_was_synced_is_there_and_later_writes_may_be_torn_at_sectors() -> None:
    start: list[Event] = [Created(1, "a"), Wrote(1, 0, KEPT), Synced(1), FolderSynced()]
    assert all(files == {"a": KEPT} for files in _cut_often(Kind.STRICT, start))
    found = {bytes(files["a"]) for files in _cut_often(Kind.STRICT, [*start, Wrote(1, 0, LATER)])}
    halves = {KEPT[:512] + LATER[512:], LATER[:512] + KEPT[512:]}
    assert found == {KEPT, LATER, *halves}


def test_later_writes_survive_in_any_subset_and_holes_read_as_zeros() -> None:
    events: list[Event] = [Created(1, "a"), FolderSynced(), Wrote(1, 0, b"x"), Wrote(1, 1, b"y"), Resized(1, 1)]
    found = {bytes(files["a"]) for files in _cut_often(Kind.STRICT, events)}
    assert found == {b"", b"\0", b"x", b"xy", b"\0y"}


def test_names_wait_for_the_folder_on_a_strict_disk_and_keep_their_order_on_an_ordered_one() -> None:
    events: list[Event] = [Created(1, "a"), Created(2, "b"), Removed("a")]
    assert _names(Kind.STRICT, events) == {frozenset(names) for names in ("", "a", "b", "ab")}
    assert _names(Kind.ORDERED, events) == {frozenset(names) for names in ("", "a", "ab", "b")}
    assert _names(Kind.STRICT, [*events, Synced(2)]) == _names(Kind.STRICT, events)
    assert _names(Kind.ORDERED, [*events, Synced(2)]) == _names(Kind.STRICT, [*events, FolderSynced()]) == {frozenset("b")}


def test_a_changed_name_is_the_old_or_the_new_one() -> None:
    events: list[Event] = [Created(1, "a"), FolderSynced(), Renamed("a", "b")]
    assert _names(Kind.STRICT, events) == _names(Kind.ORDERED, events) == {frozenset("a"), frozenset("b")}


def test_a_write_past_the_recorder_is_found(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"xy")
    check_replay([Created(1, "a"), Wrote(1, 0, b"xy")], tmp_path)
    with pytest.raises(RecorderBlind):
        check_replay([Created(1, "a"), Wrote(1, 0, b"x")], tmp_path)
