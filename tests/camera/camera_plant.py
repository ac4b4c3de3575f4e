"""The simulated camera as a process of its own, and pictures of its scenes without a process, for the camera tests."""

import http.client
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from devices.barcode_camera.content import TabletLook
from devices.barcode_camera.frame import Frame
from simulators.camera import optics
from simulators.camera.scene import Conditions, Scene, Tablet, draw_conditions, scene_random
from tests.camera.camera_rasters import label, scene_body

ROOT = Path(__file__).resolve().parents[2]
LABEL = label("ABCDEF0123456789")
COLOURS = (
    "#ffffff", "#f5f0e0", "#e8d060", "#f0a030", "#c03030", "#e080a0", "#60a0d0", "#3060b0", "#50a060", "#a8a8a8",
    "#7a4a2a", "#8a2020", "#d8c8f0", "#fff4a0",
)


@dataclass
class CameraProcess:
    """A running simulated camera."""

    process: "subprocess.Popen[str]"
    address: str
    stream: str

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask its HTTP port; gives status and decoded JSON."""
        connection = http.client.HTTPConnection(self.address, timeout=10)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def lay(self, serial: str, tablets: list[dict[str, Any]], pouch: str = "p1", **printing: Any) -> None:
        """Lay a pouch with the label of this serial into the station."""
        status, answer = self.request("POST", "/scene", scene_body(pouch, label(serial), tablets, **printing))
        assert status == 200, answer

    def end(self) -> int:
        """End it as an operator would and give its exit status."""
        self.process.terminate()
        return self.process.wait(10)


@contextmanager
def camera_process(*options: str, address: str = "127.0.0.1:0") -> Iterator[CameraProcess]:
    """Start `dosehub-sim camera` and wait until it is ready."""
    command = [sys.executable, "-m", "simulators", "camera", "--http", address, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            assert ready["ready"] is True
            yield CameraProcess(process, ready["http"].removeprefix("http://"), ready["stream"])
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(10)


def tablet(colour: str = "#ffffff", shape: str = "round", size_mm: float = 9.0, broken: bool = False) -> dict[str, Any]:
    """Make one tablet of POST /scene."""
    return {"look": {"colour": colour, "shape": shape, "size_mm": size_mm}, "broken": broken}


def look(colour: str = "#ffffff", shape: str = "round", size_mm: float = 9.0) -> TabletLook:
    """Make the look that the driver expects."""
    return TabletLook.from_text(colour, shape, size_mm)


def lying(colour: str = "#ffffff", shape: str = "round", size_mm: float = 9.0, broken: bool = False) -> Tablet:
    """Make a tablet of a scene."""
    red, green, blue = (int(colour[start:start + 2], 16) for start in (1, 3, 5))
    return Tablet((blue, green, red), shape, size_mm, broken)


def picture(scene: Scene | None, seed: int = 1, faults: str = "none", **changed: Any) -> Frame:
    """Take one frame of a scene."""
    chance = scene_random(seed, scene.pouch if scene else "")
    conditions = replace(draw_conditions(chance, faults) if scene else Conditions(), **changed)
    return Frame(1, 0.0, optics.encode(optics.draw(scene, conditions, chance), conditions.noise_sigma, chance))


@dataclass(frozen=True)
class Case:
    """A random pouch: what was to be in it, what is, and the frame; `clean`: apart, whole, of the expected looks."""

    expected: tuple[TabletLook, ...]
    present: tuple[Tablet, ...]
    frame: Frame
    clean: bool


def random_case(seed: int, number: int) -> Case:
    """Make a pouch of 1-4 tablets of one or two looks; one in ten too many, too few; some broken, touching, glared."""
    chance = random.Random(f"{seed}/{number}")
    looks = [(chance.choice(COLOURS), *chance.choice([
        ("round", chance.uniform(5, 13)), ("oval", chance.uniform(9, 20)), ("capsule", chance.uniform(11, 22)),
    ])) for _ in range(chance.randint(1, 2))]
    wanted = [chance.choice(looks) for _ in range(chance.randint(1, 4))]
    change = chance.random()
    present = [*wanted, chance.choice(wanted)] if change < 0.1 else wanted[1:] if change < 0.2 else wanted
    broken = [chance.random() < 0.03 for _ in present]
    tablets = tuple(lying(*each, broken=half) for each, half in zip(present, broken, strict=True))
    scene = Scene(f"{seed}-{number}", LABEL, tablets)
    conditions = draw_conditions(scene_random(seed, scene.pouch), "mild")
    touching = conditions.touching or chance.random() < 0.12
    frame = picture(scene, seed, "mild", touching=touching)
    clean = not (touching or conditions.glare or conditions.unreadable or any(broken))
    return Case(tuple(look(*each) for each in wanted), tablets, frame, clean)
