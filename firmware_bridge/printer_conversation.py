"""The conversation with an ESC/POS label printer, over TCP or a serial line: the one way in which bytes become a label.

It never repeats a print by itself, and believes in a label once the printer names its process ID. `Unreachable` means that
nothing was sent; a receipt `in_doubt` means that a label may lie in the tray: a person looks. Silence is UNKNOWN, never "paper ok".

No job follows upon half a job: each begins only when the printer has said that it forgot what was before.
"""

import socket
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import urlsplit

import serial

from firmware_bridge.printer_status import (
    CLEAR_AFTER_ANYTHING,
    CLEAR_BUFFERS,
    FEED_AND_CUT,
    STATUS_NUMBERS,
    AnswerReader,
    PrinterState,
    PrinterStatus,
    parse_status,
    status_request,
)

TCP_PORT = 9100
BAUD = 115200
CONNECT_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 1.0
ANSWER_LIMIT_BYTES = 4096
POLL_S = 0.25
PADDING_BYTES = 512
PADDING_POLL_S = 0.01
PADDING_PATIENCE = 5
"""How many answer timeouts an open raster is filled up at a time; what is missing yet is filled up at the next clear."""
_NOT_CLEARED = "nothing was sent: the printer does not say that it has forgotten what was sent before"
_STOPPING = (PrinterState.OUT_OF_PAPER, PrinterState.COVER_OPEN, PrinterState.OUT_OF_ORDER)


class Unreachable(Exception):
    """The line to the printer could not be opened; nothing was sent."""


@dataclass(frozen=True, slots=True)
class PrintReceipt:
    """What became of one label. `printed`: the printer said so; else `in_doubt`: it may exist all the same."""

    printed: bool
    state: PrinterState
    reason: str = ""
    in_doubt: bool = False


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


class PrinterLine:
    """A printer at `tcp://host:9100`, or at a serial path or URL; each call opens and closes the line."""

    def __init__(
        self,
        url: str,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        baud: int = BAUD,
    ) -> None:
        self._url = url
        self._connect_timeout_s = connect_timeout_s
        self._answer_timeout_s = answer_timeout_s
        self._baud = baud

    def status(self) -> PrinterStatus:
        """Ask `DLE EOT` 1 .. 4; what is not answered is unknown. Raises Unreachable."""
        with self._conversation() as conversation:
            return conversation.status()

    def clear(self) -> bool:
        """Have the printer forget what waits in its buffer; True once it says that it did. Raises Unreachable."""
        with self._conversation() as conversation:
            return conversation.clear()

    def print_job(
        self, job: bytes, process_id: bytes, timeout_s: float, *, after_doubt: bool = False
    ) -> PrintReceipt:
        """Send a job that ends with the request for `process_id` and wait until the printer names it.

        Nothing is sent to a printer that does not say it has forgotten what was before, or is not READY. `after_doubt`: what
        the label before may have left under the head is cut off first. Raises Unreachable.
        """
        with self._conversation() as conversation:
            if not conversation.clear():
                return PrintReceipt(False, PrinterState.UNKNOWN, _NOT_CLEARED)
            state = conversation.status().state
            if state is not PrinterState.READY:
                return PrintReceipt(False, state, f"nothing was sent: the printer is {state.value}")
            after_doubt = after_doubt or conversation.found_half_a_job
            begun = FEED_AND_CUT + job if after_doubt else job
            return conversation.print_job(begun, process_id, time.monotonic() + timeout_s)

    def _conversation(self) -> "Conversation":
        try:
            return Conversation(self._open(), self._answer_timeout_s)
        except (OSError, ValueError) as error:
            raise Unreachable(f"{self._url}: {error}") from error

    def _open(self) -> Transport:
        if not self._url.startswith("tcp://"):
            return SerialTransport(self._url, self._baud)
        parts = urlsplit(self._url)
        if not parts.hostname:
            raise ValueError("no host in the address")
        return TcpTransport(parts.hostname, parts.port or TCP_PORT, self._connect_timeout_s)


