"""What the pages tell: the line, the bench, trolleys, the round, devices, and the story of a pack."""

import asyncio
import http.client
import re
from urllib.parse import urlsplit

import pytest
from web_plant import EVIDENCE, WebPlant, wards_of

from hub.domain.people import Role
from hub.services.views import LedgerQuestion


def test_the_board_tells_jobs_batches_and_machines(plant: WebPlant) -> None:
    text = plant.read(Role.TECHNICIAN, "/line")
    assert re.search(r"<b>\d+</b><span class=\"chip[^>]*>.*?queued", text, re.DOTALL)
    assert "cut 06:15" in text
    assert re.search(r"\d+ of \d+ packs ready", text)
    assert "film-out" in text


def test_the_board_shows_who_packs_what_waits_for_them(plant: WebPlant) -> None:
    text = plant.read(Role.TECHNICIAN, "/line")
    assert f'data-pack="{plant.quarantined.serial}"' in text
    assert f'src="/api/evidence/{EVIDENCE}"' in text
    assert f'data-reject="{plant.rejected.serial}"' in text
    assert "data-pick=" in text
    assert "data-requisition=" in text


def test_each_question_offers_answers_in_its_own_words(plant: WebPlant) -> None:
    text = plant.read(Role.PHARMACIST, "/line")
    cassette = text[text.index("wrong cassette") :]
    assert "Right one again: unlock" in cassette[:1500]
    assert 'data-act="leave"' in cassette[:1500]
    pouch = text[text.index(f'data-pack="{plant.quarantined.serial}"') :]
    assert 'href="/station?case=' in pouch[:1500] and 'data-act="accept"' not in pouch[:pouch.index("</article>")]
    assert 'data-act="reject"' in pouch[:1500]


def test_those_who_do_not_pack_see_no_patients_and_no_scan_field(plant: WebPlant) -> None:
    for role in (Role.ENGINEER, Role.CONTROLLER, Role.SENIOR_NURSE):
        text = plant.read(role, "/line")
        assert "data-pick=" not in text
        assert 'id="scan"' not in text


def test_evidence_is_shown_only_to_those_who_decide(plant: WebPlant) -> None:
    text = plant.read(Role.HEAD, "/line")
    assert f'data-pack="{plant.quarantined.serial}"' in text
    assert "/api/evidence/" not in text
    assert 'data-act="accept"' not in text


def test_lists_carry_codes_and_no_names(plant: WebPlant) -> None:
    names = {patient.family for patient in plant.hub.writer.submit_read(lambda unit: unit.patients.where()).result()}
    for path in ("/line", "/trolley", f"/trolley?id={plant.loaded.trolley}", "/ledger", "/devices"):
        text = plant.read(Role.PHARMACIST, path)
        assert not [name for name in names if f">{name} " in text or f" {name} " in text], path


def test_a_trolley_tells_drawer_by_drawer_what_is_missing_and_why(plant: WebPlant) -> None:
    text = plant.read(Role.TECHNICIAN, f"/trolley?id={plant.loaded.trolley}")
    assert f'data-pack="{plant.loaded.serial}" data-place="in"' in text
    assert f'data-pack="{plant.ready[0].serial}" data-place="missing"' in text
    assert f'data-pack="{plant.pulled.serial}" data-place="pull"' in text
    assert "waits for a person&#39;s decision" in text
    assert 'data-act="seal"' in text


def test_nurses_may_look_at_a_trolley_but_not_seal_it(plant: WebPlant) -> None:
    assert 'data-act="seal"' not in plant.read(Role.NURSE, f"/trolley?id={plant.loaded.trolley}")
    assert plant.client(Role.NURSE).get("/trolley?id=none").status_code == 404


def test_the_round_tells_where_a_pack_is_that_is_not_here(plant: WebPlant) -> None:
    plant.hub.clock.step(max(plant.ready[0].due, plant.hub.clock()))  # type: ignore[attr-defined]
    text = plant.read(Role.NURSE, f"/ward/round?department={wards_of(plant)}")
    assert "in the pharmacy" in text
    assert "The patient refused" in text
    assert 'data-act="not-given"' not in plant.read(Role.PHARMACIST, f"/ward/round?department={wards_of(plant)}")


