"""The layout of a wristband, 80 x 30 mm: the name, then what tells two people of one name apart, then the codes."""

from dataclasses import replace

from labels.content import LabelContent
from labels.fitting import EDGE_DOTS, SMALLEST_TEXT_DOTS, shrink
from labels.fonts import Face
from labels.geometry import Box, Plan, Sheet, SymbolKind, SymbolPlace, box_mm, height_of
from labels.textflow import Line

WRISTBAND = box_mm(0, 0, 80, 30)
DATA_MATRIX = SymbolPlace(box_mm(1, 8.75, 12.5, 12.5), SymbolKind.DATA_MATRIX)
TEXT = box_mm(15, 1, 63, 16.75)
CODE_128 = SymbolPlace(box_mm(13.75, 18, 46.75, 8), SymbolKind.CODE_128)
SERIAL = box_mm(13.75, 26, 46.75, 3.25)
SIDE = box_mm(61, 18, 17, 11)
NAME_SIZES = (44, 40, 38, 36, 34, 32, 30, 28, 26, 24)


def plan_wristband(content: LabelContent) -> Plan:
    """Lay out a wristband; raises LabelOverflow."""
    sheet = Sheet()
    below = shrink(content.place, Face.BOLD, TEXT, (26, 24, 22, SMALLEST_TEXT_DOTS), 2)
    below += shrink(content.detail, Face.REGULAR, TEXT, (22, SMALLEST_TEXT_DOTS), 2)
    room = replace(TEXT, height=TEXT.height - height_of(below))
    name = shrink(content.headline, Face.BOLD, room, NAME_SIZES, 3)
    spare = (room.height - height_of(name)) // 3
    y = sheet.left(name, TEXT.x, TEXT.y + spare)
    sheet.left(below, TEXT.x, y + spare)
    sheet.centred(shrink(serial_groups(content.serial), Face.BOLD, SERIAL, (22,), 1), SERIAL, SERIAL.y)
    if content.marks:
        _place_marks(sheet, content.marks)
    symbols = (DATA_MATRIX, CODE_128)
    return Plan(WRISTBAND.width, WRISTBAND.height, tuple(sheet.bars), tuple(sheet.runs), symbols, content.serial)


def serial_groups(serial: str) -> str:
    """Write a serial in groups of four, for whoever types it."""
    return " ".join(serial[start : start + 4] for start in range(0, len(serial), 4))


def _place_marks(sheet: Sheet, marks: tuple[str, ...]) -> None:
    inner = replace(SIDE, width=SIDE.width - EDGE_DOTS, height=SIDE.height - 4)
    lines: list[Line] = []
    for mark in marks:
        rest = replace(inner, height=inner.height - height_of(lines))
        lines += shrink(mark, Face.BOLD, rest, (22, SMALLEST_TEXT_DOTS), 3)
    sheet.bars.append(Box(SIDE.x, SIDE.y, SIDE.width, height_of(lines) + 4))
    sheet.centred(lines, SIDE, SIDE.y + 2, inverted=True)
