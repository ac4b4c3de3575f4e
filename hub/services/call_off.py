"""What nobody has begun to make is called off: reservations, promises and requisitions shrink by it."""

from dataclasses import replace
from fractions import Fraction

from hub.domain.doses import WARD_LANES, DoseState, PlannedDose
from hub.domain.packs import JobState, Pack, PackState
from hub.services.endings import end_dose, move_pack
from hub.services.machine_events import release_reservations
from hub.services.outbox import finish_command
from hub.services.pick_packs import forget_pick
from hub.services.ports import UnitOfWork


def call_off(unit: UnitOfWork, pack: Pack, reason: str) -> None:
    """Call off a pack that is not being made yet, by the machine or by hand."""
    job = unit.jobs.get(pack.job) if pack.job is not None else None
    if job is None:
        forget_pick(unit, pack, reason)
        return
    if job.state is JobState.QUEUED:
        release_reservations(unit, job)
        unit.jobs.put(replace(job, state=JobState.ABORTED, reason=reason))
        finish_command(unit, f"run-{job.id}")
        if pack.label_digest:
            unit.record("job-ended", {"job": job.id, "state": JobState.ABORTED.value, "reason": reason})
    move_pack(unit, pack, PackState.NEVER_MADE, reason)


def cancel_dose(unit: UnitOfWork, dose: PlannedDose, reason: str) -> PlannedDose:
    """Cancel a dose of which nothing exists; a ward dose that was issued returns to the ward's stock."""
    if dose.lane in WARD_LANES and dose.state is DoseState.PACKED:
        return end_dose(unit, dose, DoseState.RETURNED, f"{reason}: stays in the ward's stock")
    withdraw(unit, dose)
    return end_dose(unit, dose, DoseState.CANCELLED, reason) if dose.state in (DoseState.PLANNED, DoseState.FROZEN) else dose


def withdraw(unit: UnitOfWork, dose: PlannedDose) -> None:
    """Take a ward dose out of the requisition that asks for it, if nobody has carried it yet; an empty one is closed."""
    if dose.lane not in WARD_LANES or dose.batch is None:
        return
    for requisition in unit.requisitions.where(batch=dose.batch, item=dose.drug, issued=False):
        if dose.id not in requisition.doses:
            continue
        rest = tuple(other for other in requisition.doses if other != dose.id)
        unit.requisitions.put(
            replace(requisition, doses=rest, units=requisition.units - dose.units, issued=not rest)
        )
        lot = unit.lots.get(requisition.lot)
        if lot is not None:
            unit.lots.put(replace(lot, promised=max(Fraction(0), lot.promised - dose.units)))
