"""Turns a scene into camera pictures: base, pouch, blur, glare, sensor noise, JPEG; several takes of one scene."""

import random
from functools import cache

import cv2
import numpy as np

from simulators.camera.scene import (
    BASE_BGR,
    HEIGHT_PX,
    WIDTH_PX,
    Conditions,
    Picture,
    Scene,
    camera_matrix,
    draw_film,
    draw_glare,
    draw_label,
    draw_tablet,
    lay_tablets,
)

TAKES = 3
JPEG_QUALITY = 88
NOISE_MARGIN_PX = 64
NOISE_UNIT = 16.0


@cache
def _base() -> Picture:
    """Give the empty station: the dark matt base, lit a little better in the middle."""
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX].astype(np.float32)
    light = 1.1 - 0.25 * (((x / WIDTH_PX - 0.5) ** 2) + ((y / HEIGHT_PX - 0.5) ** 2))
    picture: Picture = np.clip(light[:, :, None] * np.array(BASE_BGR, np.float32), 0, 255).astype(np.uint8)
    return picture


@cache
def _grain() -> Picture:
    """Give a field of sensor noise of sigma NOISE_UNIT around 128, larger than a picture so that it can be shifted."""
    shape = (HEIGHT_PX + NOISE_MARGIN_PX, WIDTH_PX + NOISE_MARGIN_PX)
    noise = np.random.default_rng(20261122).normal(128, NOISE_UNIT, shape)
    return np.asarray(cv2.cvtColor(np.clip(noise, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR), np.uint8)


def warm_up() -> None:
    """Prepare base and noise before the first scene, which would otherwise wait for them."""
    cv2.setNumThreads(1)
    add_noise(_base(), 2.0, random.Random(0))


def draw(scene: Scene | None, conditions: Conditions, chance: random.Random) -> Picture:
    """Draw a scene (None: the station is empty) without sensor noise, as BGR; ValueError: it has no window."""
    picture = _base().copy()
    if scene is None:
        return picture
    matrix = camera_matrix(scene, conditions)
    draw_film(picture, scene, matrix)
    draw_label(picture, scene, matrix)
    for lying in lay_tablets(scene, conditions, chance):
        draw_tablet(picture, lying, matrix)
    if conditions.glare is not None:
        draw_glare(picture, conditions.glare, matrix)
    return blur(picture, conditions.blur_sigma)


def blur(picture: Picture, sigma_px: float) -> Picture:
    """Blur as a lens out of focus does; the kernel is cut at three sigma."""
    size = 2 * max(1, round(2.5 * sigma_px)) + 1
    return np.asarray(cv2.GaussianBlur(picture, (size, size), sigma_px), np.uint8)


def add_noise(picture: Picture, sigma: float, chance: random.Random) -> Picture:
    """Add grey sensor noise of `sigma` levels; each call takes another part of the noise field."""
    x, y = chance.randrange(NOISE_MARGIN_PX), chance.randrange(NOISE_MARGIN_PX)
    grain = _grain()[y:y + HEIGHT_PX, x:x + WIDTH_PX]
    weight = sigma / NOISE_UNIT
    return np.asarray(cv2.addWeighted(picture, 1.0, grain, weight, -128.0 * weight), np.uint8)


def encode(picture: Picture, sigma: float, chance: random.Random) -> bytes:
    """Take one JPEG of a drawn scene."""
    done, jpeg = cv2.imencode(".jpg", add_noise(picture, sigma, chance), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise RuntimeError("the JPEG encoder refused a picture")
    return bytes(jpeg)
