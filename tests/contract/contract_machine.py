"""The machine under test: one that was given by its address, or a simulated one that is started for the run."""

import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from contract_host import PATIENCE_S

KIT_CASSETTE = 777001
FILLED, ENOUGH, TOO_MANY = 20, 5, 3000  # tablets: what is loaded for a test, what one takes, what a job cannot ask for
LOOK = {"colour": "#ffffff", "shape": "round", "size_mm": 8}


@dataclass(frozen=True)
class Machine:
    """Where its port is, where its hands are (None: a person's own), and the fence of the kit."""

    url: str
    control: str | None
    fence: int

    def steer(self, method: str, path: str, body: Any = None) -> Any:
        """Make one request at the control port, which must be taken."""
        assert self.control is not None
        connection = http.client.HTTPConnection(urlsplit(self.control).netloc, timeout=PATIENCE_S)
        with contextlib.closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read())
            assert response.status == 200, (method, path, answer)
            return answer

    def need_hands(self, what: str) -> None:
        """Skip the test where no control port was given."""
        if self.control is None:
            pytest.skip(f"no --packager-control was given: nobody can {what}")


def until(condition: Callable[[], bool], what: str | Callable[[], str]) -> None:
    """Wait for a condition that another process brings about; `what` is said where it does not come."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, what if isinstance(what, str) else what()
        time.sleep(0.01)


@contextlib.contextmanager
def simulated(folder: Path, way: str, fence: int) -> Iterator[Machine]:
    """Start the simulator over a pty or TCP, as anybody would start it."""
    port = ["--port-link", str(folder / "ttyPackager")] if way == "pty" else ["--tcp", "127.0.0.1:0"]
    command = [sys.executable, "-m", "simulators", "packager", *port, "--truth", str(folder / "truth.ndjson"),
               "--state", str(folder / "state"), "--speed", "max"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            yield Machine(ready["port"], ready["control"], fence)
        finally:
            process.terminate()
