"""One MQTT 5 connection, served by the machine's own thread: births and last will, and messages as they come.

Nothing is decided in its callbacks: what came waits in `take` and is acknowledged to the broker when it was noted.
"""

import contextlib
import json
import secrets
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

KEEPALIVE_S = 15
SESSION_EXPIRY_S = 86_400
RECONNECT_S = 0.5
CONNECT_TIMEOUT_S = 2.0
SUBSCRIPTIONS = {"job/cmd": 1, "job/ack": 1, "svc/cmd": 0}


@dataclass(frozen=True)
class Place:
    """The broker, and whose topics are ours; `user` is None where nobody asks."""

    host: str
    port: int
    user: str | None
    password: str | None
    site: str
    device: str

    def topic(self, leaf: str, device: str | None = None) -> str:
        """Give a topic of this machine, or of another one of the site."""
        return f"dosehub/v1/{self.site}/{device or self.device}/{leaf}"

    @property
    def name(self) -> str:
        """Give where the machine can be spoken to, without a password."""
        return f"mqtt://{self.host}:{self.port}/{self.topic('')[:-1]}"


def read_place(url: str, site: str, device: str) -> Place:
    """Read mqtt://[user:password@]host[:port]; raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme != "mqtt" or not parts.hostname or parts.query or parts.path not in ("", "/"):
        raise ValueError(f"not an address mqtt://host:port: {parts.scheme}://…")
    user = unquote(parts.username) if parts.username else None
    return Place(parts.hostname, parts.port or 1883, user, unquote(parts.password or ""), site, device)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that came: its leaf (`hub` for the hub's state); `accept` tells the broker that it may forget it."""

    leaf: str
    payload: bytes
    accept: Callable[[], object]


class Connection:
    """The connection, opened anew whenever it broke; `is_open` once the broker serves our topics."""

    def __init__(self, place: Place) -> None:
        self.is_open = False
        self.place = place
        self._client: mqtt.Client | None = None
        self._letters: list[Letter] = []
        self._session = ""
        self._born = False
        self._connect_at = 0.0

    def descriptors(self) -> list[int]:
        """Give what to select on."""
        connection = None if self._client is None else self._client.socket()
        return [] if connection is None else [connection.fileno()]

    def work(self, now: float) -> None:
        """Connect where there is no connection, take what came, write what waits and keep it alive."""
        if self._client is None or self._client.socket() is None:
            self.is_open = False
            if now >= self._connect_at:
                self._connect(now)
            return
        if self._client.want_write():
            self._client.loop_write()
        self._client.loop_read()
        self._client.loop_misc()

    def take(self) -> list[Letter]:
        """Give what came since the last call."""
        letters, self._letters = self._letters, []
        return letters

    def take_birth(self) -> bool:
        """Tell, once for each connection, that the broker serves it."""
        born, self._born = self._born, False
        return born

    def publish(self, leaf: str, message: bytes, *, retain: bool = False) -> bool:
        """Publish with QoS 1; False where there is no connection, and then nothing is kept."""
        if not self.is_open or self._client is None:
            return False
        self._client.publish(self.place.topic(leaf), message, qos=1, retain=retain)
        return True

    def publish_state(self, state: str) -> None:
        """Publish the birth of this session, or its end."""
        self.publish("$state", self._state(state), retain=True)

    def drop(self, now: float) -> None:
        """Break off without a word, as a loss of power does: the broker will publish the last will."""
        client, self._client = self._client, None
        connection: Any = None if client is None else client.socket()
        if connection is not None:
            with contextlib.suppress(OSError):  # the broker may have hung up before
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self.is_open, self._born, self._connect_at = False, False, now
        self._letters.clear()

    def close(self) -> None:
        """Say that the machine leaves, and leave."""
        self.publish_state("lost")
        if self._client is not None:
            self._client.disconnect()
        self._client, self.is_open = None, False

    def _connect(self, now: float) -> None:
        self._connect_at = now + RECONNECT_S
        self._session = secrets.token_hex(8)
        self._letters.clear()
        client = self._client = self._made()
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        try:
            client.connect(self.place.host, self.place.port, KEEPALIVE_S, clean_start=False, properties=properties)
        except OSError as error:
            print(f"packager: no broker at {self.place.host}:{self.place.port}: {error}", file=sys.stderr, flush=True)
            self._client = None

    def _made(self) -> mqtt.Client:
        place = self.place
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"packager-{place.site}-{place.device}",
                             protocol=mqtt.MQTTv5, manual_ack=True)
        if place.user is not None:
            client.username_pw_set(place.user, place.password)
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.will_set(place.topic("$state"), self._state("lost"), qos=1, retain=True)
        client.on_socket_open = _without_delay
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._received
        return client

    def _connected(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            print(f"packager: the broker refuses the connection: {reason}", file=sys.stderr, flush=True)
            return
        leaves = [(self.place.topic(leaf), qos) for leaf, qos in SUBSCRIPTIONS.items()]
        client.subscribe([*leaves, (self.place.topic("$state", "hub"), 1)])

    def _subscribed(self, _client: Any, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        for leaf, reason in zip((*SUBSCRIPTIONS, "the hub's $state"), reasons, strict=True):
            if reason.is_failure:
                print(f"packager: the broker refuses to serve {leaf}: {reason}", file=sys.stderr, flush=True)
        self.is_open = self._born = True

    def _received(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        _, _, _, device, leaf = message.topic.split("/", 4)
        if message.retain and device != "hub":
            client.ack(message.mid, message.qos)  # a command is never retained: an old one must move nothing
            return
        self._letters.append(Letter("hub" if device == "hub" else leaf, bytes(message.payload),
                                    lambda: client.ack(message.mid, message.qos)))

    def _state(self, state: str) -> bytes:
        at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        return json.dumps({"state": state, "session": self._session, "at": at}).encode()


def _without_delay(_client: Any, _data: Any, connection: Any) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
