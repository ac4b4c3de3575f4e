"""A folder of history: the days with their sheets and changes, and the drug directory; read one day at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from hub.adapters.intake.changes import read_changes
from hub.adapters.intake.directory import read_directory
from hub.adapters.intake.sheet import read_sheet
from hub.domain.drugs import DrugDirectory
from hub.domain.orders import OrderSheet, SheetChange, SourceSettings
from hub.planning_commands.opening import CommandRefused, day_in, file_bytes
from hub.services.house import House

MOST_DAYS = 366


@dataclass(frozen=True)
class HistoryDay:
    """One day's files; a day may have no changes."""

    day: date
    sheet: Path
    changes: Path | None


@dataclass(frozen=True)
class History:
    """The days of a folder in their order, and its directory."""

    folder: Path
    days: tuple[HistoryDay, ...]
    directory: DrugDirectory


def history_in(folder: Path) -> History:
    """Return the history in a folder (`sheets/DAY.*`, `changes/DAY.*`, `formulary.csv` or `directory.csv`); raise CommandRefused."""
    sheets = _by_day(folder / "sheets")
    changes = _by_day(folder / "changes")
    if not sheets:
        raise CommandRefused(f"{folder}: it holds no sheets/DAY.bundle.json.gz: name the folder of a history.")
    if missing := sorted(set(changes) - set(sheets)):
        raise CommandRefused(f"{folder}: {missing[0]} has changes and no sheet.")
    _refuse_gaps(folder, sorted(sheets))
    days = tuple(HistoryDay(day, sheets[day], changes.get(day)) for day in sorted(sheets))
    return History(folder, days, _directory(folder))


def _refuse_gaps(folder: Path, days: list[date]) -> None:
    if len(days) > MOST_DAYS:
        raise CommandRefused(f"{folder}: {len(days)} days are more than the {MOST_DAYS} of one replay.")
    for before, day in pairwise(days):
        if day - before != timedelta(days=1):
            raise CommandRefused(f"{folder}: no sheet of {before + timedelta(days=1)}; a history has no gaps.")


def _by_day(folder: Path) -> dict[date, Path]:
    found: dict[date, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        day = day_in(path.name)
        if day is not None and day in found:
            raise CommandRefused(f"{path}: {found[day].name} is of the same day.")
        if day is not None:
            found[day] = path
    return found


def _directory(folder: Path) -> DrugDirectory:
    for name in ("formulary.csv", "directory.csv"):
        if (folder / name).is_file():
            return read_directory(name, file_bytes(folder / name)).drugs
    raise CommandRefused(f"{folder}: it holds no formulary.csv and no directory.csv.")


def sheet_of(day: HistoryDay, history: History, source: SourceSettings, house: House) -> OrderSheet:
    """Read a day's sheet."""
    feed, zone = house.feed_of(source.name), house.zone_of(source.name)
    return read_sheet(day.sheet.name, file_bytes(day.sheet), source, history.directory, zone=zone, column_map=feed.column_map, charset=feed.hl7_charset)


def changes_of(day: HistoryDay, history: History, source: SourceSettings, house: House) -> OrderSheet | None:
    """Read a day's changes."""
    if day.changes is None:
        return None
    return read_changes(day.changes.name, file_bytes(day.changes), source, history.directory, zone=house.zone_of(source.name))


def up_to(changes: OrderSheet | None, begins: datetime, ends: datetime) -> Iterator[OrderSheet]:
    """Yield what of a feed happened in (begins, ends], as a feed that is pulled so often brings it.

    What changes twice comes in two parts, so that each change meets the doses where the one before it left them.
    """
    if changes is None:
        return
    part: list[SheetChange] = []
    number = 0
    for change in changes.changes:
        if not begins < change.at <= ends:
            continue
        if _about(change) in {_about(other) for other in part}:
            yield _part(changes, part, ends, number)
            part, number = [], number + 1
        part.append(change)
    if part:
        yield _part(changes, part, ends, number)


def _about(change: SheetChange) -> tuple[str, str]:
    if change.line is not None:
        return "order", change.line.id
    if change.stay is not None:
        return "stay", change.stay.patient
    return "patient", change.patient.id if change.patient is not None else ""


def _part(changes: OrderSheet, part: list[SheetChange], ends: datetime, number: int) -> OrderSheet:
    told = f"until {ends:%Y-%m-%dT%H:%M}, part {number + 1}"
    return replace(changes, name=f"{changes.name} {told}", sha256=f"{changes.sha256} {told}", changes=tuple(part))
