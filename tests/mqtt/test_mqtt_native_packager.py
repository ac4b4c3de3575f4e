"""A hub and a machine that speaks MQTT itself, at a real broker: whole jobs, power cuts, and no false alarm of a number."""

import base64
import json
import select
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware_bridge.contract import AbortCommand, StatusCommand, encode, label_digest, topic
from hub.adapters.device_link import DeviceLink
from hub.domain.packs import JobState
from hub.services.make_packs import PrintedLabel, label_ready
from hub.services.outbox import next_number
from tests.bridge.orders import later
from tests.bridge.plant import DEADLINE_S, SITE, ended, wait_until
from tests.mqtt.contract_reader import Contract, Crossed
from tests.services.small_world import PACKAGER, World, order_line

WIDTH, HEIGHT = 64, 24


class House(World):
    """The tiny hospital, with labels that a machine can print."""

    def labels(self) -> None:
        for pack in self.do(lambda unit: unit.packs.where(state="expected", label_digest="")):
            raster = pack.serial.encode().ljust(WIDTH // 8 * HEIGHT, b"\0")[: WIDTH // 8 * HEIGHT]
            digest = label_digest(WIDTH, HEIGHT, raster).hex()
            label = PrintedLabel(pack.serial, digest, WIDTH, HEIGHT, base64.b64encode(raster).decode())
            self.do(lambda unit, label=label: label_ready(unit, label, self.house))  # type: ignore[misc]
            self.do(lambda unit, serial=pack.serial: self.printed(unit, serial))  # type: ignore[misc]


class Native:
    """The machine as a process; it may be killed and started again on the same state."""

    def __init__(self, folder: Path, port: int) -> None:
        self.truth = folder / "truth.ndjson"
        self._command = [
            sys.executable, "-m", "simulators", "packager", "--mqtt", f"mqtt://127.0.0.1:{port}", "--site", SITE,
            "--device", PACKAGER, "--truth", str(self.truth), "--state", str(folder / "machine"), "--speed", "max",
        ]  # fmt: skip
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE_S)
        assert ready, "the machine did not start"
        self._control = json.loads(self.process.stdout.readline())["control"]

    def post(self, path: str, body: Any = None) -> Any:
        request = Request(self._control + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urlopen(request, timeout=DEADLINE_S) as answer:
            return json.loads(answer.read())

    def get(self, path: str) -> Any:
        with urlopen(self._control + path, timeout=DEADLINE_S) as answer:
            return json.loads(answer.read())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def stop(self) -> None:
        ended(self.process)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def drops(self) -> Counter[str]:
        lines = [json.loads(line) for line in self.truth.read_text().splitlines()]
        return Counter(line["job"] for line in lines if line["what"] == "tablet-dropped")


class Ear:
    """Everything that crosses the broker."""

    def __init__(self, port: int) -> None:
        self.heard: list[Crossed] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        options = mqtt.SubscribeOptions(qos=1, retainAsPublished=True)
        self._client.on_connect = lambda client, *_: client.subscribe("dosehub/v1/#", options=options)
        self._client.on_message = lambda _c, _d, m: self.heard.append(Crossed(m.topic, m.payload, m.qos, m.retain))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def of(self, leaf: str) -> list[dict[str, Any]]:
        place = topic(SITE, PACKAGER, leaf)
        return [json.loads(each.payload) for each in list(self.heard) if each.topic == place]

    def say(self, leaf: str, message: bytes) -> None:
        self._client.publish(topic(SITE, PACKAGER, leaf), message, qos=1).wait_for_publish(DEADLINE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def ear(port: int) -> Iterator[Ear]:
    made = Ear(port)
    yield made
    made.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


@pytest.fixture
def machine(tmp_path: Path, port: int, house: House) -> Iterator[Native]:
    made = Native(tmp_path, port)
    for cassette in house.all("cassettes"):
        look = {"colour": "#ffffff", "shape": "round", "size_mm": 9}
        body = {"cassette": cassette.id, "item": cassette.item, "lot": "L", "count": cassette.count, "look": look}
        made.post(f"/cassettes/{cassette.slot}", body)
    yield made
    made.stop()


@pytest.fixture
def link(house: House, port: int, machine: Native) -> Iterator[DeviceLink]:
    made = DeviceLink(house.writer, f"mqtt://127.0.0.1:{port}", SITE, lambda: datetime.now(UTC), look_s=1)
    made.start()
    yield made
    made.stop()


def pack_all(house: House, link: DeviceLink, jobs: int, ended_before: int = 0) -> None:
    """Let hub and machine work, and look at each pouch that lies at the camera, until so many jobs have ended."""

    def done() -> bool:
        link.work()
        for job in house.all("jobs", state=[JobState.ACCEPTED, JobState.RUNNING]):
            if job.at_camera is not None:
                house.machine.look(job)
        return len(house.all("jobs", state=JobState.DONE)) == ended_before + jobs

    wait_until(done, f"{jobs} jobs done", 60)


def orders(count: int) -> list[Any]:
    return [order_line(f"o{number}", 1 + number) for number in range(count)]


def test_hub_and_native_machine_make_each_pouch_once_and_every_message_is_of_the_contract(
    house: House, machine: Native, link: DeviceLink, ear: Ear
) -> None:
    house.sheet(*orders(9))
    house.at("06:15")
    jobs = {job.id for job in house.all("jobs")}
    assert len(jobs) > 6  # more than are on the way at once
    pack_all(house, link, len(jobs))
    assert set(machine.drops()) == jobs
    assert [pouch["job"] for pouch in machine.post("/output/take")] == _released(ear)
    first = {}
    for command in ear.of("job/cmd"):
        first.setdefault(command["seq"], command["command"])
    assert list(first) == list(range(1, len(first) + 1))  # they went out in the order of their numbers
    wait_until(lambda: ear.of("status")[-1]["counters"]["seq_gaps"] == 0, "no gap")
    contract = Contract()
    assert [(each, contract.faults(each)) for each in ear.heard if each.payload and not contract.fits(each)] == []


def _released(ear: Ear) -> list[str]:
    found = {(event["boot"], event["event"]): event["job"] for event in ear.of("job/evt") if event["kind"] == "released"}
    return list(found.values())


def test_no_pouch_twice_and_no_false_alarm_over_losses_of_power_of_the_machine(
    house: House, machine: Native, link: DeviceLink, ear: Ear
) -> None:
    house.sheet(*orders(9))
    house.at("06:15")
    jobs = {job.id: sum(fill.count for fill in job.fills) for job in house.all("jobs")}
    pack_all(house, link, 2)
    machine.kill()
    machine.start()
    pack_all(house, link, 2, 2)
    machine.post("/power", {"cut": "now"})
    machine.post("/power", {"on": True})
    pack_all(house, link, len(jobs) - 4, 4)
    assert machine.drops() == jobs
    wait_until(lambda: ear.of("status")[-1]["counters"]["seq_gaps"] == 0, "no gap")
    for _ in range(3):
        link.work()
    assert house.ledger("events-missing") == []


def test_fence_outlives_a_power_cut_in_the_moment_it_is_raised(machine: Native, ear: Ear) -> None:
    def refused() -> dict[str, str]:
        return {event["data"]["command"]: event["data"]["rc"] for event in ear.of("job/evt") if event["kind"] == "refused"}

    def abort(command: str, fence: int) -> bytes:
        return encode(AbortCommand(command=command, seq=1, fence=fence, expires_at=later(), job="ab" * 16))

    wait_until(lambda: bool(ear.of("status")), "the machine at its broker")
    machine.post("/power", {"cut": "at-append", "k": 1, "torn": 0, "dark_s": None})
    ear.say("job/cmd", abort("newer", 5))
    wait_until(lambda: machine.get("/state")["power"] == "off", "the cut")
    machine.post("/power", {"on": True})
    wait_until(lambda: "newer" in refused(), "the command to come again")
    ear.say("job/cmd", abort("older", 4))
    wait_until(lambda: "older" in refused(), "the older hub to be refused")
    assert refused() == {"newer": "UNKNOWN_JOB", "older": "FENCED"}


def test_machine_counts_a_number_that_never_comes(house: House, machine: Native, link: DeviceLink, ear: Ear) -> None:
    house.sheet(*orders(1))
    house.at("06:15")
    pack_all(house, link, 1)
    lost = house.do(lambda unit: next_number(unit, PACKAGER))  # and nothing is published under it
    ear.say("job/cmd", encode(StatusCommand(command="after", seq=lost + 1, fence=1, expires_at=later())))
    wait_until(lambda: any(told["counters"]["seq_gaps"] == 1 for told in ear.of("status")), f"the gap at {lost}")


def test_label_of_a_pouch_is_the_one_that_was_sent(house: House, machine: Native, link: DeviceLink, ear: Ear) -> None:
    house.sheet(*orders(1))
    house.at("06:15")
    pack_all(house, link, 1)
    [pouch] = machine.post("/output/take")
    [run] = {command["command"]: command for command in ear.of("job/cmd") if command["kind"] == "run"}.values()
    assert base64.b64decode(pouch["raster"]) == zlib.decompress(base64.b64decode(run["label"]["raster"]))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--mqtt", "mqtts://broker"], "not an address mqtt://host:port"),
        (["--mqtt", "mqtt://broker", "--device", "hub"], "and not hub"),
        (["--mqtt", "mqtt://broker", "--site", "North"], "lower-case letters"),
        (["--mqtt", "mqtt://broker", "--line", '{"lost": 0.1}'], "are of a serial port"),
        (["--mqtt", "mqtt://broker", "--tcp", "127.0.0.1:0"], "not allowed with"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_reason(tmp_path: Path, options: list[str], why: str) -> None:
    files = ["--truth", str(tmp_path / "truth"), "--state", str(tmp_path / "state")]
    command = [sys.executable, "-m", "simulators", "packager", *files, *options]
    ended_at_once = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert ended_at_once.returncode == 2
    assert why in ended_at_once.stderr
