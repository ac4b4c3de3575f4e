"""Starts the simulated printer as a process of its own, and ends it by its own handle."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

DEADLINE_S = 20.0


@dataclass(frozen=True)
class Plant:
    """A running printer: where it listens, where its labels and its truth go."""

    url: str
    control: str
    paper: Path
    truth_file: Path
    process: subprocess.Popen[str]

    def kill(self) -> None:
        """Take its power away."""
        self.process.kill()
        self.process.wait()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Do something at the printer."""
        connection = http.client.HTTPConnection(urlsplit(self.control).netloc, timeout=DEADLINE_S)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            response = connection.getresponse()
            answer = json.loads(response.read())
            assert response.status == 200, answer
            return answer
        finally:
            connection.close()

    def take(self) -> list[dict[str, Any]]:
        """Take the labels out of the tray."""
        taken: list[dict[str, Any]] = self.call("POST", "/take")
        return taken

    def state(self) -> dict[str, Any]:
        """Look at the printer."""
        seen: dict[str, Any] = self.call("GET", "/state")
        return seen

    def truth(self) -> list[dict[str, Any]]:
        """Read what physically happened."""
        return [json.loads(line) for line in self.truth_file.read_text().splitlines()]


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, at most DEADLINE_S."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.005)


@contextmanager
def running_printer(folder: Path, *options: str) -> Iterator[Plant]:
    """Run `dosehub-sim printer` on ports that the kernel chooses."""
    paper, truth = folder / "paper", folder / "truth.ndjson"
    command = [sys.executable, "-m", "simulators", "printer", "--paper", str(paper), "--truth", str(truth), *options]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            assert ready["ready"] is True
            yield Plant(ready["printer"], ready["control"], paper, truth, process)
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    assert process.wait(DEADLINE_S) == 0
                finally:
                    process.kill()
