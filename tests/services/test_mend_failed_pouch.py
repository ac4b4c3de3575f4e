"""A pouch that failed is shown to a person with its picture and reasons, holds nothing up, and can never be accepted."""

from typing import Any

import pytest

from hub.domain.doses import DoseState
from hub.domain.identifiers import UserId
from hub.domain.packs import PackJob, PackState, Verdict
from hub.domain.verification import SeenPouch
from hub.services.reject_packs import Decision, decide_review
from hub.services.verify_pack import verify_pack
from tests.services.small_world import PHARMACIST, TECHNICIAN, World, order_line

FRAMES = ("ab" * 32, "cd" * 32)


@pytest.fixture
def job(world: World) -> PackJob:
    """Offer the job of a pouch that failed at the camera, with its frame kept."""
    world.sheet(order_line("a"))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.make(job)
    seen = SeenPouch(("OTHER",), (), 1, True, world.machine.sensors(job))
    assert world.do(lambda unit: verify_pack(unit, job.id, seen, FRAMES)) is Verdict.FAIL
    world.machine.finish(job, Verdict.FAIL)
    return job


def decide(world: World, review: str, accept: bool, scanned: str = "") -> Any:
    decision = Decision(review, accept, scanned, "seen", UserId(PHARMACIST))
    return world.do(lambda unit: decide_review(unit, decision, world.house), PHARMACIST)


def test_a_failed_pouch_is_asked_about_with_its_picture_and_reasons(world: World, job: PackJob) -> None:
    (review,) = world.all("reviews", decision="")
    assert (review.kind, review.subject, review.verdict, review.evidence) == ("pouch-failed", job.pack, "FAIL", FRAMES)
    assert "the label says OTHER" in review.reasons[0]


def test_the_scan_into_the_reject_bin_closes_it_and_remakes_the_pouch(world: World, job: PackJob) -> None:
    world.reject_all()
    (review,) = world.all("reviews")
    assert (review.decision, review.decided_by) == ("reject", TECHNICIAN)
    assert [fact["decision"] for fact in world.facts("review-decided")] == ["reject"]
    assert decide(world, review.id, accept=False).code == "decided"
    world.machine.run_all()
    assert world.dose("a").state is DoseState.PACKED


@pytest.mark.parametrize("accept", [False, True])
def test_whatever_is_answered_acknowledges_it_and_releases_nothing(world: World, job: PackJob, accept: bool) -> None:
    (review,) = world.all("reviews")
    assert decide(world, review.id, accept, scanned=job.pack).decision == "reject"
    assert world.get("packs", job.pack).state is PackState.REVOKED and world.facts("pack-released") == []
    world.reject_all()
    assert world.get("packs", job.pack).state is PackState.DESTROYED and len(world.facts("review-decided")) == 1


def test_a_pouch_to_be_looked_at_that_died_otherwise_is_asked_about_no_more_once_it_is_scanned(world: World) -> None:
    world.sheet(order_line("b", 2))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.run(job, read=[])
    world.stop(order_line("b", 2))
    world.reject_all()
    assert world.get("packs", job.pack).state is PackState.DESTROYED and world.all("reviews", decision="") == []
