"""The parts of a label at a given size: texts that shrink into a box, drug rows, warning bars."""

from dataclasses import dataclass

from labels.content import DoseText
from labels.errors import LabelOverflow
from labels.fonts import Face, text_width
from labels.geometry import Box, Sheet, height_of
from labels.textflow import Line, pieces_of, wrap, wrap_text

SMALLEST_TEXT_DOTS = 20
"""7 pt at 203 dpi: the least that the European readability guideline allows on small packs."""
EDGE_DOTS = 8
GAP_DOTS = 16
UNITS_SHARE = 0.55
"""Units wider than this part of the row go below the drug's name instead of beside it."""


def required(lines: list[Line] | None, what: str) -> list[Line]:
    """Raise LabelOverflow where a word alone is wider than its box."""
    if lines is None:
        raise LabelOverflow(f"a word is wider than its box: {what!r}")
    return lines


def shrink(text: str, face: Face, box: Box, sizes: tuple[int, ...], most_lines: int) -> list[Line]:
    """Wrap a text at the first size that keeps to the box and the line limit; raises LabelOverflow."""
    for size in sizes:
        lines = wrap_text(text, face, size, box.width)
        if lines is not None and len(lines) <= most_lines and height_of(lines) <= box.height:
            return lines
    raise LabelOverflow(f"{text!r} does not fit {box.width} x {box.height} dots at {sizes[-1]} dots")


def shrink_flat(text: str, face: Face, box: Box, sizes: tuple[int, ...]) -> list[Line]:
    """Set a text on one line, however small, before it takes two; raises LabelOverflow."""
    if sizes and text_width(face, min(sizes), text) <= box.width:
        return shrink(text, face, box, sizes, 1)
    return shrink(text, face, box, sizes, 2)


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
        units = required(wrap_text(dose.units, Face.BOLD, size, units_width), dose.units)
        beside = wrap(pieces, size, width - units_width - (GAP_DOTS if units else 0))
        if beside is not None and len(units) <= 1:
            return DoseRow(beside, units, True, dose.high_alert)
    lines = required(wrap(pieces, size, width), f"{dose.name} {dose.form}")
    units = required(wrap_text(dose.units, Face.BOLD, size, width), dose.units)
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
    """Set the warnings, several on a line where they fit but none broken; raises LabelOverflow."""
    rows: list[str] = []
    for mark in marks:
        joined = f"{rows[-1]} · {mark}" if rows else mark
        if rows and text_width(Face.BOLD, size, joined) <= width:
            rows[-1] = joined
        else:
            rows.append(mark)
    return [required(wrap_text(row, Face.BOLD, size, width), row)[0] for row in rows if _fits(row, size, width)]


def _fits(mark: str, size: int, width: int) -> bool:
    if text_width(Face.BOLD, size, mark) > width:
        raise LabelOverflow(f"a warning is wider than the label: {mark!r}")
    return True


def place_marks(sheet: Sheet, lines: list[Line], area: Box, y: int) -> int:
    """Draw warnings white on one black bar over the whole width; returns the y below it."""
    height = height_of(lines) + 4
    sheet.bars.append(Box(area.x, y, area.width, height))
    sheet.centred(lines, area, y + 2, inverted=True)
    return y + height
