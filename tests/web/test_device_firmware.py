"""Firmware on the engineer's page: uploaded in a real browser, carried through a real broker and bridge into the simulated packager."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from device_plant import ConsolePlant, console_plant
from test_device_console import NAME, click, named_run, sign_in, take_lock, told, watch
from test_web_browser import TOO_SMALL

from hub.domain.people import Role
from tests.bridge.plant import DEVICE, HubClient, wait_until
from tests.console.test_console_update import LARGE, SMALL, STRANGER, VERSION, image_file, signed

PATH = f"/api/devices/{DEVICE}/firmware"
END = "document.getElementById('update-end').innerText"
STATE = "document.getElementById('update-state').innerText"
NOTES = "document.getElementById('update-notes').innerText"
CARRIED = "Number(document.getElementById('update-bar').value)"
SLOTS = "document.getElementById('slot-rows').innerText.replaceAll('\\t', ' ')"
WORDS = "document.getElementById('slot-words').innerText"
# A machine that restarts, tests itself and is heard again takes its time on a computer that is at work.
PATIENCE_S = 90.0


@pytest.fixture
def running(tmp_path: Path) -> Iterator[ConsolePlant]:
    with console_plant(tmp_path) as opened:
        yield opened


def choose_file(page: Browser, path: Path) -> None:
    root = page.call("DOM.getDocument")["root"]["nodeId"]
    field = page.call("DOM.querySelector", nodeId=root, selector="#image")["nodeId"]
    page.call("DOM.setFileInputFiles", files=[str(path)], nodeId=field)


def update(page: Browser, path: Path) -> None:
    choose_file(page, path)
    click(page, "#update-begin")


def of_firmware(running: ConsolePlant, kind: str) -> list[dict[str, Any]]:
    return [row for row in running.entries(kind) if row["act"] == "firmware"]


def upload(running: ConsolePlant, path: Path, event: str = "event-update") -> Any:
    return running.client(Role.ENGINEER).post(f"{PATH}?event={event}", content=path.read_bytes())


def test_image_is_uploaded_carried_with_its_progress_tried_tested_and_confirmed(
    running: ConsolePlant, page: Browser
) -> None:
    sign_in(page, running)
    page.wait_for(f"{SLOTS}.includes('A 1.1.0 runs, confirmed') && {SLOTS}.includes('B no sound image')")
    assert page.evaluate(WORDS) == "failed boots 0; not in safe mode"
    take_lock(page)
    path = image_file(running.folder, LARGE)
    update(page, path)
    page.wait_for(f"{CARRIED} > 0 && {CARRIED} < {len(LARGE)} && {STATE} === 'an update runs'")
    again = upload(running, path)
    assert (again.status_code, again.json()["refused"]) == (409, "update-runs")
    for width in (1280, 800):
        page.size(width, 1000)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert page.evaluate(TOO_SMALL) == [], width
    page.wait_for(f"{END}.includes('Firmware {VERSION} is confirmed')", PATIENCE_S)
    assert page.evaluate(f"{STATE}") == "updated"
    assert "memory passed" in page.evaluate(NOTES) and "on trial" in page.evaluate(NOTES)
    page.wait_for(f"{SLOTS}.includes('A 1.1.0 kept aside') && {SLOTS}.includes('B {VERSION} runs, confirmed')")
    page.wait_for(f"document.getElementById('board').innerText.includes('{VERSION}')")
    page.wait_for("document.getElementById('last-test').innerText.includes('as the machine told')")
    (asked,), (answered,) = of_firmware(running, "service-asked"), of_firmware(running, "service-answered")
    assert (asked["version"], asked["size"], asked["sha256"]) == (VERSION, len(LARGE), signed(VERSION, LARGE)["sha256"])
    assert (answered["rc"], answered["carried"]) == ("OK", len(LARGE)) and answered["actor"] == asked["actor"]
    assert set(answered["data"].values()) == {"passed"}


def test_files_that_may_not_be_sent_and_people_who_hold_no_lock_are_refused_in_words(
    running: ConsolePlant, page: Browser
) -> None:
    sign_in(page, running)
    update(page, image_file(running.folder, SMALL))
    page.wait_for(f"{END}.includes('Take the service lock first')")
    take_lock(page)
    refused = {
        image_file(running.folder, SMALL, signature=None): "is not signed as it must be",
        image_file(running.folder, SMALL, sha256="ab" * 32): "it is damaged",
        image_file(running.folder, bytes(1_048_576 + 8192)): "1 to 1048576 bytes",
    }
    for path, words in refused.items():
        update(page, path)
        page.wait_for(f"{END}.includes({words!r}) && {STATE} === 'not begun'")
    too_large = upload(running, list(refused)[-1])
    assert (too_large.status_code, too_large.json()["refused"]) == (413, "too-large")
    assert of_firmware(running, "service-asked") == [], "the machine has heard nothing"


def test_signature_of_a_stranger_is_refused_by_the_machine(running: ConsolePlant, page: Browser) -> None:
    sign_in(page, running)
    take_lock(page)
    update(page, image_file(running.folder, SMALL, maker=STRANGER))
    page.wait_for(f"{END}.includes('SIGNATURE: the image is not signed by the maker')", PATIENCE_S)
    assert page.evaluate(STATE) == "SIGNATURE"
    page.wait_for(f"{SLOTS}.includes('A 1.1.0 runs, confirmed') && {SLOTS}.includes('B no sound image')")
    (answered,) = of_firmware(running, "service-answered")
    assert answered["rc"] == "SIGNATURE" and "not signed by the maker" in answered["reason"]


def test_bridge_and_broker_that_are_lost_are_waited_for_and_the_carrying_goes_on(
    running: ConsolePlant, page: Browser
) -> None:
    sign_in(page, running)
    take_lock(page)
    update(page, image_file(running.folder, LARGE))
    page.wait_for(f"{CARRIED} > {len(LARGE)} / 10")
    running.bridge.kill()
    running.restart_bridge()
    page.wait_for(f"{NOTES}.includes('Carrying is resumed')", PATIENCE_S)
    resumed = page.evaluate(CARRIED)
    assert resumed >= len(LARGE) // 10
    page.wait_for(f"{CARRIED} > {resumed}", PATIENCE_S)
    running.broker.close()
    page.wait_for("document.querySelector('.trouble')?.innerText.includes('The connection to the broker was lost')")
    running.restart_broker()
    page.open(f"{running.url}/devices/{DEVICE}")
    page.wait_for(f"{STATE} === 'an update runs'")
    page.wait_for(f"{END}.includes('Firmware {VERSION} is confirmed')", PATIENCE_S)
    assert [row["rc"] for row in of_firmware(running, "service-answered")] == ["OK"]


def test_firmware_whose_self_test_fails_is_not_confirmed_and_falls_back(running: ConsolePlant, page: Browser) -> None:
    sign_in(page, running)
    take_lock(page)
    running.packager.post("/door", {"open": True})
    update(page, image_file(running.folder, SMALL))
    page.wait_for(f"{END}.includes('is not confirmed: the machine falls back at the fourth boot')", PATIENCE_S)
    page.wait_for(f"{WORDS}.includes('what runs is on trial')")
    update(page, image_file(running.folder, LARGE, version="1.9.9", signature="ab" * 64))
    page.wait_for(f"{END}.includes('CONFLICT: ') && {END}.includes('on trial')", PATIENCE_S)
    for _ in range(3):
        running.packager.kill()
        running.packager.start()
    firmware = lambda: (running.hub.service.description(DEVICE) or {}).get("firmware")  # noqa: E731
    wait_until(lambda: firmware() == "1.1.0", "the fall back")
    click(page, "#slots-again")
    page.wait_for(f"{WORDS}.includes('failed boots 3, rolled back')")
    assert [row["rc"] for row in of_firmware(running, "service-answered")] == ["NOT_CONFIRMED", "CONFLICT"]


def test_lock_that_was_given_back_ends_an_update_before_anything_moves(running: ConsolePlant, page: Browser) -> None:
    sign_in(page, running)
    take_lock(page)
    update(page, image_file(running.folder, LARGE))
    page.wait_for(f"{CARRIED} > 0")
    click(page, "[data-act=release]")
    told(page, "ok", "given back")
    page.wait_for(f"{END}.includes('NOT_LOCKED')", PATIENCE_S)
    (answered,) = of_firmware(running, "service-answered")
    assert answered["rc"] == "NOT_LOCKED" and 0 < answered["carried"] < len(LARGE)


def test_journal_is_asked_for_and_books_and_machine_stand_beside_each_other(
    running: ConsolePlant, page: Browser
) -> None:
    command = named_run(7)
    sign_in(page, running)
    watch(page)
    with HubClient(running.broker_port, acknowledges=False) as hub:
        hub.send(command)
        page.wait_for("[...document.querySelectorAll('#rows tr')].some(row => row.innerText.includes('AT_CAMERA'))")
    says = "document.getElementById('job-says').innerText"
    page.evaluate(f"document.getElementById('job').value = {command.job!r}")
    page.evaluate("document.getElementById('job-form').requestSubmit()")
    page.wait_for(f"{says}.includes('The machine says: at-camera')")
    page.evaluate(f"document.getElementById('job').value = {'0' * 31 + 'f'!r}")
    page.evaluate("document.getElementById('job-form').requestSubmit()")
    page.wait_for(f"/UNKNOWN_JOB|nothing of this job/.test({says})")
    click(page, "#journal-show")
    page.wait_for("document.getElementById('journal-rows').innerText.includes('The books have no job')")
    captured = running.client(Role.TECHNICIAN).get(f"/api/devices/{DEVICE}/trace.pcapng").content
    assert re.search(rb"LABEL_DATA seq \d+ .*SHA-256 [0-9a-f]{64}", captured) and NAME.encode() not in captured
