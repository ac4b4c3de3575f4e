"""`dosehub-sim camera`: an IP camera over the pouch station; the machine lays pouches into it by HTTP."""

import argparse
import base64
import binascii
import json
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from simulators.camera.conditions import SEVERITIES, Lights
from simulators.camera.lights import LightsCable
from simulators.camera.scene import WIDTH_OF_LENGTH, Picture, Scene, Tablet
from simulators.camera.station import Station
from simulators.camera.stream_faults import parse_fault
from simulators.control import ControlRefusal, ControlServer, Routes, Stream
from simulators.truth import Truth

BOUNDARY = "frame"
RASTER_LIMIT_BYTES = 65536
TABLETS_LIMIT = 64
ROUTES_HELP = """routes (JSON; what makes no sense is 400 with its reason):
  GET    /stream.mjpg   the camera's stream, multipart/x-mixed-replace, 1280 x 960
  POST   /scene         the pouch that lies in the station
  DELETE /scene         the station is empty
  POST   /lights        {"1": bool, "2": bool}: switch the two lights, as the relay board does
  POST   /conditions    {"severity": "none|mild|severe", "stratum": "apart|touching|overlapping", "blur_sigma": px,
                         "noise_sigma": levels, "motion_px": px, "angle": degrees, "tilt": [degrees, degrees],
                         "light": share, "wrinkle_mm": mm, "dust": n, "dust_mm": mm, "covered_mm": [left, top, width, height],
                         "film_glare": [{"light": 1|2, "x_mm", "y_mm", "length_mm", "width_mm", "angle", "strength"}]}
                        for every pouch laid from now on; what is left out is drawn from the seed; {}: all of it
  POST   /fault         {"fault": "frozen|black|torn|shifted|slow|hang-up|wrong-type" or null, "share": p, "interval_s": s}
  GET    /state         what lies there, the lights, the conditions and the fault that were ordered
"""


def multipart(frames: Iterator[bytes]) -> Iterator[bytes]:
    """Write frames as multipart parts; the next boundary follows each picture at once, as readers wait for it."""
    boundary = f"--{BOUNDARY}\r\n".encode()
    head = boundary
    for jpeg in frames:
        yield b"%sContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n%s" % (head, len(jpeg), jpeg, boundary)
        head = b""


