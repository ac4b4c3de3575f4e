"""The bridge's durable memory of prints: each command once, what was begun, and the outcomes that the hub has not acknowledged.

A command is here before MQTT is acknowledged, `begun` before the first byte leaves, an outcome before it is told.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec
from pysqlite3 import dbapi2 as sqlite

from firmware_bridge.contract import encode
from firmware_bridge.print_contract import PrintCommand, PrintEvent, decode_print_event
from firmware_bridge.spool_file import SpoolFile, SpoolFull

OPEN_PRINTS_LIMIT = 200
TOLD_PRINTS_KEPT = 20_000
_COMMANDS = msgspec.json.Decoder(PrintCommand)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS prints (
    id INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, command TEXT NOT NULL, message BLOB NOT NULL,
    begun INTEGER NOT NULL DEFAULT 0, outcome BLOB, acknowledged INTEGER NOT NULL DEFAULT 0, UNIQUE (device, command));
CREATE INDEX IF NOT EXISTS prints_open ON prints (device, id) WHERE acknowledged = 0;
CREATE TABLE IF NOT EXISTS print_fences (device TEXT PRIMARY KEY, fence INTEGER NOT NULL);
"""


@dataclass(frozen=True)
class WaitingPrint:
    """A print that has no outcome yet, and where it stands in the order of arrival."""

    id: int
    command: PrintCommand


class PrintSpool(SpoolFile):
    """The prints of all printers of a bridge, in tables of their own in the spool's file; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _SCHEMA)

    def take(self, device: str, command: PrintCommand) -> bool:
        """Keep a command that is new; one that is known is told its outcome again. Raise SpoolFull when too many are open."""
        return self._take(device, command.command, encode(command), None)

    def take_refused(self, device: str, outcome: PrintEvent) -> bool:
        """Keep the refusal of a command that is new; a known one is told its own outcome again. Raise SpoolFull."""
        return self._take(device, outcome.command, b"", outcome)

    def _take(self, device: str, name: str, message: bytes, outcome: PrintEvent | None) -> bool:
        with self._transaction() as db:
            known = db.execute(
                "UPDATE prints SET acknowledged = 0 WHERE device = ? AND command = ? RETURNING id", (device, name)
            ).fetchall()
            if known:
                return False
            self._ensure_room(db, device)
            db.execute(
                "INSERT INTO prints (device, command, message, outcome) VALUES (?, ?, ?, ?)",
                (device, name, message, None if outcome is None else encode(outcome)),
            )
        return True

    @staticmethod
    def _ensure_room(db: sqlite.Connection, device: str) -> None:
        (held,) = db.execute("SELECT count(*) FROM prints WHERE device = ? AND acknowledged = 0", (device,)).fetchone()
        if held >= OPEN_PRINTS_LIMIT:
            raise SpoolFull(f"{held} prints of {device} wait")

    def waiting(self, device: str) -> WaitingPrint | None:
        """Return the oldest print that is not begun, None where nothing waits."""
        found = self._without_outcome(device, begun=False)
        return found[0] if found else None

    def begun(self, device: str) -> WaitingPrint | None:
        """Return a print that was begun and never ended: the power went in between."""
        found = self._without_outcome(device, begun=True)
        return found[0] if found else None

    def _without_outcome(self, device: str, *, begun: bool) -> list[WaitingPrint]:
        with self._lock:
            rows = self._connection.execute(
                "SELECT id, message FROM prints WHERE device = ? AND acknowledged = 0 AND outcome IS NULL AND begun = ?"
                " ORDER BY id LIMIT 1",
                (device, begun),
            ).fetchall()
        return [WaitingPrint(number, _COMMANDS.decode(message)) for number, message in rows]

    def queued(self, device: str) -> int:
        """Count the prints that have no outcome yet."""
        with self._lock:
            (count,) = self._connection.execute(
                "SELECT count(*) FROM prints WHERE device = ? AND acknowledged = 0 AND outcome IS NULL", (device,)
            ).fetchone()
        return int(count)

    def begin(self, waiting: WaitingPrint) -> None:
        """Note, before the first byte leaves, that a label of this command may come to be."""
        with self._transaction() as db:
            db.execute("UPDATE prints SET begun = 1 WHERE id = ?", (waiting.id,))

    def finish(self, waiting: WaitingPrint, outcome: PrintEvent) -> None:
        """Keep the outcome until the hub acknowledges it; the label's bytes are forgotten."""
        with self._transaction() as db:
            db.execute("UPDATE prints SET outcome = ?, message = x'' WHERE id = ?", (encode(outcome), waiting.id))

    def untold(self, device: str, limit: int) -> list[PrintEvent]:
        """Return the oldest outcomes that the hub has not acknowledged, in order of arrival of their commands."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT outcome FROM prints WHERE device = ? AND acknowledged = 0 AND outcome IS NOT NULL"
                " ORDER BY id LIMIT ?",
                (device, limit),
            ).fetchall()
        return [decode_print_event(bytes(outcome)) for (outcome,) in rows]

    def last_attempt(self, device: str) -> str:
        """Return what became of the last print that was not refused: `printed`, `in-doubt`, or empty for none."""
        with self._lock:
            row = self._connection.execute(
                "SELECT json_extract(CAST(outcome AS TEXT), '$.kind') AS kind FROM prints"
                " WHERE device = ? AND outcome IS NOT NULL AND kind <> 'refused' ORDER BY id DESC LIMIT 1",
                (device,),
            ).fetchone()
        return str(row[0]) if row else ""

    def acknowledge(self, device: str, command: str) -> None:
        """Stop telling an outcome; the command stays known, the oldest of very many are forgotten."""
        with self._transaction() as db:
            db.execute(
                "UPDATE prints SET acknowledged = 1 WHERE device = ? AND command = ? AND outcome IS NOT NULL",
                (device, command),
            )
            db.execute(
                "DELETE FROM prints WHERE device = ? AND acknowledged = 1 AND id <= (SELECT max(id) FROM prints) - ?",
                (device, TOLD_PRINTS_KEPT),
            )

    def fence(self, device: str) -> int:
        """Return the highest fence seen for a printer, 0 for none."""
        with self._lock:
            row = self._connection.execute("SELECT fence FROM print_fences WHERE device = ?", (device,)).fetchone()
        return int(row[0]) if row else 0

    def raise_fence(self, device: str, fence: int) -> None:
        """Remember a fence; a lower one than the highest changes nothing."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO print_fences VALUES (?, ?) ON CONFLICT (device) DO UPDATE SET fence = max(fence, excluded.fence)",
                (device, fence),
            )
