"""The hub's numbers of commands, kept beside the spool: which ones below the highest that came have not come.

The first number heard is the beginning. One that comes late is no gap any more: MQTT sends again, and not always in order.
"""

from pysqlite3 import dbapi2 as sqlite

from firmware_bridge.contract import SEQ_LIMIT


def note(db: sqlite.Connection, device: str, seq: int) -> None:
    """Take one number in, inside a transaction; 0 is none, nor is what no hub counts to, and one that is known changes nothing."""
    if not 0 < seq < SEQ_LIMIT:
        return
    row = db.execute("SELECT highest FROM sequences WHERE device = ?", (device,)).fetchone()
    if row is not None and seq <= row[0]:
        _fill(db, device, seq)
        return
    if row is not None and seq > row[0] + 1:
        db.execute("INSERT INTO sequence_gaps VALUES (?, ?, ?)", (device, row[0] + 1, seq - 1))
    db.execute("INSERT OR REPLACE INTO sequences VALUES (?, ?)", (device, seq))


def _fill(db: sqlite.Connection, device: str, seq: int) -> None:
    """Take a late number out of the gap that it lies in."""
    gap = db.execute(
        "SELECT first, last FROM sequence_gaps WHERE device = ? AND first <= ? AND last >= ?", (device, seq, seq)
    ).fetchone()
    if gap is None:
        return
    db.execute("DELETE FROM sequence_gaps WHERE device = ? AND first = ?", (device, gap[0]))
    rest = [(device, first, last) for first, last in ((gap[0], seq - 1), (seq + 1, gap[1])) if first <= last]
    db.executemany("INSERT INTO sequence_gaps VALUES (?, ?, ?)", rest)


def missing(db: sqlite.Connection, device: str) -> int:
    """Return how many numbers have not come."""
    (count,) = db.execute("SELECT sum(last - first + 1) FROM sequence_gaps WHERE device = ?", (device,)).fetchone()
    return int(count or 0)
