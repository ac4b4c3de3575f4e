"""What a workbook's sheets may hold, counted in one pass over their XML before anything is made of it.

A few kilobytes can name a row in the millions, a million cells in one row, or merged cells over all of them; each would be built in memory.
"""

import re
import zipfile
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import XMLParser

from hub.adapters.intake.errors import IntakeError
from hub.domain.words import Words

MAXIMUM_SHEET_ROWS = 200_000
MAXIMUM_COLUMNS = 500
MAXIMUM_CELLS = 400_000
MAXIMUM_MERGES = 50_000
_CHUNK = 1 << 16
_CELL = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,9})", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


class _OtherPart(Exception):
    """The part is no sheet."""


def refuse_excess(name: str, archive: zipfile.ZipFile) -> None:
    """Raise IntakeError where a sheet has too many rows, columns, cells or merged cells, or rows and cells out of order.

    Every part is looked at, whatever it is called: which of them are sheets is told by their root.
    """
    for part in archive.infolist():
        with archive.open(part) as stream:
            _count(name, stream)


def _count(name: str, stream: Any) -> None:
    parser = XMLParser(target=_SheetCount(name), forbid_dtd=True)
    try:
        while chunk := stream.read(_CHUNK):
            parser.feed(chunk)
    except (_OtherPart, ParseError):
        return


class _SheetCount:
    """Counts what a sheet holds while its elements go by; a row counts as wide as its last cell, a merged range as long as it is."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._is_sheet = False
        self._row = self._column = self._cells = self._merges = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Count one element."""
        kind = tag.rpartition("}")[2]
        if not self._is_sheet:
            self._begin(kind)
        elif kind == "c":
            self._count_cell(attributes.get("r"))
        elif kind == "row":
            self._count_row(attributes.get("r"))
        elif kind == "mergeCell":
            self._count_merge(attributes.get("ref", ""))

    def close(self) -> None:
        """Return nothing: what was counted was judged at once."""

    def _begin(self, kind: str) -> None:
        if kind != "worksheet":
            raise _OtherPart
        self._is_sheet = True

    def _count_row(self, told: str | None) -> None:
        row = self._row + 1 if told is None else _number(told)
        if row <= self._row:
            raise self._refused(row, "its rows are not in order", "строки листа идут не по порядку")
        self._row, self._column = row, 0
        if row > MAXIMUM_SHEET_ROWS:
            raise self._too_many(row)

    def _count_cell(self, told: str | None) -> None:
        place = _CELL.fullmatch(told) if told is not None else None
        column = _column(place[1]) if place is not None else self._column + 1
        if column <= self._column:
            raise self._refused(self._row, "its cells are not in order", "ячейки строки идут не по порядку")
        self._cells += column - self._column
        self._column = column
        if column > MAXIMUM_COLUMNS or self._cells > MAXIMUM_CELLS:
            raise self._too_many(self._row)

    def _count_merge(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        top, bottom = _CELL.fullmatch(first), _CELL.fullmatch(last)
        self._merges += 1
        if top is None or bottom is None:
            return
        self._cells += max(int(bottom[2]) - int(top[2]), 0) + 1
        if self._merges > MAXIMUM_MERGES or self._cells > MAXIMUM_CELLS or _column(top[1]) > MAXIMUM_COLUMNS:
            raise self._too_many(int(top[2]))

    def _too_many(self, row: int) -> IntakeError:
        return self._refused(
            row,
            f"the sheet has too many rows or columns: more than {MAXIMUM_SHEET_ROWS} rows, {MAXIMUM_COLUMNS} columns, {MAXIMUM_CELLS} cells or "
            f"{MAXIMUM_MERGES} merged ranges; delete what is empty below and beside the table, or save it as CSV",
            f"на листе слишком много строк или столбцов: больше {MAXIMUM_SHEET_ROWS} строк, {MAXIMUM_COLUMNS} столбцов, {MAXIMUM_CELLS} ячеек или "
            f"{MAXIMUM_MERGES} объединений; удалите пустое ниже и правее таблицы или сохраните её как CSV",
        )

    def _refused(self, row: int, english: str, russian: str) -> IntakeError:
        return IntakeError(self._name, f"line {row}", "", Words(english, russian))


def _number(told: str) -> int:
    """Return a row's number; one that is none is beyond every limit."""
    return int(told) if _NUMBER.fullmatch(told) else MAXIMUM_SHEET_ROWS + 1


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
