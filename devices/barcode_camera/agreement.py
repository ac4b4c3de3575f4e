"""One-dimensional codes of retail have a weak check: here a second reading has a say in whether a first one counts.

A reading that another one contradicts at the same place counts only if more readings say what it says. What no plain reading
shows counts if two readings of differently prepared pictures say the same and none says anything else.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np

from devices.barcode_camera.codes import CodeRead, moved
from devices.barcode_camera.frame import Grey
from devices.barcode_camera.readers import read_zbar, read_zxing

WEAK_FORMATS = frozenset({"EAN13", "EAN8", "UPCA", "UPCE", "Code39", "Codabar"})
LINEAR_FORMATS = WEAK_FORMATS | {"Code128", "Code93", "DataBar"}
NEAR_PX = 24.0
AGREE = 2
ENLARGED_LIMIT = 700_000


def settled(found: tuple[CodeRead, ...], grey: Grey, formats: frozenset[str]) -> tuple[CodeRead, ...]:
    """Leave out each weak code that other readings of the picture contradict at its place."""
    if not any(read.symbology in WEAK_FORMATS for read in found):
        return found
    others = tuple(_second_readings(grey, formats & WEAK_FORMATS))
    return tuple(read for read in found if read.symbology not in WEAK_FORMATS or _holds(read, (*found, *others)))


def _holds(read: CodeRead, readings: Iterable[CodeRead]) -> bool:
    there = [other for other in readings if other.symbology in WEAK_FORMATS and _is_near(read, other)]
    same = sum(_digits(other) == _digits(read) for other in there)
    return same == len(there) or same > len(there) - same


def _second_readings(grey: Grey, formats: frozenset[str]) -> Iterator[CodeRead]:
    yield from read_zxing(_soft(grey), formats, "zxing-cpp/soft")
    yield from read_zbar(grey, formats & {"EAN13"})


def read_agreed(grey: Grey, formats: frozenset[str]) -> tuple[CodeRead, ...]:
    """Read what plain reading does not show: linear codes on which two readings agree, else a QR of ASCII by zbar."""
    readings = [read for attempt in _attempts(grey, formats & LINEAR_FORMATS) for read in attempt]
    told = Counter(_digits(read) for read in readings)
    if len(told) == 1 and told.total() >= AGREE:
        return (readings[0],)
    return tuple(read for read in read_zbar(grey, formats & {"QRCode"}) if read.payload.isascii())


def _attempts(grey: Grey, formats: frozenset[str]) -> Iterator[tuple[CodeRead, ...]]:
    """Yield what each reader shows of pictures prepared in different ways; zbar's Code 128 takes Latin letters for others."""
    yield read_zxing(_soft(grey), formats, "zxing-cpp/soft")
    yield read_zbar(grey, formats & {"EAN13"})
    yield read_zbar(_soft(grey), formats & {"EAN13"}, "zbar/soft")
    if grey.size <= ENLARGED_LIMIT:
        enlarged = np.asarray(cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
        yield _halved(read_zxing(enlarged, formats, "zxing-cpp/enlarged"))
        yield _halved(read_zbar(enlarged, formats & {"EAN13"}, "zbar/enlarged"))


def _halved(reads: Iterable[CodeRead]) -> tuple[CodeRead, ...]:
    return tuple(replace(read, polygon=moved(read.polygon, 0.5)) for read in reads)


def _soft(grey: Grey) -> Grey:
    return np.asarray(cv2.GaussianBlur(grey, (5, 5), 1.0), np.uint8)


def _digits(read: CodeRead) -> bytes:
    """Give the content without leading zeros: UPC-A is EAN-13 with one before it."""
    return read.payload.lstrip(b"0")


def _is_near(one: CodeRead, other: CodeRead) -> bool:
    """Tell whether the boxes around two codes overlap, or nearly."""
    sides = zip(zip(*one.polygon, strict=True), zip(*other.polygon, strict=True), strict=True)
    return all(min(mine) - NEAR_PX <= max(theirs) and min(theirs) - NEAR_PX <= max(mine) for mine, theirs in sides)
