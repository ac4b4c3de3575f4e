"""Finds where in a picture a code may stand: places dense with dark detail, and places of parallel bars."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from devices.barcode_camera.codes import Point, Polygon
from devices.barcode_camera.frame import Grey

Density = npt.NDArray[np.float32]

COARSE = 4
"""The density is measured in a picture so many times smaller."""
DETAIL_PX, WINDOW_PX, AROUND_PX = 9, 21, 18
"""In the coarse picture: dark detail narrower than this, over a window of this side, next place not nearer than this."""
DENSITY_MIN = 4.0
PLACES_LIMIT = 3
SIDE_PX = 288
ALSO_DENSE = 0.6
"""Another place may hold a code if it is at least so dense as one that does."""
BARS_COARSE = 8
BARS_ONE_WAY, BARS_STRENGTH = 2.8, 8.0
"""Across bars the grey changes so many times more than along them, and by so many levels from px to px."""
BARS_MIN_CELLS = 24
BARS_MARGIN_PX = 24


@dataclass(frozen=True)
class Box:
    """A part of a picture, in px."""

    left: int
    top: int
    right: int
    bottom: int

    def cut(self, grey: Grey) -> Grey:
        """Cut this part out of a picture."""
        return np.ascontiguousarray(grey[self.top : self.bottom, self.left : self.right])

    def holds(self, point: Point) -> bool:
        """Tell whether a point lies in this part."""
        return self.left <= point[0] <= self.right and self.top <= point[1] <= self.bottom


def box_of(polygon: Polygon) -> Box:
    """Give the upright box around four corners."""
    across, down = zip(*polygon, strict=True)
    return Box(int(min(across)), int(min(down)), int(max(across)) + 1, int(max(down)) + 1)


def density(grey: Grey) -> Density:
    """Measure how much dark detail lies around each point of a picture four times smaller; bright stripes count for nothing."""
    size = max(1, grey.shape[1] // COARSE), max(1, grey.shape[0] // COARSE)
    coarse = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    dark = cv2.morphologyEx(coarse, cv2.MORPH_BLACKHAT, np.ones((DETAIL_PX, DETAIL_PX), np.uint8))
    return np.asarray(cv2.blur(dark, (WINDOW_PX, WINDOW_PX)), np.float32)


def dense_places(grey: Grey, known: tuple[Polygon, ...] = (), also_dense: float = ALSO_DENSE) -> tuple[Box, ...]:
    """Find the densest places of a picture, at most three, the densest first.

    Where codes are `known` already, only those other places that have at least the share `also_dense` of their density.
    """
    dense = density(grey)
    least = max(DENSITY_MIN, also_dense * max((_take(dense, polygon) for polygon in known), default=0.0))
    found = []
    for _ in range(PLACES_LIMIT):
        _, most, _, (x, y) = cv2.minMaxLoc(dense)
        if most < least:
            break
        found.append(_around(x * COARSE, y * COARSE, grey))
        cv2.rectangle(dense, (x - AROUND_PX, y - AROUND_PX), (x + AROUND_PX, y + AROUND_PX), (0.0,), -1)
    return tuple(found)


def _take(dense: Density, polygon: Polygon) -> float:
    """Take a known code out of the densities; gives how dense it was."""
    box = box_of(polygon)
    left, top = max(0, box.left // COARSE - AROUND_PX // 2), max(0, box.top // COARSE - AROUND_PX // 2)
    part = dense[top : box.bottom // COARSE + AROUND_PX // 2 + 1, left : box.right // COARSE + AROUND_PX // 2 + 1]
    most = float(part.max()) if part.size else 0.0
    part[:] = 0
    return most


def _around(x: int, y: int, grey: Grey) -> Box:
    height, width = grey.shape
    left = min(max(0, x - SIDE_PX // 2), max(0, width - SIDE_PX))
    top = min(max(0, y - SIDE_PX // 2), max(0, height - SIDE_PX))
    return Box(left, top, min(width, left + SIDE_PX), min(height, top + SIDE_PX))


def bar_places(half: Grey) -> tuple[Box, ...]:
    """Find places of parallel bars in a picture of half size, largest first, at most three; in px of the whole picture."""
    if min(half.shape) < 2 * BARS_COARSE:
        return ()
    height, width = ((side - 1) // BARS_COARSE * BARS_COARSE for side in half.shape)
    here, right = half[:height, :width], half[:height, 1 : width + 1]
    below, beyond = half[1 : height + 1, :width], half[1 : height + 1, 1 : width + 1]
    across, down, falling, rising = _change(here, right), _change(here, below), _change(here, beyond), _change(right, below)
    bars = (_one_way(across, down) | _one_way(falling, rising)).astype(np.uint8)
    whole = cv2.morphologyEx(bars, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(whole)
    largest = sorted((row for row in stats[1:].tolist() if row[4] >= BARS_MIN_CELLS), key=lambda row: -row[4])
    return tuple(_bar_box(row, half) for row in largest[:PLACES_LIMIT])


def _change(one: Grey, other: Grey) -> Density:
    """Measure how much the grey changes from one point to another near it, over cells of 8 x 8."""
    size = one.shape[1] // BARS_COARSE, one.shape[0] // BARS_COARSE
    return np.asarray(cv2.resize(cv2.absdiff(one, other), size, interpolation=cv2.INTER_AREA), np.float32)


def _one_way(one: Density, other: Density) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    most, least = np.maximum(one, other), np.minimum(one, other)
    return (most > BARS_STRENGTH) & (most > BARS_ONE_WAY * least)


def _bar_box(row: list[int], half: Grey) -> Box:
    left, top, width, height, _ = row
    scale, limit_x, limit_y = 2 * BARS_COARSE, 2 * half.shape[1], 2 * half.shape[0]
    return Box(
        max(0, left * scale - BARS_MARGIN_PX), max(0, top * scale - BARS_MARGIN_PX),
        min(limit_x, (left + width) * scale + BARS_MARGIN_PX), min(limit_y, (top + height) * scale + BARS_MARGIN_PX),
    )  # fmt: skip
