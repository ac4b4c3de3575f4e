"""Frames that are hard to read: film before a printed label, seen by a camera, with one defect a frame, drawn from seed and number.

A frame is 1280 x 960 grey. Each has 10-15 px/mm, blur of 0.8-1.9 px, noise of 2-16, contrast of 0.25-0.8, warp of the film up to
0.1 mm and one of: nothing more, 1-4 dead print columns, glare of 1-8 % of the code's side, a patch of 2-9 %, motion of 3-10 px,
a tilt of 20-50 degrees. `ordinary_case` draws what a station sees every day.
"""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

Grey = npt.NDArray[np.uint8]
Field = npt.NDArray[np.float32]
Chance = np.random.Generator

WIDTH, HEIGHT = 1280, 960
DOTS_PER_MM = 8
LABEL_WIDTH_MM, LABEL_HEIGHT_MM = 74, 52
DEFECTS = ("plain", "dead", "glare", "patch", "motion", "tilt")
LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ0123456789"
PAYLOAD_LETTERS = 16
FINE = 2
"""The label is drawn with so many pixels a dot."""
WARP_GRID_MM = 6.0
BASE = 0.2
"""Reflectance of the base beside the label."""
TABLETS = 4
SHIFT_LIMIT_PX = 4.0


@dataclass(frozen=True)
class Optics:
    """What stands between a label and its picture; lengths in px of the frame unless named otherwise."""

    pixels_per_mm: float
    blur: float
    noise: float
    contrast: float
    warp_mm: float
    tilt_degrees: float
    turn_degrees: float
    dead_columns: int = 0
    glare: float = 0.0
    patch: float = 0.0
    motion: float = 0.0


@dataclass(frozen=True)
class HardCase:
    """Frames of one pouch, the glare elsewhere in each, the content of its code, and what was done to it."""

    frames: tuple[Grey, ...]
    truth: bytes
    defect: str
    optics: Optics


def hard_case(seed: int, number: int, dots: int = 4, frames: int = 1) -> HardCase:
    """Draw the hard case of this number, its Data Matrix with `dots` print dots a module."""
    chance = np.random.default_rng([seed, number, dots])
    defect = str(chance.choice(DEFECTS))
    return _case(chance, _hard_optics(chance, defect), defect, dots, frames)


def ordinary_case(seed: int, number: int, dots: int = 4, frames: int = 1) -> HardCase:
    """Draw an ordinary case: any turn, tilt up to 40 degrees, mild blur and noise, no defect."""
    chance = np.random.default_rng([seed, number, dots, 1])
    optics = Optics(
        pixels_per_mm=chance.uniform(9.5, 14), blur=chance.uniform(0.7, 1.4), noise=chance.uniform(2, 8),
        contrast=chance.uniform(0.4, 0.8), warp_mm=chance.uniform(0, 0.05),
        tilt_degrees=chance.uniform(0, 40), turn_degrees=chance.uniform(0, 360),
    )  # fmt: skip
    return _case(chance, optics, "ordinary", dots, frames)


def _hard_optics(chance: Chance, defect: str) -> Optics:
    optics = Optics(
        pixels_per_mm=chance.uniform(10, 15), blur=chance.uniform(0.8, 1.9), noise=chance.uniform(2, 16),
        contrast=chance.uniform(0.25, 0.8), warp_mm=chance.uniform(0, 0.1),
        tilt_degrees=chance.uniform(0, 6), turn_degrees=chance.uniform(0, 360),
    )  # fmt: skip
    changed: dict[str, Any] = {
        "plain": {},
        "dead": {"dead_columns": int(chance.integers(1, 5))},
        "glare": {"glare": chance.uniform(0.01, 0.08)},
        "patch": {"patch": chance.uniform(0.02, 0.09)},
        "motion": {"motion": chance.uniform(3, 10)},
        "tilt": {"tilt_degrees": chance.uniform(20, 50)},
    }
    return replace(optics, **changed[defect])


