"""The hub's service session against a real broker and a scripted bridge: one answer an act, no answer in words, bounded frames."""

import asyncio
import hashlib
import json
import queue
import struct
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware_bridge.contract import topic
from hub.adapters.device_service import FrameBuffer, MqttDeviceService
from hub.bootstrap import service_of
from hub.domain.refusals import Refusal
from hub.services.device_service import Frame, JogAct, LockAct, NoBroker, SelfTestAct
from hub.services.firmware_updates import FirmwareAct, UpdateNews
from hub.settings import HubSettings
from tests.bridge.plant import DEADLINE_S, DEVICE, SITE, free_port, mosquitto, wait_until

AGAIN_S = 0.3
DESCRIPTION = {
    "serial": "S-1", "firmware": "1.1.0", "protocol": "PPL/1.1", "schema_crc": 1, "boot": 3, "reset_cause": "power-on",
    "cassette_slots": 20, "label_width": 640, "capabilities": ["lock"], "bridge": "0.1.0",
}  # fmt: skip


def now() -> datetime:
    return datetime.now(UTC)


class Bridge:
    """Hears `svc/cmd`, says what a test has it say."""

    def __init__(self, port: int) -> None:
        self.heard: queue.Queue[dict[str, Any]] = queue.Queue()
        subscribed: queue.Queue[bool] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(topic(SITE, DEVICE, "svc/cmd"), 0)
        self._client.on_subscribe = lambda *_: subscribed.put(True)
        self._client.on_message = lambda _c, _u, message: self.heard.put(json.loads(message.payload))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        subscribed.get(timeout=DEADLINE_S)

    def next(self) -> dict[str, Any]:
        return self.heard.get(timeout=DEADLINE_S)

    def say(self, leaf: str, payload: dict[str, Any] | bytes) -> None:
        message = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self._client.publish(topic(SITE, DEVICE, leaf), message, qos=1, retain=leaf in ("$description", "self-test")).wait_for_publish(
            DEADLINE_S
        )

    def answer(self, command: str, rc: str = "OK", reason: str = "", **data: Any) -> None:
        self.say("svc/evt", {"command": command, "rc": rc, "reason": reason, "data": data})

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Plant:
    """A broker, a scripted bridge and the service under test."""

    def __init__(self, port: int) -> None:
        self.bridge = Bridge(port)
        self.service = MqttDeviceService(f"mqtt://127.0.0.1:{port}", SITE, now, AGAIN_S)
        self.service.start()
        wait_until(lambda: not self.service.trouble, "the broker's answer")

    def close(self) -> None:
        self.service.stop()
        self.bridge.close()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    with mosquitto(tmp_path) as port:
        opened = Plant(port)
        yield opened
        opened.close()


def frames_message(count: int, first_us: int = 0, dropped: int = 0, ended: bool = False) -> dict[str, Any]:
    frames = [
        {"at_us": first_us + k, "direction": "to-device", "hex": "00", "type": "REQ", "op": "STATUS"}
        for k in range(count)
    ]
    return {"frames": frames, "dropped": dropped, "ended": ended}


def test_an_act_is_sent_with_fence_and_end_and_gets_its_own_answer(plant: Plant) -> None:
    async def both() -> tuple[str, str]:
        acts = [
            plant.service.ask(DEVICE, LockAct("take", "ivanova"), "c-1"),
            plant.service.ask(DEVICE, SelfTestAct(), "c-2"),
        ]
        asking = [asyncio.create_task(act) for act in acts]
        heard = {
            message["command"]: message for message in [await asyncio.to_thread(plant.bridge.next) for _ in range(2)]
        }
        assert heard["c-1"]["owner"] == "ivanova" and heard["c-1"]["fence"] == 1
        assert 0 < (datetime.fromisoformat(heard["c-1"]["expires_at"]) - now()).total_seconds() <= 5
        await asyncio.to_thread(plant.bridge.answer, "c-2", memory="passed")
        await asyncio.to_thread(plant.bridge.answer, "somebody-else-s", "LOCKED", "x")
        await asyncio.to_thread(plant.bridge.answer, "c-1", "LOCKED", "held", locked=True, owner="petrov")
        first, second = await asyncio.gather(*asking)
        assert second.data == {"memory": "passed"} and first.data["owner"] == "petrov"
        return first.rc, second.rc

    assert asyncio.run(both()) == ("LOCKED", "OK")


