"""Judges a simulated pouch as the camera station does: the same frames, the same reading, the same verdict."""

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from devices.barcode_camera.frame import Frame
from devices.barcode_camera.inspect import Expected, look_for
from devices.barcode_camera.looks import TabletLook
from devices.barcode_camera.stream import CameraHealth, CameraState
from hub.adapters.camera_station import seen_pouch
from hub.domain.identifiers import PackSerial
from hub.domain.orders import Reason
from hub.domain.verdict_words import VerdictRule
from hub.domain.verification import ExpectedPouch, verify_pouch
from simulators.camera import optics
from simulators.camera.conditions import BOTH, Lights
from simulators.camera.outlines import stratum
from tests.verification.pouches import Pouch

LIVE = CameraHealth(CameraState.LIVE, "", frames=0, bad_frames=0, connections=1)
PLAN = (Lights(first=True, second=False), Lights(first=False, second=True), BOTH)
"""The order in which the station takes its frames; the first that proves everything ends it."""


@dataclass(frozen=True)
class Judged:
    """What became of a pouch: how its tablets lay in truth, the verdict, its rules, the frames it took, and the CPU."""

    stratum: str
    verdict: str
    rules: tuple[str, ...]
    frames: int
    drawing_ms: float
    judging_ms: float


def judge(pouch: Pouch, looks: Mapping[str, TabletLook], chance: random.Random) -> Judged:
    """Lay a pouch into the simulated station and verify it."""
    begun_s = time.thread_time()
    still = optics.lay(pouch.scene, pouch.conditions, chance)
    laid_s = time.thread_time()
    drawing = _Drawing(still, chance)
    expected = Expected(pouch.serial, tuple(looks[name] for name in pouch.expected))
    inspection = look_for(drawing.frames(), expected, tries=len(PLAN))
    seen = seen_pouch(inspection, expected, pouch.sensors, LIVE)
    verdict, reasons = verify_pouch(ExpectedPouch(PackSerial(pouch.serial), len(pouch.expected)), seen)
    ended_s = time.thread_time()
    return Judged(
        stratum(list(still.lying)),
        verdict.value,
        tuple(_told(reason) for reason in reasons),
        drawing.count,
        (laid_s - begun_s + drawing.cpu_s) * 1000,
        (ended_s - laid_s - drawing.cpu_s) * 1000,
    )


def _told(reason: Reason) -> str:
    """Name a reason by its rule; a doubt about the picture also by what it says, as one rule has many of them."""
    return f"{reason.rule}: {reason.text}" if reason.rule == VerdictRule.PICTURE_DOUBT.value else reason.rule


class _Drawing:
    """Takes frames of a still one light after the other, only as far as somebody asks for them, and counts its own CPU."""

    def __init__(self, still: optics.Still, chance: random.Random) -> None:
        self._still, self._chance = still, chance
        self.count, self.cpu_s = 0, 0.0

    def frames(self) -> Iterator[Frame]:
        for lights in PLAN:
            begun_s = time.thread_time()
            jpeg = optics.encode(optics.lit(self._still, lights), self._still.conditions.noise_sigma, self._chance)
            self.count, self.cpu_s = self.count + 1, self.cpu_s + time.thread_time() - begun_s
            yield Frame(self.count, float(self.count), jpeg)
