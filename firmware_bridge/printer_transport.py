"""The line to a label printer, TCP or serial: bytes there and back, each call with an end in time."""

import socket
from typing import Protocol
from urllib.parse import urlsplit

import serial

TCP_PORT = 9100
BAUD = 115200
CONNECT_TIMEOUT_S = 2.0
ANSWER_LIMIT_BYTES = 4096
BITS_PER_BYTE = 10
"""On a serial line: a start bit, eight of data, a stop bit."""


class Unreachable(Exception):
    """The line to the printer could not be opened; nothing was sent."""


class Transport(Protocol):
    """Bytes to and from a printer; every call ends within its timeout. Raises OSError when the line is gone."""

    def write(self, data: bytes, timeout_s: float) -> None:
        """Send everything or raise."""

    def read(self, timeout_s: float) -> bytes:
        """Wait for something; empty when nothing came in time."""

    def close(self) -> None:
        """Let the line go."""


class TcpTransport:
    """The raw port 9100 of a network printer."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._socket = socket.create_connection((host, port), timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, data: bytes, timeout_s: float) -> None:
        """Send everything; TimeoutError (an OSError) when the printer does not take it in time."""
        self._socket.settimeout(timeout_s)
        self._socket.sendall(data)

    def read(self, timeout_s: float) -> bytes:
        """Wait for something; ConnectionError when the printer hung up."""
        self._socket.settimeout(max(timeout_s, 0.001))
        try:
            data = self._socket.recv(ANSWER_LIMIT_BYTES)
        except TimeoutError:
            return b""
        if not data:
            raise ConnectionResetError("the printer ended the connection")
        return data

    def close(self) -> None:
        """End the connection."""
        self._socket.close()


class SerialTransport:
    """A serial printer, by device path or any URL that pyserial knows; its exceptions are OSErrors."""

    def __init__(self, url: str, baud: int) -> None:
        self._port = serial.serial_for_url(url, baudrate=baud, timeout=0)

    def write(self, data: bytes, timeout_s: float) -> None:
        """Send everything; SerialTimeoutException (an OSError) when the printer does not take it in time."""
        self._port.write_timeout = timeout_s
        self._port.write(data)

    def read(self, timeout_s: float) -> bytes:
        """Wait for one byte and take what is there with it."""
        self._port.timeout = timeout_s
        first: bytes = self._port.read(1)
        if not first:
            return b""
        self._port.timeout = 0
        return first + bytes(self._port.read(ANSWER_LIMIT_BYTES))

    def close(self) -> None:
        """Close the port."""
        self._port.close()


def open_transport(url: str, baud: int, timeout_s: float) -> Transport:
    """Open `tcp://host:9100`, or a serial path or URL; raises OSError, and ValueError for an address that is none."""
    if not is_tcp(url):
        return SerialTransport(url, baud)
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("no host in the address")
    return TcpTransport(parts.hostname, parts.port or TCP_PORT, timeout_s)


def is_tcp(url: str) -> bool:
    """Tell whether an address is one of the network."""
    return url.startswith("tcp://")


def carrying_s(url: str, baud: int, size: int) -> float:
    """Return how long so many bytes take on the line: a serial one has a speed, the network is not counted."""
    return 0.0 if is_tcp(url) else size * BITS_PER_BYTE / baud
