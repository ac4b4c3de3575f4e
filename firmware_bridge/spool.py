"""The bridge's durable memory: commands of the hub, events it has not acknowledged, where each machine's events stand.

A command is here before MQTT is acknowledged, an event before the firmware is. A full spool takes nothing: the hub sends again, the
machine holds its events and then refuses jobs.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

from pysqlite3 import dbapi2 as sqlite

from firmware_bridge import sequence
from firmware_bridge.contract import BridgeEvent, EventAck, encode
from firmware_bridge.spool_file import SpoolFile, SpoolFull

WAITING_COMMANDS_LIMIT = 1000
DONE_COMMANDS_KEPT = 20_000
ABORTED_JOBS_KEPT = 20_000
EVENTS_LIMIT = 20_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS commands (
    id INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, command TEXT NOT NULL, kind TEXT NOT NULL, job TEXT,
    expires_at_s REAL NOT NULL, message BLOB NOT NULL, sent INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0,
    UNIQUE (device, command));
CREATE INDEX IF NOT EXISTS commands_waiting ON commands (device, id) WHERE done = 0;
CREATE INDEX IF NOT EXISTS commands_jobs ON commands (device, job);
CREATE TABLE IF NOT EXISTS aborted_jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, job TEXT NOT NULL, UNIQUE (device, job));
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, source TEXT NOT NULL, boot INTEGER NOT NULL,
    event INTEGER NOT NULL, message BLOB NOT NULL, UNIQUE (device, source, boot, event));
CREATE INDEX IF NOT EXISTS events_by_device ON events (device, id);
CREATE TABLE IF NOT EXISTS cursors (
    device TEXT NOT NULL, serial TEXT NOT NULL, boot INTEGER NOT NULL, event INTEGER NOT NULL, PRIMARY KEY (device, serial));
CREATE TABLE IF NOT EXISTS boards (
    device TEXT NOT NULL, serial TEXT NOT NULL, boots_before INTEGER NOT NULL, PRIMARY KEY (device, serial));
CREATE TABLE IF NOT EXISTS sequences (device TEXT PRIMARY KEY, highest INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sequence_gaps (
    device TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (device, first));
CREATE TABLE IF NOT EXISTS fences (device TEXT PRIMARY KEY, fence INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, last INTEGER NOT NULL);
"""


class Take(Enum):
    """What became of a command that came."""

    NEW = "new"
    KNOWN = "known"


@dataclass(frozen=True)
class NewCommand:
    """A command as it came over MQTT; `expires_at_s` is wall-clock time since 1970, `seq` 0 where it could not be read."""

    command: str
    kind: str
    job: str | None
    expires_at_s: float
    message: bytes
    seq: int = 0


@dataclass(frozen=True)
class WaitingCommand:
    """A command that is not done; `sent` means that the machine may have seen it."""

    id: int
    command: str
    kind: str
    job: str | None
    expires_at_s: float
    sent: bool


@dataclass(frozen=True)
class Refusal:
    """Why a command is not carried out: `rc` for programs, `reason` for people."""

    command: str
    job: str | None
    rc: str
    reason: str


@dataclass(frozen=True)
class PendingEvent:
    """An event that the hub has not acknowledged."""

    id: int
    ack: EventAck
    message: bytes


