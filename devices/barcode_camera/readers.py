"""The two readers behind one shape: zxing-cpp, the reader of record, and zbar, which was written independently of it.

libdmtx and `cv2.barcode` are left out on purpose: both return wrong contents for readable codes. ITF is never read: parts
of a symbol pass for whole ones.
"""

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
import zxingcpp

from devices.barcode_camera.codes import CodeRead, Polygon, distinct
from devices.barcode_camera.frame import Grey

PACK_FORMATS = frozenset(
    {"DataMatrix", "QRCode", "Code128", "EAN13", "EAN8", "UPCA", "UPCE", "Code39", "Code93", "Codabar", "PDF417", "Aztec", "DataBar"}
)
"""What packs of medicines carry."""
ZBAR_FORMATS = {"QRCODE": "QRCode", "CODE128": "Code128", "EAN13": "EAN13"}
"""What zbar reads for us, its name to ours."""
ZBAR_IDENTIFIERS = {"QRCode": "]Q1", "Code128": "]C0", "EAN13": "]E0"}
FUNCTION_1 = 0x1D


def read_zxing(
    grey: Grey, formats: Iterable[str], reader: str, *, invert: bool = False, downscale: bool = True
) -> tuple[CodeRead, ...]:
    """Read a picture once with zxing-cpp; corners in px of this picture."""
    wanted = zxing_formats(frozenset(formats))
    if not wanted:
        return ()
    found: list[Any] = list(
        zxingcpp.read_barcodes(
            grey,
            formats=wanted,
            try_invert=invert,
            try_downscale=downscale,
            text_mode=zxingcpp.TextMode.Plain,
        )
    )
    return distinct(_from_zxing(barcode, reader) for barcode in found if barcode.valid and barcode.bytes)


def zxing_formats(names: frozenset[str]) -> Any:
    """Give zxing-cpp's own formats of these names; ValueError for a name it does not know, or for ITF."""
    unknown = [name for name in names if name.startswith("ITF") or not hasattr(zxingcpp.BarcodeFormat, name)]
    if unknown:
        raise ValueError(f"no format that is read here: {', '.join(sorted(unknown))}")
    return tuple(getattr(zxingcpp.BarcodeFormat, name) for name in sorted(names))


def _from_zxing(barcode: Any, reader: str) -> CodeRead:
    place = barcode.position
    corners = place.top_left, place.top_right, place.bottom_right, place.bottom_left
    first, second, third, fourth = ((float(corner.x), float(corner.y)) for corner in corners)
    return CodeRead(
        payload=bytes(barcode.bytes),
        symbology=str(barcode.format.name),
        identifier=str(barcode.symbology_identifier),
        polygon=(first, second, third, fourth),
        reader=reader,
        quality=_unused(barcode),
    )


def _unused(barcode: Any) -> float | None:
    """Give the unused share of error correction; one-dimensional codes have none."""
    value = (barcode.extra or {}).get("UEC")
    return None if value is None else float(value)


def second_reader_missing() -> str | None:
    """Say why there is no second reader, or None where it works: zbar is a system library that may not be there."""
    return None if _load_pyzbar() is not None else "pyzbar or its library libzbar0 is not installed"


def read_zbar(grey: Grey, formats: Iterable[str], reader: str = "zbar") -> tuple[CodeRead, ...]:
    """Read a picture once with zbar, of these formats those that it may read; nothing where zbar is missing."""
    pyzbar = _load_pyzbar()
    names = [name for name, ours in ZBAR_FORMATS.items() if ours in frozenset(formats)]
    if pyzbar is None or not names or min(grey.shape) < 2:
        return ()
    symbols = pyzbar.decode(np.ascontiguousarray(grey), symbols=[pyzbar.ZBarSymbol[name] for name in names])
    return distinct(_from_zbar(symbol, reader) for symbol in symbols if symbol.data and symbol.type in ZBAR_FORMATS)


def _from_zbar(symbol: Any, reader: str) -> CodeRead:
    """Make a read of zbar's; it tells no identifier, so a leading FNC1 that it shows as GS makes it the GS1 one."""
    name, payload = ZBAR_FORMATS[symbol.type], bytes(symbol.data)
    identifier = ZBAR_IDENTIFIERS[name]
    if name == "Code128" and payload[0] == FUNCTION_1:
        payload, identifier = payload[1:], "]C1"
    return CodeRead(payload, name, identifier, _corners(symbol), reader, None)


def _corners(symbol: Any) -> Polygon:
    points = np.array([(point.x, point.y) for point in symbol.polygon], np.float32).reshape(-1, 2)
    if len(points) < 3:
        left, top, width, height = symbol.rect
        points = np.array([(left, top), (left + width, top + height)], np.float32)
    first, second, third, fourth = cv2.boxPoints(cv2.minAreaRect(points)).tolist()
    return (first[0], first[1]), (second[0], second[1]), (third[0], third[1]), (fourth[0], fourth[1])


def _load_pyzbar() -> Any:
    """Import pyzbar at first use; None where its system library is missing (it raises ImportError itself)."""
    try:
        from pyzbar import pyzbar
    except ImportError:
        return None
    return pyzbar
