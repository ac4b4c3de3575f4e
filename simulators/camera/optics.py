"""Turns a scene into camera pictures: lights, glare of the film, lens, motion, sensor noise, JPEG; several takes of one scene."""

import random
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from simulators.camera.conditions import BOTH, Conditions, Glare, Lights
from simulators.camera.drawing import BASE_BGR, draw_dust, draw_pouch, fill
from simulators.camera.falling import lay_tablets
from simulators.camera.outlines import Lying
from simulators.camera.scene import (
    HEIGHT_PX,
    POUCH_HEIGHT_MM,
    POUCH_WIDTH_MM,
    WIDTH_PX,
    Matrix,
    Picture,
    Scene,
    camera_matrix,
)

TAKES = 3
JPEG_QUALITY = 88
NOISE_MARGIN_PX = 64
NOISE_UNIT = 16.0
DARK_SHARE = 0.03
FALL_OFF, ALONE = 0.1, 0.95
SHADE_UNIT = 128.0
HALO_MM, GLARE_SCALE = 0.5, 4


@dataclass(frozen=True)
class Still:
    """What lies in the station before light falls on it: its picture, where it lies, its tablets at rest."""

    picture: Picture
    conditions: Conditions
    matrix: Matrix | None
    lying: tuple[Lying, ...] = ()


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


@cache
def _shade(light: int) -> Picture:
    """Give how one light alone falls, in SHADE_UNIT: more on its own side, less on the other."""
    across = np.linspace(1 + FALL_OFF, 1 - FALL_OFF, WIDTH_PX, dtype=np.float32)
    line = np.round(SHADE_UNIT * ALONE * (across if light == 1 else across[::-1])).astype(np.uint8)
    shade: Picture = np.ascontiguousarray(np.broadcast_to(line[None, :, None], (HEIGHT_PX, WIDTH_PX, 3)))
    return shade


def warm_up() -> None:
    """Prepare base, lights and noise before the first scene, which would otherwise wait for them."""
    cv2.setNumThreads(1)
    for light in (1, 2):
        _shade(light)
    add_noise(_base(), 2.0, random.Random(0))


def draw(scene: Scene | None, conditions: Conditions, chance: random.Random, lights: Lights = BOTH) -> Picture:
    """Draw a scene (None: the station is empty) without sensor noise, as BGR; ValueError: it has no window."""
    return lit(lay(scene, conditions, chance), lights)


def lay(scene: Scene | None, conditions: Conditions, chance: random.Random) -> Still:
    """Let a pouch come to rest in the station; ValueError: its label leaves no window."""
    picture = _base().copy()
    if scene is None:
        return Still(picture, conditions, None)
    matrix = camera_matrix(scene, conditions)
    lying = lay_tablets(scene, conditions, chance)
    draw_pouch(picture, scene, conditions, matrix, lying)
    draw_dust(picture, scene, conditions, matrix, chance)
    return Still(picture, conditions, matrix, tuple(lying))


def lit(still: Still, lights: Lights = BOTH) -> Picture:
    """Look at what lies there under these lights, through the lens.

    The camera's exposure suits one light as well as two: a light alone falls unevenly and makes its own glare only. In the
    dark hardly anything is seen.
    """
    conditions, on = still.conditions, lights.lit
    picture = still.picture
    if len(on) == 1:
        picture = np.asarray(cv2.multiply(picture, _shade(on[0]), scale=1 / SHADE_UNIT), np.uint8)
    exposure = conditions.light if on else DARK_SHARE
    if exposure != 1.0:
        picture = np.asarray(cv2.convertScaleAbs(picture, alpha=exposure), np.uint8)
    if still.matrix is not None and on:
        picture = _glared(picture, conditions, still.matrix, on)
    return moved(blur(picture, conditions.blur_sigma), conditions.motion_px, conditions.motion_angle)


def _glared(picture: Picture, conditions: Conditions, matrix: Matrix, on: tuple[int, ...]) -> Picture:
    if conditions.glare is not None:
        picture = picture.copy()
        _draw_stripe(picture, conditions.glare, matrix)
    glares = [glare for glare in conditions.film_glare if glare.light in on]
    return _shine(picture, glares, matrix) if glares else picture


