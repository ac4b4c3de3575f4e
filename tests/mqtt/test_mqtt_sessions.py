"""Births and last wills at a real broker: a death counts only for the session of its own birth, however late it comes."""

import json
import queue
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware_bridge.broker import Broker, Handlers, parse_address
from firmware_bridge.contract import DeviceState, encode, hub_state_topic, topic
from tests.bridge.plant import DEADLINE_S, DEVICE, SITE, bridge, wait_until
from tests.bridge.scripted_machine import MachineOnPty, ScriptedMachine


class Session:
    """One connection of a program that was born, and dies by its last will."""

    def __init__(self, port: int, place: str, name: str) -> None:
        self._place, self._name = place, name
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.will_set(place, self._message("lost"), qos=1, retain=True)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def born(self) -> None:
        self._client.publish(self._place, self._message("ready"), qos=1, retain=True).wait_for_publish(DEADLINE_S)

    def die(self) -> None:
        """Break off without a word; the broker sends the will."""
        connection = self._client.socket()
        assert connection is not None
        self._client.loop_stop()
        connection.close()

    def _message(self, state: Any) -> bytes:
        return encode(DeviceState(state=state, session=self._name, at=datetime.now(UTC)))


class Ear:
    """Hears the births and deaths at one topic, in order."""

    def __init__(self, port: int, place: str) -> None:
        self._heard: queue.Queue[dict[str, str]] = queue.Queue()
        subscribed: queue.Queue[bool] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(place, 1)
        self._client.on_subscribe = lambda *_: subscribed.put(True)
        self._client.on_message = lambda _c, _u, message: self._heard.put(json.loads(message.payload))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        subscribed.get(timeout=DEADLINE_S)

    def next(self, *states: str) -> str:
        """Return the session of the next message that tells one of these states."""
        while (told := self._heard.get(timeout=DEADLINE_S))["state"] not in states:
            pass
        return told["session"]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def device_ear(port: int) -> Iterator[Ear]:
    made = Ear(port, topic(SITE, DEVICE, "$state"))
    yield made
    made.close()


def test_late_will_of_an_older_hub_session_leaves_the_newer_one_alive_for_the_bridge(port: int) -> None:
    heard: queue.Queue[bool] = queue.Queue()
    handlers = Handlers(
        {},
        connection_changed=lambda: None,
        hub_changed=lambda: heard.put(watching.hub.is_lost),
    )
    watching = Broker(parse_address(f"mqtt://127.0.0.1:{port}"), SITE, DEVICE, handlers)
    place = hub_state_topic(SITE)
    older, newer = Session(port, place, "older"), Session(port, place, "newer")
    watching.start()
    wait_until(lambda: watching.is_connected, "the subscription")
    told = []
    for action in (older.born, newer.born, older.die, newer.die):
        action()
        told.append(heard.get(timeout=DEADLINE_S))
    watching.stop()
    assert told == [False, False, False, True]


def test_will_of_the_bridge_carries_the_session_of_its_birth_and_each_connection_has_its_own(
    tmp_path: Path, port: int, device_ear: Ear
) -> None:
    with MachineOnPty(ScriptedMachine()) as machine:
        born = []
        for _ in range(2):
            with bridge(tmp_path, port, machine.path) as running:
                running.wait_ready()
                born.append(device_ear.next("init", "ready"))
                running.kill()
            assert device_ear.next("lost") == born[-1]
        assert born[0] != born[1]
