"""Crash a plant at work many times over, let it reconcile, and have it judged; the last line tells what came of it."""

import argparse
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.crashes.crasher import Answered
from tests.crashes.run import CrashedDay, crash_day
from tests.crashes.ward import ward_case

SHOWN = 20


def main() -> int:
    """Run days until so many processes were killed; the status is 0 only if nothing was lost, doubled or told wrongly."""
    options = _options()
    signal.signal(signal.SIGTERM, _interrupt)
    days: list[CrashedDay] = []
    while (left := options.kills - sum(len(day.toll.answered) for day in days)) > 0:
        seed = options.seed + len(days)
        days.append(_one_day(options, left, seed))
        _tell_day(days[-1], seed)
        if not days[-1].is_sound or not days[-1].toll.answered:
            _print(f"again: {_again(left, seed, options.copies)}")
            break
    _tell_all(days)
    return 0 if is_proven(days, options.kills) else 1


def _one_day(options: argparse.Namespace, kills: int, seed: int) -> CrashedDay:
    with tempfile.TemporaryDirectory(prefix="dosehub-crashes-") as name:
        folder = (options.keep or Path(name)) / f"seed-{seed}"
        folder.mkdir(parents=True)
        ward = ward_case(options.copies, Path(name))
        return crash_day(folder, ward, kills, seed, lambda text: _print(f"  {text}") if options.loud else None)


def _again(kills: int, seed: int, copies: int) -> str:
    """Return the command that does the same to the same day."""
    return shlex.join(["make", "crashes", f"ARGS=--kills {kills} --seed {seed} --copies {copies}"])


def _interrupt(*_: object) -> None:
    """End as Ctrl-C does: the plant's processes are ended too."""
    raise KeyboardInterrupt


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crashes", description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="processes to kill, in as many days as that takes")
    parser.add_argument("--seed", type=int, default=1, help="of the first day; each further day has the next one")
    parser.add_argument("--copies", type=int, default=2, help="how many times the bundled ward works at once")
    parser.add_argument("--keep", type=Path, help="keep each day's files in a folder there")
    parser.add_argument("--loud", action="store_true", help="print every step of the day")
    return parser.parse_args()


def is_proven(days: Sequence[CrashedDay], kills: int) -> bool:
    """Tell whether enough was killed, and nothing is wrong with any day."""
    return sum(len(day.toll.answered) for day in days) >= kills and all(day.is_sound for day in days)


def _tell_day(day: CrashedDay, seed: int) -> None:
    faults = ", ".join(f"{name} {count}" for name, count in sorted(day.toll.faults.items()))
    _print(f"seed {seed}: {len(day.toll.answered)} kills in {day.seconds:.0f} s, {day.doses} doses, {day.entries} entries; {faults}")
    if day.ended_by_themselves:
        _print(f"  ended by themselves and started again: {dict(day.ended_by_themselves)}")
    for name, lines in (("trouble", day.troubles), ("WRONG", day.wrong)):
        for line in lines[:SHOWN]:
            _print(f"  {name}: {line}")


def _tell_all(days: Sequence[CrashedDay]) -> None:
    answered = [each for day in days for each in day.toll.answered]
    _print(f"{'first answer':<14} {'kills':>5} {'p50 s':>6} {'worst s':>7}")
    for name in sorted({each.name for each in answered}):
        _tell_answers(name, [each for each in answered if each.name == name and each.alone])
    _tell_answers("of several", [each for each in answered if not each.alone])
    alone = [each.seconds for each in answered if each.alone]
    _print(f"load average {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores")
    _print(
        f"{len(answered)} kills, {sum(day.doses for day in days)} doses, {sum(day.in_doubt for day in days)} in doubt, "
        f"{sum(day.lost for day in days)} lost, {sum(day.doubled for day in days)} doubled, "
        f"first answer p50 {median(alone):.1f} s worst {max(alone, default=0.0):.1f} s"
    )


def _tell_answers(name: str, answered: Sequence[Answered]) -> None:
    seconds = [each.seconds for each in answered]
    if seconds:
        _print(f"{name:<14} {len(seconds):>5} {median(seconds):>6.2f} {max(seconds):>7.2f}")


def median(seconds: Sequence[float]) -> float:
    """Return the middle one of so many seconds, 0 of none."""
    return sorted(seconds)[len(seconds) // 2] if seconds else 0.0


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
