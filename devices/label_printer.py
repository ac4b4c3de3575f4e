"""Drives an ESC/POS label printer: one raster becomes one label, by the conversation that the bridge holds too.

It never repeats a print by itself. `Unreachable` means nothing was sent; a receipt `in_doubt` means that a label may
lie in the tray, or may still come out when paper is put in: a person looks. Silence is UNKNOWN, never "paper ok".
"""

from devices.errors import CoverOpen, DeviceError, DeviceTimeout, OutOfOrder, OutOfPaper, Refused, Unreachable
from devices.escpos_writer import label_bytes
from firmware_bridge import printer_conversation
from firmware_bridge.printer_conversation import ANSWER_TIMEOUT_S, BAUD, CONNECT_TIMEOUT_S, PrinterLine, PrintReceipt
from firmware_bridge.printer_status import PrinterState, PrinterStatus, process_id_request
from labels.raster import Raster

HIGHEST_RASTER_DOTS = 2303
"""Of one `GS v 0` on common print heads; python-escpos would cut a higher one in two."""
_ERRORS: dict[PrinterState, type[DeviceError]] = {
    PrinterState.OUT_OF_PAPER: OutOfPaper,
    PrinterState.COVER_OPEN: CoverOpen,
    PrinterState.OUT_OF_ORDER: OutOfOrder,
    PrinterState.UNKNOWN: DeviceTimeout,
}


class LabelPrinter:
    """A label printer at `tcp://host:9100`, or at a serial path or URL; each call opens and closes the line."""

    def __init__(
        self,
        url: str,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        baud: int = BAUD,
    ) -> None:
        self._line = PrinterLine(url, connect_timeout_s=connect_timeout_s, answer_timeout_s=answer_timeout_s, baud=baud)

    def status(self) -> PrinterStatus:
        """Ask `DLE EOT` 1 .. 4; what is not answered is unknown. Raises Unreachable."""
        try:
            return self._line.status()
        except printer_conversation.Unreachable as error:
            raise Unreachable(str(error)) from error

    def print_raster(
        self, raster_width: int, raster_height: int, bits: bytes, process_id: bytes, timeout_s: float
    ) -> PrintReceipt:
        """Print one label and wait until the printer names `process_id` (four characters 20 .. 7E).

        Nothing is sent to a printer that is not READY. Raises Unreachable, and ValueError for what is no raster.
        """
        job = job_bytes(Raster(raster_width, raster_height, bits), process_id)
        try:
            return self._line.print_job(job, process_id, timeout_s)
        except printer_conversation.Unreachable as error:
            raise Unreachable(str(error)) from error


def require_printed(receipt: PrintReceipt) -> None:
    """Raise the error that fits a receipt, unless its label is printed."""
    if not receipt.printed:
        raise DeviceTimeout(receipt.reason) if receipt.in_doubt else _ERRORS.get(receipt.state, Refused)(receipt.reason)


def job_bytes(raster: Raster, process_id: bytes) -> bytes:
    """Write one label: `ESC @`, one `GS v 0`, `GS V` (feed to the cutter, cut), `GS ( H`; raises ValueError."""
    if raster.height > HIGHEST_RASTER_DOTS:
        raise ValueError(f"a label of {raster.height} dots is higher than {HIGHEST_RASTER_DOTS}")
    return label_bytes(raster) + process_id_request(process_id)
