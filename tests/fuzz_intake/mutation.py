"""One hostile file out of a good one: bytes that are cut, flipped, doubled, or a JSON member that is something else."""

import gzip
import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

ODD: tuple[Any, ...] = (
    None, True, -1, 0, 10**40, 1e308, "", " ", "\u0000", "NaN", "sNaN", "-Infinity", "Infinity", "0001-01-01", "9999-12-31T23:59:59Z", "2026-02-30", "#", "#m", "urn:uuid:",
    "Patient/", "a" * 5000, [], [[]], {}, [{}], [None], {"value": "1"}, {"extension": [{"url": "data-absent-reason"}]}, "ё\u202e", "\ud83d\ude00",
)  # fmt: skip
PIECES = (
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b"\n",
    b"\r\n",
    b"\\u0000",
    b"\xd0",
    b"1e999999999",
    b"[" * 3000,
    b"-",
)

Mutator = Callable[[Random, bytes], bytes]


def hostile(random: Random, seeds: Sequence[bytes]) -> bytes:
    """Return a file made from one of the seeds by one to three mutations; one in eight is packed, and may be damaged after that."""
    data = random.choice(seeds)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        data = random.choice(MUTATORS)(random, data)
    if random.random() < 1 / 8:
        packed = gzip.compress(data, 1, mtime=0)
        return random.choice(BYTE_MUTATORS)(random, packed) if random.random() < 1 / 2 else packed
    return data


def cut(random: Random, data: bytes) -> bytes:
    """Return the beginning of a file."""
    return data[: random.randrange(len(data) + 1)]


def flip(random: Random, data: bytes) -> bytes:
    """Return a file with one byte changed."""
    if not data:
        return b"\x00"
    place = random.randrange(len(data))
    return data[:place] + bytes([random.randrange(256)]) + data[place + 1 :]


def insert(random: Random, data: bytes) -> bytes:
    """Return a file with a hostile piece in it."""
    place = random.randrange(len(data) + 1)
    return data[:place] + random.choice(PIECES) + data[place:]


def double(random: Random, data: bytes) -> bytes:
    """Return a file in which a stretch comes twice or not at all."""
    start = random.randrange(len(data) + 1)
    end = min(len(data), start + random.randrange(400))
    return data[:start] + data[start:end] * random.choice((0, 2)) + data[end:]


def member(random: Random, data: bytes) -> bytes:
    """Return a JSON document, or NDJSON, with one of its members something else; a file that is no JSON is flipped."""
    lines = data.split(b"\n")
    number = random.randrange(len(lines))
    try:
        tree = json.loads(lines[number])
    except (ValueError, RecursionError):
        return flip(random, data)
    lines[number] = json.dumps(_changed(random, tree), ensure_ascii=random.random() < 1 / 2).encode(errors="replace")
    return b"\n".join(lines)


def _changed(random: Random, tree: Any) -> Any:
    """Return a tree with one place of it changed, chosen on the way down."""
    if random.random() < 1 / 6 or not isinstance(tree, dict | list) or not tree:
        return random.choice(ODD)
    if isinstance(tree, list):
        place = random.randrange(len(tree))
        return [*tree[:place], _changed(random, tree[place]), *tree[place + 1 :]]
    name = random.choice(list(tree))
    if random.random() < 1 / 12:
        return {
            **tree,
            random.choice((f"_{name}", "modifierExtension", "implicitRules", name.upper())): random.choice(ODD),
        }
    return {**tree, name: _changed(random, tree[name])}


BYTE_MUTATORS: tuple[Mutator, ...] = (cut, flip, insert, double)
MUTATORS: tuple[Mutator, ...] = (*BYTE_MUTATORS, member, member, member, member)
