"""What time alone does: cuts come, doses are missed, packs that nobody gave must come back."""

from dataclasses import replace
from datetime import datetime, timedelta

from hub.domain.doses import TERMINAL_DOSE_STATES, WARD_LANES, DoseState, PlannedDose
from hub.domain.late_changes import ChangeKind
from hub.domain.orders import IN_FORCE, LineState
from hub.domain.packs import JobState, Pack, PackState
from hub.services.call_off import call_off, withdraw
from hub.services.due_moves import move_announced
from hub.services.endings import doses_of, end_dose, move_pack
from hub.services.feeds import check_feeds
from hub.services.freeze_batches import freeze_due
from hub.services.house import House
from hub.services.late_deeds import Change, act_on
from hub.services.plan_day import plan_day
from hub.services.ports import UnitOfWork
from hub.services.reviews import open_review

MISSED_AFTER = timedelta(hours=4)
_ON_ITS_WAY = (
    PackState.PRODUCED, PackState.VERIFIED, PackState.QUARANTINED, PackState.RELEASED, PackState.LOADED, PackState.DISPATCHED,
)  # fmt: skip


def tick(unit: UnitOfWork, house: House) -> int:
    """Do what the clock asks for; returns how much was done. Safe to repeat at any time."""
    begun = end_announced(unit, house) + move_announced(unit, house) + plan_day(unit, house)
    return begun + freeze_due(unit, house) + miss_overdue(unit) + check_feeds(unit, house)


def end_announced(unit: UnitOfWork, house: House) -> int:
    """Stop the orders with an announced end that has come; returns how many. What of them was not given comes back."""
    due = unit.orders.where(state=list(IN_FORCE), below=("stopped_at", unit.now))
    stays = {stay.patient: stay for stay in unit.stays.where(patient=[order.patient for order in due])} if due else {}
    for order in due:
        assert order.stopped_at is not None
        unit.orders.put(replace(order, state=LineState.STOPPED))
        at = order.stopped_at.isoformat()
        unit.record("order-changed", {"order": order.id, "version": order.version, "state": "stopped", "at": at, "status": "announced", "sha256": None})
        change = Change(ChangeKind.STOP, order.stopped_at, f"the order ended at {at}", house, stays)
        act_on(unit, change, unit.doses.where(order=order.id))
    return len(due)


def miss_overdue(unit: UnitOfWork) -> int:
    """Miss the doses that nobody gave within four hours of their time; their packs must come back."""
    late: datetime = unit.now - MISSED_AFTER
    overdue = unit.doses.where(state=[DoseState.PLANNED, DoseState.FROZEN, DoseState.PACKED], below=("due", late))
    for dose in overdue:
        _miss(unit, dose)
    return len(overdue)


def _miss(unit: UnitOfWork, dose: PlannedDose) -> None:
    """Miss one dose: a pack that was released comes back and ends it then; what was never packed ends it now."""
    pack = unit.packs.get(dose.pack) if dose.pack is not None else None
    if pack is not None and pack.state is PackState.RECEIVED:
        _take_back(unit, pack, "not given in time")
        return
    if pack is not None:
        _stop_pack(unit, pack)
    if pack is None or dose.state is not DoseState.PACKED:
        withdraw(unit, dose)
        end_dose(unit, dose, DoseState.MISSED, "not made or not given within four hours of its time")


def _stop_pack(unit: UnitOfWork, pack: Pack) -> None:
    """Keep a late pack from going out: one that nobody has begun is called off, any other is revoked."""
    job = unit.jobs.get(pack.job) if pack.job is not None else None
    if pack.state is PackState.EXPECTED and (job is None or job.state in (JobState.QUEUED, JobState.REFUSED, JobState.ABORTED)):
        call_off(unit, pack, "not made in time")
    elif pack.state is PackState.EXPECTED:
        move_pack(unit, pack, PackState.REVOKED, "not made in time")
        open_review(unit, "job-late", pack.serial, "", ("The machine has not made this pouch in time.",))
    elif pack.state in _ON_ITS_WAY:
        move_pack(unit, pack, PackState.REVOKED, "not given in time")


def _take_back(unit: UnitOfWork, pack: Pack, reason: str) -> None:
    """Hold a pack at the ward: its doses were not given, and it must come back."""
    move_pack(unit, pack, PackState.HELD, reason)
    for dose in doses_of(unit, pack):
        if dose.state not in TERMINAL_DOSE_STATES and dose.lane not in WARD_LANES:
            unit.doses.put(replace(dose, state=DoseState.NOT_GIVEN, reason=reason))
            unit.record("dose-not-given", {"dose": dose.id, "reason": reason})
