"""A real broker, a real bridge process and a hub's client for the tests of this folder."""

import json
import queue
import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware_bridge.contract import (
    BridgeEvent,
    Command,
    DeviceState,
    EventAck,
    decode_event,
    encode,
    hub_state_topic,
    topic,
)

SITE = "mercy"
DEVICE = "packager-1"
DEADLINE_S = 15.0
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


def ended(process: subprocess.Popen[Any]) -> int:
    """End a process that a test started and return its exit status."""
    process.terminate()
    try:
        return process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def free_port() -> int:
    """Return a port that the kernel has just given and taken back."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def mosquitto(folder: Path, port: int | None = None) -> Iterator[int]:
    """Run a broker until the block ends; yield its port."""
    chosen = port or free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {chosen} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nlog_dest none\npersistence false\n"
    )
    process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(chosen), "the broker")
        yield chosen
    finally:
        ended(process)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 0.2):
            return True
    except OSError:
        return False


def wait_until(holds: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Wait until a condition holds; fail after the deadline."""
    end_s = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < end_s, f"waited {deadline_s} s for {what}"
        select.select([], [], [], 0.005)


class BridgeProcess:
    """The bridge as it is started in production."""

    def __init__(self, folder: Path, broker_port: int, device_url: str, fence: int = 0, options: str = "") -> None:
        config = folder / "bridge.toml"
        config.write_text(
            f'[bridge]\nsite = "{SITE}"\nbroker = "mqtt://127.0.0.1:{broker_port}{options}"\nspool = "{folder / "spool.db"}"\n'
            f'[[device]]\nid = "{DEVICE}"\nurl = "{device_url}"\nbaud = 115200\nfence = {fence}\n'
        )
        self.log = folder / "bridge.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "firmware_bridge", "--config", str(config)], stdout=subprocess.PIPE, stderr=log
            )

    def wait_ready(self) -> None:
        """Wait for the line that the bridge prints when all machines answer."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE_S)
        assert ready, self.log.read_text()
        assert json.loads(self.process.stdout.readline()) == {"ready": True}

    def stop(self) -> int:
        """End it by SIGTERM; return its exit status."""
        return self._closed(ended(self.process))

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self._closed(self.process.wait())

    def _closed(self, status: int) -> int:
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


@contextmanager
def bridge(
    folder: Path, broker_port: int, device_url: str, fence: int = 0, options: str = ""
) -> Iterator[BridgeProcess]:
    """Run a bridge until the block ends."""
    running = BridgeProcess(folder, broker_port, device_url, fence, options)
    try:
        yield running
    finally:
        if running.process.returncode is None:
            running.stop()


class HubClient:
    """The hub's end of the contract: sends commands, acknowledges events when told to, remembers what it heard."""

    def __init__(self, port: int, *, acknowledges: bool = True) -> None:
        self.acknowledges = acknowledges
        self.heard: list[BridgeEvent] = []
        self.retained: dict[str, dict[str, Any]] = {}
        self.states: list[str] = []
        self._subscribed: queue.Queue[bool] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_socket_open = lambda _c, _u, s: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.on_connect = lambda c, *_: c.subscribe(topic(SITE, DEVICE, "#"), 1)
        self._client.on_subscribe = lambda *_: self._subscribed.put(True)
        self._client.on_message = self._received
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._subscribed.get(timeout=DEADLINE_S)

    def __enter__(self) -> "HubClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, command: Command | bytes) -> None:
        message = command if isinstance(command, bytes) else encode(command)
        self._client.publish(topic(SITE, DEVICE, "job/cmd"), message, qos=1)

    def say(self, state: str, session: str = "hub-1") -> None:
        message = encode(DeviceState(state=state, session=session, at=datetime.now(UTC)))  # type: ignore[arg-type]
        self._client.publish(hub_state_topic(SITE), message, qos=1, retain=True)

    def acknowledge(self, event: BridgeEvent) -> None:
        ack = EventAck(source=event.source, boot=event.boot, event=event.event)
        self._client.publish(topic(SITE, DEVICE, "job/ack"), encode(ack), qos=1)

    def remaining(self) -> dict[int, int]:
        """Return the tablets left by machine slot, as the last status says."""
        status = self.retained.get("status", {"cassettes": []})
        return {place["slot"]: place["remaining"] for place in status["cassettes"]}

    def kinds(self) -> list[str]:
        """Return the kinds heard, repetitions left out."""
        seen: dict[tuple[str, int, int], str] = {}
        for event in list(self.heard):
            seen.setdefault((event.source, event.boot, event.event), event.kind)
        return list(seen.values())

    def wait_for(self, kind: str, times: int = 1, deadline_s: float = DEADLINE_S) -> BridgeEvent:
        """Return the last event of a kind once it was heard so often (repetitions left out)."""
        wait_until(lambda: self.kinds().count(kind) >= times, f"{times} x {kind}, heard {self.kinds()}", deadline_s)
        return next(event for event in reversed(list(self.heard)) if event.kind == kind)

    def _received(self, _client: Any, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        leaf = message.topic.split("/", 4)[4]
        if leaf == "job/evt":
            event = decode_event(bytes(message.payload))
            # Acknowledged before it counts as heard: what a test sends after it heard comes after the acknowledgement.
            if self.acknowledges:
                self.acknowledge(event)
            self.heard.append(event)
        elif leaf in {"$state", "$description", "status"}:
            self.retained[leaf] = json.loads(message.payload)
            if leaf == "$state":
                self.states.append(self.retained[leaf]["state"])
