"""Writing the ledger out as NDJSON, and verifying an export or the database itself in constant memory."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, NoReturn, TypeVar

import msgspec
from pysqlite3 import dbapi2 as sqlite

from hub.adapters.database import open_reader
from hub.adapters.ledger_store import Row, entries, exported_line, exported_lines, stored_rows
from hub.adapters.plain_facts import ASTRAL_LEADS
from hub.domain.ledger import LARGEST_INTEGER, Chain, Fault, entry_hash
from hub.domain.stock import MAY_BE_NEGATIVE, lot_number

LONGEST_LINE = 16 * 2**20
Stored = TypeVar("Stored")

_KIND = re.compile(r"[a-z][a-z0-9-]*").fullmatch
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z").fullmatch


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found: the sound entries from the first on, the last one's hash, and the first fault."""

    entries: int
    head: str
    fault: Fault | None


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    """An exported entry, its members in canonical order."""

    actor: str
    at: str
    data: dict[str, Any]
    hash: str
    kind: str
    prev: str
    seq: int


def export(database: Path | str, out: IO[bytes]) -> int:
    """Write the ledger of a database to a binary file, one line an entry, and return how many; a running writer may go on."""
    connection = open_reader(Path(database))
    count = 0
    try:
        for line in exported_lines(connection):
            out.write(line)
            count += 1
    finally:
        connection.close()
    return count


def export_file(database: Path | str, path: Path | str) -> int:
    """Export to a file that appears under its name only when it is whole and on the disk; return the number of entries."""
    final = Path(path)
    partial = final.with_name(final.name + ".partial")
    with partial.open("wb", buffering=2**20) as out:
        count = export(database, out)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(final)
    _sync_folder(final.parent)
    return count


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a file that was synced can still lose its name with the power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def verify_export(path: Path | str) -> Verification:
    """Verify an export file: every byte of it is part of a sealed entry or of the one way to write it."""
    with Path(path).open("rb", buffering=2**20) as lines:
        return verify_lines(iter(lambda: lines.readline(LONGEST_LINE), b""))


def verify_database(path: Path | str) -> Verification:
    """Verify the ledger inside a database, as it would be exported."""
    connection = open_reader(Path(path))
    try:
        return _followed(stored_rows(connection), _quickly_verified_row, exported_line)
    finally:
        connection.close()


def verify_lines(lines: Iterable[bytes]) -> Verification:
    """Verify exported lines, from the first entry on."""
    return _followed(lines, _quickly_verified, lambda line: line)


def _followed(entries: Iterable[Stored], quickly: Callable[[Stored, int, str], str], line_of: Callable[[Stored], bytes]) -> Verification:
    """Follow a chain at full speed; only where the quick path is not satisfied are the domain's own rules asked."""
    chain = Chain()
    for entry in entries:
        head = quickly(entry, chain.seq + 1, chain.head)
        if head:
            chain.seq += 1
            chain.head = head
            continue
        fault = chain.follow(line_of(entry))
        if fault is not None:
            return Verification(chain.seq, chain.head, fault)
    return Verification(chain.seq, chain.head, None)


def _refuse_float(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a whole number")


_decode = msgspec.json.Decoder(_Line, float_hook=_refuse_float).decode
_decode_data = msgspec.json.Decoder(dict[str, Any], float_hook=_refuse_float).decode
_encode = msgspec.json.Encoder(order="deterministic").encode
_END = len(',"prev":""') + 64 + len(',"kind":""') + len(',"seq":}\n')
_HASH = len(',"hash":""') + 64


def _quickly_verified(line: bytes, seq: int, prev: str) -> str:
    """Return the hash of a line that is sound beyond doubt, else an empty text: the slow rules then decide.

    The line must equal its own re-encoding, so where its members stand is known and the hash can be cut out of its bytes.
    Left to the slow rules is what the two encoders might write differently: text beyond the basic plane, huge integers.
    """
    try:
        entry = _decode(line)
        if _encode(entry) + b"\n" != line:
            return ""
    except (msgspec.DecodeError, ValueError, RecursionError):
        return ""
    if entry.seq != seq or entry.prev != prev or not entry.actor or not _KIND(entry.kind) or not _AT(entry.at):
        return ""
    if not _written_alike(line, entry.data):
        return ""
    end = len(line) - _END - len(entry.kind) - len(str(seq))
    found = hashlib.sha256(line[: end - _HASH] + line[end:-1]).hexdigest()
    return found if found == entry.hash else ""


def _quickly_verified_row(row: Row, seq: int, prev: str) -> str:
    """Return the hash of a stored entry that is sound beyond doubt, else an empty text, as for a line."""
    if type(row[0]) is not int or row[0] != seq or row[5] != prev:
        return ""
    try:
        _, at, actor, kind, text, _, found = row
        written = text.encode()
        data = _decode_data(written)
        if not _AT(at) or _encode(data) != written or not _written_alike(written, data):
            return ""
        return found if entry_hash(seq, at, actor, kind, text, prev) == found else ""
    except (AttributeError, TypeError, ValueError, RecursionError):  # among them msgspec's: a column of another type, no JSON
        return ""


def _written_alike(text: bytes, data: dict[str, Any]) -> bool:
    """Tell whether both encoders write this alike: no text beyond the basic plane, no integer beyond 2^53 - 1."""
    if not text.isascii() and any(lead in text for lead in ASTRAL_LEADS):
        return False
    return all(type(value) is str or _small(value) for value in data.values())


def _small(value: Any) -> bool:
    """Tell whether a value holds no integer beyond 2^53 - 1."""
    kind = type(value)
    if kind is int:
        return -LARGEST_INTEGER <= int(value) <= LARGEST_INTEGER
    if kind is list:
        return all(_small(item) for item in value)
    if kind is dict:
        return all(_small(item) for item in value.values())
    return True


Held = dict[tuple[str, str, str], Fraction]


def wrong_balances(path: Path | str) -> Iterator[tuple[str, str, str, Fraction, Fraction]]:
    """Yield (account, item, lot number, by the ledger, by the table) wherever the balances differ from the recomputed moves.

    Also where an account that may not be negative is; empty accounts take no memory.
    """
    connection = open_reader(Path(path))
    try:
        connection.execute("BEGIN")
        told, held = _recomputed(connection), _booked(connection)
    finally:
        connection.close()
    for key in sorted(told.keys() | held.keys()):
        by_ledger, by_table = told.get(key, Fraction(0)), held.get(key, Fraction(0))
        if by_ledger != by_table or (by_table < 0 and key[0] not in MAY_BE_NEGATIVE):
            yield *key, by_ledger, by_table


def _booked(connection: sqlite.Connection) -> Held:
    rows = connection.execute("SELECT account, item, lot, numerator, denominator FROM balances")
    return {(account, item, lot_number(item, lot)): Fraction(numerator, denominator) for account, item, lot, numerator, denominator in rows}


def _recomputed(connection: sqlite.Connection) -> Held:
    balances: Held = {}
    cancelled = {entry.data["corrects"] for entry in entries(connection, kinds=("stock-move-cancelled",))}
    for entry in entries(connection, kinds=("stock-moved",)):
        data = entry.data
        if entry.seq in cancelled:
            continue
        quantity = Fraction(data["quantity"])
        for account, change in ((data["from"], -quantity), (data["to"], quantity)):
            key = (account, data["item"], data["lot"])
            after = balances.pop(key, Fraction(0)) + change
            if after:
                balances[key] = after
    return balances
