"""`dosehub demo`: set up, run the day with progress on the screen, have it checked by strangers, and tell the result."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from hub.adapters.clock import wall_clock
from hub.adapters.intake.errors import IntakeError
from hub.adapters.ledger_export import export_file, verify_export
from hub.adapters.sessions import ArgonPins
from hub.adapters.writer import Writer
from hub.demo.api import HubClient, People, Refused
from hub.demo.case import PEOPLE, PIN, SAMPLE_DAY, DayCase, Upload, case_of, sample_case
from hub.demo.day import Day, DayResult, Stuck
from hub.demo.invariants import imbalance, judge
from hub.demo.plant import Plant, PlantFailure
from hub.demo.stopwatch import Stopwatch
from hub.domain.identifiers import DeviceId
from hub.services.ports import UnitOfWork
from hub.services.set_up import enter_cassettes, enter_directory
from hub.services.sign_in import NewUser, enrol

PLANTS = ("", "double-drop", "swapped-label", "lost-event")


@dataclass(frozen=True)
class DemoOptions:
    """The options of `dosehub demo`."""

    sheets: tuple[Path, ...]
    changes: Path | None
    formulary: Path | None
    day: date | None
    speed: str
    seed: int
    faults: str
    exits: bool
    json_path: Path | None
    data_dir: Path | None
    plant: str


def run_demo(options: DemoOptions) -> int:
    """Run the demonstration; returns the exit status: 0 only if every invariant held."""
    console = Console()
    problem = _bad_options(options)
    case = None
    if not problem:
        try:
            case = (
                case_of(options.sheets, options.changes, options.formulary, options.day)
                if options.sheets
                else sample_case()
            )
        except IntakeError as error:
            problem = error.in_both()
    if case is None:
        console.print(f"[red]{problem}[/red]")
        return 2
    started_s = time.monotonic()
    folder = options.data_dir or Path(tempfile.mkdtemp(prefix="dosehub-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    plant = Plant(folder, options.speed, options.seed, options.faults, options.plant)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _run(options, case, plant, folder, console, started_s)
    except KeyboardInterrupt:
        console.print("stopped")
        return 130
    finally:
        plant.stop()
        if options.data_dir is None:
            shutil.rmtree(folder, ignore_errors=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _bad_options(options: DemoOptions) -> str:
    for path in (*options.sheets, options.changes, options.formulary):
        if path is not None and not path.is_file():
            return f"{path}: there is no such file"
    if options.speed != "max" and not (options.speed.replace(".", "", 1).isdigit() and float(options.speed) > 0):
        return f"--speed {options.speed}: a number above 0, or max"
    if (options.changes or options.formulary) and not options.sheets:
        return "--changes and --formulary go with a --sheet; without one the bundled sample runs with its own"
    if options.json_path is not None and not options.json_path.absolute().parent.is_dir():
        return f"--json {options.json_path}: there is no such folder"
    if options.plant not in PLANTS:
        return f"--plant {options.plant}: one of {', '.join(PLANTS[1:])}"
    if options.day is not None and not options.sheets and options.day != SAMPLE_DAY:
        return f"--day {options.day}: the bundled sample is of {SAMPLE_DAY}; name a --sheet for another day"
    if options.data_dir is not None and (options.data_dir / "dosehub.sqlite").exists():
        return f"{options.data_dir} holds a hub already: name an empty folder"
    return ""


def _run(options: DemoOptions, case: DayCase, plant: Plant, folder: Path, console: Console, started_s: float) -> int:
    set_up(folder, case)
    result, url, watch = DayResult(), "", Stopwatch()
    try:
        with watch.measure("processes start"):
            plant.start_devices()
            url = plant.start_hub(folder, case.starts_at, case.zone, case.language)
        with watch.measure("the machine works, and the rest"):
            result = _run_day(case, plant, url, console, watch)
    except (PlantFailure, Stuck, Refused) as error:
        result.problems.append(str(error))
    plant.stop(["people", "bridge", "packager"] if not options.exits else [])
    with watch.measure("the day is checked"):
        summary = summarise(folder, plant, case, result, time.monotonic() - started_s)
    summary["spent_s"] = watch.rounded()
    if options.json_path is not None:
        options.json_path.write_text(json.dumps(summary, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    _show(console, summary, result)
    if not options.exits and url:
        _stay(console, plant, url, folder)
    return 0 if summary["ok"] else 1


def set_up(folder: Path, case: DayCase) -> None:
    """Enter directory, cassette map and people into a new hub."""
    with Writer(folder / "dosehub.sqlite", wall_clock) as writer:
        pins = ArgonPins()

        def enter(unit: UnitOfWork) -> None:
            enter_directory(unit, "directory", case.directory.values())
            enter_cassettes(unit, "cassette map", DeviceId("packager-1"), case.cassettes)
            for name, role, badge in PEOPLE.values():
                enrol(unit, NewUser(name, role, badge, PIN), pins.hashed(PIN))

        writer.submit("system", enter).result()


def _run_day(case: DayCase, plant: Plant, url: str, console: Console, watch: Stopwatch) -> DayResult:
    people = People(plant.start_people(url), watch)
    system = PEOPLE["system"][2]
    hub = HubClient(url, system, PIN, watch)
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[clock]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        whole = progress.add_task("The day", total=1, clock="06:00")
        doses = progress.add_task("Doses ended", total=1, clock="")

        def tell(text: str, done: int, of: int) -> None:
            progress.update(whole, completed=done, total=of, clock=text)
            states = hub.state()["doses"]
            ended = sum(
                count for state, count in states.items() if state not in ("planned", "frozen", "packed", "not-given")
            )
            progress.update(
                doses, completed=ended, total=sum(states.values()) or 1, clock=f"{ended} of {sum(states.values())}"
            )

        day = Day(case, plant, hub, people, tell)
        try:
            return day.run()
        except (PlantFailure, Stuck, Refused) as error:
            day.result.problems += [str(error), *people.troubles]
            return day.result
        finally:
            hub.close()
            people.close()


def summarise(folder: Path, plant: Plant, case: DayCase, result: DayResult, elapsed_s: float) -> dict[str, Any]:
    """Return the summary of a day from the ledger's export, the truth files, the sheets as they came, and what was refused."""
    export = folder / "ledger.ndjson"
    export_file(folder / "dosehub.sqlite", export)
    verified = verify_export(export)
    entries = [json.loads(line) for line in export.read_text(encoding="utf-8").splitlines()]
    check = _checked(
        export, [path for path in plant.truth_files if path.exists()], _put_down(folder / "sheets", case.sheets)
    )
    kinds = Counter(entry["kind"] for entry in entries)
    planned = [entry["data"] for entry in entries if entry["kind"] == "dose-planned"]
    verdicts = Counter(
        entry["data"]["verdict"] for entry in entries if entry["kind"] == "pack-verified" and entry["actor"] == "system"
    )
    ended = {kind.removeprefix("dose-"): count for kind, count in sorted(kinds.items()) if kind in _DOSE_ENDS}
    invariants = judge(entries, verified.fault is None, check["mismatches"])
    summary: dict[str, Any] = {
        "sheet": {"orders": result.sheet_orders, "outcomes": result.sheet_outcomes},
        "changes": result.changes,
        "doses": {"planned": len(planned), "ended": ended, "lanes": dict(Counter(dose["lane"] for dose in planned))},
        "packs": {
            "expected": kinds["pack-expected"], "produced": kinds["pack-produced"], "passed": verdicts["PASS"], "failed": verdicts["FAIL"],
            "looked": verdicts["LOOK"], "remade": sum(1 for e in entries if e["kind"] == "pack-expected" and e["data"]["replaces"]),
            "never_made": kinds["pack-never-made"],
        },
        "doubts": {"told": kinds["job-in-doubt"], "decided": kinds["doubt-decided"], "resolved": kinds["doubt-resolved"]},
        "labels": {
            "printed": _printed(plant.truth_files),
            "read_back": sum(1 for e in entries if e["kind"] == "pack-verified" and e["data"]["pack"] in e["data"]["read"]),
        },
        "ledger": {"entries": verified.entries, "head": verified.head, "imbalance": imbalance(entries)},
        "invariants": invariants,
        "truth": check,
        "problems": result.problems[:50],
        "elapsed_s": round(elapsed_s, 1),
    }  # fmt: skip
    held = all(answer is not False for answer in invariants.values())
    summary["ok"] = held and check["mismatches"] == 0 and not result.problems and summary["ledger"]["imbalance"] == 0
    return summary


