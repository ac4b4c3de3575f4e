"""The page of lines in review in a browser: by keyboard alone, large enough for a thumb, and the dose is planned at once."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import httpx
import pytest
from browser import Browser
from test_web_browser import TOO_SMALL
from web_plant import PIN, served

from hub.adapters.sessions import ArgonPins
from hub.bootstrap import RunningHub, context_of
from hub.domain.identifiers import UserId
from hub.domain.people import Role, User
from hub.domain.quantities import Quantity
from hub.web.app import create_app
from hub.web.context import COOKIE
from tests.services.small_world import World, order_line

TABLETS = (Quantity(Fraction(1), "tablet"), Quantity(Fraction(2), "tablet"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, stocked=False)
    pharmacist = User(UserId("u-page"), "Pharmacist", Role.PHARMACIST, "badge-page", ArgonPins().hashed(PIN))
    made.do(lambda unit: unit.users.put(pharmacist))
    made.sheet(order_line("a", dose=TABLETS), order_line("b", patient=2, code="now and then"), order_line("c", patient=3, dose=TABLETS))
    yield made
    made.close()


def test_a_range_is_settled_by_keyboard_and_the_next_line_is_reached_by_arrow(world: World, page: Browser) -> None:
    hub = RunningHub(world.settings, world.house, world.writer, lambda: world.now)
    with served(create_app(context_of(hub))) as url:
        told = httpx.post(f"{url}/api/session", json={"badge": "badge-page", "pin": PIN}).json()
        page.call("Network.setCookie", name=COOKIE, value=told["token"], url=url)
        page.open(f"{url}/review?language=ru")
        page.wait_for("document.querySelectorAll('.line').length === 3")
        assert page.evaluate(TOO_SMALL) == []
        page.evaluate("document.querySelector('[data-order=a]').focus()")
        page.type("5", end="")
        page.wait_for("document.getElementById('ask-dialog').open")
        assert "Дать 2 таб." in page.evaluate("document.getElementById('ask-title').textContent")
        page.press("Enter")
        assert world.get("orders", "a").outcome == "needs-review", "a reason is required"
        page.type("vrach")
        page.wait_for("document.querySelector('#told:not([hidden])') && document.querySelectorAll('.line').length === 2")
        assert world.get("orders", "a").outcome == "scheduled" and world.dose("a").units == 2
        assert "запланировано: 1" in page.evaluate("document.getElementById('told').textContent")
        page.evaluate("document.querySelector('.line').focus()")
        page.call("Input.dispatchKeyEvent", type="keyDown", key="ArrowDown", code="ArrowDown")
        assert page.evaluate("document.activeElement === document.querySelectorAll('.line')[1]")
        page.size(390, 844, mobile=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") and page.evaluate(TOO_SMALL) == []
