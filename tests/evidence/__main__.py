"""Run many whole days through the line and write what came of each to docs/evidence/days.md."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FORTNIGHT = ROOT.parent / "shared" / "data" / "hospital_fortnight"
COLUMNS = ("day", "seed", "faults", "orders", "doses", "given", "packs", "failed", "looked", "remade", "entries", "mismatches", "broken", "seconds", "status")


def main() -> int:
    """Run the days asked for; the status is 1 if any of them did not end well."""
    parser = argparse.ArgumentParser(prog="python -m tests.evidence", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="runs of the bundled sample")
    parser.add_argument("--days", type=int, default=14, help="days of the hospital's fortnight")
    parser.add_argument("--faults", default="mild", choices=["none", "mild"])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "evidence" / "days.md")
    options = parser.parse_args()
    rows = []
    for row in _days(options.seeds, options.days, options.faults):
        rows.append(row)
        sys.stdout.write(_line(row) + "\n")
        sys.stdout.flush()
    options.out.write_text(_document(rows, options), encoding="utf-8")
    return 1 if any(row["status"] for row in rows) else 0


def _days(seeds: int, days: int, faults: str) -> Iterator[dict[str, Any]]:
    for seed in range(1, seeds + 1):
        yield _run("sample", seed, faults, [])
    for sheet in sorted((FORTNIGHT / "sheets").glob("*.bundle.json.gz"))[:days]:
        day = sheet.name[:10]
        files = ["--sheet", str(sheet), "--changes", str(FORTNIGHT / "changes" / f"{day}.ndjson.gz"), "--formulary", str(FORTNIGHT / "formulary.csv")]
        yield _run(day, int(day[-2:]), faults, files)


def _run(day: str, seed: int, faults: str, files: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.json"
        command = [sys.executable, "-m", "hub.cli", "demo", "--exit", "--seed", str(seed), "--faults", faults, "--json", str(summary), *files]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
        told = json.loads(summary.read_text(encoding="utf-8")) if summary.exists() else None
    if told is None:
        sys.stderr.write(done.stdout[-2000:] + done.stderr[-2000:])
        return {**dict.fromkeys(COLUMNS, ""), "day": day, "seed": seed, "status": done.returncode or 1}
    for problem in told["problems"][:5]:
        sys.stderr.write(f"{day} seed {seed}: {problem}\n")
    return {
        "day": day, "seed": seed, "faults": faults, "orders": told["sheet"]["orders"] + told["changes"]["orders"], "doses": told["doses"]["planned"],
        "given": told["doses"]["ended"].get("given", 0), "packs": told["packs"]["produced"], "failed": told["packs"]["failed"],
        "looked": told["packs"]["looked"], "remade": told["packs"]["remade"], "entries": told["ledger"]["entries"],
        "mismatches": told["truth"]["mismatches"], "broken": sum(answer is False for answer in told["invariants"].values()),
        "seconds": told["elapsed_s"], "status": done.returncode,
    }  # fmt: skip


def _line(row: dict[str, Any]) -> str:
    return "| " + " | ".join(str(row[column]) for column in COLUMNS) + " |"


def _document(rows: list[dict[str, Any]], options: argparse.Namespace) -> str:
    head = "| " + " | ".join(COLUMNS) + " |\n" + "|" + "---|" * len(COLUMNS)
    well = sum(not row["status"] for row in rows)
    return (
        "# Whole days through the line\n\n"
        f"`make system ARGS=\"--seeds {options.seeds} --days {options.days} --faults {options.faults}\"`: each row is one `dosehub demo --exit` with all its processes. "
        "The dated rows are days of the real hospital's fortnight, run where it lies beside the checkout. `mismatches` are contradictions between the ledger and "
        "what the simulators say happened; `broken` counts invariants that did not hold.\n\n"
        f"{well} of {len(rows)} days ended well.\n\n{head}\n" + "\n".join(map(_line, rows)) + "\n"
    )


if __name__ == "__main__":
    sys.exit(main())
