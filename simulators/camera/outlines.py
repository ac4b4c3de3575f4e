"""The outline of a lying tablet, and how two outlines lie to each other."""

from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np

from simulators.camera.scene import Matrix, Tablet

POINTS = 48
APART_MM = 0.8
OVERLAP_MM2 = 0.05


@dataclass(frozen=True)
class Lying:
    """A tablet at rest: centre in pouch mm, and the angle of its long side in degrees."""

    tablet: Tablet
    x_mm: float
    y_mm: float
    angle: float = 0.0


def outline_mm(lying: Lying, half: bool = False) -> Matrix:
    """Give the convex outline of a lying tablet in pouch mm; a broken one, or `half`, is cut across its middle."""
    tablet = lying.tablet
    a, b = tablet.size_mm / 2, tablet.width_mm / 2
    t = np.linspace(0, 2 * np.pi, POINTS, endpoint=False) + 0.01
    if tablet.shape == "capsule":
        x = np.cos(t) * b + np.sign(np.cos(t)) * (a - b)
        y = np.sin(t) * b
    else:
        x, y = np.cos(t) * a, np.sin(t) * b
    if tablet.broken or half:
        x = np.maximum(x, 0.0)
    turn = np.deg2rad(lying.angle)
    return np.stack(
        [
            lying.x_mm + x * np.cos(turn) - y * np.sin(turn),
            lying.y_mm + x * np.sin(turn) + y * np.cos(turn),
        ],
        axis=1,
    )


def overlap_mm2(one: Matrix, other: Matrix) -> float:
    """Give the area that two convex outlines share."""
    return float(cv2.intersectConvexConvex(one.astype(np.float32), other.astype(np.float32))[0])


def gap_mm(one: Matrix, other: Matrix) -> float:
    """Give the distance between two outlines, 0 where they overlap."""
    if overlap_mm2(one, other) > 0:
        return 0.0
    return min(_to_edges(one, other), _to_edges(other, one))


def _to_edges(points: Matrix, outline: Matrix) -> float:
    """Give the least distance of points from the edges of an outline."""
    start, along = outline[None], (np.roll(outline, -1, axis=0) - outline)[None]
    to_points = points[:, None] - start
    length2 = np.maximum((along**2).sum(axis=2), 1e-12)
    share = np.clip((to_points * along).sum(axis=2) / length2, 0, 1)
    nearest = to_points - share[:, :, None] * along
    return float(np.sqrt((nearest**2).sum(axis=2).min()))


def stratum(lying: list[Lying]) -> str:
    """Name how the tablets lie: empty, single, apart (APART_MM between any two), touching or overlapping."""
    if len(lying) < 2:
        return "single" if lying else "empty"
    pairs = list(combinations([outline_mm(each) for each in lying], 2))
    if any(overlap_mm2(*pair) > OVERLAP_MM2 for pair in pairs):
        return "overlapping"
    return "touching" if any(gap_mm(*pair) < APART_MM for pair in pairs) else "apart"
