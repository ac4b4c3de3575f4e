"""Finds the window of a pouch and counts what lies in it, by colour against the dark base and by outline.

A count is called certain only if each thing seen has the outline of one expected tablet, alone and whole. Tablets that
touch, a half, a stranger, glare or a tablet as dark as the base make it uncertain: then a person looks. It cannot see a
tablet that another one hides; the drop sensor must.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from devices.barcode_camera.frame import Colour

Points = npt.NDArray[np.float32]
Mask = npt.NDArray[np.uint8]

LABEL_BRIGHTNESS = 110
LABEL_MIN_WIDTH_MM, LABEL_MIN_HEIGHT_MM = 30.0, 15.0
LABEL_FILL_MIN = 0.88
LABEL_TILT_LIMIT_DEGREES = 20.0
LABEL_MARGIN_MM, LABEL_INSET_MM = 1.6, 0.6
EDGE_POINTS, EDGE_SHARE = 64, 0.95
SATURATED, GLARE_SHARE = 250, 0.02
DIFFERENCE_MIN = 30.0
DARK_LOOK_DIFFERENCE_MIN = 70.0
NOISE_MM2, SPECK_MM2 = 0.2, 1.5
SOLIDITY_MIN = 0.945
EVEN_DIFFERENCE, EVENNESS_MIN = 40.0, 0.95
SIZE_TOLERANCE_MM, SIZE_TOLERANCE = 0.45, 0.05
COLOUR_TOLERANCE = 60.0
ASPECT = {"round": (0.86, 1.0), "oval": (0.42, 0.85), "capsule": (0.30, 0.62)}
FILL = {"round": (0.74, 0.83), "oval": (0.73, 0.85), "capsule": (0.82, 0.97)}
TYPICAL_AREA = {"round": 0.79, "oval": 0.47, "capsule": 0.37}
"""Area over square of the longest side."""
TABLETS_LIMIT = 64


@dataclass(frozen=True)
class StationGeometry:
    """How the camera hangs: px per mm of the full frame at the pouch, and the length of a pouch from its upper edge."""

    pixels_per_mm: float = 9.0
    pouch_height_mm: float = 98.0


STATION = StationGeometry()


class Shape(StrEnum):
    """Outline of a tablet seen from above; a capsule has straight sides."""

    ROUND = "round"
    OVAL = "oval"
    CAPSULE = "capsule"


@dataclass(frozen=True)
class TabletLook:
    """How an expected tablet looks: colour as (red, green, blue), outline, longest side in mm."""

    colour: tuple[int, int, int]
    shape: Shape
    size_mm: float

    @classmethod
    def from_text(cls, colour: str, shape: str, size_mm: float) -> "TabletLook":
        """Make a look from "#rrggbb" and the name of a shape; ValueError for anything else."""
        if len(colour) != 7 or colour[0] != "#":
            raise ValueError(f"not a colour #rrggbb: {colour!r}")
        red, green, blue = (int(colour[start:start + 2], 16) for start in (1, 3, 5))
        return cls((red, green, blue), Shape(shape), size_mm)


class ContentNote(StrEnum):
    """What stands between the picture and a certain count, or speaks against the expected content."""

    NO_POUCH = "no pouch label found"
    NOT_ONE_TABLET = "something is not the outline of one expected tablet"
    CUT_OFF = "something reaches under the label or out of the picture"
    LABEL_EDGE = "the lower edge of the label is not clear"
    GLARE = "glare on the label, which may hide its edge"
    OUT_OF_VIEW = "the pouch reaches out of the picture"
    SPECK = "a fragment too small for a tablet"
    DARK_TABLET = "an expected tablet is as dark as the base"
    TOO_MANY = "more things than can be counted"
    UNLIKE = "a tablet has not the colour and outline of any expected tablet left"


@dataclass(frozen=True)
class TabletSeen:
    """One thing in the window: centre in px of the full frame, sides in mm, colour (red, green, blue).

    `solidity`: area over area of the convex hull; `fill`: area over area of the surrounding box; `evenness`: share
    of its inside that has its own colour. `look`: index of the expected tablet it was matched with, or None.
    """

    x_px: float
    y_px: float
    length_mm: float
    width_mm: float
    area_mm2: float
    solidity: float
    fill: float
    evenness: float
    colour: tuple[int, int, int]
    cut_off: bool = False
    look: int | None = None


@dataclass(frozen=True)
class Content:
    """What lies in the window; `count` is the best guess where not `certain`, None where no pouch was found."""

    count: int | None
    certain: bool
    tablets: tuple[TabletSeen, ...]
    notes: tuple[ContentNote, ...]
    label: tuple[int, int, int, int] | None
    """Left, top, width, height of the label in the full frame, in px."""


def count_tablets(half: Colour, looks: tuple[TabletLook, ...], geometry: StationGeometry = STATION) -> Content:
    """Count what lies below the label in a BGR picture of half size."""
    scale = geometry.pixels_per_mm / 2
    corners = find_label(half, scale)
    if corners is None:
        return Content(None, False, (), (ContentNote.NO_POUCH,), None)
    start = max(0, min(half.shape[0] - 1, int(corners[2:, 1].min())))
    part = half[start:]
    window = window_mask(part.shape[:2], corners - np.array([0, start], np.float32), scale)
    difference, base = difference_from_base(part, window)
    seen, specks = _things(part, difference, window, scale, start)
    left, top, width, height = cv2.boundingRect(corners)
    label = (2 * left, 2 * top, 2 * width, 2 * height)
    if len(seen) > TABLETS_LIMIT:
        return Content(len(seen), False, (), (ContentNote.TOO_MANY,), label)
    doubts = {
        ContentNote.SPECK: specks > 0,
        ContentNote.LABEL_EDGE: not _has_clear_edge(half, corners, scale),
        ContentNote.GLARE: _is_glared(half, corners),
        ContentNote.OUT_OF_VIEW: not _is_in_view(half.shape[:2], corners, geometry.pouch_height_mm * scale),
    }
    return _judge(seen, looks, doubts, base, label)


def find_label(half: Colour, scale: float) -> Points | None:
    """Find the white label: the largest bright near-rectangle, upright within 20 degrees; 4 corners clockwise from top left."""
    small = np.asarray(cv2.resize(half, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    bright = (_darkest_channel(small) > LABEL_BRIGHTNESS).astype(np.uint8)
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


def _has_clear_edge(half: Colour, corners: Points, scale: float) -> bool:
    """Tell whether paper lies all along just inside the label's lower edge; a tablet against the label moves that edge."""
    up = (corners[0] - corners[3]) / max(1.0, float(np.hypot(*(corners[0] - corners[3]))))
    shares = np.linspace(0.02, 0.98, EDGE_POINTS)[:, None]
    points = corners[3] + (corners[2] - corners[3]) * shares + up * LABEL_INSET_MM * scale
    columns = np.clip(points[:, 0].round().astype(int), 0, half.shape[1] - 1)
    rows = np.clip(points[:, 1].round().astype(int), 0, half.shape[0] - 1)
    return float((half[rows, columns].min(axis=1) > LABEL_BRIGHTNESS).mean()) >= EDGE_SHARE


