"""XLSX workbooks, streamed row by row; what would be read as a blank and is none (a formula without its value) is a fault.

Nothing inside a workbook is executed or fetched: entities and document types are refused by defusedxml, which openpyxl parses with.
"""

import io
import re
import zipfile
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from hub.adapters.intake.delimited import Line
from hub.adapters.intake.envelope import MAXIMUM_UNPACKED_BYTES
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.workbook_limits import refuse_excess
from hub.domain.words import Words

ZIP_MAGIC = b"PK\x03\x04"
MAXIMUM_SHARED_BYTES = 64 * 2**20
MAXIMUM_PARTS = 1_000
_SHARED = "xl/sharedstrings.xml"
_NO_VALUE = Words(
    "the cell holds a formula without a value: save it with values",
    "в ячейке формула без значения: сохраните книгу со значениями",
)
_PEEKED_ROWS = 50
_CHUNK = 1 << 20
_CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})", re.ASCII)
_SPECIAL = re.compile(rb"mergeCell|<(?:\w+:)?f[ />]")
_THREE_DECIMALS = re.compile(r"-?\d+\.\d{3}", re.ASCII)
# What openpyxl and zipfile raise for workbooks that are damaged or made to harm; DefusedXmlException is a ValueError.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, ParseError, KeyError, IndexError, EOFError, OSError, ValueError, TypeError, AttributeError, OverflowError,
    NotImplementedError, RuntimeError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the streaming reader does not tell of a sheet: formulas without a value by (row, column), and cells merged downwards."""

    formulas: frozenset[tuple[int, int]] = frozenset()
    merges: tuple[tuple[int, int, int], ...] = ()


@dataclass(slots=True)
class Workbook:
    """One open sheet: its rows, and the day that stands for zero where dates are written as numbers."""

    lines: Iterator[Line]
    day_zero: date


def open_workbook(name: str, content: bytes, sheet: str = "") -> Workbook:
    """Open the sheet of that name, or the only one that is not hidden and holds anything; raise IntakeError where there is none."""
    import openpyxl  # a tenth of a second that a hub which starts again does not have

    try:
        _refuse_bombs(name, content)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        page = _page_of(name, book, sheet)
        facts = _facts_of(content, page)
        return Workbook(_lines(name, book, page, facts), book.epoch.date())
    except IntakeError:
        raise
    except _DAMAGE as error:
        raise _no_workbook(name, error) from error


def _no_workbook(name: str, error: Exception) -> IntakeError:
    root: BaseException = error
    while (deeper := root.__cause__ or root.__context__) is not None:
        root = deeper
    if isinstance(root, DefusedXmlException):
        return IntakeError(name, "", "", Words(
            "the workbook declares entities or a document type, which no program of the trade writes",
            "в книге объявлены сущности или тип документа: так не пишет ни одна рабочая программа",
        ))
    what = " ".join(str(root).split()) or type(root).__name__
    return IntakeError(name, "", "", Words(
        f"it is not a whole XLSX workbook ({what[:200]})",
        "это не целая книга XLSX: она повреждена или обрывается",
    ))


def _refuse_bombs(name: str, content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
    size = sum(part.file_size for part in parts)
    if size > MAXIMUM_UNPACKED_BYTES:
        raise IntakeError(name, "", "", Words(
            f"the workbook unpacks to more than {MAXIMUM_UNPACKED_BYTES} bytes",
            f"распакованная книга больше {MAXIMUM_UNPACKED_BYTES} байт",
        ))
    if len(parts) > MAXIMUM_PARTS:
        raise IntakeError(name, "", "", Words(
            f"the workbook has more than {MAXIMUM_PARTS} parts",
            f"в книге больше {MAXIMUM_PARTS} частей",
        ))
    shared = sum(part.file_size for part in parts if part.filename.casefold() == _SHARED)
    if shared > MAXIMUM_SHARED_BYTES:
        raise IntakeError(name, "", "", Words(
            f"the texts of the workbook have more than {MAXIMUM_SHARED_BYTES} bytes",
            f"тексты книги больше {MAXIMUM_SHARED_BYTES} байт",
        ))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        refuse_excess(name, archive)


def _page_of(name: str, book: Any, wanted: str) -> Any:
    """Return the sheet that is meant; two that hold rows are not chosen between."""
    if wanted:
        named = [page for page in book.worksheets if page.title.strip().casefold() == wanted.strip().casefold()]
        if not named:
            raise IntakeError(name, "", "", Words(f"the workbook has no sheet '{wanted}'", f"в книге нет листа «{wanted}»"))
        return named[0]
    filled = [page for page in book.worksheets if page.sheet_state == "visible" and _holds_rows(page)]
    if len(filled) > 1:
        titles = ", ".join(f"'{page.title}'" for page in filled)
        raise IntakeError(name, "", "", Words(
            f"several sheets hold rows ({titles}): name one of them in the column map",
            f"строки есть на нескольких листах ({titles}): укажите один из них в карте столбцов",
        ))
    if not filled:
        raise IntakeError(name, "", "", Words("the table is empty", "таблица пуста"))
    return filled[0]


def _holds_rows(page: Any) -> bool:
    page.reset_dimensions()
    return any(any(cell is not None for cell in row) for row in page.iter_rows(max_row=_PEEKED_ROWS, values_only=True))


def _facts_of(content: bytes, page: Any) -> _Facts:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        path = page._worksheet_path
        if not _is_special(archive, path):
            return _Facts()
        with archive.open(path) as stream:
            return _read_facts(stream)


def _is_special(archive: zipfile.ZipFile, path: str) -> bool:
    tail = b""
    with archive.open(path) as stream:
        while chunk := stream.read(_CHUNK):
            if _SPECIAL.search(tail + chunk):
                return True
            tail = chunk[-32:]
    return False


def _read_facts(stream: Any) -> _Facts:
    formulas: set[tuple[int, int]] = set()
    merges: list[tuple[int, int, int]] = []
    for _, element in iterparse(stream, forbid_dtd=True):
        tag = element.tag.rpartition("}")[2]
        if tag == "c":
            if _has_no_value(element) and (place := _place(element.get("r", ""))):
                formulas.add(place)
        elif tag == "mergeCell" and (merge := _merged_downwards(element.get("ref", ""))):
            merges.append(merge)
        if tag in ("row", "mergeCell"):
            element.clear()
    return _Facts(frozenset(formulas), tuple(sorted(merges)))


def _has_no_value(cell: Any) -> bool:
    tags = {child.tag.rpartition("}")[2]: child.text for child in cell}
    return "f" in tags and not (tags.get("v") or "").strip()


def _place(reference: str) -> tuple[int, int] | None:
    match = _CELL.fullmatch(reference)
    return (int(match[2]), column_number(match[1])) if match else None


def _merged_downwards(reference: str) -> tuple[int, int, int] | None:
    """Return (first row, last row, column) of cells merged over several rows; a title merged over columns stays where it is."""
    first, _, last = reference.partition(":")
    top, bottom = _place(first), _place(last)
    return (top[0], bottom[0], top[1]) if top and bottom and bottom[0] > top[0] else None


def column_number(letters: str) -> int:
    """Return the number of a column by its letters: A is 1, Z 26, AA 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _lines(name: str, book: Any, page: Any, facts: _Facts) -> Iterator[Line]:
    try:
        page.reset_dimensions()
        yield from _filled(_page_lines(page.iter_rows(values_only=True), facts), facts)
    except _DAMAGE as error:
        raise error if isinstance(error, IntakeError) else _no_workbook(name, error) from error
    finally:
        book.close()


