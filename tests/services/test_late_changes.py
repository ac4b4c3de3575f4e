"""A change may come when the dose is anywhere on its way: stock and dose end right from each place."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from hub.domain.doses import DoseState
from hub.domain.identifiers import UserId
from hub.domain.orders import Order, OrderLine, OrderSheet, OrderStatus, SheetChange
from hub.domain.packs import JobState, PackState
from hub.services.administer import BedsideScan, give, not_given
from hub.services.receive_changes import receive_changes
from hub.services.reject_packs import Decision, decide_review
from hub.services.return_packs import packs_to_return, return_pack
from hub.services.trolleys import pull_pack
from tests.services.small_world import NURSE, TECHNICIAN, World, long_standing, order_line

LINE = order_line("a")
PLACES = ("planned", "frozen", "sent", "at-camera", "verified", "quarantined", "released", "loaded", "dispatched", "received")


def brought_to(world: World, place: str, line: OrderLine = LINE) -> None:
    """Take an order's morning dose to a place on its way."""
    world.sheet(line)
    if place == "planned":
        return
    world.at("06:15")
    if place == "frozen":
        return
    job = world.machine.fetch()[0]
    if place == "sent":
        world.machine.say("accepted", job.id)
        return
    world.machine.make(job)
    if place == "at-camera":
        return
    verdict = world.machine.look(job, read=[] if place == "quarantined" else None)
    if place == "verified":
        return
    world.machine.finish(job, verdict)
    if place in ("quarantined", "released"):
        return
    pack = world.pack_of(line.id)
    world.load(pack)
    for here, step in (("loaded", world.seal), ("sealed", world.dispatch), ("dispatched", world.receive)):
        if place == here:
            return
        step(str(pack.trolley))


def finished(world: World) -> None:
    """Let everything go on as people and machine would: pouches end, packs come back, nothing is given."""
    for job in world.all("jobs"):
        pack = world.get("packs", job.pack)
        if job.state in (JobState.SENT, JobState.ACCEPTED):
            world.machine.run(job)
        elif job.state is JobState.RUNNING:
            world.machine.finish(job, pack.verdict or world.machine.look(job))
    world.reject_all()
    world.machine.run_all()
    for pack in world.all("packs", state="revoked", in_drawer=True):
        world.do(lambda unit, pack=pack: pull_pack(unit, str(pack.trolley), pack.serial), TECHNICIAN)
    for pack in world.do(packs_to_return):
        world.do(lambda unit, pack=pack: return_pack(unit, pack.serial, True), TECHNICIAN)


def first(world: World) -> Any:
    return next(dose for dose in world.all("doses") if dose.version == 1)


def conserved(world: World) -> None:
    everywhere = sum((world.held(account, "PLAIN/P1") for account in ("store", "cassette:1", "waste")), Fraction(0))
    kept = [f"returned:{pack.serial}" for pack in world.all("packs", state="restocked")]
    everywhere += sum((world.held(account, "PLAIN/P1") for account in kept), Fraction(0))
    alive = world.all("packs", state=["released", "loaded", "dispatched", "received"])
    inside = sum(content.units for pack in alive for content in pack.contents)
    assert everywhere + inside == 60 and world.get("cassettes", 1).reserved == 0


