"""Cut times: a slot's doses are frozen into packs when its cut has come; what is later goes at once, as STAT."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from hub.domain.doses import DoseState, PlannedDose
from hub.domain.identifiers import BatchId, derived_id
from hub.domain.orders import LineState, Order, Stay, has_ended
from hub.domain.planning import trolley_order
from hub.domain.records import Batch
from hub.domain.schedule import cut_of
from hub.services.endings import end_dose
from hub.services.house import House
from hub.services.make_packs import make_packs
from hub.services.order_edits import is_here
from hub.services.ports import UnitOfWork
from hub.services.trolleys import ensure_trolley


def freeze_due(unit: UnitOfWork, house: House) -> int:
    """Freeze every slot whose cut has come and every STAT dose that is planned; returns how many doses were frozen."""
    frozen = 0
    by_slot: dict[tuple[str, date], list[PlannedDose]] = {}
    for dose in _may_be_due(unit, house):
        by_slot.setdefault((dose.slot, house.slot_day(dose)), []).append(dose)
    for (slot, day), doses in by_slot.items():
        cut_at = cut_of(house.slot_named(slot), day, house.zone)
        if unit.now >= cut_at:
            frozen += _freeze_slot(unit, house, slot, day, cut_at, _wanted(unit, doses))
        else:
            frozen += _freeze_stat(unit, house, _wanted(unit, [dose for dose in doses if dose.stat]))
    return frozen


def _may_be_due(unit: UnitOfWork, house: House) -> list[PlannedDose]:
    """Return the planned doses of the slots with a cut that has come, and every planned STAT dose.

    Days are long and ticks are many: of a slot whose cut is still to come only the first dose is read.
    """
    found = {dose.id: dose for dose in unit.doses.where(state=DoseState.PLANNED, stat=True)}
    for slot in house.slots:
        for first in unit.doses.where(state=DoseState.PLANNED, slot=slot.name, order_by="due", limit=1):
            if unit.now >= cut_of(slot, house.slot_day(first), house.zone):
                found |= {dose.id: dose for dose in unit.doses.where(state=DoseState.PLANNED, slot=slot.name)}
    return list(found.values())


def _freeze_slot(
    unit: UnitOfWork, house: House, slot: str, day: date, cut_at: datetime, doses: Sequence[PlannedDose]
) -> int:
    batch_id = house.batch_id(slot, day)
    if unit.batches.get(batch_id) is not None:
        return _freeze_stat(unit, house, [_late(dose) for dose in doses])
    unit.batches.put(Batch(batch_id, slot, day, cut_at, unit.now))
    unit.record("batch-frozen", {"batch": batch_id, "cut": cut_at.isoformat(), "doses": len(doses)})
    for dose in doses:
        if not dose.stat:
            ensure_trolley(unit, house.new_trolley(dose))
    make_packs(unit, sorted(doses, key=trolley_order), batch_id, house)
    return len(doses)


def _wanted(unit: UnitOfWork, doses: Sequence[PlannedDose]) -> list[PlannedDose]:
    """Return the doses whose order and patient still want them; any other is cancelled, whatever should have done so before."""
    orders = {order.id: order for order in unit.orders.where(id=sorted({dose.order for dose in doses}))}
    stays = {stay.patient: stay for stay in unit.stays.where(patient=sorted({dose.patient for dose in doses}))}
    wanted = []
    for dose in doses:
        reason = _unwanted(dose, orders.get(dose.order), stays.get(dose.patient))
        if reason:
            end_dose(unit, dose, DoseState.CANCELLED, reason)
        else:
            wanted.append(dose)
    return wanted


def _unwanted(dose: PlannedDose, order: Order | None, stay: Stay | None) -> str:
    if order is None or order.state is not LineState.ACTIVE:
        return f"the order is {order.state.value if order is not None else 'unknown'} when its doses are packed"
    if order.version != dose.version:
        return "the order was changed before its dose was packed"
    if has_ended(order, dose.due):
        return "the order ends before the dose is due"
    if stay is None or not is_here(stay, dose.due):
        return "the patient leaves before the dose is due"
    return ""


def _late(dose: PlannedDose) -> PlannedDose:
    """A dose that came after its slot's cut goes the STAT way."""
    return replace(dose, stat=True, combine=False)


def _freeze_stat(unit: UnitOfWork, house: House, doses: Sequence[PlannedDose]) -> int:
    if not doses:
        return 0
    batch_id = BatchId(f"stat-{derived_id('stat', *sorted(dose.id for dose in doses), digits=12)}")
    unit.batches.put(Batch(batch_id, "stat", house.day_of(unit.now), unit.now, unit.now))
    unit.record("batch-frozen", {"batch": batch_id, "cut": unit.now.isoformat(), "doses": len(doses)})
    make_packs(unit, sorted(doses, key=trolley_order), batch_id, house)
    return len(doses)
