"""A verdict that the machine did not take: one that came too late is sent again, for any other a person is asked; no pouch is left standing."""

import pytest

from hub.domain.identifiers import DeviceId, UserId
from hub.domain.packs import PackJob, Verdict
from hub.services.devices import ensure_device
from hub.services.reject_packs import Decision, decide_review
from tests.services.small_world import PHARMACIST, World, order_line


@pytest.fixture
def job(world: World) -> PackJob:
    """A pouch at the camera that passed; the machine has not heard the verdict."""
    world.sheet(order_line("a", units=2))
    world.at("06:15")
    made = world.machine.fetch()[0]
    world.machine.make(made)
    assert world.machine.look(made) is Verdict.PASS
    return made


def verdicts(world: World) -> list[str]:
    return [command.id for command in world.all("commands", kind="verdict", done=False)]


def refuse(world: World, job: PackJob, rc: str) -> str:
    (command,) = verdicts(world)
    world.machine.say("refused", job.id, None, command=command, rc=rc, reason=rc)
    return command


def asked(world: World) -> list[str]:
    return [review.kind for review in world.all("reviews", decision="")]


def test_one_that_came_too_late_is_sent_again_under_another_name(world: World, job: PackJob) -> None:
    names = {refuse(world, job, "EXPIRED") for _ in range(3)}
    assert len(names) == 3 and len(verdicts(world)) == 1 and asked(world) == []


def test_one_that_the_machine_does_not_take_is_asked_of_a_person_who_may_have_it_sent_again(world: World, job: PackJob) -> None:
    for _ in range(2):
        refuse(world, job, "STALE_EVENT")
        assert verdicts(world) == [] and asked(world) == ["verdict-refused"]
        (review,) = world.all("reviews", decision="")
        decision = Decision(review.id, True, "", "", UserId(PHARMACIST))
        world.do(lambda unit, decision=decision: decide_review(unit, decision, world.house), PHARMACIST)
        assert len(verdicts(world)) == 1 and asked(world) == []


def test_of_a_job_that_has_ended_nothing_is_sent_again(world: World, job: PackJob) -> None:
    (command,) = verdicts(world)
    world.machine.finish(job, Verdict.PASS)
    world.machine.say("refused", job.id, None, command=command, rc="EXPIRED", reason="late")
    assert verdicts(world) == [] and asked(world) == []


def test_another_machine_cannot_refuse_it(world: World, job: PackJob) -> None:
    other = DeviceId("packager-2")
    world.do(lambda unit: ensure_device(unit, other, "packager"))
    (command,) = verdicts(world)
    event = world.machine.event("refused", None, None, command=command, rc="STALE_EVENT", reason="no")
    world.machine.tell(type(event)(other, event.source, event.boot, event.number, event.kind, None, None, event.data))
    assert verdicts(world) == [command] and asked(world) == ["foreign-event"]
