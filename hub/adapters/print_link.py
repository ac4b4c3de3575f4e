"""Labels to a printer over MQTT: a command for each try, its outcome booked and only then acknowledged (docs/mqtt.md, "Prints").

The session is one of its own beside the hub's: its user at the broker may print and nothing else.
"""

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from firmware_bridge import contract, print_contract
from firmware_bridge.printer_status import PrinterLanguage, language_of
from hub.adapters.device_link import Births
from hub.adapters.mqtt_callbacks import guarded, without_delay
from hub.adapters.print_commands import book, next_command
from hub.adapters.writer import Writer
from hub.domain.identifiers import DeviceId
from hub.services.devices import device_reported

_log = logging.getLogger(__name__)
RESEND_S = 5.0
AFTER_TROUBLE_S = 5.0
UNKNOWN_LANGUAGE = "unknown-language"
SESSION_EXPIRY_S = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class PrinterPlace:
    """Where a printer is spoken to: the broker, who we are there, and whose topics."""

    broker: str
    port: int
    user: str
    password: str
    tls: bool
    site: str
    device: str

    def topic(self, leaf: str) -> str:
        """Return a topic of the printer."""
        return contract.topic(self.site, self.device, leaf)


def is_by_mqtt(url: str) -> bool:
    """Tell whether a printer's address is one at a broker."""
    return urlsplit(url).scheme in {"mqtt", "mqtts"}


def printer_place(url: str, device: DeviceId) -> PrinterPlace:
    """Return the parts of `mqtt[s]://[user:password@]host[:port]/site/device`; raise ValueError, also for another device than `device`."""
    parts = urlsplit(url)
    names = parts.path.strip("/").split("/")
    if len(names) != 2 or not all(names) or not parts.hostname:
        raise ValueError("a printer at a broker is mqtt://host:port/site/device")
    if names[1] != device:
        raise ValueError(f"the hub's printer is {device}; its address names {names[1]}")
    tls = parts.scheme == "mqtts"
    return PrinterPlace(
        parts.hostname, parts.port or (8883 if tls else 1883), unquote(parts.username or ""), unquote(parts.password or ""),
        tls, names[0], names[1],
    )  # fmt: skip


class PrintLink:
    """One MQTT session for one printer; `work` sends the label at hand, the network's thread books what became of it."""

    def __init__(self, writer: Writer, device: DeviceId, url: str) -> None:
        self._writer = writer
        self._device = device
        self._place = printer_place(url, device)
        self._connected = threading.Event()
        self._started = False
        self._births = Births()
        self._is_ready = self._is_lost = False
        self._language: PrinterLanguage | None = None
        self._sent: tuple[str, float] = ("", float("-inf"))
        self._not_before_s = float("-inf")
        client = self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"dosehub-{self._place.site}-printing", protocol=mqtt.MQTTv5
        )
        if self._place.user:
            client.username_pw_set(self._place.user, self._place.password)
        if self._place.tls:
            client.tls_set()
        client.on_socket_open = without_delay
        client.on_connect = guarded(self._on_connect)
        client.on_disconnect = guarded(lambda *_: self._connected.clear())
        client.on_message = guarded(self._on_message)

    def work(self) -> bool:
        """Send the first label that waits, again every five seconds until its outcome is booked."""
        if not self._started:
            self._start()
        language = self._language
        if language is None or not self._may_send:
            return False
        made = next_command(self._writer, self._device, language)
        now_s = time.monotonic()
        if made is not None and (made.command != self._sent[0] or now_s >= self._sent[1] + RESEND_S):
            self._client.publish(self._place.topic("print/cmd"), contract.encode(made), qos=1)
            self._sent = (made.command, now_s)
        return False

    def stop(self) -> None:
        """End the session's connection; what is under way is booked at the next start."""
        self._client.disconnect()
        if self._started:
            self._client.loop_stop()

    @property
    def _may_send(self) -> bool:
        """Nothing is piled up at the broker for a printer that is away, and nothing refused again and again for want of paper."""
        able = self._connected.is_set() and self._is_ready and not self._is_lost
        return able and time.monotonic() >= self._not_before_s

    def _start(self) -> None:
        self._started = True
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        self._client.reconnect_delay_set(min_delay=1, max_delay=10)
        self._client.connect_async(self._place.broker, self._place.port, 15, clean_start=False, properties=properties)
        self._client.loop_start()

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            _log.error("the broker refused the hub's printing: %s", reason)
            return
        client.subscribe([(self._place.topic(leaf), 1) for leaf in ("print/evt", "status", "$state", "$description")])
        self._connected.set()

    def _on_message(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        payload = bytes(message.payload)
        if message.topic == self._place.topic("status"):
            self._is_ready = contract.decode_status(payload).state == "ready"
        elif message.topic == self._place.topic("$state"):
            self._heard_state(contract.decode_state(payload))
        elif message.topic == self._place.topic("$description"):
            self._heard_description(contract.decode_description(payload))
        elif message.topic == self._place.topic("print/evt"):
            self._take(client, print_contract.decode_print_event(payload))

    def _heard_state(self, told: contract.DeviceState) -> None:
        if self._births.counts(self._device, told):
            self._is_lost = told.state == "lost"

    def _heard_description(self, told: contract.Description) -> None:
        """A printer is sent what it says it understands; one that speaks something else gets nothing, and its labels wait."""
        self._language = language_of(told.protocol)
        if self._language is None:
            _log.error("%s speaks %r, in which no label can be written: its labels wait", self._device, told.protocol)
            self._writer.submit("system", lambda unit: device_reported(unit, self._device, UNKNOWN_LANGUAGE, "")).result(
                timeout=30
            )

    def _take(self, client: mqtt.Client, event: print_contract.PrintEvent) -> None:
        """Book an outcome, then acknowledge it; the commit wakes the worker for the next label."""
        if event.kind != "printed":
            _log.warning("%s: %s %s: %s", self._device, event.command, event.kind, event.reason)
            self._not_before_s = time.monotonic() + AFTER_TROUBLE_S
        self._writer.submit(f"device:{self._device}", lambda unit: book(unit, self._device, event)).result(
            timeout=30
        )
        ack = print_contract.PrintAck(command=event.command)
        client.publish(self._place.topic("print/ack"), contract.encode(ack), qos=1)

