"""Draws what the camera sees: a film pouch on a dark base, its printed label above, its tablets in the window below."""

import random
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]

WIDTH_PX, HEIGHT_PX = 1280, 960
PIXELS_PER_MM = 9.0
DOTS_PER_MM = 8.0
POUCH_HEIGHT_MM, POUCH_WIDTH_MM = 98.0, 80.0
LABEL_TOP_MM, GAP_MM, SEAL_MM = 2.0, 4.0, 3.0
WINDOW_MIN_HEIGHT_MM = 20.0
BASE_BGR = (38, 35, 30)
PAPER_GREY, INK_GREY = 228, 24
WIDTH_OF_LENGTH = {"round": 1.0, "oval": 0.6, "capsule": 0.4}
SUBPIXEL_BITS = 4
CLEARANCE_MM, CONTACT_MM2, PLACE_ATTEMPTS = 1.2, 0.15, 300


@dataclass(frozen=True)
class Tablet:
    """One tablet in the pouch: colour as (blue, green, red), longest side in mm; half of it where broken."""

    colour: tuple[int, int, int]
    shape: str
    size_mm: float
    broken: bool = False

    @property
    def width_mm(self) -> float:
        """Give the shorter side of the whole tablet."""
        return self.size_mm * WIDTH_OF_LENGTH[self.shape]


@dataclass(frozen=True)
class Scene:
    """A pouch in the station: label raster (rows x columns, 1 = black), how well it was printed, and the tablets."""

    pouch: str
    raster: Picture
    tablets: tuple[Tablet, ...] = ()
    contrast: float = 1.0
    dead_columns: tuple[int, ...] = ()


@dataclass(frozen=True)
class Conditions:
    """How the pouch lies and how well the camera sees it; angles in degrees, sizes in px if not said otherwise."""

    angle: float = 0.0
    shift_mm: tuple[float, float] = (0.0, 0.0)
    perspective: float = 0.0
    blur_sigma: float = 0.6
    noise_sigma: float = 2.0
    glare: tuple[float, float, float] | None = None
    touching: bool = False
    unreadable: bool = False


@dataclass(frozen=True)
class _Lying:
    tablet: Tablet
    x_mm: float
    y_mm: float
    angle: float = field(default=0.0)


def scene_random(seed: int, pouch: str) -> random.Random:
    """Make the randomness of one pouch: the same seed and pouch give the same picture."""
    return random.Random(f"{seed}/{pouch}")


def draw_conditions(chance: random.Random, faults: str) -> Conditions:
    """Draw how the pouch lies; `none` is a well adjusted station, `mild` a real one with about 1 % unreadable."""
    if faults == "none":
        return Conditions(angle=chance.uniform(-1, 1), shift_mm=(chance.uniform(-1, 1), chance.uniform(-0.5, 0.5)))
    unreadable, touching = chance.random() < 0.008, chance.random() < 0.03
    blinded = unreadable and chance.random() < 0.5
    glare = None
    if blinded:
        glare = (0.2, chance.uniform(-5, 5), 48.0)
    elif chance.random() < 0.006:
        glare = (chance.random(), chance.uniform(0, 180), chance.uniform(0.5, 3.0))
    return Conditions(
        angle=chance.uniform(-3.5, 3.5),
        shift_mm=(chance.uniform(-4, 4), chance.uniform(-0.5, 0.5)),
        perspective=chance.uniform(-2e-5, 2e-5),
        blur_sigma=7.0 if unreadable and not blinded else chance.triangular(0.5, 1.6, 0.8),
        noise_sigma=chance.triangular(2, 8, 3),
        glare=glare, touching=touching, unreadable=unreadable,
    )


def label_size_mm(scene: Scene) -> tuple[float, float]:
    """Give width and height of the printed label."""
    return scene.raster.shape[1] / DOTS_PER_MM, scene.raster.shape[0] / DOTS_PER_MM


def window_mm(scene: Scene) -> tuple[float, float, float, float]:
    """Give left, top, right, bottom of where tablets can lie, in the pouch's own mm; ValueError where none is left."""
    width, height = label_size_mm(scene)
    top, bottom = LABEL_TOP_MM + height + GAP_MM, POUCH_HEIGHT_MM - SEAL_MM - 1
    if bottom - top < WINDOW_MIN_HEIGHT_MM or width > WIDTH_PX / PIXELS_PER_MM - 12:
        raise ValueError(f"a label of {width:.0f} x {height:.0f} mm leaves no window in the pouch")
    pouch_width = max(POUCH_WIDTH_MM, width)
    return SEAL_MM + 1, top, pouch_width - SEAL_MM - 1, bottom


