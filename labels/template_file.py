"""Templates as files: `templates/*.toml`, in millimetres, read and checked before anything is drawn by them."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import combinations, pairwise
from typing import Any

from labels.content import TEXT_FIELDS
from labels.documents import LabelKind
from labels.errors import TemplateError
from labels.geometry import DOTS_PER_MM, Box, SymbolKind, SymbolPlace, apart
from labels.symbols import (
    CODE_128_QUIET_MODULES,
    DATA_MATRIX_QUIET_MODULES,
    LEAST_DATA_MATRIX_MODULES,
    SMALLEST_CODE_128_MODULE_DOTS,
    SMALLEST_DATA_MATRIX_MODULE_DOTS,
)
from labels.template import SMALLEST_TEXT_DOTS, AreaSpec, RowKind, RowSpec, Template, TextSpec

LARGEST_DOTS = 200 * DOTS_PER_MM
LEAST_CODE_128_MODULES = 46
"""One character: start, character and check of 11 modules each, stop of 13."""
_LEAST_MODULE_DOTS = {
    SymbolKind.DATA_MATRIX: SMALLEST_DATA_MATRIX_MODULE_DOTS,
    SymbolKind.CODE_128: SMALLEST_CODE_128_MODULE_DOTS,
}
_BOX = frozenset({"x_mm", "y_mm", "width_mm", "height_mm"})
_SIDES = ("left", "centre", "right", "ending")
_ROW_FIELDS = {
    RowKind.TEXTS: (frozenset[str](), frozenset({*_SIDES, "right_mm"})),
    RowKind.LINE: (frozenset[str](), frozenset[str]()),
    RowKind.MARKS: (frozenset({"scale"}), frozenset[str]()),
    RowKind.DOSES: (frozenset({"scale"}), frozenset[str]()),
    RowKind.TABLE: (frozenset({"scale", "first_mm"}), frozenset[str]()),
}
"""What a row of each kind must have, and what it may have."""
Scales = Mapping[str, tuple[int, ...]]


def template_names() -> tuple[str, ...]:
    """List the templates that ship, by name."""
    found = (files("labels") / "templates").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in found if file.name.endswith(".toml")))


@cache
def templates_of(kind: LabelKind, width_mm: int) -> tuple[Template, ...]:
    """Return the templates of a kind of label on film or roll of a width, the shortest first; raises TemplateError.

    Their names are `<kind>-<width>`, and `<kind>-<width>x<height>` for the longer ones.
    """
    have = [name for name in template_names() if name.rpartition("-")[0] == kind.value]
    wanted = [name for name in have if name.rpartition("-")[2].partition("x")[0] == str(width_mm)]
    if not wanted:
        told = ", ".join(have)
        raise TemplateError(f"{kind.value}-{width_mm}.toml", "width_mm", f"no template of this width, there are {told}")
    folder = files("labels") / "templates"
    found = (read_template(name, (folder / f"{name}.toml").read_text("utf-8")) for name in wanted)
    return tuple(sorted(found, key=lambda template: template.height))


def template_of(kind: LabelKind, width_mm: int) -> Template:
    """Return the shortest template of a kind of label on film or roll of a width; raises TemplateError."""
    return templates_of(kind, width_mm)[0]


def read_template(name: str, text: str) -> Template:
    """Read and check a template; raises TemplateError naming file, field and reason."""
    reader = _Reader(f"{name}.toml")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(reader.file, "toml", str(error)) from None
    template = reader.template(name, data)
    _check_places(reader, template)
    return template


class _Reader:
    """Reads the tables of one file and names it in every error."""

    def __init__(self, file: str) -> None:
        self.file = file

    def wrong(self, field: str, reason: str) -> TemplateError:
        return TemplateError(self.file, field, reason)

    def known(self, where: str, table: Mapping[str, Any], required: frozenset[str], optional: frozenset[str]) -> None:
        """Refuse a table that lacks a field or has one that nobody reads."""
        for field in sorted(required - table.keys()):
            raise self.wrong(f"{where}{field}", "missing")
        for field in sorted(table.keys() - required - optional):
            raise self.wrong(f"{where}{field}", "unknown field")

    def template(self, name: str, data: Mapping[str, Any]) -> Template:
        self.known("", data, frozenset({"kind", "note", "width_mm", "height_mm", "symbol", "area"}), frozenset())
        if data["kind"] not in set(LabelKind):
            raise self.wrong("kind", f"{data['kind']!r} is no kind of label")
        return Template(
            name=name,
            kind=LabelKind(data["kind"]),
            note=self.word("note", data["note"]),
            width=self.size("width_mm", data["width_mm"]),
            height=self.size("height_mm", data["height_mm"]),
            symbols=tuple(self.symbol(f"symbol[{n}].", each) for n, each in self.tables("symbol", data["symbol"])),
            areas=tuple(self.area(f"area[{n}].", each) for n, each in self.tables("area", data["area"])),
        )

    def tables(self, field: str, value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
        if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
            raise self.wrong(field, "at least one table is wanted")
        return enumerate(value, 1)

    def word(self, field: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(field, f"a text is wanted, not {value!r}")
        return value

    def flag(self, field: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.wrong(field, f"true or false is wanted, not {value!r}")
        return value

    def number(self, field: str, value: Any, least: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LARGEST_DOTS:
            raise self.wrong(field, f"a whole number of {least} to {LARGEST_DOTS} is wanted, not {value!r}")
        return value

    def dots(self, field: str, value: Any) -> int:
        """Read millimetres as whole dots."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= value * DOTS_PER_MM <= LARGEST_DOTS:
            raise self.wrong(field, f"0 to {LARGEST_DOTS // DOTS_PER_MM} millimetres are wanted, not {value!r}")
        if value * DOTS_PER_MM != int(value * DOTS_PER_MM):
            raise self.wrong(field, f"{value} mm are not whole dots of 1/{DOTS_PER_MM} mm")
        return int(value * DOTS_PER_MM)

    def size(self, field: str, value: Any) -> int:
        return self.number(field, self.dots(field, value), DOTS_PER_MM)

    def box(self, where: str, table: Mapping[str, Any]) -> Box:
        x, y = (self.dots(where + field, table[field]) for field in ("x_mm", "y_mm"))
        width, height = (self.size(where + field, table[field]) for field in ("width_mm", "height_mm"))
        return Box(x, y, width, height)

    def symbol(self, where: str, table: Mapping[str, Any]) -> SymbolPlace:
        self.known(where, table, _BOX | {"kind", "module_dots"}, frozenset())
        if table["kind"] not in set(SymbolKind):
            raise self.wrong(f"{where}kind", f"{table['kind']!r} is no symbol")
        kind = SymbolKind(table["kind"])
        dots = self.number(f"{where}module_dots", table["module_dots"], _LEAST_MODULE_DOTS[kind])
        place = SymbolPlace(self.box(where, table), kind, dots)
        self._check_quiet_zone(where, place)
        return place

    def _check_quiet_zone(self, where: str, place: SymbolPlace) -> None:
        if place.kind is SymbolKind.CODE_128:
            modules, room = LEAST_CODE_128_MODULES + 2 * CODE_128_QUIET_MODULES, place.box.width
        else:
            modules = LEAST_DATA_MATRIX_MODULES + 2 * DATA_MATRIX_QUIET_MODULES
            room = min(place.box.width, place.box.height)
        if room < (needed := modules * place.module_dots):
            reason = f"{room} dots hold no symbol with its quiet zone, which needs {needed}"
            raise self.wrong(f"{where}width_mm", reason)

    def area(self, where: str, table: Mapping[str, Any]) -> AreaSpec:
        self.known(where, table, _BOX | {"scale", "row"}, frozenset({"spare_dots"}))
        scales = self.scales(f"{where}scale", table["scale"])
        tables = self.tables(f"{where}row", table["row"])
        rows = tuple(self.row(f"{where}row[{n}].", each, scales) for n, each in tables)
        spare = self.number(f"{where}spare_dots", table.get("spare_dots", 0), 0)
        return AreaSpec(self.box(where, table), len(next(iter(scales.values()))), rows, spare)

    def scales(self, where: str, table: Any) -> Scales:
        if not isinstance(table, dict) or not table:
            raise self.wrong(where, "at least one list of sizes is wanted")
        scales = {name: self.sizes(f"{where}.{name}", sizes) for name, sizes in table.items()}
        if len({len(sizes) for sizes in scales.values()}) > 1:
            raise self.wrong(where, "its lists have different lengths; each has one size a step")
        return scales

    def sizes(self, field: str, value: Any) -> tuple[int, ...]:
        if not isinstance(value, list) or not value:
            raise self.wrong(field, "a list of sizes in dots is wanted")
        found = tuple(self.number(field, size, 1) for size in value)
        if min(found) < SMALLEST_TEXT_DOTS:
            raise self.wrong(field, f"{min(found)} dots are less than 7 pt ({SMALLEST_TEXT_DOTS} dots)")
        if any(first < second for first, second in pairwise(found)):
            raise self.wrong(field, "the sizes of a list do not grow")
        return found

    def row(self, where: str, table: Mapping[str, Any], scales: Scales) -> RowSpec:
        if table.get("kind") not in set(RowKind):
            raise self.wrong(f"{where}kind", f"{table.get('kind')!r} is no kind of row")
        kind = RowKind(table["kind"])
        required, optional = _ROW_FIELDS[kind]
        self.known(where, table, required | {"kind"}, optional | {"spread", "bottom"})
        texts = {side: self.texts(f"{where}{side}", table.get(side, ()), scales) for side in _SIDES}
        if kind is RowKind.TEXTS and not any(texts.values()):
            raise self.wrong(f"{where}left", "a row of texts has none")
        narrow = next((field for field in ("right_mm", "first_mm") if field in table), "")
        return RowSpec(
            kind,
            self.scale(f"{where}scale", table["scale"], scales) if "scale" in table else (),
            **texts,
            narrow=self.size(where + narrow, table[narrow]) if narrow else 0,
            spread=self.flag(f"{where}spread", table.get("spread", False)),
            bottom=self.flag(f"{where}bottom", table.get("bottom", False)),
        )

    def scale(self, field: str, name: Any, scales: Scales) -> tuple[int, ...]:
        if name not in scales:
            raise self.wrong(field, f"the area has no scale {name!r}")
        return scales[name]

    def texts(self, where: str, tables: Any, scales: Scales) -> tuple[TextSpec, ...]:
        if not isinstance(tables, list | tuple):
            raise self.wrong(where, f"a list of texts is wanted, not {tables!r}")
        return tuple(self.text(f"{where}.", table, scales) for table in tables)

    def text(self, where: str, table: Any, scales: Scales) -> TextSpec:
        if not isinstance(table, dict):
            raise self.wrong(where, f"a table is wanted, not {table!r}")
        self.known(where, table, frozenset({"field", "scale"}), frozenset({"bold", "lines", "flat", "grow"}))
        if table["field"] not in TEXT_FIELDS:
            raise self.wrong(f"{where}field", f"a label has no text {table['field']!r}")
        return TextSpec(
            table["field"],
            self.scale(f"{where}scale", table["scale"], scales),
            bold=self.flag(f"{where}bold", table.get("bold", False)),
            lines=self.number(f"{where}lines", table.get("lines", 2), 0),
            flat=self.flag(f"{where}flat", table.get("flat", True)),
            grow=self.flag(f"{where}grow", table.get("grow", False)),
        )


def _check_places(reader: _Reader, template: Template) -> None:
    """Refuse boxes off the label and boxes that share a dot: a symbol's box has its quiet zone in it."""
    boxes = [(f"symbol[{n}]", place.box) for n, place in enumerate(template.symbols, 1)]
    boxes += [(f"area[{n}]", area.box) for n, area in enumerate(template.areas, 1)]
    for field, box in boxes:
        if box.right > template.width or box.bottom > template.height:
            size = f"{template.width} x {template.height}"
            raise reader.wrong(field, f"ends at {box.right} x {box.bottom} dots, off the label of {size}")
    for (first, one), (second, other) in combinations(boxes, 2):
        if not apart(one, other):
            quiet = " with its quiet zone" if "symbol" in first else ""
            raise reader.wrong(second, f"overlaps {first}{quiet}")
    kinds = sorted(place.kind for place in template.symbols)
    if kinds != sorted(SymbolKind):
        raise reader.wrong("symbol", "a label has one Data Matrix and one Code 128")
