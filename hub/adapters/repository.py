"""One repository for any frozen record: members are columns, statements are plain SQL made once."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter, itemgetter
from typing import Any, Generic, TypeVar

from pysqlite3 import dbapi2 as sqlite

from hub.adapters.bookkeeping import Answer, Session, Setting, Writeback
from hub.adapters.codecs import codecs_of
from hub.domain.camera_set_up import CameraSetUp
from hub.domain.custody import Trolley
from hub.domain.doses import PlannedDose
from hub.domain.drugs import Drug
from hub.domain.evidence import KeptFrame
from hub.domain.gtins import Gtin
from hub.domain.known_bad import Trial
from hub.domain.looking import Look
from hub.domain.orders import Order, Patient, Stay
from hub.domain.packs import Pack, PackJob
from hub.domain.people import User
from hub.domain.print_quality import PrintQuality
from hub.domain.records import (
    AnnouncedMove,
    Batch,
    CodeEntry,
    Command,
    DayPlan,
    Device,
    Feed,
    Import,
    Incident,
    NewestChange,
    Print,
    Received,
    Requisition,
    Review,
)
from hub.domain.references import TabletReference
from hub.domain.returned_lines import ReturnedLine
from hub.domain.rulings import Ruling
from hub.domain.stock import Cassette, Lot, SourcePack

Record = TypeVar("Record")

Bounds = Mapping[str, tuple[str, object] | None]
"""By the sign of a comparison: the member that is compared, and with what."""
NO_BOUNDS: Bounds = {}
_FEW = 32
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Kind(Generic[Record]):
    """A kind of record: its type, its table and the members that are its key."""

    record: type[Record]
    table: str
    key: tuple[str, ...] = ("id",)


KINDS: tuple[Kind[Any], ...] = (
    Kind(Patient, "patients"),
    Kind(Stay, "stays", ("patient",)),
    Kind(Order, "orders"),
    Kind(Drug, "drugs", ("code",)),
    Kind(Lot, "lots"),
    Kind(SourcePack, "source_packs", ("code",)),
    Kind(Gtin, "gtins", ("gtin",)),
    Kind(KeptFrame, "kept_frames", ("digest", "pack")),
    Kind(Cassette, "cassettes"),
    Kind(PlannedDose, "doses"),
    Kind(Batch, "batches"),
    Kind(PackJob, "jobs"),
    Kind(Pack, "packs", ("serial",)),
    Kind(Trolley, "trolleys"),
    Kind(User, "users"),
    Kind(Review, "reviews"),
    Kind(Requisition, "requisitions"),
    Kind(Import, "imports", ("sha256",)),
    Kind(Incident, "incidents"),
    Kind(Command, "commands"),
    Kind(Print, "prints", ("pack",)),
    Kind(Received, "received", ("device", "source", "boot", "event")),
    Kind(Device, "devices"),
    Kind(CodeEntry, "code_entries", ("source", "kind", "code")),
    Kind(Feed, "feeds", ("source",)),
    Kind(Ruling, "rulings"),
    Kind(ReturnedLine, "returned_lines"),
    Kind(NewestChange, "newest_changes", ("subject",)),
    Kind(DayPlan, "day_plans", ("source",)),
    Kind(AnnouncedMove, "announced_moves", ("patient", "at")),
    Kind(TabletReference, "tablet_references", ("lot",)),
    Kind(Look, "station_looks", ("case", "person")),
    Kind(Trial, "trials"),
    Kind(PrintQuality, "print_qualities", ("device",)),
    Kind(CameraSetUp, "camera_set_ups", ("device",)),
    Kind(Session, "sessions", ("token_hash",)),
    Kind(Answer, "answers", ("event",)),
    Kind(Writeback, "writebacks"),
    Kind(Setting, "settings", ("key",)),
)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the repositories of one connection keep in mind: tables written to, and records as they come out of the file.

    Nobody but the one writer changes the file, so what it read or wrote stays true until a decision is rolled back; a reader
    forgets with each snapshot.
    """

    touched: set[str] = field(default_factory=set)
    records: dict[str, dict[object, Any]] = field(default_factory=dict)

    def of(self, table: str) -> dict[object, Any]:
        """Return what is remembered of a table, by key."""
        return self.records.setdefault(table, {})

    def forget(self) -> None:
        """Read everything anew from now on."""
        for records in self.records.values():
            records.clear()


