"""The line with a machine in doubt: shown first and loudly, answered by a count, and never by an older question's."""

import re
from dataclasses import replace
from fractions import Fraction

from browser import Browser
from test_web_browser import TOO_SMALL, result, sign_in
from web_plant import PIN, WebPlant, entries

from hub.domain.doubts import Counting
from hub.domain.identifiers import DeviceId, UserId
from hub.domain.packs import JobState, PackJob
from hub.domain.people import Role
from hub.domain.stock import SURPLUS, StockMove, cassette_account
from hub.services.devices import device_reported
from hub.services.machine_events import MachineEvent, take_event
from hub.services.ports import UnitOfWork
from hub.services.resolve_doubt import resolve_doubt

PACKAGER = DeviceId("packager-1")


def in_doubt(plant: WebPlant, boot: int = 1, *, high_alert: bool = False) -> PackJob:
    """Put the machine in doubt about the second drop of a pouch; asked again, it is the same pouch of a later boot."""

    def deed(unit: UnitOfWork) -> PackJob:
        doubtful = unit.jobs.where(state=JobState.IN_DOUBT)
        job = doubtful[0] if doubtful else _begun(unit, high_alert)
        take_event(unit, MachineEvent(PACKAGER, "firmware", boot, 3, "stopped", job.id, 1, {"reason": "in-doubt"}))
        return job

    return plant.hub.writer.submit("device:packager-1", deed).result()


def _begun(unit: UnitOfWork, high_alert: bool) -> PackJob:
    """Have the machine begin a pouch of two drops, and make its last drug a high-alert one where that is asked for."""
    first, second = unit.jobs.where(state=JobState.QUEUED, order_by="id", limit=2)
    job = replace(first, fills=(*second.fills[:1], *first.fills[:1]))
    unit.jobs.put(job)
    drug = unit.drugs.get(job.fills[1].drug)
    assert drug is not None
    unit.drugs.put(replace(drug, high_alert=high_alert))
    borrowed, lot = job.fills[0], unit.lots.where(item=job.fills[0].drug, limit=1)[0]
    unit.move(StockMove(borrowed.drug, lot.id, SURPLUS, cassette_account(borrowed.cassette), Fraction(borrowed.count)), "found")
    fell = {"cassette": job.fills[0].cassette, "asked": job.fills[0].count, "counted": job.fills[0].count, "remaining": 9}
    take_event(unit, MachineEvent(PACKAGER, "firmware", 1, 1, "accepted", job.id, None, {}))
    take_event(unit, MachineEvent(PACKAGER, "firmware", 1, 2, "dropped", job.id, 0, fell))
    return job


def field(page: Browser, name: str, value: str) -> None:
    page.evaluate(f"document.getElementById('doubt-{name}').value = {value!r}")


def open_dialog(page: Browser, job: PackJob, act: str = "count") -> None:
    button = f"document.querySelector('[data-doubt=\"{job.id}\"] [data-act={act}]')"
    page.wait_for(button)
    page.evaluate(f"{button}.click()")
    page.wait_for("document.getElementById('doubt-dialog').open")


def test_the_doubt_is_the_first_thing_on_the_line_with_what_machine_and_hub_know(fresh_plant: WebPlant) -> None:
    job = in_doubt(fresh_plant)
    text = fresh_plant.read(Role.TECHNICIAN, "/line")
    assert text.index(f'data-doubt="{job.id}"') < text.index("machines-title")
    shown = text[text.index(f'data-doubt="{job.id}"') : text.index("machines-title")]
    fill = job.fills[1]
    for words in (
        "drop 2 of 2", f"{fill.count} from slot {fill.machine_slot}, cassette {fill.cassette}", "event 3 of boot 1",
        "take out the pouch", "Count the tablets of", "reject bin", f"{job.fills[0].count} fell", "I have counted",
    ):  # fmt: skip
        assert words in shown, words
    pack = fresh_plant.hub.writer.submit_read(lambda unit: unit.packs.get(job.pack)).result()
    patient = fresh_plant.hub.writer.submit_read(lambda unit: unit.patients.get(pack.patient)).result()
    assert patient.code not in shown and patient.family not in shown


def test_only_those_who_decide_get_the_button(fresh_plant: WebPlant) -> None:
    in_doubt(fresh_plant)
    for role in (Role.HEAD, Role.ENGINEER, Role.CONTROLLER):
        text = fresh_plant.read(role, "/line")
        assert "A pharmacist or a technician must count and answer." in text and 'data-act="count"' not in text
        assert 'id="doubt-dialog"' not in text


