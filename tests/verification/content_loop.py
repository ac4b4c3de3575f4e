"""How often the content check stops a right pouch and lets a wrong one by, over simulated pouches: a quick loop for tuning.

`python -m tests.verification.content_loop --pouches 500 [--severity mild] [--seed 1]` prints one row for each way the tablets
lie; `--write` puts the rates beside the thresholds, where the page of reference looks shows them. The drop sensor is taken to lie:
what is counted here is the picture alone.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from devices.barcode_camera.content import UNKNOWN_LOOK, Content, TabletLook, content_of_pictures
from devices.barcode_camera.frame import Frame
from devices.barcode_camera.looks import look_alike
from hub.adapters.expected_content import look_of, measured
from hub.adapters.picture_figures import write_rates
from hub.domain.picture_figures import FAULTS as FAULT_NAMES
from hub.domain.picture_figures import LAYS, PictureRate
from hub.domain.references import middle_look
from simulators.camera import optics
from simulators.camera.conditions import Conditions, Lights, draw_conditions
from simulators.camera.outlines import stratum
from simulators.camera.scene import Picture, Scene, Tablet

COLOURS = (
    (255, 255, 255), (240, 245, 245), (225, 240, 245), (96, 208, 232), (48, 160, 240), (48, 48, 192), (160, 128, 224), (208, 160, 96),
    (176, 96, 48), (96, 160, 80), (168, 168, 168), (42, 74, 122), (32, 32, 138), (240, 200, 216), (160, 244, 255),
)
LIT = (Lights(first=True, second=False), Lights(first=False, second=True), Lights())
RASTER_SIZE = (400, 640)
VERDICTS = ("PASS", "LOOK", "FAIL")
FAULTS = ("none", "missing", "extra", "swapped", "broken")


@dataclass(frozen=True)
class Tried:
    """One pouch: how its tablets lay, what was wrong with it, and what the picture said."""

    lay: str
    fault: str
    content: Content
    expected: int
    seconds: float

    @property
    def verdict(self) -> str:
        """Say what the picture alone would do: stop for certain, ask a person, or have nothing against it."""
        wrong = self.content.count != self.expected or self.content.strangers > 0
        if self.content.certain and wrong:
            return "FAIL"
        return "PASS" if self.content.certain and not self.content.notes else "LOOK"


def label_raster() -> Picture:
    """Give something printed: the loop reads no code."""
    raster = np.zeros(RASTER_SIZE, np.uint8)
    raster[40:120:8, 40:600] = raster[160:360:3, 60:260] = 1
    return raster


def house_of_tablets(chance: random.Random, looks: int = 60) -> list[Tablet]:
    """Draw what lies in the cassettes of a house: many white ones, every shape and size, some capsules of two colours."""
    tablets = []
    for _ in range(looks):
        shape, low, high = chance.choice((("round", 5, 13), ("round", 5, 13), ("oval", 9, 20), ("capsule", 11, 22)))
        colour = chance.choice(COLOURS)
        second = chance.choice(COLOURS) if shape == "capsule" and chance.random() < 0.5 else None
        tablets.append(Tablet(colour, shape, round(chance.uniform(low, high), 1), second_colour=second))
    return tablets


def faulty(plan: list[Tablet], house: list[Tablet], fault: str, chance: random.Random) -> tuple[Tablet, ...]:
    """Return what fell instead of the plan."""
    fell, place = list(plan), chance.randrange(len(plan))
    if fault == "missing":
        del fell[place]
    elif fault == "extra":
        fell.append(chance.choice(plan if chance.random() < 0.5 else house))
    elif fault == "swapped":
        fell[place] = chance.choice([each for each in house if each != plan[place]])
    elif fault == "broken":
        fell[place] = replace(fell[place], broken=True)
    return tuple(fell)


def pictures(scene: Scene, conditions: Conditions, chance: random.Random) -> tuple[str, list[Frame]]:
    """Return how the tablets lie and the station's frames: under each light and under both."""
    still = optics.lay(scene, conditions, chance)
    jpegs = [optics.encode(optics.lit(still, lights), conditions.noise_sigma, chance) for lights in LIT]
    return stratum(list(still.lying)), [Frame(number, 0.0, jpeg) for number, jpeg in enumerate(jpegs)]


def typed_look(tablet: Tablet) -> TabletLook:
    """Return the look as somebody would type it: one colour, shape, longest side."""
    blue, green, red = tablet.colour
    return TabletLook.from_text(f"#{red:02x}{green:02x}{blue:02x}", tablet.shape, tablet.size_mm)


