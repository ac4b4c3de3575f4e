"""The parts of a label at a given size: texts that shrink into a width, drug rows, warning bars, rows of a list."""

from dataclasses import dataclass

from labels.content import DoseText, RowText
from labels.errors import LabelOverflow
from labels.fonts import Face, text_width
from labels.geometry import Box, Sheet, height_of
from labels.template import TextSpec
from labels.textflow import Line, pieces_of, wrap, wrap_text

EDGE_DOTS = 8
GAP_DOTS = 16
SIZES = (60, 54, 50, 46, 42, 40, 38, 36, 34, 32, 30, 28, 26, 24, 22, 20)
"""Through which a text shrinks from its size of the template to 7 pt."""
UNITS_SHARE = 0.55
"""Units wider than this part of the row go below the drug's name instead of beside it."""
MOST_MARK_LINES = 3


def required(lines: list[Line] | None, field: str, text: str) -> list[Line]:
    """Raise LabelOverflow where a word alone is wider than its box."""
    if lines is None:
        raise LabelOverflow(f"{field}: a word of {text!r} is wider than its place")
    return lines


def set_text(spec: TextSpec, text: str, size: int, width: int, beside: int) -> list[Line]:
    """Set a text at `size` or the next smaller one at which it keeps its lines; raises LabelOverflow.

    A flat text takes one line, however small, before it takes more, any other two; one that grows may be larger where what
    stands `beside` it is high enough.
    """
    face = Face.BOLD if spec.bold else Face.REGULAR
    if not text:
        return []
    if not spec.lines:
        return required(wrap_text(text, face, size, width), spec.field, text)
    larger = [each for each in SIZES if each > size] if spec.grow else []
    sizes = (*larger, size, *(each for each in SIZES if each < size))
    for most in sorted({1 if spec.flat else min(2, spec.lines), spec.lines}):
        for each in sizes:
            lines = wrap_text(text, face, each, width)
            if lines is not None and len(lines) <= most and (each <= size or height_of(lines) <= beside):
                return lines
    raise LabelOverflow(f"{spec.field}: {text!r} does not fit {width} dots in {spec.lines} lines at 7 pt")


@dataclass(frozen=True, slots=True)
class DoseRow:
    """One drug: its lines, and its units either on the first line or, where that is too narrow, below."""

    lines: list[Line]
    units: list[Line]
    beside: bool
    high_alert: bool

    @property
    def height(self) -> int:
        """Give the height in dots, with the black edge of a high-alert row."""
        left, right = height_of(self.lines), height_of(self.units)
        return (max(left, right) if self.beside else left + right) + (4 if self.high_alert else 0)


def dose_row(dose: DoseText, size: int, width: int) -> DoseRow:
    """Set one drug at a size in dots; raises LabelOverflow."""
    width -= 2 * EDGE_DOTS if dose.high_alert else 0
    pieces = pieces_of(dose.name, Face.BOLD) + pieces_of(dose.form, Face.REGULAR)
    units_width = text_width(Face.BOLD, size, dose.units)
    if units_width <= width * UNITS_SHARE:
        units = required(wrap_text(dose.units, Face.BOLD, size, units_width), "units", dose.units)
        beside = wrap(pieces, size, width - units_width - (GAP_DOTS if units else 0))
        if beside is not None and len(units) <= 1:
            return DoseRow(beside, units, True, dose.high_alert)
    lines = required(wrap(pieces, size, width), "drug", f"{dose.name} {dose.form}")
    units = required(wrap_text(dose.units, Face.BOLD, size, width), "units", dose.units)
    return DoseRow(lines, units, False, dose.high_alert)


def place_dose(sheet: Sheet, row: DoseRow, area: Box, y: int) -> int:
    """Draw a drug row, white on black where it is a high-alert drug; returns the y below it."""
    edge, top = (EDGE_DOTS, y + 2) if row.high_alert else (0, y)
    if row.high_alert:
        sheet.bars.append(Box(area.x, y, area.width, row.height))
    below = sheet.left(row.lines, area.x + edge, top, inverted=row.high_alert)
    sheet.right(row.units, area.right - edge, top if row.beside else below, inverted=row.high_alert)
    return y + row.height


def mark_lines(marks: tuple[str, ...], size: int, width: int) -> list[Line]:
    """Set the warnings, several on a line where they fit; one is broken only where it alone is wider; raises LabelOverflow."""
    rows: list[str] = []
    for mark in marks:
        joined = f"{rows[-1]} · {mark}" if rows else mark
        if rows and text_width(Face.BOLD, size, joined) <= width:
            rows[-1] = joined
        else:
            rows.append(mark)
    return [line for row in rows for line in _mark(row, size, width)]


def _mark(mark: str, size: int, width: int) -> list[Line]:
    lines = required(wrap_text(mark, Face.BOLD, size, width), "marks", mark)
    if len(lines) > MOST_MARK_LINES:
        raise LabelOverflow(f"marks: {mark!r} takes more than {MOST_MARK_LINES} lines")
    return lines


def place_marks(sheet: Sheet, lines: list[Line], area: Box, y: int) -> int:
    """Draw warnings white on one black bar over the whole width; returns the y below it."""
    height = height_of(lines) + 4
    sheet.bars.append(Box(area.x, y, area.width, height))
    sheet.centred(lines, area, y + 2, inverted=True)
    return y + height


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row of a list, set: the first column, the name in as many lines as it needs, the count."""

    first: list[Line]
    name: list[Line]
    count: list[Line]

    @property
    def height(self) -> int:
        """Give the height in dots, with the line below."""
        return max(height_of(self.first), height_of(self.name), height_of(self.count)) + 2


def list_row(row: RowText, size: int, narrow: int, width: int) -> ListRow:
    """Set one row of a list at a size in dots; raises LabelOverflow."""
    count = required(wrap_text(row.count, Face.BOLD, size, width), "count", row.count)
    first = required(wrap_text(row.first, Face.BOLD, size, narrow), "room", row.first)
    left = width - narrow - 2 * GAP_DOTS - max(line.width for line in count)
    return ListRow(first, required(wrap_text(row.name, Face.REGULAR, size, left), "patient", row.name), count)


def place_list_row(sheet: Sheet, row: ListRow, area: Box, narrow: int, y: int) -> int:
    """Draw a row of a list with a line below it; returns the y below."""
    sheet.left(row.first, area.x, y)
    sheet.left(row.name, area.x + narrow + GAP_DOTS, y)
    sheet.right(row.count, area.right, y)
    sheet.bars.append(Box(area.x, y + row.height - 2, area.width, 2))
    return y + row.height
