"""A machine that contradicts itself: a pouch that was at the camera, or out already, is told to be in doubt. It never reaches a patient."""

from typing import Any

import pytest

from hub.domain.identifiers import UserId
from hub.domain.packs import PackJob, PackState, Verdict
from hub.domain.verification import CameraState, SeenPouch
from hub.services.reject_packs import Decision, decide_review
from hub.services.verify_pack import verify_pack
from tests.services.small_world import PHARMACIST, World, long_standing
from tests.services.test_doubts import ask, count, now, settle


@pytest.fixture
def job(world: World) -> PackJob:
    """A pouch of two drugs that lies at the camera."""
    world.sheet(long_standing("a", units=2), long_standing("b", drug="TWIN", units=2))
    world.at("06:15")
    made = world.machine.fetch()[0]
    world.machine.make(made)
    return now(world, made)


def look_at(world: World, job: PackJob, *, clear: bool) -> Verdict:
    camera = CameraState.OK if clear else CameraState.DOWN
    seen = SeenPouch((job.pack,), (job.pack,), 4, clear, world.machine.sensors(job), camera)
    return world.do(lambda unit: verify_pack(unit, job.id, seen, ()))


def fall_in_doubt(world: World, job: PackJob) -> None:
    world.machine.boot, world.machine.number = 2, 0
    ask(world, job)


def accepted(world: World, job: PackJob) -> Any:
    (review,) = [review for review in world.all("reviews", decision="") if review.kind == "pouch"]
    decision = Decision(review.id, True, job.pack, "", UserId(PHARMACIST))
    return world.do(lambda unit: decide_review(unit, decision, world.house), PHARMACIST)


def test_a_review_opened_before_the_doubt_cannot_let_the_pouch_out(world: World, job: PackJob) -> None:
    assert look_at(world, job, clear=False) is Verdict.LOOK
    fall_in_doubt(world, job)
    assert accepted(world, job).code == "in-doubt"
    count(world, job, 2, (2, 1))
    settle(world, job)
    assert world.get("packs", job.pack).state is PackState.REVOKED and not world.facts("pack-released")


def test_a_pouch_that_was_let_out_is_revoked_by_the_doubt(world: World, job: PackJob) -> None:
    assert look_at(world, job, clear=True) is Verdict.PASS
    world.machine.say("released", job.id, 1)
    assert world.get("packs", job.pack).state is PackState.RELEASED
    fall_in_doubt(world, job)
    pack = world.get("packs", job.pack)
    assert (pack.state, pack.verdict) == (PackState.REVOKED, Verdict.FAIL)


def test_a_pouch_in_doubt_that_is_let_out_all_the_same_is_told_to_a_person(world: World, job: PackJob) -> None:
    look_at(world, job, clear=True)
    fall_in_doubt(world, job)
    world.machine.say("released", job.id, 1)
    assert "released-unverified" in {review.kind for review in world.all("reviews", decision="")}
    assert not world.facts("pack-released")


@pytest.mark.parametrize("clear", [True, False])
def test_a_camera_that_looks_at_a_pouch_in_doubt_fails_it(world: World, job: PackJob, clear: bool) -> None:
    fall_in_doubt(world, job)
    assert look_at(world, job, clear=clear) is Verdict.FAIL
