"""The two vendored faces: glyph coverage, advance widths and loaded sizes, each read once."""

import struct
import unicodedata
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files

from PIL import ImageFont

from labels.errors import UnprintableText

_BREAKS = ("Zl", "Zp")
"""A line or paragraph that ends inside a name would be drawn as if it were not there."""


class Face(StrEnum):
    """A vendored font file."""

    REGULAR = "DejaVuSansCondensed.ttf"
    BOLD = "DejaVuSansCondensed-Bold.ttf"


@cache
def font(face: Face, size: int) -> ImageFont.FreeTypeFont:
    """Load a face at a size in dots of the em square; its basic layout places glyphs one after the other."""
    return ImageFont.truetype(str(files(__name__) / face.value), size, layout_engine=ImageFont.Layout.BASIC)


def ascent(size: int) -> int:
    """Give the dots from the top of a line to its base line: a capital with breve or ring reaches 0.93 em."""
    return round(size * 0.93)


def line_height(size: int) -> int:
    """Give the dots from line to line; descenders reach 0.24 em below the base line, into the next line's accents."""
    return round(size * 1.12)


@cache
def _advance(face: Face, size: int, character: str) -> int:
    return round(font(face, size).getlength(character, mode="1"))


@lru_cache(maxsize=32768)
def text_width(face: Face, size: int, text: str) -> int:
    """Measure one line in dots as the sum of its glyphs' advances; kerning only narrows it."""
    return sum([_advance(face, size, character) for character in text])


def printable(text: str, field: str) -> str:
    """Compose the text (NFC) and fold its white space (no-break spaces stay); raises UnprintableText naming the field."""
    composed = " ".join(unicodedata.normalize("NFC", text).replace("\t", " ").replace("\n", " ").split(" ")).strip(" ")
    while "  " in composed:
        composed = composed.replace("  ", " ")
    for character in set(composed):
        if not _is_printable(character):
            raise UnprintableText(
                f"{field}: the label font cannot print {character!r} (U+{ord(character):04X}) of {composed!r}"
            )
    return composed


@cache
def _is_printable(character: str) -> bool:
    category = unicodedata.category(character)
    if category[0] in "CM" or category in _BREAKS or unicodedata.bidirectional(character) in ("R", "AL", "AN"):
        return False
    return all(_covers(face, ord(character)) for face in Face)


def _covers(face: Face, code: int) -> bool:
    return any(start <= code <= end for start, end in _coverage(face))


@cache
def _coverage(face: Face) -> tuple[tuple[int, int], ...]:
    """Read the ranges of code points that have a glyph: OpenType `cmap`, platform 3, encoding 10, format 12."""
    content = (files(__name__) / face.value).read_bytes()
    table = _cmap_offset(content)
    for index in range(struct.unpack_from(">H", content, table + 2)[0]):
        platform, encoding, offset = struct.unpack_from(">HHI", content, table + 4 + 8 * index)
        if (platform, encoding) == (3, 10):
            subtable = table + offset
            groups = struct.unpack_from(">I", content, subtable + 12)[0]
            found = (struct.unpack_from(">III", content, subtable + 16 + 12 * group) for group in range(groups))
            return tuple((start, end) for start, end, _ in found)
    raise ValueError(f"{face.value} has no cmap of format 12")


def _cmap_offset(content: bytes) -> int:
    for index in range(struct.unpack_from(">H", content, 4)[0]):
        tag, _, offset, _ = struct.unpack_from(">4sIII", content, 12 + 16 * index)
        if tag == b"cmap":
            return int(offset)
    raise ValueError("the font has no cmap")
