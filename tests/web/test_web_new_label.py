"""A lost label is made anew at the line, in a real browser; and a printer's trouble is told there in words."""

from browser import Browser
from test_web_browser import result, sign_in
from web_plant import WebPlant

from hub.domain.identifiers import DeviceId
from hub.domain.packs import PackState
from hub.domain.people import Role
from hub.services.devices import device_reported


def test_a_lost_label_is_made_anew_and_the_old_one_is_refused(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    old = plant.hub.writer.submit_read(
        lambda unit: next(p for p in unit.packs.where(state=PackState.EXPECTED) if p.job is None)
    ).result()
    sign_in(page, plant, Role.TECHNICIAN, "/line")
    button = f"document.querySelector('[data-pick=\"{old.serial}\"] [data-act=new-label]')"
    page.wait_for(button)
    page.evaluate(f"{button}.click()")
    result(page, "ok", "Throw the old one away")
    page.wait_for(f"!{button}", 15)
    page.type(old.serial)
    result(page, "stop", "This label was replaced")


def test_a_printers_trouble_is_told_in_both_languages(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    printer = DeviceId(plant.hub.house.printer)
    plant.hub.writer.submit("system", lambda unit: device_reported(unit, printer, "cover-open", "")).result()
    sign_in(page, plant, Role.TECHNICIAN, "/line")
    for language, words in (("en", "cover or head is open: close it"), ("ru", "Открыта крышка или головка")):
        page.open(f"{plant.url}/line?language={language}")
        page.wait_for(f"document.querySelector('[data-key=\"{printer}\"]').innerText.includes({words!r})")
