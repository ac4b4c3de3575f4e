"""The hub's end of the service topics: what bridges tell, the frames while somebody watches, service commands with their one answer.

It has a session of its own, as a user of its own: the hub's commands and events go on without it. It spools nothing: a lost broker
means that an act is refused, or that nobody knows whether it was done.
"""

import asyncio
import logging
import secrets
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware_bridge import contract, service_contract
from firmware_bridge.firmware_image import ImageRefused, image_of
from firmware_bridge.trace_contract import TracedFrame, TraceReport, decode_trace
from hub.adapters.capture import capture
from hub.adapters.dispatch import FENCE
from hub.adapters.firmware_updating import conducted
from hub.adapters.mqtt_callbacks import without_delay
from hub.domain.refusals import Refusal
from hub.services.device_service import (
    FirmwareStatusAct,
    Frame,
    JobQueryAct,
    JogAct,
    LockAct,
    SelfTestAct,
    SelfTestTold,
    ServiceAct,
    ServiceAnswer,
    WatchAct,
    Watched,
)
from hub.services.firmware_updates import FirmwareAct, Objection, UpdateNews
from hub.services.shown_frames import as_shown

_log = logging.getLogger(__name__)
VIEWER_HOLDS = 2000
RECORDING_HOLDS = 5000
LEAVES = ("$description", "self-test", "svc/evt", "trace")
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
        self.began_us = 0
        self._last_us = 0
        self._ended = True

    def hear(self, frames: tuple[Frame, ...], report: TraceReport, now: datetime) -> None:
        """Take one message of `trace` at `now`; `began_us` is when its watch began, in microseconds since 1970."""
        if frames and (self._ended or frames[0].at_us < self._last_us):
            self.buffer = FrameBuffer(RECORDING_HOLDS)
            self.began_us = round(now.timestamp() * 1e6) - frames[0].at_us
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
        self._self_tests: dict[str, SelfTestTold] = {}
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
        client.on_socket_open = without_delay
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

    def self_test(self, device: str) -> SelfTestTold | None:
        """Return the machine's last self test as the broker keeps it, or None."""
        return self._self_tests.get(device)

    def recorded(self, device: str) -> Watched:
        """Return the newest 5,000 frames of the last watch."""
        known = self._recordings.get(device)
        return known.buffer.held() if known is not None else Watched()

    def capture(self, device: str) -> bytes:
        """Return the newest 5,000 frames of the last watch as pcapng, dated by the hub's clock when the first was heard."""
        known = self._recordings.get(device)
        return capture(device, self.recorded(device), known.began_us if known is not None else 0)

    def read_image(self, data: bytes) -> FirmwareAct | Refusal:
        """Return which firmware a file holds, or why it may not be sent."""
        try:
            image = image_of(data)
        except ImageRefused as error:
            return Refusal("not-an-image", f"The file is not sent: {error}.", f"Файл не отправлен: {error}.")
        return FirmwareAct(image.version, len(image.data), image.sha256)

    def update(self, device: str, data: bytes, event: str, objection: Objection) -> AsyncIterator[UpdateNews]:
        """Bring the image in a file, which `read_image` took, into the machine."""
        return conducted(self, device, image_of(data), event, objection, self._now)

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
        is_jog = isinstance(act, JogAct)
        head = service_head(command, self._now() + (JOG_LASTS if is_jog else LASTS))
        return await self.ask_for(device, _command(act, head), 1 if is_jog else TIMES_ASKED)

    async def ask_for(
        self, device: str, command: service_contract.ServiceCommand, times: int = TIMES_ASKED
    ) -> ServiceAnswer:
        """Ask for a command that was made, at most so many times."""
        if self._trouble:
            return ServiceAnswer("BROKER_AWAY", f"{self._trouble.rstrip('.')}, and nothing was sent.")
        answered = self.send(device, command)
        try:
            return await self._answer_to(device, command, answered, times)
        finally:
            self.forget(command.command)

    def send(self, device: str, command: service_contract.ServiceCommand) -> "asyncio.Future[ServiceAnswer]":
        """Send a command once, unless the broker is away; return its answer to come, which is heard until `forget`."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[ServiceAnswer] = loop.create_future()
        self._asked[command.command] = (loop, answered)
        if not self._trouble:
            self._publish(device, command)
        return answered

    def forget(self, command: str) -> None:
        """Hear no more of a command."""
        self._asked.pop(command, None)

    def _publish(self, device: str, command: service_contract.ServiceCommand) -> None:
        self._client.publish(contract.topic(self._site, device, "svc/cmd"), contract.encode(command), qos=0)

    async def _answer_to(
        self,
        device: str,
        command: service_contract.ServiceCommand,
        answered: "asyncio.Future[ServiceAnswer]",
        times: int,
    ) -> ServiceAnswer:
        for left in range(times - 1, -1, -1):
            done, _ = await asyncio.wait([answered], timeout=self._ask_again_s)
            if done:
                return answered.result()
            if left:
                self._publish(device, command)
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
            case "self-test":
                told = service_contract.decode_self_test(payload)
                self._hear_self_test(
                    device, SelfTestTold(told.at, {str(test): str(found) for test, found in told.results.items()})
                )
            case "$description":
                self._hear_description(device, msgspec.to_builtins(contract.decode_description(payload)))

    def _hear_description(self, device: str, told: dict[str, Any]) -> None:
        if told != self._descriptions.get(device):
            self._descriptions[device] = told
            self._changes += 1

    def _hear_self_test(self, device: str, told: SelfTestTold) -> None:
        if told != self._self_tests.get(device):
            self._self_tests[device] = told
            self._changes += 1

    def _hear_frames(self, device: str, payload: bytes) -> None:
        """Keep frames only while somebody here watches: others may watch with programs of their own."""
        viewers = self._viewers.get(device)
        if not viewers:
            return
        report = decode_trace(payload)
        frames = tuple(as_shown(_frame(traced)) for traced in report.frames)
        self._recordings.setdefault(device, Recording()).hear(frames, report, self._now())
        for viewer in viewers:
            viewer.hear(frames, report.dropped)

    def _hear_answer(self, event: service_contract.ServiceEvent) -> None:
        waiting = self._asked.get(event.command)
        if waiting is None:
            return
        loop, answered = waiting
        answer = ServiceAnswer(event.rc, event.reason, dict(event.data))
        loop.call_soon_threadsafe(_settle, answered, answer)



def _settle(answered: asyncio.Future[ServiceAnswer], answer: ServiceAnswer) -> None:
    if not answered.done():
        answered.set_result(answer)


def _frame(traced: TracedFrame) -> Frame:
    return Frame(
        traced.at_us, traced.direction, len(traced.hex) // 2, traced.hex, traced.type, traced.seq, traced.op, dict(traced.fields),
        traced.error, traced.round_trip_us,
    )  # fmt: skip


def service_head(command: str, expires_at: datetime) -> dict[str, Any]:
    """Return the members that each service command has."""
    return {"command": command, "fence": FENCE, "expires_at": expires_at}


def _command(act: ServiceAct, head: dict[str, Any]) -> service_contract.ServiceCommand:
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
