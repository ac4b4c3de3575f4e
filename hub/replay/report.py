"""What the replay tells: tables on the screen, and the same as JSON with a chart in a folder."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hub.domain.doses import DoseState, Lane
from hub.domain.late_changes import ChangeKind, Position
from hub.domain.orders import Outcome
from hub.planning_commands.opening import CommandRefused
from hub.replay.chart import returns_chart
from hub.replay.figures import Figures

CODES_SHOWN = 40
TITLE = "Packed doses that came back"


def show(console: Console, runs: Sequence[Figures]) -> None:
    """Print the tables: codes, lanes and late changes of the last run, which packs most often, and the comparison of all."""
    shown = runs[-1]
    outcomes = _cross("Lines by frequency code and outcome", "code", shown.lines, [outcome.value for outcome in Outcome], CODES_SHOWN)
    console.print(outcomes)
    console.print(_cross("Doses by lane and how they ended", "lane", shown.doses, [state.value for state in DoseState], len(Lane)))
    positions = [position.value for position in Position]
    console.print(_cross("Doses that a late change found, by where it found them", "change", shown.late, positions, len(ChangeKind)))
    console.print(comparison(runs))
    for (act, code), count in shown.refused.most_common():
        console.print(f"refused to the replay's people: {act}, {code}: {count}", markup=False)


def _cross(title: str, first: str, counted: Counter[tuple[str, str]], columns: Iterable[str], most: int) -> Table:
    """Return a table with a row a name, the commonest first; what is not shown is summed up in a last row."""
    wanted = [column for column in columns if any(counted[name, column] for name, _ in counted)]
    table = Table(first, *wanted, "all", title=title)
    totals = Counter[str]()
    for (name, _), count in counted.items():
        totals[name] += count
    ranked = [name for name, _ in sorted(totals.items(), key=lambda item: (-item[1], item[0]))]
    for name in ranked[:most]:
        table.add_row(name, *(_count(counted[name, column]) for column in wanted), str(totals[name]))
    rest = ranked[most:]
    if rest:
        sums = [sum(counted[name, column] for name in rest) for column in wanted]
        table.add_row(f"{len(rest)} others", *map(_count, sums), str(sum(totals[name] for name in rest)))
    return table


def _count(count: int) -> str:
    return str(count) if count else ""


def comparison(runs: Sequence[Figures]) -> Table:
    """Return the table of what packing more often saves."""
    table = Table("packings a day", "packed", "of them after the cut", "came back", "share", "given", title=TITLE)
    for run in runs:
        table.add_row(
            f"{run.packings} ×", str(run.packed), str(run.at_once), str(run.came_back), f"{run.share_back:.1%}", str(run.given)
        )  # fmt: skip
    return table


def write(folder: Path, runs: Sequence[Figures]) -> tuple[Path, Path]:
    """Write `replay.json` and `replay.svg`; return where they are."""
    told, chart = folder / "replay.json", folder / "replay.svg"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        told.write_text(json.dumps({"runs": [run.told() for run in runs]}, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        chart.write_text(returns_chart(runs, TITLE), encoding="utf-8")
    except OSError as error:
        raise CommandRefused(f"--out {folder}: it cannot be written ({error.strerror}).") from error
    return told, chart
