"""Boxes, text runs and symbol places of a label at 203 dpi: what a layout is made of, before any dot is drawn."""

from dataclasses import dataclass
from enum import StrEnum

from labels.fonts import Face, line_height, text_width
from labels.textflow import Line

DOTS_PER_MM = 8


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in dots."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """Give the first column past the box."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """Give the first row past the box."""
        return self.y + self.height


def apart(first: Box, second: Box) -> bool:
    """Tell whether two boxes have no dot in common."""
    beside = first.right <= second.x or second.right <= first.x
    return beside or first.bottom <= second.y or second.bottom <= first.y


def box_mm(x_mm: float, y_mm: float, width_mm: float, height_mm: float) -> Box:
    """Make a box of millimetres, which must be whole dots; raises ValueError."""
    dots = [value * DOTS_PER_MM for value in (x_mm, y_mm, width_mm, height_mm)]
    if any(value != int(value) for value in dots):
        raise ValueError(f"not whole dots: {dots}")
    return Box(*(int(value) for value in dots))


@dataclass(frozen=True, slots=True)
class TextRun:
    """A text of one face and size (dots) in its box of whole line height; inverted is white on a bar."""

    box: Box
    text: str
    face: Face
    size: int
    inverted: bool = False


class SymbolKind(StrEnum):
    """The code drawn in a symbol place."""

    DATA_MATRIX = "data-matrix"
    CODE_128 = "code-128"


@dataclass(frozen=True, slots=True)
class SymbolPlace:
    """The box of a code with its quiet zone; the code stands in the middle of it."""

    box: Box
    kind: SymbolKind
    module_dots: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole label, sizes in dots: bars are filled first, then texts and codes are drawn."""

    width: int
    height: int
    bars: tuple[Box, ...]
    runs: tuple[TextRun, ...]
    symbols: tuple[SymbolPlace, ...]
    code: str


class Sheet:
    """What has been placed so far."""

    def __init__(self) -> None:
        self.bars: list[Box] = []
        self.runs: list[TextRun] = []

    def line(self, line: Line, x: int, y: int, *, inverted: bool = False) -> None:
        """Place a line with its left upper corner at (x, y)."""
        for span in line.spans:
            width = text_width(span.face, line.size, span.text)
            box = Box(x + span.offset, y, width, line_height(line.size))
            self.runs.append(TextRun(box, span.text, span.face, line.size, inverted))

    def left(self, lines: list[Line], x: int, y: int, *, inverted: bool = False) -> int:
        """Place lines below each other from x on; returns the y below them."""
        for line in lines:
            self.line(line, x, y, inverted=inverted)
            y += line.height
        return y

    def right(self, lines: list[Line], right: int, y: int, *, inverted: bool = False) -> int:
        """Place lines that end before the column `right`; returns the y below them."""
        for line in lines:
            self.line(line, right - line.width, y, inverted=inverted)
            y += line.height
        return y

    def centred(self, lines: list[Line], box: Box, y: int, *, inverted: bool = False) -> int:
        """Place lines in the middle of a box's width; returns the y below them."""
        for line in lines:
            self.line(line, box.x + (box.width - line.width) // 2, y, inverted=inverted)
            y += line.height
        return y


def height_of(lines: list[Line]) -> int:
    """Add up the heights of lines, in dots."""
    return sum(line.height for line in lines)
