"""The page of unknown words in a browser: answered by keyboard, large enough for a thumb, nothing chosen beforehand."""

from collections.abc import Iterator
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
from hub.web.app import create_app
from hub.web.context import COOKIE
from tests.services.small_world import World, order_line


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, stocked=False)
    pharmacist = User(UserId("u-page"), "Pharmacist", Role.PHARMACIST, "badge-page", ArgonPins().hashed(PIN))
    made.do(lambda unit: unit.users.put(pharmacist))
    made.sheet(order_line("a", code="1т 2 р"), order_line("b", patient=2, code="1т 2 р"), order_line("c", patient=3, route="через рот"))
    yield made
    made.close()


def test_a_word_is_answered_by_keyboard_and_its_lines_go_on(world: World, page: Browser) -> None:
    hub = RunningHub(world.settings, world.house, world.writer, lambda: world.now)
    with served(create_app(context_of(hub))) as url:
        told = httpx.post(f"{url}/api/session", json={"badge": "badge-page", "pin": PIN}).json()
        page.call("Network.setCookie", name=COOKIE, value=told["token"], url=url)
        page.open(f"{url}/codes?language=ru")
        page.wait_for("document.querySelectorAll('.question').length === 2")
        assert page.evaluate("document.querySelectorAll('[aria-pressed=true]').length") == 0
        assert page.evaluate("[...document.querySelectorAll('[name=meaning]')].every((field) => !field.value)")
        assert page.evaluate(TOO_SMALL) == []
        page.type("2", end="")
        page.press("Enter")
        page.wait_for("document.querySelector('#told:not([hidden])') && document.querySelectorAll('.question').length === 1")
        assert "1т 2 р → 2 р/д" in page.evaluate("document.getElementById('told').textContent")
        assert world.get("orders", "a").outcome == "scheduled"
        page.evaluate("document.querySelector('.question [name=meaning]').focus()")
        page.type("никуда")
        page.wait_for("document.querySelector('.question .refusal:not([hidden])')")
        assert "нет такого пути введения" in page.evaluate("document.querySelector('.question .refusal').textContent")
