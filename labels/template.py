"""What a template says: sizes and places of one kind of label on one width of film or roll, in dots."""

from dataclasses import dataclass
from enum import StrEnum

from labels.documents import LabelKind
from labels.geometry import Box, SymbolPlace

SMALLEST_TEXT_DOTS = 20
"""7 pt at 203 dpi: the least that the European readability guideline allows on small packs."""


class RowKind(StrEnum):
    """What a row of an area shows."""

    TEXTS = "texts"
    LINE = "line"
    MARKS = "marks"
    DOSES = "doses"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class TextSpec:
    """One text: `sizes` in dots, one a step of its area; `lines` is the most it may take (0: any), `grow`: up to what stands beside."""

    field: str
    sizes: tuple[int, ...]
    bold: bool = False
    lines: int = 2
    flat: bool = True
    grow: bool = False


@dataclass(frozen=True, slots=True)
class RowSpec:
    """One row: texts at the left, in the middle or at the right, `ending` at the end of the last line; or what its kind says.

    `narrow` is the width in dots of the right column of texts, or of the first column of a table; `spread` rows share what is left
    of the area's height; `bottom` rows stand at its end.
    """

    kind: RowKind
    sizes: tuple[int, ...] = ()
    left: tuple[TextSpec, ...] = ()
    centre: tuple[TextSpec, ...] = ()
    right: tuple[TextSpec, ...] = ()
    ending: tuple[TextSpec, ...] = ()
    narrow: int = 0
    spread: bool = False
    bottom: bool = False

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields of the content that this row shows."""
        own = {RowKind.MARKS: {"marks"}, RowKind.DOSES: {"doses"}, RowKind.TABLE: {"rows"}}.get(self.kind, set())
        return frozenset(text.field for text in (*self.left, *self.centre, *self.right, *self.ending)) | own


@dataclass(frozen=True, slots=True)
class AreaSpec:
    """A box and its rows; all of them are set at one of `steps`, the first at which they fit."""

    box: Box
    steps: int
    rows: tuple[RowSpec, ...]
    most_spare: int


@dataclass(frozen=True, slots=True)
class Template:
    """A whole template, in dots; `note` says for whom and how it fits."""

    name: str
    kind: LabelKind
    note: str
    width: int
    height: int
    symbols: tuple[SymbolPlace, ...]
    areas: tuple[AreaSpec, ...]

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields of the content that have a place."""
        return frozenset(field for area in self.areas for row in area.rows for field in row.fields)
