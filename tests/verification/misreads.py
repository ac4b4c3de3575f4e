"""`python -m tests.verification.misreads --decodes N --seed S`: does a damaged symbol ever pass for another live serial?

Symbols are drawn in blocks of 250, each from the seed and its own number, so that a run can be split by `--first-block`
and goes on where another ended. Every decode is judged as the station would: identifier, check character, member of 500 live
serials. One JSON line tells what came of it; status 1 if another live serial than the true one was accepted. `--steps cheap` leaves
out the repairs, which cost most of the time and read one symbol in twenty.
"""

import argparse
import itertools
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import cv2
import numpy as np

from devices.barcode_camera.cascade import View, read_cheaply
from devices.barcode_camera.codes import CODE_128, DATA_MATRIX, CodeRead
from devices.barcode_camera.decode import MATRIX, read_code_128, read_data_matrix
from hub.domain.verification import is_serial
from tests.verification.damaged_symbols import DamagedSymbol, damaged_symbol, live_serials

BLOCK = 250
IDENTIFIERS = {"DataMatrix": DATA_MATRIX, "Code128": CODE_128}


def read(symbol: DamagedSymbol, symbology: str, steps: str = "all") -> tuple[CodeRead, ...]:
    """Read a picture by the station's own entry for the symbology, or by its cheap steps alone."""
    if steps == "cheap":
        return read_cheaply(View(symbol.grey), MATRIX)
    return read_data_matrix(symbol.grey) if symbology == "DataMatrix" else read_code_128(symbol.grey)


def judged(code: CodeRead, symbol: DamagedSymbol, live: frozenset[str], identifier: str) -> str:
    """Say what the station makes of one decode: `right`, `accepted wrongly`, or why it is refused."""
    if code.identifier != identifier:
        return "refused: identifier"
    if not is_serial(code.text):
        return "refused: check character"
    if code.text not in live:
        return "refused: not live"
    return "right" if code.text == symbol.truth else "accepted wrongly"


def run_block(seed: int, symbology: str, steps: str, block: int) -> Counter[str]:
    """Draw and read the symbols of one block; counts symbols, decodes and what came of them."""
    cv2.setNumThreads(1)
    serials = live_serials(seed)
    live, chance = frozenset(serials), np.random.default_rng([seed, 2, block])
    counts: Counter[str] = Counter()
    for _ in range(BLOCK):
        symbol = damaged_symbol(chance, serials, symbology)
        codes = read(symbol, symbology, steps)
        counts["symbols"] += 1
        counts["decodes"] += len(codes)
        counts.update(judged(code, symbol, live, IDENTIFIERS[symbology]) for code in codes)
        counts["damage read: " + symbol.damage] += bool(codes)
    return counts


def blocks(first: int, seed: int, symbology: str, steps: str, processes: int) -> Iterator[Counter[str]]:
    """Yield the counts of block after block, several at once."""
    run = partial(run_block, seed, symbology, steps)
    with ProcessPoolExecutor(processes) as pool:
        for start in itertools.count(first, processes):
            yield from pool.map(run, range(start, start + processes))


def measure(decodes: int, seed: int, symbology: str, steps: str, first: int, processes: int, limit_s: float) -> dict[str, object]:
    """Read damaged symbols until so many decodes came or the time is over; returns all counts."""
    counts: Counter[str] = Counter()
    began_s, number = time.monotonic(), first
    for found in blocks(first, seed, symbology, steps, processes):
        counts, number = counts + found, number + 1
        if counts["decodes"] >= decodes or time.monotonic() - began_s > limit_s:
            break
    wrongly = counts["accepted wrongly"]
    upper = None if wrongly or not counts["decodes"] else 3 / counts["decodes"]
    return {
        "seed": seed, "symbology": symbology, "steps": steps, "blocks": [first, number], "seconds": round(time.monotonic() - began_s, 1),
        "accepted wrongly": wrongly, "upper limit at 95 %": upper, **dict(sorted(counts.items())),
    }  # fmt: skip


def main() -> int:
    """Run and print the line."""
    parser = argparse.ArgumentParser(prog="python -m tests.verification.misreads", description=__doc__)
    parser.add_argument("--decodes", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--symbology", choices=tuple(IDENTIFIERS), default="DataMatrix")
    parser.add_argument("--steps", choices=("all", "cheap"), default="all", help="of the Data Matrix: all steps, or half size and blurred only")
    parser.add_argument("--first-block", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after so long whatever came")
    options = parser.parse_args()
    told = measure(
        options.decodes, options.seed, options.symbology, options.steps, options.first_block, options.processes, options.seconds
    )
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    return 1 if told["accepted wrongly"] else 0


if __name__ == "__main__":
    sys.exit(main())
