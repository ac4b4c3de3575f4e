"""ER7, the bars and hats of HL7 v2: text into segments, fields, components, and back.

Delimiters are those of MSH-1 and MSH-2, whatever they are. A value that is `""` was deleted by the sender and reads as empty;
`is_deleted` tells it from one that was not sent (HL7 v2.5.1, 2.5.3, 2.7).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from hub.adapters.intake.hl7.problems import ErrorCode, unreadable

MAXIMUM_CHARACTERS = 4 * 2**20
MAXIMUM_SEGMENTS = 5_000
MAXIMUM_FIELDS = 600
DELETED = '""'
_USUAL_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}")
_HEXADECIMAL = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_BREAKS = (".br", ".sp", ".ce")


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The characters that part a message; an empty one is not used by it."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""

    @property
    def encoding_characters(self) -> str:
        """Return MSH-2."""
        return self.component + self.repetition + self.escape + self.subcomponent + self.truncation


class Element(NamedTuple):
    """One repetition of a field."""

    raw: str
    delimiters: Delimiters

    def __bool__(self) -> bool:
        """Tell whether it says anything."""
        return bool(self.raw) and self.raw != DELETED

    def component(self, number: int) -> str:
        """Return a component as text; subcomponents in it keep their sign."""
        raw = self.raw
        return _clean(_part(raw, self.delimiters.component, number), self.delimiters) if raw else ""

    def subcomponent(self, number: int, sub: int) -> str:
        """Return a part of a component."""
        part = _part(self.raw, self.delimiters.component, number)
        return _clean(_part(part, self.delimiters.subcomponent, sub), self.delimiters) if part else ""


class Segment(NamedTuple):
    """One segment: `fields[0]` is its name; `sequence` is which one of that name it is in the message, from 1."""

    fields: list[str]
    delimiters: Delimiters
    sequence: int = 1

    @property
    def name(self) -> str:
        """Return the three letters."""
        return self.fields[0]

    def raw(self, field: int) -> str:
        """Return a field as it stands on the line; empty where the segment is shorter."""
        return self.fields[field] if field < len(self.fields) else ""

    def is_deleted(self, field: int) -> bool:
        """Tell whether the sender deleted a field."""
        return self.raw(field) == DELETED

    def repetitions(self, field: int) -> tuple[Element, ...]:
        """Return the repetitions of a field that say something."""
        text, delimiters = self.raw(field), self.delimiters
        if not text:
            return ()
        separator = delimiters.repetition
        parts = text.split(separator) if separator and separator in text else (text,)
        return tuple([Element(part, delimiters) for part in parts if not _is_blank(part, delimiters)])

    def element(self, field: int) -> Element:
        """Return the first repetition of a field that says something, or an empty one."""
        found = self.repetitions(field) if self.raw(field) else ()
        return found[0] if found else Element("", self.delimiters)

    def text(self, field: int) -> str:
        """Return a whole field as text, components and all."""
        raw = self.raw(field)
        return unescaped(raw, self.delimiters).strip() if raw else ""

    def value(self, field: int, component: int = 1) -> str:
        """Return one component of the first repetition that says something."""
        return self.element(field).component(component) if self.raw(field) else ""


def _part(text: str, separator: str, number: int) -> str:
    if not separator or separator not in text:
        return text if number == 1 else ""
    parts = text.split(separator, number)
    return parts[number - 1] if number <= len(parts) else ""


def _clean(text: str, delimiters: Delimiters) -> str:
    if not text or text == DELETED:
        return ""
    return unescaped(text, delimiters).strip()


def _is_blank(text: str, delimiters: Delimiters) -> bool:
    if text[:1].isalnum():
        return False
    return not text.strip(f"{delimiters.component}{delimiters.subcomponent} ")


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its segments, MSH first, in which field numbers are those of the standard (MSH-1 is the separator)."""

    segments: tuple[Segment, ...]
    delimiters: Delimiters

    @property
    def header(self) -> Segment:
        """Return MSH."""
        return self.segments[0]

    def first(self, name: str) -> Segment | None:
        """Return the first segment of a name."""
        return next((segment for segment in self.segments if segment.fields[0] == name), None)

    def all(self, name: str) -> Iterator[Segment]:
        """Yield the segments of a name."""
        return (segment for segment in self.segments if segment.fields[0] == name)


def parse(text: str) -> Message:
    """Return the message of a text that begins with MSH; raises UnreadableMessage with the place of what is wrong."""
    if len(text) > MAXIMUM_CHARACTERS:
        told = f"the message has {len(text)} characters, more than the limit of {MAXIMUM_CHARACTERS}"
        told_ru = f"в сообщении {len(text)} знаков, больше предела {MAXIMUM_CHARACTERS}"
        raise unreadable("MSH", 0, ErrorCode.VALUE_TOO_LONG, told, told_ru)
    delimiters = delimiters_of(text)
    lines = _lines(text, delimiters.field)
    if len(lines) > MAXIMUM_SEGMENTS:
        told, told_ru = f"more than {MAXIMUM_SEGMENTS} segments", f"больше {MAXIMUM_SEGMENTS} сегментов"
        raise unreadable("MSH", 0, ErrorCode.VALUE_TOO_LONG, told, told_ru)
    return Message(tuple(_segments(lines, delimiters)), delimiters)


