"""How fast `dosehub ledger verify` is as a whole process, beside a process that only parses and hashes the same lines."""

import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hub.adapters.database import open_writer
from hub.adapters.ledger_export import export_file
from hub.adapters.ledger_store import LedgerStore
from tests.benchmarks.figures import Figure, note, print_table

ENTRIES = 200_000
LEAST_A_SECOND = 100_000
DATABASE = "dosehub.sqlite"


def figures(runs: int = 3) -> list[Figure]:
    """Verify an export and a database; medians of the runs, each beside the bare loop of the same run."""
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        sealing_s = _fill(folder / DATABASE)
        export = folder / "ledger.ndjson"
        exporting_s = _timed(lambda: export_file(folder / DATABASE, export))
        told = [_run(folder, export) for _ in range(runs)]
    bare_s = statistics.median(one["bare"] for one in told)
    return [
        _figure("dosehub ledger verify --file, whole process", told, "file", bare_s),
        _figure("dosehub ledger verify --data-dir, whole process", told, "data-dir", bare_s),
        Figure("sealing and inserting entries, in the process", ENTRIES / sealing_s, "1/s"),
        Figure("exporting entries, in the process", ENTRIES / exporting_s, "1/s"),
    ]


def _run(folder: Path, export: Path) -> dict[str, float]:
    verify = [sys.executable, "-m", "hub.cli", "ledger", "verify"]
    told = {
        "bare": _process([sys.executable, "-m", "tests.benchmarks.bench_ledger", "bare", str(export)]),
        "file": _process([*verify, "--file", str(export)]),
        "data-dir": _process([*verify, "--data-dir", str(folder)]),
    }
    note(f"ledger: {({name: round(seconds, 2) for name, seconds in told.items()})} s")
    return told


def _figure(name: str, told: list[dict[str, float]], path: str, bare_s: float) -> Figure:
    seconds = statistics.median(one[path] for one in told)
    ratio = statistics.median(one[path] / one["bare"] for one in told)
    held = ENTRIES / seconds >= LEAST_A_SECOND
    return Figure(name, ENTRIES / seconds, "1/s", ENTRIES / bare_s, ratio, "≥ 100,000/s", held)


def _process(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return time.perf_counter() - started


def _timed(run: Callable[[], Any]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _fill(database: Path) -> float:
    """Write a ledger of planned doses, stock moves and gifts, and return how long that took."""
    connection = open_writer(database)
    store = LedgerStore(connection)
    third = ENTRIES // 4
    started = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    store.append_many("2026-11-22T08:00:00.123456Z", "system", "dose-planned", [_planned(number) for number in range(ENTRIES - 2 * third)])
    store.append_many("2026-11-22T09:00:00.123456Z", "system", "stock-moved", [_moved(number) for number in range(third)])
    store.append_many("2026-11-22T10:00:00.123456Z", "0123456789ab", "dose-given", [_given(number) for number in range(third)])
    connection.execute("COMMIT")
    spent = time.perf_counter() - started
    connection.close()
    return spent


def _planned(number: int) -> dict[str, Any]:
    return {
        "dose": f"{number:032x}", "order": f"order-{number // 2}", "version": 1, "patient": f"patient-{number // 12}", "drug": f"D{number % 200}",
        "due": "2026-11-22T18:00:00Z", "slot": "вечер", "lane": "machine", "units": "1/2",
    }  # fmt: skip


def _moved(number: int) -> dict[str, Any]:
    return {
        "because": "given", "dose": f"{number:032x}", "from": f"pack:P{number:07}", "item": f"D{number % 200}", "lot": f"L{number % 200:05}",
        "pack": f"P{number:07}", "quantity": "1/2", "to": f"patient:p{number // 12}",
    }  # fmt: skip


def _given(number: int) -> dict[str, Any]:
    return {"dose": f"{number:032x}", "pack": f"P{number:07}", "patient": f"p{number // 12}", "units": "1/2"}


def bare(path: Path) -> None:
    """Parse every line and hash it, and nothing else."""
    with path.open("rb") as lines:
        for line in lines:
            json.loads(line)
            hashlib.sha256(line).hexdigest()


def main() -> None:
    """Print the figures, or be the bare process."""
    if len(sys.argv) > 2:
        bare(Path(sys.argv[2]))
    else:
        print_table(figures())


if __name__ == "__main__":
    main()
