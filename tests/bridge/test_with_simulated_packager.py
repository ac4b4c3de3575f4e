"""The bridge against the simulated packager, written from the same documents by other hands."""

import base64
import json
import select
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from firmware_bridge.contract import RunCommand
from tests.bridge.orders import run_command, verdict_command
from tests.bridge.plant import DEADLINE_S, HubClient, bridge, ended, mosquitto, wait_until

CASSETTE = {
    "cassette": 1234,
    "item": "paracetamol-500",
    "lot": "A1",
    "count": 100,
    "look": {"colour": "#ffffff", "shape": "round", "size_mm": 9},
}


class Packager:
    """The simulator process; it may be killed and started again on the same state."""

    def __init__(self, folder: Path) -> None:
        self.port = folder / "packager.port"
        self.truth = folder / "truth.ndjson"
        self._state = folder / "packager.state"
        self.start()

    def start(self) -> None:
        options = ["--port-link", str(self.port), "--truth", str(self.truth), "--state", str(self._state)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "simulators", "packager", *options, "--speed", "max", "--seed", "5"],
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE_S)
        assert ready, "the packager did not start"
        self._control = json.loads(self.process.stdout.readline())["control"]

    def post(self, path: str, body: Any = None) -> Any:
        request = Request(self._control + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urlopen(request, timeout=DEADLINE_S) as answer:
            return json.loads(answer.read())

    def kill(self) -> None:
        """Cut its power. Its port's name goes first, or it would lead the bridge to whoever opens a terminal next."""
        self.port.unlink(missing_ok=True)
        self.process.kill()
        self.process.wait()
        self._forget()

    def stop(self) -> None:
        ended(self.process)
        self._forget()

    def facts(self, what: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.truth.read_text().splitlines()]
        return [line for line in lines if line["what"] == what]

    def _forget(self) -> None:
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def packager(tmp_path: Path) -> Iterator[Packager]:
    running = Packager(tmp_path)
    running.post("/cassettes/5", CASSETTE)
    yield running
    running.stop()


def pass_at_camera(hub: HubClient, number: int, command: RunCommand) -> None:
    """Wait for the pouch at the camera and let it pass; ask again when a power cut made the question a new one."""
    answered: set[tuple[int, int]] = set()

    def is_done() -> bool:
        for event in list(hub.heard):
            question = (event.boot, event.event)
            if event.kind == "at-camera" and event.job == command.job and question not in answered:
                answered.add(question)
                hub.send(verdict_command(1000 * number + len(answered), command.job, *question, "PASS"))
        return any(event.kind == "done" and event.job == command.job for event in list(hub.heard))

    wait_until(is_done, f"job {number} done, heard {hub.kinds()}")


def test_job_is_packed_labelled_and_released(tmp_path: Path, packager: Packager) -> None:
    with (
        mosquitto(tmp_path) as port,
        HubClient(port) as hub,
        bridge(tmp_path, port, str(packager.port)) as running,
    ):
        hub.say("ready")
        running.wait_ready()
        command = run_command(1, frames=25)
        hub.send(command)
        pass_at_camera(hub, 1, command)
        kinds = [event.kind for event in hub.heard if event.job == command.job]
        assert kinds == ["accepted", "dropped", "at-camera", "released", "done"]
        dropped = next(event for event in hub.heard if event.kind == "dropped")
        assert dropped.data == {"cassette": 1234, "asked": 1, "counted": 1, "remaining": 99}
        wait_until(lambda: hub.remaining() == {5: 99}, "the new stand of the cassette")
        assert hub.retained["$description"]["serial"] == "SIM000005"
        (pouch,) = packager.post("/output/take")
        assert pouch["job"] == command.job
        assert base64.b64decode(pouch["raster"]) == zlib.decompress(command.label.raster)
        assert len(packager.facts("tablet-dropped")) == 1


def test_power_cuts_of_machine_and_bridge_make_no_second_pouch(tmp_path: Path, packager: Packager) -> None:
    commands = {number: run_command(number, frames=3) for number in range(1, 9)}
    with mosquitto(tmp_path) as port, HubClient(port) as hub:
        hub.say("ready")
        with bridge(tmp_path, port, str(packager.port)) as first:
            first.wait_ready()
            for command in commands.values():
                hub.send(command)
            pass_at_camera(hub, 1, commands[1])
            packager.kill()
            packager.start()
            pass_at_camera(hub, 2, commands[2])
            first.kill()
        with bridge(tmp_path, port, str(packager.port)):
            for command in commands.values():
                hub.send(command)
            for number in range(3, 9):
                pass_at_camera(hub, number, commands[number])
        drops = Counter(fact["job"] for fact in packager.facts("tablet-dropped"))
        assert drops == {command.job: 1 for command in commands.values()}
        assert len(packager.facts("pouch-released")) == 8
