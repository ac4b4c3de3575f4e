"""Judging what is found on a disk after a power cut: opened with the product's own code, then held against what was acknowledged."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Protocol

from pysqlite3 import dbapi2 as sqlite
from sqlalchemy.exc import SQLAlchemyError

from hub.adapters.database import UnsoundDatabase, open_writer
from hub.adapters.ledger_export import verify_database, wrong_balances
from hub.adapters.ledger_store import entries
from tests.disk import hub_program, spool_program
from tests.disk.recording import Event, Marked

ENTRIES_A_DECISION = 2


@dataclass(frozen=True, slots=True)
class Found:
    """What is on a disk: decisions with the number of their entries, or a digest of rows; `fault` is empty where it is sound."""

    facts: Mapping[str, int]
    fault: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many acknowledged facts are not there, and what else is wrong, of which nothing is an empty text; faulty disks are not counted through."""

    lost: int
    fault: str


class Judge(Protocol):
    """Looks at disks and holds what is found against one recorded run."""

    def look(self, folder: Path) -> Found:
        """Open what is in a folder with the product's code, and read it."""

    def verdict(self, found: Found, cut: int) -> Verdict:
        """Judge what was found after the run was cut behind its first `cut` events."""


class HubJudge:
    """Holds a ledger against the decisions: both entries of each or none, chain and balances sound, nothing that was refused."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._acknowledged, self._told = _marks(events, "acknowledged")
        self._sent, self._asked = _marks(events, "sent")
        self._refused = set(_marks(events, "refused")[0])

    def look(self, folder: Path) -> Found:
        """Open the database as the hub's writer does, check it whole, and read the decisions in it."""
        path = folder / hub_program.DATABASE
        try:
            with closing(open_writer(path)) as connection:
                fault = _integrity(connection) or _wrong_books(path)
                tokens = (str(entry.data["token"]) for entry in entries(connection))
                return Found({} if fault else Counter(tokens), fault)
        except (sqlite.Error, UnsoundDatabase, SQLAlchemyError, ValueError) as error:
            return Found({}, f"{type(error).__name__}: {error}")

    def verdict(self, found: Found, cut: int) -> Verdict:
        """Count the acknowledged decisions that are not there."""
        fault = found.fault or self._not_decided(found.facts, cut)
        lost = sum(token not in found.facts for token in self._acknowledged[: self._told[cut]])
        return Verdict(0 if fault else lost, fault)

    def _not_decided(self, facts: Mapping[str, int], cut: int) -> str:
        """Return what is in the ledger and may not be: half a decision, or one that was refused or not sent yet."""
        torn = [token for token, count in facts.items() if count != ENTRIES_A_DECISION]
        invented = facts.keys() - (set(self._sent[: self._asked[cut]]) - self._refused)
        if torn or invented:
            return f"decisions in half: {sorted(torn)}, refused or never sent: {sorted(invented)}"
        return ""


class SpoolJudge:
    """Holds the rows of both spools against those after each call: as after the last acknowledged call, or the one that the cut came into."""

    def __init__(self, events: Sequence[Event]) -> None:
        digests, self._told = _marks(events, "acknowledged")
        numbered = list(enumerate(digests))
        self._last = {digest: number for number, digest in numbered}
        self._first = {digest: number for number, digest in reversed(numbered)}

    def look(self, folder: Path) -> Found:
        """Open the spools as the bridge does, check their file whole, and read all its rows."""
        try:
            with spool_program.opened(folder / spool_program.DATABASE) as spools:
                connection, _ = spools.connections()
                return Found({spool_program.digest(connection): 1}, _integrity(connection))
        except (sqlite.Error, RuntimeError) as error:
            return Found({}, f"{type(error).__name__}: {error}")

    def verdict(self, found: Found, cut: int) -> Verdict:
        """Count the acknowledged calls after the last one that left these rows."""
        if found.fault:
            return Verdict(0, found.fault)
        (digest,) = found.facts
        return Verdict(max(0, self._told[cut] - 1 - self._last.get(digest, cut)), self._never_so(digest, cut))

    def _never_so(self, digest: str, cut: int) -> str:
        """Return what is wrong with rows that the spool did not hold up to the call that the power cut into."""
        if digest not in self._first:
            return "the rows are those of no moment of the run"
        return "the rows are those of a later moment" if self._first[digest] > self._told[cut] else ""


def _integrity(connection: sqlite.Connection) -> str:
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    return "" if found == ["ok"] else "; ".join(found)


def _wrong_books(path: Path) -> str:
    fault = verify_database(path).fault
    if fault is not None:
        return f"the chain: {fault}"
    wrong = list(wrong_balances(path))
    return f"the balances: {wrong}" if wrong else ""


def _marks(events: Sequence[Event], word: str) -> tuple[list[str], list[int]]:
    """Return what the marks of a word are about, and how many of them stand before each cut."""
    hits = [isinstance(event, Marked) and event.word == word for event in events]
    abouts = [event.about for event in events if isinstance(event, Marked) and event.word == word]
    return abouts, list(accumulate(hits, initial=0))
