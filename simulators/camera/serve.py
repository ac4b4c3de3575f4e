"""`dosehub-sim camera`: an IP camera over the pouch station; the machine lays pouches into it by HTTP."""

import argparse
import base64
import binascii
import json
import random
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from simulators.camera import optics
from simulators.camera.scene import (
    WIDTH_OF_LENGTH,
    Conditions,
    Picture,
    Scene,
    Tablet,
    draw_conditions,
    scene_random,
)
from simulators.control import ControlRefusal, ControlServer, Stream
from simulators.truth import Truth

BOUNDARY = "frame"
RASTER_LIMIT_BYTES = 65536
TABLETS_LIMIT = 64


@dataclass(frozen=True)
class _Shown:
    """What is being sent: takes of one scene, replaced as a whole; `generation` counts scenes."""

    generation: int
    takes: tuple[bytes, ...]


class Station:
    """The place under the lens: holds the present picture and hands every reader its next frame."""

    def __init__(self, seed: int, faults: str, fps: float, truth: Truth) -> None:
        self._seed, self._faults, self._interval_s, self._truth = seed, faults, 1.0 / fps, truth
        self._changed = threading.Condition()
        self._arranging = threading.Lock()
        self._unfinished: tuple[int, Picture, Conditions, random.Random] | None = None
        self._stopped = False
        optics.warm_up()
        chance, still = scene_random(seed, ""), Conditions()
        base = optics.draw(None, still, chance)
        self._empty = tuple(optics.encode(base, still.noise_sigma, chance) for _ in range(optics.TAKES))
        self._shown = _Shown(1, self._empty)
        self._finisher = threading.Thread(target=self._finish_takes, name="takes", daemon=True)
        self._finisher.start()

    def stop(self) -> None:
        """End the stream of every reader."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._finisher.join()

    def show(self, scene: Scene) -> Conditions:
        """Lay a pouch into the station; returns once its first picture goes out. ValueError: it has no window."""
        chance = scene_random(self._seed, scene.pouch)
        conditions = draw_conditions(chance, self._faults)
        self._lay(scene, conditions, chance)
        self._truth.write("pouch-pictured", pouch=scene.pouch, tablets=len(scene.tablets),
                          unreadable=conditions.unreadable, touching=conditions.touching and len(scene.tablets) > 1)
        return conditions

    def clear(self) -> None:
        """Take the pouch out."""
        with self._arranging, self._changed:
            self._shown, self._unfinished = _Shown(self._shown.generation + 1, self._empty), None
            self._changed.notify_all()

    def _lay(self, scene: Scene, conditions: Conditions, chance: random.Random) -> None:
        with self._arranging:
            picture = optics.draw(scene, conditions, chance)
            first = optics.encode(picture, conditions.noise_sigma, chance)
            with self._changed:
                generation = self._shown.generation + 1
                self._shown = _Shown(generation, (first,))
                self._unfinished = (generation, picture, conditions, chance)
                self._changed.notify_all()

    def _finish_takes(self) -> None:
        """Make the further takes of each scene while its first is already on the way."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._unfinished is not None)
                if self._stopped or self._unfinished is None:
                    return
                generation, picture, conditions, chance = self._unfinished
                if len(self._shown.takes) >= optics.TAKES:
                    self._unfinished = None
                    continue
            take = optics.encode(picture, conditions.noise_sigma, chance)
            with self._changed:
                if self._shown.generation == generation:
                    self._shown = replace(self._shown, takes=(*self._shown.takes, take))
                    self._changed.notify_all()

    def frames(self) -> Iterator[bytes]:
        """Yield JPEGs without end: each take of a new scene at once, then the takes in turn at the frame rate."""
        generation, index, due = 0, 0, time.monotonic()
        while True:
            with self._changed:
                while not self._stopped:
                    shown, wait_s = self._shown, due - time.monotonic()
                    fresh = shown.generation != generation or index < len(shown.takes)
                    if fresh or wait_s <= 0:
                        break
                    self._changed.wait(wait_s)
                if self._stopped:
                    return
            if shown.generation != generation:
                generation, index = shown.generation, 0
            yield shown.takes[index % len(shown.takes)]
            index += 1
            due = time.monotonic() + self._interval_s


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
    shape, size_mm, colour = look["shape"], float(look["size_mm"]), str(look["colour"])
    if shape not in WIDTH_OF_LENGTH or not 1 <= size_mm <= 40 or len(colour) != 7 or colour[0] != "#":
        raise ValueError(f"no such look: {look!r}")
    red, green, blue = (int(colour[start:start + 2], 16) for start in (1, 3, 5))
    return Tablet((blue, green, red), shape, size_mm, bool(body.get("broken", False)))


class _Camera:
    """Joins the station to the HTTP routes."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def stream(self, values: Mapping[str, str], body: Any) -> Stream:
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dosehub-sim camera", description=__doc__)
    parser.add_argument("--http", default="127.0.0.1:0", help="host:port to serve on; port 0: the kernel chooses")
    parser.add_argument("--truth", default=None, help="NDJSON file of what physically happened")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", choices=("none", "mild"), default="none")
    parser.add_argument("--fps", type=float, default=10.0)
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
    with Truth(options.truth) as truth:
        station = Station(options.seed, options.faults, options.fps, truth)
        camera = _Camera(station)
        server = ControlServer(options.http, {
            ("GET", "/stream.mjpg"): camera.stream, ("POST", "/scene"): camera.lay, ("DELETE", "/scene"): camera.clear,
        })
        host, port = server.start()
        address = f"http://{host}:{port}"
        print(json.dumps({"ready": True, "http": address, "stream": f"{address}/stream.mjpg"}), flush=True)
        ended.wait()
        station.stop()
        server.stop()
    return 0
