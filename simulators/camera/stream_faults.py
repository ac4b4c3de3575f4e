"""What befalls a stream of pictures on command: frozen, black, torn, shifted, slow, hung up, or no pictures at all."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from simulators.camera.optics import JPEG_QUALITY
from simulators.camera.scene import HEIGHT_PX, WIDTH_PX

FAULTS = ("frozen", "black", "torn", "shifted", "slow", "hang-up", "wrong-type")
SLOW_S = 3.0
BLACK_LEVEL, BLACK_NOISE = 3, 1.5


@dataclass(frozen=True)
class StreamFault:
    """A fault from now on: `share` of the frames it befalls (torn, shifted), seconds between frames (slow)."""

    kind: str
    share: float = 1.0
    interval_s: float = SLOW_S


def parse_fault(body: Any) -> StreamFault | None:
    """Read the order of a fault, None for a stream that is well again; ValueError says what is wrong."""
    if not isinstance(body, Mapping) or "fault" not in body or set(body) - {"fault", "share", "interval_s"}:
        raise ValueError('a fault is {"fault": name or null, "share": 0..1, "interval_s": seconds}')
    if body["fault"] is None:
        return None
    share, interval_s = body.get("share", 1.0), body.get("interval_s", SLOW_S)
    if body["fault"] not in FAULTS:
        raise ValueError(f"no such fault: {body['fault']!r}; there are {', '.join(FAULTS)}")
    if not all(isinstance(part, (int, float)) for part in (share, interval_s)) or not (
        0 < share <= 1 and 0.1 <= interval_s <= 60
    ):
        raise ValueError("share is above 0 and at most 1, interval_s from 0.1 to 60")
    return StreamFault(body["fault"], float(share), float(interval_s))


def spoil(jpeg: bytes, fault: StreamFault | None, chance: random.Random) -> bytes:
    """Return what arrives of a frame under a fault; what is not spoilt arrives as it was."""
    if fault is None or chance.random() >= fault.share:
        return jpeg
    if fault.kind == "black":
        return black_frame(chance)
    if fault.kind == "torn":
        return jpeg[: int(len(jpeg) * chance.uniform(0.2, 0.9))]
    if fault.kind == "shifted":
        return _shifted(jpeg, chance)
    return jpeg


def black_frame(chance: random.Random) -> bytes:
    """Take a picture with the cap on the lens: a sensor's own noise and nothing else, never twice the same."""
    dark = np.random.default_rng(chance.randrange(1 << 32)).normal(
        BLACK_LEVEL, BLACK_NOISE, (HEIGHT_PX // 2, WIDTH_PX // 2)
    )
    grey = np.clip(dark, 0, 255).astype(np.uint8).repeat(2, 0).repeat(2, 1)
    return _encode(np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8))


def _shifted(jpeg: bytes, chance: random.Random) -> bytes:
    """Shift every line below a drawn one sideways, as a sensor does that lost its synchronisation."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None, "the camera's own JPEG"
    row = chance.randrange(HEIGHT_PX // 8, HEIGHT_PX * 3 // 4)
    torn = np.asarray(picture, np.uint8).copy()
    torn[row:] = np.roll(torn[row:], chance.choice((-1, 1)) * chance.randrange(WIDTH_PX // 10, WIDTH_PX // 2), axis=1)
    return _encode(torn)


def _encode(picture: Any) -> bytes:
    done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise RuntimeError("the JPEG encoder refused a picture")
    return bytes(jpeg)
