"""How tablets come to rest in a pouch: they fall in at the top, slide down the film, push each other aside and stop.

A quasi-static model of rigid bodies in the plane: each tablet is a row of discs; friction lets it slide a drawn way down;
whoever lies in the way is pushed, and turned. The station's shake then leaves room between them, or does not.
"""

import math
import random
from dataclasses import dataclass, replace
from itertools import combinations

from simulators.camera.conditions import Conditions
from simulators.camera.outlines import Lying, gap_mm, outline_mm, overlap_mm2, stratum
from simulators.camera.scene import Matrix, Scene, Tablet, window_mm

STEPS, SETTLING_STEPS, THROWS = 30, 60, 12
CROWD = 10
SHAKEN_MM = 1.2
HIDDEN_SHARE = (0.06, 0.45)
CLOSE_MM = 0.02
Window = tuple[float, float, float, float]


@dataclass
class _Body:
    """A tablet on its way: discs are (place along the long side, radius), `way_mm` what friction lets it slide yet."""

    tablet: Tablet
    x: float
    y: float
    turn: float
    way_mm: float
    discs: tuple[tuple[float, float], ...]

    @property
    def reach(self) -> float:
        return self.tablet.size_mm / 2

    def places(self) -> list[tuple[float, float, float]]:
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        return [(self.x + along * cos, self.y + along * sin, radius) for along, radius in self.discs]

    def push(self, at: tuple[float, float], by: tuple[float, float]) -> None:
        """Move by a way that acts at a point: off the centre it also turns."""
        self.x, self.y = self.x + by[0], self.y + by[1]
        arm = (at[0] - self.x, at[1] - self.y)
        self.turn += (arm[0] * by[1] - arm[1] * by[0]) / (self.reach**2 + 1.0)


def lay_tablets(scene: Scene, conditions: Conditions, chance: random.Random) -> list[Lying]:
    """Let the tablets of a pouch fall and come to rest; asked-for strata are thrown again until they come about.

    After THROWS throws, and of a CROWD after one, it stays as it fell: where there is no room for all of them apart, they touch.
    """
    window = window_mm(scene)
    wanted = "overlapping" if conditions.overlapping else "touching" if conditions.touching else "apart"
    lying: list[Lying] = []
    for _ in range(THROWS if len(scene.tablets) < CROWD else 1):
        lying = _throw(scene.tablets, window, SHAKEN_MM if wanted == "apart" else 0.0, chance)
        if wanted != "apart" and len(lying) > 1:
            lying = _bring_together(lying, window, chance.uniform(*HIDDEN_SHARE) if wanted == "overlapping" else 0.0)
        if len(lying) < 2 or stratum(lying) == wanted:
            break
    return lying


def _throw(tablets: tuple[Tablet, ...], window: Window, room_mm: float, chance: random.Random) -> list[Lying]:
    left, top, right, bottom = window
    bodies = []
    for tablet in tablets:
        reach = tablet.size_mm / 2
        x = chance.uniform(left + reach, max(left + reach, right - reach))
        way = chance.triangular(0, bottom - top, (bottom - top) * 0.75) if room_mm else bottom - top
        bodies.append(_Body(tablet, x, top + reach, chance.uniform(0, 2 * math.pi), way, _discs(tablet)))
    for step in range(STEPS + SETTLING_STEPS):
        if not _slide(bodies, window) + _part(bodies, room_mm) + _keep_inside(bodies, window) and step >= STEPS:
            break
    return [Lying(body.tablet, body.x, body.y, math.degrees(body.turn)) for body in bodies]


def _discs(tablet: Tablet) -> tuple[tuple[float, float], ...]:
    """Cover a tablet by discs along its long side; those of an ellipse shrink towards its ends."""
    a, b = tablet.size_mm / 2, tablet.width_mm / 2
    if tablet.shape == "round":
        return ((0.0, a),)
    if tablet.shape == "capsule":
        return tuple(((a - b) * share, b) for share in (-1.0, -0.5, 0.0, 0.5, 1.0))
    reach = a - b * b / a
    return tuple(
        (reach * share, b * math.sqrt(1 - (reach * share) ** 2 / (a * a - b * b))) for share in (-1, -0.5, 0, 0.5, 1)
    )


