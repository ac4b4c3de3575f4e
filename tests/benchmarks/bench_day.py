"""A whole day with all its processes: `dosehub demo --speed max --exit`, and where its wall time goes.

A day of the hospital fortnight is taken where its folder lies beside the checkout (../shared/data/hospital_fortnight),
else the bundled sample.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.figures import Figure, note, print_table

FORTNIGHT = Path(__file__).resolve().parents[3] / "shared" / "data" / "hospital_fortnight"
DAY = "2026-03-05"
LONGEST_S = 90
PARTS = 6


def figures() -> list[Figure]:
    """Run the day once and return its seconds, doses, and the parts that took longest."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "summary.json"
        command = [sys.executable, "-m", "hub.cli", "demo", *_inputs(), "--speed", "max", "--exit", "--json", str(told)]
        started, before = time.perf_counter(), os.times()
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        seconds, after = time.perf_counter() - started, os.times()
        if done.returncode:
            raise RuntimeError(f"the day did not end well:\n{done.stdout[-3000:]}")
        summary = json.loads(told.read_text(encoding="utf-8"))
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    title = f"day of {summary['doses']['planned']} doses, {summary['packs']['produced']} packs"
    note(f"day: {seconds:.1f} s, parts {summary['spent_s']}")
    longest = list(summary["spent_s"].items())[:PARTS]
    return [
        Figure(f"{title}, whole process", seconds, "s", goal=f"≤ {LONGEST_S} s", held=seconds <= LONGEST_S),
        Figure(f"{title}, CPU of all processes", cpu_s, "s"),
        *(Figure(f"    of it: {name}", spent, "s") for name, spent in longest),
    ]


def _inputs() -> list[str]:
    if not FORTNIGHT.is_dir():
        note("day: the hospital fortnight does not lie beside the checkout; the bundled sample is taken")
        return []
    sheet, changes = FORTNIGHT / "sheets" / f"{DAY}.bundle.json.gz", FORTNIGHT / "changes" / f"{DAY}.ndjson.gz"
    return ["--sheet", str(sheet), "--changes", str(changes), "--formulary", str(FORTNIGHT / "formulary.csv")]


def main() -> None:
    """Print the figures of the day."""
    print_table(figures())


if __name__ == "__main__":
    main()
