"""Recorders and a crew that end with their test."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from people_plant import Plant, Recorder, Script


@pytest.fixture
def serve_script() -> Iterator[Callable[[], tuple[Script, str]]]:
    started: list[tuple[Recorder, threading.Thread]] = []

    def start() -> tuple[Script, str]:
        recorder = Recorder(Script())
        thread = threading.Thread(target=recorder.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        started.append((recorder, thread))
        return recorder.script, recorder.url

    yield start
    for recorder, thread in started:
        recorder.shutdown()
        thread.join()
        recorder.server_close()


@pytest.fixture
def plant(serve_script: Callable[[], tuple[Script, str]], tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(serve_script, tmp_path / "people.ndjson")
    yield plant
    plant.close()
