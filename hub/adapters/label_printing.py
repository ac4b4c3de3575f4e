"""Labels of manual packs go to the label printer, one after the other; printed means that the printer said so.

The printer's address says which way they go: bytes to the printer itself, or commands to its bridge over MQTT.
"""

import base64
from collections.abc import Sequence
from typing import Protocol

from devices.errors import DeviceError
from devices.label_printer import LabelPrinter
from hub.adapters.print_link import PrintLink, is_by_mqtt
from hub.adapters.printed_labels import Trouble, keep_printed, keep_trouble, process_id, waiting_labels
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.identifiers import DeviceId
from hub.domain.records import Print
from hub.services.house import House

PRINT_TIMEOUT_S = 20.0
AT_ONCE = 32


class Way(Protocol):
    """How labels get to the printer."""

    def work(self) -> bool:
        """Do what can be done now; True while labels come out."""

    def stop(self) -> None:
        """Let go of the printer."""


class LabelPrinting:
    """Prints what waits for one printer; `work` returns True while labels come out."""

    def __init__(self, writer: Writer, house: House, url: str) -> None:
        self._way: Way = (
            PrintLink(writer, house.printer, url) if is_by_mqtt(url) else DirectPrinting(writer, house.printer, url)
        )

    def work(self) -> bool:
        """Print; a printer that does not print keeps its labels waiting and is shown on the board."""
        return self._way.work()

    def stop(self) -> None:
        """Let go of the printer."""
        self._way.stop()


class DirectPrinting:
    """The printer on TCP or a serial line of this very box."""

    def __init__(self, writer: Writer, device: DeviceId, url: str) -> None:
        self._writer = writer
        self._device = device
        self._printer = LabelPrinter(url)

    def work(self) -> bool:
        """Print up to thirty-two labels; the first that does not come out ends the round."""
        waiting = self._writer.submit_read(lambda unit: waiting_labels(unit, self._device, AT_ONCE)).result()
        done: list[Print] = []
        trouble: Trouble | None = None
        for label in waiting:
            trouble = self._print(label)
            if trouble is not None:
                break
            done.append(label)
        if waiting:
            self._writer.submit("system", lambda unit: self._keep(unit, done, trouble)).result()
        return bool(done) and trouble is None

    def stop(self) -> None:
        """Nothing is held between two labels."""

    def _print(self, label: Print) -> Trouble | None:
        raster = base64.b64decode(label.raster)
        try:
            receipt = self._printer.print_raster(label.width, label.height, raster, process_id(label), PRINT_TIMEOUT_S)
        except DeviceError as error:
            return Trouble(label, str(error), in_doubt=False)
        if receipt.printed:
            return None
        reason = receipt.reason if receipt.in_doubt else f"{receipt.state.value}: {receipt.reason}"
        return Trouble(label, reason, receipt.in_doubt)

    def _keep(self, unit: SqlUnitOfWork, done: Sequence[Print], trouble: Trouble | None) -> None:
        if done:
            keep_printed(unit, self._device, done)
        if trouble is not None:
            keep_trouble(unit, self._device, trouble)
