"""The hub's end of the service topics: what bridges tell, the frames while somebody watches, service commands with their one answer.

It has a session of its own, as a user of its own: the hub's commands and events go on without it. It spools nothing: a lost broker
means that an act is refused, or that nobody knows whether it was done.
"""

import asyncio
import logging
import secrets
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware_bridge import contract, service_contract
from firmware_bridge.trace_contract import TracedFrame, TraceReport, decode_trace
from hub.adapters.dispatch import FENCE
from hub.services.device_service import (
    FirmwareStatusAct,
    Frame,
    JobQueryAct,
    JogAct,
    LockAct,
    SelfTestAct,
    ServiceAct,
    ServiceAnswer,
    WatchAct,
    Watched,
)
from hub.services.shown_frames import as_shown

_log = logging.getLogger(__name__)
VIEWER_HOLDS = 2000
RECORDING_HOLDS = 5000
LEAVES = ("$description", "svc/evt", "trace")
NOT_YET = "The broker has not answered yet: no machine can be heard or asked."
SAYS_NOTHING = ("Unspecified error", "Normal disconnection")
ASK_AGAIN_S = 2.0
TIMES_ASKED = 3
LASTS = timedelta(seconds=5)
JOG_LASTS = timedelta(seconds=1)


class FrameBuffer:
    """The frames of one watch for one who takes them: the newest `holds`, and how many are missing; for two threads."""

    def __init__(self, holds: int) -> None:
        self._frames: deque[Frame] = deque(maxlen=holds)
        self._guard = threading.Lock()
        self._bridge_dropped = 0
        self._overflowed = 0

    def hear(self, frames: tuple[Frame, ...], bridge_dropped: int) -> None:
        """Take the frames of one message, and the bridge's own count of those that it could not tell."""
        with self._guard:
            room = (self._frames.maxlen or 0) - len(self._frames)
            self._overflowed += max(0, len(frames) - room)
            self._frames.extend(frames)
            self._bridge_dropped = bridge_dropped

    def take(self) -> Watched:
        """Return the frames that wait, and forget them."""
        with self._guard:
            watched = Watched(tuple(self._frames), self._bridge_dropped + self._overflowed)
            self._frames.clear()
        return watched

    def held(self) -> Watched:
        """Return the frames and keep them."""
        with self._guard:
            return Watched(tuple(self._frames), self._bridge_dropped + self._overflowed)


class Recording:
    """The frames of the last watch of a machine; a new watch begins where the time went back or the last one had ended."""

    def __init__(self) -> None:
        self.buffer = FrameBuffer(RECORDING_HOLDS)
        self._last_us = 0
        self._ended = False

    def hear(self, frames: tuple[Frame, ...], report: TraceReport) -> None:
        """Take one message of `trace`."""
        if frames and (self._ended or frames[0].at_us < self._last_us):
            self.buffer = FrameBuffer(RECORDING_HOLDS)
        self._last_us = frames[-1].at_us if frames else self._last_us
        self._ended = report.ended
        self.buffer.hear(frames, report.dropped)


