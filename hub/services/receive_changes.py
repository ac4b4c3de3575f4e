"""Changes of the day: stops, edits, transfers and discharges act on doses wherever they are (`late_changes` says how)."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from hub.domain.doses import TERMINAL_DOSE_STATES, WARD_LANES, DoseState, PlannedDose
from hub.domain.identifiers import derived_id
from hub.domain.late_changes import ChangeAction, ChangeKind, action_for, position_of
from hub.domain.orders import LineState, Order, OrderLine, OrderSheet, OrderStatus, Outcome, SheetChange, Stay
from hub.domain.packs import JobState, Pack, PackState
from hub.domain.records import Import, Incident
from hub.domain.refusals import Refusal
from hub.domain.validation import is_excluded_department
from hub.services.endings import doses_of, end_dose, move_pack
from hub.services.house import House
from hub.services.machine_events import finish_command, release_reservations
from hub.services.make_packs import make_packs
from hub.services.pick_packs import forget_pick
from hub.services.ports import UnitOfWork
from hub.services.receive_sheet import Desk, decide_lines, open_desk, plan_orders, register

_ENDED = frozenset({OrderStatus.STOPPED, OrderStatus.CANCELLED, OrderStatus.COMPLETED, OrderStatus.ENTERED_IN_ERROR})


@dataclass(frozen=True, slots=True)
class ChangesResult:
    """What changes did: how many there were, and the outcomes of the order lines that were new."""

    changes: int
    orders: int
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Change:
    """One change as it acts on doses."""

    kind: ChangeKind
    at: datetime
    reason: str
    desk: Desk


def receive_changes(unit: UnitOfWork, sheet: OrderSheet, house: House) -> ChangesResult | Refusal:
    """Take in dated changes in the order of their times; the same content again is refused and changes nothing."""
    known = unit.imports.get(sheet.sha256)
    if known is not None:
        return Refusal(
            "known-sheet",
            f"{sheet.name}: the same content was taken in at {known.received_at.isoformat()} as {known.name}.",
        )
    desk = open_desk(unit, sheet.source, house)
    if isinstance(desk, Refusal):
        return desk
    unit.imports.put(Import(sheet.sha256, sheet.source, sheet.name, "changes", unit.now, len(sheet.changes)))
    new_orders = [order for change in sheet.changes if (order := _take(unit, desk, change)) is not None]
    return ChangesResult(
        len(sheet.changes), len(new_orders), dict(Counter(order.outcome.value for order in new_orders))
    )


def _take(unit: UnitOfWork, desk: Desk, change: SheetChange) -> Order | None:
    """Take one change; returns the order if it is a new one."""
    if change.patient is not None:
        register(unit, desk, (change.patient,), ())
    if change.stay is not None:
        _take_stay(unit, desk, change.stay, change.at)
    return _take_line(unit, desk, change.line, change.at) if change.line is not None else None


def _take_line(unit: UnitOfWork, desk: Desk, line: OrderLine, at: datetime) -> Order | None:
    before = unit.orders.get(line.id)
    if before is None:
        orders = decide_lines(unit, desk, [line])
        plan_orders(unit, desk, orders)
        return orders[0]
    if line.status in _ENDED:
        _stop(unit, desk, before, line, at)
        return None
    if replace(line, version=before.version, sheet=before.line.sheet, position=before.line.position) == before.line:
        return None
    held = line.status is OrderStatus.ON_HOLD
    kind = ChangeKind.HOLD if held else ChangeKind.DOSE_CHANGE
    _act_on(
        unit,
        Change(kind, at, "the order was put on hold" if held else "the order was changed", desk),
        unit.doses.where(order=line.id),
    )
    orders = decide_lines(unit, desk, [line])
    if not held:
        plan_orders(unit, desk, orders)
    return None


def _stop(unit: UnitOfWork, desk: Desk, before: Order, line: OrderLine, at: datetime) -> None:
    state = LineState.COMPLETED if line.status is OrderStatus.COMPLETED else LineState.STOPPED
    unit.orders.put(replace(before, state=state, stopped_at=at))
    unit.record(
        "order-changed",
        {
            "order": before.id,
            "version": before.version,
            "state": state.value,
            "at": at.isoformat(),
            "status": line.status.value,
        },
    )
    _act_on(
        unit, Change(ChangeKind.STOP, at, f"the order was {line.status.value}", desk), unit.doses.where(order=before.id)
    )


def _take_stay(unit: UnitOfWork, desk: Desk, stay: Stay, at: datetime) -> None:
    before = desk.stays.get(stay.patient)
    if before == stay:
        return
    register(unit, desk, (), (stay,))
    if before is None:
        return
    doses = unit.doses.where(patient=stay.patient)
    if stay.finished_at is not None:
        unit.record("patient-discharged", {"patient": stay.patient, "at": stay.finished_at.isoformat()})
        _act_on(unit, Change(ChangeKind.DISCHARGE, at, "the patient was discharged", desk), doses)
        return
    unit.record(
        "patient-moved",
        {
            "patient": stay.patient,
            "from": before.department,
            "to": stay.department,
            "room": stay.room,
            "at": at.isoformat(),
        },
    )
    if (before.department, before.room) == (stay.department, stay.room):
        return
    if is_excluded_department(stay.department, desk.settings):
        reason = f"the patient moved to {stay.department}, which keeps its own procedure"
        _act_on(unit, Change(ChangeKind.DISCHARGE, at, reason, desk), doses)
    elif not is_excluded_department(before.department, desk.settings):
        _act_on(
            unit,
            Change(ChangeKind.TRANSFER, at, f"the patient moved to {stay.department}, room {stay.room}", desk),
            doses,
        )
    if before.department != stay.department:
        _judge_again(unit, desk, stay, before)


def _judge_again(unit: UnitOfWork, desk: Desk, stay: Stay, before: Stay) -> None:
    """Decide the patient's orders anew where the move took them into or out of what is ours."""
    if is_excluded_department(stay.department, desk.settings) == is_excluded_department(
        before.department, desk.settings
    ):
        return
    orders = [
        order
        for order in unit.orders.where(patient=stay.patient)
        if order.state is LineState.ACTIVE or order.outcome is Outcome.EXCLUDED
    ]
    lines = [replace(order.line, version=order.version + 1) for order in orders]
    plan_orders(unit, desk, decide_lines(unit, desk, lines, again=True))