def learned_looks(house: list[Tablet], seed: int) -> dict[Tablet, TabletLook]:
    """Return the look of each tablet of a house as the station learns it from first packs that hold it alone."""
    looks = {}
    for number, tablet in enumerate(house):
        samples, attempt = [], 0
        while len(samples) < 5 and attempt < 40:
            attempt += 1
            chance = random.Random(f"learn/{seed}/{number}/{attempt}")
            conditions = replace(draw_conditions(chance, "mild"), touching=False, overlapping=False)
            _, frames = pictures(Scene("learn", label_raster(), (tablet,)), conditions, chance)
            content = content_of_pictures([frame.half_colour for frame in frames], (UNKNOWN_LOOK,))
            if len(content.tablets) == 1 and content.can_be_learned:
                samples.append(content.tablets[0].sample)
        if samples:
            looks[tablet] = look_of(middle_look([measured(sample) for sample in samples]))
    return looks


def tries(seed: int, pouches: int, severity: str, house: list[Tablet], looks: dict[Tablet, TabletLook]) -> Iterator[Tried]:
    """Yield pouches of one to six tablets out of up to three cassettes, each second one with a fault."""
    raster = label_raster()
    known = [tablet for tablet in house if tablet in looks]
    for number in range(pouches):
        chance = random.Random(f"{seed}/{number}")
        kinds = [chance.choice(known) for _ in range(chance.randint(1, 3))]
        plan = [chance.choice(kinds) for _ in range(chance.randint(1, 6))]
        fault = chance.choice(FAULTS[1:]) if chance.random() < 0.5 else "none"
        conditions = draw_conditions(chance, severity)
        fell = faulty(plan, known, fault, chance)
        if fault == "swapped" and any(look_alike(looks[one], looks[other]) for one, other in zip(plan, fell, strict=True) if one != other):
            fault = "alike"
        lay, frames = pictures(Scene("p", raster, fell), conditions, chance)
        halves = [frame.half_colour for frame in frames]
        begun = time.thread_time()
        content = content_of_pictures(halves, tuple(looks[tablet] for tablet in plan))
        yield Tried(lay, fault, content, len(plan), time.thread_time() - begun)


def rates_of(seen: Counter[tuple[str, str, str]]) -> list[PictureRate]:
    """Return the rates of every way to lie and fault; an empty window is counted with the single tablets."""
    cells: Counter[tuple[str, str, str]] = Counter()
    for (lay, fault, verdict), times in seen.items():
        cells["single" if lay == "empty" else lay, fault, verdict] += times
    known = [(lay, fault) for lay in LAYS for fault in FAULT_NAMES if any(cells[lay, fault, verdict] for verdict in VERDICTS)]
    return [PictureRate(lay, fault, *(cells[lay, fault, verdict] for verdict in VERDICTS)) for lay, fault in known]


def say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pouches", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--severity", default="mild")
    parser.add_argument("--typed", action="store_true", help="the looks that somebody typed, not learned ones")
    parser.add_argument("--write", action="store_true", help="write the rates beside the thresholds")
    options = parser.parse_args()
    optics.warm_up()
    house = house_of_tablets(random.Random(options.seed))
    looks = {tablet: typed_look(tablet) for tablet in house if tablet.second_colour is None} if options.typed else learned_looks(house, options.seed)
    say(f"{len(looks)} of {len(house)} looks")
    seen: Counter[tuple[str, str, str]] = Counter()
    notes: Counter[tuple[str, str]] = Counter()
    seconds = []
    for tried in tries(options.seed, options.pouches, options.severity, house, looks):
        seen[tried.lay, tried.fault, tried.verdict] += 1
        seconds.append(tried.seconds)
        if tried.fault == "none":
            notes.update((tried.lay, note.value) for note in tried.content.notes)
    for lay, fault in sorted({(lay, fault) for lay, fault, _ in seen}):
        say(f"{lay:12} {fault:8}", *(f"{verdict} {seen[lay, fault, verdict]:5}" for verdict in ("PASS", "LOOK", "FAIL")))
    if options.write:
        command = f"python -m tests.verification.content_loop --pouches {options.pouches} --severity {options.severity} --seed {options.seed} --write"
        write_rates(rates_of(seen), command)
    for (lay, note), times in sorted(notes.items()):
        say(f"{lay:12} {times:5} {note}")
    say(f"{1000 * sum(seconds) / len(seconds):.1f} ms CPU a pouch of three frames, p95 {1000 * sorted(seconds)[int(len(seconds) * 0.95)]:.1f}")


if __name__ == "__main__":
    main()
