"""The hand scanner: turns the raster of a printed label into the text of its code, or into nothing."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import zxingcpp

Picture = npt.NDArray[np.uint8]

KINDS = tuple(zxingcpp.BarcodeFormats([kind]) for kind in (zxingcpp.BarcodeFormat.DataMatrix, zxingcpp.BarcodeFormat.Code128))
QUIET_DOTS = 16
PAPER_GREY = 255
RASTER_LIMIT_BYTES = 1 << 20


class NotARaster(ValueError):
    """A record whose size and bytes do not belong together: a fault of the sending program, never of the print."""


def picture_of(
    raster: bytes, width: int, height: int, contrast: float = 1.0, dead_columns: Sequence[int] = ()
) -> Picture:
    """Draw a one-bit raster (rows top down, most significant bit left, padded to bytes, 1 = black) in grey with a quiet edge.

    `contrast` 0..1 is how dark the ink is; dead columns were never burnt. Raises NotARaster.
    """
    row_bytes = (width + 7) // 8
    if width < 1 or height < 1 or len(raster) != row_bytes * height or len(raster) > RASTER_LIMIT_BYTES:
        raise NotARaster(f"{len(raster)} bytes are no raster of {width} x {height} dots")
    rows = np.frombuffer(raster, dtype=np.uint8).reshape(height, row_bytes)
    ink = np.unpackbits(rows, axis=1)[:, :width]
    ink[:, [column for column in dead_columns if 0 <= column < width]] = 0
    depth = round(PAPER_GREY * min(1.0, max(0.0, contrast)))
    paper = np.full((height + 2 * QUIET_DOTS, width + 2 * QUIET_DOTS), PAPER_GREY, dtype=np.uint8)
    paper[QUIET_DOTS:-QUIET_DOTS, QUIET_DOTS:-QUIET_DOTS] -= (ink * depth).astype(np.uint8)
    return paper


def read_code(picture: Picture) -> str | None:
    """Read the Data Matrix of a label, or its Code 128 where that fails; None where both do, or they disagree."""
    for kind in KINDS:
        texts = {found.text for found in zxingcpp.read_barcodes(picture, formats=kind) if found.valid}
        if texts:
            return texts.pop() if len(texts) == 1 else None
    return None


def scan(record: Mapping[str, Any]) -> str | None:
    """Scan the label of a record with `width`, `height`, `raster` (base64) and perhaps `print`; raises NotARaster."""
    try:
        raster = base64.b64decode(record["raster"], validate=True)
    except binascii.Error as error:
        raise NotARaster(f"the raster is not base64: {error}") from error
    marks = record.get("print") or {}
    picture = picture_of(
        raster, record["width"], record["height"], float(marks.get("contrast", 1.0)), marks.get("dead_columns", ())
    )
    return read_code(picture)