def camera_matrix(scene: Scene, conditions: Conditions) -> Matrix:
    """Map pouch mm to picture px: centred, shifted, turned, with a little perspective."""
    pouch_width = max(POUCH_WIDTH_MM, label_size_mm(scene)[0])
    turn, s = np.deg2rad(conditions.angle), PIXELS_PER_MM
    to_centre = np.array([[1, 0, -pouch_width / 2], [0, 1, -POUCH_HEIGHT_MM / 2], [0, 0, 1]])
    dx, dy = conditions.shift_mm
    cos, sin = s * np.cos(turn), s * np.sin(turn)
    rotate = np.array([[cos, -sin, s * dx], [sin, cos, s * dy], [0, 0, 1]])
    lean = np.array([[1, 0, 0], [0, 1, 0], [conditions.perspective, conditions.perspective, 1]])
    to_picture = np.array([[1, 0, WIDTH_PX / 2], [0, 1, HEIGHT_PX / 2], [0, 0, 1]])
    matrix: Matrix = to_picture @ lean @ rotate @ to_centre
    return matrix


def lay_tablets(scene: Scene, conditions: Conditions, chance: random.Random) -> list[_Lying]:
    """Scatter the tablets over the window: apart where there is room, the second against the first if `touching`."""
    window = window_mm(scene)
    lying: list[_Lying] = []
    for index, tablet in enumerate(scene.tablets):
        found = _against(lying[0], tablet, window, chance) if conditions.touching and index == 1 else None
        lying.append(found or _apart(lying, tablet, window, chance))
    return lying


def _apart(
    lying: list[_Lying], tablet: Tablet, window: tuple[float, float, float, float], chance: random.Random,
) -> _Lying:
    """Find a place clear of the other tablets; after PLACE_ATTEMPTS it falls where it falls, on others if need be."""
    left, top, right, bottom = window
    radius = tablet.size_mm / 2
    for _ in range(PLACE_ATTEMPTS):
        x = chance.uniform(left + radius, max(left + radius, right - radius))
        y = chance.uniform(top + radius, max(top + radius, bottom - radius))
        candidate = _Lying(tablet, x, y, chance.uniform(0, 180))
        if all(_is_clear(candidate, other) for other in lying):
            break
    return candidate


def _is_clear(one: _Lying, other: _Lying) -> bool:
    outline = outline_mm(one)
    outward = outline - (one.x_mm, one.y_mm)
    wider = outline + outward / np.maximum(np.hypot(outward[:, 0], outward[:, 1]), 1e-6)[:, None] * CLEARANCE_MM
    return overlap_mm2(wider, outline_mm(other)) == 0.0


def _against(
    first: _Lying, tablet: Tablet, window: tuple[float, float, float, float], chance: random.Random,
) -> _Lying | None:
    """Push a tablet against the first one until the outlines meet; None where the window has no room for it."""
    left, top, right, bottom = window
    radius = tablet.size_mm / 2
    outline = outline_mm(first)
    for _ in range(40):
        way, angle = chance.uniform(0, 2 * np.pi), chance.uniform(0, 180)
        away_mm = first.tablet.size_mm / 2 + radius
        candidate = first
        while away_mm > 0:
            x, y = first.x_mm + away_mm * np.cos(way), first.y_mm + away_mm * np.sin(way)
            candidate = _Lying(tablet, float(x), float(y), angle)
            if overlap_mm2(outline, outline_mm(candidate)) > CONTACT_MM2:
                break
            away_mm -= 0.1
        if left + radius <= candidate.x_mm <= right - radius and top + radius <= candidate.y_mm <= bottom - radius:
            return candidate
    return None


def overlap_mm2(one: Matrix, other: Matrix) -> float:
    """Give the area that two convex outlines share."""
    return float(cv2.intersectConvexConvex(one.astype(np.float32), other.astype(np.float32))[0])


def outline_mm(lying: _Lying) -> Matrix:
    """Give the convex outline of a lying tablet in pouch mm; a half is cut across its middle."""
    tablet = lying.tablet
    a, b = tablet.size_mm / 2, tablet.width_mm / 2
    t = np.linspace(0, 2 * np.pi, 48, endpoint=False) + 0.01
    if tablet.shape == "capsule":
        x = np.cos(t) * b + np.sign(np.cos(t)) * (a - b)
        y = np.sin(t) * b
    else:
        x, y = np.cos(t) * a, np.sin(t) * b
    if tablet.broken:
        x = np.maximum(x, 0.0)
    turn = np.deg2rad(lying.angle)
    return np.stack([
        lying.x_mm + x * np.cos(turn) - y * np.sin(turn), lying.y_mm + x * np.sin(turn) + y * np.cos(turn),
    ], axis=1)


def _to_pixels(points_mm: Matrix, matrix: Matrix) -> npt.NDArray[np.int32]:
    """Carry points to the picture, as fixed-point px with SUBPIXEL_BITS bits."""
    flat = cv2.perspectiveTransform(points_mm.reshape(-1, 1, 2).astype(np.float64), matrix).reshape(-1, 2)
    return np.round(flat * (1 << SUBPIXEL_BITS)).astype(np.int32)


