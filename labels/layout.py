"""Where everything goes on a label, as a nurse reads it: whose, when, what and how much, how; then the codes.

Text shrinks step by step to 7 pt and wraps; what does not fit then is an error, for a label never loses a letter.
"""

from dataclasses import dataclass, replace

from labels.content import LabelContent, content_of
from labels.documents import LabelDocument, WristbandLabel
from labels.errors import LabelOverflow
from labels.fitting import (
    GAP_DOTS,
    SMALLEST_TEXT_DOTS,
    DoseRow,
    dose_row,
    mark_lines,
    place_dose,
    place_marks,
    required,
    shrink,
    shrink_flat,
)
from labels.fonts import Face
from labels.geometry import Box, Plan, Sheet, SymbolKind, SymbolPlace, box_mm, height_of
from labels.textflow import Line, wrap_text
from labels.wristband import plan_wristband, serial_groups

PACK = box_mm(0, 0, 80, 50)
CONTENT = box_mm(2, 0.75, 76, 35.5)
WHEN_WIDTH = 176
DATA_MATRIX = SymbolPlace(box_mm(1, 36.5, 12.5, 12.5), SymbolKind.DATA_MATRIX)
CODE_128 = SymbolPlace(box_mm(13.5, 37.25, 46.75, 8.5), SymbolKind.CODE_128)
SERIAL = box_mm(13.5, 45.75, 46.75, 3.25)
SET = box_mm(61, 36.5, 17, 12.5)
RULE_DOTS = 2
SPACE_DOTS = 4
"""Between the sections, at the least."""
MOST_SPARE_DOTS = 14


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes in dots that belong together."""

    headline: int
    place: int
    mark: int
    dose: int
    small: int


SCALES = (
    Scale(headline=46, place=28, mark=28, dose=34, small=24),
    Scale(headline=42, place=26, mark=24, dose=30, small=22),
    Scale(headline=40, place=24, mark=22, dose=28, small=20),
    Scale(headline=36, place=24, mark=22, dose=26, small=20),
    Scale(headline=32, place=22, mark=20, dose=24, small=20),
    Scale(headline=28, place=20, mark=20, dose=22, small=20),
    Scale(headline=26, place=20, mark=20, dose=20, small=20),
)
TRAY_SCALE = Scale(headline=60, place=36, mark=30, dose=40, small=28)
SMALLEST_UNBROKEN_DOSE_DOTS = 26
HEADLINE_SIZES = (60, 54, 50, 46, 42, 40, 38, 36, 34, 32, 30, 28, 26, 24)


@dataclass(frozen=True, slots=True)
class Sections:
    """The parts above the codes, set at one scale: `who` is left of `when`; `lots` may end the last line of `rules`."""

    who: list[Line]
    when: list[Line]
    marks: list[Line]
    doses: list[DoseRow]
    rules: list[Line]
    lots: list[Line]

    @property
    def head_height(self) -> int:
        """Give the height of the head in dots."""
        return max(height_of(self.who), height_of(self.when))

    @property
    def lots_beside(self) -> bool:
        """Tell whether the lots find room at the end of the rules."""
        if len(self.lots) != 1 or not self.rules:
            return False
        return self.rules[-1].width + 2 * GAP_DOTS + self.lots[0].width <= CONTENT.width

    @property
    def tail_height(self) -> int:
        """Give the height of rules and lots in dots."""
        return height_of(self.rules) + (0 if self.lots_beside else height_of(self.lots))

    @property
    def height(self) -> int:
        """Give the height of all sections with the least space between, in dots."""
        marks = height_of(self.marks) + 4 + SPACE_DOTS if self.marks else 0
        doses = sum(row.height + SPACE_DOTS for row in self.doses)
        return self.head_height + RULE_DOTS + 2 * SPACE_DOTS + marks + doses + self.tail_height


def plan_label(document: LabelDocument) -> Plan:
    """Lay a document out; raises LabelOverflow or UnprintableText."""
    content = content_of(document)
    if isinstance(document, WristbandLabel):
        return plan_wristband(content)
    return plan_pack(content)


def fits(document: LabelDocument) -> bool:
    """Tell whether the document fits one label; a pack that does not is to be split before it is planned."""
    try:
        plan_label(document)
    except LabelOverflow:
        return False
    return True


def plan_pack(content: LabelContent) -> Plan:
    """Lay out a pouch or item label, 80 x 50 mm; raises LabelOverflow."""
    sections = _largest_that_fits(content)
    sheet = Sheet()
    spare = (CONTENT.height - sections.height) // (len(sections.doses) + 1)
    _place_sections(sheet, sections, min(MOST_SPARE_DOTS, spare))
    _place_foot(sheet, content)
    return Plan(PACK.width, PACK.height, tuple(sheet.bars), tuple(sheet.runs), (DATA_MATRIX, CODE_128), content.serial)


def _largest_that_fits(content: LabelContent) -> Sections:
    """Take the largest scale that fits, or one not much smaller at which no drug breaks over two lines."""
    found: Sections | None = None
    reason = ""
    for scale in SCALES if content.doses else (TRAY_SCALE, *SCALES):
        if found and scale.dose < SMALLEST_UNBROKEN_DOSE_DOTS:
            return found
        try:
            sections = _set(content, scale)
        except LabelOverflow as overflow:
            reason = str(overflow)
            continue
        if sections.height > CONTENT.height:
            reason = f"{sections.height} of {CONTENT.height} dots needed for {len(content.doses)} drugs"
            continue
        found = found or sections
        if all(len(row.lines) == 1 and row.beside for row in sections.doses):
            return sections
    if found:
        return found
    raise LabelOverflow(f"label {content.serial} is too full at the smallest size: {reason}")


def _set(content: LabelContent, scale: Scale) -> Sections:
    when = _when(content, scale)
    width = CONTENT.width - (WHEN_WIDTH + GAP_DOTS if when else 0)
    return Sections(
        who=_who(content, scale, replace(CONTENT, width=width), height_of(when)),
        when=when,
        marks=mark_lines(content.marks, scale.mark, CONTENT.width - GAP_DOTS),
        doses=[dose_row(dose, scale.dose, CONTENT.width) for dose in content.doses],
        rules=_small(content.rules, scale),
        lots=_small(content.lots, scale),
    )


def _who(content: LabelContent, scale: Scale, box: Box, beside: int) -> list[Line]:
    """Set title, name, place and department below each other; the name may grow to the height of what is beside."""
    title = shrink(content.title, Face.BOLD, box, (scale.place, SMALLEST_TEXT_DOTS), 2)
    place = shrink_flat(content.place, Face.BOLD, box, (scale.place, 24, 22, SMALLEST_TEXT_DOTS))
    detail = shrink_flat(content.detail, Face.REGULAR, box, (scale.small, SMALLEST_TEXT_DOTS))
    room = beside - height_of(title + place + detail)
    for size in HEADLINE_SIZES:
        headline = wrap_text(content.headline, Face.BOLD, size, box.width)
        if headline and len(headline) <= 2 and (size <= scale.headline or height_of(headline) <= room):
            return title + headline + place + detail
    raise LabelOverflow(f"the name is too long: {content.headline!r}")


def _small(text: str, scale: Scale) -> list[Line]:
    return required(wrap_text(text, Face.REGULAR, scale.small, CONTENT.width), text)


def _when(content: LabelContent, scale: Scale) -> list[Line]:
    """Set time, slot and day of the intake: the hour is the largest thing beside the name."""
    box = Box(0, 0, WHEN_WIDTH, CONTENT.height)
    time = shrink(content.time, Face.BOLD, box, (min(60, scale.headline + 20),), 1)
    slot = shrink_flat(content.slot, Face.BOLD, box, (scale.place, 24, 22, SMALLEST_TEXT_DOTS))
    return time + slot + shrink_flat(content.day, Face.REGULAR, box, (scale.small, SMALLEST_TEXT_DOTS))


def _place_sections(sheet: Sheet, sections: Sections, spare: int) -> None:
    """Draw the sections from top to bottom with `spare` dots more above each dose and below the last."""
    sheet.left(sections.who, CONTENT.x, CONTENT.y)
    sheet.right(sections.when, CONTENT.right, CONTENT.y)
    y = CONTENT.y + sections.head_height + SPACE_DOTS
    sheet.bars.append(Box(CONTENT.x, y, CONTENT.width, RULE_DOTS))
    y += RULE_DOTS + SPACE_DOTS
    if sections.marks:
        y = place_marks(sheet, sections.marks, CONTENT, y) + SPACE_DOTS
    for row in sections.doses:
        y = place_dose(sheet, row, CONTENT, y + spare) + SPACE_DOTS
    y = sheet.left(sections.rules, CONTENT.x, CONTENT.bottom - sections.tail_height)
    sheet.right(sections.lots, CONTENT.right, y - (sections.lots[0].height if sections.lots_beside else 0))


def _place_foot(sheet: Sheet, content: LabelContent) -> None:
    """Draw the serial under its line code, and position and expiry at the right."""
    sheet.centred(shrink(serial_groups(content.serial), Face.BOLD, SERIAL, (22,), 1), SERIAL, SERIAL.y)
    y = sheet.right(shrink(content.position, Face.BOLD, SET, (30, 26, 24, 22), 1), SET.right, SET.y + 4)
    room = replace(SET, y=y, height=SET.bottom - y)
    word = shrink(content.expiry_word, Face.REGULAR, room, (22, SMALLEST_TEXT_DOTS), 1)
    day = shrink(content.expiry_day, Face.BOLD, room, (24, 22, SMALLEST_TEXT_DOTS), 1)
    sheet.right(word + day, SET.right, SET.bottom - height_of(word + day))
