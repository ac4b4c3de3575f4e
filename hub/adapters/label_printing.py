"""Labels of manual packs go to the label printer, one after the other; printed means that the printer said so.

The printer's address says which way they go: to the printer itself, or as commands to its bridge over MQTT.
"""

import time
from datetime import UTC, datetime
from typing import Protocol

from firmware_bridge import contract
from firmware_bridge.print_contract import decode_print_event
from firmware_bridge.printer_bridge import description_of
from firmware_bridge.printer_core import PrinterCore
from firmware_bridge.printer_line import PrinterLine
from firmware_bridge.printer_spool import PrintSpool
from firmware_bridge.printer_status import PrinterLanguage
from hub.adapters.print_commands import book, next_command
from hub.adapters.print_link import PrintLink, is_by_mqtt
from hub.adapters.writer import Writer
from hub.domain.identifiers import DeviceId
from hub.services.devices import device_reported
from hub.services.house import House

SPOOL = "printing.sqlite"


def printer_address(url: str) -> tuple[PrinterLanguage, str]:
    """Return the language and the line of a printer on this box: `zpl+` before an address is ZPL, without it is ESC/POS."""
    language, plus, address = url.partition("+")
    if plus and language in set(PrinterLanguage):
        return PrinterLanguage(language), address
    return PrinterLanguage.ESCPOS, url


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
    """The printer on TCP or a serial line of this very box: the core of a printer's bridge, without a broker in between.

    Its spool lies beside the store. What was begun in it and not ended when the hub went is in doubt at the next start.
    """

    def __init__(self, writer: Writer, device: DeviceId, url: str) -> None:
        self._writer = writer
        self._device = device
        self._spool = PrintSpool(writer.path.with_name(SPOOL))
        self._books = Books(writer, device, self._spool)
        self._language, address = printer_address(url)
        line, told = PrinterLine(address, self._language), description_of(self._language)
        self._core = PrinterCore(device, self._spool, self._books, line, told, lambda: datetime.now(UTC), lambda: None)
        self._core.recover()

    def work(self) -> bool:
        """Look at the printer when it is time, book what is not booked yet, and print the first label that waits."""
        self._core.turn(set(), time.monotonic())
        if not self._core.is_ready:
            return False
        command = next_command(self._writer, self._device, self._language)
        if command is None:
            return False
        self._spool.take(self._device, command)
        printed = self._books.printed
        self._core.turn(set(), time.monotonic())
        return self._books.printed > printed

    def stop(self) -> None:
        """Close the spool."""
        self._spool.close()


class Books:
    """What is outside of the printer's core here: the hub's own books, which are never away."""

    is_connected = True
    hub_is_lost = False
    denials = unreadable = refused = not_taken = 0

    def __init__(self, writer: Writer, device: DeviceId, spool: PrintSpool) -> None:
        self._writer, self._device, self._spool = writer, device, spool
        self.printed = 0

    def publish(self, leaf: str, message: bytes, *, retain: bool = False) -> bool:
        """Book an outcome and forget it, or show the printer's status on the board."""
        if leaf == "print/evt":
            self._book(message)
        elif leaf == "status":
            report = contract.decode_status(message)
            state = report.state if report.link == "up" else "link-down"
            self._writer.submit(
                "system", lambda unit: device_reported(unit, self._device, state, message.decode())
            ).result()
        return True

    def publish_state(self, state: str) -> None:
        """Nobody waits for the birth of a printer that the hub drives itself."""

    def _book(self, message: bytes) -> None:
        event = decode_print_event(message)
        self._writer.submit(f"device:{self._device}", lambda unit: book(unit, self._device, event)).result()
        self._spool.acknowledge(self._device, event.command)
        self.printed += event.kind == "printed"
