"""One machine's connection to the MQTT broker: births and last will, commands in, events out (docs/mqtt.md).

A message is acknowledged to the broker only after its handler has committed it; a handler's failure leaves it unacknowledged and it
comes again. Every callback is guarded: an exception in one would end paho's network thread without a word.
"""

import logging
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from firmware_bridge.contract import ContractError, DeviceState, decode_state, encode, hub_state_topic, topic

KEEPALIVE_S = 15
SESSION_EXPIRY_S = 86_400
RECONNECT_FIRST_S = 1
RECONNECT_LONGEST_S = 10
QUEUED_MESSAGES_LIMIT = 1000
FAREWELL_WAIT_S = 2.0
DENIALS_LIMIT = 0xFFFFFFFF
# Service commands at QoS 0: the broker keeps none for a bridge that is away, for they are done at once or never.
NOT_KEPT = frozenset({"svc/cmd"})
"""Heard with QoS 0: the broker keeps none for a bridge that is away."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BrokerAddress:
    """Where the broker is and who we are there; `tls` for `mqtts://`, `version` 3 for brokers without MQTT 5."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: bool
    version: int = 5


def parse_address(url: str) -> BrokerAddress:
    """Return the parts of `mqtt[s]://[user:pass@]host[:port][?version=3]`; raise ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
        raise ValueError(f"broker URL must be mqtt://host:port, not {parts.scheme}://…")
    tls = parts.scheme == "mqtts"
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    if parts.query not in {"", "version=3", "version=5"}:
        raise ValueError("after `?` only version=3 or version=5 may follow")
    version = 3 if parts.query == "version=3" else 5
    return BrokerAddress(parts.hostname, parts.port or (8883 if tls else 1883), user, password, tls, version)


@dataclass(frozen=True)
class Handlers:
    """What the connection calls, from paho's thread; `messages`, by the leaf that is subscribed, commit before they return, but for what is not kept."""

    messages: Mapping[str, Callable[[bytes], None]]
    connection_changed: Callable[[], None]
    hub_changed: Callable[[], None]
    denied: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Denials:
    """What the broker did not let us do since the start: how often (at most 2³²-1), and the last one in words; 0 and empty when all is well.

    Only MQTT 5 tells of a denied message. No version tells of a subscription that is granted and never served (docs/deployment.md).
    """

    count: int = 0
    last: str = ""

    def and_also(self, reason: str) -> "Denials":
        """Return these with one more."""
        return Denials(min(self.count + 1, DENIALS_LIMIT), reason)


class HubWatch:
    """Whether the hub lives, by its births and deaths: a death counts only for the session of the last birth."""

    def __init__(self) -> None:
        self.is_lost = False
        self._session: str | None = None

    def heard(self, state: DeviceState) -> None:
        """Take one message of the hub's `$state`."""
        if state.state != "lost":
            self._session = state.session
            self.is_lost = False
        elif self._session in {None, state.session}:
            self.is_lost = True


