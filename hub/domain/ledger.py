"""The ledger's rules: canonical bytes, the hash chain, and what makes an exported line sound."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring as _quoted
from typing import Any

GENESIS = "0" * 64
LARGEST_INTEGER = 2**53 - 1

_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z").fullmatch
_KIND = re.compile(r"[a-z][a-z0-9-]*").fullmatch
_HASH = re.compile(r"[0-9a-f]{64}").fullmatch
_ASTRAL = re.compile("[\U00010000-\U0010ffff]").search
_encoded = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode
_MEMBERS = ("actor", "at", "data", "hash", "kind", "prev", "seq")


class NotCanonical(ValueError):
    """A value has no canonical form here: a float, an integer beyond 2^53, a member's name that is no text, a lone surrogate."""


class Shortage(Exception):
    """An account holds less of a lot than is to be taken from it."""

    def __init__(self, account: str, lot: str, held: object, wanted: object) -> None:
        super().__init__(f"{account} holds {held} of lot {lot}, {wanted} wanted")
        self.account = account
        self.lot = lot
        self.held = held
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One fact; `at` is RFC 3339 text in UTC, `hash` covers every other member."""

    seq: int
    at: str
    actor: str
    kind: str
    data: Mapping[str, Any]
    prev: str
    hash: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong with a chain: at which entry, and why."""

    seq: int
    reason: str


def instant_text(moment: datetime) -> str:
    """Return an instant as the ledger writes it: RFC 3339, UTC, ending in Z. Naive times are refused."""
    if moment.tzinfo is None:
        raise ValueError("an instant needs its offset")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def canonical(value: Mapping[str, Any]) -> bytes:
    """Return the RFC 8785 bytes of an object without floats; raise NotCanonical for what has none."""
    try:
        return canonical_text(value).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("a lone surrogate cannot be written as UTF-8") from error


def canonical_text(value: Any) -> str:
    """Return the RFC 8785 text of a JSON value without floats."""
    refuse_unwritable(value)
    text = _encoded(value)
    # Code point order and UTF-16 order part only where characters beyond the basic plane are present.
    return text if text.isascii() or not _ASTRAL(text) else _encoded_utf16(value)


def sealed(seq: int, at: str, actor: str, kind: str, data: Mapping[str, Any], prev: str) -> LedgerEntry:
    """Return the entry with its hash."""
    return LedgerEntry(seq, at, actor, kind, data, prev, entry_hash(seq, at, actor, kind, canonical_text(data), prev))


def entry_hash(seq: int, at: str, actor: str, kind: str, data_text: str, prev: str) -> str:
    """Return the hash of an entry whose data is already canonical text; refuse a kind or an actor that no line could carry."""
    if not actor or not _is_kind(kind):
        raise ValueError(f"no entry can be of kind {kind!r} by {actor!r}")
    return hashlib.sha256((_opening(actor, at, data_text) + _closing(kind, prev, seq)).encode()).hexdigest()


def line_text(seq: int, at: str, actor: str, kind: str, data_text: str, prev: str, entry_hash: str) -> str:
    """Return the exported line, without its end of line: the canonical form of the whole entry."""
    return f'{_opening(actor, at, data_text)},"hash":"{entry_hash}"{_closing(kind, prev, seq)}'


def entry_line(entry: LedgerEntry) -> bytes:
    """Return the exported line of an entry, with its end of line."""
    text = canonical_text(entry.data)
    return (line_text(entry.seq, entry.at, entry.actor, entry.kind, text, entry.prev, entry.hash) + "\n").encode()


def verify_line(line: bytes, seq: int, prev: str) -> LedgerEntry | Fault:
    """Return the entry of an exported line, or the fault: the line must be, byte for byte, the sealed entry `seq` after `prev`."""
    try:
        return _read_line(line, seq, prev)
    except (ValueError, RecursionError) as error:
        return Fault(seq, f"cannot be read: {error}")


