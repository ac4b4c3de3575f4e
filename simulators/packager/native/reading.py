"""Reads JSON of others member by member; what does not fit is named by its place, such as `$.slots[0].count`."""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any


class Misfit(ValueError):
    """A message is not what docs/mqtt.md says; `field` is the place."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field


class Members:
    """The members of one JSON object at `place`; members that nobody asks for are ignored."""

    def __init__(self, found: Any, place: str = "$") -> None:
        if not isinstance(found, dict):
            raise Misfit(place, "an object is wanted")
        self._found = found
        self._place = place

    def whole(self, name: str, least: int, most: int) -> int:
        """Give a whole number from `least` to `most`."""
        value = self._value(name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.misfit(name, f"a whole number from {least} to {most} is wanted")
        return value

    def text(self, name: str, pattern: str) -> str:
        """Give a text that `pattern` matches as a whole."""
        value = self._value(name)
        if not isinstance(value, str) or re.fullmatch(pattern, value, re.DOTALL) is None:
            raise self.misfit(name, f"a text like {pattern} is wanted")
        return value

    def word(self, name: str, words: Sequence[str]) -> int:
        """Give the place of a text among `words`."""
        value = self._value(name)
        if not isinstance(value, str) or value not in words:
            raise self.misfit(name, f"one of {', '.join(words)} is wanted")
        return words.index(value)

    def words(self, name: str, words: Sequence[str]) -> list[int]:
        """Give the places of a list of texts among `words`."""
        value = self._value(name)
        if not isinstance(value, list) or not all(isinstance(each, str) and each in words for each in value):
            raise self.misfit(name, f"a list of {', '.join(words)} is wanted")
        return [words.index(each) for each in value]

    def moment(self, name: str) -> float:
        """Give a time with its zone as seconds since 1970."""
        value = self._value(name)
        try:
            told = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise self.misfit(name, "a time of RFC 3339 is wanted") from None
        if told.tzinfo is None:
            raise self.misfit(name, "a time with its zone is wanted")
        try:
            return told.timestamp()
        except OverflowError:
            raise self.misfit(name, "a time between the years 1 and 9999 is wanted") from None

    def data(self, name: str, most: int) -> bytes:
        """Give 1 to `most` bytes out of their base64."""
        value = self._value(name)
        try:
            told = base64.b64decode(value, validate=True)
        except (TypeError, ValueError, binascii.Error):
            raise self.misfit(name, "base64 is wanted") from None
        if not 1 <= len(told) <= most:
            raise self.misfit(name, f"1 to {most} bytes are wanted")
        return told

    def object(self, name: str) -> "Members":
        """Give the members of an object within this one."""
        return Members(self._value(name), f"{self._place}.{name}")

    def objects(self, name: str, least: int, most: int) -> list["Members"]:
        """Give the members of each object of a list of `least` to `most`."""
        value = self._value(name)
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise self.misfit(name, f"a list of {least} to {most} is wanted")
        return [Members(each, f"{self._place}.{name}[{at}]") for at, each in enumerate(value)]

    def misfit(self, name: str, reason: str) -> Misfit:
        """Make the refusal of one member."""
        return Misfit(f"{self._place}.{name}", reason)

    def _value(self, name: str) -> Any:
        if name not in self._found:
            raise self.misfit(name, "it is missing")
        return self._found[name]


def parse(message: bytes) -> Any:
    """Give the JSON of a message in UTF-8; raises Misfit."""
    try:
        return json.loads(message.decode())
    except (ValueError, RecursionError) as error:
        raise Misfit("$", f"no JSON: {error}") from None


def named_seq(message: bytes) -> int:
    """Give the `seq` of a message that may otherwise be wrong, or 0."""
    seq = _member(message, "seq")
    return seq if type(seq) is int and 0 < seq < 1 << 63 else 0


def _member(message: bytes, name: str) -> Any:
    try:
        found = parse(message)
    except Misfit:
        return None
    return found.get(name) if isinstance(found, dict) else None


def named_command(message: bytes) -> str:
    """Give the `command` of a message that may otherwise be wrong, or an empty text."""
    name = _member(message, "command")
    # Half a surrogate pair can be escaped in JSON, and is no text that could be told again.
    return name[:200].encode(errors="replace").decode() if isinstance(name, str) else ""
