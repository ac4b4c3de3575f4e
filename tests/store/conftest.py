"""The store under test: a fresh database in a folder of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_records import MORNING

from hub.adapters.writer import Writer


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Writer]:
    """Offer a writer of an empty database whose clock stands still."""
    with Writer(tmp_path / "hub.db", lambda: MORNING) as writer:
        yield writer
