"""Measures verification: simulated pouches with seeded faults, judged as the camera station judges them.

`python -m tests.verification.run --pouches N --seed S [--from A --to B] [--workers 2] --out FILE` appends one JSON line a pouch; a
number that the file has already is not run again. `--report` makes `docs/evidence/verification.md` of all files given with `--out`.
"""

import argparse
import json
import multiprocessing
import os
import random
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import cv2

from devices.barcode_camera.looks import TabletLook
from hub.adapters.picture_figures import write_rates
from simulators.camera import optics
from tests.verification.house import LABELS, TABLETS, Label, make_label
from tests.verification.judging import judge
from tests.verification.learning import learned_looks
from tests.verification.pouches import make_pouch
from tests.verification.report import false_passes, picture_rates, report

PART, TOLD_EACH = 20, 1000
DEFAULT_OUT = Path("build/verification.ndjson")


@dataclass(frozen=True)
class Run:
    """What makes every pouch of a run what it is; `looks` are names of `TABLETS`."""

    seed: int
    severity: str
    looks: tuple[str, ...] = tuple(TABLETS)


@cache
def labels_of(seed: int) -> tuple[Label, ...]:
    """Draw the labels of a run once a process."""
    return tuple(make_label(seed, number) for number in range(LABELS))


@cache
def looks_of(seed: int, names: tuple[str, ...]) -> dict[str, TabletLook]:
    """Learn the looks of a run once a process."""
    return learned_looks({name: TABLETS[name] for name in names}, seed)


def outcome(run: Run, number: int) -> dict[str, Any]:
    """Make, draw and judge one pouch; the same run and number give the same line but for the times."""
    pouch = make_pouch(run.seed, number, run.severity, labels_of(run.seed), run.looks)
    judged = judge(pouch, looks_of(run.seed, run.looks), random.Random(f"{run.seed}/{number}/light"))
    return {
        "seed": run.seed,
        "severity": run.severity,
        "number": number,
        "fault": pouch.fault,
        "stratum": judged.stratum,
        "tablets": len(pouch.scene.tablets),
        "verdict": judged.verdict,
        "reasons": list(judged.rules),
        "frames": judged.frames,
        "look": pouch.out_of_place,
        "other": pouch.swapped_in,
        "drawing_ms": round(judged.drawing_ms, 1),
        "judging_ms": round(judged.judging_ms, 1),
    }


def _part(run: Run, numbers: Sequence[int]) -> list[dict[str, Any]]:
    cv2.setNumThreads(1)
    optics.warm_up()
    return [outcome(run, number) for number in numbers]


def _end_with_parent() -> None:
    """Let this worker end when the process that started it does, in whichever way that ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def outcomes(run: Run, numbers: Sequence[int], workers: int) -> Iterator[dict[str, Any]]:
    """Yield the outcome of each number, part by part as they are done."""
    parts = [numbers[start : start + PART] for start in range(0, len(numbers), PART)]
    if workers == 1:
        yield from (line for part in parts for line in _part(run, part))
        return
    with ProcessPoolExecutor(workers, initializer=_end_with_parent) as pool:
        for lines in pool.map(_part, [run] * len(parts), parts):
            yield from lines


def read_lines(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Read the outcomes kept in files; a last line that a crash tore off is left out."""
    lines = [line for file in files if file.exists() for line in file.read_text(encoding="utf-8").split("\n")[:-1]]
    return [json.loads(line) for line in lines]


def _is_of(run: Run, line: dict[str, Any]) -> bool:
    return (line["seed"], line["severity"]) == (run.seed, run.severity)


def _is_done(run: Run, file: Path) -> set[int]:
    return {line["number"] for line in read_lines([file]) if _is_of(run, line)}


def _drop_torn_line(file: Path) -> None:
    """Cut off what a crash left of a line, so that the next one begins at its own."""
    raw = file.read_bytes() if file.exists() else b""
    if raw and not raw.endswith(b"\n"):
        file.write_bytes(raw[: raw.rfind(b"\n") + 1])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.verification.run", description=__doc__)
    parser.add_argument("--pouches", type=int, default=2000, help="how many, from number 0 on")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--severity", default="mild", choices=("none", "mild", "severe"))
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first number")
    parser.add_argument(
        "--to", dest="end", type=int, default=None, help="the number after the last one; instead of --pouches"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument(
        "--out", type=Path, nargs="+", default=[DEFAULT_OUT], help="where the lines are kept; --report merges several"
    )
    parser.add_argument(
        "--report",
        type=Path,
        nargs="?",
        const=Path("docs/evidence/verification.md"),
        help="write the tables and run nothing",
    )
    parser.add_argument("--rates", action="store_true", help="with --report: also write the rates that /references shows")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is not done yet, or report; exit 1 where a pouch with a wrong label or count passed."""
    options = _parser().parse_args(arguments)
    if options.report is not None:
        text, held = report(read_lines(options.out))
        options.report.write_text(text, encoding="utf-8")
        if options.rates:
            write_rates(picture_rates(read_lines(options.out)), "python -m tests.verification.run --report --rates")
        return 0 if held else 1
    run, file = Run(options.seed, options.severity), options.out[0]
    file.parent.mkdir(parents=True, exist_ok=True)
    _drop_torn_line(file)
    done = _is_done(run, file)
    end = options.end if options.end is not None else options.first + options.pouches
    told = _run(run, [number for number in range(options.first, end) if number not in done], options.workers, file)
    sys.stdout.write(json.dumps({**told, "done_before": len(done), "file": str(file)}) + "\n")
    return 1 if told["false_pass"] else 0


def _run(run: Run, numbers: Sequence[int], workers: int, file: Path) -> dict[str, Any]:
    """Append the outcome of each number to the file; tell how many there were, and what passed in this file that may not."""
    begun_s = time.monotonic()
    with file.open("a", encoding="utf-8") as out:
        for count, line in enumerate(outcomes(run, numbers, workers), 1):
            out.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
            out.flush()
            if count % TOLD_EACH == 0:
                sys.stderr.write(f"{count} of {len(numbers)}\n")
    passed = false_passes(line for line in read_lines([file]) if _is_of(run, line))
    return {"pouches": len(numbers), "false_pass": passed, "seconds": round(time.monotonic() - begun_s, 1)}



if __name__ == "__main__":
    sys.exit(main())
