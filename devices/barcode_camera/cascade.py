"""The steps by which codes are read, in the order of their measured cost; the first that reads ends it, but for `read_beside`.

Blurring comes before plain reading, because noise costs more time and more codes than softness does; sharpening and local
contrast make it worse. A step reads whole pictures or only the densest places, twice as large and repaired in one way each.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from devices.barcode_camera.codes import CodeRead, Polygon, distinct, moved
from devices.barcode_camera.frame import Grey
from devices.barcode_camera.places import Box, dense_places
from devices.barcode_camera.readers import read_zxing

BUDGET_S = 0.1
"""No step begins when so much of the thread's time is spent on a frame."""
PLAIN_SHARE = 0.5
UPSCALED = 2
WIDE_PX = 500
GLARE_ABOVE_PAPER, GLARE_MIN = 18, 235
GLARE_PIXELS_MIN = 30
INPAINT_RADIUS_PX = 5
Formats = frozenset[str]
Clock = Callable[[], float]
Repair = Callable[[Grey], Iterable[Grey]]
"""Makes one or more pictures of a place, twice as large."""


@dataclass(frozen=True, eq=False)
class View:
    """A grey picture with what is derived from it once."""

    grey: Grey
    given_half: Grey | None = None

    @cached_property
    def half(self) -> Grey:
        """Give the picture at half the size."""
        return halve(self.grey) if self.given_half is None else self.given_half

    @cached_property
    def places(self) -> tuple[Box, ...]:
        """Give the densest places."""
        return dense_places(self.grey)


class Budget:
    """Time of this thread that may be spent on one picture, in s; `clock` gives what was spent so far."""

    def __init__(self, limit_s: float = BUDGET_S, clock: Clock = time.thread_time) -> None:
        self._clock, self._limit_s = clock, limit_s
        self._began_s = clock()

    def allows(self, share: float = 1.0) -> bool:
        """Tell whether less than this share of it is spent."""
        return self._clock() - self._began_s < self._limit_s * share


def halve(grey: Grey) -> Grey:
    """Make a picture half as wide and high."""
    height, width = grey.shape[:2]
    size = max(1, width // 2), max(1, height // 2)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def read_half(half: Grey, formats: Formats) -> tuple[CodeRead, ...]:
    """Read a picture of half size, corners in px of the whole one: the cheapest step by far."""
    reads = read_zxing(half, formats, "zxing-cpp/half", downscale=False)
    return tuple(replace(read, polygon=moved(read.polygon, 2.0)) for read in reads)


def read_soft(grey: Grey, formats: Formats) -> tuple[CodeRead, ...]:
    """Read a picture blurred lightly."""
    return read_zxing(np.asarray(cv2.GaussianBlur(grey, (5, 5), 1.0), np.uint8), formats, "zxing-cpp/soft")


def read_plain(grey: Grey, formats: Formats) -> tuple[CodeRead, ...]:
    """Read a picture as it is, light on dark too; photographs with 2-3 px a module need it."""
    return read_zxing(grey, formats, "zxing-cpp/plain", invert=True)


def read_places(
    grey: Grey, places: Iterable[Box], formats: Formats, name: str, repair: Repair, budget: Budget
) -> tuple[CodeRead, ...]:
    """Read each place twice as large, repaired, while there is time; corners in px of the whole picture."""
    in_time = (place for place in places if budget.allows())
    return distinct(read for place in in_time for read in _read_place(place.cut(grey), place, formats, name, repair))


def _read_place(part: Grey, place: Box, formats: Formats, name: str, repair: Repair) -> Iterator[CodeRead]:
    for repaired in repair(part):
        reads = read_zxing(repaired, formats, name, downscale=min(repaired.shape) >= WIDE_PX)
        for read in reads:
            yield replace(read, polygon=moved(read.polygon, 1 / UPSCALED, offset=(place.left, place.top)))
        if reads:
            return


def enlarge(part: Grey) -> Grey:
    """Make a part twice as large."""
    return np.asarray(cv2.resize(part, None, fx=UPSCALED, fy=UPSCALED, interpolation=cv2.INTER_CUBIC), np.uint8)


def opened(part: Grey) -> Iterator[Grey]:
    """Enlarge, blur, and close what is white and thinner than a module."""
    soft = cv2.GaussianBlur(enlarge(part), (0, 0), 1.5)
    yield np.asarray(cv2.morphologyEx(soft, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8)), np.uint8)