_DOSE_ENDS = frozenset(
    f"dose-{end}" for end in ("given", "returned", "wasted", "cancelled", "missed", "unfulfillable", "lost")
)


def _printed(truths: list[Path]) -> int:
    """Count the labels that the printers say came out."""
    lines = (line for path in truths if path.exists() for line in path.read_text(encoding="utf-8").splitlines())
    return sum(1 for line in lines if json.loads(line)["what"] == "label-printed")


def _put_down(folder: Path, sheets: Sequence[Upload]) -> list[Path]:
    """Write the sheets as they were sent, one folder each, for the checker to read them by itself."""
    paths = [folder / str(number) / sheet.name for number, sheet in enumerate(sheets, start=1)]
    for path, sheet in zip(paths, sheets, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sheet.data)
    return paths


def _checked(export: Path, truths: list[Path], sheets: list[Path]) -> dict[str, Any]:
    """Have the independent checker compare the ledger with what physically happened and with the sheets."""
    command = [sys.executable, "-m", "simulators", "check", "--ledger", str(export)]
    for path in truths:
        command += ["--truth", str(path)]
    for path in sheets:
        command += ["--sheet", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        return {"mismatches": 1, "first": [f"the checker broke off: {done.stderr[-500:]}"]}
    told: dict[str, Any] = json.loads(lines[-1])
    return {**told, "first": [json.loads(line) for line in lines[:-1]][:20]}


def _show(console: Console, summary: dict[str, Any], result: DayResult) -> None:
    table = Table(title="The day", show_header=False)
    outcomes = ", ".join(f"{name} {count}" for name, count in sorted(summary["sheet"]["outcomes"].items()))
    table.add_row("Sheet", f"{summary['sheet']['orders']} orders: {outcomes}")
    table.add_row("Changes", f"{summary['changes']['changes']}, with {summary['changes']['orders']} new orders")
    table.add_row(
        "Doses planned",
        f"{summary['doses']['planned']}: "
        + ", ".join(f"{k} {v}" for k, v in sorted(summary["doses"]["lanes"].items())),
    )
    table.add_row("Doses ended", ", ".join(f"{name} {count}" for name, count in summary["doses"]["ended"].items()))
    table.add_row("Packs", ", ".join(f"{name} {count}" for name, count in summary["packs"].items()))
    if summary["doubts"]["told"]:
        table.add_row("In doubt", ", ".join(f"{name} {count}" for name, count in summary["doubts"].items()))
    table.add_row("Labels", f"{summary['labels']['printed']} printed, {summary['labels']['read_back']} read back")
    table.add_row(
        "Ledger",
        f"{summary['ledger']['entries']} entries, imbalance {summary['ledger']['imbalance']}, head {summary['ledger']['head'][:16]}…",
    )
    table.add_row("Invariants", "\n".join(f"{name}: {_word(answer)}" for name, answer in summary["invariants"].items()))
    table.add_row(
        "Truth", f"{summary['truth']['mismatches']} mismatches between the ledger and what physically happened"
    )
    table.add_row("Time", f"{summary['elapsed_s']} s")
    console.print(table)
    for problem in result.problems[:10]:
        console.print(f"[red]problem:[/red] {problem}", highlight=False)
    for mismatch in summary["truth"].get("first", [])[:10]:
        console.print(f"[red]mismatch:[/red] {mismatch}", highlight=False)
    console.print("[green]Every invariant held.[/green]" if summary["ok"] else "[red]This day did not end well.[/red]")


def _word(answer: bool | str) -> str:
    return "held" if answer is True else str(answer) if answer else "[red]BROKEN[/red]"


def _stay(console: Console, plant: Plant, url: str, folder: Path) -> None:
    console.print(
        f"\nThe hub stays up at {url}/line — sign in with badge {PEOPLE['pharmacist'][2]}, PIN {PIN}. Data: {folder}. Ctrl-C ends it."
    )
    for page in ("line", "trolley", "devices", "ledger", "api/docs"):
        console.print(f"  {url}/{page}")
    while True:
        plant.check_alive()
        time.sleep(1)