def _page_lines(rows: Iterable[Sequence[object]], facts: _Facts) -> Iterator[Line]:
    blanks: dict[int, int] = {}
    for row, column in facts.formulas:
        blanks[row] = min(column, blanks.get(row, column))
    for number, values in enumerate(rows, start=1):
        cells = [cell_text(value) for value in values]
        while cells and not cells[-1]:
            cells.pop()
        missing = blanks.get(number)
        if missing is not None:
            yield Line(number, cells + [""] * (missing - len(cells)), _NO_VALUE, missing - 1)
        elif cells:
            yield Line(number, cells)


def _filled(lines: Iterable[Line], facts: _Facts) -> Iterator[Line]:
    """Give every row the value of the cells that are merged downwards over it, as the sheet shows them."""
    waiting = deque(facts.merges)
    open_merges: dict[int, tuple[int, str]] = {}
    for line in lines:
        while waiting and waiting[0][0] <= line.number:
            first, last, column = waiting.popleft()
            value = line.cells[column - 1] if first == line.number and len(line.cells) >= column else ""
            open_merges[column] = (last, value)
        open_merges = {column: (last, value) for column, (last, value) in open_merges.items() if last >= line.number}
        for column, (_, value) in open_merges.items():
            if value and (len(line.cells) < column or not line.cells[column - 1]):
                line.cells.extend([""] * (column - len(line.cells)))
                line.cells[column - 1] = value
        yield line


def cell_text(value: object) -> str:
    """Return the value of a workbook's cell as the text a CSV would have.

    A number has a point and never exactly three decimals (`1.1250`): it cannot be taken for thousands.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    if isinstance(value, float):
        return _number_text(value)
    return str(value).strip()


def _number_text(value: float) -> str:
    """Return a number as Excel shows it: 15 significant digits, so that 0.1 + 0.2 is 0.3."""
    text = f"{value:.15g}"
    return f"{text}0" if _THREE_DECIMALS.fullmatch(text) else text
