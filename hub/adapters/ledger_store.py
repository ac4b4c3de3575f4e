"""The ledger in the database: appending at its head, and reading it in order."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from pysqlite3 import dbapi2 as sqlite

from hub.adapters.plain_facts import quick_canonical_text
from hub.domain.ledger import GENESIS, LedgerEntry, canonical_text, entry_hash, line_text

_COLUMNS = "seq, at, actor, kind, data, prev, hash"
_INSERT = f"INSERT INTO ledger ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_SELECT = f"SELECT {_COLUMNS} FROM ledger"  # noqa: S608
_READ_AT_ONCE = 500

Head = tuple[int, str]
Row = tuple[int, str, str, str, str, str, str]


class LedgerStore:
    """The chain behind one connection; its head is kept in memory, so only the one writer may append."""

    def __init__(self, connection: sqlite.Connection) -> None:
        self._connection = connection
        self._head = self.stored_head()

    @property
    def head(self) -> Head:
        """The number and hash of the last entry; (0, 64 zeros) of an empty ledger."""
        return self._head

    def stored_head(self) -> Head:
        """Return the head as the database has it."""
        row = self._connection.execute("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
        return (row[0], row[1]) if row else (0, GENESIS)

    def rewind(self, head: Head) -> None:
        """Take back the head in memory, after a rollback to where it was that one."""
        self._head = head

    def append(self, at: str, actor: str, kind: str, data: Mapping[str, Any]) -> int:
        """Seal one entry after the head and return its number."""
        row = self._sealed_row(at, actor, kind, quick_canonical_text(data))
        self._connection.execute(_INSERT, row)
        self._head = (row[0], row[6])
        return row[0]

    def append_many(self, at: str, actor: str, kind: str, data: Sequence[Mapping[str, Any]]) -> None:
        """Seal many entries of one kind, in order."""
        before = self._head
        rows = []
        try:
            for one in data:
                row = self._sealed_row(at, actor, kind, quick_canonical_text(one))
                self._head = (row[0], row[6])
                rows.append(row)
            self._connection.executemany(_INSERT, rows)
        except BaseException:
            self._head = before
            raise

    def _sealed_row(self, at: str, actor: str, kind: str, text: str) -> Row:
        seq, prev = self._head[0] + 1, self._head[1]
        return seq, at, actor, kind, text, prev, entry_hash(seq, at, actor, kind, text, prev)


def entries(
    connection: sqlite.Connection, *, after: int = 0, limit: int = 0, kinds: Sequence[str] = (), about: str = ""
) -> Iterator[LedgerEntry]:
    """Yield entries in order after a number; `about` keeps those whose data names that dose, pack, job, order ... anywhere."""
    terms: list[str] = ["seq > ?"]
    values: list[Any] = [after]
    if kinds:
        # A page is walked to in the order of the chain; the index by kind would have all that follows sorted for each page.
        terms.append(f"{'+kind' if limit else 'kind'} IN (SELECT value FROM json_each(?))")  # noqa: S608 no text of anybody's
        values.append(msgspec.json.encode(list(kinds)).decode())
    if about:
        terms.append("instr(data, ?)")
        values.append(canonical_text(about))
    statement = f"{_SELECT} WHERE {' AND '.join(terms)} ORDER BY seq LIMIT ?"
    for seq, at, actor, kind, data, prev, hash_ in connection.execute(statement, [*values, limit or -1]):
        yield LedgerEntry(seq, at, actor, kind, msgspec.json.decode(data), prev, hash_)


def entries_between(connection: sqlite.Connection, kind: str, after: int, before: int) -> Iterator[LedgerEntry]:
    """Yield the entries of a kind with numbers between two, both left out."""
    for row in connection.execute(f"{_SELECT} WHERE seq > ? AND seq < ? AND +kind = ? ORDER BY seq", (after, before, kind)):
        yield _entry(row)


def newest_entry(connection: sqlite.Connection, kind: str, about: Mapping[str, str | int]) -> LedgerEntry | None:
    """Return the newest entry of a kind whose data has these members, read from the newest on; None where there is none."""
    terms = " AND ".join("json_extract(data, ?) = ?" for _ in about)
    values = [value for name, text in about.items() for value in (f"$.{name}", text)]
    statement = f"{_SELECT} WHERE kind = ? AND {terms} ORDER BY seq DESC LIMIT 1"
    row = connection.execute(statement, [kind, *values]).fetchone()
    return None if row is None else _entry(row)


def _entry(row: Row) -> LedgerEntry:
    seq, at, actor, kind, data, prev, hash_ = row
    return LedgerEntry(seq, at, actor, kind, msgspec.json.decode(data), prev, hash_)


def stored_rows(connection: sqlite.Connection) -> Iterator[Row]:
    """Yield every entry as it is stored, its data as text, in constant memory and from one snapshot."""
    cursor = connection.execute(f"{_SELECT} ORDER BY seq")
    while rows := cursor.fetchmany(_READ_AT_ONCE):
        yield from rows


def exported_line(row: Row) -> bytes:
    """Return the line that an entry is exported as."""
    return (line_text(*row) + "\n").encode()


def exported_lines(connection: sqlite.Connection) -> Iterator[bytes]:
    """Yield every entry as its exported line, in constant memory and from one snapshot."""
    return map(exported_line, stored_rows(connection))
