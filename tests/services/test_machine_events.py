"""What a machine tells is taken into account once, whatever comes twice, late or out of order."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from hub.domain.identifiers import DeviceId
from hub.domain.packs import JobState, PackJob, PackState, Verdict
from hub.services.devices import ensure_device
from hub.services.machine_events import event_unreadable, take_event
from hub.services.reject_packs import packs_to_reject
from tests.services.small_world import PACKAGER, World, order_line


@pytest.fixture
def job(world: World) -> PackJob:
    """Offer a job for two tablets that was sent to the machine."""
    world.sheet(order_line("a", units=2))
    world.at("06:15")
    return world.machine.fetch()[0]


def fell(world: World, job: PackJob) -> object:
    return world.held(f"pack:{job.pack}", "PLAIN/P1")


def test_a_pouch_that_is_made_moves_its_tablets_and_is_released_by_the_camera(world: World, job: PackJob) -> None:
    assert world.machine.run(job) is Verdict.PASS
    assert fell(world, job) == 2 and world.held("cassette:1", "PLAIN/P1") == 28
    assert world.get("cassettes", 1).reserved == 0 and world.get("packs", job.pack).state is PackState.RELEASED
    assert world.get("jobs", job.id).state is JobState.DONE and not world.all("commands", done=False)
    assert world.facts("pack-released") == [{"pack": job.pack, "by": "camera"}]


def test_an_event_that_comes_again_is_known(world: World, job: PackJob) -> None:
    event = world.machine.event("dropped", job.id, 0, cassette=1, asked=2, counted=2, remaining=0)
    assert world.machine.tell(event) and not world.machine.tell(event)
    assert fell(world, job) == 2


def test_a_drop_told_again_after_a_loss_of_power_under_a_new_number_is_booked_once(world: World, job: PackJob) -> None:
    world.machine.drop(job)
    world.machine.boot, world.machine.number = 2, 0
    world.machine.drop(job)
    assert fell(world, job) == 2 and world.get("cassettes", 1).reserved == 0


def test_an_unknown_job_and_an_unknown_slot_open_reviews(world: World, job: PackJob) -> None:
    assert world.machine.say("dropped", "f" * 32, 0, counted=1)
    assert world.machine.say("dropped", job.id, 7, counted=1)
    assert sorted(review.kind for review in world.all("reviews")) == ["unknown-job", "unknown-slot"]


def test_the_end_may_be_told_before_the_drop(world: World, job: PackJob) -> None:
    world.machine.say("done", job.id, 0, state="diverted")
    world.machine.drop(job)
    assert world.get("jobs", job.id).state is JobState.DONE and fell(world, job) == 2
    assert world.get("cassettes", 1).reserved == 0


def test_a_drop_told_after_its_pouch_was_destroyed_goes_to_the_waste(world: World, job: PackJob) -> None:
    world.machine.say("diverted", job.id, 0, verdict="NONE")
    world.reject_all()
    world.machine.drop(job)
    assert fell(world, job) == 0 and world.held("waste", "PLAIN/P1") == 2


@pytest.mark.parametrize("counted", [1, 3])
def test_a_miscount_is_booked_as_counted_and_fails_the_pouch(world: World, job: PackJob, counted: int) -> None:
    assert world.machine.run(job, counted=[counted]) is Verdict.FAIL
    assert fell(world, job) == counted and world.held("cassette:1", "PLAIN/P1") == 30 - counted
    assert "sensor counted" in world.get("jobs", job.id).reason


def test_more_than_the_books_hold_comes_from_surplus_and_somebody_must_look(world: World, job: PackJob) -> None:
    cassette = world.get("cassettes", 1)
    world.do(lambda unit: unit.cassettes.put(replace(cassette, layers=(replace(cassette.layers[0], count=1),))))
    world.machine.drop(job, [3])
    assert fell(world, job) == 3 and world.held("surplus", "PLAIN/P1") == -2
    assert [review.kind for review in world.all("reviews")] == ["surplus"]


def test_a_refused_job_gives_its_tablets_back_once_and_is_made_anew_when_a_person_says_so(world: World, job: PackJob) -> None:
    for _ in range(2):
        world.machine.say("refused", job.id, None, command=f"run-{job.id}", reason="EMPTY")
    assert world.get("cassettes", 1).reserved == 0 and world.get("jobs", job.id).state is JobState.REFUSED
    assert len(world.facts("job-ended")) == 1 and not world.all("commands", done=False)


def test_a_refusal_of_a_job_that_runs_takes_nothing_back(world: World, job: PackJob) -> None:
    world.machine.say("accepted", job.id)
    world.machine.say("refused", job.id, None, command=f"run-{job.id}", reason="EXPIRED")
    assert world.get("jobs", job.id).state is JobState.ACCEPTED and world.get("cassettes", 1).reserved == 2


def test_a_pouch_in_doubt_that_a_person_had_destroyed_goes_to_the_reject_bin(world: World, job: PackJob) -> None:
    world.machine.say("accepted", job.id)
    world.machine.say("diverted", job.id, 0, verdict="NONE")
    world.machine.say("done", job.id, 0, state="diverted")
    pack = world.get("packs", job.pack)
    assert pack.state is PackState.REVOKED and world.do(packs_to_reject) == [pack]
    assert world.get("cassettes", 1).reserved == 0


def test_a_pouch_let_out_without_a_verdict_is_never_released(world: World, job: PackJob) -> None:
    world.machine.make(job)
    world.machine.finish(job, Verdict.PASS)
    assert world.get("packs", job.pack).state is PackState.REVOKED and world.facts("pack-released") == []
    assert [review.kind for review in world.all("reviews")] == ["released-unverified"]


def test_a_machine_that_starts_anew_at_the_camera_gets_its_verdict_on_the_new_event(world: World, job: PackJob) -> None:
    world.machine.make(job)
    world.machine.look(job)
    world.machine.boot, world.machine.number = 2, 0
    world.machine.say("at-camera", job.id, 0)
    open_commands = world.all("commands", kind="verdict", done=False)
    assert [command.id for command in open_commands] == [f"verdict-{job.id}-2-1"] and world.get("jobs", job.id).at_camera == (2, 1)
    world.machine.say("refused", job.id, None, command=f"verdict-{job.id}", reason="STALE_EVENT")
    assert world.all("reviews") == [] and len(world.facts("pack-produced")) == 1
    world.machine.finish(job, Verdict.PASS)
    assert not world.all("commands", done=False)


@pytest.mark.parametrize(
    "late", [lambda m, j: m.say("released", j.id, 0), lambda m, j: m.say("at-camera", j.id, 0), lambda m, j: m.say("done", j.id, 0, state="done")]
)
def test_late_tellings_about_a_finished_pouch_change_nothing(world: World, job: PackJob, late: Callable[..., bool]) -> None:
    world.machine.run(job)
    before, entries = world.get("packs", job.pack), len(world.ledger())
    assert late(world.machine, job)
    assert world.get("packs", job.pack) == before and len(world.ledger()) == entries


def test_only_a_few_jobs_are_on_their_way_at_once(world: World) -> None:
    world.sheet(*(order_line(f"o{number}", number + 1) for number in range(9)))
    world.at("06:15")
    assert len(world.machine.fetch()) == 6 and len(world.machine.fetch()) == 6
    assert world.do(lambda unit: unit.jobs.count(state=JobState.QUEUED)) == 3


def test_events_of_the_machine_itself_are_recorded(world: World) -> None:
    for kind in ("stopped", "ready", "cassette", "something-new"):
        event = world.machine.event(kind, None, None, reason="jam")
        assert world.do(lambda unit, event=event: take_event(unit, event))
    assert [entry["kind"] for entry in world.ledger()][-3:] == ["device-stopped", "device-ready", "cassette-placed"]


def test_a_refused_command_that_is_not_the_run_frees_nothing_and_is_told_to_a_person(world: World, job: PackJob) -> None:
    before = [cassette.reserved for cassette in world.all("cassettes")]
    world.machine.say("refused", job.id, None, command="abort-1", rc="BUSY", reason="the job has begun")
    assert world.get("jobs", job.id).state is JobState.SENT
    assert [cassette.reserved for cassette in world.all("cassettes")] == before
    assert [review.kind for review in world.all("reviews", decision="")] == ["unknown-command"]


def told_by(world: World, device: str, job: PackJob) -> None:
    """Have a device tell of a drop of somebody else's job."""
    drop = world.machine.event("dropped", job.id, 0, cassette=1, asked=2, counted=2, remaining=28)
    assert world.machine.tell(replace(drop, device=DeviceId(device)))


