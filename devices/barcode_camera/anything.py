"""Reads every code of any picture: a frame, a scan, a photograph.

A picture of a frame's size ends early: what its cheap steps read is completed by the other places where a code may stand. A smaller
picture costs little, and for a larger one nobody waits: these are read plainly as well. One-dimensional codes of retail have a
weak check: what only a repaired picture shows of them counts if a second reading agrees.
"""

from collections.abc import Iterable
from dataclasses import replace

from devices.barcode_camera.agreement import ENLARGED_LIMIT, LINEAR_FORMATS, read_agreed, settled
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
from devices.barcode_camera.places import PLACES_LIMIT, Box, bar_places, dense_places
from devices.barcode_camera.readers import read_zxing

MATRIX_FORMATS = frozenset({"DataMatrix", "QRCode"})
"""Formats whose error correction lets any repair be trusted."""
FRAME_PIXELS = range(700_000, 2_500_000)
REPAIRS_S = 0.3


def read_anything(grey: Grey, formats: Formats) -> tuple[CodeRead, ...]:
    """Read the codes of a grey picture in these formats."""
    view, matrix = View(grey), formats & MATRIX_FORMATS
    found = read_cheaply(view, matrix) if matrix else ()
    if grey.size in FRAME_PIXELS:
        found = _read_frame(view, formats, found)
    else:
        found = distinct((*found, *read_plain(grey, formats))) or _read_small(view, matrix)
    return settled(found, grey, formats) if found else read_agreed(grey, formats)


def _read_frame(view: View, formats: Formats, found: tuple[CodeRead, ...]) -> tuple[CodeRead, ...]:
    """Read a picture of a frame's size: repairs before plain reading, and what else stands beside the codes found."""
    matrix = formats & MATRIX_FORMATS
    found = found or (read_repaired(view, matrix, Budget()) if matrix else ())
    return distinct((*found, *_read_others(view, formats, found))) if found else read_plain(view.grey, formats)


def _read_others(view: View, formats: Formats, found: tuple[CodeRead, ...]) -> Iterable[CodeRead]:
    """Read the places that are nearly as dense as the codes found, and those of parallel bars.

    Where bars stand that do not read by themselves, or so many that some may have been left out, the whole is read plainly.
    """
    for box in dense_places(view.grey, tuple(read.polygon for read in found)):
        yield from _read_place(view, box, formats & MATRIX_FORMATS)
    of_bars = [tuple(_read_place(view, box, formats & LINEAR_FORMATS)) for box in bar_places(view.half)]
    yield from (read for reads in of_bars for read in reads)
    if len(of_bars) == PLACES_LIMIT or not all(of_bars):
        yield from read_plain(view.grey, formats)


def _read_place(view: View, box: Box, formats: Formats) -> Iterable[CodeRead]:
    for read in read_zxing(box.cut(view.grey), formats, "zxing-cpp/place", downscale=False):
        yield replace(read, polygon=moved(read.polygon, 1.0, offset=(box.left, box.top)))


def _read_small(view: View, formats: Formats) -> tuple[CodeRead, ...]:
    """Read the repaired places of a picture that is no frame, then a small one as a whole."""
    return read_repaired(view, formats, Budget(REPAIRS_S)) or _read_enlarged(view.grey, formats) if formats else ()


def _read_enlarged(grey: Grey, formats: Formats) -> tuple[CodeRead, ...]:
    """Read a small picture as a whole, twice as large."""
    if grey.size > ENLARGED_LIMIT:
        return ()
    whole, budget = (Box(0, 0, grey.shape[1], grey.shape[0]),), Budget(REPAIRS_S)
    found = read_places(grey, whole, formats, "zxing-cpp/enlarged", softened, budget)
    return found or read_places(grey, whole, formats, "zxing-cpp/enlarged", opened, budget)