class Spool(SpoolFile):
    """One SQLite file for all machines of a bridge; safe to use from several threads."""

    def __init__(self, path: Path, first_number: int | None = None) -> None:
        """Open or make the file; the bridge's own events are numbered from `first_number` on, else from the seconds since 1970."""
        super().__init__(path, _SCHEMA)
        # A new spool must not repeat the numbers of a lost one: the hub would take its first refusals for old ones.
        first = int(time.time()) if first_number is None else first_number
        self._connection.execute("INSERT OR IGNORE INTO numbers VALUES ('event', ?)", (first,))

    # Commands

    def take(self, device: str, new: NewCommand) -> Take:
        """Keep a command for ever under its id; raise SpoolFull when too many wait."""
        with self._transaction() as db:
            if self._knows(db, device, new.command):
                return Take.KNOWN
            (waiting,) = db.execute("SELECT count(*) FROM commands WHERE device = ? AND done = 0", (device,)).fetchone()
            if waiting >= WAITING_COMMANDS_LIMIT:
                raise SpoolFull(f"{waiting} commands wait for {device}")
            self._insert(db, device, new, done=False)
            sequence.note(db, device, new.seq)
        return Take.NEW

    def take_refused(self, device: str, new: NewCommand, refusal: Refusal, at: datetime) -> Take:
        """Keep a command as done and its refusal as an event; raise SpoolFull when too many events wait."""
        with self._transaction() as db:
            if new.command and self._knows(db, device, new.command):
                return Take.KNOWN
            if new.command:
                self._insert(db, device, new, done=True)
            sequence.note(db, device, new.seq)
            self._add_refusal(db, device, refusal, at)
        return Take.NEW

    def waiting(self, device: str, after: int = 0) -> list[WaitingCommand]:
        """Return the commands that are not done, in order of arrival, with an id above `after`."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT id, command, kind, job, expires_at_s, sent FROM commands"
                " WHERE device = ? AND done = 0 AND id > ? ORDER BY id",
                (device, after),
            ).fetchall()
        return [
            WaitingCommand(number, command, kind, job, expires_at_s, bool(sent))
            for number, command, kind, job, expires_at_s, sent in rows
        ]

    def message(self, command_id: int) -> bytes:
        """Return the JSON of a waiting command."""
        with self._lock:
            row = self._connection.execute("SELECT message FROM commands WHERE id = ?", (command_id,)).fetchone()
        return bytes(row[0])

    def mark_sent(self, command_id: int) -> None:
        """Note, before the bytes leave, that the machine may know this command."""
        with self._transaction() as db:
            db.execute("UPDATE commands SET sent = 1 WHERE id = ?", (command_id,))

    def job_was_sent(self, device: str, job: str) -> bool:
        """Tell whether the machine may know this job from any command."""
        with self._lock:
            row = self._connection.execute(
                "SELECT 1 FROM commands WHERE device = ? AND job = ? AND kind = 'run' AND sent = 1 LIMIT 1",
                (device, job),
            ).fetchone()
        return row is not None

    def finish(self, device: str, command_id: int, refusal: Refusal | None = None, at: datetime | None = None) -> None:
        """Mark a command done, with its refusal event when it was refused; raise SpoolFull."""
        with self._transaction() as db:
            self._finish(db, device, command_id, refusal, at)

    def abort(self, device: str, job: str, ends: Sequence[tuple[int, Refusal | None]], at: datetime) -> None:
        """Finish, as a whole or not at all, the commands that an abort ends, and keep the job from being started; raise SpoolFull."""
        with self._transaction() as db:
            for command_id, refusal in ends:
                self._finish(db, device, command_id, refusal, at)
            db.execute("INSERT OR IGNORE INTO aborted_jobs (device, job) VALUES (?, ?)", (device, job))
            db.execute(
                "DELETE FROM aborted_jobs WHERE id <= (SELECT max(id) FROM aborted_jobs) - ?", (ABORTED_JOBS_KEPT,)
            )

    def is_aborted(self, device: str, job: str) -> bool:
        """Tell whether a job was aborted before the machine knew it: its run may come later than its abort."""
        with self._lock:
            row = self._connection.execute(
                "SELECT 1 FROM aborted_jobs WHERE device = ? AND job = ?", (device, job)
            ).fetchone()
        return row is not None

    # Events

    def keep_events(self, device: str, serial: str, events: Sequence[BridgeEvent]) -> None:
        """Keep firmware events of one boot, in order, and where they end; raise SpoolFull and keep none."""
        with self._transaction() as db:
            self._ensure_room(db, device, len(events))
            for event in events:
                self._add_event(db, device, event)
            last = events[-1]
            db.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?, ?, ?)", (device, serial, last.boot, last.event))

    def boots_before(self, device: str, serial: str) -> int:
        """Return how many boots of a device older boards than this one had told: a new board counts from 1 again, the hub's numbers do not."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO boards SELECT ?1, ?2, CASE WHEN EXISTS"
                " (SELECT 1 FROM cursors WHERE device = ?1 AND serial = ?2) THEN 0"
                " ELSE coalesce((SELECT max(boot) FROM cursors WHERE device = ?1), 0) END",
                (device, serial),
            )
            (before,) = db.execute(
                "SELECT boots_before FROM boards WHERE device = ? AND serial = ?", (device, serial)
            ).fetchone()
        return int(before)

    def last_event(self, device: str, serial: str, boot: int) -> int:
        """Return the highest event number of this boot that was kept, 0 for none."""
        with self._lock:
            row = self._connection.execute(
                "SELECT event FROM cursors WHERE device = ? AND serial = ? AND boot = ?", (device, serial, boot)
            ).fetchone()
        return int(row[0]) if row else 0

    def acknowledge(self, device: str, ack: EventAck) -> None:
        """Forget an event that the hub has committed; one that is not there was forgotten before."""
        with self._transaction() as db:
            db.execute(
                "DELETE FROM events WHERE device = ? AND source = ? AND boot = ? AND event = ?",
                (device, ack.source, ack.boot, ack.event),
            )

    def pending(self, device: str, after: int, limit: int) -> list[PendingEvent]:
        """Return the oldest events with an id above `after`, in order."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT id, source, boot, event, message FROM events WHERE device = ? AND id > ? ORDER BY id LIMIT ?",
                (device, after, limit),
            ).fetchall()
        return [PendingEvent(row[0], EventAck(source=row[1], boot=row[2], event=row[3]), bytes(row[4])) for row in rows]

    # Numbers of commands

    def seq_gaps(self, device: str) -> int:
        """Return how many numbers below the highest that came have not come."""
        with self._lock:
            return sequence.missing(self._connection, device)

    # Fence

    def fence(self, device: str) -> int:
        """Return the highest fence seen for a machine, 0 for none."""
        with self._lock:
            row = self._connection.execute("SELECT fence FROM fences WHERE device = ?", (device,)).fetchone()
        return int(row[0]) if row else 0

    def raise_fence(self, device: str, fence: int) -> None:
        """Remember a fence; a lower one than the highest changes nothing."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO fences VALUES (?, ?) ON CONFLICT (device) DO UPDATE SET fence = max(fence, excluded.fence)",
                (device, fence),
            )

    @staticmethod
    def _knows(db: sqlite.Connection, device: str, command: str) -> bool:
        row = db.execute("SELECT 1 FROM commands WHERE device = ? AND command = ?", (device, command)).fetchone()
        return row is not None

    @staticmethod
    def _insert(db: sqlite.Connection, device: str, new: NewCommand, *, done: bool) -> None:
        db.execute(
            "INSERT INTO commands (device, command, kind, job, expires_at_s, message, done) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (device, new.command, new.kind, new.job, new.expires_at_s, b"" if done else new.message, done),
        )

    def _finish(
        self, db: sqlite.Connection, device: str, command_id: int, refusal: Refusal | None, at: datetime | None
    ) -> None:
        db.execute("UPDATE commands SET done = 1, message = x'' WHERE id = ?", (command_id,))
        db.execute(
            "DELETE FROM commands WHERE device = ? AND done = 1 AND id <= ?", (device, command_id - DONE_COMMANDS_KEPT)
        )
        if refusal is not None and at is not None:
            self._add_refusal(db, device, refusal, at)

    def _add_refusal(self, db: sqlite.Connection, device: str, refusal: Refusal, at: datetime) -> None:
        self._ensure_room(db, device, 1)
        (number,) = db.execute("UPDATE numbers SET last = last + 1 WHERE name = 'event' RETURNING last").fetchone()
        data: dict[str, int | str] = {"command": refusal.command, "rc": refusal.rc, "reason": refusal.reason}
        event = BridgeEvent(
            source="bridge", boot=0, event=number, kind="refused", job=refusal.job, slot=None, at=at, data=data
        )
        self._add_event(db, device, event)

    @staticmethod
    def _ensure_room(db: sqlite.Connection, device: str, more: int) -> None:
        (held,) = db.execute("SELECT count(*) FROM events WHERE device = ?", (device,)).fetchone()
        if held + more > EVENTS_LIMIT:
            raise SpoolFull(f"{held} events of {device} wait for the hub")

    @staticmethod
    def _add_event(db: sqlite.Connection, device: str, event: BridgeEvent) -> None:
        db.execute(
            "INSERT OR IGNORE INTO events (device, source, boot, event, message) VALUES (?, ?, ?, ?, ?)",
            (device, event.source, event.boot, event.event, encode(event)),
        )
