"""The engineer's console in a real browser, with a real broker, a real bridge and the simulated packager on a pty."""

import asyncio
import io
import json
import queue
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from browser import Browser
from device_plant import ConsolePlant, console_plant
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from test_web_browser import TOO_SMALL
from web_plant import PIN

from firmware_bridge.contract import RunCommand, RunLabel, label_digest, topic
from hub.adapters.device_service import MqttDeviceService
from hub.adapters.sessions import ArgonPins
from hub.domain.people import Role
from hub.services.device_service import LockAct
from hub.services.service_acts import in_words
from hub.services.sign_in import NewUser, enrol
from tests.bridge.orders import WIDTH, run_command
from tests.bridge.plant import DEADLINE_S, DEVICE, SITE, HubClient, wait_until

ROWS = "[...document.querySelectorAll('#rows tr:not(.dump)')]"
RESULT = "(document.getElementById('result').className + ' ' + document.getElementById('result').innerText)"
FORWARD = "[data-jog=gate][data-direction=forward]"
NAME = "Wilhelmina-Featherstonehaugh"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[ConsolePlant]:
    with console_plant(tmp_path) as opened:
        yield opened


def sign_in(page: Browser, running: ConsolePlant, badge: str = "T-engineer") -> None:
    page.open(running.url + "/sign-in")
    page.wait_for("document.activeElement.id === 'badge'")
    page.type(badge)
    page.wait_for("document.activeElement.id === 'pin'")
    page.type(PIN)
    page.wait_for("location.pathname !== '/sign-in'")
    page.open(f"{running.url}/devices/{DEVICE}")


def click(page: Browser, selector: str) -> None:
    page.evaluate(f"document.querySelector({selector!r}).click()")


def choose(page: Browser, field: str, value: str) -> None:
    part = f"document.getElementById({field!r})"
    page.evaluate(f"{part}.value = {value!r}")
    page.evaluate(f"{part}.dispatchEvent(new Event('input', {{bubbles: true}}))")


def told(page: Browser, look: str, words: str) -> None:
    page.wait_for(f"{RESULT}.includes('result-{look}') && {RESULT}.includes({words!r})")


def take_lock(page: Browser) -> None:
    click(page, "[data-act=take]")
    told(page, "ok", "is yours")
    page.wait_for("document.getElementById('holder').dataset.mine === 'yes'")


def watch(page: Browser) -> None:
    click(page, "#watch")
    page.wait_for(f"{ROWS}.some(row => row.innerText.includes('STATUS'))")


