"""One picture of the camera, kept as the camera sent it and decoded only as far as somebody looks at it."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
Colour = npt.NDArray[np.uint8]
JPEG_QUALITY = 90
JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"


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
        """Tell whether the picture has its end; a JPEG whose end is missing was torn on its way (zeros may follow the end)."""
        return self.jpeg is None or self.jpeg.rstrip(b"\0").endswith(JPEG_END)

    @cached_property
    def grey(self) -> Grey:
        """Give the grey picture, height x width."""
        if self.pixels is not None:
            return np.asarray(cv2.cvtColor(self.pixels, cv2.COLOR_BGR2GRAY), np.uint8)
        return self._decode(cv2.IMREAD_GRAYSCALE)

    @cached_property
    def half_grey(self) -> Grey:
        """Give the grey picture at half the size."""
        return np.asarray(cv2.cvtColor(self.half_colour, cv2.COLOR_BGR2GRAY), np.uint8)

    @cached_property
    def half_colour(self) -> Colour:
        """Give the BGR picture at half the size, read straight from the JPEG where there is one."""
        if self.pixels is not None:
            return _halve(self.pixels)
        return self._decode(cv2.IMREAD_REDUCED_COLOR_2)

    def evidence(self) -> bytes:
        """Give the JPEG to be kept: the camera's own bytes where it sends JPEG."""
        if self.jpeg is not None:
            return self.jpeg
        done, jpeg = cv2.imencode(".jpg", self._decode(cv2.IMREAD_COLOR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if not done:
            raise UnreadableFrame("the JPEG encoder refused a frame")
        return bytes(jpeg)

    def _decode(self, flags: int) -> npt.NDArray[np.uint8]:
        if self.pixels is not None:
            return self.pixels
        picture = cv2.imdecode(np.frombuffer(self.jpeg or b"\0", np.uint8), flags)
        if picture is None:
            raise UnreadableFrame(f"frame {self.sequence} is no picture")
        return np.asarray(picture, np.uint8)


def _halve(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    height, width = picture.shape[:2]
    return np.asarray(cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)
