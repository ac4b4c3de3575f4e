"""Power lost in the middle of a drop: the machine asks, a person counts, tablets are booked, and the pouch never goes out."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from hub.domain.doses import DoseState
from hub.domain.doubts import Counting
from hub.domain.identifiers import JobId, UserId
from hub.domain.packs import JobState, PackJob, PackState, Verdict
from hub.domain.refusals import Refusal
from hub.services.doubts import jobs_in_doubt
from hub.services.machine_events import MachineEvent
from hub.services.reject_packs import Decision, decide_review, packs_to_reject, scan_reject
from hub.services.resolve_doubt import resolve_doubt
from tests.services.small_world import PACKAGER, PHARMACIST, TECHNICIAN, World, long_standing, order_line

QUESTION = (1, 3)
"""The number of the event by which the machine of the fixture asks: after `accepted` and one drop."""


@pytest.fixture
def job(world: World) -> PackJob:
    return fallen_in_doubt(world)


def fallen_in_doubt(world: World) -> PackJob:
    """Offer a job of two drops of which the first was counted; the second is in doubt."""
    world.sheet(long_standing("a", units=2), long_standing("b", drug="TWIN", units=2))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.say("accepted", job.id)
    world.machine.say("dropped", job.id, 0, cassette=job.fills[0].cassette, asked=2, counted=2, remaining=28)
    ask(world, job)
    return now(world, job)


def now(world: World, job: PackJob) -> PackJob:
    found = world.get("jobs", job.id)
    assert isinstance(found, PackJob)
    return found


def ask(world: World, job: PackJob, slot: int = 1) -> bool:
    return world.machine.say("stopped", job.id, slot, reason="in-doubt")


def count(world: World, job: PackJob, counted: int = 2, question: tuple[int, int] = QUESTION, **changes: Any) -> Any:
    told = Counting(PACKAGER, job.id, *question, counted, "opened and counted", UserId(TECHNICIAN))
    return world.do(lambda unit: resolve_doubt(unit, replace(told, **changes)), TECHNICIAN)


def booked(world: World, job: PackJob, counted: int = 2) -> tuple[MachineEvent, ...]:
    """Return what the machine tells once it was told how many fell."""
    fill, event = job.fills[1], world.machine.event
    return (
        event("resolved", job.id, 1, cassette=fill.cassette, asked=fill.count, counted=counted, remaining=0),
        event("diverted", job.id, 1, verdict="NONE"),
        event("done", job.id, 1, state="diverted"),
        event("ready", None),
    )


def settle(world: World, job: PackJob, counted: int = 2) -> None:
    for event in booked(world, job, counted):
        world.machine.tell(event)


def refused(world: World, job: PackJob, rc: str, command: str = "") -> None:
    command = command or world.all("commands", kind="resolve")[-1].id
    world.machine.say("refused", job.id, None, command=command, rc=rc, reason=rc)


def kinds(world: World, **equal: object) -> list[str]:
    return [review.kind for review in world.all("reviews", **equal)]


def test_a_doubt_is_held_with_its_number_the_pouch_is_kept_in_and_a_person_is_asked(world: World, job: PackJob) -> None:
    assert job.state is JobState.IN_DOUBT and job.doubt is not None and job.doubt.question == QUESTION
    assert world.get("packs", job.pack).state is PackState.QUARANTINED
    assert world.facts("job-in-doubt") == [{"job": job.id, "device": PACKAGER, "slot": 1, "boot": 1, "event": 3}]
    (review,) = world.all("reviews", decision="")
    assert (review.kind, review.subject) == ("in-doubt", job.pack) and "event 3 of boot 1" in review.reasons[0]
    assert world.get("cassettes", job.fills[1].cassette).reserved == 2, "nobody knows whether they fell"


def test_the_machine_gets_no_new_job_until_a_person_has_decided(world: World, job: PackJob) -> None:
    world.sheet(order_line("c", 3), order_line("d", 4))
    world.tick()
    assert world.machine.fetch() == []
    count(world, job)
    assert world.machine.fetch() == [], "told, but the machine has not said yet that it goes on"
    settle(world, job)
    assert len(world.machine.fetch()) == 2


def test_the_decision_is_durable_names_its_question_and_is_told_to_the_machine(world: World, job: PackJob) -> None:
    assert not isinstance(count(world, job, 1, second=UserId(PHARMACIST)), Refusal)
    (entry,) = world.ledger("doubt-decided")
    assert entry["actor"] == TECHNICIAN and entry["data"] == {
        "job": job.id, "slot": 1, "boot": 1, "event": 3, "counted": 1, "reason": "opened and counted", "by": TECHNICIAN, "second": PHARMACIST,
    }  # fmt: skip
    (command,) = world.all("commands", kind="resolve", done=False)
    assert command.id == f"resolve-{job.id}-{entry['seq']}" and world.all("reviews", decision="") == []
    assert world.held(f"pack:{job.pack}", "TWIN/T1") == 0, "nothing is booked before the machine says so"


@pytest.mark.parametrize(("counted", "left"), [(0, 30), (1, 29), (2, 28), (3, 27)])
def test_exactly_what_was_counted_is_booked_and_the_pouch_is_destroyed_before_it_is_made_anew(
    world: World, job: PackJob, counted: int, left: int
) -> None:
    count(world, job, counted)
    settle(world, job, counted)
    assert world.held(f"pack:{job.pack}", "TWIN/T1") == counted and world.held("cassette:3", "TWIN/T1") == left
    assert world.get("cassettes", 3).reserved == world.get("cassettes", 1).reserved == 0
    assert now(world, job).state is JobState.DONE and not world.all("commands", done=False)
    pack = world.get("packs", job.pack)
    assert (pack.state, pack.verdict) == (PackState.REVOKED, Verdict.FAIL) and world.do(packs_to_reject) == [pack]
    assert world.pack_of("a").serial == job.pack, "nothing is made anew while the pouch is about"
    world.reject_all()
    assert world.get("packs", job.pack).state is PackState.DESTROYED and world.held("waste", "TWIN/T1") == counted
    again = world.job_of("a")
    assert again.replaces == job.id and again.id != job.id and world.pack_of("b").replaces == job.pack
    world.machine.run_all()
    assert world.dose("a").state is world.dose("b").state is DoseState.PACKED and kinds(world, decision="") == []


def test_a_doubt_told_anew_takes_no_answer_to_the_older_question(world: World, job: PackJob) -> None:
    world.machine.boot, world.machine.number = 2, 0
    ask(world, job)
    assert count(world, job).code == "stale"
    (review,) = world.all("reviews", decision="")
    assert "event 1 of boot 2" in review.reasons[0] and len(world.facts("job-in-doubt")) == 2
    assert world.facts("doubt-decided") == [] and not isinstance(count(world, job, question=(2, 1)), Refusal)


def test_a_question_that_comes_anew_overtakes_an_answer_that_is_on_its_way(world: World, job: PackJob) -> None:
    count(world, job, 1)
    (overtaken,) = world.all("commands", kind="resolve")
    world.machine.boot, world.machine.number = 2, 0
    ask(world, job)
    assert world.get("commands", overtaken.id).done and kinds(world, decision="") == ["in-doubt"]
    refused(world, job, "STALE_EVENT", overtaken.id)
    assert len(world.all("reviews", decision="")) == 1
    count(world, job, 2, (2, 1))
    settle(world, job)
    assert world.held(f"pack:{job.pack}", "TWIN/T1") == 2 and kinds(world, decision="") == []


@pytest.mark.parametrize("rc", ["STALE_EVENT", "BAD_REQUEST", "EXPIRED"])
def test_an_answer_that_the_machine_did_not_take_opens_the_question_again(world: World, job: PackJob, rc: str) -> None:
    count(world, job, 1)
    refused(world, job, rc)
    (review,) = world.all("reviews", decision="")
    assert review.kind == "in-doubt" and rc in review.reasons[1]
    assert not isinstance(count(world, job, 2), Refusal) and len(world.facts("doubt-decided")) == 2
    assert [command.done for command in world.all("commands", kind="resolve", order_by="seq")] == [True, False]


def test_a_refusal_that_names_no_job_is_known_by_its_command(world: World, job: PackJob) -> None:
    count(world, job)
    world.machine.say("refused", None, None, command=world.all("commands", kind="resolve")[0].id, rc="INVALID", reason="no such member")
    assert kinds(world, decision="") == ["in-doubt"] and "INVALID: no such member" in world.all("reviews", decision="")[0].reasons[1]


def test_a_second_person_s_answer_and_one_after_the_end_are_refused(world: World, job: PackJob) -> None:
    count(world, job, 1)
    assert count(world, job, 2, by=UserId(PHARMACIST)).code == "decided"
    settle(world, job, 1)
    assert count(world, job, 2).code == "not-in-doubt" and len(world.facts("doubt-decided")) == 1


@pytest.mark.parametrize(
    ("changes", "code"), [({"reason": " "}, "reason"), ({"device": "packager-2"}, "unknown-job")]
)
def test_an_answer_needs_a_reason_and_the_right_machine(world: World, job: PackJob, changes: dict[str, Any], code: str) -> None:
    answer = count(world, job, **changes)
    assert answer.code == code and answer.text and world.all("commands", kind="resolve") == []
    assert count(world, replace(job, id=JobId("f" * 32))).code == "unknown-job"


def test_a_high_alert_drug_needs_a_second_person(world: World) -> None:
    world.sheet(order_line("a", drug="ALERT"))
    world.at("06:15")
    job = world.machine.fetch()[0]
    ask(world, job, 0)
    assert count(world, job, 1, (1, 1)).code == "second-person"
    assert count(world, job, 1, (1, 1), second=UserId(TECHNICIAN)).code == "second-person"
    assert not isinstance(count(world, job, 1, (1, 1), second=UserId(PHARMACIST)), Refusal)


def test_a_doubt_is_not_settled_as_other_questions_are(world: World, job: PackJob) -> None:
    (review,) = world.all("reviews", decision="")
    decision = Decision(review.id, True, job.pack, "looks fine", UserId(PHARMACIST))
    assert world.do(lambda unit: decide_review(unit, decision, world.house), PHARMACIST).code == "in-doubt"
    assert world.do(lambda unit: scan_reject(unit, job.pack, False, "", world.house), TECHNICIAN).code == "not-revoked"


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_question_booking_and_end_in_any_order_come_to_the_same(world: World, order: tuple[int, ...]) -> None:
    world.sheet(long_standing("a", units=2), long_standing("b", drug="TWIN", units=2))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.say("accepted", job.id)
    world.machine.drop(replace(job, fills=job.fills[:1]))
    asked = world.machine.event("stopped", job.id, 1, reason="in-doubt")
    events = [asked, *booked(world, job, 1)[:3]]
    for place in order:
        assert world.machine.tell(events[place]) and not world.machine.tell(events[place])
    assert world.held(f"pack:{job.pack}", "TWIN/T1") == 1 and world.get("cassettes", 3).reserved == 0
    assert now(world, job).state is JobState.DONE and world.do(jobs_in_doubt) == []
    assert [pack.serial for pack in world.do(packs_to_reject)] == [job.pack]
    assert len(world.facts("doubt-resolved")) == len(world.facts("job-ended")) == 1
    assert kinds(world, decision="") == ["doubt-differs"], "nobody here had counted"


def test_what_was_booked_is_told_again_under_new_numbers_and_booked_once(world: World, job: PackJob) -> None:
    count(world, job)
    settle(world, job)
    entries, before = len(world.ledger()), now(world, job)
    world.machine.boot, world.machine.number = 2, 0
    ask(world, job)
    settle(world, job)
    assert now(world, job) == before and world.all("reviews", decision="") == []
    assert [entry["kind"] for entry in world.ledger()[entries:]] == ["device-stopped", "device-ready"]


def test_a_machine_that_was_told_another_number_than_was_decided_is_asked_about(world: World, job: PackJob) -> None:
    count(world, job, 1)
    settle(world, job, 2)
    (review,) = world.all("reviews", decision="")
    assert review.kind == "doubt-differs" and "2 fell; a person here had counted 1" in review.reasons[0]
    assert world.held(f"pack:{job.pack}", "TWIN/T1") == 2, "what the machine booked is booked"


def test_a_doubt_about_an_unknown_job_is_asked_about_each_time(world: World) -> None:
    for boot in (1, 2):
        world.machine.boot, world.machine.number = boot, 0
        assert world.machine.say("stopped", "f" * 32, 0, reason="in-doubt")
    assert kinds(world, decision="") == ["unknown-doubt"] * 2
    assert [fact["reason"] for fact in world.facts("device-stopped")] == ["in-doubt"] * 2


def test_a_doubt_about_a_slot_that_the_job_has_not_is_for_an_engineer(world: World, job: PackJob) -> None:
    ask(world, job, 7)
    assert now(world, job) == job and sorted(kinds(world, decision="")) == ["in-doubt", "unknown-doubt"]


def test_a_doubt_about_a_job_thought_refused_is_asked_about_and_its_tablets_go_to_the_waste(world: World) -> None:
    world.sheet(order_line("a", units=2))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.say("refused", job.id, None, command=f"run-{job.id}", rc="EXPIRED", reason="EXPIRED")
    (review,) = world.all("reviews", decision="")
    anew = Decision(review.id, True, "", "", UserId(PHARMACIST))
    world.do(lambda unit: decide_review(unit, anew, world.house), PHARMACIST)
    world.machine.number = 10
    ask(world, job, 0)
    assert now(world, job).state is JobState.REFUSED and [one.id for one in world.do(jobs_in_doubt)] == [job.id]
    assert "had ended (refused)" in world.all("reviews", decision="")[0].reasons[-1]
    count(world, job, 1, (1, 11))
    world.machine.say("resolved", job.id, 0, cassette=1, asked=2, counted=1, remaining=29)
    world.machine.say("done", job.id, 0, state="diverted")
    assert world.held("waste", "PLAIN/P1") == 1 and world.held("cassette:1", "PLAIN/P1") == 29
    assert world.get("cassettes", 1).reserved == 2, "what the remade job takes"
    assert len(world.facts("job-ended")) == 1 and world.do(jobs_in_doubt) == []


def test_a_pouch_in_doubt_gets_no_verdict_and_a_sensor_s_late_word_is_not_booked(world: World, job: PackJob) -> None:
    world.machine.say("at-camera", job.id, 1)
    world.machine.say("dropped", job.id, 1, cassette=3, asked=2, counted=2, remaining=28)
    assert now(world, job).state is JobState.IN_DOUBT and now(world, job).at_camera is None
    assert kinds(world, decision="") == ["in-doubt", "doubt-contradicted"] and world.held(f"pack:{job.pack}", "TWIN/T1") == 0


def test_a_drop_that_was_counted_before_it_was_in_doubt_is_booked_once(world: World, job: PackJob) -> None:
    world.machine.boot, world.machine.number = 2, 0
    ask(world, job, 0)
    assert "what was told then stays booked" in world.all("reviews", decision="")[0].reasons[1]
    count(world, job, 1, (2, 1))
    world.machine.say("resolved", job.id, 0, cassette=1, asked=2, counted=1, remaining=29)
    assert world.held(f"pack:{job.pack}", "PLAIN/P1") == 2
    assert "nothing more was booked" in world.all("reviews", kind="doubt-differs")[0].reasons[-1]


@pytest.mark.parametrize("end", [("released", {}), ("done", {"state": "done"}), ("done", {"state": "aborted"})])
def test_however_the_machine_ends_it_a_pouch_in_doubt_is_for_the_reject_bin(world: World, job: PackJob, end: tuple[str, Any]) -> None:
    world.machine.say(end[0], job.id, 1, **end[1])
    assert [pack.serial for pack in world.do(packs_to_reject)] == [job.pack] and world.facts("pack-released") == []


def test_a_drop_of_another_slot_told_late_is_booked_and_leaves_the_doubt(world: World) -> None:
    world.sheet(long_standing("a", units=2), long_standing("b", drug="TWIN"))
    world.at("06:15")
    job = world.machine.fetch()[0]
    dropped = world.machine.event("dropped", job.id, 0, cassette=1, asked=2, counted=2, remaining=28)
    ask(world, job)
    world.machine.tell(dropped)
    assert now(world, job).state is JobState.IN_DOUBT and world.held(f"pack:{job.pack}", "PLAIN/P1") == 2
    assert world.get("cassettes", 1).reserved == 0 and world.get("cassettes", 3).reserved == 1


def test_a_stop_of_the_order_leaves_the_doubt_to_be_answered_and_nothing_is_made_anew(world: World) -> None:
    line = order_line("a", units=2)
    world.sheet(line)
    world.at("06:15")
    job = world.machine.fetch()[0]
    ask(world, job, 0)
    world.stop(line)
    assert world.get("packs", job.pack).state is PackState.REVOKED and world.dose("a").state is DoseState.CANCELLED
    assert [one.id for one in world.do(jobs_in_doubt)] == [job.id]
    count(world, job, 2, (1, 1))
    world.machine.say("resolved", job.id, 0, cassette=1, asked=2, counted=2, remaining=28)
    world.machine.say("diverted", job.id, 0, verdict="NONE")
    world.machine.say("done", job.id, 0, state="diverted")
    world.reject_all()
    assert world.get("packs", job.pack).state is PackState.DESTROYED and len(world.all("packs")) == 1


def test_a_job_that_the_machine_aborted_is_made_anew_when_a_person_says_so(world: World) -> None:
    world.sheet(order_line("a"))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.say("done", job.id, None, state="aborted")
    assert now(world, job).state is JobState.ABORTED and world.get("cassettes", 1).reserved == 0
    (review,) = world.all("reviews", decision="")
    anew = Decision(review.id, True, "", "", UserId(PHARMACIST))
    world.do(lambda unit: decide_review(unit, anew, world.house), PHARMACIST)
    world.labels()
    assert world.job_of("a").replaces == job.id and world.facts("job-ended") == [{"job": job.id, "state": "aborted", "reason": ""}]


def test_the_service_lock_is_recorded(world: World) -> None:
    world.machine.say("lock", None, None, mode="taken", owner="engineer")
    assert world.facts("service-lock") == [
        {"device": PACKAGER, "boot": 1, "event": world.machine.number, "mode": "taken", "owner": "engineer"}
    ]
