"""A real broker for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge.plant import mosquitto


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with mosquitto(tmp_path) as running:
        yield running