def _act_on(unit: UnitOfWork, change: Change, doses: Iterable[PlannedDose]) -> None:
    for listed in doses:
        dose = unit.doses.get(listed.id)
        if dose is None or (dose.state in TERMINAL_DOSE_STATES and dose.state is not DoseState.GIVEN):
            continue
        pack = unit.packs.get(dose.pack) if dose.pack is not None else None
        job = unit.jobs.get(pack.job) if pack is not None and pack.job is not None else None
        _DEEDS[action_for(change.kind, position_of(dose, pack, job))](unit, change, dose, pack)


Deed = Callable[[UnitOfWork, Change, PlannedDose, Pack | None], None]


def _cancel(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """Nothing of the dose exists: it is cancelled. A ward dose that was issued returns to the ward's stock."""
    if dose.state is DoseState.PACKED and dose.lane in WARD_LANES:
        end_dose(unit, dose, DoseState.RETURNED, f"{change.reason}: stays in the ward's stock")
    elif dose.state in (DoseState.PLANNED, DoseState.FROZEN):
        end_dose(unit, dose, DoseState.CANCELLED, change.reason)


def _drop(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """The pack is not being made yet: it is called off, and what else should have been in it is packed anew."""
    _cancel(unit, change, dose, pack)
    if pack is not None:
        _call_off(unit, pack, change.reason)
        _pack_again(unit, change, pack)


def _call_off(unit: UnitOfWork, pack: Pack, reason: str) -> None:
    if pack.job is None:
        forget_pick(unit, pack, reason)
        return
    job = unit.jobs.get(pack.job)
    assert job is not None
    release_reservations(unit, job)
    unit.jobs.put(replace(job, state=JobState.ABORTED, reason=reason))
    finish_command(unit, f"run-{job.id}")
    if pack.label_digest:
        unit.record("job-ended", {"job": job.id, "state": JobState.ABORTED.value, "reason": reason})
    move_pack(unit, pack, PackState.NEVER_MADE, reason)


def _pack_again(unit: UnitOfWork, change: Change, pack: Pack) -> None:
    """Make packs for the doses of a pack that died with another dose; they go by hand."""
    rest = [dose for dose in doses_of(unit, pack) if dose.state in (DoseState.FROZEN, DoseState.PACKED)]
    if rest:
        again = unit.packs.get(pack.serial)
        make_packs(
            unit,
            [replace(dose, stat=True, combine=False) for dose in rest],
            pack.batch,
            change.desk.house,
            remake_of=again,
        )


def _reroute(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """The patient moved before the pack was made: it is made anew with the new ward on its label."""
    _moved(unit, change, dose)
    if pack is not None:
        _call_off(unit, pack, change.reason)
        for other in doses_of(unit, pack):
            _moved(unit, change, other)
        _pack_again(unit, change, pack)
    elif dose.lane in WARD_LANES:
        _from_the_new_ward(unit, change, dose)


def _revoke_at_machine(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """The machine may be at it: the pouch is expected and fails at verification; other doses in it are made anew after that."""
    end_dose(unit, dose, DoseState.CANCELLED, change.reason)
    if pack is not None and pack.state is not PackState.REVOKED:
        move_pack(unit, pack, PackState.REVOKED, change.reason)


def _revoke(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """The pack exists: its serial is dead from now on, it comes back, and other doses in it are packed anew."""
    if pack is None:
        _cancel(unit, change, dose, pack)
        return
    if pack.state is not PackState.REVOKED:
        move_pack(unit, pack, PackState.REVOKED, change.reason)
    others = [
        other
        for other in doses_of(unit, pack)
        if other.id != dose.id and change.kind not in (ChangeKind.DISCHARGE, ChangeKind.DEATH)
    ]
    if others:
        again = unit.packs.get(pack.serial)
        make_packs(
            unit,
            [replace(other, stat=True, combine=False) for other in others],
            pack.batch,
            change.desk.house,
            remake_of=again,
        )


def _by_hand(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """The patient moved while the pack is in the pharmacy: it leaves its trolley and goes to the new ward by hand."""
    moved = _moved(unit, change, dose)
    if pack is not None:
        unit.packs.put(replace(pack, trolley=None, stat=True, department=moved.department, room=moved.room))
        unit.record("pack-rerouted", {"pack": pack.serial, "department": moved.department, "room": moved.room})


def _out_of_the_trolley(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """The patient moved while the pack lies in a drawer: still here, it is pulled and made anew; on its way, it is handed over."""
    if pack is None or pack.state is not PackState.LOADED:
        _by_nurses(unit, change, dose, pack)
        return
    for other in doses_of(unit, pack):
        _moved(unit, change, other)
    move_pack(unit, pack, PackState.REVOKED, change.reason)
    _pack_again(unit, change, pack)


def _by_nurses(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """The pack is on its way or on the ward: nurses hand it over; the bedside asks for patient and pack, not for the ward."""
    if dose.lane in WARD_LANES:
        _from_the_new_ward(unit, change, dose)
        return
    moved = _moved(unit, change, dose)
    if pack is not None:
        unit.packs.put(replace(pack, department=moved.department, room=moved.room))


def _from_the_new_ward(unit: UnitOfWork, change: Change, dose: PlannedDose) -> None:
    """A dose from ward stock is asked for again, for the new ward; what was issued stays in the old one."""
    moved = replace(_moved(unit, change, dose), stat=True)
    if dose.batch is not None:
        make_packs(unit, [moved], dose.batch, change.desk.house)


def _moved(unit: UnitOfWork, change: Change, dose: PlannedDose) -> PlannedDose:
    stay = change.desk.stays[dose.patient]
    moved = replace(dose, department=stay.department, room=stay.room, bed=stay.bed)
    unit.doses.put(moved)
    return moved


def _replan(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    if change.kind is ChangeKind.TRANSFER:
        _moved(unit, change, dose)
    else:
        _cancel(unit, change, dose, pack)


def _incident(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """A dose that was given although the order had ended by then is kept as a fact, and somebody must look."""
    if dose.due >= change.at:
        incident = Incident(
            derived_id("incident", dose.id, change.kind, digits=16),
            "given-after-change",
            f"given, but {change.reason}",
            unit.now,
            dose.id,
        )
        unit.incidents.put(incident)
        unit.record(
            "incident-opened", {"incident": incident.id, "kind": incident.kind, "dose": dose.id, "text": incident.text}
        )


def _nothing(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """Nothing is to be done; the bedside refuses what is on hold."""


_DEEDS: Mapping[ChangeAction, Deed] = {
    ChangeAction.CANCEL: _cancel,
    ChangeAction.WITHHOLD: _cancel,
    ChangeAction.REPLAN: _replan,
    ChangeAction.DROP_FROM_BATCH: _drop,
    ChangeAction.DROP_AND_REPLAN: _drop,
    ChangeAction.REROUTE: _reroute,
    ChangeAction.CANCEL_AT_MACHINE: _revoke_at_machine,
    ChangeAction.LET_FINISH_AND_KEEP: _revoke_at_machine,
    ChangeAction.LET_FINISH_AND_DIVERT: _by_hand,
    ChangeAction.REVOKE: _revoke,
    ChangeAction.RELABEL: _by_hand,
    ChangeAction.KEEP_BACK: _nothing,
    ChangeAction.REVOKE_AND_PULL: _revoke,
    ChangeAction.PULL_AND_KEEP: _nothing,
    ChangeAction.MOVE_TROLLEY: _out_of_the_trolley,
    ChangeAction.REVOKE_AND_RETURN: _revoke,
    ChangeAction.REFUSE_WHILE_HELD: _nothing,
    ChangeAction.HAND_OVER: _by_nurses,
    ChangeAction.INCIDENT_IF_AFTER: _incident,
    ChangeAction.NOTHING: _nothing,
}