def parse_scene(body: Any) -> Scene:
    """Read the JSON of POST /scene; ControlRefusal 400 names what is wrong."""
    try:
        width, height, printing = int(body["width"]), int(body["height"]), body.get("print") or {}
        packed = base64.b64decode(body["raster"], validate=True)
        return Scene(
            pouch=str(body["pouch"]),
            raster=_unpack(packed, width, height),
            tablets=tuple(_parse_tablet(tablet) for tablet in body.get("tablets", ())[:TABLETS_LIMIT]),
            contrast=float(printing.get("contrast", 1.0)),
            dead_columns=tuple(int(column) for column in printing.get("dead_columns", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
        raise ControlRefusal(400, f"not a scene: {error!r}") from None


def _unpack(packed: bytes, width: int, height: int) -> Picture:
    row_bytes = (width + 7) // 8
    if width < 1 or height < 1 or len(packed) != row_bytes * height or len(packed) > RASTER_LIMIT_BYTES:
        raise ValueError(f"{len(packed)} bytes of raster for {width} x {height} dots")
    rows = np.frombuffer(packed, np.uint8).reshape(height, row_bytes)
    unpacked: Picture = np.unpackbits(rows, axis=1)[:, :width]
    return unpacked


def _parse_tablet(body: Mapping[str, Any]) -> Tablet:
    look = body["look"]
    shape, size_mm, second = look["shape"], float(look["size_mm"]), look.get("second_colour")
    if shape not in WIDTH_OF_LENGTH or not 1 <= size_mm <= 40:
        raise ValueError(f"no such look: {look!r}")
    other = None if second is None else _colour(str(second))
    return Tablet(_colour(str(look["colour"])), shape, size_mm, bool(body.get("broken", False)), other)


def _colour(text: str) -> tuple[int, int, int]:
    """Read "#rrggbb" as (blue, green, red)."""
    if len(text) != 7 or text[0] != "#":
        raise ValueError(f"no such colour: {text!r}")
    red, green, blue = (int(text[start : start + 2], 16) for start in (1, 3, 5))
    return blue, green, red


class _Camera:
    """Joins the station to the HTTP routes."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def routes(self) -> Routes:
        return {
            ("GET", "/stream.mjpg"): self.stream,
            ("POST", "/scene"): self.lay,
            ("DELETE", "/scene"): self.clear,
            ("POST", "/lights"): self.switch,
            ("POST", "/conditions"): self.order,
            ("POST", "/fault"): self.befall,
            ("GET", "/state"): self.state,
        }

    def stream(self, values: Mapping[str, str], body: Any) -> Stream:
        fault = self._station.fault
        if fault is not None and fault.kind == "wrong-type":
            return Stream("text/html", iter((b"<html><body>Please sign in</body></html>",)))
        return Stream(f"multipart/x-mixed-replace; boundary={BOUNDARY}", multipart(self._station.frames()))

    def lay(self, values: Mapping[str, str], body: Any) -> dict[str, Any]:
        scene = parse_scene(body)
        try:
            self._station.show(scene)
        except ValueError as error:
            raise ControlRefusal(400, str(error)) from None
        return {"pouch": scene.pouch}

    def clear(self, values: Mapping[str, str], body: Any) -> dict[str, Any]:
        self._station.clear()
        return {"pouch": None}

    def switch(self, values: Mapping[str, str], body: Any) -> dict[str, Any]:
        if (
            not isinstance(body, dict)
            or set(body) != {"1", "2"}
            or not all(isinstance(on, bool) for on in body.values())
        ):
            raise ControlRefusal(400, 'the lights are {"1": bool, "2": bool}')
        self._station.switch(Lights(body["1"], body["2"]))
        return self._station.state()

    def order(self, values: Mapping[str, str], body: Any) -> dict[str, Any]:
        if not isinstance(body, dict):
            raise ControlRefusal(400, "conditions are an object")
        severity = body.pop("severity", None)
        try:
            self._station.order(body, severity)
        except ValueError as error:
            raise ControlRefusal(400, str(error)) from None
        return self._station.state()

    def befall(self, values: Mapping[str, str], body: Any) -> dict[str, Any]:
        try:
            self._station.befall(parse_fault(body))
        except ValueError as error:
            raise ControlRefusal(400, str(error)) from None
        return self._station.state()

    def state(self, values: Mapping[str, str], body: Any) -> dict[str, Any]:
        return self._station.state()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dosehub-sim camera",
        description=__doc__,
        epilog=ROUTES_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--http", default="127.0.0.1:0", help="host:port to serve on; port 0: the kernel chooses")
    parser.add_argument(
        "--lights-link", metavar="PATH", type=Path, help="a serial port at PATH for the relay board of the two lights"
    )
    parser.add_argument("--truth", metavar="FILE", default=None, help="NDJSON file of what physically happened")
    parser.add_argument("--seed", type=int, default=1, help="the same seed and pouch give the same picture")
    parser.add_argument(
        "--faults",
        "--severity",
        choices=SEVERITIES,
        default="none",
        help="none: a well adjusted station; mild: a real one, about 1 %% unreadable; severe: one nobody looks after",
    )
    parser.add_argument("--fps", type=float, default=10.0, help="frames a second while nothing changes")
    return parser


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM or SIGINT; prints one JSON line with the addresses once it can be used."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not 0.1 <= options.fps <= 120:
        parser.error("--fps: between 0.1 and 120")
    cv2.setNumThreads(1)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with ExitStack() as rooms:
        station = Station(options.seed, options.faults, options.fps, rooms.enter_context(Truth(options.truth)))
        rooms.callback(station.stop)
        if options.lights_link is not None:
            rooms.callback(LightsCable(options.lights_link, station.switch).close)
        server = ControlServer(options.http, _Camera(station).routes())
        host, port = server.start()
        rooms.callback(server.stop)
        rooms.callback(station.stop)
        address, link = f"http://{host}:{port}", options.lights_link
        ready = {"ready": True, "http": address, "stream": f"{address}/stream.mjpg"}
        print(json.dumps(ready if link is None else {**ready, "lights": str(link)}), flush=True)
        ended.wait()
    return 0
