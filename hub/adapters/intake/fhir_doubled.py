"""Members that stand twice in one object: a reader would take the last one and nobody would know of the first (RFC 8259, section 4)."""

import json
from collections import Counter
from typing import Any

import msgspec

from hub.domain.words import Words

_decode, _encode = msgspec.json.Decoder(float_hook=str).decode, msgspec.json.Encoder().encode


def doubled_members(raw: bytes) -> tuple[Words, ...]:
    """Return in words the members of a resource that are written twice in one object, wherever it stands, each name once."""
    try:
        if rb"\u003" not in raw and raw.count(b":") == _encode(_decode(raw)).count(b":"):
            return ()
        return _doubled(raw)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return (Words("a resource that cannot be looked through for members written twice", "ресурс, в котором нельзя найти повторённые поля"),)


def _doubled(raw: bytes) -> tuple[Words, ...]:
    """Look at every object: much slower than counting the colons before and after a decoder drops the first of two members."""
    doubled: dict[str, None] = {}

    def seen(pairs: list[tuple[str, Any]]) -> None:
        if len(pairs) > 1 and len({name for name, _ in pairs}) < len(pairs):
            doubled.update((name, None) for name, times in Counter(name for name, _ in pairs).items() if times > 1)

    json.loads(raw, object_pairs_hook=seen, parse_float=str, parse_int=str)
    return tuple(Words(f"{name[:40]} is written twice: which one holds?", f"{name[:40]} указано дважды: что верно?") for name in doubled)
