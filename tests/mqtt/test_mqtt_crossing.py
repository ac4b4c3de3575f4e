"""Every message that really crosses a real broker, from a real bridge and a real hub, is one of docs/mqtt.yaml."""

import json
import queue
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware_bridge.contract import RunCommand, encode, topic
from firmware_bridge.service_contract import (
    FirmwareBeginCommand,
    FirmwareCommitCommand,
    FirmwareConfirmCommand,
    FirmwareDataCommand,
    FirmwareStatusCommand,
    JobQueryCommand,
    JogCommand,
    LockCommand,
    SelfTestCommand,
    ServiceEvent,
    WatchCommand,
)
from hub.adapters.device_link import DeviceLink
from hub.adapters.writer import Writer
from tests.bridge.orders import abort_command, later, resolve_command, run_command, status_command, verdict_command
from tests.bridge.plant import DEADLINE_S, DEVICE, SITE, HubClient, bridge, wait_until
from tests.bridge.scripted_machine import MachineOnPty, ScriptedMachine
from tests.mqtt.contract_reader import Contract, Crossed

STOPPED, CASSETTE, LOCK, UNKNOWN = 0x47, 0x49, 0x4B, 0x7E
JAM = 4
# The machine of this test has no service mode and refuses; what its answers are to be is held at the end of this file.
ANSWERS_OF_SERVICE = {
    "lock-answer", "self-test-answer", "jog-answer", "job-query-answer", "firmware-status-answer", "firmware-offset-answer",
    "service-done", "self-test-report",
}  # fmt: skip

# Messages of label printers cross in test_mqtt_printer_crossing.py.
OF_PRINTERS = {"print-command", "printed-outcome", "refused-outcome", "in-doubt-outcome", "print-acknowledgement"}


