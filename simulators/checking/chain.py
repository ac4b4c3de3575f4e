"""The ledger's chain, read from docs/ledger.md alone: every line canonical, numbered, sealed and linked to the one before."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

LARGEST = 2**53 - 1
MEMBERS = {"seq", "at", "actor", "kind", "data", "prev", "hash"}

_AT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
_SHORT = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
_ESCAPES = {**{code: f"\\u{code:04x}" for code in range(32)}, **_SHORT}

Entry = dict[str, Any]


class NotSound(ValueError):
    """What is wrong with a line."""


def canonical(value: object) -> str:
    """Write a JSON value by RFC 8785; numbers are whole."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if abs(value) > LARGEST:
            raise NotSound(f"{value} is beyond what every JSON reader keeps")
        return str(value)
    if isinstance(value, str):
        return f'"{value.translate(_ESCAPES)}"'
    if isinstance(value, list):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{canonical(name)}:{canonical(value[name])}" for name in names) + "}"
    raise NotSound(f"{type(value).__name__} does not belong into the ledger")


def read_chain(lines: Iterable[bytes], faults: list[dict[str, Any]]) -> Iterator[Entry]:
    """Yield the entries of an export; the first break of the chain goes to `faults`, later lines are read as they are."""
    prev, seq = "0" * 64, 0
    for line in lines:
        seq += 1
        try:
            entry = _parsed(line)
            if not faults:
                _check(line, entry, seq, prev)
            prev = entry["hash"]
        except (NotSound, ValueError, RecursionError) as error:
            if not faults:
                faults.append({"fact": "ledger-chain", "seq": seq, "reason": str(error)})
            continue
        yield entry


def _parsed(line: bytes) -> Entry:
    entry = json.loads(line.decode(), parse_float=_no_float, parse_constant=_no_float, object_pairs_hook=_no_doubles)
    if not isinstance(entry, dict) or set(entry) != MEMBERS:
        raise NotSound("the line is no entry with the seven members")
    texts = all(isinstance(entry[name], str) for name in MEMBERS - {"seq", "data"})
    if not texts or not isinstance(entry["data"], dict) or isinstance(entry["seq"], bool) or not isinstance(entry["seq"], int):
        raise NotSound("a member has the wrong type")
    return entry


def _check(line: bytes, entry: Entry, seq: int, prev: str) -> None:
    if entry["seq"] != seq:
        raise NotSound(f"entry {entry['seq']} stands where {seq} should")
    if entry["prev"] != prev:
        raise NotSound("prev is not the hash of the entry before")
    if not _AT.fullmatch(entry["at"]):
        raise NotSound("at is no UTC time")
    if (canonical(entry) + "\n").encode() != line:
        raise NotSound("the line is not canonical")
    body = canonical({name: entry[name] for name in MEMBERS - {"hash"}})
    if hashlib.sha256(body.encode()).hexdigest() != entry["hash"]:
        raise NotSound("the hash does not fit")


def _no_float(text: str) -> None:
    raise NotSound(f"{text} is no whole number")


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise NotSound("a member stands twice")
    return dict(pairs)
