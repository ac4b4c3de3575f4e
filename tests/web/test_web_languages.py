"""The line, a machine in doubt and the trolleys in the language that a person chose, with nothing left in the other one."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from browser import Browser
from test_web_browser import TOO_SMALL, result, sign_in
from test_web_doubt import PACKAGER, field, in_doubt, open_dialog
from web_plant import WebPlant, entries

from hub.domain.doubts import Counting
from hub.domain.identifiers import UserId
from hub.domain.orders import LineState
from hub.domain.packs import PackJob
from hub.domain.people import Role
from hub.services.machine_events import MachineEvent, take_event
from hub.services.ports import UnitOfWork
from hub.services.resolve_doubt import resolve_doubt
from hub.web.pages import doubt_words, line_words, trolley_words
from hub.web.pages.spoken import Table

TABLES: tuple[Table, ...] = (line_words._WORDS, line_words._SCRIPT, doubt_words._WORDS, doubt_words._SCRIPT, trolley_words._WORDS, trolley_words._SCRIPT)
HOLES = re.compile(r"\{\w+\}")


def seen(text: str) -> str:
    """Return what a person reads of a page: its text, and the words of its pictures and fields."""
    body = text[text.index("<main") :]
    spoken_beside = " ".join(re.findall(r'(?:alt|placeholder|aria-label|data-said)="([^"]*)"', body))
    return unescape(re.sub(r"<[^>]+>", " ", body) + " " + spoken_beside)


def foreign(language: str) -> set[str]:
    """Return the phrases of the other language, of more than one word: a single one may be a device's name."""
    other = 1 if language == "ru" else 0
    return {phrase.strip() for table in TABLES for said in table.values() for phrase in HOLES.split(said[other]) if " " in phrase.strip()}


@pytest.mark.parametrize("table", TABLES)
def test_both_languages_have_a_word_with_the_same_holes(table: Table) -> None:
    for name, (russian, english) in table.items():
        assert sorted(HOLES.findall(russian)) == sorted(HOLES.findall(english)), name
        assert re.search("[а-яё]", russian, re.IGNORECASE) and not re.search("[а-яё]", english, re.IGNORECASE), name


WORDS_OF_THE_PLANT = re.compile(r"morning-[\w-]+|(?:packager|printer|camera)-1|<img src=x onerror=alert\(1\)>|the maker asks for it")
READERS = {
    Role.TECHNICIAN: ("/line", "/trolley", "/trolley?id={trolley}", "/trolley/pull"),
    Role.ENGINEER: ("/line",),
    Role.NURSE: ("/trolley", "/trolley?id={trolley}", "/trolley/pull", "/ward"),
}


@pytest.mark.parametrize("language", ["ru", "en"])
def test_no_page_of_the_line_speaks_two_languages(fresh_plant: WebPlant, language: str) -> None:
    _refused(fresh_plant, in_doubt(fresh_plant))
    for role, paths in READERS.items():
        client = fresh_plant.client(role)
        client.cookies.set("dosehub_language", language)
        for path in paths:
            answer = client.get(path.format(trolley=fresh_plant.loaded.trolley))
            assert answer.status_code == 200 and f'<html lang="{language}">' in answer.text, path
            told = seen(answer.text)
            assert {phrase for phrase in foreign(language) if phrase in told} == set(), (role, path)
            if language == "ru":
                left = WORDS_OF_THE_PLANT.sub(" ", told)
                assert not re.search("[a-z]{3,}", left), (role, path, re.findall(".{0,40}[a-z]{3,}.{0,40}", left)[:12])


def _refused(plant: WebPlant, job: PackJob) -> None:
    """Have a person answer the machine, and the machine not take the answer."""

    def deed(unit: UnitOfWork) -> None:
        assert isinstance(resolve_doubt(unit, Counting(PACKAGER, job.id, 1, 3, 1, "counted", UserId("u-technician"))), PackJob)
        command = unit.commands.where(job=job.id, kind="resolve")[0].id
        told = {"command": command, "rc": "STALE_EVENT", "reason": "the machine tells another doubt now"}
        take_event(unit, MachineEvent(PACKAGER, "bridge", 0, 1, "refused", job.id, None, told))

    plant.hub.writer.submit("u-technician", deed).result()


def test_screen_and_list_tell_the_same_reason_of_a_recalled_pack(fresh_plant: WebPlant) -> None:
    for path in ("/trolley", "/trolley/pull"):
        text = fresh_plant.read(Role.NURSE, f"{path}?id={fresh_plant.loaded.trolley}&language=ru")
        assert "серия A1 препарата EUTYROX отозвана: the maker asks for it" in text, path


