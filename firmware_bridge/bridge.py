"""One machine's bridge as it runs: a thread around the core, with the real port, broker and clocks."""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from firmware_bridge.broker import Broker, BrokerAddress, Handlers
from firmware_bridge.contract import encode, named_command
from firmware_bridge.inbox import Inbox, Sign
from firmware_bridge.intake import Intake
from firmware_bridge.machine_core import MachineCore, MachineSettings
from firmware_bridge.serial_port import SerialPort
from firmware_bridge.service_answers import refused
from firmware_bridge.service_desk import NOT_AT_ONCE
from firmware_bridge.spool import Spool

logger = logging.getLogger(__name__)


class MachineBridge:
    """One machine between its serial port and the broker; `run` is the body of its thread."""

    def __init__(
        self, settings: MachineSettings, site: str, address: BrokerAddress, spool: Spool, on_ready: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._inbox = Inbox()
        intake = Intake(spool, settings.id, self._inbox)
        handlers = Handlers(
            {"job/cmd": intake.command, "job/ack": intake.acknowledgement, "svc/cmd": self._service_came},
            connection_changed=lambda: self._inbox.leave(Sign.BROKER),
            hub_changed=lambda: self._inbox.leave(Sign.HUB),
        )
        self._broker = Broker(address, site, settings.id, handlers)
        self._port: SerialPort | None = None
        self._stopping = threading.Event()
        self.turned_at_s = time.monotonic()
        self._core = MachineCore(settings, spool, self, on_ready)

    def stop(self) -> None:
        """Let `run` return soon; may be called from any thread."""
        self._stopping.set()
        self._inbox.leave(Sign.STOP)

    def run(self) -> None:
        """Serve the machine until `stop`."""
        self._broker.start()
        try:
            while not self._stopping.is_set():
                data, signs = self._inbox.take(self._core.sleep_s(time.monotonic()))
                self._core.turn(data, signs, time.monotonic(), datetime.now(UTC))
                self.turned_at_s = time.monotonic()
        finally:
            self._core.close_port()
            self._broker.stop()

    def _service_came(self, message: bytes) -> None:
        if not self._inbox.leave_service(message):
            logger.error("%s: service command %r refused: too many at once", self._settings.id, named_command(message))
            self._broker.publish("svc/evt", encode(refused(named_command(message), NOT_AT_ONCE)))

    # The surroundings of the core

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

    def take_service(self) -> list[bytes]:
        """Return the messages of `svc/cmd` since the last call."""
        return self._inbox.take_service()

    def publish(self, leaf: str, message: bytes, *, retain: bool = False) -> bool:
        """Publish a message of this machine; False where it could not leave."""
        return self._broker.publish(leaf, message, retain=retain) is not None

    def publish_state(self, state: str) -> None:
        """Publish `init` or `ready` of the present session."""
        self._broker.publish_state(state)

    def open_port(self) -> None:
        """Open the port and begin to read; raise PortLost."""
        self._inbox.drop_bytes()
        self._port = SerialPort(
            self._settings.url,
            self._settings.baud,
            on_bytes=self._inbox.leave_bytes,
            on_lost=lambda _error: self._inbox.leave(Sign.PORT_LOST),
        )

    def close_port(self) -> None:
        """Close the port; no byte of it comes afterwards."""
        if self._port is not None:
            self._port.close()
            self._port = None

    def write(self, data: bytes) -> None:
        """Write all bytes; raise PortLost."""
        if self._port is not None:
            self._port.write(data)

    def new_session(self) -> int:
        """Return a fresh random session id."""
        return secrets.randbelow(0xFFFF) + 1
