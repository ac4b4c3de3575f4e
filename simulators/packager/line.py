"""The serial port the machine offers: a pseudo terminal or a TCP socket, and the pace of a UART that neither has."""

import os
import socket
import tty
from collections import deque
from pathlib import Path
from typing import Protocol

from simulators.control import parse_address

BITS_PER_BYTE = 10  # 8N1
BYTES_PER_S = 115200 / BITS_PER_BYTE
PIECE_BYTES = 256
READ_BYTES = 4096


class Pace:
    """Hold bytes back until a UART of `bytes_per_s` would have carried them; None carries at once.

    What is pushed beyond `limit` bytes is dropped, as a port without flow control does it.
    """

    def __init__(self, bytes_per_s: float | None, limit: int = 65536) -> None:
        self._bytes_per_s = bytes_per_s
        self._limit = limit
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._held = 0
        self._free_at = 0.0

    @property
    def due(self) -> float | None:
        """Tell when the next piece has been carried, in real seconds."""
        return self._pieces[0][0] if self._pieces else None

    def push(self, data: bytes, now: float) -> None:
        """Take bytes in at one end of the line; they arrive together, as a frame is of no use before its end."""
        if self._held + len(data) > self._limit:
            return
        size = len(data) if self._bytes_per_s is None else PIECE_BYTES
        for at in range(0, len(data), size or 1):
            piece = data[at : at + size]
            carry_s = 0.0 if self._bytes_per_s is None else len(piece) / self._bytes_per_s
            self._free_at = max(now, self._free_at) + carry_s
            self._pieces.append((self._free_at, piece))
            self._held += len(piece)

    def take(self, now: float) -> bytes:
        """Give what has arrived at the other end by `now`."""
        out = []
        while self._pieces and self._pieces[0][0] <= now:
            out.append(self._pieces.popleft()[1])
        arrived = b"".join(out)
        self._held -= len(arrived)
        return arrived


class Line(Protocol):
    """A port: descriptors to wait on, `read` when one is readable, `write` that never waits."""

    def descriptors(self) -> list[int]:
        """Give what to select on."""

    def read(self, descriptor: int) -> bytes:
        """Take what can be read from a descriptor that is ready."""

    def write(self, data: bytes) -> None:
        """Send what the other side has room for; the rest is lost, as on a UART nobody listens to."""

    def name(self) -> str:
        """Give the URL by which a bridge opens the port."""

    def unplug(self) -> None:
        """Take the port away: who has it open is hung up on, nobody can open it; safe to repeat."""

    def plug(self) -> None:
        """Bring the port back under the same name; safe to repeat."""

    def close(self) -> None:
        """Give the port up."""


class PtyLine:
    """A pseudo terminal behind a symlink that stays the same from one start to the next.

    The far end is set raw before anybody can open it (else the line discipline would echo our own bytes back), and stays
    open here, so that a host that comes and goes leaves no end-of-file behind.
    """

    def __init__(self, link: Path) -> None:
        self._link = link
        self._ends: tuple[int, int] | None = None
        self.plug()

    def plug(self) -> None:
        """Open a new terminal and let the symlink point at it."""
        if self._ends is not None:
            return
        near, far = self._ends = os.openpty()
        tty.setraw(far)
        os.set_blocking(near, False)
        self.device = os.ttyname(far)
        fresh = self._link.with_name(f".{self._link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self.device)
        fresh.replace(self._link)

    def unplug(self) -> None:
        """Close both ends, and take the symlink away if it still is ours."""
        ends, self._ends = self._ends, None
        if ends is None:
            return
        if self._link.is_symlink() and os.readlink(self._link) == self.device:
            self._link.unlink()
        for end in ends:
            os.close(end)

    def descriptors(self) -> list[int]:
        """Give what to select on."""
        return [] if self._ends is None else [self._ends[0]]

    def read(self, descriptor: int) -> bytes:
        """Take what the host wrote."""
        try:
            return os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> None:
        """Send what fits into the terminal's buffer; the rest is lost."""
        if self._ends is None:
            return
        try:
            os.write(self._ends[0], data)
        except BlockingIOError:
            return

    def name(self) -> str:
        """Give the path of the symlink."""
        return str(self._link)

    def close(self) -> None:
        """Give the terminal up."""
        self.unplug()


class TcpLine:
    """A raw TCP port, as a serial device server offers it; a second client takes the place of the first."""

    def __init__(self, address: str) -> None:
        self._listener = _bound(parse_address(address))
        self._listening = False
        self._client: socket.socket | None = None
        self.plug()

    def plug(self) -> None:
        """Listen."""
        if not self._listening:
            self._listener.listen()
            self._listening = True

    def unplug(self) -> None:
        """Hang up and refuse connections; the number stays ours, for nobody else is to answer at it."""
        if not self._listening:
            return
        self._drop()
        address = self._listener.getsockname()[:2]
        self._listener.close()
        self._listener, self._listening = _bound(address), False

    def descriptors(self) -> list[int]:
        """Give what to select on."""
        if not self._listening:
            return []
        return [self._listener.fileno(), *([self._client.fileno()] if self._client else [])]

    def read(self, descriptor: int) -> bytes:
        """Take a new client, or what the present one wrote."""
        if descriptor == self._listener.fileno():
            self._welcome()
            return b""
        client = self._client
        if client is None or descriptor != client.fileno():
            return b""
        try:
            data = client.recv(READ_BYTES)
        except BlockingIOError:
            return b""
        except ConnectionError:
            data = b""
        if not data:
            self._drop()
        return data

    def write(self, data: bytes) -> None:
        """Send what the socket has room for; the rest is lost."""
        if self._client is None:
            return
        try:
            self._client.send(data)
        except BlockingIOError:
            return
        except ConnectionError:
            self._drop()

    def name(self) -> str:
        """Give the URL that pyserial opens."""
        host, port = self._listener.getsockname()[:2]
        return f"socket://{host}:{port}"

    def close(self) -> None:
        """Hang up and stop listening."""
        self._drop()
        self._listener.close()

    def _welcome(self) -> None:
        try:
            client, _ = self._listener.accept()
        except (BlockingIOError, ConnectionError):
            return
        self._drop()
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _bound(address: tuple[str, int]) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setblocking(False)
    bound.bind(address)
    return bound
