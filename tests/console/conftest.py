"""The plant of the console's process tests."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.console.console_plant import Plant


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    with ExitStack() as running:
        yield Plant(tmp_path, running)
