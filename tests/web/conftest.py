"""One day made once; one hub on it for all tests that only read, a copy of their own for those that write."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, browser
from web_plant import Arranged, WebPlant, make_day, web_plant

Made = tuple[Path, Arranged]


@pytest.fixture(scope="session")
def made_day(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("day")
    return folder, make_day(folder)


@pytest.fixture(scope="session")
def plant(made_day: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebPlant]:
    with web_plant(tmp_path_factory.mktemp("web"), *made_day) as opened:
        yield opened


@pytest.fixture
def fresh_plant(made_day: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebPlant]:
    with web_plant(tmp_path_factory.mktemp("web"), *made_day) as opened:
        yield opened


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium") / "profile") as opened:
        yield opened


@pytest.fixture
def page(chromium: Browser) -> Iterator[Browser]:
    chromium.new_page()
    chromium.size(1280, 900)
    yield chromium
    chromium.close_page()
    assert chromium.problems == []
