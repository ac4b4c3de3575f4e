"""The two symbols of a code as black modules: a square Data Matrix, and Code 128 for scanners that read lines only."""

import re
from dataclasses import dataclass

import zxingcpp
from PIL import Image

from labels.errors import LabelOverflow

SMALLEST_DATA_MATRIX_MODULE_DOTS = 5
"""0.625 mm: read by the pouch camera through blur and print faults better than 4 dots and than QR of the same size."""
DATA_MATRIX_QUIET_MODULES = 2
"""ISO/IEC 16022 asks for one; the second keeps the neighbours off."""
LEAST_DATA_MATRIX_MODULES = 10
SMALLEST_CODE_128_MODULE_DOTS = 2
CODE_128_QUIET_MODULES = 10
"""ISO/IEC 15417."""
LONGEST_CODE = 20
_CODE = re.compile(rf"[A-Za-z0-9-]{{1,{LONGEST_CODE}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A code as a one-bit image, 1 = black, without its quiet zone."""

    image: Image.Image

    @property
    def size(self) -> tuple[int, int]:
        """Give width and height in dots."""
        return self.image.size


def is_code(text: str) -> bool:
    """Tell whether a text may stand in a symbol: what a scanner types alike on every keyboard."""
    return _CODE.fullmatch(text) is not None


def data_matrix(code: str, module_dots: int, room_dots: int) -> Symbol:
    """Draw a square Data Matrix (ECC 200) for a box of `room_dots` with its quiet zone; raises LabelOverflow."""
    barcode = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
    modules = _modules(barcode)
    needed = (modules.width + 2 * DATA_MATRIX_QUIET_MODULES) * module_dots
    if modules.width != modules.height or needed > room_dots:
        raise LabelOverflow(f"code: the Data Matrix of {code!r} needs {needed} of {room_dots} dots")
    dots = (modules.width * module_dots, modules.height * module_dots)
    return Symbol(modules.resize(dots, Image.Resampling.NEAREST))


def code_128(code: str, module_dots: int, room_dots: int, height_dots: int) -> Symbol:
    """Draw Code 128 of a height for a box of `room_dots` with its quiet zones; raises LabelOverflow."""
    modules = _modules(zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.Code128))
    row = modules.crop((0, 0, modules.width, 1))
    needed = (row.width + 2 * CODE_128_QUIET_MODULES) * module_dots
    if needed > room_dots:
        raise LabelOverflow(f"code: the Code 128 of {code!r} needs {needed} of {room_dots} dots")
    return Symbol(row.resize((row.width * module_dots, height_dots), Image.Resampling.NEAREST))


def _modules(barcode: zxingcpp.Barcode) -> Image.Image:
    """Draw one pixel a module; zxing-cpp paints black 0, a label's ink is 1."""
    grey = Image.fromarray(barcode.to_image(scale=1, add_quiet_zones=False))
    return grey.point(lambda value: 0 if value else 255, "1")
