"""What one code of a picture is: its own bytes, how it was written, where it stands, who read it and how well."""

from collections.abc import Iterable
from dataclasses import dataclass

DATA_MATRIX, CODE_128, QR_CODE = "]d1", "]C0", "]Q1"
SERIAL_SYMBOLOGIES = frozenset({DATA_MATRIX, CODE_128})
"""Identifiers (ISO/IEC 15424) of our own labels: ECC 200 and Code 128, both without FNC1."""

Point = tuple[float, float]
Polygon = tuple[Point, Point, Point, Point]


@dataclass(frozen=True)
class CodeRead:
    """One code of a picture.

    `payload`: the code's own bytes, FNC1 as GS (0x1D). `symbology`: name of the format, `DataMatrix`, `Code128`, `QRCode`, `EAN13`, …
    `identifier`: ISO/IEC 15424, `]d1`, `]C0`, … `polygon`: its four corners (x, y) in px of the picture that was given.
    `reader`: program and step. `quality`: unused share of error correction, 0..1; None where the symbology has none.
    """

    payload: bytes
    symbology: str
    identifier: str
    polygon: Polygon
    reader: str
    quality: float | None

    @property
    def text(self) -> str:
        """Give the content as text: UTF-8 where it is that, else each byte as its Latin-1 letter."""
        try:
            return self.payload.decode()
        except UnicodeDecodeError:
            return self.payload.decode("latin-1")

    @property
    def centre(self) -> Point:
        """Give the middle of the corners, in px."""
        return sum(x for x, _ in self.polygon) / 4, sum(y for _, y in self.polygon) / 4


def moved(polygon: Polygon, across: float, down: float | None = None, offset: Point = (0.0, 0.0)) -> Polygon:
    """Move corners from a picture of another scale, cut out at `offset`, to the picture it came from."""
    left, top = offset
    height = across if down is None else down
    first, second, third, fourth = ((left + x * across, top + y * height) for x, y in polygon)
    return first, second, third, fourth


def distinct(reads: Iterable[CodeRead]) -> tuple[CodeRead, ...]:
    """Keep the first read of each symbol: the same symbology, identifier and content at the same place."""
    kept: list[CodeRead] = []
    for read in reads:
        if not any(_is_same(read, other) for other in kept):
            kept.append(read)
    return tuple(kept)


def _is_same(one: CodeRead, other: CodeRead) -> bool:
    alike = (one.symbology, one.identifier, one.payload) == (other.symbology, other.identifier, other.payload)
    return alike and (_covers(one.polygon, other.centre) or _covers(other.polygon, one.centre))


def _covers(polygon: Polygon, point: Point) -> bool:
    """Tell whether a point lies in the upright box around four corners."""
    return all(min(side) <= at <= max(side) for side, at in zip(zip(*polygon, strict=True), point, strict=True))
