"""What the tests of the bridge process share: a real broker, and a hub's client that is ready."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge.plant import HubClient, mosquitto


@pytest.fixture
def broker_port(tmp_path: Path) -> Iterator[int]:
    with mosquitto(tmp_path) as port:
        yield port


@pytest.fixture
def hub(broker_port: int) -> Iterator[HubClient]:
    with HubClient(broker_port) as client:
        client.say("ready")
        yield client
