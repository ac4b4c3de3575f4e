"""The options of the packager's process; `--help` tells of the control port too."""

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from simulators.packager.disturbance import LineFaults, read_line_faults
from simulators.packager.faults import Plant
from simulators.packager.line import BITS_PER_BYTE
from simulators.packager.native.connection import read_place
from simulators.packager.update import TEST_MAKER_KEY

CONTROL_PORT = """\
control port (HTTP, JSON; the ready line on standard output names it; docs/simulators.md has all the members):
  GET  /state                  link, power, time; machine, cassettes, doubt, counters while the power is on
  POST /cassettes/<slot>       {"cassette", "item", "lot", "count", "look"}   DELETE takes it out
  POST /output/take /reject/take     what lies in a bin, taken out
  POST /reset-stop             a person clears what stopped the machine
  POST /door                   {"open": bool}
  POST /trouble                {"trouble": "jam" | "ribbon-out" | "gate-stuck"}
  POST /firmware/<A|B>/spoil   a bit of that image flips
  POST /line                   {"lost": p, "flipped": p, "twice": p, "late": p, "late_s": x}   by frame, both directions
  POST /unplug                 {"seconds": x}, or nothing: until POST /plug
  POST /power                  {"cut": "at-append", "k": n, "torn": bytes or null, "dark_s": x or null}
                               {"cut": "now", "dark_s": x or null}   {"cut": null}   {"on": true}
  POST /time                   {"scale": x} or {"frozen": bool}
"""


def read_speed(text: str) -> float | None:
    """Read --speed: a positive number, or "max" (None)."""
    if text == "max":
        return None
    speed = float(text)
    if not speed > 0:
        raise argparse.ArgumentTypeError("a number above 0, or max")
    return speed


def read_baud(text: str) -> float | None:
    """Read --baud: a positive number, or "none" (None)."""
    if text == "none":
        return None
    baud = int(text)
    if baud < 1:
        raise argparse.ArgumentTypeError("a number of bauds above 0, or none")
    return baud / BITS_PER_BYTE


def read_line(text: str) -> LineFaults:
    """Read --line: the body of POST /line."""
    found: Any = json.loads(text)
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError("a JSON object")
    return read_line_faults(found)


def read_topic_word(text: str) -> str:
    """Read --site or --device: lower-case letters, digits and `-`; `hub` is the hub's."""
    if re.fullmatch("[a-z0-9-]+", text) is None or text == "hub":
        raise argparse.ArgumentTypeError("lower-case letters, digits and -, and not hub")
    return text


def read_broker(text: str) -> str:
    """Read --mqtt: mqtt://[user:password@]host[:port]."""
    try:
        read_place(text, "site", "device")
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; what befalls a serial line is refused where there is none."""
    options = parser().parse_args(arguments)
    if options.mqtt and (options.baud is not ... or options.line != LineFaults()):
        parser().error("--baud and --line are of a serial port, and with --mqtt there is none")
    return options


def read_maker_key(text: str) -> bytes:
    """Read --maker-key: the 64 hex digits of an Ed25519 public key."""
    key = bytes.fromhex(text)
    Ed25519PublicKey.from_public_bytes(key)
    return key


def parser() -> argparse.ArgumentParser:
    """Give the options, as docs/simulators.md lists them."""
    options = argparse.ArgumentParser(
        prog="dosehub-sim packager", epilog=CONTROL_PORT, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A simulated packager: PPL/1.1 at a serial port, or docs/mqtt.md at a broker; hands and faults at a control port.")
    _add_ports(options)
    _add_files(options)
    _add_machine(options)
    _add_faults(options)
    return options


def _add_ports(options: argparse.ArgumentParser) -> None:
    port = options.add_mutually_exclusive_group(required=True)
    port.add_argument("--port-link", type=Path, metavar="PATH", help="symlink to the pseudo terminal that is the serial port")
    port.add_argument("--tcp", metavar="HOST:PORT", help="a raw TCP port instead of a pseudo terminal")
    port.add_argument("--mqtt", type=read_broker, metavar="URL", help="no serial port: the machine speaks docs/mqtt.md itself, at mqtt://host:port")
    options.add_argument("--site", type=read_topic_word, default="house", help="its site in topics, with --mqtt (default house)")
    options.add_argument("--device", type=read_topic_word, default="packager-1",
                         help="its name in topics, with --mqtt (default packager-1)")
    options.add_argument("--control", default="127.0.0.1:0", metavar="HOST:PORT",
                         help="where the control port listens; by default the kernel chooses the number")
    options.add_argument("--camera", metavar="URL", help="the camera simulator; without it nobody sees the pouches")


def _add_files(options: argparse.ArgumentParser) -> None:
    options.add_argument("--truth", type=Path, required=True, metavar="FILE", help="what physically happens is appended here")
    options.add_argument("--state", type=Path, required=True, metavar="FILE", help="what outlives a loss of power")
    options.add_argument("--fsync", action="store_true", help="let the state file outlive the death of the computer too")


def _add_machine(options: argparse.ArgumentParser) -> None:
    options.add_argument("--speed", type=read_speed, default=1.0, metavar="N|max",
                         help="simulated seconds in a real one; max: motions take no time (default 1)")
    options.add_argument("--baud", type=read_baud, default=..., metavar="N|none",
                         help="pace bytes as a UART of N baud, 8N1, in real time; default 115200 x speed, none at max")
    options.add_argument("--cassette-slots", type=int, default=250, choices=range(1, 251), metavar="1..250",
                         help="slots for cassettes (default 250)")
    options.add_argument("--label-width", type=int, default=640, metavar="DOTS", help="dots of the print head (default 640)")
    options.add_argument("--reject-room", type=int, default=1000, metavar="POUCHES",
                         help="pouches that the reject bin holds (default 1000)")
    options.add_argument("--maker-key", type=read_maker_key, default=TEST_MAKER_KEY, metavar="HEX",
                         help="Ed25519 public key that firmware is signed with; the default is the test maker's")


def _add_faults(options: argparse.ArgumentParser) -> None:
    options.add_argument("--seed", type=int, default=0, help="of all accidents, and in the serial number (default 0)")
    options.add_argument("--faults", choices=["none", "mild"], default="none",
                         help="mild: in 1 %% of the pouches each a tablet too many, too few, a broken one, a bad print")
    options.add_argument("--plant", type=Plant, choices=list(Plant), default=Plant.NONE, metavar="|".join(Plant),
                         help="a lie of the hardware that happens once, at the third pouch")
    options.add_argument("--line", type=read_line, default=LineFaults(), metavar="JSON",
                         help='what befalls frames from the start on, as in POST /line, such as \'{"lost": 0.02}\'')