def _case(chance: Chance, optics: Optics, defect: str, dots: int, frames: int) -> HardCase:
    content = "".join(chance.choice(list(LETTERS), PAYLOAD_LETTERS))
    raster, code_mm = draw_label(content, dots, optics, chance)
    raster = _with_tablets(raster, chance)
    across, down, code_side = _places(optics, code_mm, chance)
    still = cv2.remap(raster, across, down, cv2.INTER_AREA, borderMode=cv2.BORDER_CONSTANT, borderValue=BASE)
    still = _lit(np.asarray(still, np.float32), optics, chance)
    centre = _place_of(across, down, code_mm)
    return HardCase(tuple(_frame(still, optics, centre, code_side, chance) for _ in range(frames)), content.encode(), defect, optics)


def draw_label(content: str, dots: int, optics: Optics, chance: Chance) -> tuple[Field, tuple[float, float, float]]:
    """Print a label: reflectance 0..1 with `FINE` px a dot; also the code's middle (x, y) and side in mm."""
    label = _text(content)
    barcode = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
    code = np.asarray(barcode.to_image(scale=dots * FINE, add_quiet_zones=False), np.float32) / 255
    x, y = (int(chance.integers(low, high)) * FINE for low, high in ((320, 440), (90, 250)))
    quiet = 2 * dots * FINE
    label[y - quiet : y + code.shape[0] + quiet, x - quiet : x + code.shape[1] + quiet] = 1
    label[y : y + code.shape[0], x : x + code.shape[1]] = code
    for column in chance.choice(code.shape[1] // FINE, optics.dead_columns, replace=False):
        label[:, x + column * FINE : x + (column + 1) * FINE] = 1
    scale = DOTS_PER_MM * FINE
    side = code.shape[0] / scale
    if optics.patch:
        _lay_patch(label[y : y + code.shape[0], x : x + code.shape[1]], optics.patch, chance)
    return _gain(label, chance), (x / scale + side / 2, y / scale + side / 2, side)


def _text(content: str) -> Field:
    paper = np.full((LABEL_HEIGHT_MM * DOTS_PER_MM * FINE, LABEL_WIDTH_MM * DOTS_PER_MM * FINE), 255, np.uint8)
    for row, line in enumerate(("Paracetamol 500 mg", "NOVAK JANA 03/12", content)):
        cv2.putText(paper, line, (40, 90 + row * 110), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (0,), 5)
    return paper.astype(np.float32) / 255


def _lay_patch(code: Field, share: float, chance: Chance) -> None:
    """Cover a share of the code's area with something grey."""
    side = max(1, round(code.shape[0] * share**0.5))
    x, y = (int(chance.integers(0, code.shape[0] - side + 1)) for _ in range(2))
    code[y : y + side, x : x + side] = chance.uniform(0, 1)


def _gain(label: Field, chance: Chance) -> Field:
    """Let printed dots grow or shrink a little."""
    soft = cv2.GaussianBlur(label, (0, 0), 0.4 * FINE)
    bias = chance.uniform(-0.25, 0.25)
    return np.asarray(np.clip((soft - 0.5 + bias) * 2 + 0.5, 0, 1), np.float32)


def _with_tablets(label: Field, chance: Chance) -> Field:
    """Let tablets behind the film show through it a little."""
    shade = np.zeros(label.shape, np.uint8)
    for _ in range(TABLETS):
        middle = int(chance.integers(0, label.shape[1])), int(chance.integers(0, label.shape[0]))
        size = int(chance.integers(50, 120)), int(chance.integers(40, 90))
        cv2.ellipse(shade, middle, size, chance.uniform(0, 180), 0, 360, (int(chance.integers(10, 40)),), -1)
    return np.asarray(label * (1 - cv2.GaussianBlur(shade, (0, 0), 6).astype(np.float32) / 255), np.float32)


def _places(optics: Optics, code_mm: tuple[float, float, float], chance: Chance) -> tuple[Field, Field, float]:
    """Say for each pixel which px of the drawn label it sees; also the code's side in px of the frame."""
    x_mm, y_mm, side_mm = code_mm
    turn, tilt = np.radians(optics.turn_degrees), np.radians(optics.tilt_degrees)
    direction = chance.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    aim_x, aim_y = chance.uniform(-150, 150), chance.uniform(-80, 80)
    u, v = (columns - WIDTH / 2 - aim_x) / optics.pixels_per_mm, (rows - HEIGHT / 2 - aim_y) / optics.pixels_per_mm
    along = u * np.cos(direction) + v * np.sin(direction)
    aside = -u * np.sin(direction) + v * np.cos(direction)
    distance_mm = 200.0
    depth = np.cos(tilt) - along / distance_mm * np.sin(tilt)
    along, aside = along / depth, aside * np.cos(tilt) / depth
    u, v = along * np.cos(direction) - aside * np.sin(direction), along * np.sin(direction) + aside * np.cos(direction)
    across = x_mm + u * np.cos(turn) + v * np.sin(turn) + _wave(optics, chance)
    down = y_mm - u * np.sin(turn) + v * np.cos(turn) + _wave(optics, chance)
    scale = DOTS_PER_MM * FINE
    return np.asarray(across * scale, np.float32), np.asarray(down * scale, np.float32), side_mm * optics.pixels_per_mm


def _wave(optics: Optics, chance: Chance) -> Field:
    """Draw how far the film is shifted at each pixel, in mm: a smooth random field."""
    step = WARP_GRID_MM * optics.pixels_per_mm
    coarse = chance.normal(0, 1, (int(HEIGHT / step) + 4, int(WIDTH / step) + 4)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) * optics.warp_mm, np.float32)


