"""Events that never come are noticed without false alarms, and a machine that does not tell of itself is asked to."""

import json
import queue
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt import subscribe
from paho.mqtt.enums import CallbackAPIVersion

from firmware_bridge.contract import (
    BridgeEvent,
    Description,
    DeviceState,
    StatusReport,
    decode_state,
    encode,
    hub_state_topic,
    topic,
)
from hub.adapters.device_link import DeviceLink
from hub.adapters.device_watch import DeviceWatch
from hub.adapters.ledger_pages import ledger_page
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.identifiers import DeviceId
from hub.services.devices import Gap, ensure_device, missing_events, tell_missing
from hub.services.machine_events import MachineEvent, take_event
from hub.services.views import LedgerQuestion
from hub.web.pages.wording import told
from tests.bridge.plant import DEADLINE_S, DEVICE, SITE, wait_until

MACHINE = DeviceId(DEVICE)
NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
DESCRIPTION = Description(
    serial="S1", firmware="1.0", protocol="PPL/1.1", schema_crc=1, boot=1, reset_cause="power-on", cassette_slots=2,
    label_width=480, capabilities=(), bridge="0",
)  # fmt: skip
STATUS = StatusReport(state="idle", reason="none", job=None, cassettes=(), counters={}, link="up", queued=0)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    made = Writer(tmp_path / "hub.sqlite", lambda: NOW)
    made.submit("system", lambda unit: ensure_device(unit, MACHINE, "packager")).result()
    yield made
    made.close()


def hear(writer: Writer, *numbers: tuple[int, int], source: str = "firmware") -> None:
    """Take events (boot, number) into account as they come."""
    for boot, number in numbers:
        event = MachineEvent(MACHINE, source, boot, number, "ready", None, None, {})
        writer.submit(f"device:{MACHINE}", lambda unit, event=event: take_event(unit, event)).result()  # type: ignore[misc]


def missing(writer: Writer) -> tuple[Gap, ...]:
    return writer.submit_read(lambda unit: missing_events(unit, MACHINE)).result()


def entries(writer: Writer) -> list[dict[str, Any]]:
    def read(unit: SqlUnitOfWork) -> list[str]:
        rows = unit.connection.execute("SELECT data FROM ledger WHERE kind = 'events-missing' ORDER BY seq").fetchall()
        return [row[0] for row in rows]

    return [json.loads(row) for row in writer.submit_read(read).result()]


@pytest.mark.parametrize(
    ("heard", "gaps"),
    [
        ((), ()),
        (((3, 1), (3, 2), (3, 3)), ()),
        (((3, 1), (3, 2), (3, 4)), (Gap(3, 3, 3),)),
        (((3, 1), (3, 4), (3, 3)), (Gap(3, 2, 2),)),  # what came late is no gap
        (((3, 40), (3, 41)), ()),  # a hub that is new begins with what it hears first
        (((3, 40), (3, 42)), (Gap(3, 41, 41),)),
        (((3, 40), (4, 1), (4, 2)), ()),  # each boot counts from 1
        (((3, 40), (4, 2)), (Gap(4, 1, 1),)),
        (((3, 40), (4, 3), (4, 4), (4, 8)), (Gap(4, 1, 2), Gap(4, 5, 7))),
        (((3, 40), (4, 4_000_000_000)), (Gap(4, 1, 3_999_999_999),)),
        (((3, 1), (3, 3), (4, 1)), ()),  # what an older boot still held comes again in the newer one
        (((3, 1), (3, 1), (3, 2), (3, 2)), ()),  # repetitions
        (((3, 2), (3, 1)), ()),  # out of order from the very first
    ],
)
def test_gaps_of_a_machine(writer: Writer, heard: tuple[tuple[int, int], ...], gaps: tuple[Gap, ...]) -> None:
    hear(writer, *heard)
    assert missing(writer) == gaps