class SqlRepository(Generic[Record]):
    """Records of one kind in one table of one connection.

    A record that is remembered is not read again, and of it only the members that changed are written: an index whose columns
    stay as they are is then not touched, which halves the pages that a commit has to write.
    """

    def __init__(self, connection: sqlite.Connection, kind: Kind[Record], memory: Memory | None = None) -> None:
        self._memory = Memory() if memory is None else memory
        self._known: dict[object, Record] = self._memory.of(kind.table)
        self._execute = connection.execute
        self._executemany = connection.executemany
        self._kind = kind
        self._codecs = codecs_of(kind.record)
        self._names = tuple(self._codecs)
        self._members: Any = attrgetter(*self._names)
        self._encoders = [(at, codec.encode) for at, codec in enumerate(self._codecs.values()) if codec.encode is not None]
        self._decoders = [(at, codec.decode) for at, codec in enumerate(self._codecs.values()) if codec.decode is not None]
        # A time comes back in UTC, a list as a tuple: what is written in another form than it is read in is not remembered.
        self._comes_back = frozenset(at for at, codec in enumerate(self._codecs.values()) if codec.keeps_its_form)
        columns = ", ".join(map(_quoted, self._names))
        self._from = f"FROM {_quoted(kind.table)}"
        self._select = f"SELECT {columns} {self._from}"
        self._get = f"{self._select} WHERE {' AND '.join(f'{_quoted(name)} = ?' for name in kind.key)}"
        self._put = _upsert(kind, self._names)
        self._key_of: Any = attrgetter(*kind.key)
        self._row_key: Any = itemgetter(*map(self._names.index, kind.key))
        self._plain_key = all(self._codecs[name].encode is None for name in kind.key)
        self._changes: dict[tuple[int, ...], str] = {}
        self._statements: dict[tuple[object, ...], str] = {}

    def get(self, *key: object) -> Record | None:
        """Return the record of that key, or None."""
        if len(key) != len(self._kind.key):
            raise TypeError(f"the key of {self._kind.table} is {self._kind.key}")
        known = self._known.get(key if len(key) > 1 else key[0])
        if known is not None:
            return known
        row = self._execute(self._get, key if self._plain_key else self._encoded(key)).fetchone()
        return None if row is None else self._remembered(self._record(row))

    def _encoded(self, key: tuple[object, ...]) -> list[Any]:
        return [self._codecs[name].encode_one(part) for name, part in zip(self._kind.key, key, strict=True)]

    def put(self, record: Record) -> None:
        """Insert or replace one record; of one that is remembered only what has changed is written."""
        known = self._known.get(self._key_of(record))
        if known is not None and self._changed(known, record):
            return
        values = list(self._members(record))
        for at, encode in self._encoders:
            if values[at] is not None:
                values[at] = encode(values[at])
        self._execute(self._put, values)
        self._memory.touched.add(self._kind.table)
        self._known.pop(self._key_of(record), None)

    def _known_of(self, row: tuple[Any, ...]) -> Record | None:
        """Return the record of a row where it is remembered; a key that is stored in another form is not looked for."""
        return self._known.get(self._row_key(row)) if self._plain_key else None

    def _remembered(self, record: Record) -> Record:
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[self._key_of(record)] = record
        return record

    def _changed(self, known: Record, record: Record) -> bool:
        """Write the members that differ from the known record; return whether its row was there."""
        members = self._members(record)
        places = tuple(
            [at for at, (old, new) in enumerate(zip(self._members(known), members, strict=True)) if new is not old and new != old]
        )
        if not places:
            return True
        statement = self._changes.get(places)
        if statement is None:
            statement = self._changes[places] = _update(self._kind, [self._names[at] for at in places])
        key = self._key_of(record) if len(self._kind.key) > 1 else (self._key_of(record),)
        values = [self._codecs[self._names[at]].encode_one(members[at]) for at in places]
        self._memory.touched.add(self._kind.table)
        is_there = bool(self._execute(statement, [*values, *self._encoded(key)]).rowcount)
        if is_there and self._comes_back.issuperset(places):
            # What did not change stays as it was read: an equal time may have been put in another zone.
            stays = self._members(known)
            self._known[self._key_of(record)] = self._kind.record(*[members[at] if at in places else stays[at] for at in range(len(members))])
        else:
            self._known.pop(self._key_of(record), None)
        return is_there

    def put_many(self, records: Iterable[Record]) -> None:
        """Insert or replace records, many in one statement."""
        written = list(records)
        if len(written) < 2:
            for record in written:
                self.put(record)
            return
        columns = [
            codec.encode_all(list(column))
            for codec, column in zip(self._codecs.values(), zip(*map(self._members, written), strict=True), strict=True)
        ]
        for record in written:
            self._known.pop(self._key_of(record), None)
        self._executemany(self._put, zip(*columns, strict=True))
        self._memory.touched.add(self._kind.table)

    def where(
        self,
        *,
        order_by: str = "",
        limit: int = 0,
        since: tuple[str, object] | None = None,
        below: tuple[str, object] | None = None,
        **equal: object,
    ) -> list[Record]:
        """Return records whose members equal the given values (a list, tuple or set means: one of them).

        `since` and `below` name a member and keep the records where it is not less, and less, than a value, as the column sorts
        (times, texts, counts).
        `order_by` names members, with commas between and `-` before one that falls; ties are in the order of the key.
        """
        statement, values = self._prepared(equal, order_by, limit, {">=": since, "<": below})
        rows = self._execute(statement, values).fetchall()
        if len(rows) <= _FEW:
            return [self._known_of(row) or self._remembered(self._record(row)) for row in rows]
        columns = [
            codec.decode_all(list(column))
            for codec, column in zip(self._codecs.values(), zip(*rows, strict=True), strict=True)
        ]
        return list(map(self._kind.record, *columns))

    def count(self, **equal: object) -> int:
        """Return how many records `where` would return."""
        condition, values = self._condition(equal)
        return int(self._execute(f"SELECT count(*) {self._from}{condition}", values).fetchone()[0])

    def gaps(self, member: str, **equal: object) -> list[tuple[int, int]]:
        """Return, rising, the ranges (first, last) of whole numbers within those of `member` that no record of `where` has."""
        condition, values = self._condition(equal)
        name = _quoted(self._member(member))
        pairs = f"SELECT {name} AS one, lead({name}) OVER (ORDER BY {name}) AS next {self._from}{condition}"
        question = f"SELECT one + 1, next - 1 FROM ({pairs}) WHERE next > one + 1 ORDER BY one"  # noqa: S608 names of members only
        return [(first, last) for first, last in self._execute(question, values)]

    def delete(self, *key: object) -> None:
        """Remove the record of that key, if there is one."""
        condition, values = self._condition(dict(zip(self._kind.key, key, strict=True)))
        self._execute(f"DELETE {self._from}{condition}", values)
        self._known.clear()
        self._memory.touched.add(self._kind.table)

    def _record(self, row: tuple[Any, ...]) -> Record:
        values = list(row)
        for at, decode in self._decoders:
            if values[at] is not None:
                values[at] = decode(values[at])
        return self._kind.record(*values)

    def _prepared(
        self, equal: dict[str, object], order_by: str, limit: int, bounds: Bounds
    ) -> tuple[str, list[Any]]:
        """Return the statement of a question, made once for each shape of question, and its values."""
        values = [self._codecs[self._member(name)].encode_one(value) for name, value in equal.items() if _is_one(value)]
        shape = (order_by, limit > 0, *equal) if len(values) == len(equal) and not any(bounds.values()) else None
        statement = self._statements.get(shape) if shape is not None else None
        if statement is None:
            condition, values = self._condition(equal, bounds)
            statement = f"{self._select}{condition}{self._ordering(order_by)}{' LIMIT ?' if limit else ''}"
            if shape is not None:
                self._statements[shape] = statement
        return statement, ([*values, limit] if limit else values)

    def _condition(self, equal: dict[str, object], bounds: Bounds = NO_BOUNDS) -> tuple[str, list[Any]]:
        terms, values = [], []
        for name, value in equal.items():
            term, given = self._term(name, value)
            terms.append(term)
            values.extend(given)
        for sign, (name, bound) in ((sign, given) for sign, given in bounds.items() if given is not None):
            terms.append(f"{_quoted(self._member(name))} {sign} ?")
            values.append(self._codecs[name].encode_one(bound))
        return (" WHERE " + " AND ".join(terms) if terms else ""), values

    def _term(self, name: str, value: object) -> tuple[str, list[Any]]:
        codec = self._codecs[self._member(name)]
        if value is None:
            return f"{_quoted(name)} IS NULL", []
        if not _is_one(value):
            members = list(value)  # type: ignore[call-overload]
            given = json.dumps([codec.encode_one(one) for one in members if one is not None])
            term = f"{_quoted(name)} IN (SELECT value FROM json_each(?))"  # noqa: S608 names of members only
            return (f"({term} OR {_quoted(name)} IS NULL)" if None in members else term), [given]
        return f"{_quoted(name)} = ?", [codec.encode_one(value)]

    def _ordering(self, order_by: str) -> str:
        if not order_by:
            return ""
        named = [part.strip() for part in order_by.split(",")]
        terms = [f"{_quoted(self._member(name.lstrip('-')))}{' DESC' if name.startswith('-') else ''}" for name in named]
        return " ORDER BY " + ", ".join([*terms, *(_quoted(name) for name in self._kind.key if name not in named)])

    def _member(self, name: str) -> str:
        if name not in self._codecs:
            raise ValueError(f"{self._kind.table} has no member {name!r}")
        return name