def unspeckled(part: Grey) -> Iterator[Grey]:
    """Enlarge and take the median of 5 x 5."""
    yield np.asarray(cv2.medianBlur(enlarge(part), 5), np.uint8)


def softened(part: Grey, sigma: float = 3.0) -> Iterator[Grey]:
    """Enlarge and blur strongly."""
    yield np.asarray(cv2.GaussianBlur(enlarge(part), (0, 0), sigma), np.uint8)


def darkened(part: Grey) -> Iterator[Grey]:
    """Enlarge and take the minimum of 5 x 5, which closes thin white lines of dead print dots."""
    yield np.asarray(cv2.erode(cv2.GaussianBlur(enlarge(part), (0, 0), 1.5), np.ones((5, 5), np.uint8)), np.uint8)


def unglared(part: Grey) -> Iterator[Grey]:
    """Fill what shines brighter than paper from both its sides, then soften or open; nothing where nothing shines."""
    paper = float(np.percentile(part[::2, ::2], 60))
    shines = (cv2.GaussianBlur(part, (3, 3), 0) > max(paper + GLARE_ABOVE_PAPER, GLARE_MIN)).astype(np.uint8)
    stripes = cv2.morphologyEx(shines, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    if int(stripes.sum()) < GLARE_PIXELS_MIN:
        return
    hidden = cv2.dilate(stripes, np.ones((5, 5), np.uint8))
    for method in (cv2.INPAINT_TELEA, cv2.INPAINT_NS):
        filled = np.asarray(cv2.inpaint(part, hidden, INPAINT_RADIUS_PX, method), np.uint8)
        yield from softened(filled)
        yield from softened(filled, 2.0)
        yield from opened(filled)


REPAIRS: tuple[tuple[str, Repair], ...] = (
    ("zxing-cpp/unglared", unglared),
    ("zxing-cpp/opened", opened),
    ("zxing-cpp/median", unspeckled),
    ("zxing-cpp/softened", softened),
    ("zxing-cpp/thin-lines", darkened),
)
BESIDE = tuple((name, repair) for name, repair in REPAIRS if repair in (unglared, opened, darkened))
"""The repairs that found every second label that any of them found, of 96 that half size does not show."""
BESIDE_DENSE = 0.3
"""A faint label beside the own one is at least so dense as a share of it."""


def read_by_steps(view: View, formats: Formats, budget: Budget) -> tuple[CodeRead, ...]:
    """Read a picture by the cheap steps, the repairs, and as it is, until one reads or no more time may be spent.

    Reading it as it is costs most and adds least to a frame: it begins only while half of the time is left.
    """
    found = read_cheaply(view, formats) or read_repaired(view, formats, budget)
    return found or (read_plain(view.grey, formats) if budget.allows(PLAIN_SHARE) else ())


def read_cheaply(view: View, formats: Formats) -> tuple[CodeRead, ...]:
    """Read half size, else blurred lightly."""
    return read_half(view.half, formats) or read_soft(view.grey, formats)


def read_repaired(view: View, formats: Formats, budget: Budget) -> tuple[CodeRead, ...]:
    """Read the densest place repaired in one way after the other, then the other places, until one way reads."""
    return read_repaired_over((view,), formats, budget)


def read_repaired_over(views: Sequence[View], formats: Formats, budget: Budget) -> tuple[CodeRead, ...]:
    """Read several pictures of one thing as `read_repaired` does, each way over all of them before the next, in one budget."""
    for part in (slice(0, 1), slice(1, None)):
        for name, repair in REPAIRS:
            found = distinct(
                read for view in views for read in read_places(view.grey, view.places[part], formats, name, repair, budget)
            )
            if found:
                return found
    return ()


def read_beside(view: View, formats: Formats, known: tuple[Polygon, ...]) -> tuple[CodeRead, ...]:
    """Read what else stands in a picture of which some codes are `known`: blurred, and its other dense places repaired.

    No step ends the search and no time does: a second label is worn, faint or under glare, and what hides it hides it from one
    step only.
    """
    found = read_soft(view.grey, formats)
    places = dense_places(view.grey, (*known, *(read.polygon for read in found)), BESIDE_DENSE)
    repaired = (_read_place(place.cut(view.grey), place, formats, name, repair) for place in places for name, repair in BESIDE)
    return distinct((*found, *(read for reads in repaired for read in reads)))
