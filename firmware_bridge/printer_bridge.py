"""One printer's bridge as it runs: a thread around the core, with the real line, broker and clocks."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from firmware_bridge.broker import Broker, BrokerAddress, Handlers
from firmware_bridge.contract import Description
from firmware_bridge.inbox import Inbox, Sign
from firmware_bridge.machine_voice import VERSION
from firmware_bridge.printer_core import PrinterCore
from firmware_bridge.printer_intake import PrintIntake
from firmware_bridge.printer_line import PrinterLine
from firmware_bridge.printer_spool import PrintSpool
from firmware_bridge.printer_status import PrinterLanguage


@dataclass(frozen=True)
class PrinterSettings:
    """Name in topics, `tcp://host:port` or serial path or URL, baud rate of a serial line, what it is spoken to in."""

    id: str
    url: str
    baud: int
    language: PrinterLanguage = PrinterLanguage.ESCPOS


class PrinterBridge:
    """One printer between its line and the broker; `run` is the body of its thread."""

    def __init__(
        self,
        settings: PrinterSettings,
        site: str,
        address: BrokerAddress,
        spool: PrintSpool,
        on_ready: Callable[[], None],
    ) -> None:
        self._inbox = Inbox()
        self._intake = PrintIntake(spool, settings.id, self._inbox, language=settings.language)
        handlers = Handlers(
            {"print/cmd": self._intake.command, "print/ack": self._intake.acknowledgement},
            connection_changed=lambda: self._inbox.leave(Sign.BROKER),
            hub_changed=lambda: self._inbox.leave(Sign.HUB),
        )
        self._broker = Broker(address, site, settings.id, handlers)
        self._stopping = threading.Event()
        self.turned_at_s = time.monotonic()
        line = PrinterLine(settings.url, settings.language, baud=settings.baud, alive=self._turn)
        told = description_of(settings.language)
        self._core = PrinterCore(settings.id, spool, self, line, told, lambda: datetime.now(UTC), on_ready)

    def stop(self) -> None:
        """Let `run` return soon; may be called from any thread."""
        self._stopping.set()
        self._inbox.leave(Sign.STOP)

    def run(self) -> None:
        """Serve the printer until `stop`."""
        self._core.recover()
        self._broker.start()
        try:
            while not self._stopping.is_set():
                _, signs = self._inbox.take(self._core.sleep_s())
                self._core.turn(signs, time.monotonic())
                self._turn()
        finally:
            self._broker.stop()

    def _turn(self) -> None:
        """Note that the loop lives: a long label on a slow line is no loop that hangs."""
        self.turned_at_s = time.monotonic()

    # What is outside of the core

    @property
    def is_connected(self) -> bool:
        """Tell whether messages can leave now."""
        return self._broker.is_connected

    @property
    def hub_is_lost(self) -> bool:
        """Tell whether the hub is known to be lost."""
        return self._broker.hub.is_lost

    @property
    def denials(self) -> int:
        """Return how often the broker refused something since the start; the log has the words."""
        return self._broker.denials.count

    @property
    def unreadable(self) -> int:
        """Return how many commands came of which not even the id could be read."""
        return self._intake.unreadable

    @property
    def refused(self) -> int:
        """Return how many commands were refused as they came since the start."""
        return self._intake.refused

    @property
    def not_taken(self) -> int:
        """Return how many commands came while too many were open."""
        return self._intake.not_taken

    def publish(self, leaf: str, message: bytes, *, retain: bool = False) -> bool:
        """Publish a message of this printer; False where it could not leave."""
        return self._broker.publish(leaf, message, retain=retain) is not None

    def publish_state(self, state: str) -> None:
        """Publish `init` or `ready` of the present session."""
        self._broker.publish_state(state)


def description_of(language: PrinterLanguage) -> Description:
    """Return what is told of a printer: its language; what it does not say of itself is empty or 0."""
    return Description(
        serial="",
        firmware="",
        protocol=language.protocol,
        schema_crc=0,
        boot=0,
        reset_cause="unknown",
        cassette_slots=0,
        label_width=0,
        capabilities=("print",),
        bridge=VERSION,
    )
