"""`python -m tests.verification.hard_frames`: how many ordinary and hard frames are read, beside zxing-cpp alone.

One JSON line a set: share read, wrong contents, CPU of the thread in ms. `--first` and `--count` split a long run by the numbers of
its cases. The hard set is valid only if zxing-cpp alone, without blur, reads 40-50 % of it.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import cv2
import zxingcpp

from devices.barcode_camera import read_codes
from devices.barcode_camera.decode import read_data_matrix, read_data_matrix_over
from tests.verification.hard_set import Grey, HardCase, hard_case, ordinary_case

Frames = tuple[Grey, ...]
FRAMES = 3


def bare(frames: Frames) -> list[bytes]:
    """Read one frame with zxing-cpp alone, as it comes."""
    found = zxingcpp.read_barcodes(frames[0], formats=(zxingcpp.BarcodeFormat.DataMatrix,))
    return [bytes(barcode.bytes) for barcode in found]


READERS: dict[str, Callable[[Frames], list[bytes]]] = {
    "zxing-cpp alone": bare,
    "station, one frame": lambda frames: [read.payload for read in read_data_matrix(frames[0])],
    "station, three frames": lambda frames: [read.payload for read in read_data_matrix_over(frames)],
    "read_codes, all formats": lambda frames: [read.payload for read in read_codes(frames[0])],
}


@dataclass
class Tally:
    """What one reader made of a set."""

    read: int = 0
    wrong: int = 0
    cpu_ms: list[float] = field(default_factory=list)
    by_defect: Counter[str] = field(default_factory=Counter)
    cases: Counter[str] = field(default_factory=Counter)

    def add(self, case: HardCase, reader: Callable[[Frames], list[bytes]]) -> None:
        """Let the reader read a case."""
        began_s = time.thread_time()
        payloads = reader(case.frames)
        self.cpu_ms.append((time.thread_time() - began_s) * 1000)
        self.read += case.truth in payloads
        self.by_defect[case.defect] += case.truth in payloads
        self.cases[case.defect] += 1
        self.wrong += any(payload != case.truth for payload in payloads)

    def told(self) -> dict[str, object]:
        """Return the figures."""
        ordered = sorted(self.cpu_ms)
        return {
            "read": self.read, "share": round(self.read / len(ordered), 5), "wrong": self.wrong, "by defect": {name: [self.by_defect[name], count] for name, count in sorted(self.cases.items())},
            "p50 ms": round(ordered[len(ordered) // 2], 2), "p95 ms": round(ordered[int(len(ordered) * 0.95)], 2), "most ms": round(ordered[-1], 1),
        }  # fmt: skip


def measure(cases: Iterable[HardCase]) -> dict[str, Tally]:
    """Let every reader read every case."""
    tallies = {name: Tally() for name in READERS}
    for case in cases:
        for name, reader in READERS.items():
            tallies[name].add(case, reader)
    return tallies


def main() -> int:
    """Measure the sets that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.verification.hard_frames", description=__doc__)
    parser.add_argument("--set", choices=("ordinary", "hard"), default="hard")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dots", type=int, choices=(4, 5), default=4)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    numbers = range(options.first, options.first + options.count)
    draw, frames = (hard_case, FRAMES) if options.set == "hard" else (ordinary_case, 1)
    tallies = measure(draw(options.seed, number, options.dots, frames) for number in numbers)
    told = {"set": options.set, "dots": options.dots, "seed": options.seed, "numbers": [numbers.start, numbers.stop]}
    sys.stdout.write(json.dumps(told | {name: tally.told() for name, tally in tallies.items()}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