def test_the_story_of_the_pouch_tells_of_the_doubt_in_words(fresh_plant: WebPlant) -> None:
    job = in_doubt(fresh_plant)
    assert re.search(r"packager-1 lost power and is in doubt about slot \d", fresh_plant.read(Role.CONTROLLER, f"/ledger?about={job.pack}"))


def test_a_count_is_told_to_the_machine_and_the_page_says_so(fresh_plant: WebPlant, page: Browser) -> None:
    job = in_doubt(fresh_plant)
    sign_in(page, fresh_plant, Role.TECHNICIAN, "/line")
    open_dialog(page, job)
    assert page.evaluate(TOO_SMALL) == [] and page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate("document.getElementById('doubt-send').click()")
    assert page.evaluate("document.getElementById('doubt-dialog').open"), "no number, no answer"
    field(page, "counted", "1")
    field(page, "reason", "opened and counted")
    page.evaluate("document.getElementById('doubt-send').click()")
    result(page, "ok", "1 counted: packager-1 is being told.")
    page.wait_for("document.querySelector('.doubt').innerText.includes('counted 1. The machine is being told.')")
    (told,) = entries(fresh_plant, "doubt-decided")
    assert (told["job"], told["counted"], told["reason"]) == (job.id, 1, "opened and counted")


def test_an_answer_to_what_was_on_the_screen_is_refused_once_the_machine_asks_anew(fresh_plant: WebPlant, page: Browser) -> None:
    job = in_doubt(fresh_plant)
    sign_in(page, fresh_plant, Role.TECHNICIAN, "/line")
    open_dialog(page, job)
    in_doubt(fresh_plant, boot=2)
    page.wait_for("document.querySelector('.doubt').dataset.boot === '2'")
    field(page, "counted", "1")
    field(page, "reason", "opened and counted")
    page.evaluate("document.getElementById('doubt-send').click()")
    page.wait_for("document.getElementById('doubt-refused').innerText.includes('asks anew (event 3 of boot 2)')")
    assert entries(fresh_plant, "doubt-decided") == []


def test_a_high_alert_pouch_asks_for_a_second_person_whose_pin_is_not_kept(fresh_plant: WebPlant, page: Browser) -> None:
    job = in_doubt(fresh_plant, high_alert=True)
    sign_in(page, fresh_plant, Role.TECHNICIAN, "/line")
    open_dialog(page, job)
    for name, value in (("counted", "0"), ("reason", "pouch is empty"), ("badge", "T-pharmacist"), ("pin", "000000")):
        field(page, name, value)
    page.evaluate("document.getElementById('doubt-send').click()")
    page.wait_for("document.getElementById('doubt-refused').innerText.includes('Badge or PIN is wrong')")
    field(page, "pin", PIN)
    page.evaluate("document.getElementById('doubt-send').click()")
    result(page, "ok", "0 counted")
    assert page.evaluate("JSON.stringify(sessionStorage)") in ("{}", '{"dosehub-unanswered":"[]"}')
    assert entries(fresh_plant, "doubt-decided")[0]["second"] is not None


def test_what_the_machine_no_longer_knows_of_is_ended_by_two_people(fresh_plant: WebPlant, page: Browser) -> None:
    job = in_doubt(fresh_plant)

    def forgotten(unit: UnitOfWork) -> None:
        """The machine, with a new board, did not take the answer."""
        counted = Counting(PACKAGER, job.id, 1, 3, 1, "counted", UserId("u-technician"))
        assert isinstance(resolve_doubt(unit, counted), PackJob)
        command = unit.commands.where(job=job.id, kind="resolve")[0].id
        told = {"command": command, "rc": "STALE_EVENT", "reason": "not this doubt"}
        take_event(unit, MachineEvent(PACKAGER, "bridge", 0, 1, "refused", job.id, None, told))
        device_reported(unit, PACKAGER, "idle", '{"state": "idle", "link": "up"}')

    fresh_plant.hub.writer.submit("u-technician", forgotten).result()
    sign_in(page, fresh_plant, Role.TECHNICIAN, "/line")
    open_dialog(page, job, "end")
    assert "two people" in page.evaluate("document.getElementById('doubt-why-second').innerText")
    for name, value in (("counted", "0"), ("reason", "board replaced"), ("badge", "T-pharmacist"), ("pin", PIN)):
        field(page, name, value)
    page.evaluate("document.getElementById('doubt-send').click()")
    result(page, "ok", "0 counted: the job of packager-1 is ended without it.")
    page.wait_for("document.querySelector('.doubt') === null")
    assert [fact["counted"] for fact in entries(fresh_plant, "doubt-resolved")] == [0]
