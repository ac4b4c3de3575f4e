"""A bridge process with a printer, and the hub's end of prints, for the tests of this folder and of tests/mqtt."""

import json
import queue
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from devices.label_printer import job_bytes
from firmware_bridge.contract import DeviceState, encode, hub_state_topic, topic
from firmware_bridge.print_contract import PrintAck, PrintCommand, PrintEvent, decode_print_event
from labels.raster import Raster
from tests.bridge.orders import later
from tests.bridge.plant import DEADLINE_S, SITE, ended, wait_until

PRINTER = "printer-1"
TINY = Raster(16, 3, bytes.fromhex("800140022004"))
TALL = Raster(16, 720, bytes.fromhex("8001") * 720)


def print_command(
    name: str, raster: Raster = TINY, *, fence: int = 0, seconds: float = 600.0, process_id: str = "J?1!"
) -> PrintCommand:
    return PrintCommand(
        command=name,
        fence=fence,
        expires_at=later(seconds),
        process_id=process_id,
        data=job_bytes(raster, process_id.encode()),
    )


class PrinterBridgeProcess:
    """The bridge as it is started in production, with one printer and the tables in `more`."""

    def __init__(self, folder: Path, broker: str, url: str, printer: str = PRINTER, more: str = "") -> None:
        config = folder / "printers.toml"
        config.write_text(
            f'[bridge]\nsite = "{SITE}"\nbroker = "{broker}"\nspool = "{folder / "prints.db"}"\n'
            f'[[printer]]\nid = "{printer}"\nurl = "{url}"\n{more}'
        )
        self.log = folder / "printers.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "firmware_bridge", "--config", str(config)], stdout=subprocess.PIPE, stderr=log
            )

    def wait_ready(self) -> None:
        """Wait for the line that the bridge prints when the printer answers."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE_S)
        assert ready, self.log.read_text()
        assert json.loads(self.process.stdout.readline()) == {"ready": True}

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        if self.process.returncode is None:
            ended(self.process)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def printer_bridge(folder: Path, port: int, url: str, more: str = "") -> Iterator[PrinterBridgeProcess]:
    """Run a bridge until the block ends."""
    running = PrinterBridgeProcess(folder, f"mqtt://127.0.0.1:{port}", url, more=more)
    try:
        yield running
    finally:
        running.close()


class PrintingHub:
    """The hub's end of the prints: sends commands, acknowledges outcomes unless told not to, remembers what it heard."""

    def __init__(self, port: int, *, acknowledges: bool = True) -> None:
        self.acknowledges = acknowledges
        self.heard: list[PrintEvent] = []
        self.retained: dict[str, dict[str, Any]] = {}
        self.states: list[str] = []
        self._subscribed: queue.Queue[bool] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_connect = lambda c, *_: c.subscribe(topic(SITE, PRINTER, "#"), 1)
        self._client.on_subscribe = lambda *_: self._subscribed.put(True)
        self._client.on_message = self._received
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._subscribed.get(timeout=DEADLINE_S)

    def __enter__(self) -> "PrintingHub":
        self.say("ready")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, command: PrintCommand | bytes) -> None:
        message = command if isinstance(command, bytes) else encode(command)
        self._client.publish(topic(SITE, PRINTER, "print/cmd"), message, qos=1)

    def say(self, state: str) -> None:
        """Tell of the hub's birth or death."""
        message = encode(DeviceState(state=state, session="hub-1", at=datetime.now(UTC)))  # type: ignore[arg-type]
        self._client.publish(hub_state_topic(SITE), message, qos=1, retain=True)

    def acknowledge(self, command: str) -> None:
        self._client.publish(topic(SITE, PRINTER, "print/ack"), encode(PrintAck(command=command)), qos=1)

    def told(self, command: str) -> list[PrintEvent]:
        """Return what was heard of a command, repetitions too."""
        return [event for event in list(self.heard) if event.command == command]

    def outcome(self, command: str, times: int = 1) -> PrintEvent:
        """Wait until the outcome of a command was heard so often; return it."""
        wait_until(lambda: len(self.told(command)) >= times, f"the outcome of {command}, heard {self.heard}")
        outcomes = self.told(command)
        assert len({(event.kind, event.rc, event.at) for event in outcomes}) == 1, "one command has one outcome"
        return outcomes[0]

    def status(self, member: str) -> Any:
        """Return a member of the last status, None before the first."""
        return self.retained.get("status", {}).get(member)

    def wait_for_status(self, **members: Any) -> None:
        """Wait until the last status says so."""
        wait_until(
            lambda: all(self.status(name) == value for name, value in members.items()),
            f"a status with {members}, the last is {self.retained.get('status')}",
        )

    def _received(self, _client: Any, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        leaf = message.topic.split("/", 4)[4]
        if leaf == "print/evt":
            event = decode_print_event(bytes(message.payload))
            # Acknowledged before it counts as heard: what a test sends after it heard comes after the acknowledgement.
            if self.acknowledges:
                self.acknowledge(event.command)
            self.heard.append(event)
        elif leaf in {"$state", "$description", "status"}:
            self.retained[leaf] = json.loads(message.payload)
            if leaf == "$state":
                self.states.append(self.retained[leaf]["state"])
