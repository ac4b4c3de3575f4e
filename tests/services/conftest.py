"""A fresh small hospital for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.small_world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Offer a hospital with stock in the store and three filled cassettes, at six in the morning."""
    made = World(tmp_path)
    yield made
    made.close()
