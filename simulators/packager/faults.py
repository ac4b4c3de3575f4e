"""Which accidents befall one pouch: drawn once for each job from a seeded source, so that a rerun repeats them."""

import random
from dataclasses import dataclass
from enum import StrEnum

RATE_PER_POUCH = 0.01


class Plant(StrEnum):
    """A lie of the hardware that never heals and happens once."""

    NONE = "none"
    DOUBLE_DROP = "double-drop"
    SWAPPED_LABEL = "swapped-label"
    LOST_EVENT = "lost-event"


PLANTED_POUCH = 3


@dataclass(frozen=True)
class Print:
    """How the print came out: contrast 0..1, and the dot columns of the head that print nothing."""

    contrast: float = 1.0
    dead_columns: tuple[int, ...] = ()


@dataclass(frozen=True)
class PouchFaults:
    """What goes wrong with one pouch; a slot is the number k of a drop of the job, None where nothing happens."""

    extra_at: int | None = None
    missing_at: int | None = None
    broken_at: int | None = None
    print: Print = Print()

    def surplus(self, slot: int) -> int:
        """Tell how many tablets more (or fewer, below zero) than asked fall at `slot`."""
        return (slot == self.extra_at) - (slot == self.missing_at)


NO_FAULTS = PouchFaults()


def draw_faults(source: random.Random, *, slots: int, label_width: int) -> PouchFaults:
    """Draw each of the four accidents by itself, about one pouch in a hundred; always the same number of draws decides."""
    hits = [source.random() < RATE_PER_POUCH for _ in range(4)]
    places = [source.randrange(slots) for _ in range(3)]
    extra, missing, broken = (place if hit else None for hit, place in zip(hits, places, strict=False))
    return PouchFaults(extra, missing, broken, _bad_print(source, label_width) if hits[3] else Print())


def _bad_print(source: random.Random, label_width: int) -> Print:
    if source.random() < 0.5:
        return Print(contrast=round(source.uniform(0.08, 0.4), 3))
    count = source.randint(3, max(3, label_width // 12))
    return Print(dead_columns=tuple(sorted(source.sample(range(label_width), min(count, label_width)))))


def faults_of_job(seed: int, job: bytes, *, slots: int, label_width: int) -> PouchFaults:
    """Give the accidents of a job; they depend on nothing but the seed and the job itself."""
    return draw_faults(random.Random(f"{seed}/{job.hex()}"), slots=slots, label_width=label_width)
