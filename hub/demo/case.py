"""What a demonstration runs on: a sheet, its changes, directory, cassettes, stock and people."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hub.adapters.intake.cassettes import cassettes_from, read_cassettes
from hub.adapters.intake.directory import read_directory
from hub.adapters.intake.envelope import unpacked, utf8
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.stock import make_stock, read_stock
from hub.domain.drugs import CassettePlace, DrugDirectory
from hub.domain.people import Role
from hub.domain.words import Words

SAMPLE = "data/sample"
SAMPLE_DAY = date(2026, 3, 5)
PIN = "135790"
MACHINE_SLOTS = 250
PEOPLE = {
    "technician": ("Технолог Орлова", Role.TECHNICIAN, "B-1001"),
    "technician2": ("Технолог Белов", Role.TECHNICIAN, "B-1002"),
    "pharmacist": ("Провизор Ильина", Role.PHARMACIST, "B-2001"),
    "nurse": ("Медсестра Громова", Role.NURSE, "B-3001"),
    "treatment": ("Процедурная медсестра Зимина", Role.TREATMENT_NURSE, "B-3002"),
    "system": ("Dosehub demonstration", Role.SYSTEM, "B-0000"),
    "head": ("Заведующая Лаврова", Role.HEAD, "B-9001"),
}


@dataclass(frozen=True)
class Upload:
    """One file to be taken in."""

    name: str
    data: bytes


@dataclass(frozen=True)
class DayCase:
    """One day's input; `changes` are (time, NDJSON line) in order."""

    source: str
    day: date
    zone: str
    language: str
    sheets: tuple[Upload, ...]
    changes: tuple[tuple[datetime, bytes], ...]
    allergies: Upload | None
    discharges: Upload | None
    directory: DrugDirectory
    cassettes: tuple[CassettePlace, ...]
    stock: tuple[dict[str, Any], ...]

    @property
    def starts_at(self) -> datetime:
        """When the sheets are pulled."""
        return datetime.combine(self.day, time(6), ZoneInfo(self.zone))


def sample_case(changes: bool = True) -> DayCase:
    """Return the bundled sample day."""
    folder = resources.files("hub.adapters").joinpath(SAMPLE)

    def upload(name: str) -> Upload:
        return Upload(name, folder.joinpath(name).read_bytes())

    directory = read_directory("directory.csv", upload("directory.csv").data).drugs
    lines = _changes("changes.ndjson", upload("changes.ndjson").data) if changes else ()
    return DayCase(
        "sample", SAMPLE_DAY, "Europe/Moscow", "ru", (upload("day.csv"),), lines, upload("allergies.csv"), upload("discharges.csv"),
        directory, read_cassettes("cassettes.csv", upload("cassettes.csv").data, directory),
        tuple(_stock_row(row) for row in read_stock("stock.csv", upload("stock.csv").data, directory)),
    )  # fmt: skip


def case_of(
    sheets: Sequence[Path], changes: Path | None, formulary: Path | None, day: date | None, source: str = "hospital"
) -> DayCase:
    """Return a day of files; without a formulary the bundled directory serves, without a day it is read from the file's name."""
    sample = sample_case(changes=False)
    directory = (
        read_directory(formulary.name, formulary.read_bytes()).drugs if formulary is not None else sample.directory
    )
    chosen = day or next((found for path in sheets if (found := _day_in(path.name)) is not None), SAMPLE_DAY)
    return DayCase(
        source, chosen, "Europe/Moscow", "en" if formulary is not None else "ru", tuple(Upload(path.name, path.read_bytes()) for path in sheets),
        _changes(changes.name, changes.read_bytes()) if changes is not None else (), None, None, directory,
        cassettes_from(directory, slots=MACHINE_SLOTS) if formulary is not None else sample.cassettes,
        tuple(_stock_row(row) for row in make_stock(directory, chosen)),
    )  # fmt: skip


def _day_in(name: str) -> date | None:
    try:
        return date.fromisoformat(name[:10])
    except ValueError:
        return None


def _changes(name: str, data: bytes) -> tuple[tuple[datetime, bytes], ...]:
    """Return the dated lines of a changes feed in order; raise IntakeError naming the first line that is none."""
    dated = []
    for number, line in enumerate(utf8(name, unpacked(name, data)).split(b"\n"), start=1):
        if line.strip():
            dated.append((_at(name, f"line {number}", line), line))
    if not dated:
        raise IntakeError(name, "", "", Words("it holds no changes", "в нём нет изменений"))
    return tuple(sorted(dated, key=lambda change: change[0]))


def _at(name: str, position: str, line: bytes) -> datetime:
    try:
        at = datetime.fromisoformat(json.loads(line)["at"])
    except (ValueError, KeyError, TypeError) as error:
        raise IntakeError(name, position, "at", Words(
            'it is no line {"at": time, "resource": {…}} of a changes feed',
            'это не строка {"at": время, "resource": {…}} потока изменений',
        )) from error
    if at.tzinfo is None:
        raise IntakeError(name, position, "at", Words(f"{at.isoformat()} has no offset", f"у времени {at.isoformat()} нет смещения от UTC"))
    return at


def _stock_row(row: Any) -> dict[str, Any]:
    return {
        "code": row.code, "item": row.item, "lot": row.lot, "expires_on": row.expires_on.isoformat(), "units": str(row.units),
        "unit_cost": str(row.unit_cost),
    }  # fmt: skip
