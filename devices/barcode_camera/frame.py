"""One picture of the camera, kept as the camera sent it and decoded only as far as somebody looks at it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
Colour = npt.NDArray[np.uint8]
JPEG_QUALITY = 90
JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
LEAST_SIDE_PX, MOST_PIXELS = 64, 50_000_000
"""No camera of a station is smaller or larger; a header that lies about the size is found before any memory is taken for it."""
_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})


class UnreadableFrame(Exception):
    """The bytes of a frame are no picture: the cable or the camera damages what it sends."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture as JPEG or as BGR pixels; `sequence` counts frames of a stream, `arrived_s` is monotonic time.

    Pictures of different size are derived once and kept: grey and colour at full size, both at half size.
    """

    sequence: int
    arrived_s: float
    jpeg: bytes | None = None
    pixels: Colour | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether the picture has a size and its end; a JPEG whose end is missing was torn on its way (zeros may follow the end)."""
        return self.trouble == "" and (self.jpeg is None or self.jpeg.rstrip(b"\0").endswith(JPEG_END))

    @cached_property
    def trouble(self) -> str:
        """Say why it is no picture of a station, by its size alone; empty where it may be one."""
        size = _size_of_pixels(self.pixels) if self.pixels is not None else jpeg_size(self.jpeg or b"")
        if size is None:
            return "no picture"
        width, height = size
        if min(size) < LEAST_SIDE_PX:
            return f"{width} x {height} px: too small"
        return f"{width} x {height} px: too large" if width * height > MOST_PIXELS else ""

    @cached_property
    def grey(self) -> Grey:
        """Give the grey picture, height x width."""
        return self._decode(cv2.IMREAD_GRAYSCALE, _grey)

    @cached_property
    def half_grey(self) -> Grey:
        """Give the grey picture at half the size."""
        return _grey(self.half_colour)

    @cached_property
    def half_colour(self) -> Colour:
        """Give the BGR picture at half the size, read straight from the JPEG where there is one."""
        return self._decode(cv2.IMREAD_REDUCED_COLOR_2, _halve)

    def evidence(self) -> bytes:
        """Give the JPEG to be kept: the camera's own bytes where it sends JPEG."""
        return self.jpeg if self.jpeg is not None else bytes(self._decode(cv2.IMREAD_COLOR, _encoded))

    def _decode(self, flags: int, of_pixels: Callable[[Colour], Any]) -> npt.NDArray[np.uint8]:
        """Make a picture of the JPEG, or of the pixels by `of_pixels`; whatever goes wrong is an UnreadableFrame."""
        if self.trouble:
            raise UnreadableFrame(f"frame {self.sequence}: {self.trouble}")
        try:
            picture = of_pixels(self.pixels) if self.pixels is not None else cv2.imdecode(np.frombuffer(self.jpeg or b"", np.uint8), flags)
        except cv2.error as error:
            raise UnreadableFrame(f"frame {self.sequence}: {error}") from error
        if picture is None:
            raise UnreadableFrame(f"frame {self.sequence} is no picture")
        return np.asarray(picture, np.uint8)


def jpeg_size(jpeg: bytes) -> tuple[int, int] | None:
    """Read width and height of a JPEG from its frame header (ITU-T T.81, B.2.2); None where there is none before the picture's data."""
    if not jpeg.startswith(JPEG_START):
        return None
    at = len(JPEG_START)
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker in _SIZES:
            return int.from_bytes(jpeg[at + 7:at + 9]), int.from_bytes(jpeg[at + 5:at + 7])
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        else:
            at += 2 + int.from_bytes(jpeg[at + 2:at + 4])
    return None


def _size_of_pixels(pixels: Colour) -> tuple[int, int] | None:
    return (pixels.shape[1], pixels.shape[0]) if pixels.ndim == 3 and pixels.shape[2] == 3 else None


def _grey(picture: Colour) -> Grey:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def _encoded(picture: Colour) -> npt.NDArray[np.uint8] | None:
    done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return np.asarray(jpeg, np.uint8) if done else None


def _halve(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    height, width = picture.shape[:2]
    return np.asarray(cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)