def test_devices_show_report_books_and_waiting_commands(plant: WebPlant) -> None:
    text = plant.read(Role.ENGINEER, "/devices")
    assert "crc_err" in text
    assert "Commands waiting" in text
    assert re.search(r"<b>7</b> differs.*?books 60", text, re.DOTALL)
    assert "<form" not in text.split("<main", 1)[1]


def test_a_device_with_an_unreadable_report_is_still_shown(fresh_plant: WebPlant) -> None:
    def spoil(unit: object) -> None:
        device = unit.devices.get("packager-1")  # type: ignore[attr-defined]
        unit.devices.put(type(device)(device.id, device.kind, "ready", "{no json"))  # type: ignore[attr-defined]

    fresh_plant.hub.writer.submit("system", spoil).result()
    assert "packager-1" in fresh_plant.read(Role.ENGINEER, "/devices")
    assert "packager-1" in fresh_plant.read(Role.ENGINEER, "/line")


def test_the_ledger_pages_back_to_its_first_entry(plant: WebPlant) -> None:
    client = plant.client(Role.CONTROLLER)
    path, seen = "/ledger?kind=line-decided", []
    for _ in range(30):
        text = client.get(path).text
        seen += [int(number) for number in re.findall(r'<tr id="entry-(\d+)"', text)]
        older = re.search(r'href="(/ledger\?before=[^"]+)">Older', text)
        if older is None:
            break
        path = older[1].replace("&amp;", "&")
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == 191


def test_the_ledger_shows_its_head_and_the_hash_of_each_entry(plant: WebPlant) -> None:
    text = plant.read(Role.CONTROLLER, "/ledger")
    (number,) = re.findall(r"(\d+) entries; head", text)
    (head,) = re.findall(r'head <span class="code hash">([0-9a-f]{64})<', text)
    assert f'<tr id="entry-{number}">' in text
    assert f'title="{head}"' in text
    assert 'href="/api/ledger/export"' in text


def test_the_story_of_a_pack_goes_from_the_order_line_to_now(plant: WebPlant) -> None:
    text = plant.read(Role.CONTROLLER, f"/ledger?about={plant.quarantined.serial}")
    told = re.findall(r'<li class="card" id="entry-(\d+)">', text)
    assert [int(number) for number in told] == sorted(int(number) for number in told)
    places = [text.index(words) for words in ("Order line ", "Dose planned", "set up for patient", "put in quarantine")]
    assert places == sorted(places)


def test_a_story_leaves_out_other_doses_of_the_same_order(plant: WebPlant) -> None:
    text = plant.read(Role.CONTROLLER, f"/ledger?about={plant.quarantined.serial}")
    planned = text.count("Dose planned")
    assert planned == len(plant.quarantined.doses)


def test_an_unknown_id_has_no_story(plant: WebPlant) -> None:
    assert "No entry of the ledger names" in plant.read(Role.CONTROLLER, "/ledger?about=NOBODY")


@pytest.mark.parametrize("limit", [1, 7])
def test_questions_to_the_ledger_are_limited(plant: WebPlant, limit: int) -> None:
    read = plant.app.state.hub.read_ledger
    found = asyncio.run(read(LedgerQuestion(limit=limit)))
    assert len(found.entries) == limit
    assert found.entries[0].seq == found.head_seq
    assert found.entries[0].hash == found.head_hash


def test_the_first_server_sent_event_comes_at_once(plant: WebPlant) -> None:
    connection = http.client.HTTPConnection(urlsplit(plant.url).netloc, timeout=10)
    cookies = "; ".join(f"{name}={value}" for name, value in plant.client(Role.TECHNICIAN).cookies.items())
    connection.request("GET", "/api/events", headers={"cookie": cookies})
    answer = connection.getresponse()
    assert answer.getheader("content-type", "").startswith("text/event-stream")
    lines = [answer.readline().decode().strip() for _ in range(4)]
    answer.close()
    connection.close()
    assert lines[:3] == ["retry: 2000", "", "event: board"]
    assert lines[3].startswith("data: ")
