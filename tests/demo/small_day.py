"""A small day by the real services: packs of every way, a doubt, stops before and after, a return; and its export, sealed anew at will."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import rfc8785

from hub.domain.doubts import Counting
from hub.domain.identifiers import UserId
from hub.domain.packs import PackJob, PackState
from hub.services.administer import BedsideScan, give, give_from_ward, not_given
from hub.services.reject_packs import Decision, decide_review
from hub.services.resolve_doubt import resolve_doubt
from hub.services.return_packs import packs_to_return, return_pack
from tests.services.small_world import NURSE, PACKAGER, PHARMACIST, TECHNICIAN, World, long_standing, order_line

Entries = list[dict[str, Any]]

STOPPED_EARLY, STOPPED_LATE, DOUBTED = order_line("g", 4), order_line("h", 4, "TWIN"), order_line("f", 3, "ALERT")
POWER_LOST = order_line("k", 3, "TWIN", units=2)
LINES = (
    long_standing("a", 1), long_standing("b", 1, "TWIN", units=2), order_line("c", 2, units="1/2"), order_line("d", 2, "AMP"),
    order_line("e", 3, "AMP", route="IM"), DOUBTED, POWER_LOST, STOPPED_EARLY, STOPPED_LATE, order_line("n", 2, route="smoke signal"),
    order_line("m", 2, units="100"),
)  # fmt: skip


def small_day(folder: Path) -> Entries:
    """Run the day on a hub in `folder` and return the entries of its ledger."""
    world = World(folder)
    try:
        _run(world)
        return world.ledger()
    finally:
        world.close()


def _run(world: World) -> None:
    world.sheet(*(replace(line, position=f"s line {number}") for number, line in enumerate(LINES, start=2)))
    world.stop(STOPPED_EARLY)
    world.change(line=order_line("i", 1, "ALERT", code="BID"))
    world.change(line=order_line("x", 1, "ALERT", route="smoke signal"))
    world.at("06:15")
    _make(world)
    world.pick_all()
    world.issue_all()
    _bring(world)
    world.stop(STOPPED_LATE)
    world.at("08:00")
    _round(world)
    for pack in world.do(packs_to_return):
        world.do(lambda unit, pack=pack: return_pack(unit, pack.serial, True), TECHNICIAN)
    for clock, days in (("14:00", 0), ("19:00", 0), ("06:00", 1), ("14:00", 1)):
        world.at(clock, days)
        _make(world)
        world.pick_all()
    for pack in world.do(packs_to_return):
        world.do(lambda unit, pack=pack: return_pack(unit, pack.serial, True), TECHNICIAN)


def _make(world: World) -> None:
    """Make every pouch; that of the doubted order is looked at by a person and accepted, and over one power is lost."""
    while jobs := world.machine.fetch():
        for job in jobs:
            if world.pack_of("k").serial == job.pack and job.replaces is None:
                _lose_power(world, job)
                continue
            if world.pack_of("f").serial != job.pack:
                world.machine.run(job)
                continue
            world.machine.run(job, read=[])
            (review,) = world.all("reviews", kind="pouch")
            told = Decision(review.id, True, job.pack, "counted", UserId(PHARMACIST))
            world.do(lambda unit, told=told: decide_review(unit, told, world.house), PHARMACIST)


def _lose_power(world: World, job: PackJob) -> None:
    """Lose power while two tablets fall: one is found, the pouch is destroyed and made anew."""
    say, fill = world.machine.say, job.fills[0]
    say("stopped", job.id, 0, reason="in-doubt")
    told = Counting(PACKAGER, job.id, world.machine.boot, world.machine.number, 1, "one in the pouch", UserId(TECHNICIAN))
    world.do(lambda unit: resolve_doubt(unit, told), TECHNICIAN)
    say("resolved", job.id, 0, cassette=fill.cassette, asked=fill.count, counted=1, remaining=0)
    say("diverted", job.id, 0, verdict="NONE")
    say("done", job.id, 0, state="diverted")
    world.reject_all()


def _bring(world: World) -> None:
    """Bring every released pack to its ward, by trolley or by hand."""
    released = world.all("packs", state=PackState.RELEASED)
    for pack in released:
        if pack.trolley is None:
            world.hand(pack)
        else:
            world.load(pack)
    for trolley in sorted({str(pack.trolley) for pack in released if pack.trolley is not None}):
        for step in (world.seal, world.dispatch, world.receive):
            step(trolley)


def _round(world: World) -> None:
    """Give what has been received, one of it after its patient had slept, and what the ward has in stock."""
    asleep = BedsideScan("W-2", world.pack_of("c").serial)
    world.do(lambda unit: not_given(unit, asleep, "asleep"), NURSE)
    for pack in world.all("packs", state=[PackState.RECEIVED, PackState.HELD]):
        scan = BedsideScan(f"W-{pack.patient[1:]}", pack.serial)
        world.do(lambda unit, scan=scan: give(unit, scan, world.house), NURSE)
    dose = world.dose("e")
    from_ward = BedsideScan("W-3", dose=dose.id, source_code="AMP-F1")
    world.do(lambda unit: give_from_ward(unit, from_ward, world.house), NURSE)


def sealed(entries: Entries) -> bytes:
    """Number and seal entries anew with an RFC 8785 library of other people: an export whose chain holds whatever it tells."""
    lines, prev = [], "0" * 64
    for seq, told in enumerate(entries, start=1):
        entry = {**{name: told[name] for name in ("at", "actor", "kind", "data")}, "seq": seq, "prev": prev}
        prev = hashlib.sha256(rfc8785.dumps(entry)).hexdigest()
        lines.append(rfc8785.dumps({**entry, "hash": prev}) + b"\n")
    return b"".join(lines)


def changed(entries: Entries, kind: str, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Entries:
    """Return entries of which those of one kind are what `change` makes of them; None leaves one out."""
    new = ((change(entry) if entry["kind"] == kind else entry) for entry in entries)
    return [entry for entry in new if entry is not None]


def with_data(**members: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a change that sets members of an entry's data."""
    return lambda entry: {**entry, "data": {**entry["data"], **members}}
