"""For all tests: no property test has a deadline, because these machines are shared; what is timed is timed by `make bench`."""

import pytest
from hypothesis import settings

settings.register_profile("dosehub", deadline=None)
settings.load_profile("dosehub")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the whole plants where tests run side by side: they take minutes, and the rest fills the other cores meanwhile."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("system") is None)
