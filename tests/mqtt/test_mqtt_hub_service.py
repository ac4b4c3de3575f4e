"""The hub's two sessions at the shipped broker: its own and that of the engineer's page, each with the rights of its user, neither ending the other."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware_bridge.contract import hub_state_topic, topic
from hub.adapters.device_link import DeviceLink
from hub.adapters.device_service import MqttDeviceService
from hub.adapters.writer import Writer
from hub.services.device_service import SelfTestAct
from tests.bridge.plant import DEADLINE_S, DEVICE, SITE, wait_until
from tests.mqtt.secure_broker import Client, SecureBroker, secure_broker

COMMANDS, ANSWERS, TRACE = (topic(SITE, DEVICE, leaf) for leaf in ("svc/cmd", "svc/evt", "trace"))


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecureBroker]:
    with secure_broker(tmp_path) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.authority))
        yield running


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    made = Writer(tmp_path / "hub.sqlite", now)
    yield made
    made.close()


def test_the_page_s_user_asks_and_hears_while_the_hub_s_own_session_goes_on(
    broker: SecureBroker, writer: Writer
) -> None:
    with Client(broker.port, broker.authority, f"{SITE}.{DEVICE}") as machine:
        machine.subscribe(COMMANDS, hub_state_topic(SITE))
        link = DeviceLink(writer, broker.url(f"{SITE}.hub"), SITE, now)
        service = MqttDeviceService(broker.url(f"{SITE}.service.ivanova"), SITE, now)
        link.start()
        assert json.loads(machine.heard.get(timeout=DEADLINE_S)[1])["state"] == "ready"
        service.start()
        try:
            wait_until(lambda: not service.trouble, "the page's session")
            answer = asyncio.run(_tested(machine, service))
            with service.watching(DEVICE):
                told = {"frames": [{"at_us": 1, "direction": "to-device", "hex": "00"}], "dropped": 0, "ended": False}
                assert machine.publish(TRACE, json.dumps(told).encode())
                wait_until(lambda: len(service.recorded(DEVICE).frames) == 1, "the frame")
        finally:
            service.stop()
            link.stop()
        heard, payload = machine.heard.get(timeout=DEADLINE_S)
    assert answer == "OK"
    assert (heard, json.loads(payload)["state"]) == (hub_state_topic(SITE), "lost"), "it was never gone in between"


async def _tested(machine: Client, service: MqttDeviceService) -> str:
    asking = asyncio.create_task(service.ask(DEVICE, SelfTestAct(), "c-1"))
    heard, payload = await asyncio.to_thread(machine.heard.get, True, DEADLINE_S)
    assert heard == COMMANDS
    told = {"command": json.loads(payload)["command"], "rc": "OK", "reason": "", "data": {"memory": "passed"}}
    assert machine.publish(ANSWERS, json.dumps(told).encode())
    return (await asking).rc