def _is_glared(half: Colour, corners: Points) -> bool:
    """Tell whether more than a little of the label is saturated, which paper in the right exposure never is."""
    x, y, width, height = cv2.boundingRect(corners)
    part = _darkest_channel(half[max(0, y):y + height:4, max(0, x):x + width:4])
    return float((part >= SATURATED).mean()) > GLARE_SHARE


def _darkest_channel(picture: Colour) -> Mask:
    blue, green, red = cv2.split(picture)
    return np.asarray(cv2.min(cv2.min(blue, green), red), np.uint8)


def _is_in_view(shape: tuple[int, ...], corners: Points, pouch_height: float) -> bool:
    """Tell whether the lower end of a pouch of this height (px), measured from the label's upper edge, is in the picture."""
    down = corners[3] - corners[0]
    down = down / max(1.0, float(np.hypot(*down))) * pouch_height
    ends = corners[:2] + down
    return bool((ends >= 0).all() and (ends[:, 0] < shape[1]).all() and (ends[:, 1] < shape[0]).all())


def difference_from_base(half: Colour, window: Mask) -> tuple[Mask, tuple[float, float, float]]:
    """Give for each pixel the largest channel difference from the base (its median colour in the window), and the base."""
    soft = cv2.GaussianBlur(half, (3, 3), 0)
    inside = soft[::4, ::4][window[::4, ::4] > 0]
    base = np.median(inside, axis=0) if len(inside) else np.zeros(3)
    line = np.tile(np.round(base).astype(np.uint8), (1, soft.shape[1], 1))
    blue, green, red = cv2.split(cv2.absdiff(soft, line.repeat(soft.shape[0], axis=0)))
    difference = cv2.bitwise_and(cv2.max(cv2.max(blue, green), red), window)
    return np.asarray(difference, np.uint8), (float(base[2]), float(base[1]), float(base[0]))


