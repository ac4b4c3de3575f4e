"""What the ledger can say of the values in a fact: exact quantities and times become text, enumerations their value.

Reasons and checks are the same few thousands on a day: each is written once and its canonical text is put where it is told again.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec

from hub.domain.ledger import canonical_text, instant_text, refuse_unwritable
from hub.domain.orders import Check, Reason
from hub.domain.quantities import fraction_text

ASTRAL_LEADS = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")
_WRITABLE = frozenset({str, msgspec.Raw, bool, type(None)})
_encode = msgspec.json.Encoder(order="deterministic").encode


def quick_canonical_text(value: Mapping[str, Any]) -> str:
    """Return what `canonical_text` returns, ten times as fast; the tests hold both to each other. Written parts are `msgspec.Raw`."""
    if not _WRITABLE.issuperset(map(type, chain(value, value.values()))):
        for name, item in value.items():
            if type(item) not in _WRITABLE or type(name) is not str:
                refuse_unwritable({name: item})
    try:
        text = _encode(value)
    except UnicodeEncodeError:
        return canonical_text(_unwritten(value))
    beyond_basic_plane = not text.isascii() and any(lead in text for lead in ASTRAL_LEADS)
    return canonical_text(_unwritten(value)) if beyond_basic_plane else text.decode()


def _unwritten(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: msgspec.json.decode(item) if type(item) is msgspec.Raw else item for name, item in value.items()}


def plain_fact(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a fact as the ledger can write it; lists of reasons and of checks as their canonical text."""
    return {name: item if type(item) is str else _told(item) if type(item) is tuple else plain(item) for name, item in value.items()}


def plain(value: Any) -> Any:
    """Return a value as the ledger can write it."""
    convert = _QUICK.get(type(value))
    if convert is not None:
        return convert(value)
    for types, convert in _PLAIN:
        if isinstance(value, types):
            return convert(value)
    return value


def _told(values: tuple[Any, ...]) -> Any:
    """Return a list of reasons or checks as text; any other list, and one with letters that have no UTF-8, part by part."""
    if not values or type(values[0]) not in (Reason, Check):
        return _plain_list(values)
    try:
        return msgspec.Raw(f"[{','.join(map(_text_of, values))}]".encode())
    except UnicodeEncodeError:
        return _plain_list(values)


def plain_reason(reason: Reason) -> dict[str, Any]:
    """Return a reason as the ledger tells it."""
    return {"rule": reason.rule, "text": reason.text, "source": reason.source}


def plain_check(check: Check) -> dict[str, Any]:
    """Return a check as the ledger tells it."""
    return {"name": check.name, "passed": check.passed, "text": check.text}


@lru_cache(maxsize=16_384)
def _text_of(value: Reason | Check) -> str:
    return canonical_text(plain(value))


def _same(value: Any) -> Any:
    return value


def _plain_mapping(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item if type(item) is str else plain(item) for name, item in value.items()}


def _plain_list(value: Iterable[Any]) -> list[Any]:
    return [plain(item) for item in value]


_PLAIN: tuple[tuple[tuple[type, ...], Any], ...] = (
    ((dict, Mapping), _plain_mapping),
    ((list, tuple), _plain_list),
    ((Enum,), lambda value: value.value),
    ((Fraction,), fraction_text),
    ((Decimal,), lambda value: format(value, "f")),
    ((datetime,), lambda value: instant_text(value.astimezone(UTC))),
    ((date,), date.isoformat),
)
_QUICK: dict[type, Callable[[Any], Any]] = {
    str: _same, int: _same, bool: _same, type(None): _same, dict: _plain_mapping, list: _plain_list, tuple: _plain_list, Fraction: fraction_text,
    Reason: plain_reason, Check: plain_check,
}  # fmt: skip