def press(page: Browser, selector: str) -> None:
    page.evaluate(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center'}})")
    mouse(page, "mousePressed", selector)


def mouse(page: Browser, kind: str, selector: str) -> None:
    where = (
        f"(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector({selector!r}).getBoundingClientRect())"
    )
    x, y = page.evaluate(where)
    page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


def named_run(number: int) -> RunCommand:
    """Return a run whose label's bytes on the wire hold a patient's name as it is: a stream that does not compress."""
    height = 60
    raster = (NAME.encode() * 200)[: WIDTH // 8 * height]
    stream = zlib.compress(raster, 0)
    label = RunLabel(digest=label_digest(WIDTH, height, raster).hex(), width=WIDTH, height=height, raster=stream)
    return msgspec.structs.replace(run_command(number), label=label)


@contextmanager
def traced(port: int) -> Iterator[list[bytes]]:
    """Hear the trace as the bridge tells it, with the bytes of labels."""
    heard: list[bytes] = []
    subscribed: queue.Queue[bool] = queue.Queue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_connect = lambda ear, *_: ear.subscribe(topic(SITE, DEVICE, "trace"), 0)
    client.on_subscribe = lambda *_: subscribed.put(True)
    client.on_message = lambda _c, _u, message: heard.append(bytes(message.payload))
    client.connect("127.0.0.1", port)
    client.loop_start()
    subscribed.get(timeout=DEADLINE_S)
    yield heard
    client.disconnect()
    client.loop_stop()


def test_card_state_and_counters_are_there_and_fit_desk_and_tablet(running: ConsolePlant, page: Browser) -> None:
    sign_in(page, running)
    text = page.evaluate("document.getElementById('board').innerText")
    for words in (
        "SIM000005",
        "labels, verdict",
        "Cassettes",
        "crc_err",
        "retransmits",
        "never, by ledger and machine",
        "free",
    ):
        assert words in text, words
    for width in (1280, 800):
        page.size(width, 1000)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert page.evaluate(TOO_SMALL) == [], width


def test_frames_are_seen_live_filtered_paused_and_opened(running: ConsolePlant, page: Browser) -> None:
    sign_in(page, running)
    watch(page)
    click(page, "[data-act=take]")
    page.wait_for(f"{ROWS}.some(row => row.innerText.includes('LOCK') && row.innerText.includes('mode=take '))")
    page.wait_for("Number(document.querySelector('[data-figure=frames]').innerText) > 3")
    assert " ms" in page.evaluate("document.querySelector('[data-figure=round_trip_p50_us]').innerText")
    choose(page, "op", "LOCK")
    assert page.evaluate(f"{ROWS}.length > 0 && {ROWS}.every(row => row.innerText.includes('LOCK'))")
    choose(page, "direction", "to-device")
    assert page.evaluate(f"{ROWS}.length > 0 && {ROWS}.every(row => row.className.includes('to-device'))")
    choose(page, "text", "no such word")
    assert page.evaluate(f"{ROWS}.length") == 0
    for field in ("text", "op", "direction"):
        choose(page, field, "")
    click(page, "#errors")
    assert page.evaluate(f"{ROWS}.every(row => row.className.includes('wrong'))")
    click(page, "#errors")
    click(page, "#pause")
    shown = page.evaluate(f"{ROWS}.length")
    page.wait_for("document.getElementById('watch-state').innerText.match(/paused, [1-9]/)")
    assert page.evaluate(f"{ROWS}.length") == shown
    page.evaluate(f"{ROWS}.at(-1).click()")
    assert page.evaluate("/^([0-9a-f]{2} ?)+$/.test(document.querySelector('.dump td').innerText.trim())")
    click(page, "#pause")
    page.wait_for(f"{ROWS}.length > {shown}")
    click(page, "#watch")
    assert page.evaluate("document.getElementById('watch-state').innerText") == "not watching"
    wait_until(lambda: not running.hub.service._viewers.get(DEVICE), "the end of the watch at the hub")  # type: ignore[attr-defined]


def test_the_lock_is_taken_the_machine_tested_and_the_lock_given_back_under_the_person_s_name(
    running: ConsolePlant, page: Browser
) -> None:
    sign_in(page, running)
    click(page, "[data-act=self-test]")
    told(page, "stop", "Take the service lock first")
    take_lock(page)
    wait_until(lambda: running.state() == "locked", "the lock")
    click(page, "[data-act=self-test]")
    told(page, "ok", "memory passed")
    page.wait_for("document.getElementById('last-test').innerText.includes('by Person engineer')")
    click(page, "[data-act=release]")
    told(page, "ok", "given back")
    page.wait_for("document.getElementById('holder').innerText === 'free'")
    asked, answered = running.entries("service-asked"), running.entries("service-answered")
    assert [(row["act"], row.get("mode")) for row in asked] == [
        ("lock", "take"),
        ("self-test", None),
        ("lock", "release"),
    ]
    assert [row["rc"] for row in answered] == ["OK"] * 3 and len({row["actor"] for row in asked + answered}) == 1
    assert set(answered[1]["data"].values()) == {"passed"}
    wait_until(lambda: [row["mode"] for row in running.entries("service-lock")] == ["taken", "released"], "the lock's own story")


def test_a_motor_runs_while_the_button_is_held_and_stops_when_it_is_let_go(
    running: ConsolePlant, page: Browser
) -> None:
    sign_in(page, running)
    take_lock(page)
    watch(page)
    button = f"document.querySelector({FORWARD!r})"
    endings: list[Callable[[], Any]] = [
        lambda: mouse(page, "mouseReleased", FORWARD),
        lambda: mouse(page, "mouseMoved", "#op"),
        lambda: page.evaluate(f"{button}.dispatchEvent(new PointerEvent('pointercancel'))"),
        lambda: page.evaluate("dispatchEvent(new Event('blur'))"),
        lambda: page.evaluate("dispatchEvent(new Event('pagehide'))"),
    ]
    for number, end in enumerate(endings, start=1):
        mouse(page, "mouseReleased", "#op")
        page.evaluate(f"delete {button}.dataset.position")
        press(page, FORWARD)
        page.wait_for(f"{button}.dataset.position")
        moved = int(page.evaluate(f"{button}.dataset.position"))
        page.wait_for(f"Number({button}.dataset.position) > {moved}")
        end()
        assert page.evaluate(f"{button}.className") == ""
        wait_for_entries(running, "service-answered", 1 + number)
        ended = running.entries("service-answered")[-1]
        assert (
            (ended["act"], ended["rc"]) == ("jog", "OK") and ended["commands"] >= 2 and ended["last"] > ended["first"]
        )
    click(page, "#watch")
    later = len(running.hub.service.recorded(DEVICE).frames) + 4
    wait_until(lambda: len(running.hub.service.recorded(DEVICE).frames) >= later, "frames of the time after")
    asked = [row for row in running.entries("service-asked") if row["act"] == "jog"]
    assert [row["motor"] for row in asked] == ["gate"] * len(endings)
    done = sum(row.get("commands", 0) for row in running.entries("service-answered"))
    assert 2 <= jogs_on_the_wire(running) <= done + len(endings), "one may be on its way when the button is let go"


def wait_for_entries(running: ConsolePlant, kind: str, times: int) -> None:
    wait_until(lambda: len(running.entries(kind)) == times, f"{times} entries {kind}")


def jogs_on_the_wire(running: ConsolePlant) -> int:
    """Return how many different requests to jog crossed the wire; one that the link repeats has the same number."""
    frames = running.hub.service.recorded(DEVICE).frames
    return len({frame.seq for frame in frames if frame.op == "JOG" and frame.type == "REQ"})


def test_a_command_of_a_press_that_was_let_go_moves_nothing(running: ConsolePlant) -> None:
    engineer = running.client(Role.ENGINEER)
    path = f"/api/devices/{DEVICE}"
    assert engineer.post(f"{path}/lock", json={"event": "event-lock", "mode": "take"}).status_code == 200
    wait_until(lambda: len(running.entries("service-lock")) == 1, "the machine's word about its lock")
    command = {"press": "press-0001", "motor": "tray", "direction": "back"}
    assert engineer.post(f"{path}/jog", json={"event": "event-jog-1", **command}).status_code == 200
    assert engineer.post(f"{path}/jog/release", json={"event": "event-end", "press": "press-0001"}).json() == {
        "commands": 1
    }
    late = engineer.post(f"{path}/jog", json={"event": "event-jog-2", **command})
    assert (late.status_code, late.json()["refused"]) == (409, "let-go")


def test_another_s_lock_is_named_and_taken_over_only_on_purpose(running: ConsolePlant, page: Browser) -> None:
    first = running.client(Role.ENGINEER)
    assert first.post(f"/api/devices/{DEVICE}/lock", json={"event": "event-take", "mode": "take"}).status_code == 200
    wait_until(lambda: len(running.entries("service-lock")) == 1, "the machine's word about its lock")
    second = NewUser("Second engineer", Role.ENGINEER, "T-second", PIN)
    pin_hash = ArgonPins().hashed(PIN)
    running.hub.writer.submit("system", lambda unit: enrol(unit, second, pin_hash)).result()
    sign_in(page, running, "T-second")
    click(page, "[data-act=take]")
    told(page, "stop", "LOCKED: Somebody else holds the service lock. It is Person engineer")
    click(page, "[data-act=self-test]")
    told(page, "stop", "may have a hand in the machine")
    click(page, "[data-act=take-over]")
    page.wait_for("document.getElementById('take-over').open")
    click(page, "#take-over-yes")
    told(page, "ok", "taken over")
    page.wait_for("document.getElementById('holder').dataset.mine === 'yes'")


def test_a_broker_that_is_away_is_said_plainly_and_nothing_is_sent(running: ConsolePlant, page: Browser) -> None:
    sign_in(page, running)
    watch(page)
    running.broker.close()
    page.wait_for("document.querySelector('.trouble')?.innerText.includes('The connection to the broker was lost')")
    page.wait_for("document.getElementById('watch-trouble').innerText.includes('broker')")
    click(page, "[data-act=take]")
    told(page, "stop", "BROKER_AWAY")
    assert running.entries("service-answered")[-1]["rc"] == "BROKER_AWAY"
    assert running.client(Role.ENGINEER).get(f"/api/devices/{DEVICE}/trace").json()["refused"] == "broker-away"


def test_a_command_that_is_past_its_time_when_it_comes_is_not_done_and_said_so(running: ConsolePlant) -> None:
    late = MqttDeviceService(
        f"mqtt://127.0.0.1:{running.broker_port}", SITE, lambda: datetime.now(UTC) - timedelta(minutes=1)
    )
    late.start()
    try:
        wait_until(lambda: late.description(DEVICE) is not None, "the machine's description")
        answer = asyncio.run(late.ask(DEVICE, LockAct("take", "ivanova"), "command-1"))
    finally:
        late.stop()
    assert answer.rc == "EXPIRED" and "clocks of hub and bridge differ" in in_words(answer)
    assert running.state() != "locked"


def test_a_machine_that_does_not_answer_is_said_plainly(running: ConsolePlant, page: Browser) -> None:
    sign_in(page, running)
    running.packager.kill()
    page.wait_for("document.getElementById('board').innerText.includes('down')")
    click(page, "[data-act=take]")
    told(page, "stop", "LINK_DOWN: The machine does not answer the bridge: nothing was done")
    running.packager.start()


def test_a_patient_s_name_on_a_label_is_on_no_page_and_in_no_file_that_is_taken_along(
    running: ConsolePlant, page: Browser
) -> None:
    sign_in(page, running)
    watch(page)
    with HubClient(running.broker_port, acknowledges=False) as hub, traced(running.broker_port) as crossed:
        hub.send(named_run(7))
        page.wait_for(f"{ROWS}.some(row => row.innerText.includes('LABEL_COMMIT'))")
        wait_until(lambda: NAME.encode().hex().encode() in b"".join(crossed), "the name on the wire itself")
    choose(page, "op", "LABEL_DATA")
    page.evaluate(f"{ROWS}[0].click()")
    assert "SHA-256" in page.evaluate("document.querySelector('.dump').innerText")
    frames = running.hub.service.recorded(DEVICE).frames
    assert [frame for frame in frames if frame.op == "LABEL_DATA" and frame.withheld and not frame.hex]
    technician = running.client(Role.TECHNICIAN)
    taken = technician.get(f"/api/devices/{DEVICE}/support.zip").content
    archive = zipfile.ZipFile(io.BytesIO(taken))
    manifest = json.loads(archive.read("manifest.json"))
    assert set(manifest["sha256"]) == set(archive.namelist()) - {"manifest.json"}
    texts = [archive.read(name) for name in archive.namelist()] + [
        technician.get(f"/api/devices/{DEVICE}/trace.jsonl").content
    ]
    texts.append(page.evaluate("document.documentElement.outerHTML").encode())
    for text in (*texts, taken):
        for way in (NAME.encode(), NAME.encode().hex().encode(), NAME.encode("utf-16-le")):
            assert way not in text
    assert b"LABEL_DATA" in archive.read("frames.jsonl")
