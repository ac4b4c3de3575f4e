"""`dosehub-sim printer`: a label printer, ESC/POS or ZPL on a TCP port or a serial line, or MQTT of its own; its paper as PNG files, its tray and roll by HTTP."""

import argparse
import json
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from simulators.control import ControlRefusal, ControlServer
from simulators.printer.condition import Condition
from simulators.printer.lines import EscposLine, Line, Send, ZplLine
from simulators.printer.mechanism import Mechanism
from simulators.printer.native.connection import read_place
from simulators.printer.native.desk import PrintDesk
from simulators.printer.native.memory import Memory
from simulators.printer.paper import Paper
from simulators.printer.parser import CommandParser
from simulators.printer.ports import Gap, NetworkPort, SerialPort, Speak
from simulators.printer.zpl import ZplParser
from simulators.truth import Truth

BAUD = 115_200


class Entry(Protocol):
    """Where prints come in: a port, or the print desk."""

    def stop(self) -> None:
        """Take no more."""


class Reader(Protocol):
    """What takes bytes apart."""

    @property
    def unknown_bytes(self) -> int:
        """Count the bytes that were no command."""


class Hands:
    """What people do at the printer, and what goes wrong with it, as control routes."""

    def __init__(self, mechanism: Mechanism, reader: Reader, gap: Gap) -> None:
        self._mechanism, self._reader, self._gap = mechanism, reader, gap

    def routes(self) -> dict[tuple[str, str], Any]:
        """Give the routes of the control port."""
        return {
            ("POST", "/take"): self.take, ("POST", "/paper"): self.paper, ("POST", "/cover"): self.cover, ("POST", "/pause"): self.pause,
            ("POST", "/head"): self.head, ("POST", "/line"): self.line, ("GET", "/state"): self.state,
        }  # fmt: skip

    def take(self, _names: Mapping[str, str], _body: Any) -> list[dict[str, Any]]:
        """Take the labels out of the tray."""
        return [label.record() for label in self._mechanism.take()]

    def paper(self, _names: Mapping[str, str], body: Any) -> dict[str, object]:
        """Take the roll out or put one in: {"out": bool}; or let it end in the middle: {"after_rows": n}."""
        if isinstance(body, dict) and "after_rows" in body:
            self._mechanism.end_paper_after(_whole(body, "after_rows"))
        else:
            self._mechanism.set_paper_out(_flag(body, "out"))
        return self._mechanism.state()

    def cover(self, _names: Mapping[str, str], body: Any) -> dict[str, object]:
        """Open or close the cover: {"open": bool}."""
        self._mechanism.set_cover_open(_flag(body, "open"))
        return self._mechanism.state()

    def pause(self, _names: Mapping[str, str], body: Any) -> dict[str, object]:
        """Press the pause button: {"on": bool}."""
        self._mechanism.set_paused(_flag(body, "on"))
        return self._mechanism.state()

    def head(self, _names: Mapping[str, str], body: Any) -> dict[str, object]:
        """Let labels come out faint, streaked or beside their place: {"contrast", "dead_columns", "right_mm", "down_mm"}; null: well."""
        self._mechanism.set_condition(None if body is None else _condition(body))
        return self._mechanism.state()

    def line(self, _names: Mapping[str, str], body: Any) -> dict[str, object]:
        """Lose bytes on the line once: {"lose": n, "after": n}."""
        self._gap.order(_whole(body, "after"), _whole(body, "lose"))
        return self._mechanism.state()

    def state(self, _names: Mapping[str, str], _body: Any) -> dict[str, object]:
        """Look at it."""
        return {**self._mechanism.state(), "unknown_bytes": self._reader.unknown_bytes}


def _flag(body: Any, name: str) -> bool:
    if not isinstance(body, dict) or not isinstance(body.get(name), bool):
        raise ControlRefusal(400, f'{{"{name}": true or false}} is asked for')
    return bool(body[name])


def _whole(body: Any, name: str) -> int:
    found = body.get(name, 0) if isinstance(body, dict) else None
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise ControlRefusal(400, f'"{name}" is a whole number, 0 or more')
    return found


def _condition(body: Any) -> Condition:
    try:
        condition = Condition(
            float(body.get("contrast", 1.0)), tuple(int(column) for column in body.get("dead_columns", ())),
            float(body.get("right_mm", 0.0)), float(body.get("down_mm", 0.0)),
        )  # fmt: skip
    except (AttributeError, TypeError, ValueError) as error:
        raise ControlRefusal(400, f"not the condition of a head: {error}") from error
    if not (0 <= condition.contrast <= 1 and abs(condition.right_mm) < 1000 and abs(condition.down_mm) < 1000):
        raise ControlRefusal(400, "a contrast is 0 .. 1, a shift less than a metre")
    if any(column < 0 for column in condition.dead_columns):
        raise ControlRefusal(400, "a column is 0 or more")
    return condition


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    speed = float(text)
    if not speed > 0:
        raise argparse.ArgumentTypeError("a speed is positive, or max")
    return speed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dosehub-sim printer", description=__doc__)
    parser.add_argument("--language", default="escpos", choices=("escpos", "zpl"))
    parser.add_argument("--tcp", default="127.0.0.1:0", metavar="HOST:PORT", help="network port; 0: the kernel chooses")
    parser.add_argument("--port-link", type=Path, metavar="PATH",
                        help="in place of the network port: symlink to the pseudo terminal that is the serial port")
    parser.add_argument("--baud", type=int, default=BAUD, help="with --port-link: how fast bytes arrive")
    parser.add_argument("--mqtt", metavar="mqtt://[USER:PASSWORD@]HOST:PORT",
                        help="in place of a port: speak docs/mqtt.md")
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
    parser.add_argument("--mute-in-error", action="store_true",
                        help="with zpl: answer no ~HS without paper or with an open head, as newer printers do")
    parser.add_argument("--faults", default="none", choices=("none", "mild", "rough"))
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
        entry, address, hands = _entry(options, mechanism)
        server = ControlServer(options.control, hands.routes())
        host, control_port = server.start()
        print(json.dumps({"ready": True, "printer": address, "control": f"http://{host}:{control_port}"}), flush=True)
        ended.wait()
        server.stop()
        mechanism.stop()
        entry.stop()
    return 0


def _entry(options: argparse.Namespace, mechanism: Mechanism) -> tuple[Entry, str, Hands]:
    """Open the way by which prints come, and tell its address."""
    gap = Gap()
    if options.mqtt is None:
        reader, speak = _spoken(options, mechanism)
        port = (
            NetworkPort(options.tcp, speak, gap)
            if options.port_link is None
            else SerialPort(options.port_link, options.baud, speak, gap)
        )
        return port, port.start(), Hands(mechanism, reader, gap)
    place = read_place(options.mqtt, options.site, options.device)
    desk = PrintDesk(place, Memory(options.memory or options.paper / "prints.sqlite"), mechanism, options.language)
    desk.start()
    return desk, place.name, Hands(mechanism, desk, gap)


def _spoken(options: argparse.Namespace, mechanism: Mechanism) -> tuple[Reader, Speak]:
    if options.language == "zpl":
        zpl = ZplParser()

        def in_zpl(send: Send) -> Line:
            return ZplLine(send, mechanism, zpl, mute_in_error=options.mute_in_error)

        return zpl, in_zpl
    escpos = CommandParser()

    def in_escpos(send: Send) -> Line:
        return EscposLine(send, mechanism, escpos, hears_in_data=not options.deaf_in_data)

    return escpos, in_escpos
