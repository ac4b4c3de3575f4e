"""The hub's end of MQTT: commands out of the outbox, events into the inbox, acknowledged only after the commit.

It never decides anything about a pouch. A lost broker means: commands wait in the outbox, events wait in the bridge's spool.
"""

import base64
import logging
import secrets
import socket
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from firmware_bridge import contract
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.identifiers import DeviceId, JobId
from hub.domain.packs import JobState, PackJob
from hub.domain.records import Command
from hub.services.devices import device_reported
from hub.services.doubts import answer_command
from hub.services.machine_events import MachineEvent, send_next, take_event
from hub.services.verify_pack import verdict_to_send

_log = logging.getLogger(__name__)
COMMAND_LASTS = timedelta(minutes=10)
RESEND_S = 5.0
RUNS_ON_THE_WAY = 6
DECISIONS_ON_THE_WAY = 16
FENCE = 1


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

    def __init__(self, writer: Writer, broker_url: str, site: str, wall_clock: Callable[[], datetime]) -> None:
        self._writer = writer
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
        self._client.on_pre_connect = self._guarded(self._before_connect)
        self._client.on_socket_open = _no_delay
        self._client.on_connect = self._guarded(self._on_connect)
        self._client.on_disconnect = self._guarded(self._on_disconnect)
        self._client.on_message = self._guarded(self._on_message)
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
        waiting = self._writer.submit("system", _waiting).result()
        due = [command for command in waiting if self._is_due(command.id)]
        for command in due:
            payload = self._writer.submit_read(partial(self._payload_of, command)).result()
            if payload is not None:
                self._client.publish(contract.topic(self._site, command.device, "job/cmd"), payload, qos=1)
            self._published_s[command.id] = time.monotonic()
        self._forget({command.id for command in waiting})
        return False

    def _is_due(self, command_id: str) -> bool:
        return time.monotonic() - self._published_s.get(command_id, float("-inf")) >= RESEND_S

    def _forget(self, waiting: set[str]) -> None:
        self._published_s = {command: at for command, at in self._published_s.items() if command in waiting}

    def _payload_of(self, command: Command, unit: SqlUnitOfWork) -> bytes | None:
        job = unit.jobs.get(command.job)
        if job is None:
            return None
        envelope: dict[str, Any] = {
            "command": command.id,
            "seq": command.seq,
            "fence": FENCE,
            "expires_at": self._now() + COMMAND_LASTS,
        }
        made = _COMMANDS[command.kind](unit, command, job, envelope)
        return contract.encode(made) if made is not None else None

    def _guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        """An exception in a callback would end paho's thread without a word."""

        def call(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception:  # noqa: BLE001 the network thread must go on
                _log.exception("MQTT callback failed")

        return call

    def _before_connect(self, client: mqtt.Client, _data: Any) -> None:
        """Each connection is a session of its own: the will of a broken one may come after the birth of the next."""
        self._session = secrets.token_hex(8)
        client.will_set(contract.hub_state_topic(self._site), self._state("lost"), qos=1, retain=True)

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            _log.error("the broker refused the hub: %s", reason)
            return
        for leaf in ("job/evt", "status", "$state"):
            client.subscribe(contract.topic(self._site, "+", leaf), qos=1)
        client.publish(contract.hub_state_topic(self._site), self._state("ready"), qos=1, retain=True)
        self._connected.set()

    def _on_disconnect(self, *_: Any) -> None:
        self._connected.clear()

    def _on_message(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        _, _, _, device, leaf = message.topic.split("/", 4)
        if device == "hub":
            return
        if leaf == "job/evt":
            self._on_event(client, DeviceId(device), bytes(message.payload))
        elif leaf == "status":
            self._report(device, "status", bytes(message.payload))
        elif leaf == "$state":
            self._report(device, "state", bytes(message.payload))

    def _on_event(self, client: mqtt.Client, device: DeviceId, payload: bytes) -> None:
        try:
            event = contract.decode_event(payload)
        except contract.ContractError as error:
            _log.error("%s sent an event that cannot be read: %s", device, error)
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
            state, text = report.state if report.link == "up" else "link-down", payload.decode()
        else:
            told = contract.decode_state(payload)
            if not self._births.counts(device, told):
                _log.info("%s: the death of the older session %s came late", device, told.session)
                return
            state, text = told.state, ""
        self._writer.submit("system", lambda unit: device_reported(unit, DeviceId(device), state, text))

    def _state(self, state: Literal["ready", "lost"]) -> bytes:
        return contract.encode(contract.DeviceState(state=state, session=self._session, at=self._now()))


def _run(unit: SqlUnitOfWork, _: Command, job: PackJob, envelope: dict[str, Any]) -> contract.RunCommand:
    label = unit.prints.get(job.pack)
    assert label is not None
    stream = zlib.compress(base64.b64decode(label.raster), 6)
    slots = tuple(contract.RunSlot(slot=fill.machine_slot, cassette=fill.cassette, count=fill.count) for fill in job.fills)
    raster = contract.RunLabel(digest=label.digest, width=label.width, height=label.height, raster=stream)
    return contract.RunCommand(job=job.id, slots=slots, label=raster, **envelope)


def _verdict(unit: SqlUnitOfWork, _: Command, job: PackJob, envelope: dict[str, Any]) -> contract.VerdictCommand:
    pack = unit.packs.get(job.pack)
    assert job.at_camera is not None and pack is not None
    boot, event = job.at_camera
    verdict = verdict_to_send(pack)
    return contract.VerdictCommand(
        job=job.id, slot=len(job.fills) - 1, boot=boot, event=event, verdict=verdict.value, **envelope
    )


def _resolve(_: SqlUnitOfWork, command: Command, job: PackJob, envelope: dict[str, Any]) -> contract.ResolveCommand | None:
    """Return the answer to a doubt; None where a newer one took its place since: an id never stands for two answers."""
    if job.doubt is None or job.doubt.answer is None or answer_command(job) != command.id:
        return None
    told = job.doubt.answer
    return contract.ResolveCommand(
        job=job.id, slot=job.doubt.slot, boot=told.boot, event=told.event, counted=told.counted, **envelope
    )


_COMMANDS: Mapping[str, Callable[[SqlUnitOfWork, Command, PackJob, dict[str, Any]], contract.Command | None]] = {
    "run": _run,
    "verdict": _verdict,
    "resolve": _resolve,
}


def _waiting(unit: SqlUnitOfWork) -> list[Command]:
    """Return what is to be on the way: verdicts and people's answers, and runs of jobs that are marked as sent."""
    decisions = unit.commands.where(done=False, kind=["verdict", "resolve"], order_by="seq", limit=DECISIONS_ON_THE_WAY)
    for device in unit.devices.where(kind="packager"):
        send_next(unit, device.id, RUNS_ON_THE_WAY)
    runs = unit.commands.where(done=False, kind="run", order_by="seq", limit=RUNS_ON_THE_WAY)
    sent = [
        command
        for command in runs
        if (job := unit.jobs.get(command.job)) is not None and job.state is not JobState.QUEUED
    ]
    return decisions + sent


def _no_delay(_client: mqtt.Client, _data: Any, sock: Any) -> None:
    """Nagle's algorithm against delayed acknowledgements costs 44 ms a message."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