def _slide(bodies: list[_Body], window: Window) -> int:
    """Let each tablet slide one step down."""
    step_mm, moved = (window[3] - window[1]) / STEPS, 0
    for body in bodies:
        way = min(step_mm, body.way_mm)
        body.y, body.way_mm, moved = body.y + way, body.way_mm - way, moved + (way > 0)
    return moved


def _part(bodies: list[_Body], room_mm: float) -> int:
    """Push overlapping tablets apart at their deepest place; returns how many pairs were pushed."""
    pushed = 0
    for one, other in combinations(bodies, 2):
        if math.hypot(one.x - other.x, one.y - other.y) >= one.reach + other.reach + room_mm:
            continue
        theirs = other.places()
        depth, ax, ay, bx, by = max(
            (ra + rb + room_mm - math.hypot(ax - bx, ay - by), ax, ay, bx, by)
            for ax, ay, ra in one.places()
            for bx, by, rb in theirs
        )
        if depth <= CLOSE_MM:
            continue
        away = math.hypot(ax - bx, ay - by)
        nx, ny = ((ax - bx) / away, (ay - by) / away) if away > 1e-6 else (1.0, 0.0)
        one.push((ax, ay), (nx * depth / 2, ny * depth / 2))
        other.push((bx, by), (-nx * depth / 2, -ny * depth / 2))
        pushed += 1
    return pushed


def _keep_inside(bodies: list[_Body], window: Window) -> int:
    """Push back what reaches over an edge of the window, where it reaches over farthest."""
    left, top, right, bottom = window
    pushed = 0
    for body in bodies:
        out, x, y, dx, dy = max(
            (abs(dx) + abs(dy), x, y, dx, dy)
            for x, y, radius in body.places()
            for dx in (max(0.0, left - (x - radius)) - max(0.0, x + radius - right),)
            for dy in (max(0.0, top - (y - radius)) - max(0.0, y + radius - bottom),)
        )
        if out > CLOSE_MM:
            body.push((x, y), (dx, dy))
            pushed += 1
    return pushed


def _bring_together(lying: list[Lying], window: Window, hidden_share: float) -> list[Lying]:
    """Push the nearest pair together until the outlines meet, or until that share of the smaller tablet is hidden.

    Where the one that moved then reaches over an edge, both are shifted back inside.
    """
    outlines = [outline_mm(each) for each in lying]
    first, second = min(
        combinations(range(len(lying)), 2), key=lambda pair: gap_mm(outlines[pair[0]], outlines[pair[1]])
    )
    still, mover = lying[first], lying[second]
    area = min(overlap_mm2(outline, outline) for outline in (outlines[first], outlines[second]))
    near, far = 0.0, 2.0
    for _ in range(16):
        middle = (near + far) / 2
        shared = overlap_mm2(outlines[first], outline_mm(_at_share(still, mover, middle)))
        near, far = (middle, far) if shared > hidden_share * area else (near, middle)
    met = _at_share(still, mover, far)
    x_mm, y_mm = _way_inside_mm(outline_mm(met), window)
    moved = {first: still, second: met}
    return [
        replace(moved[index], x_mm=moved[index].x_mm + x_mm, y_mm=moved[index].y_mm + y_mm) if index in moved else each
        for index, each in enumerate(lying)
    ]


def _way_inside_mm(outline: Matrix, window: Window) -> tuple[float, float]:
    """Give how far right and down an outline is to be shifted, to lie within the window."""
    left, top, right, bottom = window
    (least_x, least_y), (most_x, most_y) = outline.min(axis=0), outline.max(axis=0)
    return (
        float(max(0.0, left - least_x) - max(0.0, most_x - right)),
        float(max(0.0, top - least_y) - max(0.0, most_y - bottom)),
    )


def _at_share(still: Lying, mover: Lying, share: float) -> Lying:
    """Place a tablet on the line between two centres: 0 on the other one, 1 where it lies."""
    return replace(
        mover, x_mm=still.x_mm + (mover.x_mm - still.x_mm) * share, y_mm=still.y_mm + (mover.y_mm - still.y_mm) * share
    )
