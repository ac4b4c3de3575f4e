"""Where the doses are that a late change lands on: counted before the change is taken, by the rules that will act on them."""

from collections import Counter
from collections.abc import Iterable

from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.domain.doses import TERMINAL_DOSE_STATES, DoseState, PlannedDose
from hub.domain.late_changes import ChangeKind, position_of
from hub.domain.orders import IN_FORCE, OrderStatus, SheetChange, SourceSettings, Stay
from hub.domain.validation import is_excluded_department
from hub.services.order_edits import ENDED_STATUSES, from_then_on, is_same_line

Positions = Counter[tuple[str, str]]


def positions_of(unit: SqlUnitOfWork, settings: SourceSettings, changes: Iterable[SheetChange]) -> Positions:
    """Count (kind of change, position) of every dose that a change will act on."""
    counted: Positions = Counter()
    for change in changes:
        kind, doses = _of_line(unit, change) if change.line is not None else _of_stay(unit, settings, change)
        if kind is not None:
            counted.update((kind.value, position) for dose in doses if (position := _position(unit, change, dose)))
    return counted


def _of_line(unit: SqlUnitOfWork, change: SheetChange) -> tuple[ChangeKind | None, list[PlannedDose]]:
    line = change.line
    before = unit.orders.get(line.id) if line is not None else None
    if line is None or before is None or before.state not in IN_FORCE:
        return None, []
    if line.status in ENDED_STATUSES:
        kind = ChangeKind.STOP
    elif is_same_line(line, before):
        return None, []
    else:
        kind = ChangeKind.HOLD if line.status is OrderStatus.ON_HOLD else ChangeKind.DOSE_CHANGE
    return kind, unit.doses.where(order=before.id)


def _of_stay(unit: SqlUnitOfWork, settings: SourceSettings, change: SheetChange) -> tuple[ChangeKind | None, list[PlannedDose]]:
    stay, before = change.stay, unit.stays.get(change.stay.patient) if change.stay is not None else None
    if stay is None or before is None:
        return None, []
    doses = unit.doses.where(patient=stay.patient)
    if stay.finished_at is not None and stay.finished_at != before.finished_at:
        return ChangeKind.DISCHARGE, from_then_on(doses, stay.finished_at, unit.now)
    if _place(stay) == _place(before) or is_excluded_department(before.department, settings):
        return None, []
    return ChangeKind.DISCHARGE if is_excluded_department(stay.department, settings) else ChangeKind.TRANSFER, doses


def _place(stay: Stay) -> tuple[str, str]:
    return stay.department, stay.room


def _position(unit: SqlUnitOfWork, change: SheetChange, dose: PlannedDose) -> str:
    """Return where a dose is; empty where it has ended, or was given before its change."""
    given = dose.state is DoseState.GIVEN
    if (given and dose.due < change.at) or (dose.state in TERMINAL_DOSE_STATES and not given):
        return ""
    pack = unit.packs.get(dose.pack) if dose.pack is not None else None
    job = unit.jobs.get(pack.job) if pack is not None and pack.job is not None else None
    return position_of(dose, pack, job).value
