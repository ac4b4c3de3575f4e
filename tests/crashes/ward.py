"""A ward as large as a run of crashes needs: the bundled day with its patients several times over, each time under codes of their own."""

from dataclasses import replace
from pathlib import Path

from hub.demo.case import SAMPLE_DAY, DayCase, case_of, sample_case

PATIENT, NAME = 3, 4
SOURCE = "sample"


def ward_case(copies: int, folder: Path, patients: int | None = None) -> DayCase:
    """Return the bundled day with so many times its patients, or its first ones; changes, allergies and discharges are those of the sample."""
    sample = sample_case()
    path = folder / f"{SAMPLE_DAY}-ward.csv"
    sheet = sample.sheets[0].data.decode("utf-8-sig")
    path.write_text(copied(sheet if patients is None else first_of(sheet, patients), copies), encoding="utf-8")
    ward = case_of([path], None, None, SAMPLE_DAY, SOURCE)
    return replace(ward, changes=sample.changes, allergies=sample.allergies, discharges=sample.discharges)


def first_of(sheet: str, patients: int) -> str:
    """Return a day sheet of its first patients only."""
    head, *rows = sheet.splitlines()
    known = list(dict.fromkeys(row.split(";")[PATIENT] for row in rows))[:patients]
    return "\n".join([head, *(row for row in rows if row.split(";")[PATIENT] in known)]) + "\n"


def copied(sheet: str, copies: int) -> str:
    """Return a day sheet in which every row stands so often, each time for another patient of another name."""
    head, *rows = sheet.splitlines()
    return "\n".join([head, *(_row(row, copy) for copy in range(copies) for row in rows)]) + "\n"


def _row(row: str, copy: int) -> str:
    if not copy:
        return row
    cells = row.split(";")
    cells[PATIENT], cells[NAME] = f"{cells[PATIENT]}-{copy}", f"{cells[NAME]} {copy + 1}"
    return ";".join(cells)
