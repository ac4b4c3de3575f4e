"""Broker, bridge, simulated packager and the console as processes, for the tests of this folder."""

import json
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.bridge.plant import DEADLINE_S, DEVICE, SITE, HubClient, bridge, mosquitto, wait_until
from tests.bridge.test_with_simulated_packager import CASSETTE, Packager


class Plant:
    """Broker, bridge, simulated packager, and one who hears what is retained; `broker` may be ended before the rest."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        self.folder = folder
        self.packager = Packager(folder)
        running.callback(self.packager.stop)
        self.packager.post("/cassettes/5", CASSETTE)
        self.broker = running.enter_context(ExitStack())
        self.port = self.broker.enter_context(mosquitto(folder))
        self.ear = running.enter_context(HubClient(self.port))
        self.bridge = running.enter_context(bridge(folder, self.port, str(self.packager.port)))
        self.bridge.wait_ready()
        self.running = running
        wait_until(lambda: self.state() == "idle", "the first status")

    def state(self) -> str:
        return str(self.ear.retained.get("status", {}).get("state"))

    def machine(self) -> dict[str, Any]:
        """Return what the simulated packager's control port tells."""
        with urlopen(self.packager._control + "/state", timeout=DEADLINE_S) as answer:
            told: dict[str, Any] = json.loads(answer.read())
        return told

    def restart_bridge(self) -> None:
        self.bridge = self.running.enter_context(bridge(self.folder, self.port, str(self.packager.port)))
        self.bridge.wait_ready()

    def command(self, *options: str, device: str = DEVICE) -> list[str]:
        broker = f"mqtt://127.0.0.1:{self.port}"
        return [sys.executable, "-m", "hub.cli", "console", device, "--broker", broker, "--site", SITE, *options]

    def run(self, *options: str, device: str = DEVICE) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*options, device=device), capture_output=True, text=True, timeout=60, check=False
        )


class Live:
    """A console that runs until the test ends it."""

    def __init__(self, plant: Plant, *options: str) -> None:
        self.process = subprocess.Popen(
            plant.command(*options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
        )
        self.lines: list[str] = []

    def wait_for(self, words: str) -> str:
        assert self.process.stdout is not None
        while (line := self.process.stdout.readline()) != "":
            self.lines.append(line)
            if words in line:
                return line
        raise AssertionError(f"ended without {words!r}: {self.lines} {self.process.stderr.read()}")

    def end(self, number: signal.Signals | None) -> tuple[int, str, str]:
        if number is not None:
            self.process.send_signal(number)
        out, errors = self.process.communicate(timeout=60)
        return self.process.returncode, out, errors
