"""The printer's MQTT 5 connection: birth, last will, messages in and out; it comes back by itself."""

import json
import secrets
import socket
import sys
import threading
import traceback
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
FAREWELL_WAIT_S = 2.0
LEAVES = ("print/cmd", "print/ack")


@dataclass(frozen=True)
class Place:
    """The broker, who we are there, and whose topics are ours."""

    host: str
    port: int
    user: str | None
    password: str
    site: str
    device: str

    def topic(self, leaf: str) -> str:
        """Give a topic of this printer."""
        return f"dosehub/v1/{self.site}/{self.device}/{leaf}"

    @property
    def hub(self) -> str:
        """Give the topic of the hub's births and deaths."""
        return f"dosehub/v1/{self.site}/hub/$state"

    @property
    def name(self) -> str:
        """Give where the printer can be spoken to, without a password."""
        return f"mqtt://{self.host}:{self.port}/{self.site}/{self.device}"


def read_place(url: str, site: str, device: str) -> Place:
    """Read mqtt://[user:password@]host[:port]; raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme != "mqtt" or not parts.hostname or parts.query or parts.path not in ("", "/"):
        raise ValueError(f"not an address mqtt://host:port: {parts.scheme}://…")
    user = unquote(parts.username) if parts.username else None
    return Place(parts.hostname, parts.port or 1883, user, unquote(parts.password or ""), site, device)


class Connection:
    """One connection; `heard` is called with (leaf, payload), `hub` for the hub's state, and the broker forgets once it returned."""

    def __init__(self, place: Place, heard: Callable[[str, bytes], None], opened: Callable[[], None]) -> None:
        self._place, self._heard, self._opened = place, heard, opened
        self._session = ""
        self._open = threading.Event()
        client_id = f"printer-{place.site}-{place.device}"
        client = self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5, manual_ack=True)
        if place.user is not None:
            client.username_pw_set(place.user, place.password)
        client.reconnect_delay_set(1, 5)
        client.on_pre_connect = _guarded(self._before)
        client.on_socket_open = _guarded(_without_delay)
        client.on_connect = _guarded(self._connected)
        client.on_subscribe = _guarded(self._subscribed)
        client.on_disconnect = lambda *_: self._open.clear()
        client.on_message = _guarded(self._received)

    @property
    def is_open(self) -> bool:
        """Tell whether the broker serves our topics."""
        return self._open.is_set()

    def start(self) -> None:
        """Connect in the background."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        place = self._place
        self._client.connect_async(place.host, place.port, KEEPALIVE_S, clean_start=False, properties=properties)
        self._client.loop_start()

    def stop(self) -> None:
        """Say that the printer leaves, and leave."""
        if self.is_open:
            farewell = self._client.publish(self._place.topic("$state"), self._state("lost"), qos=1, retain=True)
            farewell.wait_for_publish(FAREWELL_WAIT_S)
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, leaf: str, message: object, *, retain: bool = False) -> None:
        """Publish with QoS 1; nothing is kept of it where the connection is not open."""
        if self.is_open:
            self._client.publish(self._place.topic(leaf), json.dumps(message), qos=1, retain=retain)

    def publish_birth(self) -> None:
        """Say that the printer is there."""
        if self.is_open:
            self._client.publish(self._place.topic("$state"), self._state("ready"), qos=1, retain=True)

    def _before(self, client: mqtt.Client, _data: Any) -> None:
        self._session = secrets.token_hex(8)
        client.will_set(self._place.topic("$state"), self._state("lost"), qos=1, retain=True)

    def _connected(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            print(f"printer: the broker refuses the connection: {reason}", file=sys.stderr, flush=True)
            return
        client.subscribe([*((self._place.topic(leaf), 1) for leaf in LEAVES), (self._place.hub, 1)])

    def _subscribed(self, _client: Any, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        for leaf, reason in zip((*LEAVES, "the hub's $state"), reasons, strict=True):
            if reason.is_failure:
                print(f"printer: the broker refuses to serve {leaf}: {reason}", file=sys.stderr, flush=True)
        self._open.set()
        self._opened()

    def _received(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        """A command is never retained: one that is, is an old one and must print nothing.

        Acknowledged is also what could not be taken, which the hub sends again: else it would close the broker's window for good.
        """
        try:
            if message.topic == self._place.hub:
                self._heard("hub", bytes(message.payload))
            elif not message.retain:
                self._heard(message.topic.removeprefix(self._place.topic("")), bytes(message.payload))
        finally:
            client.ack(message.mid, message.qos)

    def _state(self, state: str) -> bytes:
        return json.dumps({"state": state, "session": self._session, "at": utc(datetime.now(UTC))}).encode()


def utc(moment: datetime) -> str:
    """Write a time of UTC as RFC 3339."""
    return moment.isoformat().replace("+00:00", "Z")


def _guarded(callback: Callable[..., None]) -> Callable[..., None]:
    """An exception in a callback would end the network's thread, and the printer would hear nothing more."""

    def call(*arguments: Any) -> None:
        try:
            callback(*arguments)
        except Exception:  # noqa: BLE001 the network's thread must go on
            print(f"printer: {traceback.format_exc()}", file=sys.stderr, flush=True)

    return call


def _without_delay(_client: Any, _data: Any, connection: Any) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