def _place_of(across: Field, down: Field, code_mm: tuple[float, float, float]) -> tuple[float, float]:
    """Find the code's middle in the frame, in px."""
    scale = DOTS_PER_MM * FINE
    far = (across - code_mm[0] * scale) ** 2 + (down - code_mm[1] * scale) ** 2
    row, column = divmod(int(far.argmin()), WIDTH)
    return float(column), float(row)


def _lit(reflected: Field, optics: Optics, chance: Chance) -> Field:
    """Give grey levels under uneven light: paper below saturation, ink darker by the contrast."""
    paper = chance.uniform(120, 210)
    level = paper * (1 - optics.contrast * (1 - reflected))
    slope = np.linspace(-1, 1, WIDTH, dtype=np.float32) * chance.uniform(-0.12, 0.12)
    fall = np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None] * chance.uniform(-0.12, 0.12)
    return np.asarray(level * (1 + slope + fall), np.float32)


def _frame(still: Field, optics: Optics, centre: tuple[float, float], side: float, chance: Chance) -> Grey:
    """Take one frame: a small shift of the pouch, glare of its own place, motion, blur and noise."""
    shift = np.float32([[1, 0, chance.uniform(-SHIFT_LIMIT_PX, SHIFT_LIMIT_PX)], [0, 1, chance.uniform(-SHIFT_LIMIT_PX, SHIFT_LIMIT_PX)]])
    seen = cv2.warpAffine(still, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    if optics.glare:
        seen = np.maximum(seen, _stripe(optics.glare * side, centre, side, chance))
    if optics.motion:
        seen = cv2.filter2D(seen, -1, _smear(optics.motion, chance))
    seen = cv2.GaussianBlur(seen, (0, 0), optics.blur)
    noise: Field = chance.standard_normal(seen.shape, np.float32) * np.float32(optics.noise)
    return np.asarray(np.clip(seen + noise, 0, 255), np.uint8)


def _stripe(width: float, centre: tuple[float, float], side: float, chance: Chance) -> Field:
    """Draw a saturating stripe that crosses the code, soft at its edges."""
    angle, off = chance.uniform(0, np.pi), chance.uniform(-0.4, 0.4) * side
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    far = np.abs((columns - centre[0]) * np.cos(angle) + (rows - centre[1]) * np.sin(angle) - off)
    return np.asarray(400 * np.clip(1 - (far - width / 2) / 2, 0, 1), np.float32)


def _smear(length: float, chance: Chance) -> Field:
    """Make the kernel of a motion of so many px in a random direction."""
    size = 2 * int(np.ceil(length / 2)) + 1
    kernel: Field = np.zeros((size * 4, size * 4), np.float32)
    angle = chance.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * length * 2
    middle = np.array([size * 2, size * 2])
    start, end = np.round(middle - reach).astype(int).tolist(), np.round(middle + reach).astype(int).tolist()
    cv2.line(kernel, start, end, (1.0,), 4)
    small = cv2.resize(kernel, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(small / small.sum(), np.float32)
