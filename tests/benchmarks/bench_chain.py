"""From the hub's command to the machine's event: hub, broker, bridge, serial line, firmware and back, beside a bare chain.

Ours is a verdict, published as the hub publishes it, until its `released` is heard: a real mosquitto with the shipped settings, the
bridge's process with its spool on this disk, a pseudo terminal and the simulated packager's process. The bare chain has the same broker
and client, a bridge that keeps nothing, and an echo of as many bytes; the durable bare chain commits one row each way with
`synchronous=FULL`, which is the least that a bridge must do that loses nothing. Ours commits three times before the event leaves: the command before it
is acknowledged, that the machine may know it before the bytes leave, and the events.
"""

import queue
import socket
import statistics
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from msgspec import structs
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from firmware_bridge.contract import (
    BridgeEvent,
    DeviceState,
    EventAck,
    RunCommand,
    VerdictCommand,
    decode_event,
    encode,
    hub_state_topic,
    topic,
)
from tests.benchmarks.bare_bridge import without_delay
from tests.benchmarks.figures import Figure, beside, note, percentile, print_table
from tests.benchmarks.processes import load_cassette, running
from tests.bridge.orders import later, run_command, verdict_command
from tests.bridge.plant import MOSQUITTO, ended, free_port, wait_until

RUNS, TRIPS = 5, 60
SITE, DEVICE, BARE, DURABLE = "bench", "packager-1", "bare", "bare-durable"
# A verdict on the wire; its answer, `released` and `done`.
ASKED_BYTES, ANSWER_BYTES, EVENT_BYTES = 37, 12 + 36 + 37, 160
PAUSE_S = 0.03
LONGEST_S = 10.0
GOAL = 2.0
# docs/deployment/mosquitto.conf, without its logins and certificates.
BROKER = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 1
set_tcp_nodelay true
max_inflight_messages 20
max_queued_messages 100000
message_size_limit 262144
log_dest none
"""


class Hub:
    """The hub's end of MQTT with the settings of its device link; it acknowledges every event of the machine."""

    def __init__(self, port: int) -> None:
        self._heard: dict[str, queue.SimpleQueue[tuple[float, bytes]]] = {name: queue.SimpleQueue() for name in (DEVICE, BARE, DURABLE)}
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"dosehub-{SITE}", protocol=mqtt.MQTTv5)
        self._client.max_inflight_messages_set(20)
        self._client.on_socket_open = without_delay
        self._client.on_connect = lambda c, *_: c.subscribe(topic(SITE, "+", "job/evt"), 1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._came
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 7 * 24 * 3600
        self._client.connect("127.0.0.1", port, 15, clean_start=False, properties=properties)
        self._client.loop_start()
        self._subscribed.wait(LONGEST_S)
        ready = DeviceState(state="ready", session="bench", at=later(0))
        self._client.publish(hub_state_topic(SITE), encode(ready), qos=1, retain=True)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, device: str, message: bytes) -> float:
        """Publish a command; return when."""
        now_s = perf_counter()
        self._client.publish(topic(SITE, device, "job/cmd"), message, qos=1)
        return now_s

    def next(self, device: str) -> tuple[float, bytes]:
        """Wait for the next event of a device; return when it came, and it."""
        return self._heard[device].get(timeout=LONGEST_S)

    def wait_for(self, job: str, kind: str) -> tuple[float, BridgeEvent]:
        """Wait for an event of a job; return when it came, and it. Raise RuntimeError where a command was refused."""
        while True:
            at_s, message = self.next(DEVICE)
            event = decode_event(message)
            if (event.job, event.kind) == (job, kind):
                return at_s, event
            if event.kind == "refused":
                raise RuntimeError(f"the machine refused: {event.data}")

    def _came(self, client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        now_s, device, payload = perf_counter(), message.topic.split("/")[3], bytes(message.payload)
        self._heard[device].put((now_s, payload))
        if device == DEVICE:
            event = decode_event(payload)
            ack = EventAck(source=event.source, boot=event.boot, event=event.event)
            client.publish(topic(SITE, device, "job/ack"), encode(ack), qos=1)


@dataclass
class Spent:
    """What the trips of one run took, in ms, by what was measured."""

    run: list[float] = field(default_factory=list)
    verdict: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    durable: list[float] = field(default_factory=list)


class Trips:
    """Jobs one after the other, and bare trips in between; a pause before each, as the camera makes one, lets everybody come to rest."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._number = 0
        self._label = run_command(0).label
        self._pause = threading.Event()

    def run(self, count: int) -> Spent:
        """Make so many trips of each kind, in turns."""
        spent = Spent()
        for _ in range(count):
            self._job(spent)
            spent.bare.append(self._bare(BARE))
            spent.durable.append(self._bare(DURABLE))
        return spent

    def _job(self, spent: Spent) -> None:
        self._number += 1
        # One label for all: then it lies in the machine, and a run is two questions to it.
        run = structs.replace(run_command(self._number), label=self._label)
        spent.run.append(self._timed(run, "accepted"))
        asked = self._hub.wait_for(run.job, "at-camera")[1]
        verdict = verdict_command(self._number, run.job, asked.boot, asked.event, "PASS")
        spent.verdict.append(self._timed(verdict, "released"))
        self._hub.wait_for(run.job, "done")

    def _timed(self, command: RunCommand | VerdictCommand, kind: str) -> float:
        """Return the ms from sending a command to an event of its job."""
        self._pause.wait(PAUSE_S)
        sent_s = self._hub.send(DEVICE, encode(command))
        return (self._hub.wait_for(command.job, kind)[0] - sent_s) * 1e3

    def _bare(self, device: str) -> float:
        message = encode(verdict_command(self._number, f"{self._number:032x}", 1, 3 * self._number, "PASS"))
        self._pause.wait(PAUSE_S)
        sent_s = self._hub.send(device, message)
        return (self._hub.next(device)[0] - sent_s) * 1e3


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """Run mosquitto with the shipped settings until the block ends; yield its port."""
    port, kept = free_port(), folder / "broker"
    kept.mkdir(mode=0o777)
    kept.chmod(0o777)
    config = folder / "mosquitto.conf"
    config.write_text(BROKER.format(port=port, folder=kept))
    process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(port), "the broker")
        yield port
    finally:
        ended(process)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 0.2):
            return True
    except OSError:
        return False


@contextmanager
def chain(folder: Path) -> Iterator[Hub]:
    """Run both chains behind one broker until the block ends; yield the hub's end."""
    with ExitStack() as stack:
        port = stack.enter_context(broker(folder))
        files = ("--port-link", folder / "port", "--truth", folder / "truth", "--state", folder / "state")
        machine = stack.enter_context(running(folder, "simulators", "packager", *files, "--speed", "max"))
        load_cassette(machine["control"], 5, 1234)
        hub = stack.enter_context(closing(Hub(port)))
        stack.enter_context(running(folder, "firmware_bridge", "--config", _bridge_config(folder, port)))
        for device, options in ((BARE, ()), (DURABLE, ("--spool", folder / "bare.db"))):
            sizes = ("--asked", ASKED_BYTES, "--answer", ANSWER_BYTES)
            echo = stack.enter_context(running(folder, "tests.benchmarks.bare_pty", *sizes))
            where = ("--broker", port, "--topic", topic(SITE, device, "")[:-1], "--url", echo["port"], "--event-bytes", EVENT_BYTES)
            stack.enter_context(running(folder, "tests.benchmarks.bare_bridge", *sizes, *where, *options))
        yield hub


def _bridge_config(folder: Path, port: int) -> Path:
    config = folder / "bridge.toml"
    config.write_text(
        f'[bridge]\nsite = "{SITE}"\nbroker = "mqtt://127.0.0.1:{port}"\nspool = "{folder / "spool.db"}"\n'
        f'[[device]]\nid = "{DEVICE}"\nurl = "{folder / "port"}"\n'
    )
    return config


def figures(runs: int = RUNS) -> list[Figure]:
    """Measure verdicts beside both bare chains, and runs, which ask the machine twice, by themselves."""
    # Beside the checkout and not in /tmp, which may be memory: the disk's syncs are half of it.
    with tempfile.TemporaryDirectory(dir=".") as name, chain(Path(name).resolve()) as hub:
        trips = Trips(hub)
        trips.run(TRIPS // 4)
        spent = []
        for _ in range(runs):
            spent.append(trips.run(TRIPS))
            note(_in_words(spent[-1]))
    return [*_beside(spent, "bare", "a bare chain"), *_beside(spent, "durable", "a bare chain that commits", GOAL), _runs(spent)]


def _in_words(one: Spent) -> str:
    middle = {name: statistics.median(values) for name, values in vars(one).items()}
    told = ", ".join(f"{name} {ms:.2f} ms" for name, ms in middle.items())
    return f"chain: {told}; verdict {middle['verdict'] / middle['bare']:.2f} × bare, {middle['verdict'] / middle['durable']:.2f} × durable"


def _beside(spent: Sequence[Spent], limit: str, words: str, goal: float | None = None) -> list[Figure]:
    ratio = statistics.median(statistics.median(one.verdict) / statistics.median(vars(one)[limit]) for one in spent)
    ours, bare = ([ms for one in spent for ms in vars(one)[name]] for name in ("verdict", limit))
    told, held = ("", None) if goal is None else (f"≤ {goal:.0f} ×", ratio <= goal)
    return [
        Figure(f"verdict to event, beside {words}: p50", statistics.median(ours), "ms", statistics.median(bare), ratio, told, held),
        beside(f"verdict to event, beside {words}: p99", percentile(ours, 99), "ms", percentile(bare, 99)),
    ]


def _runs(spent: Sequence[Spent]) -> Figure:
    return Figure("run to accepted, two questions to the machine: p50", statistics.median(ms for one in spent for ms in one.run), "ms")


def main() -> None:
    """Print the figures of the chain."""
    print_table(figures())


if __name__ == "__main__":
    main()
