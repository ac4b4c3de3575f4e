"""The simulated camera as a process of its own, asked and read over real HTTP, and scenes for it."""

import base64
import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from simulators.camera.scene import Picture, Scene, Tablet

ROOT = Path(__file__).resolve().parents[3]
WAIT_S = 20.0
WHITE, RED = "#ffffff", "#c03030"


def printed() -> Picture:
    """Give something printed, 80 x 50 mm."""
    raster = np.zeros((400, 640), np.uint8)
    raster[40:120:8, 40:600] = raster[160:360:6, 60:260] = 1
    return raster


def tablet(shape: str = "round", size_mm: float = 9.0, bgr: tuple[int, int, int] = (255, 255, 255)) -> Tablet:
    """Make a tablet of a scene."""
    return Tablet(bgr, shape, size_mm)


def scene(*tablets: Tablet, pouch: str = "p") -> Scene:
    """Make a pouch with these tablets."""
    return Scene(pouch, printed(), tablets)


@dataclass
class Camera:
    """A running simulated camera."""

    process: "subprocess.Popen[str]"
    ready: dict[str, Any]

    @property
    def address(self) -> str:
        return str(self.ready["http"]).removeprefix("http://")

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask its HTTP port; gives status and decoded JSON."""
        connection = http.client.HTTPConnection(self.address, timeout=WAIT_S)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def lay(self, pouch: str, tablets: int = 1) -> None:
        """Lay a pouch with white tablets into the station."""
        look = {"colour": WHITE, "shape": "round", "size_mm": 9}
        raster = printed()
        status, answer = self.ask(
            "POST",
            "/scene",
            {
                "pouch": pouch,
                "width": raster.shape[1],
                "height": raster.shape[0],
                "raster": base64.b64encode(np.packbits(raster, axis=1).tobytes()).decode(),
                "tablets": [{"look": look}] * tablets,
            },
        )
        assert status == 200, answer

    @contextmanager
    def stream(self) -> Iterator["Stream"]:
        """Open its stream."""
        connection = http.client.HTTPConnection(self.address, timeout=WAIT_S)
        try:
            connection.request("GET", "/stream.mjpg")
            yield Stream(connection.getresponse())
        finally:
            connection.close()

    def newest(self) -> Picture:
        """Take the picture that a new reader gets first."""
        with self.stream() as stream:
            return decoded(stream.jpeg())


@dataclass
class Stream:
    """An open answer of the stream."""

    answer: http.client.HTTPResponse

    def jpeg(self) -> bytes:
        """Read the next part as it was sent; EOFError where the camera hung up."""
        length = 0
        while True:
            line = self.answer.readline()
            if not line:
                raise EOFError
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            if line == b"\r\n" and length:
                return self.answer.read(length)

    def until_gone(self) -> int:
        """Read to the end of the stream and count what came."""
        count = 0
        try:
            while True:
                self.jpeg()
                count += 1
        except (EOFError, http.client.IncompleteRead):
            return count


def decoded(jpeg: bytes) -> Picture:
    """Decode a JPEG."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None, "not a picture"
    return np.asarray(picture, np.uint8)


@contextmanager
def camera(*options: str) -> Iterator[Camera]:
    """Start `dosehub-sim camera`, wait until it is ready, and end it as an operator would."""
    command = [sys.executable, "-m", "simulators", "camera", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield Camera(process, json.loads(process.stdout.readline()))
        finally:
            process.terminate()
            try:
                assert process.wait(WAIT_S) == 0
            finally:
                process.kill()
