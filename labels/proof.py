"""Read a label's codes back from its raster before it is printed: what cannot prove itself is not sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import zxingcpp

from labels.geometry import SymbolKind
from labels.raster import Raster

LEAST_UNUSED = 0.99
"""Of the error correction of a Data Matrix nobody has printed yet: what is drawn right needs none of it."""
IDENTIFIERS: Mapping[SymbolKind, str] = MappingProxyType({SymbolKind.DATA_MATRIX: "]d1", SymbolKind.CODE_128: "]C0"})
"""ISO/IEC 15424: Data Matrix ECC 200 without ECI or FNC1, Code 128 without FNC1."""
_FORMATS = zxingcpp.barcode_formats_from_str("DataMatrix,Code128")


@dataclass(frozen=True, slots=True)
class Proof:
    """What was read from the raster of a label with a code; `fault` says what is wrong, and is empty where nothing is."""

    code: str
    texts: tuple[str, ...]
    fault: str

    @property
    def passed(self) -> bool:
        """Tell whether both symbols, and nothing else, say exactly the code."""
        return not self.fault


def prove(raster: Raster, code: str) -> Proof:
    """Decode both symbols of the raster and hold them against the code; about 2 ms."""
    found = zxingcpp.read_barcodes(
        raster.to_image().convert("L"),
        formats=_FORMATS,
        try_rotate=False,
        try_downscale=False,
        try_invert=False,
    )
    read = [barcode for barcode in found if barcode.valid]
    texts = tuple(sorted(bytes(barcode.bytes).decode("latin-1") for barcode in read))
    return Proof(code, texts, _fault(read, code))


def _fault(read: list[zxingcpp.Barcode], code: str) -> str:
    """Say what does not prove the code; empty where all does."""
    for barcode in read:
        if bytes(barcode.bytes) != code.encode("ascii"):
            return f"a code on it reads as {bytes(barcode.bytes)!r}"
    seen = sorted(barcode.symbology_identifier for barcode in read)
    if seen != sorted(IDENTIFIERS.values()):
        return f"its symbols read as {', '.join(seen) or 'nothing'} and not as ]d1 and ]C0, each once"
    unused = next(_unused(barcode) for barcode in read if barcode.symbology_identifier == "]d1")
    return f"its Data Matrix leaves {unused:.2f} of its error correction unused" if unused < LEAST_UNUSED else ""


def _unused(barcode: zxingcpp.Barcode) -> float:
    extra = barcode.extra
    return float(extra.get("UEC", 0)) if isinstance(extra, dict) else 0.0
