"""One cell that holds several fields, taken apart by what stands between them: `{room}/{bed}`, `пал. {room}, койка {bed?}`.

Each sign is looked for once, from left to right: the time is linear in the cell, whatever is written in it.
"""

import re
from dataclasses import dataclass

from hub.domain.words import Unfit

SKIPPED = "_"
LONGEST_CELL = 500
_PART = re.compile(r"\{(\w+)(\?)?\}")


@dataclass(frozen=True, slots=True)
class _Part:
    """One field and the sign that ends it (None: the end of the cell)."""

    field: str
    may_be_blank: bool
    sign: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern as it is written, the sign that the cell begins with, and its parts."""

    written: str
    begins: re.Pattern[str] | None
    parts: tuple[_Part, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the fields that the pattern fills."""
        return tuple(part.field for part in self.parts if part.field != SKIPPED)

    def match(self, text: str) -> dict[str, str] | None:
        """Return the fields of a cell; None where it does not fit."""
        text = " ".join(text.split())
        if len(text) > LONGEST_CELL:
            return None
        begin = self.begins.match(text) if self.begins is not None else None
        if self.begins is not None and begin is None:
            return None
        return self._taken(text, begin.end() if begin is not None else 0)

    def _taken(self, text: str, position: int) -> dict[str, str] | None:
        found = {}
        for part in self.parts:
            end = part.sign.search(text, position) if part.sign is not None else None
            if part.sign is not None and end is None:
                return None
            value = (text[position:] if end is None else text[position : end.start()]).strip()
            position = len(text) if end is None else end.end()
            if not value and not part.may_be_blank:
                return None
            found[part.field] = value
        found.pop(SKIPPED, None)
        return found if position == len(text) else None


def read_pattern(written: str) -> Pattern:
    """Return a pattern: text stands for itself in any case, `{bed?}` may be blank, `{_}` is skipped; raise ValueError where it is none."""
    pieces = _PART.split(written)
    names, marks, signs = pieces[1::3], pieces[2::3], [_sign(text) for text in pieces[3::3]]
    named = [name for name in names if name != SKIPPED]
    if not named:
        raise Unfit(
            f"the pattern {written!r} names no field, like {{room}}/{{bed}}",
            f"в образце {written!r} нет ни одного поля вида {{room}}/{{bed}}",
        )
    if len(set(named)) != len(named):
        raise Unfit(f"a field is in the pattern {written!r} twice", f"в образце {written!r} поле указано дважды")
    if any(sign is None for sign in signs[:-1]):
        raise Unfit(
            f"two fields of the pattern {written!r} have nothing between them",
            f"в образце {written!r} между двумя полями ничего нет",
        )
    parts = tuple(_Part(name, bool(mark), sign) for name, mark, sign in zip(names, marks, signs, strict=True))
    return Pattern(written, _sign(pieces[0]), parts)


def _sign(text: str) -> re.Pattern[str] | None:
    if not text:
        return None
    words = r"\s*".join(re.escape(word) for word in text.split())
    return re.compile(rf"\s*{words}\s*" if words else r"\s+", re.IGNORECASE)