def _draw_stripe(picture: Picture, glare: tuple[float, float, float], matrix: Matrix) -> None:
    """Lay a saturated stripe over the pouch: place along its height 0..1, angle in degrees, width in mm."""
    place, angle, width_mm = glare
    fill(
        picture,
        _bar(POUCH_WIDTH_MM / 2, 10 + place * (POUCH_HEIGHT_MM - 20), 180.0, width_mm, angle),
        matrix,
        (255, 255, 255),
    )


def _bar(x: float, y: float, length: float, width: float, angle: float) -> Matrix:
    along = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))]) * length / 2
    across = np.array([-along[1], along[0]]) / length * width
    middle = np.array([x, y])
    return np.array(
        [middle - along - across, middle + along - across, middle + along + across, middle - along + across]
    )


def _shine(picture: Picture, glares: list[Glare], matrix: Matrix) -> Picture:
    """Add what the film throws back: a bright core with a soft border, saturated where it is strong."""
    height, width = picture.shape[0] // GLARE_SCALE, picture.shape[1] // GLARE_SCALE
    shine: npt.NDArray[np.uint8] = np.zeros((height, width), np.uint8)
    smaller = np.diag([1 / GLARE_SCALE, 1 / GLARE_SCALE, 1.0]) @ matrix
    for glare in glares:
        layer = np.zeros_like(shine)
        fill(layer, _ellipse(glare), smaller, (round(255 * glare.strength),))
        shine = np.asarray(cv2.max(shine, layer), np.uint8)
    soft = cv2.GaussianBlur(shine, (0, 0), HALO_MM * np.hypot(matrix[0, 0], matrix[1, 0]) / GLARE_SCALE)
    whole = cv2.resize(cv2.max(soft, shine), (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.add(picture, cv2.cvtColor(whole, cv2.COLOR_GRAY2BGR)), np.uint8)


def _ellipse(glare: Glare) -> Matrix:
    t, turn = np.linspace(0, 2 * np.pi, 40, endpoint=False), np.deg2rad(glare.angle)
    x, y = np.cos(t) * glare.length_mm / 2, np.sin(t) * glare.width_mm / 2
    return np.stack(
        [glare.x_mm + x * np.cos(turn) - y * np.sin(turn), glare.y_mm + x * np.sin(turn) + y * np.cos(turn)], axis=1
    )


def blur(picture: Picture, sigma_px: float) -> Picture:
    """Blur as a lens out of focus does; the kernel is cut at three sigma."""
    size = 2 * max(1, round(2.5 * sigma_px)) + 1
    return np.asarray(cv2.GaussianBlur(picture, (size, size), sigma_px), np.uint8)


def moved(picture: Picture, way_px: float, angle: float) -> Picture:
    """Smear along a straight way, as a pouch that moves while it is exposed."""
    if way_px < 1:
        return picture
    size = 2 * int(way_px / 2 + 1) + 1
    kernel, middle = np.zeros((size, size), np.float32), (size - 1) / 2
    for share in np.linspace(-0.5, 0.5, 4 * size):
        x = middle + share * way_px * np.cos(np.deg2rad(angle))
        y = middle + share * way_px * np.sin(np.deg2rad(angle))
        kernel[round(y), round(x)] += 1
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.uint8)


def add_noise(picture: Picture, sigma: float, chance: random.Random) -> Picture:
    """Add grey sensor noise of `sigma` levels; each call takes another part of the noise field."""
    x, y = chance.randrange(NOISE_MARGIN_PX), chance.randrange(NOISE_MARGIN_PX)
    grain = _grain()[y : y + HEIGHT_PX, x : x + WIDTH_PX]
    weight = sigma / NOISE_UNIT
    return np.asarray(cv2.addWeighted(picture, 1.0, grain, weight, -128.0 * weight), np.uint8)


def encode(picture: Picture, sigma: float, chance: random.Random) -> bytes:
    """Take one JPEG of a drawn scene."""
    done, jpeg = cv2.imencode(".jpg", add_noise(picture, sigma, chance), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise RuntimeError("the JPEG encoder refused a picture")
    return bytes(jpeg)
