"""Writes a label's raster as ZPL: one format of `^GFA` graphics, each as hex digits or, where that is shorter, as `:Z64:`.

Settings that an earlier host may have left in the printer are set anew: origin, shift, orientation, mirror, reverse printing; and
`^JZN`, so that a label that stopped in the middle is never printed again by the printer itself.
"""

import base64
import binascii
import zlib

from labels.raster import Raster

HIGHEST_LABEL_DOTS = 32_000
"""Of `^LL`."""
GRAPHIC_LIMIT_BYTES = 99_999
"""Of one `^GF`; a larger raster is written as strips below each other."""
_SETTINGS = "^LH0,0^LS0^PON^PMN^LRN^JZN"


def label_format(raster: Raster) -> bytes:
    """Write `^XA`, the size, the settings and the graphics; the end of the format is the caller's. Raises ValueError."""
    if raster.height > HIGHEST_LABEL_DOTS:
        raise ValueError(f"a label of {raster.height} dots is higher than {HIGHEST_LABEL_DOTS}")
    graphics = "".join(_graphic(raster, first, rows) for first, rows in _strips(raster))
    return f"^XA^PW{raster.width}^LL{raster.height}{_SETTINGS}{graphics}".encode()


def _strips(raster: Raster) -> list[tuple[int, int]]:
    """Return the first row and the number of rows of each strip."""
    highest = GRAPHIC_LIMIT_BYTES // raster.row_bytes
    return [(first, min(highest, raster.height - first)) for first in range(0, raster.height, highest)]


def _graphic(raster: Raster, first: int, rows: int) -> str:
    row_bytes = raster.row_bytes
    bits = raster.bits[first * row_bytes : (first + rows) * row_bytes]
    return f"^FO0,{first}^GFA,{len(bits)},{len(bits)},{row_bytes},{min(_hex(bits), _packed(bits), key=len)}^FS"


def _hex(bits: bytes) -> str:
    return bits.hex().upper()


def _packed(bits: bytes) -> str:
    """Write `:Z64:`, base64 of the deflated bits, and the CRC-16 (polynomial 1021, from 0) of these characters."""
    text = base64.b64encode(zlib.compress(bits, 6))
    return f":Z64:{text.decode()}:{binascii.crc_hqx(text, 0):04X}"
