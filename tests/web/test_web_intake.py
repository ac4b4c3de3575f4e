"""The page Intake in a real browser: a file is looked at, taken in or discarded; alarms are cleared by keyboard."""

from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from test_web_browser import sign_in
from web_plant import DAY, WebPlant, entries

from hub.domain.people import Role
from hub.services.feeds import open_alarms

TOLD = "document.getElementById('told').innerText"


def choose(page: Browser, path: Path, source: str = "sample") -> None:
    """Choose who sent it, and the file, as a person does in the file dialog."""
    page.evaluate(f"document.querySelector('input[name=source][value={source}]').click()")
    root = page.call("DOM.getDocument")["root"]["nodeId"]
    node = page.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
    page.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])


def ledger_length(plant: WebPlant) -> int:
    def count(unit: Any) -> int:
        return int(unit.connection.execute("SELECT count(*) FROM ledger").fetchone()[0])

    return int(plant.hub.writer.submit_read(count).result())


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "ещё раз.csv"
    path.write_bytes(DAY.sheets[0].data + b"\n")
    return path


def test_a_sheet_is_looked_at_discarded_and_then_taken_in(fresh_plant: WebPlant, page: Browser, sheet: Path) -> None:
    plant = fresh_plant
    sign_in(page, plant, Role.TECHNICIAN, "/intake?language=en")
    before = ledger_length(plant)
    choose(page, sheet)
    page.wait_for("document.querySelector('.preview')")
    assert page.evaluate("document.getElementById('preview').innerText").startswith("What would be taken in:\nещё раз.csv\n")
    assert page.evaluate("document.activeElement.id") == "preview-title"
    page.evaluate("document.querySelector('.preview [data-act=discard]').click()")
    page.wait_for(f"{TOLD}.includes('nothing was taken in')")
    assert ledger_length(plant) == before
    choose(page, sheet)
    page.wait_for("document.querySelector('.preview')")
    page.evaluate("document.querySelector('.preview [data-act=take]').focus()")
    page.press("Enter")
    page.wait_for(f"{TOLD}.includes('Taken in.')")
    assert entries(plant, "sheet-received")[-1]["sheet"] == "ещё раз.csv"
    page.wait_for("document.getElementById('board').innerText.includes('ещё раз.csv')")


def test_a_file_that_cannot_be_read_is_refused_with_its_reason(plant: WebPlant, page: Browser, tmp_path: Path) -> None:
    sign_in(page, plant, Role.TECHNICIAN, "/intake")
    bad = tmp_path / "<img src=x onerror=alert(1)>.csv"
    bad.write_bytes(b"\x00")
    choose(page, bad)
    page.wait_for("document.getElementById('told').className.includes('bad')")
    assert "<img src=x" in page.evaluate(TOLD)
    assert page.evaluate("document.getElementById('preview').hidden")


def test_an_alarm_is_cleared_by_keyboard_with_a_reason(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    plant.hub.feeds.take("sample", "broken.csv", b"\x00")
    sign_in(page, plant, Role.PHARMACIST, "/intake", "ru")
    page.wait_for("document.querySelector('[data-act=clear]')")
    page.evaluate("document.querySelector('[data-act=clear]').focus()")
    page.press("Enter")
    page.wait_for("document.activeElement.id === 'reason'")
    page.press("Escape")
    page.wait_for("!document.getElementById('reason-dialog').open")
    page.evaluate("document.querySelector('[data-act=clear]').click()")
    page.wait_for("document.activeElement.id === 'reason'")
    page.type("sent anew")
    page.wait_for(f"{TOLD}.includes('Тревога снята')")
    assert plant.hub.writer.submit_read(open_alarms).result() == []
    assert entries(plant, "feed-alarm-cleared")[-1]["reason"] == "sent anew"


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 900)])
def test_nothing_is_wider_than_the_window(plant: WebPlant, page: Browser, sheet: Path, width: int, height: int) -> None:
    page.size(width, height, mobile=width < 600)
    sign_in(page, plant, Role.PHARMACIST, "/intake", "ru")
    choose(page, sheet)
    page.wait_for("document.querySelector('.preview')")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = "[...document.querySelectorAll('#intake button, #intake .option span, #intake label.button')].filter(b => b.offsetParent && b.getBoundingClientRect().height < 44)"
    assert page.evaluate(f"{small}.map(b => b.innerText)") == []
