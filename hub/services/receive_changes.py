"""Changes of the day: stops, edits, transfers and discharges act on doses wherever they are (`late_changes` says how)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from hub.domain.doses import DoseState
from hub.domain.late_changes import ChangeKind
from hub.domain.orders import LineState, Order, OrderLine, OrderSheet, OrderStatus, SheetChange, Stay
from hub.domain.records import Import
from hub.domain.refusals import Refusal
from hub.services.house import House
from hub.services.late_deeds import Change, act_on
from hub.services.order_edits import (
    ENDED_STATUSES,
    from_then_on,
    is_here,
    is_ours,
    is_same_line,
    order_edited,
    stay_changed,
)
from hub.services.ports import UnitOfWork
from hub.services.receive_sheet import Desk, decide_lines, judge_for_allergies, open_desk, plan_orders, register

_IN_FORCE_OR_NOT_OURS = (LineState.ACTIVE, LineState.ON_HOLD, LineState.EXCLUDED)


@dataclass(frozen=True, slots=True)
class ChangesResult:
    """What changes did: how many there were, and the outcomes of the order lines that were new."""

    changes: int
    orders: int
    outcomes: Mapping[str, int]


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
    with_line = sum(change.line is not None for change in sheet.changes)
    unit.record(
        "changes-received",
        {"changes": sheet.name, "source": sheet.source, "sha256": sheet.sha256, "entries": len(sheet.changes), "orders": with_line},
    )
    new_orders = [order for change in sheet.changes if (order := _take(unit, desk, change, sheet.sha256)) is not None]
    return ChangesResult(
        len(sheet.changes), len(new_orders), dict(Counter(order.outcome.value for order in new_orders))
    )


def _take(unit: UnitOfWork, desk: Desk, change: SheetChange, sha256: str) -> Order | None:
    """Take one change; returns the order if it is a new one."""
    if change.patient is not None:
        judge_for_allergies(unit, desk, register(unit, desk, (change.patient,), ()))
    if change.stay is not None:
        _take_stay(unit, desk, change.stay, change.at)
    return _take_line(unit, desk, change.line, change.at, sha256) if change.line is not None else None


def _take_line(unit: UnitOfWork, desk: Desk, line: OrderLine, at: datetime, sha256: str) -> Order | None:
    """Decide a line that is new or says something new; every other one leaves a fact that names its place in the file, too."""
    before = unit.orders.get(line.id)
    if before is None:
        orders = decide_lines(unit, desk, [line], sha256)
        plan_orders(unit, desk, orders)
        return orders[0]
    if line.status in ENDED_STATUSES:
        _stop(unit, desk, before, line, at, sha256)
    elif not is_same_line(line, before):
        order_edited(unit, desk.house, desk.stays, before, line, at)
        plan_orders(unit, desk, decide_lines(unit, desk, [line], sha256))
    else:
        unit.record("order-unchanged", {"order": before.id, "version": before.version, **_place(line, sha256)})
    return None


def _place(line: OrderLine, sha256: str) -> dict[str, str]:
    return {"sheet": line.sheet, "sha256": sha256, "position": line.position}


def _stop(unit: UnitOfWork, desk: Desk, before: Order, line: OrderLine, at: datetime, sha256: str) -> None:
    """End an order at its time: one that ends later than now stays in force until then, and loses the doses from then on."""
    ended = LineState.COMPLETED if line.status is OrderStatus.COMPLETED else LineState.STOPPED
    state = ended if at <= unit.now else before.state
    unit.orders.put(replace(before, state=state, stopped_at=at))
    unit.record(
        "order-changed",
        {
            "order": before.id, "version": before.version, "state": state.value, "at": at.isoformat(), "status": line.status.value,
            **_place(line, sha256),
        },
    )  # fmt: skip
    change = Change(ChangeKind.STOP, at, f"the order was {line.status.value}", desk.house, desk.stays)
    act_on(unit, change, from_then_on(unit.doses.where(order=before.id), at, unit.now))


def _take_stay(unit: UnitOfWork, desk: Desk, stay: Stay, at: datetime) -> None:
    before = desk.stays.get(stay.patient)
    if before == stay:
        return
    register(unit, desk, (), (stay,))
    if before is None:
        return
    stay_changed(unit, desk.settings, desk.house, desk.stays, before, stay, at)
    if not is_here(stay, unit.now):
        return
    if _leaves_later(before, stay) or is_ours(before, desk.settings, unit.now) != is_ours(stay, desk.settings, unit.now):
        _judge_again(unit, desk, stay, at)


def _leaves_later(before: Stay, stay: Stay) -> bool:
    """Tell whether a discharge was put off or taken back: the doses that it took away are wanted again."""
    return before.finished_at is not None and (stay.finished_at is None or stay.finished_at > before.finished_at)


def _judge_again(unit: UnitOfWork, desk: Desk, stay: Stay, at: datetime) -> None:
    """Decide the patient's orders anew under their next version; what is on its way under the old one is made anew."""
    again = Change(ChangeKind.DOSE_CHANGE, at, "the patient's orders were judged anew", desk.house, desk.stays)
    act_on(unit, again, [dose for dose in unit.doses.where(patient=stay.patient) if dose.state is not DoseState.GIVEN])
    orders = unit.orders.where(patient=stay.patient, state=list(_IN_FORCE_OR_NOT_OURS))
    plan_orders(unit, desk, decide_lines(unit, desk, [order.line for order in orders], None))
