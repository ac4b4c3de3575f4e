"""Writes the ESC/POS bytes of a label: one raster becomes one label. `firmware_bridge.printer_conversation` sends them."""

from devices.escpos_writer import label_bytes
from firmware_bridge.printer_status import process_id_request
from labels.raster import Raster

HIGHEST_RASTER_DOTS = 2303
"""Of one `GS v 0` on common print heads; python-escpos would cut a higher one in two."""


def job_bytes(raster: Raster, process_id: bytes) -> bytes:
    """Write one label: `ESC @`, one `GS v 0`, `GS V` (feed to the cutter, cut), `GS ( H`; raises ValueError."""
    if raster.height > HIGHEST_RASTER_DOTS:
        raise ValueError(f"a label of {raster.height} dots is higher than {HIGHEST_RASTER_DOTS}")
    return label_bytes(raster) + process_id_request(process_id)