def test_numbers_of_the_bridge_say_nothing_since_they_are_those_of_all_its_machines(writer: Writer) -> None:
    hear(writer, (0, 1_700_000_000), (0, 1_700_000_005), source="bridge")
    assert missing(writer) == ()


def test_people_are_told_once_in_words_and_again_only_of_another_gap(writer: Writer) -> None:
    hear(writer, (3, 1), (3, 5))
    gaps = missing(writer)
    writer.submit(f"device:{MACHINE}", lambda unit: tell_missing(unit, MACHINE, gaps)).result()
    assert entries(writer) == [{"device": DEVICE, "boot": 3, "first": 2, "last": 4}]
    hear(writer, (3, 3), (3, 6), (3, 8))
    assert missing(writer) == (Gap(3, 7, 7),)
    writer.submit(f"device:{MACHINE}", lambda unit: tell_missing(unit, MACHINE, [Gap(3, 7, 7)])).result()
    assert missing(writer) == ()
    hear(writer, (3, 10))
    assert missing(writer) == (Gap(3, 9, 9),)


def test_a_gap_counts_when_a_living_device_leaves_it_from_one_look_to_the_next() -> None:
    watch, gap, other = DeviceWatch(), Gap(3, 2, 2), Gap(3, 5, 6)
    assert watch.stays("a", [gap]) == watch.stays("a", [gap]) == ()  # nobody has heard that it lives
    watch.born("a")
    assert watch.stays("a", [gap]) == ()
    assert watch.stays("a", [gap, other]) == (gap,)
    assert watch.stays("a", []) == ()
    assert watch.stays("a", [other]) == ()
    watch.died("a")
    assert watch.stays("a", [other]) == ()
    watch.born("a")
    assert watch.stays("a", [other]) == ()
    watch.begin_anew()
    assert watch.stays("a", [other]) == ()
    assert watch.stays("a", [other]) == (other,)


def test_a_device_is_asked_once_a_minute_while_it_lives_and_does_not_tell_of_itself() -> None:
    watch = DeviceWatch()
    assert watch.to_ask(["a"], [], 0) == []
    watch.born("a")
    assert watch.to_ask(["a"], [], 10) == []  # it may be about to
    assert watch.to_ask(["a"], [], 20) == ["a"]
    assert watch.to_ask(["a"], [], 30) == watch.to_ask(["a"], [], 79) == []
    watch.heard("a", "status")
    assert watch.to_ask(["a"], [], 80) == ["a"]
    watch.heard("a", "$description")
    assert watch.to_ask(["a"], [], 150) == watch.to_ask(["a"], [], 160) == []
    assert watch.to_ask(["a"], ["a"], 170) == ["a"]  # a gap
    assert watch.to_ask(["a"], ["a"], 180) == []
    watch.died("a")
    assert watch.to_ask(["a"], [], 300) == watch.to_ask(["a"], [], 310) == []


class Machine:
    """A device at the broker that says what a test wants, and hears what it is asked."""

    def __init__(self, port: int) -> None:
        self.asked: queue.Queue[dict[str, Any]] = queue.Queue()
        subscribed: queue.Queue[bool] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(topic(SITE, DEVICE, "job/cmd"), 1)
        self._client.on_subscribe = lambda *_: subscribed.put(True)
        self._client.on_message = lambda _c, _d, message: self.asked.put(json.loads(message.payload))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        subscribed.get(timeout=DEADLINE_S)

    def tell(self, leaf: str, message: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic(SITE, DEVICE, leaf), message, qos=1, retain=retain).wait_for_publish(DEADLINE_S)

    def be_born(self) -> None:
        self.tell("$state", encode(DeviceState(state="ready", session="s", at=NOW)), retain=True)

    def describe(self) -> None:
        self.tell("$description", encode(DESCRIPTION), retain=True)
        self.tell("status", encode(STATUS), retain=True)

    def happen(self, *numbers: int) -> None:
        for number in numbers:
            event = BridgeEvent(
                source="firmware", boot=3, event=number, kind="ready", job=None, slot=None, at=NOW, data={}
            )
            self.tell("job/evt", encode(event))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def machine(port: int) -> Iterator[Machine]:
    made = Machine(port)
    yield made
    made.close()


