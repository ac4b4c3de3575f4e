"""The hub's numbers of commands, kept beside the spool: which ones below the highest that came have not come.

The first number heard is the beginning. One that comes late is no gap any more: MQTT sends again, and not always in order.
What is missing counts among the REACH numbers below the highest only, so an old loss is not told for ever. GAPS_KEPT gaps are kept of
a device, and of more the oldest become one: then what came between them counts as missing too, and the count is an upper bound.
"""

from pysqlite3 import dbapi2 as sqlite

from firmware_bridge.contract import SEQ_LIMIT

GAPS_KEPT = 100
REACH = 20_000


def note(db: sqlite.Connection, device: str, seq: int) -> None:
    """Take one number in, inside a transaction; 0 is none, nor is what no hub counts to, and one that is known changes nothing."""
    if not 0 < seq < SEQ_LIMIT:
        return
    row = db.execute("SELECT highest FROM sequences WHERE device = ?", (device,)).fetchone()
    if row is not None and seq <= row[0]:
        _fill(db, device, seq)
    else:
        if row is not None and seq > row[0] + 1:
            db.execute("INSERT INTO sequence_gaps VALUES (?, ?, ?)", (device, row[0] + 1, seq - 1))
        db.execute("INSERT OR REPLACE INTO sequences VALUES (?, ?)", (device, seq))
        db.execute("DELETE FROM sequence_gaps WHERE device = ? AND last < ?", (device, seq - REACH))
    _join_oldest(db, device)


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


def _join_oldest(db: sqlite.Connection, device: str) -> None:
    """Make one of the oldest gaps where more than GAPS_KEPT are kept."""
    gaps = db.execute("SELECT first, last FROM sequence_gaps WHERE device = ? ORDER BY first", (device,)).fetchall()
    oldest = gaps[: len(gaps) - GAPS_KEPT + 1]
    if len(gaps) <= GAPS_KEPT:
        return
    db.execute("DELETE FROM sequence_gaps WHERE device = ? AND first <= ?", (device, oldest[-1][0]))
    db.execute("INSERT INTO sequence_gaps VALUES (?, ?, ?)", (device, oldest[0][0], oldest[-1][1]))


def missing(db: sqlite.Connection, device: str) -> int:
    """Return how many of the REACH numbers below the highest have not come; an upper bound where gaps were joined."""
    (count,) = db.execute(
        "SELECT sum(last - max(first, highest - ?) + 1) FROM sequence_gaps JOIN sequences USING (device)"
        " WHERE device = ? AND last >= highest - ?",
        (REACH, device, REACH),
    ).fetchone()
    return int(count or 0)
