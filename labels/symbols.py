"""The two codes of a serial as black modules: a square Data Matrix, and Code 128 for scanners that read lines only."""

from dataclasses import dataclass

import zxingcpp
from PIL import Image

from labels.errors import LabelOverflow

DATA_MATRIX_MODULE_DOTS = 5
"""0.625 mm: read by the pouch camera through blur and print faults better than 4 dots and than QR of the same size."""
DATA_MATRIX_QUIET_MODULES = 2
"""ISO/IEC 16022 asks for one; the second keeps the neighbours off."""
DATA_MATRIX_MODULES = 16
CODE_128_MODULE_DOTS = 2
CODE_128_QUIET_MODULES = 10
"""ISO/IEC 15417."""
CODE_128_MODULES = 167
"""Twelve characters, start, check (11 modules each) and stop (13)."""

DATA_MATRIX_BOX_DOTS = (DATA_MATRIX_MODULES + 2 * DATA_MATRIX_QUIET_MODULES) * DATA_MATRIX_MODULE_DOTS
CODE_128_BOX_DOTS = (CODE_128_MODULES + 2 * CODE_128_QUIET_MODULES) * CODE_128_MODULE_DOTS


@dataclass(frozen=True, slots=True)
class Symbol:
    """A code as a one-bit image, 1 = black, without its quiet zone."""

    image: Image.Image

    @property
    def size(self) -> tuple[int, int]:
        """Give width and height in dots."""
        return self.image.size


def data_matrix(serial: str) -> Symbol:
    """Draw a square Data Matrix (ECC 200) of at most 16 x 16 modules, 5 dots each; raises LabelOverflow."""
    barcode = zxingcpp.create_barcode(serial, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
    modules = _modules(barcode)
    width, height = modules.size
    if max(width, height) > DATA_MATRIX_MODULES:
        raise LabelOverflow(f"the Data Matrix of {serial!r} has {width} x {height} modules")
    dots = (width * DATA_MATRIX_MODULE_DOTS, height * DATA_MATRIX_MODULE_DOTS)
    return Symbol(modules.resize(dots, Image.Resampling.NEAREST))


def code_128(serial: str, height_dots: int) -> Symbol:
    """Draw Code 128 with lines of 2 dots a module and the height given; raises LabelOverflow."""
    modules = _modules(zxingcpp.create_barcode(serial, zxingcpp.BarcodeFormat.Code128))
    row = modules.crop((0, 0, modules.width, 1))
    if row.width > CODE_128_MODULES:
        raise LabelOverflow(f"the Code 128 of {serial!r} has {row.width} modules")
    return Symbol(row.resize((row.width * CODE_128_MODULE_DOTS, height_dots), Image.Resampling.NEAREST))


def _modules(barcode: zxingcpp.Barcode) -> Image.Image:
    """Draw one pixel a module; zxing-cpp paints black 0, a label's ink is 1."""
    grey = Image.fromarray(barcode.to_image(scale=1, add_quiet_zones=False))
    return grey.point(lambda value: 0 if value else 255, "1")
