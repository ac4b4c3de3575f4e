"""The hub's end of MQTT: commands out of the outbox, events into the inbox, acknowledged only after the commit.

It never decides anything about a pouch. A lost broker means: commands wait in the outbox, events wait in the bridge's spool.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from firmware_bridge import contract
from hub.adapters.device_watch import DeviceWatch
from hub.adapters.dispatch import FENCE, commands_on_the_way, payload_of
from hub.adapters.mqtt_callbacks import guarded, without_delay
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.identifiers import DeviceId, JobId
from hub.services.devices import Gap, device_reported, missing_events, tell_missing
from hub.services.machine_events import MachineEvent, event_unreadable, take_event

_log = logging.getLogger(__name__)
COMMAND_LASTS = timedelta(minutes=10)
RESEND_S = 5.0
LOOK_S = 10.0
NO_NUMBER = 0


class Births:
    """Which session of each device was born last: a late death of an older one says nothing of the newer."""

    def __init__(self) -> None:
        self._born: dict[str, str] = {}

    def counts(self, device: str, told: contract.DeviceState) -> bool:
        """Take one birth or death; return whether it is to be believed."""
        if told.state != "lost":
            self._born[device] = told.session
        return self._born.get(device, told.session) == told.session


class DeviceLink:
    """One MQTT session for all devices of the site; `work` publishes what the outbox holds."""

    def __init__(
        self, writer: Writer, broker_url: str, site: str, wall_clock: Callable[[], datetime], look_s: float = LOOK_S
    ) -> None:
        self._writer = writer
        self._look_s = look_s
        self._look_at_s = 0.0
        self._watch = DeviceWatch()
        self._site = site
        self._now = wall_clock
        self._broker = urlsplit(broker_url)
        self._session = secrets.token_hex(8)
        self._births = Births()
        self._connected = threading.Event()
        self._published_s: dict[str, float] = {}
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"dosehub-{site}", protocol=mqtt.MQTTv5)
        if self._broker.username:
            self._client.username_pw_set(unquote(self._broker.username), unquote(self._broker.password or ""))
        if self._broker.scheme == "mqtts":
            self._client.tls_set()
        self._client.on_pre_connect = guarded(self._before_connect)
        self._client.on_socket_open = without_delay
        self._client.on_connect = guarded(self._on_connect)
        self._client.on_disconnect = guarded(self._on_disconnect)
        self._client.on_message = guarded(self._on_message)
        self._client.max_inflight_messages_set(20)

    def start(self) -> None:
        """Connect in the background and keep reconnecting."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 7 * 24 * 3600
        self._client.reconnect_delay_set(min_delay=1, max_delay=10)
        self._client.connect_async(
            self._broker.hostname or "127.0.0.1",
            self._broker.port or (8883 if self._broker.scheme == "mqtts" else 1883),
            keepalive=15,
            clean_start=False,
            properties=properties,
        )
        self._client.loop_start()

    def stop(self) -> None:
        """Say that the hub is leaving and disconnect."""
        if self._connected.is_set():
            self._client.publish(
                contract.hub_state_topic(self._site), self._state("lost"), qos=1, retain=True
            ).wait_for_publish(2)
        self._client.disconnect()
        self._client.loop_stop()

    def work(self) -> bool:
        """Publish commands that wait, decisions first; a command without an answer is repeated every five seconds."""
        if not self._connected.is_set():
            self._connected.wait(0.5)
            return not self._connected.is_set()
        self._look_after_devices(time.monotonic())
        waiting = self._writer.submit("system", commands_on_the_way).result()
        due = [command for command in waiting if self._is_due(command.id)]
        for command in due:
            expires_at = self._now() + COMMAND_LASTS
            payload = self._writer.submit_read(partial(payload_of, command=command, expires_at=expires_at)).result()
            if payload is None:
                # It was overtaken since it got its number; the number is used up all the same, so that the device misses none.
                payload = self._status_command(command.seq)
            self._client.publish(contract.topic(self._site, command.device, "job/cmd"), payload, qos=1)
            self._published_s[command.id] = time.monotonic()
        self._forget({command.id for command in waiting})
        return False

    def _look_after_devices(self, now_s: float) -> None:
        """Report gaps in events that stay, and ask machines for a rebirth; at most once in `look_s`."""
        if now_s < self._look_at_s:
            return
        self._look_at_s = now_s + self._look_s
        found = self._writer.submit_read(_gaps_of_machines).result()
        staying = {device: self._watch.stays(device, gaps) for device, gaps in found.items()}
        with_gaps = [device for device, gaps in staying.items() if gaps]
        for device in with_gaps:
            _log.warning("%s: events never came: %s", device, staying[device])
            self._writer.submit(f"device:{device}", partial(tell_missing, device_id=device, gaps=staying[device])).result()
        for name in self._watch.to_ask(found, with_gaps, now_s):
            self._ask_for_rebirth(DeviceId(name))

    def _ask_for_rebirth(self, device: DeviceId) -> None:
        """Ask under no number: a number would be missing for ever, were the hub to end before its message is out."""
        self._client.publish(contract.topic(self._site, device, "job/cmd"), self._status_command(NO_NUMBER), qos=1)

    def _status_command(self, seq: int) -> bytes:
        name, expires_at = f"status-{secrets.token_hex(8)}", self._now() + COMMAND_LASTS
        return contract.encode(contract.StatusCommand(command=name, seq=seq, fence=FENCE, expires_at=expires_at))

    def _is_due(self, command_id: str) -> bool:
        return time.monotonic() - self._published_s.get(command_id, float("-inf")) >= RESEND_S

    def _forget(self, waiting: set[str]) -> None:
        self._published_s = {command: at for command, at in self._published_s.items() if command in waiting}

    def _before_connect(self, client: mqtt.Client, _data: Any) -> None:
        """Each connection is a session of its own: the will of a broken one may come after the birth of the next."""
        self._session = secrets.token_hex(8)
        client.will_set(contract.hub_state_topic(self._site), self._state("lost"), qos=1, retain=True)

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            _log.error("the broker refused the hub: %s", reason)
            return
        # A birth says less than the status after it: what is retained comes in this order.
        for leaf in ("job/evt", "$state", "$description", "status"):
            client.subscribe(contract.topic(self._site, "+", leaf), qos=1)
        client.publish(contract.hub_state_topic(self._site), self._state("ready"), qos=1, retain=True)
        self._watch.begin_anew()
        self._connected.set()

    def _on_disconnect(self, *_: Any) -> None:
        self._connected.clear()

    def _on_message(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        _, _, _, device, leaf = message.topic.split("/", 4)
        if device == "hub":
            return
        if leaf == "job/evt":
            self._on_event(client, DeviceId(device), bytes(message.payload))
        elif leaf == "$description" and message.payload:
            contract.decode_description(bytes(message.payload))
            self._watch.heard(device, leaf)
        elif leaf == "status":
            self._report(device, "status", bytes(message.payload))
        elif leaf == "$state":
            self._report(device, "state", bytes(message.payload))

    def _on_event(self, client: mqtt.Client, device: DeviceId, payload: bytes) -> None:
        try:
            event = contract.decode_event(payload)
        except contract.ContractError as error:
            _log.error("%s sent an event that cannot be read: %s", device, error)
            reason = str(error)
            self._writer.submit(f"device:{device}", lambda unit: event_unreadable(unit, device, reason))
            return
        job = JobId(event.job) if event.job is not None else None
        taken = MachineEvent(device, event.source, event.boot, event.event, event.kind, job, event.slot, event.data)
        self._writer.submit(f"device:{device}", lambda unit: take_event(unit, taken)).result(timeout=30)
        ack = contract.EventAck(source=event.source, boot=event.boot, event=event.event)
        client.publish(contract.topic(self._site, device, "job/ack"), contract.encode(ack), qos=1)

    def _report(self, device: str, what: str, payload: bytes) -> None:
        if not payload:
            return
        if what == "status":
            report = contract.decode_status(payload)
            self._watch.heard(device, "status")
            state, text = report.state if report.link == "up" else "link-down", payload.decode()
        else:
            told = contract.decode_state(payload)
            if not self._births.counts(device, told):
                _log.info("%s: the death of the older session %s came late", device, told.session)
                return
            (self._watch.born if told.state == "ready" else self._watch.died)(device)
            state, text = told.state, ""
        self._writer.submit("system", lambda unit: device_reported(unit, DeviceId(device), state, text))

    def _state(self, state: Literal["ready", "lost"]) -> bytes:
        return contract.encode(contract.DeviceState(state=state, session=self._session, at=self._now()))


def _gaps_of_machines(unit: SqlUnitOfWork) -> dict[DeviceId, tuple[Gap, ...]]:
    return {device.id: missing_events(unit, device.id) for device in unit.devices.where(kind="packager")}

