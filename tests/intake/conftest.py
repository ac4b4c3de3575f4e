"""Fixtures of intake: settings, zone, and the hospital's folder beside the checkout where it is present."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.domain.orders import SourceSettings

HOSPITAL = Path(__file__).parents[2].parent / "shared" / "data" / "hospital_fortnight"


@pytest.fixture(scope="session")
def zone() -> ZoneInfo:
    return ZoneInfo("Europe/Moscow")


@pytest.fixture(scope="session")
def feed() -> SourceSettings:
    return SourceSettings("feed", False, False, 3, False, ())


@pytest.fixture(scope="session")
def ward() -> SourceSettings:
    return SourceSettings("ward", True, True, None, True, ())


@pytest.fixture(scope="session")
def hospital() -> Path:
    if not HOSPITAL.is_dir():
        pytest.skip("the hospital's folder is not beside the checkout")
    return HOSPITAL
