"""Joins several frames of one pouch, the glare elsewhere in each, by the darkest of each pixel.

Print is dark on light: what shines in one frame is dark where another frame saw the ink. The pouch may have moved by some
pixels between the frames; each part is laid over the first frame's before they are joined.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from devices.barcode_camera.cascade import Budget, Formats, opened, read_places, softened
from devices.barcode_camera.codes import CodeRead, moved
from devices.barcode_camera.frame import Grey
from devices.barcode_camera.places import Box, dense_places

FRAMES_LIMIT = 4
PAPER_PERCENTILE = 55
SHIFT_LIMIT_PX = 40.0
SIDE_MIN_PX = 16
ALIKE_MIN = 0.05
"""Least response of the phase correlation, 0..1, at which two parts show the same."""


def read_joined(frames: Sequence[Grey], formats: Formats, budget: Budget | None = None) -> tuple[CodeRead, ...]:
    """Read what the darkest pixels of at most four frames of one size show together; nothing for one frame alone.

    `budget`: what is left for the pouch; where None, one of its own.
    """
    alike = [frame for frame in frames[:FRAMES_LIMIT] if min(frame.shape) >= SIDE_MIN_PX and frame.shape == frames[0].shape]
    if len(alike) < 2:
        return ()
    budget = budget or Budget()
    for place in dense_places(np.asarray(np.minimum.reduce(alike), np.uint8)):
        joined = join([place.cut(frame) for frame in alike])
        whole = (Box(0, 0, joined.shape[1], joined.shape[0]),)
        found = read_places(joined, whole, formats, "zxing-cpp/joined", softened, budget)
        found = found or read_places(joined, whole, formats, "zxing-cpp/joined", opened, budget)
        if found:
            corner = (float(place.left), float(place.top))
            return tuple(replace(read, polygon=moved(read.polygon, 1.0, offset=corner)) for read in found)
    return ()


def join(parts: Sequence[Grey]) -> Grey:
    """Lay parts of one size over the first and keep the darkest of each pixel; parts that show something else are left out."""
    first = parts[0]
    layers = [first]
    for part in parts[1:]:
        across, down, alike = _shift(first, part)
        if alike >= ALIKE_MIN and max(abs(across), abs(down)) <= SHIFT_LIMIT_PX:
            layers.append(_moved_back(part, across, down))
    return np.asarray(np.minimum.reduce(layers), np.uint8)


def _shift(first: Grey, part: Grey) -> tuple[float, float, float]:
    """Measure how far a part is shifted against the first in px, and how alike they are; glare is cut down to paper."""
    window = cv2.createHanningWindow((first.shape[1], first.shape[0]), cv2.CV_32F)
    (across, down), alike = cv2.phaseCorrelate(_without_glare(first), _without_glare(part), window)
    return float(across), float(down), float(alike)


def _without_glare(part: Grey) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    paper = float(np.percentile(part[::3, ::3], PAPER_PERCENTILE))
    return np.minimum(part, paper).astype(np.float32)


def _moved_back(part: Grey, across: float, down: float) -> Grey:
    move = np.array([[1, 0, -across], [0, 1, -down]], np.float32)
    size = part.shape[1], part.shape[0]
    return np.asarray(cv2.warpAffine(part, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)