def _things(half: Colour, difference: Mask, window: Mask, scale: float, top: int) -> tuple[tuple[TabletSeen, ...], int]:
    """Measure each connected thing that differs from the base, left to right, and count the specks; `top`: row of `half`."""
    low = (difference > DIFFERENCE_MIN).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(low, connectivity=8, ltype=cv2.CV_16U)
    beyond = cv2.dilate((window == 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    beyond[:, :2] = beyond[:, -2:] = beyond[-2:, :] = 1
    seen, specks = [], 0
    for number in range(1, min(count, TABLETS_LIMIT + 2)):
        x, y, width, height, pixels = (int(value) for value in stats[number])
        if pixels <= NOISE_MM2 * scale * scale:
            continue
        if pixels < SPECK_MM2 * scale * scale:
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
    firm = np.pad(((difference > max(DIFFERENCE_MIN, middle_level)) & (own > 0)).astype(np.uint8), 3)
    outlines, _ = cv2.findContours(firm, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate([outline.reshape(-1, 2) for outline in outlines])
    hull = cv2.convexHull(points)
    (x, y), sides, _ = cv2.minAreaRect(hull)
    length, width = max(sides) + 1, min(sides) + 1
    area = float(firm.sum())
    hull_area = float(cv2.contourArea(hull)) + cv2.arcLength(hull, True) / 2 + 1
    left_over = np.pad(own, 3) & (cv2.dilate(firm, np.ones((7, 7), np.uint8)) == 0)
    whole = len(outlines) == 1 and float(left_over.sum()) <= NOISE_MM2 * scale * scale
    core = cv2.erode(firm, np.ones((5, 5), np.uint8))[3:-3, 3:-3] > 0
    pixels = half[core] if core.any() else half[firm[3:-3, 3:-3] > 0]
    colour = np.median(pixels, axis=0)
    blue, green, red = colour
    evenness = float((np.abs(pixels - colour).max(axis=1) <= EVEN_DIFFERENCE).mean())
    return TabletSeen(
        x_px=2 * (corner[0] + x - 3), y_px=2 * (corner[1] + y - 3),
        length_mm=length / scale, width_mm=width / scale, area_mm2=area / scale / scale,
        solidity=area / hull_area if whole else 0.0, fill=area / (length * width),
        evenness=evenness, colour=(int(red), int(green), int(blue)), cut_off=cut_off,
    )


def has_outline_of(seen: TabletSeen, look: TabletLook) -> bool:
    """Tell whether a thing has size and outline of one whole tablet of this look."""
    low, high = ASPECT[look.shape]
    fill_low, fill_high = FILL[look.shape]
    slack_mm = SIZE_TOLERANCE_MM + SIZE_TOLERANCE * look.size_mm
    return (
        abs(seen.length_mm - look.size_mm) <= slack_mm and low <= seen.width_mm / seen.length_mm <= high
        and fill_low <= seen.fill <= fill_high and seen.solidity >= SOLIDITY_MIN
        and seen.evenness >= EVENNESS_MIN
    )


def colour_distance(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Give the Euclidean distance of two colours (red, green, blue 0..255)."""
    return float(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5)


def _judge(
    seen: tuple[TabletSeen, ...], looks: tuple[TabletLook, ...], doubts: dict[ContentNote, bool],
    base: tuple[float, float, float], label: tuple[int, int, int, int],
) -> Content:
    """Compare what is seen with what is expected; the count is certain only if there is no doubt."""
    single = [any(has_outline_of(thing, look) for look in looks) for thing in seen]
    doubts = {
        **doubts,
        ContentNote.NOT_ONE_TABLET: not all(single),
        ContentNote.CUT_OFF: any(thing.cut_off for thing in seen),
        ContentNote.DARK_TABLET: any(_is_dark(look, base) for look in looks),
    }
    notes = [note for note, stands in doubts.items() if stands]
    matched = match_looks(seen, looks)
    if len(seen) <= len(looks) and any(thing.look is None for thing in matched):
        notes.append(ContentNote.UNLIKE)
    count = sum(1 if alone else _guess_count(thing, looks) for thing, alone in zip(seen, single, strict=True))
    return Content(count, not any(doubts.values()), matched, tuple(notes), label)


def _is_dark(look: TabletLook, base: tuple[float, float, float]) -> bool:
    return max(abs(part - ground) for part, ground in zip(look.colour, base, strict=True)) < DARK_LOOK_DIFFERENCE_MIN


def _guess_count(thing: TabletSeen, looks: tuple[TabletLook, ...]) -> int:
    """Guess how many tablets make up a thing, from its area and the mean area expected of one."""
    areas = [TYPICAL_AREA[look.shape] * look.size_mm ** 2 for look in looks]
    return max(1, round(thing.area_mm2 * len(areas) / sum(areas))) if areas else 1


def match_looks(seen: tuple[TabletSeen, ...], looks: tuple[TabletLook, ...]) -> tuple[TabletSeen, ...]:
    """Pair things with expected tablets of their outline and colour, each used once, as many pairs as there can be."""
    fits = [[
        index for index, look in enumerate(looks)
        if has_outline_of(thing, look) and colour_distance(thing.colour, look.colour) <= COLOUR_TOLERANCE
    ] for thing in seen]
    owner: dict[int, int] = {}
    for number in range(len(seen)):
        _find_look(number, fits, owner, set())
    look_of = {number: look for look, number in owner.items()}
    return tuple(replace(thing, look=look_of.get(number)) for number, thing in enumerate(seen))


def _find_look(number: int, fits: list[list[int]], owner: dict[int, int], tried: set[int]) -> bool:
    """Give thing `number` a look, moving earlier things to others where needed (augmenting path)."""
    for look in fits[number]:
        if look in tried:
            continue
        tried.add(look)
        if look not in owner or _find_look(owner[look], fits, owner, tried):
            owner[look] = number
            return True
    return False
