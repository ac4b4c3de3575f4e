"""Measures what lies in the window of a pouch: each thing that differs from the base, by outline and colours."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from devices.barcode_camera.frame import Colour
from devices.barcode_camera.looks import LookSample, Rgb, colour_distance
from devices.barcode_camera.pouch_window import Mask
from devices.barcode_camera.thresholds import THRESHOLDS as T

TABLETS_LIMIT = 64
END_SHARE = 0.38
Pixels = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TabletSeen:
    """One thing in the window: centre in px of the full frame, sides in mm, colour (red, green, blue).

    `solidity`: area over area of the convex hull; `fill`: area over area of the surrounding box; `evenness`: share
    of its inside that has its own colours; `second`: the colour of its other end, None where it is the same. `box`: left, top,
    width, height in px of the full frame. `look`: index of the expected tablet it was matched with, or None.
    """

    x_px: float
    y_px: float
    length_mm: float
    width_mm: float
    area_mm2: float
    solidity: float
    fill: float
    evenness: float
    colour: Rgb
    cut_off: bool = False
    look: int | None = None
    second: Rgb | None = None
    box: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def sample(self) -> LookSample:
        """Give what a look is compared with and learned from."""
        return LookSample(self.length_mm, self.width_mm, self.fill, (self.colour, self.second or self.colour))

    @property
    def is_whole(self) -> bool:
        """Tell whether it has the outline of one whole thing with nothing else on it."""
        return self.solidity >= T.solidity and self.evenness >= T.evenness and not self.cut_off


def difference_from_base(half: Colour, window: Mask) -> tuple[Mask, Rgb]:
    """Give for each pixel the largest channel difference from the base (its median colour in the window), and the base."""
    soft = cv2.GaussianBlur(half, (3, 3), 0)
    inside = soft[::4, ::4][window[::4, ::4] > 0]
    base = np.asarray(np.round(np.median(inside, axis=0)) if len(inside) else np.zeros(3), np.float32)
    line = np.tile(base.astype(np.uint8), (1, soft.shape[1], 1))
    blue, green, red = cv2.split(cv2.absdiff(soft, line.repeat(soft.shape[0], axis=0)))
    difference = cv2.bitwise_and(cv2.max(cv2.max(blue, green), red), window)
    return np.asarray(difference, np.uint8), _rgb(base)


def things_in(half: Colour, difference: Mask, window: Mask, scale: float, top: int) -> tuple[tuple[TabletSeen, ...], int]:
    """Measure each connected thing that differs from the base, left to right, and count the specks; `top`: row of `half`."""
    low = (difference > T.base_difference).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(low, connectivity=8, ltype=cv2.CV_16U)
    beyond = cv2.dilate((window == 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    beyond[:, :2] = beyond[:, -2:] = beyond[-2:, :] = 1
    seen, specks = [], 0
    for number in np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] > T.noise_mm2 * scale * scale)[:TABLETS_LIMIT + 1] + 1:
        x, y, width, height, pixels = (int(value) for value in stats[number])
        if pixels < T.speck_mm2 * scale * scale:
            specks += 1
            continue
        box = (slice(y, y + height), slice(x, x + width))
        own = (labels[box] == number).astype(np.uint8)
        seen.append(_measure(half[box], difference[box], own, bool((own & beyond[box]).any()), (x, y + top), scale))
    return tuple(sorted(seen, key=lambda thing: thing.x_px)), specks


def _measure(
    half: Colour, difference: Mask, own: Mask, cut_off: bool, corner: tuple[int, int], scale: float,
) -> TabletSeen:
    """Measure one thing at the outline where it differs from the base half as much as its inside does."""
    middle_level = float(np.median(difference[own > 0])) / 2
    firm = np.pad(((difference > max(T.base_difference, middle_level)) & (own > 0)).astype(np.uint8), 3)
    outlines, _ = cv2.findContours(firm, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate([outline.reshape(-1, 2) for outline in outlines])
    hull = cv2.convexHull(points)
    (x, y), sides, angle = cv2.minAreaRect(hull)
    length, width = max(sides) + 1, min(sides) + 1
    area = float(firm.sum())
    hull_area = float(cv2.contourArea(hull)) + cv2.arcLength(hull, True) / 2 + 1
    left_over = np.pad(own, 3) & (cv2.dilate(firm, np.ones((7, 7), np.uint8)) == 0)
    whole = len(outlines) == 1 and float(left_over.sum()) <= T.left_over_mm2 * scale * scale
    along = np.deg2rad(angle if sides[0] >= sides[1] else angle + 90)
    colour, second, evenness = _colours(half, firm, (x - 3, y - 3), (float(np.cos(along)), float(np.sin(along))), length)
    left, top, right, bottom = corner[0], corner[1], corner[0] + own.shape[1], corner[1] + own.shape[0]
    return TabletSeen(
        x_px=2 * (corner[0] + x - 3), y_px=2 * (corner[1] + y - 3),
        length_mm=length / scale, width_mm=width / scale, area_mm2=area / scale / scale,
        solidity=area / hull_area if whole else 0.0, fill=area / (length * width),
        evenness=evenness, colour=colour, cut_off=cut_off, second=second,
        box=(2 * left, 2 * top, 2 * (right - left), 2 * (bottom - top)),
    )


def _colours(
    half: Colour, firm: Mask, centre: tuple[float, float], along: tuple[float, float], length: float,
) -> tuple[Rgb, Rgb | None, float]:
    """Give the colours of both ends along the long side (None: the same) and the share of the inside that has one of them."""
    core = cv2.erode(firm, np.ones((5, 5), np.uint8))[3:-3, 3:-3]
    rows, columns = np.nonzero(core if core.any() else firm[3:-3, 3:-3])
    pixels = half[rows, columns].astype(np.float32)
    place = ((columns - centre[0]) * along[0] + (rows - centre[1]) * along[1]) / length
    ends = [pixels[side] for side in (place < END_SHARE - 0.5, place > 0.5 - END_SHARE)]
    whole = np.median(pixels, axis=0)
    first, second = (np.median(end, axis=0) if len(end) else whole for end in ends)
    two = colour_distance(tuple(first), tuple(second)) > T.even_difference
    own = np.minimum(_off(pixels, first), _off(pixels, second)) if two else _off(pixels, whole)
    evenness = float((own <= T.even_difference).mean())
    return (_rgb(first), _rgb(second), evenness) if two else (_rgb(whole), None, evenness)


def _off(pixels: Pixels, colour: Pixels) -> Pixels:
    return np.asarray(np.abs(pixels - colour).max(axis=1), np.float32)


def _rgb(bgr: npt.NDArray[np.floating]) -> Rgb:
    return int(bgr[2]), int(bgr[1]), int(bgr[0])
