"""A pouch at the camera gets a verdict whatever the books say of it; only one that was just made can pass."""

from dataclasses import replace

import pytest

from hub.domain.packs import PACK_TRANSITIONS, PackJob, PackState, Verdict
from hub.domain.recorded_words import in_russian
from hub.domain.state_words import state_ru
from tests.services.small_world import World, order_line


@pytest.fixture
def job(world: World) -> PackJob:
    """Offer a job as far as the camera."""
    world.sheet(order_line("a"))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.make(job)
    return job


@pytest.mark.parametrize("read", ["own", "nothing"])
@pytest.mark.parametrize("state", [state for state in PackState if state not in (PackState.PRODUCED, PackState.REVOKED)])
def test_a_pouch_that_is_not_just_made_fails_with_the_reason_and_goes_no_way_that_is_not_allowed(
    world: World, job: PackJob, state: PackState, read: str
) -> None:
    world.do(lambda unit: unit.packs.put(replace(unit.packs.get(job.pack), state=state)))
    assert world.machine.look(job, read=[job.pack] if read == "own" else []) is Verdict.FAIL
    (told,) = world.facts("pack-verified")
    assert told["rules"] == ["pouch-elsewhere"] and state.value in told["reasons"][0]
    assert state_ru(state) in in_russian(told["reasons"][0])
    pack = world.get("packs", job.pack)
    may_be_revoked = PackState.REVOKED in PACK_TRANSITIONS.get(state, frozenset())
    assert pack.verdict is Verdict.FAIL and pack.state is (PackState.REVOKED if may_be_revoked else state)
    (review,) = world.all("reviews")
    assert review.kind == "pouch-failed"
    assert [command.kind for command in world.all("commands", done=False)] == ["verdict"]
