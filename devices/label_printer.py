"""Writes the bytes of a label in its printer's language: one raster becomes one label. The bridge's conversation sends them."""

from devices import escpos_writer, zpl_writer
from firmware_bridge.printer_escpos import process_id_request
from firmware_bridge.printer_status import PrinterLanguage
from firmware_bridge.printer_zpl import verification_request
from labels.raster import Raster

HIGHEST_RASTER_DOTS = 2303
"""Of one `GS v 0` on common print heads; python-escpos would cut a higher one in two."""


def job_bytes(raster: Raster, process_id: bytes, language: PrinterLanguage = PrinterLanguage.ESCPOS) -> bytes:
    """Write one label that ends by asking for `process_id`; raises ValueError for one that the language has no room for.

    ESC/POS: `ESC @`, one `GS v 0`, `GS V` (feed to the cutter, cut), `GS ( H`. ZPL: `^XA`, `^GFA`, `^FN`, `^HV`, `^PQ1`, `^XZ`.
    """
    if language is PrinterLanguage.ZPL:
        return zpl_writer.label_format(raster) + verification_request(process_id)
    if raster.height > HIGHEST_RASTER_DOTS:
        raise ValueError(f"a label of {raster.height} dots is higher than {HIGHEST_RASTER_DOTS}")
    return escpos_writer.label_bytes(raster) + process_id_request(process_id)
