"""Break words into lines of a width in dots: words stay whole, and nothing is ever left out."""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from labels.fonts import Face, line_height, text_width

_WORDS = re.compile(r"[^ ]+")
_HYPHEN = re.compile(r"(?<!\d)-(?![\d-]|$)")
_HYPHEN_OR_SLASH = re.compile(r"(?<!\d)-(?![\d-]|$)|(?<=[^\W\d]{4})/(?=[^\W\d]{4})")
"""A line may end at a blank, or inside a word after a hyphen that has no figure beside it, or after a slash between words.

Figures and units stay whole (`5000 IU/mL`, `500 mg/125 mg`): half of a concentration is another one.
"""


@dataclass(frozen=True, slots=True)
class Piece:
    """What is not broken any further; `glued` stands against the piece before it without a blank."""

    text: str
    face: Face
    glued: bool


@dataclass(frozen=True, slots=True)
class Span:
    """Text of one face within a line, `offset` dots from the line's start."""

    offset: int
    text: str
    face: Face


@dataclass(frozen=True, slots=True)
class Line:
    """One line at one size: spans, and its whole width and height in dots."""

    spans: tuple[Span, ...]
    size: int
    width: int

    @property
    def height(self) -> int:
        """Give the dots to the next line."""
        return line_height(self.size)


@lru_cache(maxsize=4096)
def pieces_of(text: str, face: Face) -> tuple[Piece, ...]:
    """Split a text where a line may end."""
    return tuple(
        Piece(part, face, number > 0) for word in _WORDS.findall(text) for number, part in enumerate(_parts_of(word))
    )


def _parts_of(word: str) -> list[str]:
    breaks = _HYPHEN if any(character.isdigit() for character in word) else _HYPHEN_OR_SLASH
    ends = [0, *(found.end() for found in breaks.finditer(word)), len(word)]
    return [word[start:end] for start, end in pairwise(ends)]


def wrap(pieces: tuple[Piece, ...], size: int, width: int) -> list[Line] | None:
    """Fill lines of at most `width` dots in order; None if one piece alone is wider. No piece, no line."""
    lines = _wrapped(pieces, size, width)
    return None if lines is None else list(lines)


@lru_cache(maxsize=4096)
def _wrapped(pieces: tuple[Piece, ...], size: int, width: int) -> tuple[Line, ...] | None:
    """Wrap once what a label tries again at every step."""
    lines: list[Line] = []
    current: list[Piece] = []
    used = 0
    for piece in pieces:
        needed = text_width(piece.face, size, piece.text)
        if needed > width:
            return None
        gap = 0 if piece.glued or not current else text_width(piece.face, size, " ")
        if current and used + gap + needed > width:
            lines.append(_line(current, size))
            current, used, gap = [], 0, 0
        current.append(piece)
        used += gap + needed
    return (*lines, _line(current, size)) if current else ()


def wrap_text(text: str, face: Face, size: int, width: int) -> list[Line] | None:
    """Wrap a text of one face."""
    return wrap(pieces_of(text, face), size, width)


def _line(pieces: list[Piece], size: int) -> Line:
    spans: list[Span] = []
    text, start, end = pieces[0].text, 0, text_width(pieces[0].face, size, pieces[0].text)
    for before, piece in pairwise(pieces):
        blank = "" if piece.glued else " "
        added = text_width(piece.face, size, blank + piece.text)
        if piece.face is before.face:
            text += blank + piece.text
        else:
            spans.append(Span(start, text, before.face))
            text, start = piece.text, end + text_width(piece.face, size, blank)
        end += added
    return Line((*spans, Span(start, text, pieces[-1].face)), size, end)
