"""Reads every code of any picture: a frame, a scan, a photograph.

A picture of a frame's size ends early: what its cheap steps read is completed by the other places where a code may stand. A smaller
picture costs little, and for a larger one nobody waits: these are read plainly as well. One-dimensional codes of retail have a
weak check: what only a repaired picture shows of them counts if a second reading agrees.
"""

from collections.abc import Iterable
from dataclasses import replace

from devices.barcode_camera.cascade import (
    Budget,
    Formats,
    View,
    opened,
    read_cheaply,
    read_places,
    read_plain,
    read_repaired,
    softened,
)
from devices.barcode_camera.codes import CodeRead, distinct, moved
from devices.barcode_camera.frame import Grey
from devices.barcode_camera.places import Box, bar_places, dense_places
from devices.barcode_camera.readers import read_zxing

MATRIX_FORMATS = frozenset({"DataMatrix", "QRCode"})
"""Formats whose error correction lets any repair be trusted."""
LINEAR_FORMATS = frozenset({"Code128", "EAN13", "EAN8", "UPCA", "UPCE", "Code39", "DataBar"})
FRAME_PIXELS = range(700_000, 2_500_000)
ENLARGED_LIMIT = 700_000
REPAIRS_S = 0.3


def read_anything(grey: Grey, formats: Formats) -> tuple[CodeRead, ...]:
    """Read the codes of a grey picture in these formats."""
    view, matrix = View(grey), formats & MATRIX_FORMATS
    found = read_cheaply(view, matrix) if matrix else ()
    if grey.size in FRAME_PIXELS:
        return _read_frame(view, formats, found)
    found = distinct((*found, *read_plain(grey, formats)))
    if found or not matrix:
        return found
    return read_repaired(view, matrix, Budget(REPAIRS_S)) or _read_enlarged(grey, matrix)


def _read_frame(view: View, formats: Formats, found: tuple[CodeRead, ...]) -> tuple[CodeRead, ...]:
    """Read a picture of a frame's size: repairs before plain reading, and what else stands beside the codes found."""
    found = found or read_repaired(view, formats & MATRIX_FORMATS, Budget())
    return distinct((*found, *_read_others(view, formats, found))) if found else read_plain(view.grey, formats)


def _read_others(view: View, formats: Formats, found: tuple[CodeRead, ...]) -> Iterable[CodeRead]:
    """Read the places that are nearly as dense as the codes found, and those of parallel bars."""
    for box in dense_places(view.grey, tuple(read.polygon for read in found)):
        yield from _read_place(view, box, formats & MATRIX_FORMATS)
    for box in bar_places(view.half):
        yield from _read_place(view, box, formats & LINEAR_FORMATS)


def _read_place(view: View, box: Box, formats: Formats) -> Iterable[CodeRead]:
    for read in read_zxing(box.cut(view.grey), formats, "zxing-cpp/place", downscale=False):
        yield replace(read, polygon=moved(read.polygon, 1.0, offset=(box.left, box.top)))


def _read_enlarged(grey: Grey, formats: Formats) -> tuple[CodeRead, ...]:
    """Read a small picture as a whole, twice as large."""
    if grey.size > ENLARGED_LIMIT:
        return ()
    whole, budget = (Box(0, 0, grey.shape[1], grey.shape[0]),), Budget(REPAIRS_S)
    found = read_places(grey, whole, formats, "zxing-cpp/enlarged", softened, budget)
    return found or read_places(grey, whole, formats, "zxing-cpp/enlarged", opened, budget)
