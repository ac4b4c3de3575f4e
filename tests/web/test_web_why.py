"""Why? in the pages: a link beside what is decided, and refused scans in the language of the page."""

import pytest
from browser import Browser
from test_web_browser import sign_in
from web_plant import WebPlant, wards_of

from hub.domain.people import Role

RESULT = "document.getElementById('result-text')"


def test_why_is_asked_from_every_page_that_shows_a_decision(plant: WebPlant) -> None:
    plant.hub.clock.step(plant.ready[0].due)  # type: ignore[attr-defined]
    pages = {
        "/lines": "/why/line/", "/line": f"/why/pack/{plant.rejected.serial}", "/trolley/pull": f"/why/pack/{plant.pulled.serial}",
        f"/trolley?id={plant.loaded.trolley}": f"/why/pack/{plant.loaded.serial}", "/returned": "/why/line/",
        f"/ward/round?department={wards_of(plant)}": "/why/dose/", f"/ledger?about={plant.loaded.serial}": f"/why/pack/{plant.loaded.serial}",
        f"/ledger?about={plant.loaded.doses[0]}": f"/why/dose/{plant.loaded.doses[0]}",
    }  # fmt: skip
    assert [path for path, link in pages.items() if f'href="{link}' not in plant.read(Role.PHARMACIST, path)] == []


def test_a_nurse_sees_no_link_to_what_she_may_not_ask(plant: WebPlant) -> None:
    answer = plant.read(Role.NURSE, f"/why/dose/{plant.loaded.doses[0]}")
    assert 'href="/why/lane/' in answer and 'href="/why/line/' not in answer and 'href="/ledger' not in answer


@pytest.mark.parametrize(("language", "words"), [("ru", "нет ни у одного пациента"), ("en", "belongs to no patient")])
def test_a_refused_scan_is_told_in_the_language_of_the_page(fresh_plant: WebPlant, page: Browser, language: str, words: str) -> None:
    sign_in(page, fresh_plant, Role.NURSE, "/ward")
    page.open(f"{fresh_plant.url}/language/{language}?next=/ward")
    page.open(f"{fresh_plant.url}/ward/round?department={wards_of(fresh_plant)}")
    assert page.evaluate("document.documentElement.lang") == language
    page.type("NO-WRISTBAND")
    page.wait_for("!document.getElementById('patient').hidden")
    page.type("NOPACKOFOURS")
    page.wait_for(f"{RESULT}.innerText.includes('{words}')")
    assert page.evaluate(f"{RESULT}.lang") == language
    page.open(f"{fresh_plant.url}/language/en?next=/ward")
