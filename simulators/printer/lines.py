"""What is said on the line: bytes in, answers out, in one of two languages."""

import threading
from collections.abc import Callable
from typing import Protocol

from simulators.printer.mechanism import Look, Mechanism
from simulators.printer.parser import ClearRequest, CommandParser, RealTime, RealTimeScanner, StatusRequest
from simulators.printer.zpl import CancelAll, Page, StatusQuestion, ZplParser

Send = Callable[[bytes], None]
"""Sends an answer; raises OSError where nobody hears it any more."""


class Line(Protocol):
    """One connection, or a serial line."""

    def take(self, data: bytes) -> None:
        """Work on received bytes in their order."""


class Answers:
    """Sends answers from any thread; nobody hears one when the other side is gone."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._sending = threading.Lock()

    def reply(self, answer: bytes) -> None:
        """Send one answer whole."""
        try:
            with self._sending:
                self._send(answer)
        except OSError:
            return


class EscposLine(Answers):
    """ESC/POS. The parser is the printer's: what a connection leaves open, the next one finds open."""

    def __init__(self, send: Send, mechanism: Mechanism, parser: CommandParser, *, hears_in_data: bool = True) -> None:
        super().__init__(send)
        self._mechanism, self._parser = mechanism, parser
        self._hears_in_data = hears_in_data
        self._scanner = RealTimeScanner()

    def take(self, data: bytes) -> None:
        """Work on received bytes in their order; real-time requests are answered before what waits in the buffer."""
        done = 0
        for end, request in self._scanner.feed(data) if self._hears_in_data else ():
            self._buffer(data[done:end])
            done = max(done, end)
            if isinstance(request, ClearRequest):
                self._parser.reset()
            self._at_once(request)
        self._buffer(data[done:])

    def _at_once(self, request: RealTime) -> None:
        if isinstance(request, StatusRequest):
            self.reply(bytes((self._mechanism.status_byte(request.number),)))
        else:
            self._mechanism.clear()
            self.reply(b"7%\0")

    def _buffer(self, data: bytes) -> None:
        for command in self._parser.feed(data):
            if not isinstance(command, RealTime):
                self._mechanism.put(command, self.reply)
            elif not self._hears_in_data:
                self._at_once(command)


class ZplLine(Answers):
    """ZPL. `mute_in_error`: without paper or with an open head the printer answers no ~HS, as newer ones do."""

    def __init__(self, send: Send, mechanism: Mechanism, parser: ZplParser, *, mute_in_error: bool = False) -> None:
        super().__init__(send)
        self._mechanism, self._parser = mechanism, parser
        self._mute_in_error = mute_in_error

    def take(self, data: bytes) -> None:
        """Work on received bytes in their order; a status is answered before what waits in the buffer."""
        for wanted in self._parser.feed(data):
            if isinstance(wanted, Page):
                self._mechanism.put(wanted, self.reply)
            elif isinstance(wanted, CancelAll):
                self._mechanism.cancel()
            elif isinstance(wanted, StatusQuestion):
                self._tell(self._mechanism.look())

    def _tell(self, look: Look) -> None:
        if not (self._mute_in_error and (look.paper_out or look.cover_open)):
            self.reply(host_status(look, self._parser.label_length, open_format=self._parser.has_open_format))


def host_status(look: Look, label_length: int, *, open_format: bool) -> bytes:
    """Write the three strings of ~HS: 9600 baud, tear-off, direct thermal, no ribbon."""
    strings = (
        f"014,{look.paper_out:d},{look.paused:d},{label_length:04d},{look.waiting:03d},{look.full:d},0,{open_format:d},000,0,0,0",
        f"000,0,{look.cover_open:d},0,0,2,4,0,{look.remaining:08d},1,000",
        "0000,0",
    )
    return b"".join(b"\x02" + string.encode() + b"\x03\r\n" for string in strings)
