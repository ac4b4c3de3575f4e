"""The engineer's console without a broker: who sees what, a doubt of the machine, and devices that have no bridge."""

from test_web_doubt import in_doubt
from web_plant import WebPlant

from hub.domain.people import Role


def test_who_serves_sees_the_acts_who_operates_the_frames_and_others_the_facts(plant: WebPlant) -> None:
    seen = {}
    for role in (Role.ENGINEER, Role.TECHNICIAN, Role.CONTROLLER):
        text = plant.read(role, "/devices/packager-1")
        seen[role] = ('data-act="take"' in text, 'data-jog="film"' in text, 'id="watch"' in text, "crc_err" in text)
    assert seen[Role.ENGINEER] == (True, True, True, True)
    assert seen[Role.TECHNICIAN] == (False, False, True, True)
    assert seen[Role.CONTROLLER] == (False, False, False, True)


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
    assert 'href="/devices/packager-1"' in text and 'href="/devices/camera-1"' not in text
    client = plant.client(Role.ENGINEER)
    for device in ("camera-1", "nothing", "%2e%2e"):
        answer = client.get(f"/devices/{device}")
        assert answer.status_code in (404, 303) and "crc_err" not in answer.text, device
    assert "no bridge that could serve it" in client.get("/devices/camera-1").text
