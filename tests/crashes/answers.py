"""What counts as the first answer of each process after a crash, and how it is waited for."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from hub.demo.api import HubClient
from hub.demo.plant import Plant

ANSWER_S = 60.0
LOOK_EVERY_S = 0.02
DEVICE = "dosehub/v1/hospital/packager-1"
CONNECT = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x0a\x00\x05probe"
"""MQTT 3.1.1, a clean session of ten seconds."""
CONNACK = b"\x20\x02\x00\x00"
STATUS_REQUEST = b"\x10\x04\x01"
"""ESC/POS `DLE EOT 1`: is the printer on line?"""


class NoAnswer(AssertionError):
    """A process that was started again did not answer within a minute; the message says which."""


class Monitor:
    """Hears what the bridge tells of its machine, across every crash of the broker."""

    def __init__(self, broker_url: str) -> None:
        self._heard = threading.Condition()
        self._sessions: set[str] = set()
        self._boots: set[int] = set()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="crash-monitor")
        self._client.on_connect = lambda client, *_: client.subscribe([(f"{DEVICE}/$state", 1), (f"{DEVICE}/$description", 1)])
        self._client.on_message = lambda _client, _data, message: self._take(message.topic, bytes(message.payload))
        self._client.reconnect_delay_set(1, 1)
        broker = urlsplit(broker_url)
        self._client.connect_async(broker.hostname or "", broker.port or 0)
        self._client.loop_start()

    def close(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._client.loop_stop()

    def sessions(self) -> set[str]:
        """Return the sessions of the bridge that were ready up to now."""
        with self._heard:
            return set(self._sessions)

    def wait_for_session(self, but: set[str]) -> None:
        """Wait for a session that is ready and none of these."""
        self._wait(lambda: bool(self._sessions - but), "the bridge")

    def wait_for_boot(self, boot: int) -> None:
        """Wait until the bridge says that the machine of this boot told it who it is."""
        self._wait(lambda: boot in self._boots, "the packager")

    def _wait(self, come: Callable[[], bool], name: str) -> None:
        with self._heard:
            if not self._heard.wait_for(come, ANSWER_S):
                raise NoAnswer(f"{name} did not answer in {ANSWER_S:.0f} s")

    def _take(self, topic: str, payload: bytes) -> None:
        told = json.loads(payload) if payload else {}
        with self._heard:
            if topic.endswith("$state") and told.get("state") == "ready":
                self._sessions.add(told["session"])
            elif topic.endswith("$description") and "boot" in told:
                self._boots.add(told["boot"])
            self._heard.notify_all()


class Answers:
    """Waits for the first answer of a process that was started again."""

    def __init__(self, plant: Plant, hub: HubClient, monitor: Monitor) -> None:
        self._plant = plant
        self._hub = hub
        self._monitor = monitor

    def before(self, name: str) -> set[str]:
        """Return what is known before a process is killed, so that an answer of the killed one is not taken for one of the new."""
        return self._monitor.sessions() if name == "bridge" else set()

    def wait(self, name: str, before: set[str]) -> None:
        """Wait for the first answer; raises NoAnswer."""
        told = self._plant.told(name)
        waits: Mapping[str, Callable[[], Any]] = {
            "hub": self._hub.state,
            "bridge": lambda: self._monitor.wait_for_session(before),
            "broker": lambda: _until("the broker", lambda: _exchange(told["port"], CONNECT) == CONNACK),
            "packager": lambda: self._monitor.wait_for_boot(told["boot"]),
            "camera": lambda: _until("the camera", lambda: _frame(told["stream"])),
            "printer": lambda: _until("the printer", lambda: bool(_exchange(urlsplit(told["printer"]).port or 0, STATUS_REQUEST))),
        }
        waits[name]()


def _until(name: str, answers: Callable[[], bool]) -> None:
    until_s = time.monotonic() + ANSWER_S
    while time.monotonic() < until_s:
        with contextlib.suppress(OSError, httpx.TransportError):
            if answers():
                return
        time.sleep(LOOK_EVERY_S)
    raise NoAnswer(f"{name} did not answer in {ANSWER_S:.0f} s")


def _exchange(port: int, question: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), ANSWER_S) as line:
        line.settimeout(ANSWER_S)
        line.sendall(question)
        return line.recv(64)


def _frame(url: str) -> bool:
    with httpx.stream("GET", url, timeout=ANSWER_S) as answer:
        return b"\xff\xd8" in next(answer.iter_bytes(65536))
