"""The takes of one pouch: a frame under each light in turn, so that glare lies in another place of each."""

import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import Protocol

from devices.barcode_camera.frame import Frame
from devices.barcode_camera.lights import Light

SETTLE_FRAMES = 2
"""Frames passed over after a switch: the one that was being exposed, and the one that the camera still had in hand."""


class Lights(Protocol):
    """What can be lit, and in which order."""

    plan: tuple[Light, ...]
    trouble: str

    def show(self, light: Light) -> bool:
        """Switch to a light; tell whether that changes what burns."""

    def close(self) -> None:
        """Let the lights go."""


def takes(frames: Iterator[Frame], lights: Lights, now_s: Callable[[], float] = time.monotonic) -> Iterator[Frame]:
    """Yield a frame under each light of the plan, again from the first, until the frames end; whoever has seen enough stops asking."""
    for light in cycle(lights.plan):
        if lights.show(light):
            frames = _settled(frames, now_s())
        frame = next(frames, None)
        if frame is None:
            return
        yield frame


def _settled(frames: Iterator[Frame], switched_s: float) -> Iterator[Frame]:
    """Leave out what came before a switch, and the frames after it that may still show the light before."""
    return islice((frame for frame in frames if frame.arrived_s >= switched_s), SETTLE_FRAMES, None)
