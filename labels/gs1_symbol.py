"""A GS1 code as a square Data Matrix: drawn with a real FNC1 and read back before anybody prints it."""

import zxingcpp
from PIL import Image

from labels.errors import LabelOverflow
from labels.gs1 import UnwritableElement, spelled
from labels.symbols import Symbol

MODULE_DOTS = 4
"""0.5 mm at 203 dpi: within the 0.255 to 0.615 mm of the medicine code, and 4 dots survive a dead one."""
MOST_MODULES = 40
_FORMATS = zxingcpp.barcode_formats_from_str("DataMatrix")
_PROOF_SCALE = 4


def gs1_data_matrix(element_string: str, module_dots: int = MODULE_DOTS) -> Symbol:
    """Draw an element string with FNC1 at its beginning; raise UnwritableElement where it does not read back as it is, LabelOverflow where it is too large."""
    try:
        barcode = zxingcpp.create_barcode(_bracketed(element_string), zxingcpp.BarcodeFormat.DataMatrix, gs1=True, force_square=True)
    except ValueError as error:
        raise UnwritableElement(f"{element_string!r}: {error}") from error
    modules = Image.fromarray(barcode.to_image(scale=1, add_quiet_zones=False))
    if max(modules.size) > MOST_MODULES or modules.width != modules.height:
        raise LabelOverflow(f"the Data Matrix of {element_string!r} has {modules.width} x {modules.height} modules")
    _prove(barcode, element_string)
    dots = modules.width * module_dots
    ink = modules.point(lambda value: 0 if value else 255, "1")
    return Symbol(ink.resize((dots, dots), Image.Resampling.NEAREST))


def _prove(barcode: zxingcpp.Barcode, element_string: str) -> None:
    read = zxingcpp.read_barcodes(barcode.to_image(scale=_PROOF_SCALE), formats=_FORMATS)
    told = [(bytes(code.bytes).decode("ascii", "replace"), code.symbology_identifier) for code in read]
    if told != [(element_string, "]d2")]:
        raise UnwritableElement(f"{element_string!r} reads back as {told!r}")


def _bracketed(element_string: str) -> str:
    """Return the form that the writer takes: identifiers in brackets, which no value can hold."""
    return "".join(f"[{identifier}]{value}" for identifier, value in spelled(element_string))
