"""Draws what lies in the station: a film pouch on a dark base, its printed label above, its tablets in the window below."""

import random
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from simulators.camera.conditions import Conditions
from simulators.camera.outlines import Lying, outline_mm
from simulators.camera.scene import (
    DOTS_PER_MM,
    GAP_MM,
    HEIGHT_PX,
    LABEL_TOP_MM,
    PIXELS_PER_MM,
    POUCH_HEIGHT_MM,
    SEAL_MM,
    WIDTH_PX,
    Matrix,
    Picture,
    Scene,
    label_size_mm,
    pouch_width_mm,
    window_mm,
)

Field = npt.NDArray[np.float32]

BASE_BGR = (38, 35, 30)
PAPER_GREY, INK_GREY, COVER_GREY = 228, 24, 150
SUBPIXEL_BITS = 4
WRINKLE_LENGTH_MM = 6.0
FIELD_STEP_PX = 8


def draw_pouch(picture: Picture, scene: Scene, conditions: Conditions, matrix: Matrix, lying: list[Lying]) -> None:
    """Draw a pouch over the base, as it lies; nothing of light and lens yet."""
    _draw_film(picture, scene, matrix)
    _draw_label(picture, scene, conditions, matrix)
    for each in lying:
        _draw_tablet(picture, each, matrix)


def fill(picture: Picture, points_mm: Matrix, matrix: Matrix, colour: tuple[int, ...]) -> None:
    """Fill an outline given in pouch mm, with smooth edges."""
    cv2.fillPoly(picture, [_to_pixels(points_mm, matrix)], colour, cv2.LINE_AA, SUBPIXEL_BITS)


def _to_pixels(points_mm: Matrix, matrix: Matrix) -> npt.NDArray[np.int32]:
    """Carry points to the picture, as fixed-point px with SUBPIXEL_BITS bits."""
    flat = cv2.perspectiveTransform(points_mm.reshape(-1, 1, 2).astype(np.float64), matrix).reshape(-1, 2)
    return np.round(flat * (1 << SUBPIXEL_BITS)).astype(np.int32)