class Broker:
    """One MQTT 5 connection for one machine, so that the broker can tell of its loss alone."""

    def __init__(self, address: BrokerAddress, site: str, device: str, handlers: Handlers) -> None:
        self.hub = HubWatch()
        self.session = secrets.token_hex(8)
        self.subscribed = threading.Event()
        self.denials = Denials()
        self._on_the_way: dict[int, str] = {}
        self._address = address
        self._site = site
        self._device = device
        self._handlers = handlers
        self._client = self._make_client(f"firmware-bridge-{site}-{device}")

    def start(self) -> None:
        """Connect in the background and stay connected; the broker keeps our messages while we are away."""
        host, port = self._address.host, self._address.port
        if self._address.version == 5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_EXPIRY_S
            self._client.connect_async(host, port, KEEPALIVE_S, clean_start=False, properties=properties)
        else:
            self._client.connect_async(host, port, KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Say that the machine is out of reach, disconnect and end the network thread."""
        if self.subscribed.is_set():
            farewell = self.publish("$state", encode(self._state("lost")), retain=True)
            if farewell is not None:
                farewell.wait_for_publish(FAREWELL_WAIT_S)
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def is_connected(self) -> bool:
        """Tell whether messages can leave now."""
        return self.subscribed.is_set()

    def publish_state(self, state: str) -> None:
        """Publish the birth state `init` or `ready` of this session, retained."""
        self.publish("$state", encode(self._state(state)), retain=True)

    def publish(self, leaf: str, payload: bytes, *, retain: bool = False) -> mqtt.MQTTMessageInfo | None:
        """Publish with QoS 1, a trace with QoS 0; return None and send nothing while not connected (paho would queue, then send twice)."""
        if not self.subscribed.is_set():
            return None
        qos = 0 if leaf == "trace" else 1
        sent = self._client.publish(topic(self._site, self._device, leaf), payload, qos=qos, retain=retain)
        if qos:
            self._on_the_way[sent.mid] = leaf
        return sent

    def _state(self, state: Any) -> DeviceState:
        return DeviceState(state=state, session=self.session, at=datetime.now(UTC))

    def _make_client(self, client_id: str) -> mqtt.Client:
        is_5 = self._address.version == 5
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if is_5 else False,
            protocol=mqtt.MQTTv5 if is_5 else mqtt.MQTTv311,
            manual_ack=True,
        )
        if self._address.user is not None:
            client.username_pw_set(self._address.user, self._address.password)
        if self._address.tls:
            client.tls_set()
        client.max_queued_messages_set(QUEUED_MESSAGES_LIMIT)
        client.reconnect_delay_set(RECONNECT_FIRST_S, RECONNECT_LONGEST_S)
        client.on_pre_connect = self._guarded(self._before_connect)
        client.on_socket_open = self._guarded(_without_delay)
        client.on_connect = self._guarded(self._connected)
        client.on_subscribe = self._guarded(self._subscribed)
        client.on_disconnect = self._guarded(self._disconnected)
        client.on_publish = self._guarded(self._published)
        client.on_message = self._guarded(self._received)
        return client

    def _guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        def guard(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception:
                logger.exception("%s: callback %s failed", self._device, callback.__name__)

        return guard

    def _before_connect(self, client: mqtt.Client, _userdata: Any) -> None:
        self.session = secrets.token_hex(8)
        client.will_set(topic(self._site, self._device, "$state"), encode(self._state("lost")), qos=1, retain=True)

    def _connected(self, client: mqtt.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._deny(f"the broker refuses the connection: {reason}")
            return
        leaves = [(topic(self._site, self._device, leaf), int(leaf not in NOT_KEPT)) for leaf in self._handlers.messages]
        client.subscribe([*leaves, (hub_state_topic(self._site), 1)])

    def _subscribed(self, _client: Any, _userdata: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        for leaf, reason in zip((*self._handlers.messages, "the hub's $state"), reasons, strict=True):
            if reason.is_failure:
                self._deny(f"the broker refuses to serve {leaf}: {reason}")
        logger.info("%s: connected to the broker", self._device)
        self.subscribed.set()
        self._handlers.connection_changed()

    def _disconnected(self, _client: Any, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        logger.warning("%s: broker connection ended: %s", self._device, reason)
        self.subscribed.clear()
        self._on_the_way.clear()
        self._handlers.connection_changed()

    def _published(self, _client: Any, _userdata: Any, mid: int, reason: Any, _properties: Any) -> None:
        # The answer can overtake the note of what was sent; then the refusal is told without its topic.
        leaf = self._on_the_way.pop(mid, "a message")
        if reason.is_failure:
            self._deny(f"the broker refuses {leaf}: {reason}")

    def _deny(self, reason: str) -> None:
        logger.error("%s: %s", self._device, reason)
        self.denials = self.denials.and_also(reason)
        self._handlers.denied()

    def _received(self, client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        """Hand a message on and acknowledge it; what could not be taken, as with a full disk, comes again on a new connection."""
        try:
            self._hand_on(message)
        except Exception:
            # Left unacknowledged under an open connection it would never come again, and twenty of them end all deliveries.
            connection = client.socket()
            if isinstance(connection, socket.socket):
                connection.shutdown(socket.SHUT_RDWR)
            raise
        client.ack(message.mid, message.qos)

    def _hand_on(self, message: mqtt.MQTTMessage) -> None:
        if message.topic == hub_state_topic(self._site):
            self._heard_hub(bytes(message.payload))
            return
        if message.retain:
            logger.warning("%s: a retained message on %s is ignored", self._device, message.topic)
            return
        handler = self._handlers.messages.get(message.topic.removeprefix(topic(self._site, self._device, "")))
        if handler is not None:
            handler(bytes(message.payload))

    def _heard_hub(self, payload: bytes) -> None:
        if not payload:
            return
        try:
            self.hub.heard(decode_state(payload))
        except ContractError as error:
            logger.warning("%s: the hub's state is not readable: %s", self._device, error)
            return
        self._handlers.hub_changed()


def _without_delay(_client: Any, _userdata: Any, connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