def delimiters_of(text: str) -> Delimiters:
    """Return the delimiters that MSH-1 and MSH-2 declare; they must differ from each other."""
    return _declared(text[:16])


@lru_cache(maxsize=256)
def _declared(text: str) -> Delimiters:
    field = text[3:4]
    declared = re.split(f"[{re.escape(field)}\r\n]", text[4:16], maxsplit=1)[0] if field else ""
    parts = (field, *declared[:5])
    if not text.startswith("MSH") or not declared or len(set(parts)) != len(parts) or any(map(_is_no_delimiter, parts)):
        told = "it does not begin with MSH and four delimiters that differ"
        raise unreadable("MSH", 2, ErrorCode.REQUIRED_FIELD_MISSING, told, "нет MSH и четырёх разных разделителей в начале")
    return Delimiters(field, *(declared[:5].ljust(5)[at].strip() for at in range(5)))


def _is_no_delimiter(character: str) -> bool:
    return character.isalnum() or character.isspace() or character == '"'


def _lines(text: str, separator: str) -> list[str]:
    """Part a text where a segment's name follows a line end: CR, LF, CRLF; other line ends stay in the text of their field."""
    if "\n" not in text:
        lines = text.split("\r")
        if all(line[3:4] in (separator, "") and line[:1].isupper() for line in lines if line):
            return [line for line in lines if line]
    ending = re.compile(rf"[\r\n]+(?=[A-Z][A-Z0-9]{{2}}(?:{re.escape(separator)}|[\r\n]|$))")
    return [stripped for line in ending.split(text) if (stripped := line.strip("\r\n"))]


def _segments(lines: list[str], delimiters: Delimiters) -> Iterator[Segment]:
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        fields = line.split(delimiters.field, MAXIMUM_FIELDS + 1)
        name = fields[0]
        if not _USUAL_SEGMENT.fullmatch(name) or len(fields) > MAXIMUM_FIELDS:
            told = f"segment {number} is none: '{line[:20]}', or it has more than {MAXIMUM_FIELDS} fields"
            told_ru = f"сегмент {number} не читается: «{line[:20]}», или в нём больше {MAXIMUM_FIELDS} полей"
            raise unreadable(name[:3] or "MSH", 0, ErrorCode.SEGMENT_SEQUENCE, told, told_ru)
        seen[name] = sequence = seen.get(name, 0) + 1
        if number == 1:
            fields.insert(1, delimiters.field)
        yield Segment(fields, delimiters, sequence)


def unescaped(text: str, delimiters: Delimiters) -> str:
    """Return a text without its escape sequences (HL7 v2.5.1, 2.7); one that is unknown or open stays as it stands."""
    sign = delimiters.escape
    if not sign or sign not in text:
        return text
    parts = text.split(sign)
    result, at = [parts[0]], 1
    while at < len(parts):
        meaning = _meaning(parts[at], delimiters) if at + 1 < len(parts) else None
        result += [sign, parts[at]] if meaning is None else [meaning, parts[at + 1]]
        at += 1 if meaning is None else 2
    return "".join(result)


def _meaning(code: str, delimiters: Delimiters) -> str | None:
    """Return what an escape sequence stands for: highlighting and local ones (`H`, `N`, `Zxx`) stand for nothing to read."""
    signs = _signs(delimiters)
    if code in signs:
        return signs[code]
    if code[:1] == "X" and _HEXADECIMAL.fullmatch(code[1:]):
        return _of_bytes(bytes.fromhex(code[1:]))
    if code.startswith(_BREAKS):
        return "\n"
    if code[:1] in (".", "C", "M") and len(code) > 1:
        return ""
    return f"[{code}]" if code[:1] == "Z" else None


def _of_bytes(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


@lru_cache(maxsize=64)
def _signs(delimiters: Delimiters) -> dict[str, str]:
    return {
        "F": delimiters.field,
        "S": delimiters.component,
        "T": delimiters.subcomponent,
        "R": delimiters.repetition,
        "E": delimiters.escape,
        "P": delimiters.truncation or "#",
        "H": "",
        "N": "",
    }


def escaped(text: str, delimiters: Delimiters) -> str:
    """Return a text as a value of a message: delimiters, the escape sign and line ends as escape sequences."""
    return text.translate(_translation(delimiters))


@lru_cache(maxsize=64)
def _translation(delimiters: Delimiters) -> dict[int, str]:
    sign = delimiters.escape
    if not sign:
        return {ord(one): " " for one in [*_signs(delimiters).values(), "\r", "\n"] if one}
    names = {value: f"{sign}{name}{sign}" for name, value in _signs(delimiters).items() if value and name != "P"}
    return {ord(value): name for value, name in names.items()} | {ord("\r"): f"{sign}X0D{sign}", ord("\n"): f"{sign}.br{sign}"}
