"""Cut the power of recorded runs many times and print what was lost: nothing may be at FULL, and in the controls something must be.

The control at `synchronous = NORMAL` proves that the judges see a loss, the disk that lies about half of its syncs that they see a
corrupt file: a run in which the controls come off unharmed has failed.
"""

import argparse
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.disk.cut_disk import Kind
from tests.disk.power_cuts import HUB, SPOOL, Mode, Program, Tally, cut_many, recorded
from tests.disk.recording import working_folder

STATES_A_RECORDING = 5_000
CONTROL_SHARE, FEWEST_CONTROLS = 20, 20
_ROW = "{:<8} {:<7} {:<8} {:>8} {:>8} {:>7} {:>6} {:>8} {:>9}"
_HEAD = ("program", "mode", "names", "states", "disks", "lost", "worst", "corrupt", "states/s")


def cut_program(program: Program, mode: Mode, states: int, seed: int) -> list[Tally]:
    """Judge so many states on each kind of disk, over as many recordings as they need."""
    tallies = [Tally(program, mode, kind) for kind in Kind]
    recordings = math.ceil(states / STATES_A_RECORDING)
    for number in range(recordings):
        with working_folder() as name:
            _one_recording(Path(name), tallies, seed * 1_000 + number, states * (number + 1) // recordings)
    return tallies


def _one_recording(folder: Path, tallies: Sequence[Tally], seed: int, until: int) -> None:
    """Bring each tally to `until` states by the cuts of one recording."""
    recording = recorded(tallies[0].program, tallies[0].mode, seed, folder)
    for tally in tallies:
        with tempfile.TemporaryDirectory(dir=folder) as rebuilt:
            cut_many(recording, until - tally.states, tally, Path(rebuilt))


def all_tallies(states: int, seed: int) -> Iterator[Tally]:
    """Share the states among the programs and kinds of disks at FULL, and a twentieth of as many among each control."""
    share = max(1, states // (2 * len(Kind)))
    for program in (HUB, SPOOL):
        for mode in Mode:
            yield from cut_program(program, mode, share if mode is Mode.FULL else max(FEWEST_CONTROLS, share // CONTROL_SHARE), seed)


def is_proven(tallies: Sequence[Tally]) -> bool:
    """Tell whether nothing was lost or corrupt at FULL, every control at NORMAL lost, and every lying disk corrupted something."""
    as_they_must_be = {
        Mode.FULL: [not (tally.lost or tally.corrupt) for tally in tallies if tally.mode is Mode.FULL],
        Mode.NORMAL: [tally.lost > 0 for tally in tallies if tally.mode is Mode.NORMAL],
        Mode.LYING: [tally.corrupt > 0 for tally in tallies if tally.mode is Mode.LYING],
    }
    return all(rows and all(rows) for rows in as_they_must_be.values())


def main() -> int:
    """Run the states asked for; the status is 0 only if the promise is proven."""
    parser = argparse.ArgumentParser(prog="python -m tests.disk", description=__doc__)
    parser.add_argument("--states", type=int, default=10_000, help="states at FULL, shared by programs and kinds of disks")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    _print(_ROW.format(*_HEAD))
    tallies = []
    for tally in all_tallies(options.states, options.seed):
        tallies.append(tally)
        _print_tally(tally)
    proven = is_proven(tallies)
    _print("At FULL nothing acknowledged was lost and nothing was corrupt; every control was harmed." if proven else "NOT PROVEN: see above.")
    return 0 if proven else 1


def _print_tally(tally: Tally) -> None:
    rate = f"{tally.states / tally.seconds:,.0f}"
    names = (tally.program.name, tally.mode.value, tally.kind.value)
    _print(_ROW.format(*names, tally.states, tally.disks, tally.lost, tally.worst, tally.corrupt, rate))
    for fault in tally.faults if tally.mode is Mode.FULL else ():
        _print(f"    {fault}")


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
