"""The column map of a source: which column of its table is which field, and how its cells are written."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from hub.adapters.intake.cell_pattern import Pattern
from hub.adapters.intake.delimited import Line
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.table import Row, Table, headers_of, normalised, open_table, with_width
from hub.domain.words import Words

SLOTS = ("morning", "noon", "evening", "night")
# `place`, `person` and `medicine` are cells that a pattern takes apart; `sex` is kept as a remark.
FIELDS = (
    "department", "room", "bed", "place", "patient", "person", "birth_date", "patient_code", "sex", "allergies", "drug", "drug_code", "medicine",
    "strength", "form", "dose", "unit", "route", *SLOTS, "scheme", "frequency", "prn", "urgent", "starts", "ends", "days", "course", "status",
    "signed_by", "note", "order_code",
)  # fmt: skip
DATES = ("birth_date", "starts", "ends")
IDENTITY = ("patient", "patient_code", "birth_date", "person")
_SERIAL_DAY = re.compile(r"[1-9]\d{3,4}(?:\.0)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file: by its header (as headers are compared), or by its place from 0 where `header` is empty."""

    header: str = ""
    place: int = 0


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """How one source writes its tables; the default knows columns by the synonyms of headers.csv alone.

    `header_row` 0: there is none, and columns are places. Several columns of a field are joined by a space. `fill_down` are
    fields whose blank cell says what the row above says. `slots` is the order of a scheme `1-0-1-1` or `1-0-1`.
    """

    name: str = "default"
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    header_row: int = 1
    decimal_sign: str | None = None
    dates: tuple[str, ...] = ()
    columns: Mapping[str, tuple[Column, ...]] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    patterns: Mapping[str, tuple[Pattern, ...]] = field(default_factory=dict)
    fill_down: tuple[str, ...] = ()
    slots: tuple[str, ...] = SLOTS
    synonyms: bool = True


