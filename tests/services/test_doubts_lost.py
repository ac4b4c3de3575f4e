"""A machine that no longer knows of its doubt: two people end it, the tablets are booked, and the line goes on."""

from typing import Any

import pytest

from hub.domain.doubts import Counting
from hub.domain.identifiers import UserId
from hub.domain.packs import JobState, PackJob, PackState, Verdict
from hub.domain.refusals import Refusal
from hub.services.doubts import jobs_in_doubt
from hub.services.resolve_doubt import end_without_machine
from tests.services.small_world import PACKAGER, PHARMACIST, TECHNICIAN, World, order_line
from tests.services.test_doubts import QUESTION, ask, booked, count, fallen_in_doubt, kinds, now, refused


def end(world: World, doubtful: PackJob, counted: int = 1, second: str | None = PHARMACIST, question: tuple[int, int] = QUESTION) -> Any:
    other = None if second is None else UserId(second)
    told = Counting(PACKAGER, doubtful.id, *question, counted, "board replaced; counted by two", UserId(TECHNICIAN), other)
    return world.do(lambda unit: end_without_machine(unit, told), TECHNICIAN)


@pytest.fixture
def job(world: World) -> PackJob:
    return fallen_in_doubt(world)


@pytest.fixture
def lost(world: World, job: PackJob) -> PackJob:
    """A doubt whose answer the machine did not take, because it knows of none."""
    count(world, job)
    refused(world, job, "STALE_EVENT")
    world.machine.report("idle")
    return now(world, job)


def test_two_people_book_what_they_counted_and_the_line_goes_on(world: World, lost: PackJob) -> None:
    assert not isinstance(end(world, lost), Refusal)
    ended, pack = now(world, lost), world.get("packs", lost.pack)
    assert (ended.state, ended.doubt.resolved, ended.doubt.without_machine) == (JobState.DONE, 1, True)
    assert world.held(f"pack:{lost.pack}", "TWIN/T1") == 1 and world.held("cassette:3", "TWIN/T1") == 29
    assert world.get("cassettes", 3).reserved == world.get("cassettes", 1).reserved == 0
    assert (pack.state, pack.verdict) == (PackState.REVOKED, Verdict.FAIL) and world.do(jobs_in_doubt) == []
    world.reject_all()
    assert world.get("packs", lost.pack).state is PackState.DESTROYED and world.pack_of("b").replaces == lost.pack
    world.sheet(order_line("c", 3))
    world.tick()
    assert len(world.machine.fetch()) >= 1 and kinds(world, decision="") == []


def test_both_decisions_are_in_the_ledger_with_both_people(world: World, lost: PackJob) -> None:
    end(world, lost)
    first, last = world.facts("doubt-decided")
    assert first["second"] is None and (last["by"], last["second"], last["counted"]) == (TECHNICIAN, PHARMACIST, 1)
    assert [fact["counted"] for fact in world.facts("doubt-resolved")] == [1]


@pytest.mark.parametrize("second", [None, TECHNICIAN])
def test_one_person_alone_cannot_end_it(world: World, lost: PackJob, second: str | None) -> None:
    assert end(world, lost, second=second).code == "second-person" and len(world.facts("doubt-decided")) == 1


def test_a_machine_that_says_it_is_in_doubt_is_answered(world: World, lost: PackJob) -> None:
    world.machine.report("in-doubt")
    assert end(world, lost).code == "machine-asks"


def test_a_machine_that_cannot_be_reached_may_come_back_with_its_question_and_is_waited_for(world: World, job: PackJob) -> None:
    count(world, job)
    refused(world, job, "EXPIRED")
    world.machine.report("in-doubt", link="down")
    assert end(world, now(world, job)).code == "machine-asks"
    world.machine.report("idle")
    assert not isinstance(end(world, now(world, job)), Refusal), "it answers again and knows of no doubt"


def test_a_machine_that_remembers_after_all_gets_no_run_until_that_is_settled(world: World, lost: PackJob) -> None:
    end(world, lost)
    world.sheet(order_line("c", 3))
    world.machine.boot, world.machine.number = 7, 0
    ask(world, lost)
    world.tick()
    assert world.machine.fetch() == []
    count(world, lost, 2, (7, 1))
    assert world.machine.fetch() == [], "told, but it has not said that it goes on"
    for event in booked(world, lost, 2):
        world.machine.tell(event)
    assert len(world.machine.fetch()) >= 1


def test_a_refused_job_that_had_begun_all_the_same_goes_into_the_reject_bin_and_is_made_anew(world: World) -> None:
    world.sheet(order_line("a", units=2))
    world.at("06:15")
    begun = world.machine.fetch()[0]
    world.machine.say("refused", begun.id, None, command=f"run-{begun.id}", rc="EXPIRED", reason="EXPIRED")
    ask(world, begun, 0)
    count(world, begun, 1, (1, 2))
    refused(world, begun, "STALE_EVENT")
    world.machine.report("idle")
    assert not isinstance(end(world, now(world, begun), question=(1, 2)), Refusal)
    world.reject_all()
    assert world.get("packs", begun.pack).state is PackState.DESTROYED and world.pack_of("a").replaces == begun.pack
    assert kinds(world, decision="") == []


@pytest.mark.parametrize("rc", ["BAD_REQUEST", "FENCED"])
def test_an_answer_that_was_not_taken_for_another_reason_is_given_again(world: World, job: PackJob, rc: str) -> None:
    count(world, job)
    refused(world, job, rc)
    world.machine.report("idle")
    assert end(world, job).code == "machine-asks"


def test_nothing_is_ended_that_nobody_has_answered_yet_or_that_was_asked_anew(world: World, job: PackJob) -> None:
    world.machine.report("idle")
    assert end(world, job).code == "machine-asks"
    world.machine.boot, world.machine.number = 2, 0
    ask(world, job)
    assert end(world, job).code == "stale"


def test_a_machine_that_remembers_after_all_is_asked_about_again_and_nothing_is_booked_twice(world: World, lost: PackJob) -> None:
    end(world, lost)
    world.machine.boot, world.machine.number = 7, 0
    ask(world, lost)
    assert [found.id for found in world.do(jobs_in_doubt)] == [lost.id]
    assert not isinstance(count(world, lost, 2, (7, 1)), Refusal)
    for event in booked(world, lost, 2):
        world.machine.tell(event)
    assert world.held(f"pack:{lost.pack}", "TWIN/T1") == 1, "what two people booked stays booked"
    assert kinds(world, decision="") == ["doubt-differs"] and world.do(jobs_in_doubt) == []


def test_another_number_told_later_is_asked_about_and_changes_nothing(world: World, lost: PackJob) -> None:
    end(world, lost)
    world.machine.tell(booked(world, lost, 2)[0])
    assert world.held(f"pack:{lost.pack}", "TWIN/T1") == 1 and kinds(world, decision="") == ["doubt-differs"]
