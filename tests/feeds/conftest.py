"""A hospital with a feed, and a FHIR server on a real socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from hub.adapters.sessions import ArgonPins
from hub.bootstrap import RunningHub, context_of
from hub.domain.feeds import FeedSettings
from hub.domain.identifiers import UserId
from hub.domain.people import Role, User
from hub.web.app import create_app
from tests.feeds.feed_world import SOURCE, FeedWorld, feed_world, small_hospital
from tests.feeds.small_server import SmallServer, small_server
from tests.web_api.api_client import PIN, Api, Client


@pytest.fixture
def fed(tmp_path: Path) -> Iterator[FeedWorld]:
    with feed_world(tmp_path) as opened:
        yield opened


@pytest.fixture
def fhir() -> Iterator[SmallServer]:
    with small_server() as server:
        yield server


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """Offer the API of a hospital whose sheets are never held."""
    with _api(tmp_path, FeedSettings(SOURCE)) as opened:
        yield opened


@pytest.fixture
def small_api(tmp_path: Path) -> Iterator[Api]:
    """Offer the API of a hospital that holds stumps and hears hints."""
    with _api(tmp_path, FeedSettings(SOURCE, hint_token_env="HINT", least_share=Fraction(1, 2))) as opened:
        yield opened


@cache
def _pin_hash() -> str:
    return ArgonPins().hashed(PIN)


@contextmanager
def _api(folder: Path, settings: FeedSettings) -> Iterator[Api]:
    world = small_hospital(folder)
    world.house = replace(world.house, feeds={SOURCE: settings})
    pin_hash = _pin_hash()
    people = [User(UserId(f"u-{role.value}"), role.value, role, f"badge-{role.value}", pin_hash) for role in Role]
    world.do(lambda unit: unit.users.put_many(people))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HINT", "the-hint-token")
        hub = RunningHub(world.settings, world.house, world.writer, lambda: world.now)
    client = Client(create_app(context_of(hub)))
    try:
        yield Api(world, client)
    finally:
        client.close()
        world.close()