def test_an_act_without_an_answer_is_asked_again_under_the_same_id(plant: Plant) -> None:
    async def asked() -> list[str]:
        asking = asyncio.create_task(plant.service.ask(DEVICE, SelfTestAct(), "c-1"))
        commands = [(await asyncio.to_thread(plant.bridge.next))["command"] for _ in range(2)]
        await asyncio.to_thread(plant.bridge.answer, "c-1")
        assert (await asking).is_done
        return commands

    assert asyncio.run(asked()) == ["c-1", "c-1"]


def test_a_jog_is_asked_once_and_nobody_s_answer_is_said_plainly(plant: Plant) -> None:
    answer = asyncio.run(plant.service.ask(DEVICE, JogAct("film", "back", 300), "c-1"))
    assert answer.rc == "UNANSWERED" and "look at the machine" in answer.reason
    assert plant.bridge.next()["hold_ms"] == 300
    asyncio.run(plant.service.ask(DEVICE, JogAct("tray", "back", 300), "c-2"))
    assert plant.bridge.next()["command"] == "c-2", "the first was not asked again"


def test_what_nobody_can_read_ends_nothing(plant: Plant) -> None:
    for leaf in ("svc/evt", "$description", "self-test", "trace"):
        plant.bridge.say(leaf, b"{no json")
    with plant.service.watching(DEVICE) as viewer:
        plant.bridge.say("trace", b"\xff")
        plant.bridge.say("trace", frames_message(2))
        wait_until(lambda: len(plant.service.recorded(DEVICE).frames) == 2, "the frames")
        assert len(viewer.take().frames) == 2 and viewer.take().frames == ()


def test_frames_are_kept_only_while_somebody_watches_and_a_new_watch_begins_anew(plant: Plant) -> None:
    def recorded() -> list[int]:
        return [frame.at_us for frame in plant.service.recorded(DEVICE).frames]

    plant.bridge.say("trace", frames_message(1))
    plant.bridge.say("$description", DESCRIPTION)
    wait_until(lambda: plant.service.description(DEVICE) is not None, "what was said after the frames")
    assert recorded() == [] and (plant.service.description(DEVICE) or {})["serial"] == "S-1"
    with plant.service.watching(DEVICE):
        plant.bridge.say("trace", frames_message(2, first_us=100, dropped=4))
        wait_until(lambda: recorded() == [100, 101], "the first watch")
        assert plant.service.recorded(DEVICE).dropped == 4
        plant.bridge.say("trace", frames_message(1, first_us=5))
        wait_until(lambda: recorded() == [5], "a watch whose time begins anew")
        plant.bridge.say("trace", frames_message(1, first_us=9, ended=True))
        plant.bridge.say("trace", frames_message(1, first_us=50))
        wait_until(lambda: recorded() == [50], "a watch after the end of the last")


def test_the_machine_s_last_self_test_is_heard_whoever_asked_for_it(plant: Plant) -> None:
    changes = plant.service.changes
    plant.bridge.say("self-test", {"at": "2026-03-02T06:00:00Z", "results": {"door": "failed"}})
    wait_until(lambda: plant.service.self_test(DEVICE) is not None, "the self test")
    told = plant.service.self_test(DEVICE)
    assert told is not None and told.results == {"door": "failed"} and told.at == datetime(2026, 3, 2, 6, tzinfo=UTC)
    assert plant.service.changes > changes


def test_a_capture_is_dated_by_the_clock_when_its_watch_began(plant: Plant) -> None:
    began_s = now().timestamp()
    with plant.service.watching(DEVICE):
        plant.bridge.say("trace", frames_message(2, first_us=2_000_000, dropped=3))
        wait_until(lambda: len(plant.service.recorded(DEVICE).frames) == 2, "the frames")
    times_s = [at_us / 1e6 for at_us in packet_times(plant.service.capture(DEVICE))]
    assert began_s <= times_s[0] <= now().timestamp() and times_s[1] - times_s[0] == pytest.approx(1e-6, abs=1e-6)
    assert packet_times(plant.service.capture("packager-9")) == []


def packet_times(content: bytes) -> list[int]:
    """Return the times of the packets of a pcapng file, in microseconds since 1970."""
    times, at = [], 0
    while at < len(content):
        kind, length = struct.unpack_from("<II", content, at)
        if kind == 6:
            high, low = struct.unpack_from("<II", content, at + 12)
            times.append(high << 32 | low)
        at += length
    return times


