"""The application over a small hospital, and people of every role who can sign in."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.adapters.sessions import ArgonPins
from hub.bootstrap import RunningHub, context_of
from hub.domain.identifiers import UserId
from hub.domain.people import Role, User
from hub.web.app import create_app
from tests.services.small_world import World
from tests.web_api.api_client import PIN, Api, Client


@pytest.fixture(scope="session")
def pin_hash() -> str:
    return ArgonPins().hashed(PIN)


@pytest.fixture
def api(tmp_path: Path, pin_hash: str) -> Iterator[Api]:
    """Offer the API of a stocked hospital at six in the morning."""
    world = World(tmp_path)
    people = [User(UserId(f"u-{role.value}"), role.value, role, f"badge-{role.value}", pin_hash) for role in Role]
    people.append(replace(people[0], id=UserId("u-other"), badge="badge-other"))
    people.append(replace(people[0], id=UserId("u-left"), badge="badge-left", active=False))
    world.do(lambda unit: unit.users.put_many(people))
    hub = RunningHub(world.settings, world.house, world.writer, lambda: world.now)
    client = Client(create_app(context_of(hub)))
    yield Api(world, client)
    client.close()
    world.close()
