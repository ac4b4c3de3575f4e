"""The links at the top: every page of one's rights, in one row and a menu, by touch and by key, in both languages."""

from pathlib import Path

import pytest
from browser import Browser
from test_web_browser import TOO_SMALL
from web_plant import WebPlant

from hub.domain.people import Role, may
from hub.web.context import COOKIE
from hub.web.pages.frame_words import frame_words
from hub.web.pages.navigation import DAILY, LINKS, navigation

HEADER = "document.querySelector('.top').getBoundingClientRect().height"
CUT_OFF = """[...document.querySelectorAll('.top a, .top summary, .top button, .top time')].filter(e => e.getClientRects().length)
  .map(e => [e.textContent.trim(), e.getBoundingClientRect()]).filter(([, r]) => r.left < 0 || r.right > innerWidth).map(([name]) => name)"""


def come_in(page: Browser, plant: WebPlant, role: Role, path: str, language: str) -> None:
    """Open a page as a role, without signing in by hand."""
    for name, value in ((COOKIE, plant.client(role).cookies[COOKIE]), ("dosehub_language", language)):
        page.call("Network.setCookie", name=name, value=value, url=plant.url)
    page.open(plant.url + path)


@pytest.mark.parametrize("role", Role)
def test_every_page_that_a_role_may_open_is_named_once(role: Role) -> None:
    found = navigation(role, "/")
    named = [*found.row, *(link for links in found.menu.values() for link in links)]
    assert sorted(link.path for link in named) == sorted(link.path for link in LINKS if may(role, link.action))
    assert {link.path for link in found.row} == set(DAILY[role]) and len(found.row) <= 4


def test_the_page_of_the_menu_that_is_open_is_told() -> None:
    assert (found := navigation(Role.PHARMACIST, "/evidence/ABC").open) is not None and found.name == "Pictures"
    assert navigation(Role.PHARMACIST, "/line").open is None
    assert navigation(Role.HEAD, "/linesman").open is None, "only whole names"


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_link_and_group_has_its_word(language: str) -> None:
    words = frame_words(language)
    assert all(words[link.name] and words[link.group] for link in LINKS)


@pytest.mark.parametrize("role", Role)
def test_a_link_opens_and_what_has_none_is_refused(plant: WebPlant, role: Role) -> None:
    client = plant.client(role)
    text = client.get(f"/{DAILY[role][0].strip('/')}").text.partition("</header>")[0]
    for link in LINKS:
        is_named = f'href="{link.path}"' in text
        assert (client.get(link.path).status_code == 200) is is_named, link.path


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("role", Role)
def test_one_row_at_the_panel_for_every_role(plant: WebPlant, page: Browser, role: Role, language: str, tmp_path: Path) -> None:
    page.size(1280, 800)
    for path in dict.fromkeys((DAILY[role][0], *(link.path for link in LINKS if may(role, link.action) and link.name in ("Names", "Ward round", "Pictures")))):
        come_in(page, plant, role, path, language)
        assert page.evaluate(HEADER) <= 72 and page.evaluate(CUT_OFF) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page.screenshot(tmp_path / f"{role.value}-{language}.png")


@pytest.mark.parametrize(("role", "width", "height"), [(Role.PHARMACIST, 1280, 800), (Role.TECHNICIAN, 390, 844), (Role.SENIOR_NURSE, 390, 844)])
def test_the_menu_opens_by_key_and_every_target_is_big(plant: WebPlant, page: Browser, role: Role, width: int, height: int, tmp_path: Path) -> None:
    page.size(width, height, mobile=width < 600)
    come_in(page, plant, role, DAILY[role][0], "ru")
    page.evaluate("document.querySelector('.more summary').focus()")
    page.press("Enter")
    page.wait_for("document.querySelector('.more').open")
    assert page.evaluate(TOO_SMALL) == [] and page.evaluate(CUT_OFF) == []
    page.screenshot(tmp_path / f"menu-{role.value}.png")
    page.evaluate("document.querySelector('.more-pages a').focus()")
    page.press("Enter")
    first = next(iter(navigation(role, "/").menu.values()))[0]
    page.wait_for(f"location.pathname === '{first.path}' && document.querySelector('.more summary').ariaCurrent === 'page'")