def rectangle(left: float, top: float, right: float, bottom: float) -> Matrix:
    """Give the corners of an upright rectangle in pouch mm."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


def _lighter(colour: tuple[int, ...], by: float) -> tuple[int, ...]:
    return tuple(int(max(0, min(255, round(part + by)))) for part in colour)


def _draw_film(picture: Picture, scene: Scene, matrix: Matrix) -> None:
    """Draw the welded seams of the transparent film, a little lighter than the base, down both sides and across."""
    _, top, right, _ = window_mm(scene)
    width, seam = right + SEAL_MM + 1, _lighter(BASE_BGR, 14)
    for x0, y0, x1, y1 in (
        (0.0, top - GAP_MM, SEAL_MM, POUCH_HEIGHT_MM),
        (width - SEAL_MM, top - GAP_MM, width, POUCH_HEIGHT_MM),
        (0.0, POUCH_HEIGHT_MM - SEAL_MM, width, POUCH_HEIGHT_MM),
    ):
        fill(picture, rectangle(x0, y0, x1, y1), matrix, seam)


def _draw_tablet(picture: Picture, lying: Lying, matrix: Matrix) -> None:
    """Draw one tablet: a thin shadow, the darker rim, the body, the other half of two colours, and a faint bright spot."""
    outline, tablet = outline_mm(lying), lying.tablet
    centre = outline.mean(axis=0)
    fill(picture, outline + np.array([0.15, 0.2]), matrix, _lighter(BASE_BGR, -14))
    fill(picture, outline, matrix, _lighter(tablet.colour, -12))
    fill(picture, centre + (outline - centre) * 0.86, matrix, tablet.colour)
    if tablet.second_colour is not None and not tablet.broken:
        fill(picture, outline_mm(lying, half=True), matrix, tablet.second_colour)
    else:
        fill(picture, centre - 0.4 + (outline - centre) * 0.35, matrix, _lighter(tablet.colour, 10))


def _draw_label(picture: Picture, scene: Scene, conditions: Conditions, matrix: Matrix) -> None:
    """Lay the printed raster on the white part of the pouch, shifted as the film wrinkles, and what covers it."""
    width, height = label_size_mm(scene)
    whole_width = pouch_width_mm(scene)
    left = (whole_width - width) / 2
    fill(picture, rectangle(0, 0, whole_width, LABEL_TOP_MM + height + 1), matrix, (PAPER_GREY,) * 3)
    corners = _to_pixels(rectangle(left, LABEL_TOP_MM, left + width, LABEL_TOP_MM + height), matrix) >> SUBPIXEL_BITS
    (x0, y0), (x1, y1) = np.maximum(corners.min(axis=0) - 1, 0), corners.max(axis=0) + 2
    x1, y1 = min(int(x1), WIDTH_PX), min(int(y1), HEIGHT_PX)
    if x1 > x0 and y1 > y0:
        place = np.array([[1 / DOTS_PER_MM, 0, left], [0, 1 / DOTS_PER_MM, LABEL_TOP_MM], [0, 0, 1]])
        whole = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]]) @ matrix @ place
        cut = _seen_through_film(printed(scene), whole, (x1 - int(x0), y1 - int(y0)), conditions)
        part = picture[y0:y1, x0:x1]
        picture[y0:y1, x0:x1] = cv2.min(part, cv2.cvtColor(cut, cv2.COLOR_GRAY2BGR))
    if conditions.covered_mm is not None:
        x, y, covered_width, covered_height = conditions.covered_mm
        fill(picture, rectangle(x, y, x + covered_width, y + covered_height), matrix, (COVER_GREY,) * 3)


def printed(scene: Scene) -> Picture:
    """Give the label as it came off the print head, in grey: dead head columns stay white, a weak print is grey."""
    ink = scene.raster.copy()
    ink[:, [column for column in scene.dead_columns if 0 <= column < ink.shape[1]]] = 0
    black = round(PAPER_GREY - (PAPER_GREY - INK_GREY) * min(1.0, max(0.0, scene.contrast)))
    levels: Picture = np.array([PAPER_GREY, black], np.uint8)[(ink > 0).astype(np.uint8)]
    return levels


def _seen_through_film(grey: Picture, matrix: Matrix, size: tuple[int, int], conditions: Conditions) -> Picture:
    """Carry the print into the picture, each place shifted by the wrinkle of the film over it."""
    if conditions.wrinkle_mm <= 0:
        return np.asarray(cv2.warpPerspective(grey, matrix, size, borderValue=PAPER_GREY), np.uint8)
    x, y = _source_places(np.asarray(np.linalg.inv(matrix), np.float64), size)
    dots = conditions.wrinkle_mm * DOTS_PER_MM
    shift_x, shift_y = _wrinkles(conditions.wrinkle % 16)
    rows, columns = x.shape
    x, y = x + dots * shift_x[:rows, :columns], y + dots * shift_y[:rows, :columns]
    whole_x, whole_y = (
        np.asarray(cv2.resize(each, None, fx=FIELD_STEP_PX, fy=FIELD_STEP_PX), np.float32)[: size[1], : size[0]]
        for each in (x, y)
    )
    return np.asarray(cv2.remap(grey, whole_x, whole_y, cv2.INTER_LINEAR, borderValue=PAPER_GREY), np.uint8)


def _source_places(inverse: Matrix, size: tuple[int, int]) -> tuple[Field, Field]:
    """Give the dot that is seen at the middle of each square of FIELD_STEP_PX px."""
    columns, rows = (-(-side // FIELD_STEP_PX) for side in size)
    middle = (FIELD_STEP_PX - 1) / 2
    v, u = np.mgrid[0:rows, 0:columns].astype(np.float32) * FIELD_STEP_PX + middle
    depth = inverse[2, 0] * u + inverse[2, 1] * v + inverse[2, 2]
    x = (inverse[0, 0] * u + inverse[0, 1] * v + inverse[0, 2]) / depth
    y = (inverse[1, 0] * u + inverse[1, 1] * v + inverse[1, 2]) / depth
    return x.astype(np.float32), y.astype(np.float32)


@cache
def _wrinkles(number: int) -> tuple[Field, Field]:
    """Give a smooth field of shifts in x and y of standard deviation 1 for each square of FIELD_STEP_PX px."""
    shape = (HEIGHT_PX // FIELD_STEP_PX + 2, WIDTH_PX // FIELD_STEP_PX + 2)
    sigma = WRINKLE_LENGTH_MM * PIXELS_PER_MM / FIELD_STEP_PX / 2
    fields = []
    for way in range(2):
        noise = np.random.default_rng((number, way)).normal(0, 1, shape).astype(np.float32)
        smooth = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigma), np.float32)
        fields.append(np.asarray(smooth / smooth.std(), np.float32))
    return fields[0], fields[1]


def draw_dust(picture: Picture, scene: Scene, conditions: Conditions, matrix: Matrix, chance: random.Random) -> None:
    """Strew specks over the film, dark on paper and light on the base, none larger than `dust_mm`."""
    for _ in range(conditions.dust):
        x, y = chance.uniform(1, pouch_width_mm(scene) - 1), chance.uniform(1, POUCH_HEIGHT_MM - 1)
        size, grey = chance.uniform(0.1, max(0.1, conditions.dust_mm)), chance.choice((70, 110, 190))
        fill(picture, rectangle(x, y, x + size, y + size * chance.uniform(0.4, 1.0)), matrix, (grey,) * 3)
