"""Tells light that the film throws back from things that lie there: light is saturated, and lies elsewhere under another lamp."""

from collections.abc import Sequence

import cv2
import numpy as np

from devices.barcode_camera.frame import Colour
from devices.barcode_camera.thresholds import THRESHOLDS as T

SATURATED = 245
"""Of the darkest channel: light thrown back reaches it everywhere but at its edge."""
EDGE_PX, THING_PIXELS = 3, 24


def differs_by_more_than_light(halves: Sequence[Colour], top: int) -> bool:
    """Tell whether anything below row `top` is brighter in one picture of half size than in another, and is no glare.

    Each picture is held against the darkest of all; what is brighter by more than lamps differ must be saturated or its edge.
    Pictures of different size differ.
    """
    if len({half.shape for half in halves}) > 1:
        return True
    parts = [half[max(0, top):] for half in halves]
    darkest = parts[0]
    for part in parts[1:]:
        darkest = np.asarray(cv2.min(darkest, part), np.uint8)
    usual = cv2.addWeighted(darkest, 1 + T.lights_differ, darkest, 0, T.glare_difference)
    return any(_has_a_thing(part, np.asarray(usual, np.uint8)) for part in parts) if darkest.size else False


def _has_a_thing(part: Colour, usual: Colour) -> bool:
    blue, green, red = cv2.split(cv2.compare(part, usual, cv2.CMP_GT))
    brighter = cv2.bitwise_or(cv2.bitwise_or(blue, green), red)
    light = (part.min(axis=2) >= SATURATED).astype(np.uint8)
    around = cv2.dilate(light, np.ones((2 * EDGE_PX + 1, 2 * EDGE_PX + 1), np.uint8))
    left = cv2.morphologyEx(cv2.bitwise_and(brighter, brighter, mask=1 - around), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return int(cv2.countNonZero(left)) >= THING_PIXELS
