"""Opening a file for a command: which source sent it, which directory holds, which moment counts; every choice is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.adapters.clock import clock_in
from hub.adapters.database import open_reader
from hub.adapters.intake.allergies import read_allergies, with_allergies
from hub.adapters.intake.changes import read_changes
from hub.adapters.intake.directory import read_directory
from hub.adapters.intake.envelope import MAXIMUM_BYTES
from hub.adapters.intake.formats import format_of, is_changes_feed
from hub.adapters.intake.sample import sample_file
from hub.adapters.intake.sheet import read_sheet
from hub.adapters.intake_desk import listed_allergies
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.bootstrap import house_of
from hub.domain.drugs import Drug
from hub.domain.identifiers import DrugCode, PatientId
from hub.domain.orders import OrderSheet
from hub.services.house import House
from hub.services.preview import Known, known_of
from hub.settings import HubSettings

Result = TypeVar("Result")
USUAL_SOURCE = "hospital"
_DIRECTORY_NAMES = ("formulary.csv", "directory.csv")
_SHEET_ENDINGS = (".bundle.json.gz", ".bundle.json", ".ndjson.gz", ".ndjson")


class CommandRefused(ValueError):
    """What was asked cannot be done; the text is one sentence for a person, `russian` the same one where a rule wrote it down."""

    def __init__(self, english: str, russian: str = "") -> None:
        self.russian = russian
        super().__init__(english)

    def in_both(self) -> str:
        """Return the English sentence and, where there is one, the Russian one, a line each."""
        return "\n".join(text for text in (str(self), self.russian) if text)


@dataclass(frozen=True)
class Asked:
    """The options that every command on a file has; None and empty mean that nothing was said."""

    file: Path
    source: str = ""
    formulary: Path | None = None
    data_dir: Path | None = None
    at: str = ""
    zone: str = "Europe/Moscow"
    language: str = "ru"
    after: Path | None = None
    allergies: Path | None = None
    sources: Path | None = None
    ward_clock: Path | None = None


@dataclass(frozen=True)
class Opened:
    """A file that was read: the sheet, what is known beside it, the moment, and what was chosen (`told`, a line each)."""

    sheet: OrderSheet
    data: bytes
    is_changes: bool
    house: House
    known: Known
    now: datetime
    told: tuple[str, ...]


def opened(asked: Asked) -> Opened:
    """Read a file with what holds for it; raise CommandRefused or IntakeError, each one sentence that says where and why."""
    data = file_bytes(asked.file)
    house = house_for(asked)
    source, why = source_for(asked, house, data)
    now, when = moment_of(asked, house)
    known, origin = _known(asked, now)
    is_changes = is_changes_feed(asked.file.name, data)
    told = [f"source: {source} ({why})", f"directory: {origin}"]
    if is_changes:
        known, after = _after_a_sheet(asked, house, source, known)
        told += [f"stays: {after}", "moment: that of each change"]
    else:
        told.append(f"moment: {now.isoformat(timespec='minutes')} ({when})")
    read = read_changes if is_changes else _reader_of_sheets(house, source)
    sheet = read(asked.file.name, data, house.sources[source], known.drugs, zone=house.zone_of(source))
    listed = _listed(asked, source, now)
    if listed is not None and not is_changes:
        sheet = with_allergies(sheet, listed)
    return Opened(sheet, data, is_changes, house, known, now, tuple(told))


def _reader_of_sheets(house: House, source: str) -> Callable[..., OrderSheet]:
    """Return how a source's sheets are read, as its feed is: with its column map and its character set."""
    feed = house.feed_of(source)
    return partial(read_sheet, column_map=feed.column_map, charset=feed.hl7_charset)


def _listed(asked: Asked, source: str, now: datetime) -> Mapping[PatientId, tuple[str, ...]] | None:
    """Return the list of allergies that was named, or that the source sent the hub last; None where there is none."""
    if asked.allergies is not None:
        return read_allergies(asked.allergies.name, file_bytes(asked.allergies))
    return _from_store(asked.data_dir, now, lambda unit: listed_allergies(unit, source))


def file_bytes(path: Path) -> bytes:
    """Return the bytes of a file; refuse one that is not there or larger than any sheet, before it is read."""
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            raise CommandRefused(f"{path}: the file has {path.stat().st_size} bytes, more than the limit of {MAXIMUM_BYTES}.")
        return path.read_bytes()
    except OSError as error:
        raise CommandRefused(f"{path}: the file cannot be read ({error.strerror}).") from error


