"""Feed hostile files into the readers of intake and print what became of them."""

import argparse
import sys
import time

from tests.fuzz_intake.fuzz import Result, run
from tests.fuzz_intake.readers import READERS


def main() -> int:
    """Run; the status is 0 only where nothing was found. The seed and the number of an input make the same file again."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_intake", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="files into each of the readers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reader", choices=sorted(READERS), action="append", help="only these; all of them otherwise")
    options = parser.parse_args()
    faults = 0
    for name in options.reader or sorted(READERS):
        started_s = time.monotonic()
        result = run(READERS[name], options.inputs, options.seed)
        _print(name, result, time.monotonic() - started_s)
        faults += len(result.faults)
    return 1 if faults else 0


def _print(name: str, result: Result, spent_s: float) -> None:
    lines = [
        f"{name}: {result.inputs:,} files, {result.refused:,} refused, {result.sheets:,} sheets with {result.lines:,} lines"
    ]
    lines += [
        f"  of them unreadable {result.unreadable:,}; rejects {result.rejects:,}; {len(result.reasons):,} kinds of refusal; {spent_s:.0f} s"
    ]
    lines += [f"  FOUND {fault}" for fault in result.faults] or ["  Nothing was found."]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
