"""One simulated pouch after the other, each from the run's seed and its own number: what was planned, what is wrong, what lies there."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulators.camera.conditions import Conditions, draw_conditions
from simulators.camera.scene import Picture, Scene, Tablet
from tests.verification.house import TABLETS, Label

STRATA = ("single", "apart", "touching", "overlapping")
LABEL_FAULTS = ("wrong", "neighbour", "double", "no-label", "unreadable", "revoked")
COUNT_FAULTS = ("missing", "extra")
LYING_FAULTS = ("missing-unsensed", "extra-unsensed")
LOOK_FAULTS = ("swapped", "broken")
FAULTS = (*LABEL_FAULTS, *COUNT_FAULTS, *LYING_FAULTS, *LOOK_FAULTS)
RIGHT = "right"
RIGHT_SHARE = 0.4
WORN_CONTRAST = 0.02


@dataclass(frozen=True)
class Pouch:
    """A pouch of a run: the plan, the fault, and what the world makes of it.

    `expected` are names of `TABLETS`; `sensors` are (asked, counted) of each drop; `swapped_in` is the look that came instead.
    """

    number: int
    fault: str
    serial: str
    expected: tuple[str, ...]
    scene: Scene
    conditions: Conditions
    sensors: tuple[tuple[int, int], ...]
    out_of_place: str = ""
    swapped_in: str = ""


def pouch_random(seed: int, number: int) -> random.Random:
    """Make the randomness of one pouch of a run."""
    return random.Random(f"verification/{seed}/{number}")


def make_pouch(
    seed: int, number: int, severity: str, labels: Sequence[Label], looks: Sequence[str] = tuple(TABLETS)
) -> Pouch:
    """Make a pouch: RIGHT_SHARE of them are right, the rest have one fault each, and the strata are asked for evenly."""
    chance = pouch_random(seed, number)
    fault = RIGHT if chance.random() < RIGHT_SHARE else FAULTS[number % len(FAULTS)]
    stratum = STRATA[number // len(FAULTS) % len(STRATA)]
    expected, fell, odd = _tablets(fault, stratum, looks, chance)
    label = labels[number % len(labels)]
    scene = Scene(f"{seed}-{number}", label.raster, tuple(fell))
    conditions = replace(
        draw_conditions(chance, severity),
        touching=stratum == "touching",
        overlapping=stratum == "overlapping",
    )
    counted = {"missing": -1, "extra": 1}.get(fault, 0)
    pouch = Pouch(number, fault, label.serial, expected, scene, conditions, _sensors(expected, counted), *odd)
    return LABELLED[fault](pouch, labels, chance) if fault in LABELLED else pouch


def _tablets(
    fault: str,
    stratum: str,
    looks: Sequence[str],
    chance: random.Random,
) -> tuple[tuple[str, ...], list[Tablet], tuple[str, ...]]:
    """Draw the plan and what fell; so many that the stratum can come about with what lies there in the end."""
    few = 1 if stratum == "single" else chance.randint(2, 5)
    lying_more = {"missing": -1, "missing-unsensed": -1, "extra": 1, "extra-unsensed": 1}.get(fault, 0)
    kinds = [chance.choice(looks) for _ in range(chance.randint(1, 2))]
    expected = tuple(chance.choice(kinds) for _ in range(max(1, few - lying_more)))
    fell, place = [TABLETS[name] for name in expected], chance.randrange(len(expected))
    if lying_more < 0:
        del fell[place]
        return expected, fell, (expected[place],)
    if lying_more > 0:
        more = chance.choice(kinds if chance.random() < 0.5 else looks)
        return expected, [*fell, TABLETS[more]], (more,)
    if fault == "swapped":
        other = chance.choice([name for name in looks if name != expected[place]])
        fell[place] = TABLETS[other]
        return expected, fell, (expected[place], other)
    if fault == "broken":
        fell[place] = replace(fell[place], broken=True)
        return expected, fell, (expected[place],)
    return expected, fell, ()


def _sensors(expected: tuple[str, ...], counted_more: int) -> tuple[tuple[int, int], ...]:
    """Give each drop's (asked, counted): one drop a look, the first of them counted otherwise."""
    asked = [expected.count(name) for name in dict.fromkeys(expected)]
    return tuple((count, count + (counted_more if index == 0 else 0)) for index, count in enumerate(asked))


def _with_raster(pouch: Pouch, raster: Picture) -> Pouch:
    return replace(pouch, scene=replace(pouch.scene, raster=raster))


def _wrong(pouch: Pouch, labels: Sequence[Label], chance: random.Random) -> Pouch:
    """Put any other label on it."""
    return _with_raster(pouch, chance.choice([label for label in labels if label.serial != pouch.serial]).raster)


def _neighbour(pouch: Pouch, labels: Sequence[Label], chance: random.Random) -> Pouch:
    """Put the label of the pouch after it on it."""
    return _with_raster(pouch, labels[(pouch.number + 1) % len(labels)].raster)


def _revoked(pouch: Pouch, labels: Sequence[Label], chance: random.Random) -> Pouch:
    """Leave its first label on it, which a reprint has made void: the pouch is expected under the new serial."""
    return replace(pouch, serial=labels[(pouch.number + len(labels) // 2) % len(labels)].serial)


def _double(pouch: Pouch, labels: Sequence[Label], chance: random.Random) -> Pouch:
    """Stick a piece of another label beside its own code: both codes are in sight."""
    own, other = labels[pouch.number % len(labels)], labels[(pouch.number + 1) % len(labels)]
    left, top, right, bottom = other.matrix
    piece, raster = other.raster[top:bottom, left:right], own.raster.copy()
    rows, columns = piece.shape
    free = [
        x for x in range(0, raster.shape[1] - columns, 8) if x + columns <= own.matrix[0] - 8 or x >= own.matrix[2] + 8
    ]
    x, y = chance.choice(free), chance.randrange(0, raster.shape[0] - rows)
    raster[y : y + rows, x : x + columns] = piece
    return _with_raster(pouch, raster)


def _no_label(pouch: Pouch, labels: Sequence[Label], chance: random.Random) -> Pouch:
    """Leave the paper white."""
    return _with_raster(pouch, np.zeros_like(pouch.scene.raster))


def _unreadable(pouch: Pouch, labels: Sequence[Label], chance: random.Random) -> Pouch:
    """Spoil the Data Matrix so that no half of it is left: a blot, a hole in the ribbon, or a print without any contrast."""
    if chance.random() < 0.2:
        return replace(pouch, scene=replace(pouch.scene, contrast=WORN_CONTRAST))
    left, top, right, bottom = labels[pouch.number % len(labels)].matrix
    raster = pouch.scene.raster.copy()
    keep = round((right - left) * chance.uniform(0, 0.4))
    raster[top:bottom, left + keep : right] = chance.choice((0, 1))
    return _with_raster(pouch, raster)


LABELLED: dict[str, Callable[[Pouch, Sequence[Label], random.Random], Pouch]] = {
    "wrong": _wrong,
    "neighbour": _neighbour,
    "revoked": _revoked,
    "double": _double,
    "no-label": _no_label,
    "unreadable": _unreadable,
}