STOPS: dict[str, Callable[[World], object]] = {
    "stop": lambda world: world.stop(LINE),
    "discharge": lambda world: world.discharge(1),
    "intensive care": lambda world: world.move(1, "Intensive care unit"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", STOPS)
def test_a_dose_that_is_not_wanted_any_more_never_reaches_the_patient(world: World, kind: str, place: str) -> None:
    brought_to(world, place)
    STOPS[kind](world)
    finished(world)
    packed = place in ("released", "loaded", "dispatched", "received")
    assert first(world).state is (DoseState.RETURNED if packed else DoseState.CANCELLED)
    assert all(pack.state in (PackState.NEVER_MADE, PackState.DESTROYED, PackState.RESTOCKED) for pack in world.all("packs"))
    conserved(world)


@pytest.mark.parametrize("place", PLACES)
def test_an_edited_dose_is_made_anew_under_the_next_version(world: World, place: str) -> None:
    brought_to(world, place)
    world.change(line=order_line("a", units=2))
    world.tick()
    finished(world)
    old, new = sorted(world.all("doses"), key=lambda dose: dose.version)
    assert old.state in (DoseState.CANCELLED, DoseState.RETURNED) and (new.version, new.units) == (2, 2)
    assert new.state is (DoseState.PLANNED if place == "planned" else DoseState.PACKED)
    conserved(world)


@pytest.mark.parametrize("place", PLACES)
def test_a_moved_patient_gets_the_dose_in_the_new_ward(world: World, place: str) -> None:
    brought_to(world, place)
    world.move(1, "Surgery", "5")
    world.labels()
    finished(world)
    if place == "planned":
        world.at("06:15")
        world.machine.run_all()
    if place == "quarantined":
        for review in world.all("reviews", decision=""):
            told = Decision(review.id, True, review.subject, "counted", UserId(TECHNICIAN))
            world.do(lambda unit, told=told: decide_review(unit, told, world.house), TECHNICIAN)
    if place == "dispatched":
        world.receive(str(world.pack_of("a").trolley))
    if world.pack_of("a").state is PackState.RELEASED:
        world.deliver("a")
    assert (world.pack_of("a").department, world.pack_of("a").room) == ("Surgery", "5")
    world.at("08:00")
    scan = BedsideScan("W-1", world.pack_of("a").serial)
    assert [dose.state for dose in world.do(lambda unit: give(unit, scan, world.house), NURSE)] == [DoseState.GIVEN]
    conserved_with_patient = world.held("patient:p1", "PLAIN/P1")
    assert conserved_with_patient == 1 and world.get("cassettes", 1).reserved == 0


@pytest.mark.parametrize("place", PLACES)
def test_a_held_dose_is_given_once_after_its_resumption_or_not_at_all(world: World, place: str) -> None:
    brought_to(world, place)
    world.change(line=replace(LINE, status=OrderStatus.ON_HOLD))
    world.change(line=LINE)
    world.tick()
    finished(world)
    live = [dose for dose in world.all("doses") if dose.state in (DoseState.PLANNED, DoseState.FROZEN, DoseState.PACKED)]
    assert len(live) == 1, "exactly one dose for the time"
    order = world.get("orders", "a")
    assert isinstance(order, Order) and live[0].version == order.version == 2
    conserved(world)


def test_a_dose_given_after_its_stop_is_kept_as_a_fact_and_opens_an_incident(world: World) -> None:
    brought_to(world, "received")
    world.at("07:30")
    scan = BedsideScan("W-1", world.pack_of("a").serial)
    world.do(lambda unit: give(unit, scan, world.house), NURSE)
    world.stop(LINE)
    assert first(world).state is DoseState.GIVEN
    assert [incident.kind for incident in world.all("incidents")] == ["given-after-change"]


def test_what_was_given_early_is_not_given_again_by_an_edited_order(world: World) -> None:
    brought_to(world, "received")
    world.at("07:30")
    scan = BedsideScan("W-1", world.pack_of("a").serial)
    world.do(lambda unit: give(unit, scan, world.house), NURSE)
    world.change(line=order_line("a", units=2))
    assert len(world.all("doses")) == 1, "the new version plans nothing for the same time"


def test_a_stop_after_the_machine_refused_the_job_frees_its_tablets_once(world: World) -> None:
    world.sheet(LINE, order_line("b", 2))
    world.at("06:15")
    job = world.job_of("a")
    world.machine.fetch()
    world.machine.say("refused", job.id, None, command=f"run-{job.id}", reason="EMPTY")
    world.stop(LINE)
    assert world.get("cassettes", 1).reserved == 1, "the other order's"
    assert world.get("jobs", job.id).state is JobState.REFUSED and len(world.facts("job-ended")) == 1
    assert world.get("packs", job.pack).state is PackState.NEVER_MADE


def test_a_pack_held_at_the_bedside_is_not_remade_when_one_of_its_orders_stops(world: World) -> None:
    world.sheet(long_standing("a"), long_standing("b", drug="TWIN"))
    world.at("06:15")
    world.machine.run_all()
    pack = world.deliver("a")
    world.at("08:00")
    world.do(lambda unit: not_given(unit, BedsideScan("W-1", pack.serial), "refused"), NURSE)
    world.stop(long_standing("a"))
    assert len(world.all("packs")) == 1 and world.dose("b").state is DoseState.NOT_GIVEN


@pytest.mark.parametrize("place", ["frozen", "sent", "released", "loaded", "received"])
def test_a_shared_pouch_dies_whole_and_the_other_dose_is_made_anew(world: World, place: str) -> None:
    world.sheet(long_standing("b", drug="TWIN"))
    brought_to(world, place, long_standing("a"))
    assert world.dose("a").pack == world.dose("b").pack
    dead = world.pack_of("a")
    world.stop(long_standing("a"))
    world.labels()
    finished(world)
    assert world.pack_of("b").serial != dead.serial and world.pack_of("b").replaces == dead.serial
    assert world.dose("b").state is DoseState.PACKED and first_of(world, "a").state in (DoseState.CANCELLED, DoseState.RETURNED)
    assert world.get("packs", dead.serial).state in (PackState.NEVER_MADE, PackState.DESTROYED, PackState.RESTOCKED)


def first_of(world: World, order: str) -> Any:
    return world.all("doses", order=order)[0]


def test_a_moved_patient_s_injection_is_asked_for_by_the_new_ward(world: World) -> None:
    world.sheet(order_line("i", drug="AMP", route="IM"))
    world.at("06:15")
    world.move(1, "Surgery")
    assert [(one.department, one.units) for one in world.all("requisitions", issued=False)] == [("Surgery", 1)]
    assert world.get("lots", "AMP/F1").promised == 1


def test_a_patient_who_comes_back_from_intensive_care_gets_new_doses(world: World) -> None:
    world.sheet(order_line("a", code="DAILY20"))
    world.move(1, "Intensive care unit")
    assert [dose.state for dose in world.all("doses")] == [DoseState.CANCELLED]
    world.move(1, "Therapy")
    assert world.dose("a").state is DoseState.PLANNED and world.dose("a").version == 3


def test_a_stopped_order_stays_stopped_through_intensive_care(world: World) -> None:
    world.sheet(order_line("a", code="DAILY20"))
    world.move(1, "Intensive care unit")
    world.stop(order_line("a", code="DAILY20"))
    world.move(1, "Therapy")
    assert [dose.state for dose in world.all("doses")] == [DoseState.CANCELLED]


def test_the_same_changes_again_are_refused(world: World) -> None:
    world.sheet()
    sheet = OrderSheet("hospital", "c", "same", changes=(SheetChange(world.now, line=LINE),))
    told = world.do(lambda unit: receive_changes(unit, sheet, world.house))
    assert (told.changes, told.orders, dict(told.outcomes)) == (1, 1, {"scheduled": 1})
    assert world.do(lambda unit: receive_changes(unit, sheet, world.house)).code == "known-sheet"
    assert world.do(lambda unit: receive_changes(unit, replace(sheet, source="nobody", sha256="x"), world.house)).code == "unknown-source"

