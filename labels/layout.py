"""The one layout engine: texts of a label into the areas of its template, as large as they fit together.

Text shrinks step by step to 7 pt and wraps; what does not fit then is an error, for a label never loses a letter.
"""

from dataclasses import dataclass

from labels.content import LabelContent, content_of
from labels.documents import LabelDocument
from labels.errors import LabelError, LabelOverflow
from labels.fitting import (
    EDGE_DOTS,
    GAP_DOTS,
    DoseRow,
    ListRow,
    dose_row,
    list_row,
    mark_lines,
    place_dose,
    place_list_row,
    place_marks,
    set_text,
)
from labels.geometry import Box, Plan, Sheet, height_of
from labels.template import AreaSpec, RowKind, RowSpec, Template, TextSpec
from labels.template_file import templates_of
from labels.textflow import Line

STANDARD_WIDTH_MM = 80
LINE_DOTS = 2
SPACE_DOTS = 4
"""Between the rows of an area, at the least."""
SMALLEST_UNBROKEN_DOSE_DOTS = 26
MARK_EDGES_DOTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRow:
    """A row set at one step: lines by side, drugs or list rows; what is empty takes no room."""

    spec: RowSpec
    left: list[Line]
    centre: list[Line]
    right: list[Line]
    ending: list[Line]
    marks: list[Line]
    doses: list[DoseRow]
    rows: list[ListRow]
    width: int

    @property
    def ending_beside(self) -> bool:
        """Tell whether what ends the row finds room on its last line."""
        if len(self.ending) != 1 or not self.left:
            return False
        return self.left[-1].width + 2 * GAP_DOTS + self.ending[0].width <= self.width

    @property
    def height(self) -> int:
        """Give the height in dots, with the least space between drugs."""
        if self.spec.kind is RowKind.LINE:
            return LINE_DOTS
        texts = max(height_of(self.left), height_of(self.centre), height_of(self.right))
        texts += 0 if self.ending_beside else height_of(self.ending)
        marks = height_of(self.marks) + MARK_EDGES_DOTS if self.marks else 0
        return texts + marks + _spaced([row.height for row in self.doses]) + sum(row.height for row in self.rows)

    @property
    def spread(self) -> int:
        """Give how many places of this row may be set further apart."""
        return len(self.doses) if self.spec.kind is RowKind.DOSES else int(self.spec.spread)

    @property
    def is_unbroken(self) -> bool:
        """Tell whether every drug stands on one line with its units."""
        return all(len(row.lines) == 1 and row.beside for row in self.doses)


def _spaced(heights: list[int]) -> int:
    return sum(heights) + SPACE_DOTS * max(0, len(heights) - 1)


def plan_label(document: LabelDocument, width_mm: int = STANDARD_WIDTH_MM) -> Plan:
    """Lay a document out on the shortest label of a film or roll that it fits; raises LabelOverflow, UnprintableText or TemplateError."""
    content = content_of(document)
    *shorter, longest = templates_of(document.kind_of_label, width_mm)
    for template in shorter:
        try:
            return plan_content(content, template)
        except LabelOverflow:
            continue  # the next one is longer
    return plan_content(content, longest)


def fits(document: LabelDocument, width_mm: int = STANDARD_WIDTH_MM) -> bool:
    """Tell whether the document fits one label; a pack that does not is to be split before it is planned."""
    try:
        plan_label(document, width_mm)
    except LabelOverflow:
        return False
    return True


def plan_content(content: LabelContent, template: Template) -> Plan:
    """Lay the texts of a label out by a template; raises LabelError, also where a text has no place in it."""
    _require_places(content, template)
    sheet = Sheet()
    for area in template.areas:
        rows = _largest_that_fits(content, area)
        _place(sheet, area, rows)
    return Plan(template.width, template.height, tuple(sheet.bars), tuple(sheet.runs), template.symbols, content.code)


def _require_places(content: LabelContent, template: Template) -> None:
    placed = template.fields | ({"expiry_word", "expiry_day"} if "expiry" in template.fields else set())
    for field in LabelContent.__dataclass_fields__:
        if getattr(content, field) and field not in placed:
            raise LabelError(f"{field}: the template {template.name} has no place for it")


def _largest_that_fits(content: LabelContent, area: AreaSpec) -> list[SetRow]:
    """Take the first step that fits, or one not much smaller at which no drug breaks over two lines."""
    found: list[SetRow] | None = None
    overflow = LabelOverflow("no step fits")
    for step in range(area.steps):
        if found and _dose_size(area, step) < SMALLEST_UNBROKEN_DOSE_DOTS:
            return found
        try:
            rows = _set_area(content, area, step)
        except LabelOverflow as error:
            overflow = error
            continue
        found = found or rows
        if all(row.is_unbroken for row in rows):
            return rows
    if found:
        return found
    raise overflow


