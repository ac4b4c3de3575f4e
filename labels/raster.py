"""A one-bit raster: what a label is on its way to a print head, and what its digest is taken over."""

import hashlib
import io
import struct
import zlib
from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True, slots=True)
class Raster:
    """Rows from the top, most significant bit left, 1 = black, each row padded to a byte with zeros."""

    width: int
    height: int
    bits: bytes

    def __post_init__(self) -> None:
        if not (0 < self.width < 65536 and 0 < self.height < 65536):
            raise ValueError(f"not the size of a raster: {self.width} x {self.height}")
        if len(self.bits) != self.row_bytes * self.height:
            raise ValueError(f"{self.width} x {self.height} dots need {self.row_bytes * self.height} bytes")

    @property
    def row_bytes(self) -> int:
        """Give the bytes of one row."""
        return (self.width + 7) // 8

    def digest(self) -> bytes:
        """Compute the label's name on the wire: SHA-256 over width u16, height u16 (little-endian) and the bits."""
        return hashlib.sha256(struct.pack("<HH", self.width, self.height) + self.bits).digest()

    def compressed(self) -> bytes:
        """Pack the bits as a zlib stream, as the packager takes them."""
        return zlib.compress(self.bits, 6)

    def to_image(self) -> Image.Image:
        """Make a picture of one bit, black ink on white."""
        ink = Image.frombytes("1", (self.width, self.height), self.bits)
        return ink.point(lambda value: 0 if value else 255)

    def to_png(self) -> bytes:
        """Write the picture as PNG at 203 dpi."""
        target = io.BytesIO()
        self.to_image().save(target, "PNG", dpi=(203, 203))
        return target.getvalue()


def raster_of(ink: Image.Image) -> Raster:
    """Take the dots of a one-bit image whose set pixels are ink."""
    return Raster(ink.width, ink.height, ink.tobytes())
