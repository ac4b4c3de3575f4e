"""One serial port by URL (device path, pty, `socket://host:port`): bytes in by a reader thread, every failure one PortLost.

A lost port moves nothing in the room: the machine goes on with the jobs it has accepted and keeps its events.
"""

import contextlib
import threading
from collections.abc import Callable

import serial

from firmware_bridge.surroundings import PortLost

READ_WAIT_S = 0.25
WRITE_TIMEOUT_S = 1.0
CHUNK_BYTES = 4096


class SerialPort:
    """An open port; `on_bytes` and `on_lost` are called from its reader thread."""

    def __init__(
        self, url: str, baud: int, on_bytes: Callable[[bytes], None], on_lost: Callable[[PortLost], None]
    ) -> None:
        """Open the port and start reading; raise PortLost."""
        self._on_bytes = on_bytes
        self._on_lost = on_lost
        self._closing = threading.Event()
        self._port = _open(url, baud)
        self._reader = threading.Thread(target=self._read, name=f"read {url}", daemon=True)
        self._reader.start()

    def write(self, data: bytes) -> None:
        """Write all bytes; raise PortLost, also when the other side takes none for a second."""
        try:
            self._port.write(data)
        except OSError as error:
            raise PortLost(f"write: {error}") from error

    def close(self) -> None:
        """Stop reading and close; nothing is called afterwards."""
        self._closing.set()
        if isinstance(self._port, serial.Serial):
            with contextlib.suppress(OSError):
                self._port.cancel_read()
        self._reader.join()
        with contextlib.suppress(OSError):
            self._port.close()

    def _read(self) -> None:
        try:
            while not self._closing.is_set():
                data = self._port.read(1)
                while data and len(data) < CHUNK_BYTES and (waiting := self._port.in_waiting):
                    data += self._port.read(waiting)
                if data:
                    self._on_bytes(data)
        except OSError as error:
            if not self._closing.is_set():
                self._on_lost(PortLost(f"read: {error}"))


def _open(url: str, baud: int) -> serial.Serial:
    try:
        port = serial.serial_for_url(url, baudrate=baud, timeout=READ_WAIT_S, exclusive=True)
        if not url.startswith("rfc2217://"):
            port.write_timeout = WRITE_TIMEOUT_S
    except (OSError, ValueError) as error:
        raise PortLost(f"open {url}: {error}") from error
    # A pty or a serial server has neither modem lines nor a latency timer (ENOTTY): go on without.
    if isinstance(port, serial.Serial):
        with contextlib.suppress(OSError, ValueError, NotImplementedError):
            port.set_low_latency_mode(True)
    return port
