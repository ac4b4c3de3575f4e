"""A doubt answered from the console: signed in at a real hub over HTTP, written into its ledger, and refused in the hub's own words."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.adapters.sessions import ArgonPins
from hub.bootstrap import RunningHub, context_of
from hub.console.hub_account import hub_address
from hub.console.visit import Refused
from hub.domain.identifiers import UserId
from hub.domain.people import Role, User
from hub.web.app import create_app
from tests.console.console_plant import Plant
from tests.services.small_world import World, order_line
from tests.web.web_plant import served

PIN = "246813"
REASON = "opened, one tablet lay in the pouch"


class DoubtfulHub:
    """A hub that is served, and whose machine is in doubt about a pouch of two tablets."""

    def __init__(self, world: World, url: str) -> None:
        self.world, self.url = world, url

    def doubt(self, drug: str) -> str:
        self.world.sheet(order_line("a", drug=drug, units=2))
        self.world.at("06:15")
        job = self.world.machine.fetch()[0]
        self.world.machine.say("stopped", job.id, 0, reason="in-doubt")
        return str(job.id)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[DoubtfulHub]:
    (tmp_path / "hub").mkdir()
    world = World(tmp_path / "hub")
    pin_hash = ArgonPins().hashed(PIN)
    people = [User(UserId(f"u-{role.value}"), role.value, role, f"badge-{role.value}", pin_hash) for role in Role]
    people.append(replace(people[0], id=UserId("u-left"), badge="badge-left", active=False))
    world.do(lambda unit: unit.users.put_many(people))
    running = RunningHub(world.settings, world.house, world.writer, lambda: world.now)
    with served(create_app(context_of(running))) as url:
        yield DoubtfulHub(world, url)
    world.close()


def signed(who: str = "pharmacist", second: str = "", **changes: str) -> dict[str, str]:
    told = {"DOSEHUB_BADGE": f"badge-{who}", "DOSEHUB_PIN": PIN}
    if second:
        told |= {"DOSEHUB_SECOND_BADGE": f"badge-{second}", "DOSEHUB_SECOND_PIN": PIN}
    return told | changes


def resolve(
    plant: Plant, hub: DoubtfulHub, people: dict[str, str], counted: int = 1
) -> "subprocess.CompletedProcess[str]":
    options = ("--resolve", str(counted), "--reason", REASON, "--hub", hub.url)
    return subprocess.run(
        plant.command(*options), capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith("DOSEHUB_")} | people,
    )  # fmt: skip


def decided(hub: DoubtfulHub) -> list[Any]:
    return list(hub.world.facts("doubt-decided"))


def test_answer_is_in_the_ledger_with_who_gave_it_and_goes_to_the_machine_by_the_hub(
    plant: Plant, hub: DoubtfulHub
) -> None:
    job = hub.doubt("PLAIN")
    resolved = resolve(plant, hub, signed())
    assert (resolved.returncode, resolved.stderr) == (0, "")
    assert "the hub has written down 1 counted and tells packager-1; the pouch is to be destroyed" in resolved.stdout
    assert re.search(r"question +event 1 of boot 1", resolved.stdout)
    (fact,) = decided(hub)
    assert (fact["job"], fact["counted"], fact["reason"], fact["by"], fact["second"]) == (
        job, 1, REASON, "u-pharmacist", None,
    )  # fmt: skip
    assert [command.kind for command in hub.world.all("commands", kind="resolve", done=False)] == ["resolve"]
    again = resolve(plant, hub, signed())
    assert again.returncode == 1
    assert "this was answered before" in again.stderr
    assert len(decided(hub)) == 1


def test_high_alert_drug_needs_a_second_person_who_is_another(plant: Plant, hub: DoubtfulHub) -> None:
    hub.doubt("ALERT")
    alone = resolve(plant, hub, signed())
    assert alone.returncode == 1
    assert "set DOSEHUB_SECOND_BADGE" in alone.stderr
    twice = resolve(plant, hub, signed(second="pharmacist"))
    assert (twice.returncode, decided(hub)) == (1, [])
    assert "second-person" in twice.stderr
    both = resolve(plant, hub, signed(second="technician"))
    assert (both.returncode, both.stderr) == (0, "")
    assert [(fact["by"], fact["second"]) for fact in decided(hub)] == [("u-pharmacist", "u-technician")]


@pytest.mark.parametrize(
    ("people", "words"),
    [
        (signed(DOSEHUB_PIN="000000"), "Badge or PIN is wrong"),
        (signed("left"), "Badge or PIN is wrong"),
        (signed("engineer"), "the hub refuses: "),
        ({}, "there is no terminal to ask at: set DOSEHUB_BADGE"),
    ],
)
def test_who_may_not_decide_is_refused_and_nothing_is_written(
    plant: Plant, hub: DoubtfulHub, people: dict[str, str], words: str
) -> None:
    hub.doubt("PLAIN")
    refused = resolve(plant, hub, people)
    assert refused.returncode == 1
    assert words in refused.stderr
    assert decided(hub) == []


def test_machine_that_is_not_in_doubt_and_a_hub_that_is_away_are_told(plant: Plant, hub: DoubtfulHub) -> None:
    nothing = resolve(plant, hub, signed())
    assert nothing.returncode == 1
    assert "the hub knows of no doubt of packager-1" in nothing.stderr
    hub.url = "http://127.0.0.1:1"
    away = resolve(plant, hub, signed())
    assert away.returncode == 1
    assert "the hub cannot be reached" in away.stderr


@pytest.mark.parametrize("url", ["http://hub.example", "ftp://hub.example", "hub.example", "https://"])
def test_pin_goes_over_https_only(url: str) -> None:
    with pytest.raises(Refused, match="https"):
        hub_address(url)


@pytest.mark.parametrize("url", ["https://hub.example/", "http://127.0.0.1:8000", "http://[::1]:8000"])
def test_address_of_a_hub_is_taken(url: str) -> None:
    assert hub_address(url) == url.rstrip("/")