def house_for(asked: Asked) -> House:
    """Return how the hospital works: that of the hub's folder, or of a new one."""
    try:
        ZoneInfo(asked.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CommandRefused(f"--zone {asked.zone}: there is no such time zone.") from error
    data_dir = asked.data_dir or Path("dosehub-data")
    return house_of(
        HubSettings(data_dir=data_dir, zone=asked.zone, language=asked.language, sources=asked.sources, ward_clock=asked.ward_clock)
    )  # fmt: skip


def source_for(asked: Asked, house: House, data: bytes = b"") -> tuple[str, str]:
    """Return which source sent a file, and why that one: the only one that is set up, or set up to send this format."""
    if asked.source:
        if asked.source not in house.sources:
            raise CommandRefused(f"--source {asked.source}: nobody has set it up; known are {', '.join(sorted(house.sources))}.")
        return asked.source, "named by --source"
    if len(house.sources) == 1:
        return next(iter(house.sources)), "the only one that is set up"
    found = format_of(asked.file.name, data) if data else None
    fitting = [source for source in house.sources if house.feed_of(source).format is found]
    if len(fitting) == 1:
        return fitting[0], f"the only one that is set up to send {found}"
    if USUAL_SOURCE in house.sources:
        return USUAL_SOURCE, "the usual one; --source names another"
    raise CommandRefused(f"Name the source with --source; known are {', '.join(sorted(house.sources))}.")


def moment_of(asked: Asked, house: House) -> tuple[datetime, str]:
    """Return the moment at which a file is judged: named, when the sheets are pulled on the day in its name, or now."""
    if asked.at:
        try:
            at = datetime.fromisoformat(asked.at)
            return (at if at.tzinfo is not None else at.replace(tzinfo=house.zone)).astimezone(house.zone), "named by --at"
        except (ValueError, OverflowError) as error:
            raise CommandRefused(f"--at {asked.at}: write a moment like 2026-03-05T06:00 or 2026-03-05T06:00+03:00.") from error
    day = day_in(asked.file.name)
    if day is not None:
        return datetime.combine(day, house.sheets_at, house.zone), "the day in the file's name; --at names another"
    return clock_in(house.zone)(), "now; --at names another"


def day_in(name: str) -> date | None:
    """Return the day that a file's name begins with (`2026-03-05.bundle.json.gz`), or None."""
    try:
        return date.fromisoformat(name[:10])
    except ValueError:
        return None


def _known(asked: Asked, now: datetime) -> tuple[Known, str]:
    """Return what is known without the file, and where the directory came from."""
    stored = _from_store(asked.data_dir, now, known_of)
    if asked.formulary is not None or stored is None or not stored.drugs:
        drugs, origin = directory_for(asked.file, asked.formulary)
        return (replace(stored, drugs=drugs) if stored is not None else Known(drugs)), origin
    return stored, f"{len(stored.drugs)} drugs of the hub in {asked.data_dir}"


def _from_store(data_dir: Path | None, now: datetime, query: Callable[[SqlUnitOfWork], Result | None]) -> Result | None:
    """Return what a hub's store knows, read only; None where there is no store yet."""
    database = data_dir / "dosehub.sqlite" if data_dir is not None else None
    if database is None or not database.exists():
        return None
    connection = open_reader(database)
    try:
        unit = SqlUnitOfWork(connection)
        unit.begin("reader", now)
        return query(unit)
    finally:
        connection.close()


def directory_for(file: Path, named: Path | None) -> tuple[Mapping[DrugCode, Drug], str]:
    """Return the drugs of the named directory, of one beside the file or one folder up, or of the shipped sample."""
    folders = (file.absolute().parent, file.absolute().parent.parent)
    beside = (folder / name for folder in folders for name in _DIRECTORY_NAMES)
    path = named or next((path for path in beside if path.is_file() and path != file.absolute()), None)
    if path is None:
        return read_directory("directory.csv", sample_file("directory.csv")).drugs, "the shipped sample (none named, none beside the file)"
    return read_directory(path.name, file_bytes(path)).drugs, f"{path} ({'named by --formulary' if named else 'found near the file'})"


def _after_a_sheet(asked: Asked, house: House, source: str, known: Known) -> tuple[Known, str]:
    """Return what is known when changes come: the stays are those of the sheet that they follow."""
    path = asked.after or _sheet_of_the_day(asked.file)
    if path is None:
        return known, "of the feed and the hub alone; --after names the sheet that the changes follow"
    sheet = _reader_of_sheets(house, source)(path.name, file_bytes(path), house.sources[source], known.drugs, zone=house.zone_of(source))
    patients = {**known.patients, **{patient.id: patient for patient in sheet.patients}}
    stays = {**known.stays, **{stay.patient: stay for stay in sheet.stays}}
    in_force = tuple({line.id: line for line in (*known.in_force, *sheet.lines)}.values())
    return replace(known, patients=patients, stays=stays, in_force=in_force), f"of the sheet {path}"


def _sheet_of_the_day(file: Path) -> Path | None:
    """Return the sheet of the same day in the folder `sheets` beside that of the changes."""
    day = day_in(file.name)
    if day is None:
        return None
    folder = file.absolute().parent.parent / "sheets"
    return next((path for ending in _SHEET_ENDINGS if (path := folder / f"{day}{ending}").is_file()), None)


