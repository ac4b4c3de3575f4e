"""Processes that a benchmark starts: each prints one JSON object when it is ready, and is ended when the block ends."""

import json
import os
import select
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

READY_S = 30.0
ANSWER_S = 10.0
STOP_S = 10.0


@contextmanager
def running(folder: Path, module: str, *arguments: object) -> Iterator[dict[str, Any]]:
    """Run a Python module until the block ends; yield what it told when it was ready."""
    log_path = folder / f"{module}.log"
    with log_path.open("ab") as log:
        command = [sys.executable, "-m", module, *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env={**os.environ, "PYTHONUNBUFFERED": "1"})
        try:
            yield _told(process, log_path)
        finally:
            _end(process)


def _told(process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], READY_S)
    line = process.stdout.readline() if ready else b""
    if not line:
        raise RuntimeError(f"{process.args!r} did not start: {log.read_text()[-2000:]}")
    told: dict[str, Any] = json.loads(line)
    return told


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def load_cassette(control: str, slot: int, number: int) -> None:
    """Put a full cassette into a slot of a simulated packager."""
    look = {"colour": "#ffffff", "shape": "round", "size_mm": 9}
    body = {"cassette": number, "item": f"item-{number}", "lot": "A1", "count": 60_000, "look": look}
    request = urllib.request.Request(f"{control}/cassettes/{slot}", json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
        answer.read()
