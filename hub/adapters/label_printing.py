"""Labels of manual packs go to the label printer, one after the other; printed means that the printer said so."""

import base64
import logging
from dataclasses import replace

from devices.errors import DeviceError
from devices.label_printer import LabelPrinter
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.packs import PackState
from hub.domain.records import Print
from hub.services.devices import device_reported
from hub.services.house import House

_log = logging.getLogger(__name__)
PRINT_TIMEOUT_S = 20.0
AT_ONCE = 32


class LabelPrinting:
    """Prints what waits for one printer; `work` returns True while labels come out."""

    def __init__(self, writer: Writer, house: House, url: str) -> None:
        self._writer = writer
        self._device = house.printer
        self._printer = LabelPrinter(url)

    def work(self) -> bool:
        """Print up to thirty-two labels; a printer that does not print keeps them waiting and is shown on the board."""
        waiting = self._writer.submit_read(self._waiting).result()
        done: list[Print] = []
        problem = ""
        for label in waiting:
            problem = self._print(label)
            if problem:
                break
            done.append(replace(label, printed=True, tries=label.tries + 1))
        if done or problem:
            self._writer.submit("system", lambda unit: self._keep(unit, done, problem)).result()
        return bool(done) and not problem

    def _print(self, label: Print) -> str:
        """Print one label; returns the trouble, or an empty text."""
        process_id = label.digest[:4].encode()
        try:
            receipt = self._printer.print_raster(
                label.width, label.height, base64.b64decode(label.raster), process_id, PRINT_TIMEOUT_S
            )
        except DeviceError as error:
            return str(error)
        return "" if receipt.printed else f"{receipt.state.value}: {receipt.reason}"

    def _waiting(self, unit: SqlUnitOfWork) -> list[Print]:
        """Return labels of trays and of packs that are still wanted; one whose pack was called off is passed over."""
        labels = unit.prints.where(device=self._device, printed=False, order_by="pack")
        return [label for label in labels if (pack := unit.packs.get(label.pack)) is None or pack.state is PackState.EXPECTED][:AT_ONCE]

    def _keep(self, unit: SqlUnitOfWork, done: list[Print], problem: str) -> None:
        unit.prints.put_many(done)
        unit.record_many(
            "label-printed", [{"pack": label.pack, "label": label.digest, "device": label.device} for label in done]
        )
        device_reported(unit, self._device, problem or "ready", "")