DEFAULT_MAP = ColumnMap()


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the fields of one file stand; `width` is that of its header."""

    places: Mapping[str, tuple[int, ...]]
    titles: tuple[str, ...]
    width: int
    known: frozenset[int]

    def field_at(self, place: int | None) -> str:
        """Return the field of a column, or its title."""
        named = next((name for name, places in self.places.items() if place in places), "")
        return named or (self.titles[place] if place is not None and place < len(self.titles) else "")


def mapped_rows(name: str, content: bytes, columns: ColumnMap, required: Iterable[Sequence[str]]) -> Iterator[Row]:
    """Yield the rows of a table by a column map; a row that cannot be trusted has a `fault` and the rest goes on.

    Raises IntakeError where the file as a whole is damaged, cut off, empty, or lacks a column that is required or mapped.
    """
    table = open_table(
        name, content, encoding=columns.encoding, delimiter=columns.delimiter, sheet=columns.sheet, header_row=columns.header_row
    )
    layout, lines = _opened(name, table, columns)
    _require(name, layout, columns, required)
    above: dict[str, str] = {}
    for line in lines:
        row = _row(with_width(name, table, line, layout.width or len(line.cells)), layout, columns, table.day_zero, above)
        # What a faulty row said of its patient is not known: rows below must not take it from the row above it.
        above = {} if row.fault else {field: row[field] for field in columns.fill_down}
        yield row


def _opened(name: str, table: Table, columns: ColumnMap) -> tuple[_Layout, Iterator[Line]]:
    if columns.header_row == 0:
        places = {field: tuple(column.place for column in found) for field, found in columns.columns.items()}
        return _Layout(places, (), 0, _all_of(places)), table.lines
    header = next((line for line in table.lines if line.number >= columns.header_row), None)
    if header is None or header.fault:
        raise IntakeError(name, "", "", header.fault if header is not None and header.fault else Words(
            "the table is empty",
            "таблица пуста",
        ))
    return _layout(name, header, columns), table.lines


def _layout(name: str, header: Line, columns: ColumnMap) -> _Layout:
    titles = [normalised(cell) for cell in header.cells]
    places = {
        field: found
        for field, wanted in columns.columns.items()
        if (found := tuple(_place_of(name, header, titles, field, column, columns) for column in wanted)) != (None,)
    }
    taken = {place for found in places.values() for place in found if place is not None}
    synonyms = headers_of("day-sheet") if columns.synonyms else {}
    for place, title in enumerate(titles):
        known = synonyms.get(title, "")
        if place in taken or not known or known in columns.columns:
            continue
        if known in places:
            raise IntakeError(name, f"line {header.number}", known, Words("two columns are of the same field", "два столбца одного поля"))
        places[known] = (place,)
    if not places:
        raise IntakeError(name, f"line {header.number}", "", Words(
            "no column is known: it is not a table of this kind",
            "ни один столбец не известен: это другая таблица",
        ))
    settled = {field: tuple(place for place in found if place is not None) for field, found in places.items()}
    return _Layout(settled, tuple(header.cells), len(titles), _all_of(settled))


def _all_of(places: Mapping[str, tuple[int, ...]]) -> frozenset[int]:
    return frozenset(place for found in places.values() for place in found)


def _place_of(name: str, header: Line, titles: Sequence[str], field: str, column: Column, columns: ColumnMap) -> int | None:
    place = column.place if not column.header else titles.index(column.header) if column.header in titles else len(titles)
    if column.header and titles.count(column.header) > 1:
        raise IntakeError(name, f"line {header.number}", field, Words(
            f"two columns are called '{column.header}'",
            f"два столбца называются «{column.header}»",
        ))
    if place < len(titles):
        return place
    if field in columns.optional:
        return None
    what = f"'{column.header}'" if column.header else f"number {column.place + 1}"
    what_ru = f"«{column.header}»" if column.header else f"номер {column.place + 1}"
    raise IntakeError(name, f"line {header.number}", field, Words(
        f"the column {what} of the map '{columns.name}' is missing",
        f"нет столбца {what_ru} из карты «{columns.name}»",
    ))


def _require(name: str, layout: _Layout, columns: ColumnMap, required: Iterable[Sequence[str]]) -> None:
    there = {*layout.places, *columns.constants}
    there |= {group for field in there & set(columns.patterns) for pattern in columns.patterns[field] for group in pattern.fields}
    for choice in required:
        if not set(choice) & there:
            raise IntakeError(name, f"line {max(columns.header_row, 1)}", " or ".join(choice), Words(
                "the required column is missing",
                "нет обязательного столбца",
            ))


def _row(line: Line, layout: _Layout, columns: ColumnMap, day_zero: date | None, above: Mapping[str, str]) -> Row:
    if line.fault and not line.cells:
        return Row(line.number, {}, fault=("", line.fault))
    widest = max(layout.known, default=0)
    if not layout.width and day_zero is None and len(line.cells) <= widest:
        return Row(line.number, {}, fault=("", Words(
            f"the row has {len(line.cells)} cells and the map names column {widest + 1}",
            f"в строке ячеек: {len(line.cells)}, а карта называет столбец {widest + 1}",
        )))
    padded = line.cells + [""] * (widest + 1 - len(line.cells))
    cells = {
        field: padded[places[0]] if len(places) == 1 else " ".join(padded[place] for place in places if padded[place])
        for field, places in layout.places.items()
    }
    fault = (layout.field_at(line.column), line.fault) if line.fault else None
    fault = _take_apart(cells, columns) or fault
    _fill(cells, columns, above)
    _translate(cells, columns, day_zero)
    return Row(line.number, cells, _others(padded, layout), fault)


def _others(cells: Sequence[str], layout: _Layout) -> tuple[tuple[str, str], ...]:
    titles, known = layout.titles, layout.known
    return tuple(
        (titles[place] if place < len(titles) else f"column {place + 1}", cell) for place, cell in enumerate(cells) if cell and place not in known
    )


def _take_apart(cells: dict[str, str], columns: ColumnMap) -> tuple[str, Words] | None:
    """Put the parts of patterned cells into their fields; return (field, reason) of a cell that fits no pattern."""
    for name, patterns in columns.patterns.items():
        text = cells.get(name, "")
        if not text:
            continue
        match = next((found for pattern in patterns if (found := pattern.match(text)) is not None), None)
        if match is None:
            return name, Words(
                f"'{text[:80]}' does not fit {' or '.join(repr(pattern.written) for pattern in patterns)}",
                f"«{text[:80]}» не подходит под {' или '.join(repr(pattern.written) for pattern in patterns)}",
            )
        cells.update(match)
    return None


def _fill(cells: dict[str, str], columns: ColumnMap, above: Mapping[str, str]) -> None:
    """Fill what is blank from the row above; a row that names its patient at all takes nothing of another patient."""
    names_somebody = any(cells.get(field) for field in IDENTITY)
    for name in columns.fill_down:
        if not cells.get(name) and (name == "department" or not names_somebody):
            cells[name] = above.get(name, "")


def _translate(cells: dict[str, str], columns: ColumnMap, day_zero: date | None) -> None:
    for name, constant in columns.constants.items():
        cells[name] = cells.get(name) or constant
    for name, words in columns.values.items():
        if name in cells:
            cells[name] = words.get(normalised(cells[name]), cells[name])
    for name in DATES:
        if cells.get(name):
            cells[name] = dated(cells[name], _formats(columns, name), day_zero)


def _formats(columns: ColumnMap, field: str) -> tuple[str, ...]:
    """Return the formats of a date; nobody's birth is read from a year of two digits, which has a century too little."""
    return tuple(form for form in columns.dates if not (field == "birth_date" and "%y" in form))


def dated(text: str, formats: Iterable[str], day_zero: date | None = None) -> str:
    """Return a date as ISO text where one of the formats fits exactly, or where a workbook wrote it as a number of days."""
    if day_zero is not None and _SERIAL_DAY.fullmatch(text):
        return (day_zero + timedelta(days=int(text.removesuffix(".0")))).isoformat()
    for form in formats:
        try:
            moment = datetime.strptime(text, form)  # noqa: DTZ007 the zone is the hospital's, added where moments are made
        except ValueError:
            continue
        return moment.isoformat(sep=" ", timespec="minutes") if "%H" in form else moment.date().isoformat()
    return text
