"""Labels on demand in a browser: a button queues its label, a name that cannot be printed says why, a trolley prints its list."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from browser import Browser
from web_plant import PIN, WebPlant

from hub.domain.people import Role


def signed_in(plant: WebPlant, page: Browser, path: str) -> None:
    page.open(f"{plant.url}/sign-in?next={quote(path)}")
    page.type(f"T-{Role.TECHNICIAN.value}")
    page.wait_for("document.querySelector('[name=pin]') === document.activeElement")
    page.type(PIN)
    page.wait_for(f"location.pathname === {path.partition('?')[0]!r} && document.readyState === 'complete'")


def waiting(plant: WebPlant) -> int:
    return plant.hub.writer.submit_read(lambda unit: unit.prints.count(printed=False)).result()


def press(page: Browser, label: str, subject: str) -> str:
    """Press a button and return what the page says then."""
    page.evaluate("document.getElementById('result').className = 'result result-none'")
    page.evaluate(f"document.querySelector('button[data-label=\"{label}\"][data-subject=\"{subject}\"]').click()")
    page.wait_for("/result-(ok|stop)/.test(document.getElementById('result').className)")
    return str(page.evaluate("document.getElementById('result').innerText"))


@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_button_sends_its_label_to_the_printer_and_a_refusal_says_why(fresh_plant: WebPlant, page: Browser, language: str, tmp_path: Path) -> None:
    plant = fresh_plant
    nurse = plant.hub.writer.submit_read(lambda unit: unit.users.where(badge=f"T-{Role.NURSE.value}")).result()[0]
    signed_in(plant, page, f"/labels?language={language}")
    before = waiting(plant)
    assert "1" in press(page, "badge", nurse.id)
    assert "1" in press(page, "command", "SEAL")
    assert waiting(plant) == before + 2
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(tmp_path / f"labels-{language}.png")
    plant.hub.writer.submit("system", lambda unit: unit.users.put(replace(nurse, name="王小明"))).result()
    said = press(page, "badge", nurse.id)
    assert ("имя: в шрифте" if language == "ru" else "name: the label font") in said
    assert waiting(plant) == before + 2


def test_a_trolley_prints_its_list(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    trolley = plant.loaded.trolley
    signed_in(plant, page, f"/trolley?id={quote(str(trolley))}")
    before = waiting(plant)
    said = press(page, "manifest", str(trolley))
    assert "Sent to the printer" in said or "листов" in said, said
    assert waiting(plant) > before
