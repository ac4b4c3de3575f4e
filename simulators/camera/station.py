"""The place under the lens: holds the present picture, lets light, faults and hands act on it, and hands out frames."""

import random
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulators.camera import optics
from simulators.camera.conditions import BOTH, Conditions, Lights, draw_conditions, ordered
from simulators.camera.outlines import stratum
from simulators.camera.scene import Picture, Scene, scene_random
from simulators.camera.stream_faults import StreamFault, spoil
from simulators.truth import Truth


@dataclass(frozen=True)
class _Shown:
    """What is being sent: takes of one scene in one light, replaced as a whole; `generation` counts what was shown."""

    generation: int
    takes: tuple[bytes, ...]


@dataclass
class _Scenery:
    """What lies in the station, with the randomness of its further takes."""

    still: optics.Still
    chance: random.Random
    pouch: str | None = None


class Station:
    """The place under the lens: holds the present picture and hands every reader its next frame."""

    def __init__(self, seed: int, severity: str, fps: float, truth: Truth) -> None:
        self._seed, self._severity, self._interval_s, self._truth = seed, severity, 1.0 / fps, truth
        self._order: Mapping[str, Any] = {}
        self._lights = BOTH
        self._fault: StreamFault | None = None
        self._changed = threading.Condition()
        self._arranging = threading.Lock()
        self._unfinished: tuple[int, Picture, _Scenery] | None = None
        self._stopped = False
        optics.warm_up()
        self._scenery = self._nothing()
        self._shown = _Shown(0, ())
        self._expose()
        self._finisher = threading.Thread(target=self._finish_takes, name="takes", daemon=True)
        self._finisher.start()

    def stop(self) -> None:
        """End the stream of every reader."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._finisher.join()

    def show(self, scene: Scene) -> Conditions:
        """Lay a pouch into the station; returns once its first picture goes out. ValueError: it has no window."""
        chance = scene_random(self._seed, scene.pouch)
        conditions = ordered(draw_conditions(chance, self._severity), self._order)
        with self._arranging:
            still = optics.lay(scene, conditions, chance)
            self._scenery = _Scenery(still, chance, scene.pouch)
            self._expose()
        lie = stratum(list(still.lying))
        self._truth.write(
            "pouch-pictured",
            pouch=scene.pouch,
            tablets=len(scene.tablets),
            unreadable=conditions.unreadable,
            touching=lie in ("touching", "overlapping"),
            stratum=lie,
        )
        return conditions

    def clear(self) -> None:
        """Take the pouch out."""
        with self._arranging:
            self._scenery = self._nothing()
            self._expose()

    def switch(self, lights: Lights) -> None:
        """Switch the lights; returns once the first picture in the new light goes out, and no more of the old light do."""
        with self._arranging:
            with self._changed:
                self._shown = _Shown(self._shown.generation + 1, ())
            self._lights = lights
            self._expose()

    def order(self, order: Mapping[str, Any], severity: str | None = None) -> None:
        """Hold these conditions for every pouch laid from now on; ValueError names what is none."""
        ordered(Conditions(), order)
        if severity is not None:
            draw_conditions(random.Random(0), severity)
        with self._arranging:
            self._order, self._severity = dict(order), severity or self._severity

    def befall(self, fault: StreamFault | None) -> None:
        """Let a fault befall the stream from now on, or heal it."""
        with self._changed:
            self._fault = fault
            self._changed.notify_all()

    @property
    def fault(self) -> StreamFault | None:
        """The fault that befalls the stream now."""
        return self._fault

    def state(self) -> dict[str, Any]:
        """Tell what lies there and what was ordered; what it tells of scene and lights is in the pictures already."""
        fault = self._fault
        with self._arranging:
            return {
                "pouch": self._scenery.pouch,
                "severity": self._severity,
                "conditions": dict(self._order),
                "stratum": stratum(list(self._scenery.still.lying)),
                "lights": {"1": self._lights.first, "2": self._lights.second},
                "fault": None
                if fault is None
                else {"fault": fault.kind, "share": fault.share, "interval_s": fault.interval_s},
            }

    def _nothing(self) -> _Scenery:
        chance, still = scene_random(self._seed, ""), Conditions()
        return _Scenery(optics.lay(None, still, chance), chance)

    def _expose(self) -> None:
        """Take the first picture of what lies there in the present light, and leave the further takes to the finisher."""
        scenery = self._scenery
        picture = optics.lit(scenery.still, self._lights)
        first = optics.encode(picture, scenery.still.conditions.noise_sigma, scenery.chance)
        with self._changed:
            generation = self._shown.generation + 1
            self._shown, self._unfinished = _Shown(generation, (first,)), (generation, picture, scenery)
            self._changed.notify_all()

    def _finish_takes(self) -> None:
        """Make the further takes of each scene while its first is already on the way."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._unfinished is not None)
                if self._stopped or self._unfinished is None:
                    return
                generation, picture, scenery = self._unfinished
                if len(self._shown.takes) >= optics.TAKES:
                    self._unfinished = None
                    continue
            take = optics.encode(picture, scenery.still.conditions.noise_sigma, scenery.chance)
            with self._changed:
                if self._shown.generation == generation:
                    self._shown = replace(self._shown, takes=(*self._shown.takes, take))
                    self._changed.notify_all()

    def frames(self) -> Iterator[bytes]:
        """Yield JPEGs without end: each take of a new scene at once, then the takes in turn at the frame rate.

        A fault acts here, for every reader alike; at `hang-up` and `wrong-type` the stream ends.
        """
        generation, index, due = 0, 0, time.monotonic()
        frozen: bytes | None = None
        chance = scene_random(self._seed, "stream")
        while (found := self._next(generation, index, due)) is not None:
            shown, fault = found
            if shown.generation != generation:
                generation, index = shown.generation, 0
            take = shown.takes[index % len(shown.takes)]
            index += 1
            frozen = (frozen or take) if fault is not None and fault.kind == "frozen" else None
            yield frozen or spoil(take, fault, chance)
            due = time.monotonic() + (
                fault.interval_s if fault is not None and fault.kind == "slow" else self._interval_s
            )

    def _next(self, generation: int, index: int, due: float) -> tuple[_Shown, StreamFault | None] | None:
        """Wait for the next picture that is to be sent; None where the stream ends."""
        with self._changed:
            while not self._stopped:
                shown, fault, wait_s = self._shown, self._fault, due - time.monotonic()
                if fault is not None and fault.kind in ("hang-up", "wrong-type"):
                    return None
                if not shown.takes:
                    self._changed.wait()
                    continue
                fresh = shown.generation != generation or index < len(shown.takes)
                hurried = fresh and (fault is None or fault.kind not in ("slow", "frozen"))
                if hurried or wait_s <= 0:
                    return shown, fault
                self._changed.wait(wait_s)
        return None
