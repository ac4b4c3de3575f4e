"""The hub's end at a real broker: late wills of devices, a session for each connection, and TLS under the shipped rights."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware_bridge.contract import hub_state_topic, topic
from hub.adapters.device_link import DeviceLink
from hub.adapters.writer import Writer
from hub.domain.identifiers import DeviceId
from tests.bridge.plant import DEADLINE_S, DEVICE, SITE, mosquitto, wait_until
from tests.mqtt.secure_broker import Client, secure_broker
from tests.mqtt.test_mqtt_sessions import Ear, Session

Linked = Callable[[str], DeviceLink]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    made = Writer(tmp_path / "hub.sqlite", lambda: datetime.now(UTC))
    yield made
    made.close()


@pytest.fixture
def linked(writer: Writer) -> Iterator[Linked]:
    """Start a link to a broker; it is stopped at the end."""
    started = []

    def start(url: str) -> DeviceLink:
        started.append(DeviceLink(writer, url, SITE, lambda: datetime.now(UTC)))
        started[-1].start()
        return started[-1]

    yield start
    for link in started:
        link.stop()


def state_of(writer: Writer, device: str) -> str:
    known = writer.submit("system", lambda unit: unit.devices.get(DeviceId(device))).result()
    return "" if known is None else known.state


def test_late_will_of_an_older_session_leaves_the_newer_one_alive_for_the_hub(
    port: int, writer: Writer, linked: Linked
) -> None:
    place = topic(SITE, DEVICE, "$state")
    older, newer = Session(port, place, "older"), Session(port, place, "newer")
    marker = Session(port, topic(SITE, "marker", "$state"), "marker")
    ear = Ear(port, place)
    linked(f"mqtt://127.0.0.1:{port}")
    older.born()
    newer.born()
    older.die()
    assert ear.next("lost") == "older"
    marker.born()  # sent after the late will, so what the hub made of that is known once it knows of this
    wait_until(lambda: state_of(writer, "marker") == "ready", "the marker")
    assert state_of(writer, DEVICE) == "ready"
    newer.die()
    wait_until(lambda: state_of(writer, DEVICE) == "lost", "the death")
    marker.die()
    ear.close()


def test_death_of_which_no_birth_was_heard_counts(port: int, writer: Writer, linked: Linked) -> None:
    device = Session(port, topic(SITE, DEVICE, "$state"), "before the hub")
    device.born()
    device.die()
    linked(f"mqtt://127.0.0.1:{port}")
    wait_until(lambda: state_of(writer, DEVICE) == "lost", "the death")


def test_each_connection_of_the_hub_is_a_session_of_its_own(tmp_path: Path, linked: Linked) -> None:
    with mosquitto(tmp_path) as port:
        linked(f"mqtt://127.0.0.1:{port}")
        first = _birth(port)
    with mosquitto(tmp_path, port):
        assert _birth(port) != first


def _birth(port: int) -> str:
    ear = Ear(port, hub_state_topic(SITE))
    session = ear.next("ready")
    ear.close()
    return session


def test_hub_speaks_tls_under_the_shipped_rights(
    tmp_path: Path, writer: Writer, linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        secure_broker(tmp_path) as broker,
        Client(broker.port, broker.authority, f"{SITE}.{DEVICE}") as device,
    ):
        monkeypatch.setenv("SSL_CERT_FILE", str(broker.authority))
        device.subscribe(hub_state_topic(SITE))
        link = linked(broker.url(f"{SITE}.hub"))
        assert json.loads(device.heard.get(timeout=DEADLINE_S)[1])["state"] == "ready"
        told = {"state": "ready", "session": "ab", "at": "2026-11-22T08:30:00Z"}
        assert device.publish(topic(SITE, DEVICE, "$state"), json.dumps(told).encode())
        wait_until(lambda: state_of(writer, DEVICE) == "ready", "the birth")
        link.stop()
        assert json.loads(device.heard.get(timeout=DEADLINE_S)[1])["state"] == "lost"