def _dose_size(area: AreaSpec, step: int) -> int:
    return min((row.sizes[step] for row in area.rows if row.kind is RowKind.DOSES), default=0)


def _set_area(content: LabelContent, area: AreaSpec, step: int) -> list[SetRow]:
    rows = [_set_row(content, spec, step, area.box.width) for spec in area.rows]
    rows = [row for row in rows if row.height]
    needed = _spaced([row.height for row in rows])
    if needed > area.box.height:
        what = ", ".join(sorted(field for row in rows for field in row.spec.fields))
        raise LabelOverflow(f"{what}: too full, {needed} of {area.box.height} dots are needed at the smallest size")
    return rows


def _set_row(content: LabelContent, spec: RowSpec, step: int, width: int) -> SetRow:
    right_width = spec.narrow or width
    right = _set_texts(content, spec.right, step, right_width, 0)
    left_width = width - (spec.narrow + GAP_DOTS if right and spec.left else 0)
    size = spec.sizes[step] if spec.sizes else 0
    doses, marks, rows = (spec.kind is kind for kind in (RowKind.DOSES, RowKind.MARKS, RowKind.TABLE))
    return SetRow(
        spec=spec,
        left=_set_texts(content, spec.left, step, left_width, height_of(right)),
        centre=_set_texts(content, spec.centre, step, width, 0),
        right=right,
        ending=_set_texts(content, spec.ending, step, width, 0),
        marks=mark_lines(content.marks, size, width - EDGE_DOTS) if marks else [],
        doses=[dose_row(dose, size, width) for dose in content.doses] if doses else [],
        rows=[list_row(row, size, spec.narrow, width) for row in content.rows] if rows else [],
        width=width,
    )


def _set_texts(content: LabelContent, specs: tuple[TextSpec, ...], step: int, width: int, beside: int) -> list[Line]:
    """Set texts below each other; one that grows is set last, into the height that the others leave of `beside`."""
    fixed = [[] if spec.grow else _set_text(content, spec, step, width, 0) for spec in specs]
    room = beside - sum(height_of(lines) for lines in fixed)
    grown = [_set_text(content, spec, step, width, room) if spec.grow else [] for spec in specs]
    return [line for lines in zip(fixed, grown, strict=True) for part in lines for line in part]


def _set_text(content: LabelContent, spec: TextSpec, step: int, width: int, beside: int) -> list[Line]:
    return set_text(spec, content.text(spec.field), spec.sizes[step], width, beside)


def _place(sheet: Sheet, area: AreaSpec, rows: list[SetRow]) -> None:
    """Draw the rows from top to bottom, the spread ones further apart by an equal share of what is left; then those of the bottom."""
    free = area.box.height - _spaced([row.height for row in rows])
    spare = min(area.most_spare, free // (sum(row.spread for row in rows) + 1))
    y = area.box.y
    for row in (row for row in rows if not row.spec.bottom):
        y = _place_row(sheet, row, area.box, y, spare) + SPACE_DOTS
    bottom = [row for row in rows if row.spec.bottom]
    y = area.box.bottom - _spaced([row.height for row in bottom])
    for row in bottom:
        y = _place_row(sheet, row, area.box, y, 0) + SPACE_DOTS


def _place_row(sheet: Sheet, row: SetRow, box: Box, y: int, spare: int) -> int:
    """Draw one row from y on; returns the y below it."""
    if row.spec.kind is RowKind.LINE:
        sheet.bars.append(Box(box.x, y, box.width, LINE_DOTS))
        return y + LINE_DOTS
    if row.marks:
        return place_marks(sheet, row.marks, box, y)
    if row.doses:
        for dose in row.doses:
            y = place_dose(sheet, dose, box, y + spare) + SPACE_DOTS
        return y - SPACE_DOTS
    for each in row.rows:
        y = place_list_row(sheet, each, box, row.spec.narrow, y)
    return _place_texts(sheet, row, box, y + (spare if row.spec.spread else 0))


def _place_texts(sheet: Sheet, row: SetRow, box: Box, y: int) -> int:
    below = max(sheet.left(row.left, box.x, y), sheet.centred(row.centre, box, y), sheet.right(row.right, box.right, y))
    return sheet.right(row.ending, box.right, below - (row.ending[0].height if row.ending_beside else 0))
