"""Damaged symbols of live serials, drawn small from a seed: print, film, light and lens faults, and parts of a neighbour's symbol."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from hub.domain.verification import is_serial

Grey = npt.NDArray[np.uint8]
Field = npt.NDArray[np.float32]
Chance = np.random.Generator

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
LIVE_SERIALS = 500
DAMAGES = ("none", "dead columns", "glare", "patch", "motion", "flipped modules", "neighbour's part", "overprint", "faded side", "crumpled")
MODULE_PX = 4
FORMATS = {"DataMatrix": zxingcpp.BarcodeFormat.DataMatrix, "Code128": zxingcpp.BarcodeFormat.Code128}


@dataclass(frozen=True)
class DamagedSymbol:
    """A picture of one symbol, what it says in truth, and what was done to it."""

    grey: Grey
    truth: str
    damage: str


def live_serials(seed: int) -> tuple[str, ...]:
    """Make the serials that are live at once: twelve characters with their check character."""
    chance = np.random.default_rng([seed, 1])
    made: dict[str, None] = {}
    while len(made) < LIVE_SERIALS:
        body = "".join(chance.choice(list(LETTERS), 11))
        made |= dict.fromkeys(body + letter for letter in LETTERS if is_serial(body + letter))
    return tuple(made)[:LIVE_SERIALS]


def damaged_symbol(chance: Chance, serials: tuple[str, ...], symbology: str = "DataMatrix") -> DamagedSymbol:
    """Draw one symbol of a random serial with one random damage, under random blur, noise, contrast, turn and scale."""
    truth, other = (str(serial) for serial in chance.choice(serials, 2, replace=False))
    damage = str(chance.choice(DAMAGES))
    printed = _damaged(_ink(truth, symbology), _ink(other, symbology), damage, chance)
    return DamagedSymbol(_seen(printed, damage, symbology, chance), truth, damage)


@lru_cache(maxsize=2 * LIVE_SERIALS)
def _ink(serial: str, symbology: str) -> Field:
    """Print a symbol: reflectance 0..1, `MODULE_PX` px a module."""
    options: dict[str, Any] = {"force_square": True} if symbology == "DataMatrix" else {}
    image = zxingcpp.create_barcode(serial, FORMATS[symbology], **options).to_image(scale=1, add_quiet_zones=False)
    modules = np.asarray(image, np.float32)[: None if symbology == "DataMatrix" else 24] / 255
    return modules.repeat(MODULE_PX, 0).repeat(MODULE_PX, 1)


def _damaged(ink: Field, other: Field, damage: str, chance: Chance) -> Field:
    ink = ink.copy()
    width = ink.shape[1]
    if damage == "dead columns":
        ink[:, chance.choice(width, chance.integers(1, 9), replace=False)] = 1
    if damage == "patch":
        rows, columns = (int(side * chance.uniform(0.1, 0.3)) for side in ink.shape)
        top, left = (int(chance.integers(0, side - part)) for side, part in zip(ink.shape, (rows, columns), strict=True))
        ink[top : top + rows, left : left + columns] = chance.uniform(0, 1)
    if damage == "flipped modules":
        for _ in range(int(chance.integers(1, 26))):
            row, column = (int(chance.integers(0, side // MODULE_PX)) * MODULE_PX for side in ink.shape)
            ink[row : row + MODULE_PX, column : column + MODULE_PX] = 1 - ink[row, column]
    if damage in {"neighbour's part", "overprint"} and other.shape == ink.shape:
        edge = int(width * (1 - chance.uniform(0.05, 0.3)))
        ink[:, edge:] = other[:, edge:] if damage == "neighbour's part" else np.minimum(ink, other)[:, edge:]
    if damage == "faded side":
        ink = 1 - (1 - ink) * np.linspace(1, chance.uniform(0.0, 0.6), width, dtype=np.float32).clip(0, 1)
    return ink


def _seen(ink: Field, damage: str, symbology: str, chance: Chance) -> Grey:
    """See a printed symbol through film and lens."""
    scale = chance.uniform(0.8, 1.5)
    turn = chance.uniform(0, 360) if symbology == "DataMatrix" else chance.uniform(-2, 2)
    size = int(ink.shape[1] * scale * (1.5 if symbology == "DataMatrix" else 1.1)) + 24
    size_down = size if symbology == "DataMatrix" else int(ink.shape[0] * scale + size * 0.16) + 24
    move = cv2.getRotationMatrix2D((ink.shape[1] / 2, ink.shape[0] / 2), turn, scale)
    move[:, 2] += np.array([size - ink.shape[1], size_down - ink.shape[0]]) / 2
    seen = cv2.warpAffine(ink, move, (size, size_down), flags=cv2.INTER_LINEAR, borderValue=1.0)
    if damage == "crumpled":
        seen = _crumpled(np.asarray(seen, np.float32), chance)
    paper = chance.uniform(110, 220)
    seen = paper * (1 - chance.uniform(0.2, 0.8) * (1 - seen))
    if damage == "glare":
        seen = np.maximum(seen, _stripe(size_down, size, chance))
    if damage == "motion":
        length = int(chance.integers(3, 8))
        kernel = np.full((1, length), 1 / length, np.float32)
        seen = cv2.filter2D(seen, -1, kernel if chance.random() < 0.5 else kernel.T)
    seen = cv2.GaussianBlur(seen, (0, 0), chance.uniform(0.5, 1.9))
    noise: Field = chance.standard_normal(seen.shape, np.float32) * np.float32(chance.uniform(2, 18))
    return np.asarray(np.clip(seen + noise, 0, 255), np.uint8)


def _crumpled(seen: Field, chance: Chance) -> Field:
    height, width = seen.shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = [cv2.resize(chance.normal(0, 1.2, (5, 5)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC) for _ in range(2)]
    return np.asarray(cv2.remap(seen, columns + waves[0], rows + waves[1], cv2.INTER_LINEAR, borderValue=1.0), np.float32)


def _stripe(height: int, width: int, chance: Chance) -> Field:
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, off, half = chance.uniform(0, np.pi), chance.uniform(-0.3, 0.3) * width, chance.uniform(0.3, 3)
    far = np.abs((columns - width / 2) * np.cos(angle) + (rows - height / 2) * np.sin(angle) - off)
    return np.asarray(400 * np.clip(1 - (far - half) / 2, 0, 1), np.float32)
