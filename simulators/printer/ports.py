"""The sockets of the printer: the network port and the serial one, with bytes that get lost on the way where that is ordered."""

import os
import select
import socket
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

from simulators.control import parse_address
from simulators.printer.lines import Line, Send

RECEIVE_BYTES = 4096
IDLE_TIMEOUT_S = 90.0
POLL_S = 0.2
PIECE_S = 0.02
BITS_PER_BYTE = 10
"""On a serial line: a start bit, eight of data, a stop bit."""

Speak = Callable[[Send], Line]
"""Begins a line over what sends its answers."""


class Gap:
    """Bytes that are lost on the way to the printer: `count` of them, after `after` more have come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._after = self._count = 0

    def order(self, after: int, count: int) -> None:
        """Lose bytes once; a later order takes the place of an earlier one."""
        with self._lock:
            self._after, self._count = after, count

    def through(self, data: bytes) -> bytes:
        """Give what arrives of the bytes that were sent."""
        with self._lock:
            if not self._count:
                return data
            kept = min(self._after, len(data))
            lost = min(self._count, len(data) - kept)
            self._after -= kept
            self._count -= lost
            return data[:kept] + data[kept + lost :]


class NetworkPort:
    """Port 9100: one connection at a time, as printers have it; the next one waits."""

    def __init__(self, address: str, speak: Speak, gap: Gap) -> None:
        self._speak, self._gap = speak, gap
        self._listener = socket.create_server(parse_address(address), backlog=16)
        self._listener.settimeout(POLL_S)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="port", daemon=True)

    def start(self) -> str:
        """Accept connections; returns the address."""
        self._thread.start()
        host, port = self._listener.getsockname()[:2]
        return f"tcp://{host}:{port}"

    def stop(self) -> None:
        """Close port and connection."""
        self._ended.set()
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            with connection:
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(POLL_S)
        line = self._speak(connection.sendall)
        idle_s = 0.0
        while not self._ended.is_set() and idle_s < IDLE_TIMEOUT_S:
            try:
                data = connection.recv(RECEIVE_BYTES)
            except TimeoutError:
                idle_s += POLL_S
                continue
            except OSError:
                break
            if not data:
                break
            idle_s = 0.0
            line.take(self._gap.through(data))


class SerialPort:
    """A pseudo terminal behind a symlink; no byte arrives before the line can have carried it at its speed.

    The far end is raw before anybody can open it, and stays open here, so that a host that comes and goes leaves no end-of-file.
    """

    def __init__(self, link: Path, baud: int, speak: Speak, gap: Gap) -> None:
        self._link, self._byte_s, self._gap = link, BITS_PER_BYTE / baud, gap
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        self._line = speak(self._send)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="serial port", daemon=True)

    def start(self) -> str:
        """Listen; returns the path."""
        fresh = self._link.with_name(f".{self._link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._far))
        fresh.replace(self._link)
        self._thread.start()
        return str(self._link)

    def stop(self) -> None:
        """Take the port away."""
        self._ended.set()
        self._thread.join()
        self._link.unlink(missing_ok=True)
        os.close(self._near)
        os.close(self._far)

    def _send(self, answer: bytes) -> None:
        os.write(self._near, answer)

    def _run(self) -> None:
        piece = max(1, min(RECEIVE_BYTES, round(PIECE_S / self._byte_s)))
        free_s = 0.0
        while not self._ended.is_set():
            if not select.select([self._near], [], [], POLL_S)[0]:
                continue
            begun_s = max(free_s, time.monotonic() - PIECE_S)
            data = os.read(self._near, piece)
            free_s = begun_s + len(data) * self._byte_s
            self._ended.wait(max(0.0, free_s - time.monotonic()))
            self._line.take(self._gap.through(data))