class Chain:
    """Follows a chain line by line in constant memory; `seq` and `head` are of the last sound entry."""

    def __init__(self) -> None:
        self.seq = 0
        self.head = GENESIS

    def follow(self, line: bytes) -> Fault | None:
        """Take the next line, or return what is wrong with it."""
        entry = verify_line(line, self.seq + 1, self.head)
        if isinstance(entry, Fault):
            return entry
        self.seq = entry.seq
        self.head = entry.hash
        return None


def verify(lines: Iterable[bytes]) -> Fault | None:
    """Return the first fault of an export, or None. That the end was cut off shows only beside a head kept elsewhere."""
    chain = Chain()
    for line in lines:
        fault = chain.follow(line)
        if fault is not None:
            return fault
    return None


@lru_cache(maxsize=1024)
def _is_kind(kind: str) -> bool:
    return _KIND(kind) is not None


def _opening(actor: str, at: str, data_text: str) -> str:
    return f'{{"actor":{_quoted(actor)},"at":"{at}","data":{data_text}'


def _closing(kind: str, prev: str, seq: int) -> str:
    return f',"kind":"{kind}","prev":"{prev}","seq":{seq}}}'


def _read_line(line: bytes, seq: int, prev: str) -> LedgerEntry | Fault:
    text = line.decode()
    if not text.endswith("\n"):
        return Fault(seq, "the line has no end")
    entry = _decoded(text[:-1])
    if type(entry) is not dict or tuple(entry) != _MEMBERS:
        return Fault(seq, f"the members are not {', '.join(_MEMBERS)}, in this order")
    reason = _wrong_member(entry, seq, prev)
    if reason:
        return Fault(seq, reason)
    data_text = canonical_text(entry["data"])
    opening = _opening(entry["actor"], entry["at"], data_text)
    closing = _closing(entry["kind"], prev, seq)
    if f'{opening},"hash":"{entry["hash"]}"{closing}\n' != text:
        return Fault(seq, "the line is not in canonical form")
    if hashlib.sha256((opening + closing).encode()).hexdigest() != entry["hash"]:
        return Fault(seq, "the hash does not fit the entry")
    return LedgerEntry(seq, entry["at"], entry["actor"], entry["kind"], entry["data"], prev, entry["hash"])


def _wrong_member(entry: dict[str, Any], seq: int, prev: str) -> str:
    if type(entry["seq"]) is not int or entry["seq"] != seq:
        return f"seq is {entry['seq']!r}, not {seq}"
    if entry["prev"] != prev:
        return "prev is not the hash of the entry before"
    for name, fits in (("at", _AT), ("kind", _KIND), ("hash", _HASH)):
        if type(entry[name]) is not str or not fits(entry[name]):
            return f"{name} has not its form"
    if type(entry["actor"]) is not str or not entry["actor"]:
        return "actor is no name"
    return "" if type(entry["data"]) is dict else "data is no object"


def _refuse_number(text: str) -> Any:
    raise NotCanonical(f"{text[:40]} is not a whole number")


_decoded = json.JSONDecoder(parse_float=_refuse_number, parse_constant=_refuse_number).decode


def refuse_unwritable(value: Any) -> None:
    """Raise NotCanonical unless a value consists of what JSON without floats can say exactly."""
    if isinstance(value, str) or value is None or value is True or value is False:
        return
    if isinstance(value, int):
        if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
            raise NotCanonical("an integer beyond 2^53 - 1")
    elif isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str):
                raise NotCanonical(f"the name of a member is {name!r}, no text")
            if type(item) is not str:
                refuse_unwritable(item)
    elif isinstance(value, list | tuple):
        for item in value:
            if type(item) is not str:
                refuse_unwritable(item)
    else:
        raise NotCanonical(f"{type(value).__name__} cannot be written exactly")


def _encoded_utf16(value: Any) -> str:
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_encoded(name)}:{_encoded_utf16(value[name])}" for name in names) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_encoded_utf16, value)) + "]"
    return _encoded(value)
