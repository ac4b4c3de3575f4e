"""How the members of a record become the values of a row and back, derived once from their type hints."""

import dataclasses
import types
import typing
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Any, NewType, Union

import msgspec

Convert = Callable[[Any], Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Codec:
    """Both ways of one column; None where the value is kept as it is. A null stays a null where it is allowed.

    `keeps_its_form`: what is read is what was written, also by its type and its offset.
    """

    encode: Convert | None
    decode: Convert | None
    optional: bool
    keeps_its_form: bool = True

    def encode_all(self, values: list[Any]) -> list[Any]:
        """Return a column of members as a column of row values."""
        return _all(self.encode, values, self.optional)

    def decode_all(self, values: list[Any]) -> list[Any]:
        """Return a column of row values as a column of members."""
        return _all(self.decode, values, self.optional)

    def encode_one(self, value: Any) -> Any:
        """Return one member as a row value."""
        return value if self.encode is None or value is None else self.encode(value)

    def decode_one(self, value: Any) -> Any:
        """Return one row value as a member."""
        return value if self.decode is None or value is None else self.decode(value)


def codecs_of(record_type: type) -> dict[str, Codec]:
    """Return the codec of each member of a dataclass, in the order of its members; raise TypeError for a float."""
    hints = typing.get_type_hints(record_type)
    return {field.name: _codec(hints[field.name]) for field in dataclasses.fields(record_type)}


def instant_column(value: datetime) -> str:
    """Return an instant as sortable ISO text in UTC; naive times are refused."""
    if value.tzinfo is UTC:
        return value.isoformat()
    if value.tzinfo is None:
        raise ValueError("an instant needs its offset")
    return value.astimezone(UTC).isoformat()


def fraction_column(value: Fraction) -> str:
    """Return an exact quantity as `n/d`."""
    return f"{value.numerator}/{value.denominator}"


@lru_cache(maxsize=4096)
def fraction_member(text: str) -> Fraction:
    """Return the quantity written as `n/d`."""
    numerator, denominator = text.split("/")
    return Fraction(int(numerator), int(denominator))


_SIMPLE: dict[Any, tuple[Convert | None, Convert | None]] = {
    str: (None, None),
    int: (None, None),
    bool: (int, bool),
    datetime: (instant_column, datetime.fromisoformat),
    date: (date.isoformat, lru_cache(maxsize=4096)(date.fromisoformat)),
    Decimal: (str, lru_cache(maxsize=4096)(Decimal)),
    Fraction: (fraction_column, fraction_member),
}


def _codec(hint: Any) -> Codec:
    members, optional = _without_none(hint)
    kind = members[0]
    while isinstance(kind, NewType):
        kind = kind.__supertype__
    if kind is float:
        raise TypeError("a record holds no floats")
    if len(members) == 1 and kind in _SIMPLE:
        return Codec(*_SIMPLE[kind], optional, kind is not datetime)
    if len(members) == 1 and isinstance(kind, type) and issubclass(kind, StrEnum):
        return Codec(
            {member: member.value for member in kind}.__getitem__, {m.value: m for m in kind}.__getitem__, optional
        )
    return _json_codec(members, optional)


def _without_none(hint: Any) -> tuple[tuple[Any, ...], bool]:
    if typing.get_origin(hint) not in {Union, types.UnionType}:
        return (hint,), False
    members = typing.get_args(hint)
    return tuple(member for member in members if member is not type(None)), type(None) in members


def _json_codec(members: tuple[Any, ...], optional: bool) -> Codec:
    """Return the codec of a tuple or a nested record: JSON text."""
    encoder = msgspec.json.Encoder(enc_hook=_to_json)
    decoder = msgspec.json.Decoder(Union[members], dec_hook=_from_json)  # noqa: UP007

    def encode(value: Any) -> str:
        return "[]" if value == () else encoder.encode(value).decode()

    return Codec(encode, decoder.decode, optional, False)


def _to_json(value: Any) -> Any:
    if isinstance(value, Fraction):
        return fraction_column(value)
    raise TypeError(f"{type(value).__name__} has no column form")


def _from_json(kind: type, value: Any) -> Any:
    if kind is Fraction:
        return fraction_member(value)
    raise TypeError(f"{kind.__name__} has no column form")


def _all(convert: Convert | None, values: list[Any], optional: bool) -> list[Any]:
    if convert is None:
        return values
    if optional:
        return [None if value is None else convert(value) for value in values]
    return [convert(value) for value in values]