class Ear:
    """A subscriber to everything, who keeps what he hears."""

    def __init__(self, port: int) -> None:
        self.heard: list[Crossed] = []
        self._subscribed: queue.Queue[bool] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._subscribed.put(True)
        self._client.on_message = self._received
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._subscribed.get(timeout=DEADLINE_S)

    def _connected(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe("dosehub/v1/#", options=mqtt.SubscribeOptions(qos=1, retainAsPublished=True))

    def _received(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        self.heard.append(Crossed(message.topic, message.payload, message.qos, message.retain))

    def send(self, leaf: str, command: Struct) -> None:
        """Publish to the machine as the hub would."""
        self._client.publish(topic(SITE, DEVICE, leaf), encode(command), qos=1)

    def names(self, contract: Contract) -> set[str]:
        """Return the names of all messages heard so far; a message that is none has none."""
        return {name for crossed in list(self.heard) for name in contract.fits(crossed)}

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def ear(port: int) -> Iterator[Ear]:
    made = Ear(port)
    yield made
    made.close()


@pytest.fixture
def link(tmp_path: Path, port: int) -> Iterator[DeviceLink]:
    writer = Writer(tmp_path / "hub.sqlite", lambda: datetime.now(UTC))
    yield DeviceLink(writer, f"mqtt://127.0.0.1:{port}", SITE, lambda: datetime.now(UTC))
    writer.close()


def send_to_reject_bin(machine: MachineOnPty, client: HubClient, run: RunCommand) -> None:
    machine.tell(lambda scripted: setattr(scripted, "holds_at_camera", True))
    client.send(run)
    at_camera = client.wait_for("at-camera", times=2)
    client.send(verdict_command(run.seq + 1, run.job, at_camera.boot, at_camera.event, "FAIL"))
    client.wait_for("diverted")


def resolve_a_doubt(machine: MachineOnPty, client: HubClient, job: str) -> None:
    machine.tell(lambda scripted: scripted.fall_into_doubt(bytes.fromhex(job), 0))
    stopped = client.wait_for("stopped")
    client.send(resolve_command(10, job, stopped.boot, stopped.event, counted=1))
    client.wait_for("resolved")


def abort_one(machine: MachineOnPty, client: HubClient, run: RunCommand) -> None:
    machine.tell(lambda scripted: setattr(scripted, "holds_jobs", True))
    client.send(run)
    client.wait_for("accepted", times=3)
    client.send(abort_command(run.seq + 1, run.job))
    wait_until(lambda: any(event.data == {"state": "aborted"} for event in list(client.heard)), "the end of the job")


def tell_of_what_people_did(machine: MachineOnPty) -> None:
    """Have the machine send the events that no command brings about, and one that this bridge does not know."""

    def happen(scripted: ScriptedMachine) -> None:
        scripted.happen(STOPPED, data=bytes([JAM]))
        scripted.happen(CASSETTE, data=struct.pack("<BIH", 6, 12345, 50))
        scripted.happen(LOCK, data=b"\x01\x07ivanova")
        scripted.happen(UNKNOWN, data=b"\xff")

    machine.tell(happen)


def ask_for_service(ear: Ear) -> None:
    head: dict[str, Any] = {"fence": 0, "expires_at": later()}
    ear.send("svc/cmd", WatchCommand(command="watch-1", seconds=60, **head))
    ear.send("svc/cmd", LockCommand(command="lock-1", mode="take", owner="ivanova", **head))
    ear.send("svc/cmd", SelfTestCommand(command="test-1", tests=frozenset({"film"}), **head))
    ear.send("svc/cmd", JogCommand(command="jog-1", motor="film", direction="forward", hold_ms=100, **head))
    ear.send("svc/cmd", JobQueryCommand(command="job-1", job="0f" * 16, **head))
    update_firmware(ear, head)


def update_firmware(ear: Ear, head: dict[str, Any]) -> None:
    image: dict[str, Any] = {"version": "1.2.0", "size": 5, "crc": 7, "sha256": "ab" * 32, "signature": "cd" * 64}
    ear.send("svc/cmd", FirmwareStatusCommand(command="fw-1", **head))
    ear.send("svc/cmd", FirmwareBeginCommand(command="fw-2", restart=False, **image, **head))
    ear.send("svc/cmd", FirmwareDataCommand(command="fw-3", crc=7, offset=0, data=b"hallo", **head))
    ear.send("svc/cmd", FirmwareCommitCommand(command="fw-4", sha256="ab" * 32, **head))
    ear.send("svc/cmd", FirmwareConfirmCommand(command="fw-5", **head))


def test_every_message_that_crosses_the_broker_is_one_of_the_document(
    tmp_path: Path, port: int, ear: Ear, link: DeviceLink
) -> None:
    contract = Contract()
    link.start()
    with (
        MachineOnPty(ScriptedMachine()) as machine,
        HubClient(port, acknowledges=False) as client,
        bridge(tmp_path, port, machine.path) as running,
    ):
        running.wait_ready()
        client.send(run_command(1))
        client.wait_for("done")
        send_to_reject_bin(machine, client, run_command(2))
        resolve_a_doubt(machine, client, run_command(1).job)
        abort_one(machine, client, run_command(20))
        tell_of_what_people_did(machine)
        ask_for_service(ear)
        wait_until(
            lambda: {"watch-answer", "service-refusal", "trace-report"} <= ear.names(contract), "service and trace"
        )
        client.send(run_command(30, seconds=-1))
        client.send(status_command(31))
        for kind in ("ready", "cassette", "lock", "unreadable", "refused"):
            client.wait_for(kind)
        wait_until(lambda: not machine.machine.unacknowledged, "acknowledged events")
        running.kill()
        wait_until(lambda: client.states[-1] == "lost", "the last will")
    link.stop()
    wait_until(lambda: "hub-death" in ear.names(contract), "the hub's farewell")
    strangers = [(crossed, contract.faults(crossed)) for crossed in ear.heard if not contract.fits(crossed)]
    assert strangers == []
    assert contract.message_names - ear.names(contract) <= ANSWERS_OF_SERVICE | OF_PRINTERS


def crossed(leaf: str, content: object, **changes: Any) -> Crossed:
    told = {"qos": 1, "retained": False} | changes
    return Crossed(f"dosehub/v1/{SITE}/{DEVICE}/{leaf}", json.dumps(content).encode(), **told)


SLOTS = {
    "active": "A", "confirmed": "A", "failed_boots": 0, "safe_mode": False, "offset": 0, "crc": 0, "version_a": "1.1.0", "version_b": "",
}  # fmt: skip
ACK = {"source": "bridge", "boot": 0, "event": 1}
STATE = {"state": "ready", "session": "ab", "at": "2026-11-22T08:30:00Z"}


def test_reader_takes_what_fits_and_nothing_else() -> None:
    contract = Contract()
    assert contract.fits(crossed("job/ack", ACK)) == {"event-acknowledgement"}
    assert contract.fits(crossed("$state", STATE, retained=True)) == {"device-birth"}
    assert contract.fits(crossed("$state", STATE | {"state": "lost"}, retained=True)) == {"device-death"}
    for wrong in (ACK | {"boot": -1}, ACK | {"source": "hub"}, {"boot": 0, "event": 1}, []):
        assert contract.fits(crossed("job/ack", wrong)) == set()
        assert contract.faults(crossed("job/ack", wrong)) != []
    for at in ("2026-11-22T08:30:00", "today", "2026-13-22T08:30:00Z"):
        assert contract.fits(crossed("$state", STATE | {"at": at}, retained=True)) == set()


@pytest.mark.parametrize(
    "stranger",
    [
        crossed("job/ack", ACK, retained=True),
        crossed("job/ack", ACK, qos=0),
        crossed("$state", STATE),
        crossed("job/evil", {}),
        Crossed(f"dosehub/v1/{SITE}/hub/job/cmd", b"{}", 1, False),
    ],
)
def test_reader_refuses_another_topic_qos_or_retention(stranger: Crossed) -> None:
    with pytest.raises(AssertionError):
        Contract().fits(stranger)


@pytest.mark.parametrize(
    ("rc", "data", "names"),
    [
        ("OK", {"locked": True, "owner": "ivanova"}, {"lock-answer"}),
        ("LOCKED", {"locked": True, "owner": "petrov"}, {"lock-answer"}),
        ("OK", {"film": "passed", "gate": "not-fitted"}, {"self-test-answer"}),
        ("OK", {"position": 4096}, {"jog-answer"}),
        ("OK", {"seconds": 60}, {"watch-answer"}),
        ("OK", {"seconds": 601}, set()),
        ("STOPPED", {}, {"service-refusal"}),
        ("OK", {"job_state": "doubt", "slot": 1, "running": True, "event": 7}, {"job-query-answer"}),
        ("OK", {"next_offset": 200}, {"firmware-offset-answer"}),
        ("OFFSET", {"next_offset": 0}, {"firmware-offset-answer"}),
        ("OK", SLOTS, {"firmware-status-answer"}),
        ("OK", SLOTS | {"active": "C"}, set()),
        ("OK", {}, {"service-done"}),
        ("OFFSET", {}, set()),
        ("OK", {"film": "perhaps"}, set()),
        ("OK", {"position": -1}, set()),
        ("LOCKED", {}, set()),
    ],
)
def test_answers_of_service_are_told_apart_by_rc_and_data(
    rc: str, data: dict[str, bool | int | str], names: set[str]
) -> None:
    answer = json.loads(encode(ServiceEvent(command="c", rc=rc, reason="", data=data)))
    assert Contract().fits(crossed("svc/evt", answer)) == names
