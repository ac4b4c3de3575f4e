"""The line, a machine in doubt and the trolleys in the language that a person chose, with nothing left in the other one."""

import re
from html import unescape
from pathlib import Path

import pytest
from browser import Browser
from test_web_browser import TOO_SMALL, result, sign_in
from test_web_doubt import field, in_doubt, open_dialog
from web_plant import WebPlant, entries

from hub.domain.people import Role
from hub.web.pages import doubt_words, line_words, trolley_words
from hub.web.pages.spoken import Table

TABLES: tuple[Table, ...] = (line_words._WORDS, line_words._SCRIPT, doubt_words._WORDS, doubt_words._SCRIPT, trolley_words._WORDS, trolley_words._SCRIPT)
HOLES = re.compile(r"\{\w+\}")


def seen(text: str) -> str:
    """Return what a person reads of a page: its text, and the words of its pictures and fields."""
    body = text[text.index("<main") :]
    spoken_beside = " ".join(re.findall(r'(?:alt|placeholder|aria-label|data-say|data-said)="([^"]*)"', body))
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


@pytest.mark.parametrize("language", ["ru", "en"])
def test_no_page_of_the_line_speaks_two_languages(fresh_plant: WebPlant, language: str) -> None:
    in_doubt(fresh_plant)
    for role in (Role.TECHNICIAN, Role.ENGINEER):
        for path in ("/line", "/trolley", f"/trolley?id={fresh_plant.loaded.trolley}", "/trolley/pull"):
            address = f"{path}{'&' if '?' in path else '?'}language={language}"
            answer = fresh_plant.client(role).get(address)
            if answer.status_code == 403:
                continue
            assert f'<html lang="{language}">' in answer.text
            told = seen(answer.text)
            assert {phrase for phrase in foreign(language) if phrase in told} == set(), path
            if language == "en":
                assert "Сканер" not in told and re.findall(r"(?:ящик|кассет|упаков)\w*", told.lower()) == [], path


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
