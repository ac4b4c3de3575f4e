"""`python -m tests.verification.photographs FOLDER…`: every picture below the folders by `read_codes`, beside zxing-cpp alone.

One JSON line a symbology: codes that zxing-cpp alone reads, that `read_codes` reads, and what one of them reads and the other
does not, with the file, so that a person can look whether it is right. ITF is told too, though it is never read on purpose.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import zxingcpp

from devices.barcode_camera import read_codes
from devices.barcode_camera.pictures import as_grey

SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp"}
Code = tuple[str, bytes]


@dataclass
class Symbology:
    """What both readers made of one symbology."""

    alone: int = 0
    ours: int = 0
    only_alone: list[str] = field(default_factory=list)
    only_ours: list[str] = field(default_factory=list)


def compared(files: Iterable[tuple[str, set[Code], set[Code]]]) -> Mapping[str, Symbology]:
    """Add up by symbology what zxing-cpp alone and `read_codes` read of each file (name, alone, ours)."""
    found: dict[str, Symbology] = defaultdict(Symbology)
    for name, alone, ours in files:
        for symbology, payload in alone | ours:
            tally, code = found[symbology], (symbology, payload)
            tally.alone += code in alone
            tally.ours += code in ours
            if (code in alone) != (code in ours):
                (tally.only_alone if code in alone else tally.only_ours).append(f"{name}: {payload!r}")
    return found


def read_by_both(files: Iterable[Path]) -> Iterator[tuple[str, set[Code], set[Code]]]:
    """Read each file that is a picture by both."""
    for file in files:
        image = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if image is None:
            sys.stderr.write(f"{file}: no picture that OpenCV reads\n")
            continue
        barcodes = zxingcpp.read_barcodes(as_grey(image).grey)
        yield (
            str(file),
            {(str(barcode.format.name), bytes(barcode.bytes)) for barcode in barcodes},
            {(read.symbology, read.payload) for read in read_codes(image)},
        )


def main() -> None:
    """Read the pictures and print the tallies."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folders", nargs="+", type=Path)
    folders = arguments.parse_args().folders
    files = sorted({file for folder in folders for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES})
    read = list(read_by_both(files))
    blank = sum(not alone and not ours for _, alone, ours in read)
    sys.stdout.write(json.dumps({"pictures": len(read), "nothing read by either": blank}) + "\n")
    for name, tally in sorted(compared(read).items()):
        sys.stdout.write(json.dumps({"symbology": name} | vars(tally)) + "\n")


if __name__ == "__main__":
    main()
