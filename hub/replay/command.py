"""`dosehub replay`: the same history once for each number of packings a day, and what that came to."""

import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from hub.adapters.intake.errors import IntakeError
from hub.planning_commands.console import wide_console
from hub.planning_commands.opening import Asked, CommandRefused, house_for, source_for
from hub.replay.figures import Figures
from hub.replay.history import History, history_in
from hub.replay.report import show, write
from hub.replay.run import CUTS, Replay


@dataclass(frozen=True)
class ReplayOptions:
    """The options of `dosehub replay`; `days` 0: all of them."""

    folder: Path
    out: Path | None
    source: str
    zone: str
    packings: tuple[int, ...]
    days: int
    sources: Path | None = None
    ward_clock: Path | None = None


def run_replay(options: ReplayOptions) -> int:
    """Run the replay; returns the exit status: 0 where the whole history was run, 2 with one sentence where it could not be."""
    try:
        runs = _runs(options)
        console = wide_console()
        show(console, runs)
        if options.out is not None:
            for path in write(options.out, runs):
                console.print(str(path), markup=False, soft_wrap=True)
        return 0
    except (IntakeError, CommandRefused) as refused:
        sys.stderr.write(f"{refused.in_both()}\n")
        return 2


def _runs(options: ReplayOptions) -> list[Figures]:
    if unknown := sorted(set(options.packings) - set(CUTS)):
        raise CommandRefused(f"--packings {unknown[0]}: a day is packed {', '.join(map(str, CUTS))} times.")
    history = history_in(options.folder)
    if options.days:
        history = replace(history, days=history.days[: options.days])
    with Progress(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[day]}"), TimeElapsedColumn()) as shown:
        return [_one_run(options, history, packings, shown) for packings in sorted(set(options.packings))]


def _one_run(options: ReplayOptions, history: History, packings: int, shown: Progress) -> Figures:
    task = shown.add_task(f"{packings} × a day", total=len(history.days), day="")
    with tempfile.TemporaryDirectory(prefix="dosehub-replay-") as folder:
        asked = Asked(options.folder, source=options.source, data_dir=Path(folder), zone=options.zone, sources=options.sources, ward_clock=options.ward_clock)
        house = house_for(asked)
        source, _ = source_for(asked, house)
        replay = Replay(history, house, source, packings, Path(folder))
        return replay.run(lambda day, done, of: shown.update(task, completed=done, total=of, day=day))