def test_a_pack_on_hold_is_kept_back_and_not_sent_to_the_returns(fresh_plant: WebPlant, page: Browser) -> None:
    plant, pack = fresh_plant, fresh_plant.loaded

    def hold(unit: UnitOfWork) -> None:
        dose = unit.doses.get(pack.doses[0])
        assert dose is not None
        order = unit.orders.get(dose.order)
        assert order is not None
        unit.orders.put(replace(order, state=LineState.ON_HOLD))

    plant.hub.writer.submit("system", hold).result()
    sign_in(page, plant, Role.TECHNICIAN, f"/trolley?id={pack.trolley}")
    page.wait_for(f"document.querySelector('[data-pack=\"{pack.serial}\"][data-place=pull]')")
    page.type(pack.serial)
    result(page, "ok", "Keep it back: its order is on hold.")
    page.type(plant.pulled.serial)
    result(page, "ok", "Put it to the returns.")


def test_leaving_a_cassette_locked_is_kept_in_english(fresh_plant: WebPlant, page: Browser) -> None:
    sign_in(page, fresh_plant, Role.PHARMACIST, "/line", "ru")
    page.wait_for("document.querySelector('[data-act=leave]')")
    assert page.evaluate("document.querySelector('[data-act=leave]').innerText.trim()") == "Оставить заблокированной"
    page.evaluate("document.querySelector('[data-act=leave]').click()")
    result(page, "ok", "Решено: оставлено как есть.")
    assert entries(fresh_plant, "review-decided")[0]["reason"] == "Leave it locked"


def test_a_failure_of_the_hub_is_told_in_russian(fresh_plant: WebPlant, page: Browser) -> None:
    """After four tries that failed within the hub the warning is not to scan again blindly."""
    sign_in(page, fresh_plant, Role.TECHNICIAN, f"/trolley?id={fresh_plant.loaded.trolley}", "ru")
    page.evaluate("window.fetch = async (path, how) => new Response('', { status: 500 })")
    page.type(fresh_plant.ready[0].serial)
    result(page, "stop", "Сбой системы (500). Посмотрите в список")


def test_a_house_that_speaks_russian_shows_the_line_in_russian_to_whom_chose_nothing(plant: WebPlant) -> None:
    client = plant.client(Role.TECHNICIAN)
    client.cookies.delete("dosehub_language")
    assert "Линия фасовки" in client.get("/line").text and "Тележки" in client.get("/trolley").text


def test_a_trolley_is_loaded_and_sealed_in_russian(fresh_plant: WebPlant, page: Browser, tmp_path: Path) -> None:
    plant = fresh_plant
    sign_in(page, plant, Role.TECHNICIAN, f"/trolley?id={plant.loaded.trolley}", "ru")
    alone = plant.ready[0]
    page.type(alone.drawer)
    result(page, "run", f"Ящик {alone.drawer}. Теперь отсканируйте его упаковку.")
    page.type(alone.serial)
    result(page, "ok", f"{alone.serial} — в ящик {alone.drawer}. Не хватает упаковок:")
    page.type(plant.pulled.serial)
    result(page, "ok", "Положите её в возвраты")
    page.type("SEAL")
    result(page, "wait", "их передадут из рук в руки")
    assert page.evaluate(TOO_SMALL) == [] and page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(tmp_path / "trolley.png")
    page.type("S-4711")
    result(page, "ok", "Опломбирована: S-4711.")
    page.wait_for("document.querySelector('[data-state=sealed]').innerText.includes('опломбирована')")


def test_the_line_is_worked_and_a_doubt_is_counted_in_russian(fresh_plant: WebPlant, page: Browser, tmp_path: Path) -> None:
    plant = fresh_plant
    job = in_doubt(plant)
    sign_in(page, plant, Role.TECHNICIAN, "/line", "ru")
    page.type(plant.rejected.serial)
    result(page, "ok", f"{plant.rejected.serial} в коробе брака.")
    page.type("NOTOURPACK12")
    result(page, "stop", "такую упаковку не наполняют")
    page.screenshot(tmp_path / "line.png")
    open_dialog(page, job)
    assert page.evaluate(TOO_SMALL) == [] and page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(tmp_path / "doubt.png")
    field(page, "counted", "1")
    field(page, "reason", "вынули и сосчитали")
    page.evaluate("document.getElementById('doubt-send').click()")
    result(page, "ok", "Насчитано 1: ответ передаётся на packager-1.")
    assert entries(plant, "doubt-decided")[0]["reason"] == "вынули и сосчитали"


def test_what_is_rejected_in_russian_is_kept_in_the_words_of_the_ledger(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    sign_in(page, plant, Role.PHARMACIST, "/line", "ru")
    card = f"document.querySelector('.review[data-pack=\"{plant.quarantined.serial}\"]')"
    page.wait_for(f"{card}.querySelector('[data-act=reject]')")
    page.evaluate(f"{card}.querySelector('[data-act=reject]').click()")
    page.wait_for("document.getElementById('reject-dialog').open")
    assert page.evaluate("document.querySelector('[data-reason^=\"a tablet\"]').innerText") == "таблетка сломана"
    page.evaluate("document.querySelector('[data-reason^=\"a tablet\"]').click()")
    result(page, "ok", "Забраковано.")
    assert entries(plant, "review-decided")[0]["reason"] == "a tablet is broken"
