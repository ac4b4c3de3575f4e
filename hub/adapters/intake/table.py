"""Tables as hospitals send them: CSV in the encodings and delimiters of the trade, and XLSX; read into named cells."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from importlib.resources import files
from itertools import islice
from xml.etree.ElementTree import ParseError

from hub.adapters.intake.envelope import MAXIMUM_UNPACKED_BYTES, decoded, unpacked
from hub.adapters.intake.errors import IntakeError

ZIP_MAGIC = b"PK\x03\x04"
MAXIMUM_ROWS = 200_000
MAXIMUM_COLUMNS = 200
_ENCODINGS = ("utf-8", "windows-1251")
_DELIMITERS = ";\t,"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its line in the file, the cells by field name, and the cells of columns nobody knows."""

    line: int
    cells: Mapping[str, str]
    others: tuple[tuple[str, str], ...] = ()

    def __getitem__(self, field: str) -> str:
        """Return the text of a cell; empty where the table has no such column."""
        return self.cells.get(field, "")

    @property
    def position(self) -> str:
        """Return the place of the row for a person."""
        return f"line {self.line}"


def headers_of(table: str) -> dict[str, str]:
    """Return the header synonyms of a kind of table: the normalised header → the field's name."""
    text = files("hub.adapters.data").joinpath("headers.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(io.StringIO(text))
    return {normalised(row["header"]): row["field"] for row in rows if row["table"] == table}


def normalised(text: str) -> str:
    """Return a text as names are compared: case, spaces, ё, dots and commas at the ends do not count."""
    return " ".join(text.casefold().replace("ё", "е").replace("\u00a0", " ").split()).strip(" .,:*")


def read_table(
    name: str, data: bytes, headers: Mapping[str, str], *, required: Iterable[Sequence[str]] = ()
) -> tuple[Row, ...]:
    """Return the rows of a CSV or XLSX file.

    Each member of `required` is a choice of fields of which one has to be there. Raises IntakeError for a file that
    is empty, damaged, of another encoding, without a required column, or with a row that is not as wide as the header.
    """
    content = unpacked(name, data)
    lines = _xlsx_lines(name, content) if content.startswith(ZIP_MAGIC) else _csv_lines(name, content)
    number, header = next(lines, (0, []))
    if not header:
        raise IntakeError(name, "", "", "the table is empty")
    fields = _fields(name, number, header, headers)
    for choice in required:
        if not set(choice) & set(fields):
            raise IntakeError(name, f"line {number}", " or ".join(choice), "the required column is missing")
    rows = tuple(_row(name, number, cells, header, fields) for number, cells in lines)
    if not rows:
        raise IntakeError(name, "", "", "the table has a header and no rows")
    return rows


def _fields(name: str, number: int, header: Sequence[str], headers: Mapping[str, str]) -> list[str]:
    fields = [headers.get(normalised(cell), "") for cell in header]
    named = [field for field in fields if field]
    twice = next((field for field in named if named.count(field) > 1), None)
    if twice:
        raise IntakeError(name, f"line {number}", twice, "two columns are of the same field")
    if not named:
        raise IntakeError(name, f"line {number}", "", "no column is known: it is not a table of this kind")
    return fields


def _row(name: str, number: int, cells: Sequence[str], header: Sequence[str], fields: Sequence[str]) -> Row:
    if len(cells) != len(fields):
        reason = (
            f"the row has {len(cells)} cells and the header {len(fields)}: it is cut off, or a delimiter is not quoted"
        )
        raise IntakeError(name, f"line {number}", "", reason)
    named = {field: cell for field, cell in zip(fields, cells, strict=True) if field}
    others = tuple(
        (title, cell) for title, field, cell in zip(header, fields, cells, strict=True) if cell and not field
    )
    return Row(number, named, others)


def _csv_lines(name: str, content: bytes) -> Iterator[tuple[int, list[str]]]:
    text = decoded(name, content, _ENCODINGS)
    first = text.lstrip().partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    if delimiter not in first:
        raise IntakeError(name, "line 1", "", "no delimiter (; , or tab) is in the header: it is no CSV table")
    yield from _capped(name, _csv_rows(name, text, delimiter))


def _csv_rows(name: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield line, stripped
            line = reader.line_num + 1
    except csv.Error as error:
        raise IntakeError(name, f"line {line}", "", f"the CSV is damaged or cut off ({error})") from error


def _capped(name: str, lines: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    for number, cells in islice(lines, MAXIMUM_ROWS + 2):
        if number > MAXIMUM_ROWS or len(cells) > MAXIMUM_COLUMNS:
            raise IntakeError(name, f"line {number}", "", "the table has too many rows or columns")
        yield number, cells


def _xlsx_lines(name: str, content: bytes) -> Iterator[tuple[int, list[str]]]:
    import openpyxl  # a tenth of a second that a hub which starts again does not have
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MAXIMUM_UNPACKED_BYTES:
            raise IntakeError(name, "", "", f"the workbook unpacks to more than {MAXIMUM_UNPACKED_BYTES} bytes")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        try:
            rows = list(_capped(name, _xlsx_rows(book.worksheets[0].iter_rows(values_only=True))))
        finally:
            book.close()
    except (zipfile.BadZipFile, InvalidFileException, KeyError, IndexError, ParseError, EOFError, OSError) as error:
        raise IntakeError(name, "", "", f"it is not a whole XLSX workbook ({error})") from error
    width = len(rows[0][1]) if rows else 0
    yield from ((number, cells + [""] * (width - len(cells))) for number, cells in rows)


def _xlsx_rows(rows: Iterable[Sequence[object]]) -> Iterator[tuple[int, list[str]]]:
    for number, cells in enumerate(rows, start=1):
        texts = [cell_text(cell) for cell in cells]
        while texts and not texts[-1]:
            texts.pop()
        if texts:
            yield number, texts


def cell_text(value: object) -> str:
    """Return the value of a workbook's cell as the text a CSV would have."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
