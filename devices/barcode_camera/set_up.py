"""Measures how the camera of a station hangs and sees, from the Data Matrix of a label that lies in it."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from devices.barcode_camera.codes import CodeRead, Polygon
from devices.barcode_camera.frame import Frame, Grey
from devices.barcode_camera.image_health import SATURATED

MODULES, MODULE_MM = 16, 0.625
"""The Data Matrix of a pouch label: modules a side, and the width of one (5 dots at 8 dots a mm)."""
DOWN, ACROSS = ("top", "middle", "bottom"), ("left", "middle", "right")
GLARE_MIN_PERMILLE = 1
BASE_CELLS, BASE_PERCENTILE = 4, 20
QUIET_MODULES = 1.5


@dataclass(frozen=True)
class GlarePlace:
    """A ninth of the picture with saturated pixels: where, and how many permille of the whole picture they are."""

    down: str
    across: str
    permille: int


@dataclass(frozen=True)
class SetUpMeasure:
    """What a frame shows of the camera; the symbol has 16 modules of 0.625 mm, as on every label of ours.

    `pixels_per_module`, `pixels_per_mm`: px of the full frame. `edge_px`: width of an edge from 10 to 90 %. `turn_degrees`: of the
    symbol's upper side, positive clockwise. `tilt`: how much longer a side is than its opposite, as a share. `paper`: level 0..255.
    `unevenness`: levels between the brightest and the darkest part of the base.
    """

    pixels_per_module: float
    pixels_per_mm: float
    edge_px: float
    turn_degrees: float
    tilt: float
    paper: int
    unevenness: int
    glare: tuple[GlarePlace, ...]


def measure(frame: Frame, read: CodeRead) -> SetUpMeasure:
    """Measure a frame by one Data Matrix that was read in it; raises UnreadableFrame where it is no picture."""
    module_px = module_pixels(read.polygon)
    symbol = _symbol_part(frame.grey, read.polygon, module_px)
    return SetUpMeasure(
        pixels_per_module=module_px, pixels_per_mm=module_px / MODULE_MM, edge_px=edge_width(symbol), turn_degrees=_turn(read.polygon),
        tilt=_tilt(read.polygon), paper=int(np.percentile(symbol, 90)), unevenness=_unevenness(frame.half_grey), glare=glare_places(frame.half_grey),
    )  # fmt: skip


def module_pixels(polygon: Polygon) -> float:
    """Give the pixels a module by the mean side of a symbol of ours."""
    return float(sum(_sides(polygon)) / 4 / MODULES)


def pixels_per_mm(polygon: Polygon) -> float:
    """Give the pixels a mm by the corners of a symbol of ours."""
    return float(module_pixels(polygon) / MODULE_MM)


def _sides(polygon: Polygon) -> tuple[float, ...]:
    return tuple(math.dist(one, other) for one, other in zip(polygon, (*polygon[1:], polygon[0]), strict=True))


def _turn(polygon: Polygon) -> float:
    (left, above), (right, below) = polygon[0], polygon[1]
    return float(math.degrees(math.atan2(below - above, right - left)))


def _tilt(polygon: Polygon) -> float:
    top, right, bottom, left = _sides(polygon)
    return max(max(one, other) / max(1e-6, min(one, other)) for one, other in ((top, bottom), (left, right))) - 1


def _symbol_part(grey: Grey, polygon: Polygon, module_px: float) -> Grey:
    """Cut out the symbol with its quiet zone."""
    quiet = QUIET_MODULES * module_px
    xs, ys = [x for x, _ in polygon], [y for _, y in polygon]
    left, top = max(0, int(min(xs) - quiet)), max(0, int(min(ys) - quiet))
    return np.asarray(grey[top:int(max(ys) + quiet) + 1, left:int(max(xs) + quiet) + 1], np.uint8)


def edge_width(grey: Grey) -> float:
    """Give the width in px in which an edge of a printed symbol goes from 10 to 90 %: its contrast over its steepest slope.

    For an edge blurred by a Gaussian the two differ by 2 %. Rows are averaged by three, so that noise is not taken for sharpness.
    """
    levels = cv2.blur(grey, (1, 3)).astype(np.float32)
    dark, bright = np.percentile(levels, (5, 95))
    slope = max(_steepest(levels), _steepest(cv2.blur(grey, (3, 1)).astype(np.float32).T))
    return float((bright - dark) / max(1.0, slope))


def _steepest(levels: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> float:
    return float(np.percentile(np.abs(np.diff(levels, axis=1)), 99))


def glare_places(half: Grey) -> tuple[GlarePlace, ...]:
    """Find the ninths of the picture with saturated pixels, the worst first."""
    saturated = half >= SATURATED
    rows, columns = np.array_split(np.arange(half.shape[0]), 3), np.array_split(np.arange(half.shape[1]), 3)
    places = [
        GlarePlace(down, across, round(1000 * int(saturated[np.ix_(rows[i], columns[j])].sum()) / half.size))
        for i, down in enumerate(DOWN) for j, across in enumerate(ACROSS)
    ]  # fmt: skip
    return tuple(sorted((place for place in places if place.permille >= GLARE_MIN_PERMILLE), key=lambda place: -place.permille))


def _unevenness(half: Grey) -> int:
    """Give the levels between the brightest and the darkest part of the base, which is what is dark in each cell of the picture.

    A cell that the label fills has no base in it and is left out: its darkest fifth is paper or print.
    """
    small = cv2.resize(half, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    cells = [cell for band in np.array_split(small, BASE_CELLS) for cell in np.array_split(band, BASE_CELLS, axis=1)]
    paper = float(np.percentile(small, 95)) / 2
    levels = [float(np.percentile(cell, BASE_PERCENTILE)) for cell in cells if float((cell < paper).mean()) > 0.9]
    return round(max(levels) - min(levels)) if levels else 0
