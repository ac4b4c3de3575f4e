"""A fresh small hospital for each story."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.small_world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Offer a stocked hospital at six in the morning."""
    made = World(tmp_path)
    yield made
    made.close()
