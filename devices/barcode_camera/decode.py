"""Reads the codes in a grey picture: Data Matrix by zxing-cpp, Code 128 by zbar as a second, independent reader.

zxing-cpp is the reader of record. libdmtx and `cv2.barcode` are left out on purpose: both return wrong contents for
readable codes. Blurring comes before plain reading because noise costs more time and more codes than softness does.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import zxingcpp

from devices.barcode_camera.frame import Grey

DATA_MATRIX, CODE_128 = "]d1", "]C0"
SERIAL_SYMBOLOGIES = frozenset({DATA_MATRIX, CODE_128})
"""Symbology identifiers (ISO/IEC 15424) of our own labels: ECC 200 and Code 128 without FNC1."""



@dataclass(frozen=True)
class CodeRead:
    """One code: its content, ISO/IEC 15424 identifier, unused share of error correction (0..1, or None), and reader."""

    payload: str
    symbology: str
    unused_error_correction: float | None
    reader: str


def second_reader_missing() -> str | None:
    """Say why there is no second reader, or None where it works: zbar is a system library that may not be there."""
    return None if _load_pyzbar() is not None else "pyzbar or its library libzbar0 is not installed"


def read_data_matrix(grey: Grey, half: Grey | None = None) -> tuple[CodeRead, ...]:
    """Read the Data Matrix symbols of a picture: half size, then softened, then as it is; the first that reads ends it."""
    found = read_half_size(half if half is not None else _halve(grey))
    found = found or _matrix_codes(soften(grey), "zxing-cpp/soft", invert=False, downscale=True)
    return found or _matrix_codes(grey, "zxing-cpp/plain", invert=True, downscale=True)


def read_half_size(half: Grey) -> tuple[CodeRead, ...]:
    """Read the Data Matrix symbols of a picture of half size: the first and by far the cheapest step."""
    return _matrix_codes(half, "zxing-cpp/half", invert=False, downscale=False)


def soften(grey: Grey) -> Grey:
    """Blur lightly (5 x 5, sigma 1)."""
    return np.asarray(cv2.GaussianBlur(grey, (5, 5), 1.0), np.uint8)


def _halve(grey: Grey) -> Grey:
    height, width = grey.shape[:2]
    return np.asarray(cv2.resize(grey, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)


def _matrix_codes(grey: Grey, reader: str, *, invert: bool, downscale: bool) -> tuple[CodeRead, ...]:
    """Read with one setting; what is not printable ASCII is no code of the trade's and is left out."""
    found: list[Any] = list(zxingcpp.read_barcodes(
        grey, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.DataMatrix), try_invert=invert, try_downscale=downscale,
    ))
    reads = []
    for barcode in found:
        payload = _ascii(bytes(barcode.bytes))
        if barcode.valid and payload:
            unused = barcode.extra.get("UEC")
            reads.append(CodeRead(payload, str(barcode.symbology_identifier), unused, reader))
    return _distinct(reads)


def read_code_128(grey: Grey) -> tuple[CodeRead, ...]:
    """Read Code 128 symbols with zbar, bars upright; nothing where zbar is missing.

    Bars are tall and their modules barely two pixels wide: rows are averaged by four, half of them read, widths doubled.
    """
    pyzbar = _load_pyzbar()
    if pyzbar is None:
        return ()
    height, width = grey.shape[:2]
    rows = cv2.resize(grey, (width, max(1, height // 4)), interpolation=cv2.INTER_AREA)[::2]
    rows = cv2.resize(rows, (width * 2, rows.shape[0]), interpolation=cv2.INTER_LINEAR)
    symbols = pyzbar.decode(rows, symbols=[pyzbar.ZBarSymbol.CODE128])
    payloads = [_ascii(bytes(symbol.data)) for symbol in symbols]
    return _distinct([CodeRead(payload, CODE_128, None, "zbar") for payload in payloads if payload])


def _load_pyzbar() -> Any:
    """Import pyzbar at first use; None where its system library is missing (it raises ImportError itself)."""
    try:
        from pyzbar import pyzbar
    except ImportError:
        return None
    return pyzbar


def _ascii(raw: bytes) -> str:
    return raw.decode("ascii") if raw and all(0x20 <= byte < 0x7F for byte in raw) else ""


def _distinct(reads: list[CodeRead]) -> tuple[CodeRead, ...]:
    """Keep one read of each content and symbology."""
    return tuple({(read.symbology, read.payload): read for read in reversed(reads)}.values())[::-1]
