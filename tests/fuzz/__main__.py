"""Feed hostile bytes into both ends of the serial link and print what became of them: no exception, no growth, no stranger taken."""

import argparse
import resource
import sys
import time

from tests.fuzz.fuzz import Fuzz, Result, Side

GROWTH_LIMIT_BYTES = 16 << 20


def main() -> int:
    """Run; the status is 0 only where nothing was found. An exception ends the run with its traceback; the seed repeats it."""
    parser = argparse.ArgumentParser(prog="make fuzz ARGS=…", description=__doc__)
    parser.add_argument("--bytes", type=int, default=10_000_000, help="hostile bytes into each of the two ends")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started_s = time.monotonic()
    result = Fuzz(options.seed).run(options.bytes)
    for side in (result.bridge, result.machine):
        _print_side(side)
    _print_rest(result, time.monotonic() - started_s)
    faults = result.faults(GROWTH_LIMIT_BYTES)
    _print("FOUND: " + "; ".join(faults) if faults else "Nothing was found.")
    return 1 if faults else 0


def _print_side(side: Side) -> None:
    judge = side.line.judge
    _print(f"{side.name}: {side.fed_bytes:,} bytes, {judge.pieces:,} pieces between delimiters")
    _print(f"  sound on the line {judge.sound:,}, accepted {side.accepted:,}, missed {side.missed}, neither accepted nor counted {side.uncounted}")
    _print(f"  accepted though not sent {len(side.strangers)}; by chance a CRC-32 lets {side.expected_by_chance:.6f} through")
    _print("  dropped: " + ", ".join(f"{name} {count:,}" for name, count in side.dropped.items()))
    _print("  put on the line: " + ", ".join(f"{name} {count:,}" for name, count in sorted(side.line.fates.items())))


def _print_rest(result: Result, spent_s: float) -> None:
    _print("the link told: " + ", ".join(f"{name} {count:,}" for name, count in sorted(result.told.items())))
    _print(f"the machine dropped {result.tablets_fallen:,} tablets, {result.tablets_unasked} beyond what frames on the line had asked for")
    held = ", ".join(f"{held / 2**20:.1f} MiB" for held in result.held_bytes)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _print(f"memory after three tenths and at the end: {held}; peak {peak:.1f} MiB; seed {result.seed}, {spent_s:.0f} s")


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
