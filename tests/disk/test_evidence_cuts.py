"""Whenever the power goes, every picture that the ledger names is whole on the disk, unless its removal was under way."""

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite
from sqlalchemy.exc import SQLAlchemyError

from hub.adapters.database import UnsoundDatabase, open_writer
from hub.adapters.evidence import EvidenceFolder
from hub.adapters.ledger_store import entries
from tests.disk.cut_disk import Kind
from tests.disk.evidence_program import REMOVED_EVERY
from tests.disk.hub_program import DATABASE
from tests.disk.judges import Found, HubJudge, Verdict
from tests.disk.power_cuts import Mode, Program, Recording, Tally, cut_many, recorded
from tests.disk.recording import Created, Event, Marked, Synced, working_folder

pytestmark = pytest.mark.skipif(not (shutil.which("cc") or shutil.which("gcc")), reason="the recorder needs a C compiler")
STATES = 25


class EvidenceJudge(HubJudge):
    """Holds the pictures on a disk against what its ledger says of them."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._marks = [event.about if isinstance(event, Marked) and event.word == "acknowledged" else "" for event in events]

    def look(self, folder: Path) -> Found:
        """Read the ledger, and every picture that it names."""
        if not (folder / DATABASE).exists():
            return Found({}, "")
        try:
            with closing(open_writer(folder / DATABASE)) as connection:
                facts = [dict(entry.data) for entry in entries(connection)]
        except (sqlite.Error, UnsoundDatabase, SQLAlchemyError, ValueError) as error:
            return Found({}, f"{type(error).__name__}: {error}")
        return Found({fact["token"]: 1 for fact in facts}, _lost_pictures(folder, facts))

    def verdict(self, found: Found, cut: int) -> Verdict:
        """Count the acknowledged entries that are not there."""
        lost = sum(token not in found.facts for token in self._marks[:cut] if token)
        return Verdict(0 if found.fault else lost, found.fault)


def _lost_pictures(folder: Path, facts: Sequence[dict[str, object]]) -> str:
    """Return which pictures are named and not whole; those kept last before a step that removes may be gone already."""
    evidence = EvidenceFolder(folder)
    named = [(int(str(fact["token"])), list(fact["kept"])) for fact in facts if "kept" in fact]  # type: ignore[call-overload]
    lost = [number for number, digests in named if any(evidence.read(digest) is None for digest in digests)]
    wrong = [number for number in lost if number % REMOVED_EVERY != REMOVED_EVERY - 2]
    return f"pictures of entries {wrong} are not whole" if wrong else ""


EVIDENCE = Program("evidence", "evidence_program", EvidenceJudge, 10)


def cut(recording: Recording, name: str) -> list[Tally]:
    tallies = [Tally(EVIDENCE, Mode.FULL, kind) for kind in Kind]
    for tally in tallies:
        with tempfile.TemporaryDirectory(dir=name) as rebuilt:
            cut_many(recording, STATES, tally, Path(rebuilt))
    return tallies


def unflushed(events: Sequence[Event]) -> list[Event]:
    """Leave out every flush of a picture's content: what a program without `fsync` asks of its disk."""
    pictures = {event.file for event in events if isinstance(event, Created) and event.name.endswith(".part")}
    assert pictures
    return [event for event in events if not (isinstance(event, Synced) and event.file in pictures)]


def test_pictures_are_whole_before_the_entry_that_names_them_and_without_their_flush_they_are_not() -> None:
    with working_folder() as name:
        recording = recorded(EVIDENCE, Mode.FULL, 5, Path(name))
        assert [(tally.lost, tally.corrupt, tally.faults) for tally in cut(recording, name)] == [(0, 0, [])] * len(Kind)
        control = cut(replace(recording, events=unflushed(recording.events)), name)
    assert all(any("pictures of entries" in fault for fault in tally.faults) for tally in control)
