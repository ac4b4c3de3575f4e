"""An order or a patient's place changed, by a sheet or by a change of the day: what is on its way follows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from hub.domain.doses import DoseState, PlannedDose
from hub.domain.identifiers import PatientId
from hub.domain.late_changes import ChangeKind
from hub.domain.orders import LineState, Order, OrderLine, OrderStatus, SourceSettings, Stay
from hub.domain.packs import TERMINAL_PACK_STATES, PackState
from hub.domain.validation import is_excluded_department
from hub.services.house import House
from hub.services.late_deeds import Change, act_on
from hub.services.ports import UnitOfWork

ENDED_STATUSES = frozenset(
    {OrderStatus.STOPPED, OrderStatus.CANCELLED, OrderStatus.COMPLETED, OrderStatus.ENTERED_IN_ERROR}
)
Stays = Mapping[PatientId, Stay]


def is_same_line(line: OrderLine, before: Order) -> bool:
    """Tell whether a line says what it said before, wherever it stands now."""
    return replace(line, version=before.version, sheet=before.line.sheet, position=before.line.position) == before.line


def is_only_held(line: OrderLine, before: Order) -> bool:
    """Tell whether a line was put on hold and says nothing else new: its doses stay those of the same version."""
    return line.status is OrderStatus.ON_HOLD and is_same_line(replace(line, status=before.line.status), before)


def order_edited(unit: UnitOfWork, house: House, stays: Stays, before: Order, line: OrderLine, at: datetime) -> None:
    """Act on the doses of an order whose line says something else now; the line itself is decided by the caller."""
    doses = unit.doses.where(order=before.id)
    only_status = is_same_line(replace(line, status=before.line.status), before)
    if before.state is LineState.ON_HOLD and line.status is OrderStatus.ACTIVE and only_status:
        _carry_over(unit, before.version + 1, doses)
        return
    if line.status in ENDED_STATUSES:
        change = Change(ChangeKind.STOP, at, f"the order was {line.status.value}", house, stays)
    elif line.status is OrderStatus.ON_HOLD:
        change = Change(ChangeKind.HOLD, at, "the order was put on hold", house, stays)
    else:
        change = Change(ChangeKind.DOSE_CHANGE, at, "the order was changed", house, stays)
    act_on(unit, change, doses)


def _carry_over(unit: UnitOfWork, version: int, doses: list[PlannedDose]) -> None:
    """The order was resumed: what was kept of it is good again, under the order's new version."""
    for dose in doses:
        pack = unit.packs.get(dose.pack) if dose.pack is not None else None
        if pack is None or pack.state in TERMINAL_PACK_STATES or pack.state is PackState.REVOKED:
            continue
        if dose.state in (DoseState.FROZEN, DoseState.PACKED, DoseState.NOT_GIVEN):
            unit.doses.put(replace(dose, version=version))
            unit.record("dose-resumed", {"dose": dose.id, "version": version})


def stay_changed(
    unit: UnitOfWork, settings: SourceSettings, house: House, stays: Stays, before: Stay, stay: Stay, at: datetime
) -> None:
    """Act on the doses of a patient who was moved or discharged; `stays` tells of the new place already."""
    doses = unit.doses.where(patient=stay.patient)
    if stay.finished_at is not None:
        unit.record("patient-discharged", {"patient": stay.patient, "at": stay.finished_at.isoformat()})
        act_on(unit, Change(ChangeKind.DISCHARGE, at, "the patient was discharged", house, stays), doses)
        return
    unit.record(
        "patient-moved",
        {"patient": stay.patient, "from": before.department, "to": stay.department, "room": stay.room, "at": at.isoformat()},
    )
    if (before.department, before.room) == (stay.department, stay.room):
        return
    if is_excluded_department(stay.department, settings):
        reason = f"the patient moved to {stay.department}, which keeps its own procedure"
        act_on(unit, Change(ChangeKind.DISCHARGE, at, reason, house, stays), doses)
    elif not is_excluded_department(before.department, settings):
        reason = f"the patient moved to {stay.department}, room {stay.room}"
        act_on(unit, Change(ChangeKind.TRANSFER, at, reason, house, stays), doses)


def is_ours(stay: Stay, settings: SourceSettings) -> bool:
    """Tell whether doses are packed for a patient who lies there: not for one who left or whose ward keeps its own procedure."""
    return stay.finished_at is None and not is_excluded_department(stay.department, settings)
