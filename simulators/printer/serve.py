"""`dosehub-sim printer`: a label printer, ESC/POS on a TCP port or MQTT of its own; its paper as PNG files, its tray and roll by HTTP."""

import argparse
import json
import signal
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from simulators.control import ControlRefusal, ControlServer, parse_address
from simulators.printer.mechanism import Mechanism
from simulators.printer.native.connection import read_place
from simulators.printer.native.desk import PrintDesk
from simulators.printer.native.memory import Memory
from simulators.printer.paper import Paper
from simulators.printer.parser import ClearRequest, CommandParser, RealTime, RealTimeScanner, StatusRequest
from simulators.truth import Truth

RECEIVE_BYTES = 4096
IDLE_TIMEOUT_S = 90.0
POLL_S = 0.2


class Line:
    """One connection: bytes in, answers out. The parser is the printer's: what a connection leaves open, the next one finds open."""

    def __init__(
        self, connection: socket.socket, mechanism: Mechanism, parser: CommandParser, *, hears_in_data: bool = True
    ) -> None:
        self._connection, self._mechanism, self._parser = connection, mechanism, parser
        self._hears_in_data = hears_in_data
        self._sending = threading.Lock()
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

    def reply(self, answer: bytes) -> None:
        """Send an answer; nobody hears it when the other side is gone."""
        try:
            with self._sending:
                self._connection.sendall(answer)
        except OSError:
            return

    def _buffer(self, data: bytes) -> None:
        for command in self._parser.feed(data):
            if not isinstance(command, RealTime):
                self._mechanism.put(command, self.reply)
            elif not self._hears_in_data:
                self._at_once(command)


class Port:
    """The network port: one connection at a time, as printers have it; the next one waits."""

    def __init__(self, address: str, mechanism: Mechanism, *, hears_in_data: bool) -> None:
        self._mechanism, self._hears_in_data = mechanism, hears_in_data
        self._parser = CommandParser()
        self._listener = socket.create_server(parse_address(address), backlog=16)
        self._listener.settimeout(POLL_S)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="port", daemon=True)

    @property
    def unknown_bytes(self) -> int:
        """Count the bytes that were no command."""
        return self._parser.unknown_bytes

    def start(self) -> tuple[str, int]:
        """Accept connections; returns the address."""
        self._thread.start()
        host, port = self._listener.getsockname()[:2]
        return str(host), int(port)

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
        line = Line(connection, self._mechanism, self._parser, hears_in_data=self._hears_in_data)
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
            line.take(data)


class Entry(Protocol):
    """Where prints come in: the port, or the print desk."""

    @property
    def unknown_bytes(self) -> int:
        """Count the bytes that were no command."""

    def stop(self) -> None:
        """Take no more."""


class Hands:
    """What people do at the printer, as control routes."""

    def __init__(self, mechanism: Mechanism, port: Entry) -> None:
        self._mechanism, self._port = mechanism, port

    def take(self, _names: Mapping[str, str], _body: Any) -> list[dict[str, Any]]:
        """Take the labels out of the tray."""
        return [label.record() for label in self._mechanism.take()]

    def paper(self, _names: Mapping[str, str], body: Any) -> dict[str, object]:
        """Take the roll out or put one in: {"out": bool}."""
        self._mechanism.set_paper_out(_flag(body, "out"))
        return self._mechanism.state()

    def cover(self, _names: Mapping[str, str], body: Any) -> dict[str, object]:
        """Open or close the cover: {"open": bool}."""
        self._mechanism.set_cover_open(_flag(body, "open"))
        return self._mechanism.state()

    def state(self, _names: Mapping[str, str], _body: Any) -> dict[str, object]:
        """Look at it."""
        return {**self._mechanism.state(), "unknown_bytes": self._port.unknown_bytes}


def _flag(body: Any, name: str) -> bool:
    if not isinstance(body, dict) or not isinstance(body.get(name), bool):
        raise ControlRefusal(400, f'{{"{name}": true or false}} is asked for')
    return bool(body[name])


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    speed = float(text)
    if not speed > 0:
        raise argparse.ArgumentTypeError("a speed is positive, or max")
    return speed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dosehub-sim printer", description=__doc__)
    parser.add_argument("--tcp", default="127.0.0.1:0", metavar="HOST:PORT", help="ESC/POS port; 0: the kernel chooses")
    parser.add_argument("--mqtt", metavar="mqtt://[USER:PASSWORD@]HOST:PORT",
                        help="speak docs/mqtt.md in place of ESC/POS")
    parser.add_argument("--site", help="with --mqtt: the site in topics")
    parser.add_argument("--device", help="with --mqtt: the printer in topics")
    parser.add_argument("--memory", metavar="FILE", type=Path,
                        help="with --mqtt: what survives a loss of power; DIR/prints.sqlite")
    parser.add_argument("--control", default="127.0.0.1:0", metavar="HOST:PORT")
    parser.add_argument("--paper", required=True, metavar="DIR", type=Path, help="where the labels go, as PNG")
    parser.add_argument("--truth", metavar="FILE")
    parser.add_argument("--speed", default="1", type=_speed, metavar="N|max")
    parser.add_argument("--seed", default=1, type=int)
    parser.add_argument("--deaf-in-data", action="store_true",
                        help="hear real-time requests between commands only, as some printers do")
    parser.add_argument("--faults", default="none", choices=("none", "mild"))
    return parser


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM or SIGINT; prints one JSON line with the addresses once it can be used."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.mqtt is not None and not (options.site and options.device):
        parser.error("--mqtt needs --site and --device")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with Truth(options.truth) as truth:
        paper = Paper(options.paper)
        mechanism = Mechanism(paper, truth, speed=options.speed, seed=options.seed, faults=options.faults)
        mechanism.start()
        entry, address = _entry(options, mechanism)
        hands = Hands(mechanism, entry)
        server = ControlServer(options.control, {
            ("POST", "/take"): hands.take, ("POST", "/paper"): hands.paper, ("POST", "/cover"): hands.cover,
            ("GET", "/state"): hands.state,
        })
        host, control_port = server.start()
        print(json.dumps({"ready": True, "printer": address, "control": f"http://{host}:{control_port}"}), flush=True)
        ended.wait()
        server.stop()
        mechanism.stop()
        entry.stop()
    return 0


def _entry(options: argparse.Namespace, mechanism: Mechanism) -> tuple[Entry, str]:
    """Open the way by which prints come, and tell its address."""
    if options.mqtt is None:
        port = Port(options.tcp, mechanism, hears_in_data=not options.deaf_in_data)
        host, number = port.start()
        return port, f"tcp://{host}:{number}"
    place = read_place(options.mqtt, options.site, options.device)
    desk = PrintDesk(place, Memory(options.memory or options.paper / "prints.sqlite"), mechanism)
    desk.start()
    return desk, place.name
