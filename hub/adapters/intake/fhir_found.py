"""A resource as it was found in a file, not yet decoded, and the words in which one that cannot be decoded is refused."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from hub.adapters.intake.fhir_model import Kind
from hub.domain.words import Words

# FHIR ids have 64 characters at most; what is longer than any system's own ids is none.
LONGEST_ID = 200
ORDER_KINDS = frozenset({"MedicationRequest", "MedicationOrder"})
_TREE = msgspec.json.Decoder(float_hook=str)

_EXPECTED = re.compile(r"Expected (.*), got (.*)")
_BYTE = re.compile(r"\(byte (\d+)\)")
_WHY_RU = {
    "Input data was truncated": "JSON обрывается", "Object missing required field": "нет обязательного поля", "Invalid UTF-8": "текст не в UTF-8",
    "Number out of range": "число вне допустимого", "maximum recursion depth": "слишком глубокая вложенность", "Invalid decimal": "это не число",
}  # fmt: skip

Resource = TypeVar("Resource", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Unread:
    """Why something could not be decoded: the member (may be empty) and the reason."""

    field: str
    reason: Words


@dataclass(slots=True)
class Found:
    """One resource of a file: where it stands, what it is and what it is called; `problem`: why it can be nothing more (None: it can)."""

    position: str
    kind: str
    identity: str
    full_url: str
    raw: bytes | msgspec.Raw
    field: str = ""
    problem: Words | None = None
    subject: bytes | msgspec.Raw = b""


def found_resource(position: str, raw: bytes | msgspec.Raw, full_url: str = "") -> Found:
    """Return a resource with its kind and id; one that is no JSON object has a problem."""
    head = decoded(Kind, raw)
    if isinstance(head, Unread):
        problem = Words(f"it is not a resource in JSON: {head.reason.en}", f"это не ресурс в JSON: {head.reason.ru}")
        return Found(position, kind_in(raw), type_and_id(full_url)[1], full_url, raw, head.field, problem)
    identity = head.id or type_and_id(full_url)[1]
    return Found(position, head.resource_type, identity if len(identity) <= LONGEST_ID else "", full_url, raw, subject=head.subject)


def kind_in(raw: bytes | msgspec.Raw) -> str:
    """Return the kind of something that cannot be decoded: an order where it names one, so that it stays a line."""
    return "MedicationRequest" if b'"MedicationRequest"' in bytes(raw) else ""


def decoded(kind: type[Resource], raw: bytes | msgspec.Raw) -> Resource | Unread:
    """Return the decoded resource, or why it cannot be decoded; no other error comes out of it."""
    try:
        value: Resource = decoder_of(kind).decode(raw)
    except RecursionError:
        return Unread("", Words("it is nested too deeply", "слишком глубокая вложенность"))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        reason, _, path = str(error).partition(" - at `$")
        return Unread(path.rstrip("`").removeprefix("."), _why(reason))
    return value


def _why(reason: str) -> Words:
    """Return what the decoder says is wrong, in both languages."""
    if expected := _EXPECTED.fullmatch(reason):
        return Words(reason, f"нужно {expected[1]}, а стоит {expected[2]}".replace(" of length ", " длины "))
    place = f" (байт {byte[1]})" if (byte := _BYTE.search(reason)) else ""
    return Words(reason, next((russian for start, russian in _WHY_RU.items() if reason.startswith(start)), f"JSON повреждён{place}"))


def tree_of(raw: bytes | msgspec.Raw) -> Any:
    """Return JSON as dicts and lists, numbers with a point as text, or an Unread."""
    try:
        return _TREE.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        return Unread("", _why(str(error)))


@lru_cache(maxsize=64)
def decoder_of(kind: type[Resource]) -> "msgspec.json.Decoder[Resource]":
    """Return the decoder of a kind, made once."""
    return msgspec.json.Decoder(kind)


@lru_cache(maxsize=8192)
def type_and_id(reference: str) -> tuple[str, str]:
    """Return (type, id) of a reference: relative, absolute, versioned, `urn:uuid:` (which has no type)."""
    if reference.startswith("urn:"):
        return "", reference.rpartition(":")[2]
    parts = reference.partition("/_history/")[0].split("/")
    return (parts[-2] if len(parts) > 1 else ""), parts[-1]
