"""A pouch that passed and was revoked before the machine heard of it is not let out; if it went out, it comes back."""

from fractions import Fraction

import msgspec
import pytest

from hub.adapters.dispatch import payload_of
from hub.domain.doses import DoseState
from hub.domain.packs import PackJob, PackState, Verdict
from hub.services.endings import move_pack
from hub.services.reject_packs import packs_to_reject
from hub.services.return_packs import packs_to_return, return_pack
from hub.services.verify_pack import verdict_to_send
from tests.services.small_world import TECHNICIAN, World, long_standing, order_line


@pytest.fixture
def job(world: World) -> PackJob:
    """Offer the job of a pouch of two drugs that passed the camera, its verdict not sent yet."""
    world.sheet(long_standing("a"), long_standing("b", drug="TWIN"))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.make(job)
    assert world.machine.look(job) is Verdict.PASS
    return job


def sent(world: World, job: PackJob) -> str:
    """Return the verdict of the command that the link to the machine puts on the wire now."""
    (command,) = world.all("commands", kind="verdict", job=job.id, done=False)
    payload = world.do(lambda unit: payload_of(unit, command, world.now))
    assert payload is not None
    return str(msgspec.json.decode(payload)["verdict"])


def stop_one(world: World, job: PackJob) -> None:
    world.stop(long_standing("a"))
    assert world.get("packs", job.pack).state is PackState.REVOKED


def test_a_pouch_that_passed_is_let_out(world: World, job: PackJob) -> None:
    assert sent(world, job) == "PASS"


def test_one_that_was_revoked_in_between_is_sent_into_the_reject_bin_and_ends_there(world: World, job: PackJob) -> None:
    stop_one(world, job)
    assert sent(world, job) == "FAIL"
    world.machine.finish(job, Verdict.FAIL)
    assert [pack.serial for pack in world.do(packs_to_reject)] == [job.pack]
    world.reject_all()
    assert world.get("packs", job.pack).state is PackState.DESTROYED
    assert world.held("waste", "PLAIN/P1") == world.held("waste", "TWIN/T1") == 1
    _the_other_is_made_anew(world, job)


@pytest.mark.parametrize("sealed", [True, False])
def test_one_that_went_out_before_the_stop_was_known_stays_revoked_and_comes_back(
    world: World, job: PackJob, sealed: bool
) -> None:
    stop_one(world, job)
    world.machine.finish(job, Verdict.PASS)
    assert world.get("packs", job.pack).state is PackState.REVOKED and world.facts("pack-released") == []
    assert world.do(packs_to_reject) == [] and [pack.serial for pack in world.do(packs_to_return)] == [job.pack]
    assert not world.all("commands", job=job.id, done=False)
    world.do(lambda unit: return_pack(unit, job.pack, sealed), TECHNICIAN)
    assert world.get("packs", job.pack).state is (PackState.RESTOCKED if sealed else PackState.DESTROYED)
    assert world.held(f"pack:{job.pack}", "PLAIN/P1") == Fraction(0)
    _the_other_is_made_anew(world, job)


def _the_other_is_made_anew(world: World, job: PackJob) -> None:
    assert world.dose("a").state is DoseState.CANCELLED
    again = world.pack_of("b")
    assert again.serial != job.pack and again.replaces == job.pack
    world.labels()
    world.machine.run_all()
    assert world.dose("b").state is DoseState.PACKED


def test_a_new_event_after_a_loss_of_power_is_answered_with_fail_too(world: World, job: PackJob) -> None:
    stop_one(world, job)
    world.machine.boot, world.machine.number = 2, 0
    world.machine.say("at-camera", job.id, 1)
    assert sent(world, job) == "FAIL"


def test_a_pouch_that_was_revoked_before_any_verdict_and_let_out_is_looked_for_and_ends(world: World) -> None:
    world.sheet(order_line("c", 2))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.make(job)
    world.stop(order_line("c", 2))
    world.machine.finish(job, Verdict.PASS)
    assert [review.kind for review in world.all("reviews")] == ["released-unverified"]
    assert [pack.serial for pack in world.do(packs_to_reject)] == [job.pack]
    world.reject_all()
    assert world.get("packs", job.pack).state is PackState.DESTROYED


def test_a_failed_pouch_that_the_machine_lets_out_is_looked_for(world: World) -> None:
    world.sheet(order_line("c", 2))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.make(job)
    assert world.machine.look(job, read=["OTHER"]) is Verdict.FAIL
    world.machine.finish(job, Verdict.PASS)
    assert "released-unverified" in [review.kind for review in world.all("reviews")]
    assert [pack.serial for pack in world.do(packs_to_reject)] == [job.pack]


@pytest.mark.parametrize(
    ("state", "told"), [(PackState.REVOKED, Verdict.FAIL), (PackState.QUARANTINED, Verdict.FAIL), (PackState.LOST, Verdict.FAIL)]
)
def test_no_pack_that_must_not_go_out_is_told_to_pass(world: World, job: PackJob, state: PackState, told: Verdict) -> None:
    world.do(lambda unit: move_pack(unit, unit.packs.get(job.pack), state, "seen"))
    assert verdict_to_send(world.get("packs", job.pack)) is told


def test_a_pouch_to_be_looked_at_is_told_as_such(world: World) -> None:
    world.sheet(order_line("c", 2))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.make(job)
    assert world.machine.look(job, read=[]) is Verdict.LOOK and sent(world, job) == "LOOK"
