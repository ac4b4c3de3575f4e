"""What the hub's end of MQTT puts on the way: an answer to a doubt as it was decided, before any new job, and never in another's name."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_bridge.contract import ResolveCommand, decode_command
from hub.adapters.dispatch import commands_on_the_way, payload_of
from hub.domain.doubts import Counting
from hub.domain.identifiers import UserId
from hub.domain.packs import PackJob
from hub.domain.records import Command
from hub.services.resolve_doubt import resolve_doubt
from tests.services.small_world import PACKAGER, TECHNICIAN, World, order_line


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


@pytest.fixture
def job(world: World) -> PackJob:
    """Offer a job whose first slot is in doubt by event 1 of boot 1."""
    world.sheet(order_line("a", units=2), order_line("b", 2))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.say("stopped", job.id, 0, reason="in-doubt")
    return job


def count(world: World, job: PackJob, counted: int) -> Command:
    """Answer the doubt and return the command that tells the machine."""
    told = Counting(PACKAGER, job.id, 1, 1, counted, "counted", UserId(TECHNICIAN))
    world.do(lambda unit: resolve_doubt(unit, told), TECHNICIAN)
    command = world.all("commands", kind="resolve", order_by="seq")[-1]
    assert isinstance(command, Command)
    return command


def payload(world: World, command: Command) -> bytes | None:
    return world.writer.submit_read(lambda unit: payload_of(unit, command, world.now)).result()


def test_an_answer_names_the_question_and_the_count(world: World, job: PackJob) -> None:
    command = count(world, job, 1)
    sent = payload(world, command)
    assert sent is not None
    told = decode_command(sent)
    assert isinstance(told, ResolveCommand) and told.command == command.id and told.seq == command.seq
    assert (told.job, told.slot, told.boot, told.event, told.counted) == (job.id, 0, 1, 1, 1)


def test_answers_are_on_the_way_before_jobs_and_no_new_job_goes_to_a_machine_in_doubt(world: World, job: PackJob) -> None:
    world.sheet(order_line("c", 3))
    world.tick()
    command = count(world, job, 1)
    waiting = world.do(commands_on_the_way)
    assert waiting[0].id == command.id and {one.job for one in waiting} <= {found.id for found in world.all("jobs") if found.state.value != "queued"}
    assert world.do(lambda unit: unit.jobs.count(state="queued")) > 0


def test_an_answer_that_another_one_followed_is_not_sent_in_its_name(world: World, job: PackJob) -> None:
    first = count(world, job, 1)
    world.machine.say("refused", job.id, None, command=first.id, rc="EXPIRED", reason="EXPIRED")
    second = count(world, job, 2)
    assert payload(world, first) is None and second.id != first.id
    assert first.id not in {command.id for command in world.do(commands_on_the_way)}