@pytest.fixture
def link(writer: Writer, port: int) -> Iterator[DeviceLink]:
    made = DeviceLink(writer, f"mqtt://127.0.0.1:{port}", SITE, lambda: datetime.now(UTC), look_s=0)
    made.start()
    wait_until(lambda: hub_is_ready(port), "the hub to have subscribed, which it does before it says that it is ready")
    yield made
    made.stop()


def hub_is_ready(port: int) -> bool:
    message = subscribe.simple(hub_state_topic(SITE), hostname="127.0.0.1", port=port, qos=1)
    return bool(decode_state(message.payload).state == "ready")


def working(link: DeviceLink, holds: Callable[[], bool]) -> Callable[[], bool]:
    """Let the link work, as its worker would, until something holds."""
    return lambda: holds() or link.work() or holds()


def known_events(writer: Writer) -> int:
    return writer.submit_read(lambda unit: unit.received.count(device=MACHINE, source="firmware")).result()


def test_a_gap_that_stays_is_told_on_the_devices_page_and_the_machine_is_asked(
    writer: Writer, machine: Machine, link: DeviceLink
) -> None:
    machine.be_born()
    machine.describe()
    machine.happen(1, 2, 4)
    wait_until(working(link, lambda: bool(entries(writer))), "the gap to be told")
    wait_until(working(link, lambda: not machine.asked.empty()), "the machine to be asked")
    assert entries(writer) == [{"device": DEVICE, "boot": 3, "first": 3, "last": 3}]
    asked = machine.asked.get()
    assert (asked["kind"], asked["fence"], asked["seq"]) == ("status", 1, 0)
    assert _last_number(writer) == 0  # a question takes no number: it would be missing for ever if the hub ended meanwhile
    [entry] = [each for each in _ledger(writer) if each.kind == "events-missing"]
    assert entry.actor == f"device:{DEVICE}"  # the devices page shows what a device told
    assert told(entry, {}).sentence.startswith(f"Events 3 to 3 of boot 3 of {DEVICE} never came")
    machine.happen(3, 5)
    wait_until(working(link, lambda: known_events(writer) == 5), "the late one")
    for _ in range(3):
        link.work()
    assert len(entries(writer)) == 1


def _last_number(writer: Writer) -> int:
    known = writer.submit_read(lambda unit: unit.devices.get(MACHINE)).result()
    assert known is not None
    return known.last_command


def _ledger(writer: Writer) -> list[Any]:
    return list(writer.submit_read(lambda unit: ledger_page(unit.connection, LedgerQuestion(limit=50))).result().entries)


def test_what_comes_late_while_nobody_looks_is_no_gap(writer: Writer, machine: Machine, link: DeviceLink) -> None:
    machine.be_born()
    machine.describe()
    machine.happen(1, 3)
    wait_until(lambda: known_events(writer) == 2, "two events")
    machine.happen(2, 4)
    wait_until(lambda: known_events(writer) == 4, "the late one")
    for _ in range(4):
        link.work()
    assert entries(writer) == []
    assert machine.asked.empty()


def test_a_machine_of_which_only_the_birth_was_heard_is_asked_and_what_it_says_is_kept(
    writer: Writer, machine: Machine, link: DeviceLink
) -> None:
    machine.be_born()
    wait_until(working(link, lambda: not machine.asked.empty()), "the machine to be asked")
    assert machine.asked.get()["kind"] == "status"
    machine.describe()

    def state() -> str:
        known = writer.submit_read(lambda unit: unit.devices.get(MACHINE)).result()
        return "" if known is None else known.state

    wait_until(working(link, lambda: state() == "idle"), "the status")
    for _ in range(4):
        link.work()
    assert machine.asked.empty()
