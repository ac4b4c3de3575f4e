"""The page of makers' packs in a real browser: a scanner that types, with a key in place of the separator, and a Russian layout."""

from browser import Browser
from test_web_browser import result, sign_in
from web_plant import WebPlant

from hub.domain.people import Role
from labels.gs1 import GS, check_digit
from labels.medicine_code import MedicineCode, medicine_element_string

GTIN = "0464009876543" + check_digit("0464009876543")
MEDICINE = medicine_element_string(MedicineCode(GTIN, "9921aBc17xYz1", "EE06", "Zm9yIHRoZSB0ZXN0cyBvZiB0aGUgbGluZSBhbG9uZSE="))
F8 = {"key": "F8", "code": "F8", "windowsVirtualKeyCode": 119}
CTRL_BRACKET = {"key": "]", "code": "BracketRight", "modifiers": 2}


def scan(page: Browser, text: str, separator: dict[str, object]) -> None:
    """Type a maker's code as a scanner does that has a key in place of the separator."""
    parts = text.split(GS)
    for part in parts[:-1]:
        page.type(part, end="")
        page.call("Input.dispatchKeyEvent", type="keyDown", **separator)
        page.call("Input.dispatchKeyEvent", type="keyUp", **separator)
    page.type(parts[-1])


def fill(page: Browser, **values: str) -> None:
    for name, value in values.items():
        page.evaluate(f"document.querySelector('#{name}').value = {value!r}")


def test_a_pack_is_received_by_its_makers_code_once_its_number_is_told(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    store = plant.hub.writer
    item = store.submit_read(lambda unit: unit.drugs.where(order_by="code", limit=1)[0].code).result()
    sign_in(page, plant, Role.PHARMACIST, "/packs?language=en")
    page.wait_for("document.activeElement.id === 'code'")
    fill(page, unit_cost="1.5", lot="M1", expires_on="2099-05-31")
    scan(page, MEDICINE, F8)
    result(page, "stop", GTIN)
    assert page.evaluate("document.querySelector('#gtin').value") == GTIN
    page.evaluate(f"document.querySelector('#gtin-item').value = {item!r}; document.querySelector('#gtin-units').value = '30'")
    page.evaluate("document.querySelector('#tell').requestSubmit()")
    result(page, "ok", item)
    page.wait_for("document.activeElement.id === 'code'")
    scan(page, MEDICINE, CTRL_BRACKET)
    result(page, "ok", "M1")
    pack = store.submit_read(lambda unit: unit.source_packs.get(GTIN + "9921aBc17xYz1")).result()
    assert (pack.item, pack.scanned, pack.units) == (item, MEDICINE, 30)
    page.type("OWN-CODE-1")
    result(page, "wait", "another item")
    assert page.evaluate("document.querySelector('#lot').value") == ""
    page.type(MEDICINE.replace("aBc", "фИс").replace(GS, ""))
    result(page, "stop", "keyboard")