@pytest.mark.parametrize("device", ["packager-9", "printer-1"])
def test_a_device_that_is_no_machine_of_the_settings_books_nothing_and_a_person_is_told(world: World, job: PackJob, device: str) -> None:
    told_by(world, device, job)
    (review,) = world.all("reviews", decision="")
    assert (review.kind, review.subject) == ("foreign-event", device) and device in review.reasons[0]
    assert fell(world, job) == 0 and world.get("jobs", job.id).state is JobState.SENT


def test_a_machine_that_speaks_of_another_machine_s_job_books_nothing_and_a_person_is_told(world: World, job: PackJob) -> None:
    world.do(lambda unit: ensure_device(unit, DeviceId("packager-2"), "packager"))
    told_by(world, "packager-2", job)
    (review,) = world.all("reviews", decision="")
    assert (review.kind, review.subject) == ("foreign-event", "packager-2") and PACKAGER in review.reasons[0]
    assert fell(world, job) == 0


def test_an_event_that_cannot_be_read_is_told_to_a_person_once_for_each_reason(world: World) -> None:
    for reason in ("$.kind: unknown kind 'sung'", "$.kind: unknown kind 'sung'", "$.boot: missing"):
        world.do(lambda unit, reason=reason: event_unreadable(unit, PACKAGER, reason))
    reviews = world.all("reviews", decision="")
    assert [review.kind for review in reviews] == ["unreadable-event"] * 2 and "sung" in "".join(review.reasons[0] for review in reviews)
