"""The looks of a run's tablets as the station learns them: from first pouches that hold one tablet alone."""

import random
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from devices.barcode_camera.content import content_of_pictures
from devices.barcode_camera.frame import Frame
from devices.barcode_camera.looks import LookSource, Shape, TabletLook
from hub.adapters.expected_content import look_of, measured
from hub.domain.references import PACKS_TO_LEARN, middle_look
from simulators.camera import optics
from simulators.camera.conditions import draw_conditions
from simulators.camera.scene import Picture, Scene, Tablet

ATTEMPTS = 40


def typed_look(tablet: Tablet, source: LookSource = LookSource.TYPED) -> TabletLook:
    """Give the look as a person types it: one colour, shape and longest side."""
    blue, green, red = tablet.colour
    return TabletLook((red, green, blue), Shape(tablet.shape), tablet.size_mm, source=source)


def learned_looks(tablets: Mapping[str, Tablet], seed: int) -> dict[str, TabletLook]:
    """Learn each tablet from as many first pouches as a reference at mild severity; LookupError names one of which so many were never seen well."""
    return {name: _learn(name, tablet, seed) for name, tablet in tablets.items()}


def _learn(name: str, tablet: Tablet, seed: int) -> TabletLook:
    samples = []
    for attempt in range(ATTEMPTS):
        content = content_of_pictures(
            [_first_pouch(tablet, f"{seed}/{name}/{attempt}").half_colour], (typed_look(tablet, LookSource.UNKNOWN),)
        )
        if content.can_be_learned and len(content.tablets) == 1:
            samples.append(measured(content.tablets[0].sample))
        if len(samples) == PACKS_TO_LEARN:
            return look_of(middle_look(samples))
    raise LookupError(f"{name} was seen well in {len(samples)} of {ATTEMPTS} first pouches")


def _first_pouch(tablet: Tablet, name: str) -> Frame:
    chance = random.Random(f"learn/{name}")
    conditions = replace(draw_conditions(chance, "mild"), unreadable=False)
    picture = optics.draw(Scene(name, _some_print(), (tablet,)), conditions, chance)
    return Frame(1, 0.0, optics.encode(picture, conditions.noise_sigma, chance))


def _some_print() -> Picture:
    raster = np.zeros((400, 640), np.uint8)
    raster[40:120:8, 40:600] = raster[160:360:3, 60:260] = 1
    return raster
