"""A bridge under wrong rights tells the hub in its status that the broker denies it something."""

import json
from pathlib import Path

from firmware_bridge.contract import StatusReport
from firmware_bridge.machine_view import is_news
from tests.bridge.plant import DEADLINE_S
from tests.bridge.scripted_machine import MachineOnPty, ScriptedMachine
from tests.mqtt.secure_broker import Client, rights, secure_broker
from tests.mqtt.test_mqtt_deployment import started_bridge

PLACE = "dosehub/v1/mercy/packager-1"


def test_denied_description_is_told_in_the_status(tmp_path: Path) -> None:
    acl = rights().replace(f"topic write {PLACE}/$description\n", "")
    with (
        secure_broker(tmp_path, acl) as broker,
        MachineOnPty(ScriptedMachine()) as machine,
        Client(broker.port, broker.authority, "mercy.hub") as hub,
    ):
        hub.subscribe(f"{PLACE}/status")
        with started_bridge(tmp_path, broker, machine.path):
            while json.loads(hub.heard.get(timeout=DEADLINE_S)[1])["counters"]["link_denied"] == 0:
                pass


def report(denied: int) -> StatusReport:
    counters = {"link_denied": denied}
    return StatusReport(state="idle", reason="none", job=None, cassettes=(), counters=counters, link="up", queued=0)


def test_that_something_is_denied_is_news_and_how_often_is_not() -> None:
    assert is_news(report(1), report(0))
    assert not is_news(report(2), report(1))
