"""Looks of tablets: what somebody typed or the station learned, whether a thing seen fits one, and which two fit each other."""

from dataclasses import dataclass
from enum import StrEnum

from devices.barcode_camera.thresholds import THRESHOLDS as T

Rgb = tuple[int, int, int]
ASPECT_MARGIN, LEARNED_ASPECT = 0.03, 0.06
SIZES_MM = (3.0, 30.0)
FILLS = (0.70, 0.97)


class Shape(StrEnum):
    """Outline of a tablet seen from above; a capsule has straight sides."""

    ROUND = "round"
    OVAL = "oval"
    CAPSULE = "capsule"


ASPECT = {Shape.ROUND: (0.86, 1.0), Shape.OVAL: (0.42, 0.85), Shape.CAPSULE: (0.30, 0.62)}
FILL = {Shape.ROUND: (0.74, 0.83), Shape.OVAL: (0.73, 0.85), Shape.CAPSULE: (0.82, 0.97)}
TYPICAL_AREA = {Shape.ROUND: 0.79, Shape.OVAL: 0.47, Shape.CAPSULE: 0.37}
"""Area over square of the longest side."""


class LookSource(StrEnum):
    """Where a look comes from; of `unknown` nothing is known but that it is one whole tablet."""

    TYPED = "typed"
    LEARNED = "learned"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class LookSample:
    """One whole tablet as it was measured: sides in mm, area over box, and the colours (red, green, blue) of its two ends."""

    length_mm: float
    width_mm: float
    fill: float
    ends: tuple[Rgb, Rgb]


@dataclass(frozen=True)
class TabletLook:
    """How an expected tablet looks: colour as (red, green, blue), outline, longest side in mm.

    A learned one has its width, fill and both ends' colours as they were measured; `second` is the other end's, None: the same.
    """

    colour: Rgb
    shape: Shape
    size_mm: float
    second: Rgb | None = None
    width_mm: float = 0.0
    fill: float = 0.0
    source: LookSource = LookSource.TYPED

    @classmethod
    def from_text(cls, colour: str, shape: str, size_mm: float) -> "TabletLook":
        """Make a look from "#rrggbb" and the name of a shape; ValueError for anything else."""
        if len(colour) != 7 or colour[0] != "#":
            raise ValueError(f"not a colour #rrggbb: {colour!r}")
        red, green, blue = (int(colour[start:start + 2], 16) for start in (1, 3, 5))
        return cls((red, green, blue), Shape(shape), size_mm)

    @property
    def ends(self) -> tuple[Rgb, Rgb]:
        """Give the colours of both ends."""
        return self.colour, self.second or self.colour

    @property
    def aspects(self) -> tuple[float, float]:
        """Give the least and largest width over length of such a tablet."""
        if self.source is LookSource.LEARNED:
            aspect = self.width_mm / self.size_mm
            return max(0.0, aspect - LEARNED_ASPECT), min(1.0, aspect + LEARNED_ASPECT)
        return ASPECT[self.shape]


UNKNOWN_LOOK = TabletLook((128, 128, 128), Shape.ROUND, 0.0, source=LookSource.UNKNOWN)


def outline_misfit(sample: LookSample, look: TabletLook) -> float:
    """Tell how far outside its tolerances an outline is from a look: up to 1 fits, 2 is twice the tolerance."""
    if look.source is LookSource.UNKNOWN:
        fits = SIZES_MM[0] <= sample.length_mm <= SIZES_MM[1] and FILLS[0] <= sample.fill <= FILLS[1]
        return 0.0 if fits else 1.5
    if look.source is LookSource.LEARNED:
        return max(
            abs(sample.length_mm - look.size_mm) / _learned_slack_mm(look.size_mm),
            abs(sample.width_mm - look.width_mm) / _learned_slack_mm(look.width_mm),
            abs(sample.fill - look.fill) / T.fill_tolerance,
        )
    length = abs(sample.length_mm - look.size_mm) / (T.size_tolerance_mm + T.size_tolerance * look.size_mm)
    shape = _outside(sample.width_mm / sample.length_mm, ASPECT[look.shape]) + _outside(sample.fill, FILL[look.shape])
    return length if not shape else max(length, 1 + shape / T.fill_tolerance)


def _learned_slack_mm(size_mm: float) -> float:
    return T.learned_size_tolerance_mm + T.learned_size_tolerance * size_mm


def _outside(value: float, limits: tuple[float, float]) -> float:
    return max(0.0, limits[0] - value, value - limits[1])


def colour_misfit(ends: tuple[Rgb, Rgb], look: TabletLook) -> float:
    """Tell how far outside the tolerance the colours of two ends are from a look's, whichever way round it lies; up to 1 fits."""
    if look.source is LookSource.UNKNOWN:
        return 0.0
    tolerance = T.learned_colour_tolerance if look.source is LookSource.LEARNED else T.colour_tolerance
    return _ends_distance(ends, look.ends) / tolerance


def _ends_distance(one: tuple[Rgb, Rgb], other: tuple[Rgb, Rgb]) -> float:
    straight = max(colour_distance(one[0], other[0]), colour_distance(one[1], other[1]))
    return min(straight, max(colour_distance(one[0], other[1]), colour_distance(one[1], other[0])))


def colour_distance(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Give the Euclidean distance of two colours (red, green, blue 0..255)."""
    return float(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5)


def learned_look(middle: LookSample) -> TabletLook:
    """Return the look that was learned, from the middle of its samples."""
    first, second = middle.ends
    two = colour_distance(first, second) > T.even_difference
    shape = _shape_of(middle.width_mm / middle.length_mm, middle.fill)
    return TabletLook(first, shape, middle.length_mm, second if two else None, middle.width_mm, middle.fill, LookSource.LEARNED)


def _shape_of(aspect: float, fill: float) -> Shape:
    if aspect >= ASPECT[Shape.ROUND][0]:
        return Shape.ROUND
    return Shape.CAPSULE if fill > FILL[Shape.OVAL][1] else Shape.OVAL


def agrees(sample: LookSample, look: TabletLook) -> bool:
    """Tell whether a measured tablet fits a look by outline and colours."""
    return outline_misfit(sample, look) <= 1 and colour_misfit(sample.ends, look) <= 1


def look_alike(one: TabletLook, other: TabletLook) -> bool:
    """Tell whether a tablet of one look could pass for one of the other within the tolerances and their margin.

    A look that nobody knows may be any look: nothing says that it is another one.
    """
    if LookSource.UNKNOWN in (one.source, other.source):
        return True
    slack_mm = max(_size_slack_mm(one), _size_slack_mm(other))
    tolerance = max(T.learned_colour_tolerance if look.source is LookSource.LEARNED else T.colour_tolerance for look in (one, other))
    (low, high), (other_low, other_high) = one.aspects, other.aspects
    return (
        abs(one.size_mm - other.size_mm) <= T.alike_margin * slack_mm
        and low - ASPECT_MARGIN <= other_high and other_low - ASPECT_MARGIN <= high
        and _ends_distance(one.ends, other.ends) <= T.alike_margin * tolerance
    )


def _size_slack_mm(look: TabletLook) -> float:
    if look.source is LookSource.LEARNED:
        return _learned_slack_mm(look.size_mm)
    return T.size_tolerance_mm + T.size_tolerance * look.size_mm
