"""Tables as hospitals send them, CSV or XLSX, read into named cells: strictly for lists, leniently for the sheets of the wards."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files

from hub.adapters.intake.delimited import Line, csv_lines
from hub.adapters.intake.envelope import unpacked
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.workbook import ZIP_MAGIC, cell_text, open_workbook
from hub.domain.words import Words

MAXIMUM_ROWS = 200_000
MAXIMUM_COLUMNS = 200

__all__ = ["Row", "Table", "cell_text", "headers_of", "normalised", "open_table", "read_table", "with_width"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its line in the file, the cells by field name, and the cells of columns nobody knows.

    `fault` is (field, reason) where the row cannot be trusted; without `cells` it is not even known whose row it is.
    """

    line: int
    cells: Mapping[str, str]
    others: tuple[tuple[str, str], ...] = ()
    fault: tuple[str, Words] | None = None

    def __getitem__(self, field: str) -> str:
        """Return the text of a cell; empty where the table has no such column."""
        return self.cells.get(field, "")

    @property
    def position(self) -> str:
        """Return the place of the row for a person."""
        return f"line {self.line}"


@dataclass(slots=True)
class Table:
    """An open table: its records, whether their width counts (a workbook leaves blanks out), and the day of the number 0."""

    lines: Iterator[Line]
    has_width: bool
    day_zero: date | None = None


def headers_of(table: str) -> dict[str, str]:
    """Return the header synonyms of a kind of table: the normalised header → the field's name."""
    return dict(_headers(table))


@lru_cache(maxsize=16)
def _headers(table: str) -> tuple[tuple[str, str], ...]:
    text = files("hub.adapters.data").joinpath("headers.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(io.StringIO(text))
    return tuple((normalised(row["header"]), row["field"]) for row in rows if row["table"] == table)


@lru_cache(maxsize=16384)
def normalised(text: str) -> str:
    """Return a text as names are compared: case, spaces, ё, dots and commas at the ends do not count."""
    return " ".join(text.casefold().replace("ё", "е").replace("\u00a0", " ").split()).strip(" .,:*")


def open_table(name: str, content: bytes, *, encoding: str = "", delimiter: str = "", sheet: str = "", header_row: int = 1) -> Table:
    """Open a CSV or a workbook, told by its first bytes; raise IntakeError where it is neither, or damaged."""
    if content.startswith(ZIP_MAGIC):
        book = open_workbook(name, content, sheet)
        return Table(_capped(name, book.lines), has_width=False, day_zero=book.day_zero)
    lines = csv_lines(name, content, encoding=encoding, delimiter=delimiter, header_row=header_row)
    return Table(_capped(name, lines), has_width=True)


def _capped(name: str, lines: Iterable[Line]) -> Iterator[Line]:
    for count, line in enumerate(lines):
        if count > MAXIMUM_ROWS or len(line.cells) > MAXIMUM_COLUMNS:
            raise IntakeError(name, f"line {line.number}", "", Words(
                "the table has too many rows or columns",
                "в таблице слишком много строк или столбцов",
            ))
        yield line


def with_width(name: str, table: Table, line: Line, width: int) -> Line:
    """Return a record with as many cells as the header has, or with a fault that says why it has not.

    Raises IntakeError for a last row that is narrower and has no line end: the file was cut off there.
    """
    if line.fault and line.column is None:
        return line
    cells = [*line.cells]
    while len(cells) > width and not cells[-1]:
        cells.pop()
    if not table.has_width or line.fault or len(cells) == width:
        return Line(line.number, cells + [""] * (width - len(cells)), line.fault, line.column)
    reason = Words(
        f"the row has {len(cells)} cells and the header {width}: it is cut off, or a delimiter is not quoted",
        f"в строке ячеек: {len(cells)}, в заголовке: {width}; строка обрезана, или разделитель не взят в кавычки",
    )
    if line.is_cut and len(cells) < width:
        raise IntakeError(name, f"line {line.number}", "", Words(
            f"{reason.en}; the file ends there without a line end",
            f"{reason.ru}; на этом файл обрывается, без конца строки",
        ))
    return Line(line.number, [], reason)


def read_table(
    name: str, data: bytes, headers: Mapping[str, str], *, required: Iterable[Sequence[str]] = ()
) -> tuple[Row, ...]:
    """Return the rows of a list (allergies, discharges, cassettes ...), all of them or none.

    Each member of `required` is a choice of fields of which one has to be there. Raises IntakeError for a file that is empty,
    damaged, of another encoding, without a required column, or with a row that cannot be trusted.
    """
    table = open_table(name, unpacked(name, data))
    first = next(table.lines, None)
    if first is None:
        raise IntakeError(name, "", "", Words("the table is empty", "таблица пуста"))
    fields = _fields(name, first, headers)
    for choice in required:
        if not set(choice) & set(fields):
            raise IntakeError(name, f"line {first.number}", " or ".join(choice), Words(
                "the required column is missing",
                "нет обязательного столбца",
            ))
    rows = tuple(_row(name, with_width(name, table, line, len(fields)), first.cells, fields) for line in table.lines)
    if not rows:
        raise IntakeError(name, "", "", Words("the table has a header and no rows", "в таблице есть заголовок и нет строк"))
    return rows


def _fields(name: str, header: Line, headers: Mapping[str, str]) -> list[str]:
    if header.fault:
        raise IntakeError(name, f"line {header.number}", "", header.fault)
    fields = [headers.get(normalised(cell), "") for cell in header.cells]
    named = [field for field in fields if field]
    twice = next((field for field in named if named.count(field) > 1), None)
    if twice:
        raise IntakeError(name, f"line {header.number}", twice, Words("two columns are of the same field", "два столбца одного поля"))
    if not named:
        raise IntakeError(name, f"line {header.number}", "", Words(
            "no column is known: it is not a table of this kind",
            "ни один столбец не известен: это другая таблица",
        ))
    return fields


def _row(name: str, line: Line, header: Sequence[str], fields: Sequence[str]) -> Row:
    if line.fault or len(line.cells) > len(fields):
        raise IntakeError(name, f"line {line.number}", "", line.fault or Words("the row is wider than the header", "строка шире заголовка"))
    named = {field: cell for field, cell in zip(fields, line.cells, strict=True) if field}
    others = tuple(
        (title, cell) for title, field, cell in zip(header, fields, line.cells, strict=True) if cell and not field
    )
    return Row(line.number, named, others)
