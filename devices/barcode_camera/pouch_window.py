"""Finds the label of a pouch in a picture and the window under it, and what makes the window's edge unsure."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from devices.barcode_camera.frame import Colour
from devices.barcode_camera.thresholds import THRESHOLDS as T

Points = npt.NDArray[np.float32]
Mask = npt.NDArray[np.uint8]

LABEL_MIN_WIDTH_MM, LABEL_MIN_HEIGHT_MM = 30.0, 15.0
LABEL_FILL_MIN = 0.88
LABEL_TILT_LIMIT_DEGREES = 20.0
LABEL_MARGIN_MM, LABEL_INSET_MM = 1.6, 0.6
EDGE_POINTS, EDGE_SHARE = 64, 0.95
SATURATED = 250
PAPER, PAPER_PERCENTILE, GAIN_LIMITS = 228.0, 85.0, (0.85, 1.35)


@dataclass(frozen=True)
class StationGeometry:
    """How the camera hangs: px per mm of the full frame at the pouch, and the length of a pouch from its upper edge."""

    pixels_per_mm: float = 9.0
    pouch_height_mm: float = 98.0


STATION = StationGeometry()


def find_label(half: Colour, scale: float) -> Points | None:
    """Find the white label: the largest bright near-rectangle, upright within 20 degrees; 4 corners clockwise from top left."""
    small = np.asarray(cv2.resize(half, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    bright = (_darkest_channel(small) > T.label_brightness).astype(np.uint8)
    closed = cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return None
    hull = cv2.convexHull(max(outlines, key=cv2.contourArea))
    corners = _clockwise(cv2.boxPoints(cv2.minAreaRect(hull)) * 2 + 0.5)
    top, side = corners[1] - corners[0], corners[3] - corners[0]
    width, height = float(np.hypot(*top)), float(np.hypot(*side))
    if width < LABEL_MIN_WIDTH_MM * scale or height < LABEL_MIN_HEIGHT_MM * scale:
        return None
    if cv2.contourArea(hull) * 4 < LABEL_FILL_MIN * width * height:
        return None
    tilt = abs(float(np.degrees(np.arctan2(top[1], top[0]))))
    return corners if tilt <= LABEL_TILT_LIMIT_DEGREES else None


def _clockwise(points: npt.NDArray[np.float32]) -> Points:
    """Order four corners: top left, top right, bottom right, bottom left."""
    points = points.reshape(4, 2)
    total, across = points.sum(axis=1), points[:, 0] - points[:, 1]
    order = [int(total.argmin()), int(across.argmax()), int(total.argmax()), int(across.argmin())]
    return np.asarray(points[order], np.float32)


def window_mask(shape: tuple[int, ...], corners: Points, scale: float) -> Mask:
    """Mark the half-plane below the label (255), from a margin under its lower edge to the end of the picture."""
    height, width = shape[:2]
    left, right = corners[3], corners[2]
    slope = (right[1] - left[1]) / max(1.0, float(right[0] - left[0]))
    y_left, y_right = left[1] - left[0] * slope, left[1] + (width - left[0]) * slope
    margin = LABEL_MARGIN_MM * scale
    area = np.array([[0, y_left + margin], [width, y_right + margin], [width, height], [0, height]])
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.round(area).astype(np.int32)], (255,))
    return mask


def has_clear_edge(half: Colour, corners: Points, scale: float) -> bool:
    """Tell whether paper lies all along just inside the label's lower edge; a tablet against the label moves that edge."""
    up = (corners[0] - corners[3]) / max(1.0, float(np.hypot(*(corners[0] - corners[3]))))
    shares = np.linspace(0.02, 0.98, EDGE_POINTS)[:, None]
    points = corners[3] + (corners[2] - corners[3]) * shares + up * LABEL_INSET_MM * scale
    columns = np.clip(points[:, 0].round().astype(int), 0, half.shape[1] - 1)
    rows = np.clip(points[:, 1].round().astype(int), 0, half.shape[0] - 1)
    return float((half[rows, columns].min(axis=1) > T.label_brightness).mean()) >= EDGE_SHARE


def is_glared(half: Colour, corners: Points) -> bool:
    """Tell whether more than a little of the label is saturated, which paper in the right exposure never is."""
    x, y, width, height = cv2.boundingRect(corners)
    part = _darkest_channel(half[max(0, y):y + height:4, max(0, x):x + width:4])
    return float((part >= SATURATED).mean()) > T.glare_share


def _darkest_channel(picture: Colour) -> Mask:
    blue, green, red = cv2.split(picture)
    return np.asarray(cv2.min(cv2.min(blue, green), red), np.uint8)


def is_in_view(shape: tuple[int, ...], corners: Points, pouch_height: float) -> bool:
    """Tell whether the lower end of a pouch of this height (px), measured from the label's upper edge, is in the picture."""
    down = corners[3] - corners[0]
    down = down / max(1.0, float(np.hypot(*down))) * pouch_height
    ends = corners[:2] + down
    return bool((ends >= 0).all() and (ends[:, 0] < shape[1]).all() and (ends[:, 1] < shape[0]).all())


def paper_gain(half: Colour, corners: Points) -> float:
    """Give by what colours are multiplied so that the label's paper has its own brightness: light and exposure cancel out."""
    x, y, width, height = cv2.boundingRect(corners)
    part = _darkest_channel(half[max(0, y):y + height:4, max(0, x):x + width:4])
    paper = float(np.percentile(part, PAPER_PERCENTILE)) if part.size else PAPER
    return min(GAIN_LIMITS[1], max(GAIN_LIMITS[0], PAPER / max(1.0, paper)))
