"""An engineer's end of the contract for tests: sends service commands, remembers answers and traced frames."""

import queue
import socket
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware_bridge.contract import encode, topic
from firmware_bridge.service_contract import (
    JogCommand,
    LockCommand,
    SelfTestCommand,
    ServiceCommand,
    ServiceEvent,
    WatchCommand,
    decode_service_event,
)
from firmware_bridge.trace_contract import TracedFrame, TraceReport, decode_trace
from tests.bridge.orders import later
from tests.bridge.plant import DEADLINE_S, DEVICE, SITE


def lock_command(number: int, mode: Any, owner: str, *, fence: int = 0, seconds: float = 600.0) -> LockCommand:
    return LockCommand(command=f"lock-{number}", mode=mode, owner=owner, fence=fence, expires_at=later(seconds))


def self_test_command(number: int, *tests: Any) -> SelfTestCommand:
    return SelfTestCommand(command=f"test-{number}", tests=frozenset(tests), fence=0, expires_at=later())


def jog_command(number: int, *, seconds: float = 1.0, hold_ms: int = 100) -> JogCommand:
    return JogCommand(
        command=f"jog-{number}", motor="film", direction="forward", hold_ms=hold_ms, fence=0, expires_at=later(seconds)
    )


def watch_command(number: int, seconds: int = 60) -> WatchCommand:
    return WatchCommand(command=f"watch-{number}", seconds=seconds, fence=0, expires_at=later())


class Engineer:
    """A client that hears `svc/evt` and `trace` of the machine."""

    def __init__(self, port: int) -> None:
        self.answers: queue.Queue[ServiceEvent] = queue.Queue()
        self.reports: list[TraceReport] = []
        subscribed: queue.Queue[bool] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_socket_open = lambda _c, _u, s: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.on_connect = lambda c, *_: c.subscribe(
            [(topic(SITE, DEVICE, "svc/evt"), 1), (topic(SITE, DEVICE, "trace"), 1)]
        )
        self._client.on_subscribe = lambda *_: subscribed.put(True)
        self._client.on_message = self._received
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        subscribed.get(timeout=DEADLINE_S)

    def __enter__(self) -> "Engineer":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, command: ServiceCommand | bytes, *, retain: bool = False) -> None:
        message = command if isinstance(command, bytes) else encode(command)
        self._sent = self._client.publish(topic(SITE, DEVICE, "svc/cmd"), message, qos=1, retain=retain)

    def settle(self) -> None:
        """Wait until the broker has the last command."""
        self._sent.wait_for_publish(DEADLINE_S)

    def ask(self, command: ServiceCommand | bytes) -> ServiceEvent:
        """Send one command and return the next answer, which must be its own."""
        self.send(command)
        answer = self.answers.get(timeout=DEADLINE_S)
        assert isinstance(command, bytes) or answer.command == command.command
        return answer

    def frames(self) -> list[TracedFrame]:
        return [frame for report in list(self.reports) for frame in report.frames]

    def _received(self, _client: Any, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        if message.topic.endswith("/trace"):
            self.reports.append(decode_trace(bytes(message.payload)))
        else:
            self.answers.put(decode_service_event(bytes(message.payload)))
