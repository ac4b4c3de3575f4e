"""The console's connection to the broker: what the machine's bridge tells, and service commands with their one answer.

It moves nothing by itself. A lost broker means: nothing is heard and nothing is done, and the machine's lock stays as it is.
"""

import queue
import secrets
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware_bridge.contract import (
    BridgeEvent,
    ContractError,
    Description,
    DeviceState,
    StatusReport,
    decode_description,
    decode_event,
    decode_state,
    decode_status,
    encode,
    topic,
)
from firmware_bridge.service_contract import (
    SelfTestReport,
    ServiceCommand,
    ServiceEvent,
    decode_self_test,
    decode_service_event,
)
from firmware_bridge.trace_contract import TraceReport, decode_trace

CONNECT_PATIENCE_S = 10.0
RETAINED_PATIENCE_S = 2.0
ASK_AGAIN_S = 2.0
ANSWER_PATIENCE_S = 12.0
COMMAND_LASTS = timedelta(seconds=15)

MakeCommand = Callable[[str, int, datetime], ServiceCommand]
Heard = DeviceState | Description | StatusReport | BridgeEvent | SelfTestReport | ServiceEvent | TraceReport
# What the broker keeps comes in this order: `status` last, so that the rest is known when it is heard.
READERS: dict[str, Callable[[bytes], Heard]] = {
    "$state": decode_state,
    "$description": decode_description,
    "self-test": decode_self_test,
    "status": decode_status,
    "job/evt": decode_event,
    "svc/evt": decode_service_event,
    "trace": decode_trace,
}


class ConsoleError(Exception):
    """The console cannot go on; the message says why and what to do."""


class BrokerLost(ConsoleError):
    """The broker cannot be reached, or does not let this user in or do this."""


class Unanswered(ConsoleError):
    """No answer came: whether the command was done is not known."""


def parse_broker(url: str) -> SplitResult:
    """Return the parts of `mqtt[s]://[user:password@]host[:port]`; raise ConsoleError."""
    parts = urlsplit(url)
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
        raise ConsoleError("--broker must be mqtt://host:port or mqtts://host:port")
    return parts


class Line:
    """One connection for one machine; what is heard is taken with `next`, from one thread only."""

    def __init__(self, url: str, site: str, device: str, fence: int) -> None:
        self._parts = parse_broker(url)
        self._site, self._device, self._fence = site, device, fence
        self._heard: queue.Queue[Heard | ConsoleError] = queue.Queue()
        self._aside: list[Heard] = []
        self._subscribed: queue.Queue[ConsoleError | None] = queue.Queue()
        self._is_ending = False
        self._client = self._make_client()

    def open(self) -> None:
        """Connect and subscribe; raise BrokerLost."""
        port = self._parts.port or (8883 if self._parts.scheme == "mqtts" else 1883)
        try:
            self._client.connect(self._parts.hostname or "", port, keepalive=15)
        except OSError as error:
            raise BrokerLost(f"the broker {self._parts.hostname}:{port} cannot be reached: {error}") from error
        self._client.loop_start()
        try:
            refused = self._subscribed.get(timeout=CONNECT_PATIENCE_S)
        except queue.Empty:
            refused = BrokerLost(f"the broker {self._parts.hostname}:{port} does not answer")
        if refused is not None:
            raise refused

    def close(self) -> None:
        """Disconnect and end the network thread."""
        self._is_ending = True
        self._client.disconnect()
        self._client.loop_stop()

    def next(self, until_s: float) -> Heard | None:
        """Return what was heard next, or None when the monotonic clock has reached `until_s`; raise BrokerLost."""
        if self._aside:
            return self._aside.pop(0)
        return self._next_heard(until_s)

    def ask(self, make: MakeCommand) -> ServiceEvent:
        """Send the command that `make` makes of an id, a fence and an end, again under the same id until it is answered; raise Unanswered.

        What else is heard meanwhile is left for `next`.
        """
        command = make(f"console-{secrets.token_hex(8)}", self._fence, datetime.now(UTC) + COMMAND_LASTS)
        end_s = time.monotonic() + ANSWER_PATIENCE_S
        while (now_s := time.monotonic()) < end_s:
            self._send(command)
            answer = self._answer_to(command.command, min(now_s + ASK_AGAIN_S, end_s))
            if answer is not None:
                return answer
        raise Unanswered(
            f"{self._device} did not answer within {ANSWER_PATIENCE_S:.0f} s: whether it was done is not known"
        )

    def command(self, make: MakeCommand, lasts: timedelta = COMMAND_LASTS) -> str:
        """Send what `make` makes, once; return its id, under which its answer is heard by `next`."""
        command = make(f"console-{secrets.token_hex(8)}", self._fence, datetime.now(UTC) + lasts)
        self._send(command)
        return command.command

    def _send(self, command: ServiceCommand) -> None:
        self._client.publish(topic(self._site, self._device, "svc/cmd"), encode(command), qos=1)

    def _answer_to(self, command: str, until_s: float) -> ServiceEvent | None:
        while (heard := self._next_heard(until_s)) is not None:
            if isinstance(heard, ServiceEvent) and heard.command == command:
                return heard
            self._aside.append(heard)
        return None

    def _next_heard(self, until_s: float) -> Heard | None:
        try:
            heard = self._heard.get(timeout=max(0.0, until_s - time.monotonic()))
        except queue.Empty:
            return None
        if isinstance(heard, ConsoleError):
            raise heard
        return heard

    def _make_client(self) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        if self._parts.username:
            client.username_pw_set(unquote(self._parts.username), unquote(self._parts.password or ""))
        if self._parts.scheme == "mqtts":
            client.tls_set()
        client.on_socket_open = _without_delay
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed_to
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_message = self._received
        return client

    def _connected(self, client: mqtt.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._subscribed.put(BrokerLost(f"the broker refuses the connection: {reason}"))
            return
        client.subscribe([(topic(self._site, self._device, leaf), 0 if leaf == "trace" else 1) for leaf in READERS])

    def _subscribed_to(self, _client: Any, _userdata: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        denied = [leaf for leaf, reason in zip(READERS, reasons, strict=True) if reason.is_failure]
        self._subscribed.put(
            BrokerLost(f"the broker does not let this user read {', '.join(denied)}") if denied else None
        )

    def _disconnected(self, _client: Any, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        # Paho connects again; the subscription is made anew, and what was said meanwhile is missing, so the person is told.
        if not self._is_ending:
            self._heard.put(BrokerLost(f"the connection to the broker was lost: {reason}"))

    def _published(self, _client: Any, _userdata: Any, _mid: int, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._heard.put(BrokerLost(f"the broker does not let this user send service commands: {reason}"))

    def _received(self, _client: Any, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        leaf = message.topic.split("/", 4)[4]
        try:
            self._heard.put(READERS[leaf](bytes(message.payload)))
        except ContractError as error:
            self._heard.put(
                ConsoleError(f"a message on {leaf} is not readable, is the bridge of another version? {error}")
            )


def _without_delay(_client: Any, _userdata: Any, connection: Any) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
