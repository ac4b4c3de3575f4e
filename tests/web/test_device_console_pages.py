"""The engineer's console without a broker: who sees what, a doubt of the machine, and devices that have no bridge."""

from datetime import UTC, datetime, timedelta

import pytest
from test_web_doubt import in_doubt
from web_plant import WebPlant

from hub.domain.people import Role
from hub.services.device_service import SelfTestTold
from hub.web.pages.device_console import CLOCKS_APART, newer_test


def test_who_serves_sees_the_acts_who_operates_the_frames_and_others_the_facts(plant: WebPlant) -> None:
    seen = {}
    for role in (Role.ENGINEER, Role.TECHNICIAN, Role.CONTROLLER):
        text = plant.read(role, "/devices/packager-1")
        seen[role] = ('data-act="take"' in text, 'data-jog="film"' in text, 'id="watch"' in text, "crc_err" in text)
        seen[role] += ('id="update-form"' in text, 'id="slots"' in text, 'id="journal"' in text)
    assert seen[Role.ENGINEER] == (True, True, True, True, True, True, True)
    assert seen[Role.TECHNICIAN] == (False, False, True, True, False, True, True)
    assert seen[Role.CONTROLLER] == (False, False, False, True, False, False, False)


def test_a_hub_without_a_broker_says_so(plant: WebPlant) -> None:
    text = plant.read(Role.ENGINEER, "/devices/packager-1")
    assert "This hub was started without a broker" in text
    assert "film-out" in text and "cassette" in text.lower()


def test_a_doubt_is_told_with_both_counts_and_leads_to_the_line(fresh_plant: WebPlant) -> None:
    job = in_doubt(fresh_plant)
    text = fresh_plant.read(Role.ENGINEER, "/devices/packager-1")
    assert f'href="/line#doubt-{job.id}"' in text and "event 3 of boot 1" in text
    assert f'id="doubt-{job.id}"' in fresh_plant.read(Role.TECHNICIAN, "/line")
    pack = fresh_plant.hub.writer.submit_read(lambda unit: unit.packs.get(job.pack)).result()
    patient = fresh_plant.hub.writer.submit_read(lambda unit: unit.patients.get(pack.patient)).result()
    assert patient.code not in text and patient.family not in text


def test_devices_lead_to_the_console_where_there_is_one(plant: WebPlant) -> None:
    text = plant.read(Role.ENGINEER, "/devices")
    assert 'href="/devices/packager-1"' in text and 'href="/devices/printer-1"' not in text
    client = plant.client(Role.ENGINEER)
    for device in ("printer-1", "nothing", "%2e%2e"):
        answer = client.get(f"/devices/{device}")
        assert answer.status_code in (404, 303) and "crc_err" not in answer.text, device
    assert "no bridge that could serve it" in client.get("/devices/printer-1").text
    assert 'href="/devices/camera-1"' in text and "started without a camera" in client.get("/devices/camera-1?language=en").text
    page = client.get("/devices/camera-1?language=en").text
    assert page.count("started without a camera") == 1 and 'id="picture" alt="Live picture of the camera" hidden>' in page
    assert "запущена без камеры" in client.get("/devices/camera-1?language=ru").text


def test_the_newest_jobs_are_told_step_by_step_without_a_patient(fresh_plant: WebPlant) -> None:
    job = in_doubt(fresh_plant)
    text = fresh_plant.read(Role.TECHNICIAN, "/devices/packager-1/journal")
    assert f'data-ask="{job.id}"' in text and "in doubt (slot " in text and "queued" in text
    assert "data-ask" not in fresh_plant.read(Role.CONTROLLER, "/devices/packager-1/journal")
    assert fresh_plant.client(Role.ENGINEER).get("/devices/camera-1/journal").status_code == 404
    jobs = fresh_plant.hub.writer.submit_read(lambda unit: unit.jobs.where(order_by="-queued_at", limit=8)).result()
    for told in jobs:
        pack = fresh_plant.hub.writer.submit_read(lambda unit, told=told: unit.packs.get(told.pack)).result()
        patient = fresh_plant.hub.writer.submit_read(lambda unit, pack=pack: unit.patients.get(pack.patient)).result()
        assert told.id in text
        for word in (patient.id, patient.code, patient.family):
            assert word not in text


BOOKED_AT = datetime(2026, 3, 2, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("later", "by"),
    [(timedelta(hours=-1), "Ivanova"), (CLOCKS_APART, "Ivanova"), (CLOCKS_APART + timedelta(seconds=1), "")],
)
def test_the_machine_s_word_of_its_last_test_counts_where_it_is_newer_than_the_books(later: timedelta, by: str) -> None:
    in_books = {"at": BOOKED_AT, "by": "Ivanova", "results": {"door": "failed"}, "seq": 7}
    shown = newer_test(in_books, SelfTestTold(BOOKED_AT + later, {"door": "passed"}))
    assert shown is not None and shown["by"] == by
    assert shown["results"] == {"door": "failed" if by else "passed"}


def test_a_test_that_only_one_of_both_knows_is_shown() -> None:
    told = newer_test(None, SelfTestTold(BOOKED_AT, {"door": "passed"}))
    assert told is not None and told["results"] == {"door": "passed"}
    assert newer_test(None, None) is None