def _is_one(value: object) -> bool:
    """Tell whether a question asks for one value; several and none are asked in other words."""
    return value is not None and not isinstance(value, list | tuple | set | frozenset)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _upsert(kind: Kind[Any], names: tuple[str, ...]) -> str:
    columns = ", ".join(map(_quoted, names))
    changes = ", ".join(f"{_quoted(name)} = excluded.{_quoted(name)}" for name in names if name not in kind.key)
    action = f"DO UPDATE SET {changes}" if changes else "DO NOTHING"
    key = ", ".join(map(_quoted, kind.key))
    places = ", ".join("?" * len(names))
    return f"INSERT INTO {_quoted(kind.table)} ({columns}) VALUES ({places}) ON CONFLICT ({key}) {action}"  # noqa: S608


def _update(kind: Kind[Any], names: Sequence[str]) -> str:
    changes = ", ".join(f"{_quoted(name)} = ?" for name in names)
    return f"UPDATE {_quoted(kind.table)} SET {changes} WHERE {' AND '.join(f'{_quoted(name)} = ?' for name in kind.key)}"  # noqa: S608


def member_names(kind: Kind[Any]) -> tuple[str, ...]:
    """Return the members of a kind of record, which are the columns of its table."""
    return tuple(member.name for member in fields(kind.record))
