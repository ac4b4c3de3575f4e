"""Makes of any picture the grey one that is read, never larger than the readers can take."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from devices.barcode_camera.frame import Grey

PIXELS_LIMIT = 48_000_000
SIDE_LIMIT_PX = 16_000
BAND_PIXELS = 4_000_000
WHITE, CLEAR = 255, 8


@dataclass(frozen=True, eq=False)
class GreyPicture:
    """A grey picture, and by how much it is smaller than the one that was given."""

    grey: Grey
    across: float
    down: float


def as_grey(image: object) -> GreyPicture:
    """Make a grey picture of an array: height x width, also x 1, 3 (BGR) or 4 (BGRA, laid on white); any number type.

    Numbers other than bytes, and whole numbers that are all 0 or 1, are stretched so that the brightest is white. Above 48 Mpx the picture is made smaller, band by
    band, so that no second large copy arises. ValueError with the reason where there is no picture in it.
    """
    array = _checked(image)
    height, width = array.shape[:2]
    factor = max(1.0, (height * width / PIXELS_LIMIT) ** 0.5, max(height, width) / SIDE_LIMIT_PX)
    whole = _brightest(array)
    if factor == 1.0:
        return GreyPicture(_grey(array, whole), 1.0, 1.0)
    grey = _smaller(array, whole, factor)
    return GreyPicture(grey, width / grey.shape[1], height / grey.shape[0])


def _checked(image: object) -> npt.NDArray[Any]:
    if not isinstance(image, np.ndarray):
        raise ValueError(f"a picture is a numpy array, not {type(image).__name__}")
    if image.ndim not in {2, 3} or (image.ndim == 3 and image.shape[2] not in {1, 3, 4}):
        raise ValueError(f"a picture is height x width, or that by 1, 3 or 4 channels, not {image.shape}")
    if image.size == 0:
        raise ValueError(f"an empty picture: {image.shape}")
    if image.dtype.kind not in "buif":
        raise ValueError(f"pixels are whole or real numbers, not {image.dtype}")
    return image[:, :, 0] if image.ndim == 3 and image.shape[2] == 1 else image


def _brightest(array: npt.NDArray[Any]) -> float:
    """Give what becomes white: 1 of whole numbers that are all 0 or 1, 255 of bytes, else the largest finite number, found band by band."""
    if array.dtype == np.uint8:
        return 1.0 if array.max() == 1 else float(WHITE)
    if array.dtype.kind == "b":
        return 1.0
    brightest = 0.0
    for start, stop in _bands(array.shape[0], array.shape[1]):
        band = array[start:stop]
        finite = band[np.isfinite(band)] if array.dtype.kind == "f" else band
        brightest = max(brightest, float(finite.max())) if finite.size else brightest
    return brightest if array.dtype.kind == "f" or brightest == 1 else max(brightest, float(WHITE))


def _bands(height: int, width: int) -> list[tuple[int, int]]:
    rows = max(1, BAND_PIXELS // width)
    return [(start, min(height, start + rows)) for start in range(0, height, rows)]


def _grey(array: npt.NDArray[Any], whole: float) -> Grey:
    pixels = np.ascontiguousarray(array if array.dtype == np.uint8 and whole == WHITE else _as_bytes(array, whole))
    if pixels.ndim == 2:
        return np.asarray(pixels, np.uint8)
    if pixels.shape[2] == 4:
        return _on_white(pixels)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8)


def _as_bytes(array: npt.NDArray[Any], whole: float) -> npt.NDArray[np.uint8]:
    found = np.zeros(array.shape, np.uint8)
    if whole > 0:
        for start, stop in _bands(array.shape[0], array.shape[1]):
            real = np.nan_to_num(array[start:stop].astype(np.float64), nan=0.0, posinf=whole, neginf=0.0)
            found[start:stop] = np.clip(real / whole * WHITE, 0, WHITE)
    return found


def _on_white(pixels: npt.NDArray[np.uint8]) -> Grey:
    """Lay a picture with transparency on white paper; an alpha channel that is clear everywhere, or as good as, is padding."""
    grey = cv2.cvtColor(np.ascontiguousarray(pixels[:, :, :3]), cv2.COLOR_BGR2GRAY)
    alpha = pixels[:, :, 3]
    if alpha.max() <= CLEAR:
        return np.asarray(grey, np.uint8)
    share = alpha.astype(np.float32) / WHITE
    return np.asarray(grey * share + WHITE * (1 - share), np.uint8)


def _smaller(array: npt.NDArray[Any], whole: float, factor: float) -> Grey:
    """Shrink band by band, each band to its own share of the rows."""
    height, width = array.shape[:2]
    columns = max(1, int(width / factor))
    bands = []
    for start, stop in _bands(height, width):
        rows = max(1, int(stop / factor) - int(start / factor))
        band = _grey(array[start:stop], whole)
        bands.append(cv2.resize(band, (columns, rows), interpolation=cv2.INTER_AREA))
    return np.asarray(np.vstack(bands), np.uint8)
