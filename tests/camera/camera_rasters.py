"""Label rasters for the camera tests: a Data Matrix and a Code 128 of one serial, a banner and some text."""

import base64
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

LABEL_WIDTH_DOTS, LABEL_HEIGHT_DOTS = 640, 400


def symbol(content: str, code: Any, scale: int, **options: Any) -> npt.NDArray[np.uint8]:
    """Draw a symbol, 1 = black, `scale` dots a module, without a quiet zone."""
    picture = zxingcpp.create_barcode(content, code, **options).to_image(scale=scale, add_quiet_zones=False)
    return (np.asarray(picture) < 128).astype(np.uint8)


def label(serial: str, linear: str | None = None) -> npt.NDArray[np.uint8]:
    """Make an 80 x 50 mm label at 203 dpi; `linear` is the content of the Code 128 where it differs ("": none)."""
    raster = np.zeros((LABEL_HEIGHT_DOTS, LABEL_WIDTH_DOTS), np.uint8)
    matrix = symbol(serial, zxingcpp.BarcodeFormat.DataMatrix, 5, force_square=True)
    raster[60:60 + matrix.shape[0], 520:520 + matrix.shape[1]] = matrix
    if linear != "":
        bars = symbol(linear or serial, zxingcpp.BarcodeFormat.Code128, 2)[:1].repeat(64, axis=0)
        raster[320:384, 40:40 + bars.shape[1]] = bars
    raster[16:44, 20:480] = 1
    lines = ("NOVAK JANA  ward 3 bed 12", "Paracetamol 500 mg  1 tab", "Metoprolol 50 mg  2 tab", serial)
    for row, text in enumerate(lines):
        cv2.putText(raster, text, (24, 100 + row * 52), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 1, 2)
    return raster


def scene_body(
    pouch: str, raster: npt.NDArray[np.uint8], tablets: list[dict[str, Any]], **printing: Any,
) -> dict[str, Any]:
    """Make the JSON of POST /scene."""
    return {
        "pouch": pouch, "width": raster.shape[1], "height": raster.shape[0],
        "raster": base64.b64encode(np.packbits(raster, axis=1).tobytes()).decode(),
        "print": printing, "tablets": tablets,
    }