class MqttDeviceService:
    """`DeviceService` of hub.services.device_service over one MQTT session for all machines of the site."""

    def __init__(
        self, broker_url: str, site: str, wall_clock: Callable[[], datetime], ask_again_s: float = ASK_AGAIN_S
    ) -> None:
        self._site = site
        self._ask_again_s = ask_again_s
        self._now = wall_clock
        self._broker = urlsplit(broker_url)
        self._trouble = NOT_YET
        self._changes = 0
        self._descriptions: dict[str, dict[str, Any]] = {}
        self._viewers: dict[str, list[FrameBuffer]] = {}
        self._recordings: dict[str, Recording] = {}
        self._asked: dict[str, tuple[asyncio.AbstractEventLoop, asyncio.Future[ServiceAnswer]]] = {}
        self._client = self._make_client()

    def _make_client(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"dosehub-{self._site}-service-{secrets.token_hex(4)}",
            protocol=mqtt.MQTTv5,
        )
        if self._broker.username:
            client.username_pw_set(unquote(self._broker.username), unquote(self._broker.password or ""))
        if self._broker.scheme == "mqtts":
            client.tls_set()
        client.on_socket_open = _no_delay
        client.on_connect = self._on_connect
        client.on_connect_fail = lambda *_: self._set_trouble(
            "The broker cannot be reached: no machine can be heard or asked."
        )
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def start(self) -> None:
        """Connect in the background and keep reconnecting."""
        self._client.reconnect_delay_set(min_delay=1, max_delay=10)
        port = self._broker.port or (8883 if self._broker.scheme == "mqtts" else 1883)
        self._client.connect_async(self._broker.hostname or "127.0.0.1", port, keepalive=15)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def changes(self) -> int:
        """How often what a page shows has changed."""
        return self._changes

    @property
    def trouble(self) -> str:
        """Why nobody can be asked now; empty where the broker is there."""
        return self._trouble

    def description(self, device: str) -> Mapping[str, Any] | None:
        """Return what the machine said of itself, or None where that was not heard yet."""
        return self._descriptions.get(device)

    def recorded(self, device: str) -> Watched:
        """Return the newest 5,000 frames of the last watch."""
        known = self._recordings.get(device)
        return known.buffer.held() if known is not None else Watched()

    @contextmanager
    def watching(self, device: str) -> Iterator[FrameBuffer]:
        """Hear the frames of a device until the block ends."""
        viewer = FrameBuffer(VIEWER_HOLDS)
        self._viewers[device] = [*self._viewers.get(device, []), viewer]
        try:
            yield viewer
        finally:
            self._viewers[device] = [other for other in self._viewers[device] if other is not viewer]

    async def ask(self, device: str, act: ServiceAct, command: str) -> ServiceAnswer:
        """Ask under an id until it is answered; a jog is asked once, what else got no answer again under the same id."""
        if self._trouble:
            return ServiceAnswer("BROKER_AWAY", f"{self._trouble.rstrip('.')}, and nothing was sent.")
        is_jog = isinstance(act, JogAct)
        message = contract.encode(_command(act, command, self._now() + (JOG_LASTS if is_jog else LASTS)))
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[ServiceAnswer] = loop.create_future()
        self._asked[command] = (loop, answered)
        try:
            return await self._answer_to(device, message, answered, 1 if is_jog else TIMES_ASKED)
        finally:
            self._asked.pop(command, None)

    async def _answer_to(
        self, device: str, message: bytes, answered: asyncio.Future[ServiceAnswer], tries: int
    ) -> ServiceAnswer:
        for _ in range(tries):
            self._client.publish(contract.topic(self._site, device, "svc/cmd"), message, qos=0)
            done, _ = await asyncio.wait([answered], timeout=self._ask_again_s)
            if done:
                return answered.result()
        return ServiceAnswer(
            "UNANSWERED",
            f"{device} did not answer in time. Whether it was done is not known: look at the machine. It will not be done later.",
        )

    # On paho's thread

    def _set_trouble(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._changes += 1

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            _log.error("the broker refused the hub's service user: %s", reason)
            self._set_trouble(
                f"The broker refused the hub's service user ({reason}): no machine can be heard or asked."
            )
            return
        client.subscribe([(contract.topic(self._site, "+", leaf), 0 if leaf == "trace" else 1) for leaf in LEAVES])
        self._set_trouble("")

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        why = f" ({reason})" if str(reason) not in SAYS_NOTHING else ""
        self._set_trouble(
            f"The connection to the broker was lost{why}: what is shown may be old, and no machine can be asked."
        )

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        _, _, _, device, leaf = message.topic.split("/", 4)
        if device == "hub" or not message.payload:
            return
        try:
            self._hear(device, leaf, bytes(message.payload))
        except contract.ContractError as error:
            _log.error("%s sent a %s that cannot be read: %s", device, leaf, error)
        except Exception:  # noqa: BLE001 paho's thread must go on
            _log.exception("a message of %s on %s was not taken", device, leaf)

    def _hear(self, device: str, leaf: str, payload: bytes) -> None:
        match leaf:
            case "trace":
                self._hear_frames(device, payload)
            case "svc/evt":
                self._hear_answer(service_contract.decode_service_event(payload))
            case "$description":
                self._hear_description(device, msgspec.to_builtins(contract.decode_description(payload)))

    def _hear_description(self, device: str, told: dict[str, Any]) -> None:
        if told != self._descriptions.get(device):
            self._descriptions[device] = told
            self._changes += 1

    def _hear_frames(self, device: str, payload: bytes) -> None:
        """Keep frames only while somebody here watches: others may watch with programs of their own."""
        viewers = self._viewers.get(device)
        if not viewers:
            return
        report = decode_trace(payload)
        frames = tuple(as_shown(_frame(traced)) for traced in report.frames)
        self._recordings.setdefault(device, Recording()).hear(frames, report)
        for viewer in viewers:
            viewer.hear(frames, report.dropped)

    def _hear_answer(self, event: service_contract.ServiceEvent) -> None:
        waiting = self._asked.get(event.command)
        if waiting is None:
            return
        loop, answered = waiting
        answer = ServiceAnswer(event.rc, event.reason, dict(event.data))
        loop.call_soon_threadsafe(_settle, answered, answer)


def _no_delay(_client: mqtt.Client, _data: Any, opened: Any) -> None:
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _settle(answered: asyncio.Future[ServiceAnswer], answer: ServiceAnswer) -> None:
    if not answered.done():
        answered.set_result(answer)


def _frame(traced: TracedFrame) -> Frame:
    return Frame(
        traced.at_us, traced.direction, len(traced.hex) // 2, traced.hex, traced.type, traced.seq, traced.op, dict(traced.fields),
        traced.error, traced.round_trip_us,
    )  # fmt: skip


def _command(act: ServiceAct, command: str, expires_at: datetime) -> service_contract.ServiceCommand:
    head: dict[str, Any] = {"command": command, "fence": FENCE, "expires_at": expires_at}
    match act:
        case LockAct(mode, owner):
            return service_contract.LockCommand(mode=mode, owner=owner, **head)
        case SelfTestAct():
            return service_contract.SelfTestCommand(tests=frozenset(), **head)
        case JogAct(motor, direction, hold_ms):
            return service_contract.JogCommand(motor=motor, direction=direction, hold_ms=hold_ms, **head)
        case WatchAct(seconds):
            return service_contract.WatchCommand(seconds=seconds, **head)
        case JobQueryAct(job):
            return service_contract.JobQueryCommand(job=job, **head)
        case FirmwareStatusAct():
            return service_contract.FirmwareStatusCommand(**head)