def test_a_file_is_read_and_one_that_may_not_be_sent_is_refused_with_the_reason(plant: Plant) -> None:
    data = b"firmware"
    digest = hashlib.sha256(data).hexdigest()
    head = {"format": "PPL-FW", "version": "1.2.0", "sha256": digest, "signature": "ab" * 64}
    whole = json.dumps(head).encode() + b"\n" + data
    assert plant.service.read_image(whole) == FirmwareAct("1.2.0", len(data), digest)
    for wrong in (data, whole + b"more", json.dumps({**head, "signature": ""}).encode() + b"\n" + data):
        refused = plant.service.read_image(wrong)
        assert isinstance(refused, Refusal) and refused.text.startswith("The file is not sent: ")


def test_an_update_asks_nothing_that_moves_while_its_person_may_not(plant: Plant) -> None:
    data = b"firmware"
    head = {"format": "PPL-FW", "version": "1.2.0", "sha256": hashlib.sha256(data).hexdigest(), "signature": "ab" * 64}
    slots = {
        "active": "B", "confirmed": "A", "failed_boots": 1, "safe_mode": False, "offset": 0, "crc": 0, "version_a": "1.1.0",
        "version_b": "1.2.0",
    }  # fmt: skip

    async def objection() -> Refusal | None:
        return Refusal("not-your-lock", "Petrov holds it.")

    async def told() -> list[UpdateNews]:
        whole = json.dumps(head).encode() + b"\n" + data
        news = plant.service.update(DEVICE, whole, "hub-u-1", objection)
        first = await anext(news)
        rest = asyncio.create_task(_all(news))
        heard = await asyncio.to_thread(plant.bridge.next)
        assert (heard["kind"], heard["command"]) == ("firmware-status", "hub-u-1-1")
        await asyncio.to_thread(lambda: plant.bridge.answer(heard["command"], **slots))
        return [first, *await rest]

    news = asyncio.run(told())
    assert news[-1].rc == "NOT_CONFIRMED" and "NOT_YOUR_LOCK: Petrov holds it." in news[-1].words
    assert [told.slots for told in news if told.slots] == [slots]
    assert plant.bridge.heard.empty(), "neither test nor confirmation was asked for"


async def _all(news: AsyncIterator[UpdateNews]) -> list[UpdateNews]:
    return [told async for told in news]


def test_two_who_watch_hear_the_same(plant: Plant) -> None:
    with plant.service.watching(DEVICE) as one, plant.service.watching(DEVICE) as other:
        plant.bridge.say("trace", frames_message(3))
        wait_until(lambda: len(plant.service.recorded(DEVICE).frames) == 3, "the frames")
        assert one.take() == other.take()


def test_too_many_frames_for_one_who_is_slow_are_counted_and_the_oldest_are_gone() -> None:
    viewer = FrameBuffer(3)
    frames = tuple(Frame(number, "to-device", 1, "00") for number in range(8))
    viewer.hear(frames[:2], 0)
    viewer.hear(frames[2:], 5)
    taken = viewer.take()
    assert [frame.at_us for frame in taken.frames] == [5, 6, 7] and taken.dropped == 5 + 5
    viewer.hear(frames[:1], 5)
    assert viewer.take().dropped == 10, "what is missing stays told"


def test_a_broker_that_is_not_there_is_said_and_nothing_is_sent() -> None:
    service = MqttDeviceService(f"mqtt://127.0.0.1:{free_port()}", SITE, now)
    service.start()
    try:
        wait_until(lambda: "cannot be reached" in service.trouble, "the refusal")
        answer = asyncio.run(service.ask(DEVICE, SelfTestAct(), "c-1"))
    finally:
        service.stop()
    assert answer.rc == "BROKER_AWAY" and "nothing was sent" in answer.reason


def test_the_hub_s_own_user_is_never_used_for_service(tmp_path: Path) -> None:
    alone = HubSettings(tmp_path, broker="mqtts://mercy.hub:secret@broker.example")
    assert "--service-broker" in service_of(alone).trouble and isinstance(service_of(alone), NoBroker)
    assert isinstance(service_of(HubSettings(tmp_path)), NoBroker)
    both = HubSettings(tmp_path, broker=alone.broker, service_broker="mqtts://mercy.service.hub:secret@broker.example")
    assert isinstance(service_of(both), MqttDeviceService)
    assert isinstance(service_of(HubSettings(tmp_path, broker="mqtt://127.0.0.1")), MqttDeviceService)
