"""Workbooks of a few kilobytes that would be millions of rows, cells or merged cells in memory."""

import io
import zipfile

import openpyxl
import pytest

from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.workbook import open_workbook

SPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
TEXT = '<c t="str"><v>a</v></c>'


def workbook(rows: str, beside: str = "", head: str = "") -> bytes:
    book, whole, changed = openpyxl.Workbook(), io.BytesIO(), io.BytesIO()
    book.save(whole)
    sheet = f'{head}<worksheet xmlns="{SPACE}"><sheetData>{rows}</sheetData>{beside}</worksheet>'.encode()
    with zipfile.ZipFile(whole) as before, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            after.writestr(name, sheet if name.endswith("sheet1.xml") else before.read(name))
    return changed.getvalue()


@pytest.mark.parametrize(
    ("rows", "beside", "line"),
    [
        (f'<row r="20000000">{TEXT}</row>', "", "line 20000000"),
        (f'<row r="10000000000000000000000">{TEXT}</row>', "", "line 200001"),
        (f"<row>{'<c/>' * 501}</row>", "", "line 1"),
        ('<row r="3"><c r="XFD3"/></row>', "", "line 3"),
        (f"<row>{'<c/>' * 500}</row>" * 801, "", "line 801"),
        (f'<row r="2">{TEXT}</row>', '<mergeCells><mergeCell ref="D2:D1000000"/></mergeCells>', "line 2"),
        (f'<row r="2">{TEXT}</row>', '<mergeCells><mergeCell ref="XFA2:XFA9"/></mergeCells>', "line 2"),
    ],
    ids=["row", "number", "cells", "column", "grid", "merged", "merged column"],
)
def test_a_small_workbook_that_is_large_inside_is_refused_with_its_line(rows: str, beside: str, line: str) -> None:
    with pytest.raises(IntakeError) as caught:
        open_workbook("day.xlsx", workbook(rows, beside))
    assert caught.value.line == line and "too many rows or columns" in str(caught.value) and "слишком много строк" in caught.value.in_russian()


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (f'<row r="5">{TEXT}</row><row r="4">{TEXT}</row>', "its rows are not in order"),
        ('<row r="5"><c r="B5"/><c r="B5"/></row>', "its cells are not in order"),
    ],
)
def test_rows_and_cells_that_would_overwrite_others_are_refused(rows: str, reason: str) -> None:
    with pytest.raises(IntakeError, match=reason):
        open_workbook("day.xlsx", workbook(rows))


def test_a_document_type_does_not_hide_a_sheet_from_the_count() -> None:
    with pytest.raises(IntakeError, match="document type"):
        open_workbook("day.xlsx", workbook(f'<row r="20000000">{TEXT}</row>', head="<!DOCTYPE worksheet>"))


def test_a_common_sheet_with_a_gap_and_merged_cells_is_read() -> None:
    rows = f'<row r="1"><c r="A1" t="str"><v>x</v></c>{TEXT}</row><row r="4"><c r="B4" t="str"><v>y</v></c></row>'
    lines = list(open_workbook("day.xlsx", workbook(rows, '<mergeCells><mergeCell ref="A1:A4"/></mergeCells>')).lines)
    assert [(line.number, line.cells) for line in lines] == [(1, ["x", "a"]), (4, ["x", "y"])]
