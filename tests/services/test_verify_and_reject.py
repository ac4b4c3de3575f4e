"""A pouch that does not pass is destroyed by a scan and made anew; a doubtful one is accepted by its own scan only."""

from typing import Any

import pytest

from hub.domain.doses import DoseState
from hub.domain.identifiers import UserId
from hub.domain.packs import PackJob, PackState, Verdict
from hub.services.reject_packs import Decision, decide_review, packs_to_reject, scan_reject
from tests.services.small_world import PHARMACIST, TECHNICIAN, World, long_standing, order_line


@pytest.fixture
def job(world: World) -> PackJob:
    world.sheet(order_line("a"))
    world.at("06:15")
    return world.machine.fetch()[0]


def decide(world: World, accept: bool, scanned: str = "", review: str = "") -> Any:
    chosen = review or world.all("reviews", decision="")[0].id
    decision = Decision(chosen, accept, scanned, "seen", UserId(PHARMACIST))
    return world.do(lambda unit: decide_review(unit, decision, world.house), PHARMACIST)


def reject(world: World, serial: str, unreadable: bool = False, reason: str = "") -> Any:
    return world.do(lambda unit: scan_reject(unit, serial, unreadable, reason, world.house), TECHNICIAN)


def test_a_pass_is_durable_before_the_machine_hears_of_it(world: World, job: PackJob) -> None:
    world.machine.make(job)
    assert world.machine.look(job) is Verdict.PASS
    assert world.get("packs", job.pack).state is PackState.VERIFIED and world.dose("a").state is DoseState.FROZEN
    assert [command.kind for command in world.all("commands", done=False)] == ["verdict"]
    assert world.machine.look(job, read=["OTHER"]) is Verdict.PASS


def test_a_foreign_code_fails_and_the_pouch_is_remade_after_its_scan(world: World, job: PackJob) -> None:
    assert world.machine.run(job, read=["OTHER"]) is Verdict.FAIL
    assert world.dose("a").state is DoseState.FROZEN and [pack.serial for pack in world.do(packs_to_reject)] == [job.pack]
    destroyed = reject(world, job.pack)
    world.labels()
    again = world.pack_of("a")
    assert destroyed.state is PackState.DESTROYED and destroyed.replaced_by == again.serial != job.pack
    assert again.replaces == job.pack and world.job_of("a").replaces == job.id and again.trolley is None
    assert world.held("waste", "PLAIN/P1") == 1
    world.machine.run_all()
    assert world.dose("a").state is DoseState.PACKED


def test_a_pouch_is_remade_three_times_at_most(world: World, job: PackJob) -> None:
    for _ in range(4):
        world.machine.run(world.machine.fetch()[0], read=["OTHER"])
        world.reject_all()
    assert world.dose("a").state is DoseState.UNFULFILLABLE and len(world.all("packs")) == 4
    assert "remade-too-often" in [review.kind for review in world.all("reviews")]


def test_what_nobody_could_read_waits_for_a_person(world: World, job: PackJob) -> None:
    assert world.machine.run(job, read=[]) is Verdict.LOOK
    assert world.get("packs", job.pack).state is PackState.QUARANTINED
    assert decide(world, True, "").code == "scan" and decide(world, True, "OTHER").code == "scan"
    assert decide(world, True, job.pack).decision == "accept"
    assert world.dose("a").state is DoseState.PACKED and world.facts("pack-released")[-1]["by"] == "review"
    assert decide(world, True, job.pack, world.all("reviews")[0].id).code == "decided"
    assert decide(world, True, job.pack, "nobody").code == "unknown-review"


def test_a_person_may_reject_it_and_then_it_is_remade(world: World, job: PackJob) -> None:
    world.machine.run(job, read=[])
    decide(world, False)
    world.reject_all()
    assert world.get("packs", job.pack).state is PackState.DESTROYED and world.pack_of("a").replaces == job.pack


def test_a_pouch_of_a_stopped_order_cannot_be_accepted_any_more(world: World, job: PackJob) -> None:
    world.machine.run(job, read=[])
    world.stop(order_line("a"))
    assert world.dose("a").state is DoseState.CANCELLED and world.get("packs", job.pack).state is PackState.REVOKED
    decide(world, True, job.pack)
    assert world.facts("pack-released") == []
    world.reject_all()
    assert world.get("packs", job.pack).state is PackState.DESTROYED and len(world.all("packs")) == 1


def test_a_pack_revoked_while_it_lies_at_the_camera_fails(world: World, job: PackJob) -> None:
    world.machine.make(job)
    world.stop(order_line("a"))
    assert world.machine.look(job) is Verdict.FAIL
    world.machine.finish(job, Verdict.FAIL)
    world.reject_all()
    assert world.get("packs", job.pack).state is PackState.DESTROYED and world.dose("a").state is DoseState.CANCELLED


def test_the_reject_bin_takes_only_what_belongs_there(world: World, job: PackJob) -> None:
    assert reject(world, "NOBODY").code == "unknown-pack"
    assert reject(world, job.pack).code == "not-revoked"
    world.machine.run(job)
    world.stop(order_line("a"))
    assert world.get("packs", job.pack).state is PackState.REVOKED
    assert reject(world, job.pack).code == "not-revoked", "it passed: it comes back as a return"


def test_an_unreadable_label_needs_a_written_reason(world: World, job: PackJob) -> None:
    world.machine.run(job, read=["OTHER"])
    assert reject(world, job.pack, unreadable=True).code == "reason"
    assert "smeared" in reject(world, job.pack, unreadable=True, reason="smeared").reason


def test_a_refused_job_is_made_anew_as_a_new_job(world: World, job: PackJob) -> None:
    world.machine.say("refused", job.id, None, command=f"run-{job.id}", reason="EMPTY")
    decide(world, True)
    world.labels()
    assert world.get("packs", job.pack).state is PackState.NEVER_MADE
    assert world.job_of("a").id != job.id and world.job_of("a").replaces == job.id


def test_a_pouch_of_several_drugs_dies_whole_and_the_others_are_remade(world: World) -> None:
    world.sheet(long_standing("a"), long_standing("b", drug="TWIN"))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.make(job)
    world.stop(long_standing("a"))
    world.machine.finish(job, world.machine.look(job))
    world.reject_all()
    assert world.dose("a").state is DoseState.CANCELLED and world.pack_of("b").replaces == job.pack
    assert world.held("waste", "PLAIN/P1") == world.held("waste", "TWIN/T1") == 1
    world.machine.run_all()
    assert world.dose("b").state is DoseState.PACKED
