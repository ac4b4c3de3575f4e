"""The hub numbers its commands as they are published: one after the other, whatever overtakes or is called off before."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.adapters.dispatch import commands_on_the_way
from hub.domain.records import Command
from hub.services.call_off import call_off
from hub.services.outbox import UNNUMBERED, next_number, send
from tests.services.small_world import PACKAGER, World, order_line


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def offer(world: World, orders: int) -> None:
    """Have runs for so many orders in the outbox."""
    world.sheet(*(order_line(f"o{number}", 1 + number) for number in range(orders)))
    world.at("06:15")


def published(world: World) -> list[tuple[str, int]]:
    return [(command.kind, command.seq) for command in world.do(commands_on_the_way)]


def test_runs_that_wait_have_no_number_and_a_verdict_that_overtakes_them_has_the_next(world: World) -> None:
    offer(world, 9)
    first = published(world)
    assert first == [("run", number) for number in range(1, 7)]
    assert published(world) == first  # sent again under the same numbers
    waiting = [command.seq > UNNUMBERED for command in world.all("commands", kind="run", order_by="seq")]
    assert waiting == [False] * 6 + [True] * 3
    job = world.all("jobs", state="sent")[0]
    world.machine.make(job)
    world.machine.look(job)
    assert ("verdict", 7) in published(world)
    assert world.get("devices", PACKAGER).last_command == max(seq for _, seq in published(world))


def test_the_whole_outbox_goes_out_in_its_order_without_a_hole(world: World) -> None:
    offer(world, 9)
    order = [command.id for command in world.all("commands", kind="run", order_by="seq")]
    heard: dict[str, int] = {}
    while jobs := world.machine.fetch():
        heard |= {command.id: command.seq for command in world.do(commands_on_the_way)}
        for job in jobs:
            world.machine.make(job)
            world.machine.look(job)
            heard |= {command.id: command.seq for command in world.do(commands_on_the_way)}
            world.machine.finish(job, world.get("packs", job.pack).verdict)
    assert sorted(heard.values()) == list(range(1, len(heard) + 1))
    assert [name for name in heard if name.startswith("run-")] == order


def test_what_is_called_off_before_it_went_has_no_number(world: World) -> None:
    offer(world, 8)
    assert len(published(world)) == 6
    [first, second] = world.all("jobs", state="queued")
    found_pack = world.get("packs", first.pack)
    world.do(lambda unit: call_off(unit, found_pack, "stopped"))
    sent = world.all("jobs", state="sent")
    for job in sent:
        world.machine.run(job)
    assert published(world) == [("run", 7)]
    assert [command.job for command in world.do(commands_on_the_way)] == [second.id]


def test_places_are_in_the_order_of_sending_and_numbers_follow_one_another(world: World) -> None:
    for name in ("b", "a", "c"):
        command = Command(name, PACKAGER, "run", 0, "0" * 32, world.now)  # type: ignore[arg-type]
        world.do(lambda unit, command=command: send(unit, command))  # type: ignore[misc]
    assert [command.id for command in world.all("commands", order_by="seq")] == ["b", "a", "c"]
    assert [world.do(lambda unit: next_number(unit, PACKAGER)) for _ in range(3)] == [1, 2, 3]