def _fill(picture: Picture, points_mm: Matrix, matrix: Matrix, colour: tuple[int, ...]) -> None:
    cv2.fillPoly(picture, [_to_pixels(points_mm, matrix)], colour, cv2.LINE_AA, SUBPIXEL_BITS)


def _lighter(colour: tuple[int, int, int], by: float) -> tuple[int, int, int]:
    return tuple(int(max(0, min(255, round(part + by)))) for part in colour)  # type: ignore[return-value]


def draw_tablet(picture: Picture, lying: _Lying, matrix: Matrix) -> None:
    """Draw one tablet: a thin shadow, the darker rim, the body, and a faint bright spot."""
    outline = outline_mm(lying)
    centre = outline.mean(axis=0)
    _fill(picture, outline + np.array([0.15, 0.2]), matrix, _lighter(BASE_BGR, -14))
    _fill(picture, outline, matrix, _lighter(lying.tablet.colour, -12))
    _fill(picture, centre + (outline - centre) * 0.86, matrix, lying.tablet.colour)
    _fill(picture, centre - 0.4 + (outline - centre) * 0.35, matrix, _lighter(lying.tablet.colour, 10))


def draw_label(picture: Picture, scene: Scene, matrix: Matrix) -> None:
    """Lay the printed raster on the white part of the pouch; dead head columns stay white, a weak print is grey."""
    width, height = label_size_mm(scene)
    pouch_width = max(POUCH_WIDTH_MM, width)
    left = (pouch_width - width) / 2
    _fill(picture, _rectangle(0, 0, pouch_width, LABEL_TOP_MM + height + 1), matrix, (PAPER_GREY,) * 3)
    grey = printed(scene)
    printed_area = _rectangle(left, LABEL_TOP_MM, left + width, LABEL_TOP_MM + height)
    corners = _to_pixels(printed_area, matrix) >> SUBPIXEL_BITS
    (x0, y0), (x1, y1) = np.maximum(corners.min(axis=0) - 1, 0), corners.max(axis=0) + 2
    x1, y1 = min(int(x1), WIDTH_PX), min(int(y1), HEIGHT_PX)
    place = np.array([[1 / DOTS_PER_MM, 0, left], [0, 1 / DOTS_PER_MM, LABEL_TOP_MM], [0, 0, 1]])
    whole = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]]) @ matrix @ place
    cut = cv2.warpPerspective(grey, whole, (x1 - int(x0), y1 - int(y0)), borderValue=PAPER_GREY)
    part = picture[y0:y1, x0:x1]
    picture[y0:y1, x0:x1] = cv2.min(part, cv2.cvtColor(cut, cv2.COLOR_GRAY2BGR))


def printed(scene: Scene) -> Picture:
    """Give the label as it came off the print head, in grey levels."""
    ink = scene.raster.copy()
    ink[:, [column for column in scene.dead_columns if 0 <= column < ink.shape[1]]] = 0
    black = round(PAPER_GREY - (PAPER_GREY - INK_GREY) * min(1.0, max(0.0, scene.contrast)))
    levels: Picture = np.array([PAPER_GREY, black], np.uint8)[(ink > 0).astype(np.uint8)]
    return levels


def _rectangle(left: float, top: float, right: float, bottom: float) -> Matrix:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


def draw_film(picture: Picture, scene: Scene, matrix: Matrix) -> None:
    """Draw the welded seams of the transparent film, a little lighter than the base, down both sides and across."""
    _, top, right, _ = window_mm(scene)
    width, seam = right + SEAL_MM + 1, _lighter(BASE_BGR, 14)
    for x0, y0, x1, y1 in (
        (0.0, top - GAP_MM, SEAL_MM, POUCH_HEIGHT_MM), (width - SEAL_MM, top - GAP_MM, width, POUCH_HEIGHT_MM),
        (0.0, POUCH_HEIGHT_MM - SEAL_MM, width, POUCH_HEIGHT_MM),
    ):
        _fill(picture, _rectangle(x0, y0, x1, y1), matrix, seam)


def draw_glare(picture: Picture, glare: tuple[float, float, float], matrix: Matrix) -> None:
    """Lay a saturated stripe over the pouch: place along its height 0..1, angle in degrees, width in mm."""
    place, angle, width_mm = glare
    x, y = POUCH_WIDTH_MM / 2, 10 + place * (POUCH_HEIGHT_MM - 20)
    along = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
    across = np.array([-along[1], along[0]]) * width_mm / 2
    middle = np.array([x, y])
    start, end = middle - along * 90, middle + along * 90
    corners = np.array([start - across, end - across, end + across, start + across])
    _fill(picture, corners, matrix, (255, 255, 255))
