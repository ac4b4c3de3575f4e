"""A pouch as it lies in the station, in mm: its label, its tablets, where they can lie, and how the camera hangs over it."""

import random
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulators.camera.conditions import Conditions, draw_conditions

__all__ = ["Conditions", "Matrix", "Picture", "Scene", "Tablet", "draw_conditions", "scene_random"]

Picture = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]

WIDTH_PX, HEIGHT_PX = 1280, 960
PIXELS_PER_MM = 9.0
DOTS_PER_MM = 8.0
POUCH_HEIGHT_MM, POUCH_WIDTH_MM = 98.0, 80.0
LABEL_TOP_MM, GAP_MM, SEAL_MM = 2.0, 4.0, 3.0
WINDOW_MIN_HEIGHT_MM = 20.0
CAMERA_DISTANCE_MM = 300.0
WIDTH_OF_LENGTH = {"round": 1.0, "oval": 0.6, "capsule": 0.4}


@dataclass(frozen=True)
class Tablet:
    """One tablet in the pouch: colour as (blue, green, red), longest side in mm; half of it where broken.

    `second_colour` is that of the other half, of a capsule of two colours.
    """

    colour: tuple[int, int, int]
    shape: str
    size_mm: float
    broken: bool = False
    second_colour: tuple[int, int, int] | None = None

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


def scene_random(seed: int, pouch: str) -> random.Random:
    """Make the randomness of one pouch: the same seed and pouch give the same picture."""
    return random.Random(f"{seed}/{pouch}")


def label_size_mm(scene: Scene) -> tuple[float, float]:
    """Give width and height of the printed label."""
    return scene.raster.shape[1] / DOTS_PER_MM, scene.raster.shape[0] / DOTS_PER_MM


def pouch_width_mm(scene: Scene) -> float:
    """Give the width of the pouch: that of the film, or of a label that is wider."""
    return max(POUCH_WIDTH_MM, label_size_mm(scene)[0])


def window_mm(scene: Scene) -> tuple[float, float, float, float]:
    """Give left, top, right, bottom of where tablets can lie, in the pouch's own mm; ValueError where none is left."""
    width, height = label_size_mm(scene)
    top, bottom = LABEL_TOP_MM + height + GAP_MM, POUCH_HEIGHT_MM - SEAL_MM - 1
    if bottom - top < WINDOW_MIN_HEIGHT_MM or width > WIDTH_PX / PIXELS_PER_MM - 12:
        raise ValueError(f"a label of {width:.0f} x {height:.0f} mm leaves no window in the pouch")
    return SEAL_MM + 1, top, pouch_width_mm(scene) - SEAL_MM - 1, bottom


def camera_matrix(scene: Scene, conditions: Conditions) -> Matrix:
    """Map pouch mm to picture px: centred, shifted, turned, and tilted as a camera at CAMERA_DISTANCE_MM sees it."""
    turn, s = np.deg2rad(conditions.angle), PIXELS_PER_MM
    to_centre = np.array([[1, 0, -pouch_width_mm(scene) / 2], [0, 1, -POUCH_HEIGHT_MM / 2], [0, 0, 1]])
    dx, dy = conditions.shift_mm
    cos, sin = s * np.cos(turn), s * np.sin(turn)
    rotate = np.array([[cos, -sin, s * dx], [sin, cos, s * dy], [0, 0, 1]])
    to_picture = np.array([[1, 0, WIDTH_PX / 2], [0, 1, HEIGHT_PX / 2], [0, 0, 1]])
    matrix: Matrix = to_picture @ _lean(*conditions.tilt) @ rotate @ to_centre
    return matrix


def _lean(about_x: float, about_y: float) -> Matrix:
    """Tilt the pouch about the picture's axes, degrees: the far side is smaller, and the tilted side is shortened."""
    x, y, distance_px = np.deg2rad(about_x), np.deg2rad(about_y), CAMERA_DISTANCE_MM * PIXELS_PER_MM
    lean: Matrix = np.array(
        [
            [np.cos(y), 0, 0],
            [0, np.cos(x), 0],
            [np.sin(y) / distance_px, np.sin(x) / distance_px, 1],
        ]
    )
    return lean
