"""What the printer remembers without power: each command once, what was begun, and outcomes until they are acknowledged."""

import json
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

OPEN_LIMIT = 200
KEPT = 20_000

_TABLES = """
CREATE TABLE IF NOT EXISTS labels (
    number INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT UNIQUE NOT NULL, process_id TEXT NOT NULL, data BLOB NOT NULL,
    expires_at REAL NOT NULL, begun INTEGER NOT NULL DEFAULT 0, outcome TEXT, told INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS fence (one INTEGER PRIMARY KEY CHECK (one = 1), highest INTEGER NOT NULL);
INSERT OR IGNORE INTO fence VALUES (1, 0);
"""


class Taken(Enum):
    """What became of an order that came: it is new, was known, or there is no room for it."""

    NEW = auto()
    KNOWN = auto()
    FULL = auto()


@dataclass(frozen=True, slots=True)
class Order:
    """One label as it was ordered; `expires_at` is in seconds since 1970."""

    command: str
    process_id: bytes
    data: bytes
    expires_at: float


class Memory:
    """The flash: every change is on the disk when a method returns; safe between threads."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._store = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._store.execute("PRAGMA synchronous = FULL")
        self._store.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._store.close()

    def take(self, order: Order, outcome: Mapping[str, Any] | None = None) -> Taken:
        """Note a new order, refused at once where it has an outcome; a known one is told again."""
        with self._lock:
            if self._store.execute("UPDATE labels SET told = 0 WHERE command = ?", (order.command,)).rowcount:
                return Taken.KNOWN
            (held,) = self._store.execute("SELECT count(*) FROM labels WHERE told = 0").fetchone()
            if held >= OPEN_LIMIT:
                return Taken.FULL
            self._store.execute(
                "INSERT INTO labels (command, process_id, data, expires_at, outcome) VALUES (?, ?, ?, ?, ?)",
                (order.command, order.process_id.decode(), order.data, order.expires_at, _text(outcome)))
            return Taken.NEW

    def next(self, *, begun: bool) -> Order | None:
        """Give the oldest order without an outcome: one that waits, or one that was begun before the power went."""
        with self._lock:
            row = self._store.execute(
                "SELECT command, process_id, data, expires_at FROM labels WHERE told = 0 AND outcome IS NULL"
                " AND begun = ? ORDER BY number LIMIT 1", (begun,)).fetchone()
        return None if row is None else Order(row[0], row[1].encode(), bytes(row[2]), row[3])

    def waiting(self) -> int:
        """Count the orders without an outcome."""
        with self._lock:
            (count,) = self._store.execute("SELECT count(*) FROM labels WHERE told = 0 AND outcome IS NULL").fetchone()
        return int(count)

    def last_attempt(self) -> str:
        """Give the kind of the last outcome that was no refusal, empty for none."""
        with self._lock:
            row = self._store.execute(
                "SELECT json_extract(outcome, '$.kind') AS kind FROM labels WHERE kind <> 'refused'"
                " ORDER BY number DESC LIMIT 1").fetchone()
        return "" if row is None else str(row[0])

    def begin(self, order: Order) -> None:
        """Note that dots may come from now on."""
        self._change("UPDATE labels SET begun = 1 WHERE command = ?", order.command)

    def end(self, order: Order, outcome: Mapping[str, Any]) -> None:
        """Note what became of an order."""
        self._change("UPDATE labels SET outcome = ?, data = x'' WHERE command = ?", _text(outcome), order.command)

    def untold(self) -> list[dict[str, Any]]:
        """Give the outcomes that nobody has acknowledged, the oldest first."""
        with self._lock:
            rows = self._store.execute(
                "SELECT outcome FROM labels WHERE told = 0 AND outcome IS NOT NULL ORDER BY number").fetchall()
        return [json.loads(row[0]) for row in rows]

    def acknowledged(self, command: str) -> None:
        """Tell an outcome no more; of very many orders the oldest are forgotten."""
        self._change("UPDATE labels SET told = 1 WHERE command = ? AND outcome IS NOT NULL", command)
        self._change("DELETE FROM labels WHERE told = 1 AND number <= (SELECT max(number) FROM labels) - ?", KEPT)

    def raise_fence(self, fence: int) -> int:
        """Keep the highest fence ever seen; give it."""
        self._change("UPDATE fence SET highest = max(highest, ?)", fence)
        with self._lock:
            (highest,) = self._store.execute("SELECT highest FROM fence").fetchone()
        return int(highest)

    def _change(self, statement: str, *values: object) -> None:
        with self._lock:
            self._store.execute(statement, values)


def _text(outcome: Mapping[str, Any] | None) -> str | None:
    return None if outcome is None else json.dumps(outcome)
