"""The ledger's rules: canonical form against an independent implementation, and every changed byte found."""

import hashlib
import json
import random
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.adapters.ledger_export import verify_export, verify_lines
from hub.adapters.plain_facts import quick_canonical_text
from hub.domain.ledger import GENESIS, Fault, LedgerEntry, NotCanonical, canonical, entry_line, sealed, verify

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | WHOLE | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=6)


def _chain(data: list[dict[str, object]]) -> list[LedgerEntry]:
    entries: list[LedgerEntry] = []
    for number, one in enumerate(data, start=1):
        prev = entries[-1].hash if entries else GENESIS
        entries.append(sealed(number, f"2026-11-22T08:{number % 60:02}:00Z", "system", "stock-moved", one, prev))
    return entries


def test_a_known_entry_has_its_known_bytes_and_hash() -> None:
    entry = sealed(1, "2026-11-22T08:00:00Z", "nurse-7", "dose-given", {"units": "1/2", "dose": "d1", "patient": "é"}, GENESIS)
    assert entry_line(entry).decode() == (
        '{"actor":"nurse-7","at":"2026-11-22T08:00:00Z","data":{"dose":"d1","patient":"é","units":"1/2"},'
        '"hash":"9bfe531fe7eaae04a01c35023e48ead23ee29bf4fb3be5f47150b0a004e0630f","kind":"dose-given",'
        '"prev":"0000000000000000000000000000000000000000000000000000000000000000","seq":1}\n'
    )


@given(OBJECTS)
@settings(max_examples=200)
def test_canonical_bytes_are_those_of_an_independent_rfc_8785(value: dict[str, object]) -> None:
    assert canonical(value) == rfc8785.dumps(value)


def test_names_are_in_the_order_of_their_utf_16_units() -> None:
    value = {"\U0001f600": 1, "\ufb33": 2, "\r": 3, "1": 4, "é": {"\ue000": 1, "\U00010000": 2}}
    assert canonical(value) == rfc8785.dumps(value)
    assert canonical(value) != json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("value", [1.0, 0.5, float("nan"), 2**53, -(2**53), b"x", {1: 2}, {"a": [{"b": 1.5}]}, {"s": "\ud800"}, {"\udc00": 1}])
def test_what_has_no_exact_form_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        canonical({"value": value})


@given(st.lists(OBJECTS, min_size=1, max_size=8))
@settings(max_examples=60)
def test_a_sealed_chain_verifies_on_both_paths_and_re_encodes_by_rfc_8785(data: list[dict[str, object]]) -> None:
    entries = _chain(data)
    lines = [entry_line(entry) for entry in entries]
    assert verify(lines) is None
    found = verify_lines(lines)
    assert (found.fault, found.entries, found.head) == (None, len(lines), entries[-1].hash)
    assert all(rfc8785.dumps(json.loads(line)) + b"\n" == line for line in lines)


def test_ten_thousand_random_changes_of_one_byte_are_all_found(tmp_path: Path) -> None:
    chooser = random.Random(8785)
    whole = b"".join(map(entry_line, _chain([{"dose": f"d{n}", "units": "1/2", "n": n, "текст": ["ж", {"x": True}]} for n in range(12)])))
    path = tmp_path / "ledger.ndjson"
    path.write_bytes(whole)
    assert verify_export(path).fault is None
    for _ in range(10_000):
        at = chooser.randrange(len(whole))
        changed = whole[:at] + bytes([whole[at] ^ chooser.randrange(1, 256)]) + whole[at + 1 :]
        lines = changed.splitlines(keepends=True) if b"\r" not in changed else [part + b"\n" for part in changed.split(b"\n")[:-1]]
        assert verify_lines(lines).fault is not None, (at, changed[max(at - 20, 0) : at + 20])
        assert verify(lines) is not None


@given(st.integers(0, 5), st.data())
@settings(max_examples=200)
def test_removed_doubled_and_swapped_lines_are_found(first: int, data: st.DataObject) -> None:
    lines = [entry_line(entry) for entry in _chain([{"n": n} for n in range(8)])]
    spoilt = data.draw(
        st.sampled_from(
            [
                lines[:first] + lines[first + 1 :],
                lines[: first + 1] + lines[first:],
                [*lines[:first], lines[first + 1], lines[first], *lines[first + 2 :]],
            ]
        )
    )
    fault = verify(spoilt)
    assert fault == verify_lines(spoilt).fault
    assert fault is not None
    assert fault.seq in {first + 1, first + 2}


def _resealed(change: str) -> bytes:
    """Return line 1 of a chain, spoilt in its form by somebody who made the hash fit."""
    entry = sealed(1, "2026-11-22T08:00:00Z", "system", "note", {"a": 1, "b": [2]}, GENESIS)
    line = entry_line(entry)
    old, new = change.split(" -> ")
    assert old.encode() in line
    body = line.replace(b',"hash":"' + entry.hash.encode() + b'"', b"").replace(old.encode(), new.encode(), 1)
    fresh = hashlib.sha256(body.rstrip(b"\n")).hexdigest()
    return line.replace(entry.hash.encode(), fresh.encode()).replace(old.encode(), new.encode(), 1)


@pytest.mark.parametrize(
    "change",
    [
        '"a":1 -> "a": 1', '"a":1 -> "a":1,"a":1', '"a":1 -> "a":1.0', '"a":1 -> "a":1e0', '"a":1 -> "a":-0', '"a":1 -> "a":NaN',
        '"a":1 -> "a":9007199254740992', '"a":1 -> "a":123456789012345678901234567890', '"a":1 -> "A":"\\u0041"', '"a":1 -> "c":1',
        '"seq":1 -> "seq":true', '"seq":1 -> "seq":1.0', '"seq":1 -> "seq":"1"', '"seq":1 -> "seq":2', '"data":{"a":1,"b":[2]} -> "data":[]',
        '"at":"2026-11-22T08:00:00Z" -> "at":"2026-11-22T08:00:00+00:00"', '"actor":"system" -> "actor":""', '"kind":"note" -> "kind":"Note"',
        '"seq":1} -> "seq":1,"x":1}', '"b":[2] -> "b":[ 2]', '"kind":"note" -> "kind":null', '"a":1 -> "a":' + "[" * 3000 + "]" * 3000,
        "}\n -> } \n", "}\n -> }\r\n", "}\n -> }",
    ],
)  # fmt: skip
def test_a_line_in_another_form_is_found_although_its_hash_fits(change: str) -> None:
    line = _resealed(change)
    fault = verify([line])
    assert isinstance(fault, Fault)
    assert fault.seq == 1
    assert verify_lines([line]).fault == fault


def test_an_empty_export_is_sound_and_an_empty_line_is_not() -> None:
    assert verify([]) is None
    assert verify([b"\n"]) is not None


def test_no_kind_and_no_actor_that_a_line_could_not_carry_is_sealed() -> None:
    for kind, actor in (("Dose Given", "x"), ('a"b', "x"), ("note", "")):
        with pytest.raises(ValueError, match="no entry"):
            sealed(1, "2026-11-22T08:00:00Z", actor, kind, {}, GENESIS)


@given(OBJECTS)
@settings(max_examples=100)
def test_the_quick_encoder_of_the_store_writes_the_same(value: dict[str, object]) -> None:
    assert quick_canonical_text(value).encode() == canonical(value)
    with pytest.raises(NotCanonical):
        quick_canonical_text({"value": value, "x": 0.5})
