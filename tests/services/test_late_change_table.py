"""Every kind of change at every place of a dose, through the services: what becomes of dose, pack, job, trolley and ledger."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from hub.adapters.dispatch import commands_on_the_way, payload_of
from hub.domain.late_changes import ACTIONS, ChangeAction, ChangeKind, Position
from hub.services.trolleys import pull_pack, view_trolley
from tests.services.late_change_world import KINDS, NUMBER, brought_to, change_of, line_of, told
from tests.services.small_world import TECHNICIAN, World, long_standing

K, P = ChangeKind, Position
# What stands in the ledger because of the change, apart from the line's or the patient's own fact.
NEW_FACTS = {
    K.STOP: {"order-changed"}, K.DOSE_CHANGE: {"line-decided"}, K.HOLD: {"line-decided"}, K.ALLERGY: {"line-decided"}, K.TRANSFER: {"patient-moved"},
    K.DISCHARGE: {"patient-discharged"}, K.DEATH: {"patient-died"},
}  # fmt: skip
# A cell: the dose, its first pack, that pack's job, and the facts. `→` joins what there was with what takes its place.
CALLED_OFF = ("cancelled", "never-made", "aborted", "dose-cancelled job-ended pack-never-made")
CAUGHT = ("cancelled", "revoked", "accepted", "dose-cancelled pack-revoked")
REVOKED = ("packed", "revoked", "done", "pack-revoked")
KEPT = ("packed", "same", "done", "")
ANEW = ("frozen", "revoked→expected", "done→queued", "pack-revoked")
INCIDENT = ("given", "given", "done", "incident-opened")
NOTED = ("given", "given", "done", "")
EVERY = dict.fromkeys
CELLS: dict[Position, dict[ChangeKind, tuple[str, str, str, str]]] = {
    P.PLANNED: {**EVERY(K, ("cancelled", "", "", "dose-cancelled")), K.TRANSFER: ("planned", "", "", "")},
    P.FROZEN: {**EVERY(K, CALLED_OFF), K.TRANSFER: ("frozen", "never-made→expected", "aborted→queued", "job-ended pack-never-made")},
    P.SENT: {**EVERY(K, CAUGHT), K.TRANSFER: ("frozen", "revoked", "accepted", "pack-revoked")},
    P.PACKED: {**EVERY(K, REVOKED), K.HOLD: KEPT, K.TRANSFER: ANEW},
    P.ON_TROLLEY: {**EVERY(K, REVOKED), K.HOLD: KEPT, K.TRANSFER: ANEW},
    P.ON_WARD: {**EVERY(K, REVOKED), K.HOLD: KEPT, K.TRANSFER: ("packed", "same", "done", "pack-follows")},
    P.GIVEN: {**EVERY(K, INCIDENT), K.TRANSFER: NOTED, K.DISCHARGE: NOTED},
}
SAME = {P.PACKED: "released", P.ON_TROLLEY: "loaded", P.ON_WARD: "received"}
MOVED = {P.PLANNED, P.FROZEN, P.SENT, P.PACKED, P.ON_TROLLEY, P.ON_WARD}


def doses_of(world: World, kind: ChangeKind) -> list[Any]:
    return sorted(world.all("doses", order=f"o-{kind.value}"), key=lambda dose: dose.version)


def packs_of(world: World, kind: ChangeKind) -> list[Any]:
    return sorted(world.all("packs", patient=f"p{NUMBER[kind]}"), key=lambda pack: pack.replaces is not None)


@pytest.mark.parametrize("position", Position)
def test_each_change_does_to_a_dose_there_what_the_table_says(world: World, position: Position) -> None:
    brought_to(world, position)
    for kind in KINDS:
        before = len(world.ledger())
        told(world, change_of(world, kind))
        facts = {entry["kind"] for entry in world.ledger()[before:]} - {"changes-received"}
        dose, pack, job, kinds = CELLS[position][kind]
        first, *later = doses_of(world, kind)
        packs = packs_of(world, kind)
        jobs = [world.get("jobs", each.job).state.value for each in packs]
        assert first.state.value == dose, (kind, first)
        assert "→".join(each.state.value for each in packs) == pack.replace("same", SAME.get(position, "")), kind
        assert "→".join(jobs) == job, kind
        planned_anew = {"dose-planned"} if later else set()
        assert facts == {*kinds.split(), *NEW_FACTS[kind], *planned_anew}, kind
        assert [(each.version, each.state.value, each.units) for each in later] == ([(2, "planned", 2)] if kind is K.DOSE_CHANGE and position is not P.GIVEN else [])
        assert (first.department == "Surgery") == (kind is K.TRANSFER and position in MOVED), kind


def test_the_table_has_every_cell_and_every_action_is_somebody_s() -> None:
    assert set(ACTIONS) == {(kind, position) for kind in ChangeKind for position in Position} and len(ACTIONS) == 49
    assert set(ACTIONS.values()) == set(ChangeAction)
    assert set(CELLS) == set(Position) and all(set(row) == set(ChangeKind) for row in CELLS.values())


def test_a_trolley_is_blocked_until_everything_on_its_pull_list_is_out(world: World) -> None:
    brought_to(world, P.ON_TROLLEY)
    told(world, *(change_of(world, kind) for kind in KINDS))
    (trolley,) = world.all("trolleys")
    pull = world.do(lambda unit: view_trolley(unit, trolley)).pull
    assert {pack.patient for pack in pull} == {f"p{number}" for number in range(1, 8)}, "the held and the moved one, too"
    for pack in pull:
        assert world.seal(trolley.id).code == "pull"
        world.do(lambda unit, pack=pack: pull_pack(unit, trolley.id, pack.serial), TECHNICIAN)
    assert world.seal(trolley.id).seal == "S1"
    assert len(world.facts("pack-pulled")) == 7
    held = packs_of(world, K.HOLD)[0]
    assert (held.state.value, held.in_drawer) == ("released", False), "kept back, good again when its order is resumed"


def test_a_held_pack_is_not_loaded_until_its_order_is_resumed(world: World) -> None:
    brought_to(world, P.PACKED)
    told(world, change_of(world, K.HOLD))
    (pack,) = packs_of(world, K.HOLD)
    assert world.load(pack).code == "on-hold"
    world.change(line=line_of(K.HOLD))
    assert not hasattr(world.load(pack), "code")


@pytest.mark.parametrize("position", [P.FROZEN, P.ON_WARD])
def test_the_same_changes_told_again_in_another_file_do_nothing_more(world: World, position: Position) -> None:
    brought_to(world, position)
    changes = [change_of(world, kind) for kind in KINDS]
    told(world, *changes)
    before = [world.all(table) for table in ("doses", "packs", "jobs", "incidents", "orders")]
    told(world, *changes)
    assert [world.all(table) for table in ("doses", "packs", "jobs", "incidents", "orders")] == before


def test_a_dose_given_well_before_the_change_is_only_a_fact(world: World) -> None:
    brought_to(world, P.GIVEN)
    world.now = world.now.replace(hour=9)
    told(world, *(change_of(world, kind) for kind in KINDS))
    assert world.all("incidents") == []


def test_a_dose_given_after_an_end_that_is_told_late_opens_an_incident_once(world: World) -> None:
    brought_to(world, P.GIVEN)
    world.now = world.now.replace(hour=10)
    late = change_of(world, K.STOP)
    told(world, replace(late, at=world.now.replace(hour=7)))
    told(world, replace(late, at=world.now.replace(hour=7)))
    assert [incident.kind for incident in world.all("incidents")] == ["given-after-change"]


@pytest.mark.parametrize("cut_first", [True, False])
def test_a_change_at_the_very_moment_of_the_cut_ends_the_same_whichever_is_first(world: World, cut_first: bool) -> None:
    ends = {K.STOP: [], K.ALLERGY: [], K.DISCHARGE: [], K.DEATH: [], K.HOLD: [], K.DOSE_CHANGE: [("Therapy", 2)], K.TRANSFER: [("Surgery", 1)]}
    brought_to(world, P.PLANNED)
    world.now = world.now.replace(minute=15)
    steps = [world.tick, lambda: told(world, *(change_of(world, kind) for kind in KINDS))]
    for step in steps if cut_first else reversed(steps):
        step()
    world.tick()
    world.machine.run_all()
    for kind in KINDS:
        live = [dose for dose in doses_of(world, kind) if dose.state.value == "packed"]
        assert [(dose.department, dose.units) for dose in live] == ends[kind], kind
        assert all(world.get("packs", dose.pack).department == dose.department for dose in live)


def aborts(world: World) -> list[Any]:
    return world.all("commands", kind="abort", done=False)


def test_a_machine_that_has_not_begun_is_asked_to_abort_and_nothing_is_left_to_do(world: World) -> None:
    brought_to(world, P.SENT)
    told(world, change_of(world, K.STOP))
    (command,) = aborts(world)
    payload = world.do(lambda unit: payload_of(unit, command, world.now))
    assert payload is not None and msgspec.json.decode(payload)["kind"] == "abort" and msgspec.json.decode(payload)["job"] == command.job
    assert command.id in {each.id for each in world.do(commands_on_the_way)}
    reserved = world.get("cassettes", 1).reserved
    world.machine.say("done", command.job, None, state="aborted")
    (pack,) = packs_of(world, K.STOP)
    assert pack.state.value == "never-made" and world.all("reviews", decision="") == [] and aborts(world) == []
    assert world.get("cassettes", 1).reserved == reserved - 1


@pytest.mark.parametrize("rc", ["BUSY", "ENDED"])
def test_a_machine_that_has_begun_goes_on_and_the_pouch_is_caught(world: World, rc: str) -> None:
    brought_to(world, P.SENT)
    told(world, change_of(world, K.ALLERGY))
    (command,) = aborts(world)
    job = world.get("jobs", command.job)
    world.machine.say("refused", job.id, None, command=command.id, rc=rc, reason="it has begun")
    assert aborts(world) == [] and world.all("reviews", decision="") == []
    assert world.machine.run(job).value != "PASS"
    assert packs_of(world, K.ALLERGY)[0].state.value == "revoked"


def test_a_run_that_was_aborted_before_the_machine_knew_it_leaves_nothing_to_do(world: World) -> None:
    brought_to(world, P.FROZEN)
    world.machine.fetch()
    told(world, change_of(world, K.STOP))
    (pack,) = packs_of(world, K.STOP)
    world.machine.say("refused", pack.job, None, command=f"run-{pack.job}", rc="ABORTED", reason="aborted before")
    assert packs_of(world, K.STOP)[0].state.value == "never-made" and aborts(world) == [] and world.all("reviews", decision="") == []


def test_a_pouch_with_another_dose_in_it_is_made_to_its_end(world: World) -> None:
    world.sheet(long_standing("a"), long_standing("b", drug="TWIN"))
    world.at("06:15")
    (job,) = world.machine.fetch()
    world.stop(long_standing("a"))
    assert aborts(world) == []
    world.machine.run(job)
    world.reject_all()
    assert world.pack_of("b").replaces == job.pack
