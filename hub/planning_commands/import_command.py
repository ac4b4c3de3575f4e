"""`dosehub import`: a file looked at, or taken into the store of a hub that is not running; rejects go into a file beside it."""

import csv
import io
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from hub.adapters.clock import SteppedClock
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake_desk import IntakeDesk
from hub.adapters.writer import DatabaseInUse, Writer
from hub.domain.refusals import Refusal
from hub.planning_commands.console import wide_console
from hub.planning_commands.opening import Asked, CommandRefused, Opened, file_bytes, opened
from hub.services.ports import UnitOfWork
from hub.services.preview import SheetPreview, preview_facts, preview_sheet
from hub.services.set_up import enter_directory

REJECT_COLUMNS = ("file", "line", "field", "order", "reasons", "reasons_ru")


@dataclass(frozen=True)
class ImportOptions:
    """The options of `dosehub import`; `rejects` None: beside the file, as FILE.rejects.csv."""

    asked: Asked
    dry_run: bool
    json_path: Path | None = None
    rejects: Path | None = None


def run_import(options: ImportOptions) -> int:
    """Import a file; returns the exit status: 0 where the file was read, 2 with one sentence where it was refused as a whole."""
    try:
        return _import(options)
    except (IntakeError, CommandRefused) as refused:
        sys.stderr.write(f"{refused.in_both()}\n")
        return 2


def _import(options: ImportOptions) -> int:
    found = opened(options.asked)
    preview = preview_sheet(found.known, found.sheet, found.house, found.now)
    if isinstance(preview, Refusal):
        raise CommandRefused(preview.text, preview.text_ru)
    taken = {} if options.dry_run else _take_in(options, found)
    rejects = _write_rejects(options, preview)
    if options.json_path is not None:
        facts = {**preview_facts(preview), "told": list(found.told), "dry_run": options.dry_run, **taken}
        _written(options.json_path, json.dumps(facts, ensure_ascii=False, indent=2) + "\n")
    _show(options, found, preview, taken, rejects)
    return 0


def _take_in(options: ImportOptions, found: Opened) -> dict[str, Any]:
    """Take the file into the hub's store in one decision, or nothing of it; the directory first where the store has none."""
    data_dir = options.asked.data_dir
    assert data_dir is not None
    data_dir.mkdir(parents=True, exist_ok=True)
    desk, name = IntakeDesk(found.house), options.asked.file.name
    take = desk.changes if found.is_changes else desk.sheet

    def enter(unit: UnitOfWork) -> dict[str, Any]:
        if not unit.drugs.count():
            enter_directory(unit, found.told[1], found.known.drugs.values())
        listed = options.asked.allergies
        if listed is not None:
            _accepted(desk.allergies(unit, found.sheet.source, listed.name, file_bytes(listed)))
        return _accepted(take(unit, found.sheet.source, name, found.data))

    try:
        with Writer(data_dir / "dosehub.sqlite", SteppedClock(found.now, found.house.zone)) as writer:
            return {"taken": writer.submit("system", enter).result()}
    except DatabaseInUse as error:
        raise CommandRefused(f"{data_dir}: a hub is running on it; upload the file in its web page, or stop it first.") from error


def _accepted(answer: dict[str, Any] | Refusal) -> dict[str, Any]:
    if isinstance(answer, Refusal):
        raise CommandRefused(answer.text, answer.text_ru)
    return answer


def _write_rejects(options: ImportOptions, preview: SheetPreview) -> Path:
    """Write the rejected lines; the file is there also when nothing was rejected, so that no older one is taken for it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, REJECT_COLUMNS, delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(_safe(row) for row in preview_facts(preview)["rejects"])
    return _written_first(_places_of_rejects(options), "\ufeff" + text.getvalue())


def _safe(row: dict[str, str]) -> dict[str, str]:
    """Return a row whose cells no spreadsheet takes for a formula: what a source wrote is only ever text."""
    return {column: f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell for column, cell in row.items()}


def _places_of_rejects(options: ImportOptions) -> Sequence[Path]:
    """Return where rejects may go, the first that can be written counts: the named file, or beside the file, --json, or here."""
    if options.rejects is not None:
        return (options.rejects,)
    name = f"{options.asked.file.name}.rejects.csv"
    return (options.asked.file.parent / name, (options.json_path.parent if options.json_path else Path()) / name, Path(name))


def _written_first(paths: Sequence[Path], text: str) -> Path:
    """Write a text to the first path that can be written; return it, or raise what the last one said."""
    for path in paths[:-1]:
        with suppress(CommandRefused):
            _written(path, text)
            return path
    _written(paths[-1], text)
    return paths[-1]


def _written(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise CommandRefused(f"{path}: it cannot be written ({error.strerror}).") from error


def _show(options: ImportOptions, found: Opened, preview: SheetPreview, taken: dict[str, Any], rejects: Path) -> None:
    console = wide_console()
    for line in found.told:
        console.print(line, markup=False, soft_wrap=True)
    table = Table("outcome", "lines", title=f"{preview.name}: {len(preview.lines)} lines")
    for outcome, count in preview.outcomes.items():
        table.add_row(outcome, str(count))
    console.print(table)
    console.print(f"{len(preview.rejects)} rejected lines are in {rejects}", markup=False, soft_wrap=True)
    end = "nothing was written to a store" if options.dry_run else f"taken into the hub in {options.asked.data_dir}: {taken['taken']}"
    console.print(end, markup=False, soft_wrap=True)