class Conversation:
    """One open line to a printer."""

    def __init__(self, transport: Transport, answer_timeout_s: float) -> None:
        self._transport = transport
        self._answer_timeout_s = answer_timeout_s
        self._answers = AnswerReader()
        self.found_half_a_job = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._transport.close()

    def status(self) -> PrinterStatus:
        """Ask for each status byte; the first silence or a lost line leaves the rest unknown."""
        found: dict[int, int] = {}
        try:
            for number in STATUS_NUMBERS:
                answer = self._ask(number)
                if answer is None:
                    break
                found[number] = answer
        except OSError:
            found.clear()
        return parse_status(found)

    def print_job(self, job: bytes, process_id: bytes, deadline: float) -> PrintReceipt:
        """Send the job and wait for its process ID until the deadline (monotonic seconds).

        An ID that was named before the first byte left is an answer to an earlier job.
        """
        self._answers = AnswerReader()
        try:
            self._transport.write(job, max(deadline - time.monotonic(), 0.001))
            return self._wait_for(process_id, deadline)
        except OSError as error:
            return PrintReceipt(False, PrinterState.UNKNOWN, f"the line was lost in the middle: {error}", in_doubt=True)

    def _wait_for(self, process_id: bytes, deadline: float) -> PrintReceipt:
        state = PrinterState.UNKNOWN
        while (left_s := deadline - time.monotonic()) > 0:
            received = self._transport.read(min(POLL_S, left_s))
            self._answers.feed(received)
            if process_id in self._answers.process_ids:
                return PrintReceipt(True, PrinterState.READY)
            if received:
                continue
            state = self.status().state
            if state in _STOPPING:
                return self._give_up(process_id, state, f"printing stopped: the printer is {state.value}")
        return self._give_up(process_id, state, "the printer did not confirm the label in time")

    def _give_up(self, process_id: bytes, state: PrinterState, reason: str) -> PrintReceipt:
        """Have the printer forget the job, so that no late label comes when paper is put in."""
        self._ask_to_clear(CLEAR_AFTER_ANYTHING, self._answer_timeout_s)
        if process_id in self._answers.process_ids:
            return PrintReceipt(True, state)
        # A label may be cut and its answer held back by a cover that was opened since: once sent, only the ID ends the doubt.
        return PrintReceipt(False, state, reason, in_doubt=True)

    def clear(self) -> bool:
        """Have the printer forget what waits in its buffer; True once it says so, False also where the line is lost."""
        try:
            return self._ask_to_clear(CLEAR_AFTER_ANYTHING, self._answer_timeout_s) or self._clear_behind_raster()
        except OSError:
            return False

    def _clear_behind_raster(self) -> bool:
        """Fill up what half a job may have left open, with a request after each piece.

        Printers of the reference kind see real-time requests in every byte; others take them for dots while a raster is open.
        Zeros are white dots there and nothing anywhere else.
        """
        until = time.monotonic() + PADDING_PATIENCE * self._answer_timeout_s
        while time.monotonic() < until:
            if self._ask_to_clear(bytes(PADDING_BYTES) + CLEAR_BUFFERS, PADDING_POLL_S):
                break
        # Several requests may be answered yet: the last one is asked alone, and answered before anything of the job.
        self.found_half_a_job = self._ask_to_clear(CLEAR_AFTER_ANYTHING, self._answer_timeout_s)
        return self.found_half_a_job

    def _ask_to_clear(self, request: bytes, timeout_s: float) -> bool:
        self._answers.cleared = False
        self._transport.write(request, self._answer_timeout_s)
        deadline = time.monotonic() + timeout_s
        while not self._answers.cleared and (left_s := deadline - time.monotonic()) > 0:
            self._answers.feed(self._transport.read(left_s))
        return self._answers.cleared

    def _ask(self, number: int) -> int | None:
        """Exchange one status byte; None when none came in time."""
        self._answers.last_status = None
        self._transport.write(status_request(number), self._answer_timeout_s)
        deadline = time.monotonic() + self._answer_timeout_s
        while self._answers.last_status is None and (left_s := deadline - time.monotonic()) > 0:
            self._answers.feed(self._transport.read(left_s))
        return self._answers.last_status
