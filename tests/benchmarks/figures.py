"""Figures and the one table they are printed in."""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value; `bare` is what the limit program of the same run reached, `ratio` is how far from it we are."""

    name: str
    value: float
    unit: str
    bare: float | None = None
    ratio: float | None = None
    goal: str = ""
    held: bool | None = None


def beside(name: str, value: float, unit: str, bare: float, goal: str = "", held: bool | None = None) -> Figure:
    """Return a figure whose ratio is its value over the bare program's."""
    return Figure(name, value, unit, bare, value / bare, goal, held)


def print_table(figures: Iterable[Figure]) -> None:
    """Print all figures in one table."""
    sys.stdout.write(f"\n{'figure':<62} {'ours':>11} {'bare':>11}  {'ratio':>6}  goal\n{'-' * 118}\n")
    for figure in figures:
        bare = "" if figure.bare is None else _number(figure.bare)
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        held = {None: "", True: " held", False: " NOT held"}[figure.held]
        sys.stdout.write(
            f"{figure.name:<62} {_number(figure.value):>11} {bare:>11}  {ratio:>6}  {figure.unit:<9} {figure.goal}{held}\n"
        )
    sys.stdout.flush()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:,.1f}" if value >= 50 else f"{value:,.3f}"


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile of many values."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def in_own_process(module: str, *arguments: object, timeout_s: float = 600.0) -> dict[str, Any]:
    """Run a module of the benchmarks in a process of its own and return the JSON object that it prints last."""
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def note(text: str) -> None:
    """Tell of the progress, on standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
