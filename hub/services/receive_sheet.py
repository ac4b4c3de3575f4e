"""A sheet comes in: every line gets one named outcome, and the doses of the day are planned."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hub.domain.doses import DoseState, PlannedDose
from hub.domain.drugs import Drug
from hub.domain.identifiers import DrugCode, PatientId
from hub.domain.orders import (
    LineDecision,
    LineState,
    Order,
    OrderLine,
    OrderSheet,
    OrderStatus,
    Outcome,
    Patient,
    Reason,
    SourceSettings,
    Stay,
)
from hub.domain.planning import plan_line, trolley_order
from hub.domain.quantities import fraction_text
from hub.domain.records import Import
from hub.domain.refusals import Refusal
from hub.domain.schedule import Schedule, schedule_for
from hub.domain.validation import decide_line
from hub.services.house import House
from hub.services.order_edits import is_only_held, is_same_line, order_edited, stay_changed
from hub.services.ports import UnitOfWork

STATE_OF_OUTCOME: Mapping[Outcome, LineState] = {
    Outcome.SCHEDULED: LineState.ACTIVE,
    Outcome.ONCE: LineState.ACTIVE,
    Outcome.PRN: LineState.ACTIVE,
    Outcome.NOT_PACKABLE: LineState.ACTIVE,
    Outcome.NEEDS_REVIEW: LineState.NEEDS_REVIEW,
    Outcome.REJECTED: LineState.REJECTED,
    Outcome.EXCLUDED: LineState.EXCLUDED,
}


@dataclass(frozen=True, slots=True)
class SheetResult:
    """What became of a sheet: `outcomes` sums to `orders`."""

    orders: int
    outcomes: Mapping[str, int]
    planned: int


@dataclass(frozen=True, slots=True)
class Desk:
    """What is looked up again and again while lines are decided and planned."""

    house: House
    settings: SourceSettings
    drugs: Mapping[DrugCode, Drug]
    with_cassette: frozenset[DrugCode]
    patients: dict[PatientId, Patient]
    stays: dict[PatientId, Stay]
    window: tuple[datetime, datetime]


def open_desk(unit: UnitOfWork, source: str, house: House) -> Desk | Refusal:
    """Read directory, cassettes, patients and stays once; refuse a source that nobody has set up."""
    settings = house.sources.get(source)
    if settings is None:
        return Refusal(
            "unknown-source", f"Nobody has set up the source '{source}'; known are {', '.join(sorted(house.sources))}."
        )
    return Desk(
        house=house,
        settings=settings,
        drugs={drug.code: drug for drug in unit.drugs.where()},
        with_cassette=frozenset(cassette.item for cassette in unit.cassettes.where()),
        patients={patient.id: patient for patient in unit.patients.where()},
        stays={stay.patient: stay for stay in unit.stays.where()},
        window=house.day_window(unit.now),
    )


def receive_sheet(unit: UnitOfWork, sheet: OrderSheet, house: House) -> SheetResult | Refusal:
    """Take in a sheet once; the same content again is refused as known and changes nothing."""
    known = unit.imports.get(sheet.sha256)
    if known is not None:
        return Refusal(
            "known-sheet",
            f"{sheet.name}: the same content was taken in at {known.received_at.isoformat()} as {known.name}.",
        )
    desk = open_desk(unit, sheet.source, house)
    if isinstance(desk, Refusal):
        return desk
    moves = [(before, stay) for stay in sheet.stays if (before := desk.stays.get(stay.patient)) not in (None, stay)]
    register(unit, desk, sheet.patients, sheet.stays)
    for before, stay in moves:
        if before is not None:
            stay_changed(unit, desk.settings, house, desk.stays, before, stay, unit.now)
    unit.imports.put(Import(sheet.sha256, sheet.source, sheet.name, "sheet", unit.now, len(sheet.lines)))
    unit.record(
        "sheet-received",
        {"sheet": sheet.name, "source": sheet.source, "sha256": sheet.sha256, "orders": len(sheet.lines)},
    )
    known_orders = {order.id: order for order in unit.orders.where(id=[line.id for line in sheet.lines])}
    for line in sheet.lines:
        before_it = known_orders.get(line.id)
        if before_it is not None and not is_same_line(line, before_it):
            order_edited(unit, house, desk.stays, before_it, line, unit.now)
    orders = decide_lines(unit, desk, sheet.lines, sheet.sha256)
    planned = plan_orders(unit, desk, orders)
    return SheetResult(len(orders), dict(Counter(order.outcome.value for order in orders)), planned)


def register(unit: UnitOfWork, desk: Desk, patients: Iterable[Patient], stays: Iterable[Stay]) -> None:
    """Enter patients and where they lie; allergies that are known already stay known."""
    for patient in patients:
        before = desk.patients.get(patient.id)
        allergies = patient.allergies if patient.allergies is not None or before is None else before.allergies
        desk.patients[patient.id] = replace(patient, allergies=allergies)
    for stay in stays:
        desk.stays[stay.patient] = stay
    unit.patients.put_many(desk.patients[patient.id] for patient in patients)
    unit.stays.put_many(stays)


def decide_lines(unit: UnitOfWork, desk: Desk, lines: Iterable[OrderLine], sha256: str | None) -> list[Order]:
    """Give every line its outcome; an unchanged line keeps its version, a changed one gets the next.

    `sha256` names the file that brought the lines; None where known lines are judged again, which gives them the next version.
    A line that was stopped and comes again unchanged stays stopped: an older list must not bring an order back.
    """
    orders, facts = [], []
    for line in lines:
        before = unit.orders.get(line.id)
        version = before.version + 1 if sha256 is None and before is not None else _version(line, before)
        order = _decided(unit, desk, replace(line, version=version))
        if before is not None and before.version == version:
            order = _as_before(order, before)
        orders.append(order)
        facts.append(_fact(order, desk.settings, sha256))
    unit.orders.put_many(orders)
    unit.record_many("line-decided", facts)
    return orders


def _version(line: OrderLine, before: Order | None) -> int:
    if before is None:
        return 1
    return before.version if is_same_line(line, before) or is_only_held(line, before) else before.version + 1


def _as_before(order: Order, before: Order) -> Order:
    """Return an order that the same line is decided to be: stopped ones stay so, one that is ours now gets new doses."""
    if before.state in (LineState.STOPPED, LineState.COMPLETED):
        stopped = Reason("status", f"the order is {before.state.value} and the line says nothing new", "changes of the day")
        return replace(order, outcome=Outcome.REJECTED, state=before.state, reasons=(stopped,), stopped_at=before.stopped_at)
    if before.state is LineState.EXCLUDED and order.state is not LineState.EXCLUDED:
        return replace(order, version=order.version + 1, line=replace(order.line, version=order.version + 1))
    return order


def _decided(unit: UnitOfWork, desk: Desk, line: OrderLine) -> Order:
    patient, house = desk.patients.get(line.patient), desk.house
    if patient is None:
        patient = Patient(line.patient, "", "", "", None)
    decision = decide_line(
        line,
        patient,
        desk.stays.get(line.patient),
        desk.drugs,
        house.frequencies,
        house.slots,
        desk.settings,
        unit.now,
        unit.now,
    )
    return Order(
        id=line.id, version=line.version, line=line, outcome=decision.outcome, state=_state(line, decision), reasons=decision.reasons,
        patient=line.patient, decided_at=unit.now, checks=decision.checks,
    )  # fmt: skip


def _state(line: OrderLine, decision: LineDecision) -> LineState:
    state = STATE_OF_OUTCOME[decision.outcome]
    return LineState.ON_HOLD if state is LineState.ACTIVE and line.status is OrderStatus.ON_HOLD else state


def _fact(order: Order, settings: SourceSettings, sha256: str | None) -> dict[str, Any]:
    return {
        "order": order.id, "version": order.version, "sheet": order.line.sheet, "sha256": sha256, "position": order.line.position, "source": settings.name,
        "outcome": order.outcome.value, "reasons": [{"rule": reason.rule, "text": reason.text, "source": reason.source} for reason in order.reasons],
        "checks": [{"name": check.name, "passed": check.passed, "text": check.text} for check in order.checks],
    }  # fmt: skip


def plan_orders(unit: UnitOfWork, desk: Desk, orders: Iterable[Order]) -> int:
    """Plan the doses of the day's window that are not planned yet; returns how many."""
    doses = {dose.id: dose for order in orders for dose in doses_of_order(unit, desk, order)}
    planned = sorted(doses.values(), key=trolley_order)
    unit.doses.put_many(planned)
    unit.record_many("dose-planned", [_planned_fact(dose) for dose in planned])
    return len(planned)


def doses_of_order(unit: UnitOfWork, desk: Desk, order: Order) -> tuple[PlannedDose, ...]:
    """Return the doses of one order in the day's window, from now on, that do not exist yet.

    What an earlier version gave for the same time is not given again.
    """
    stay, drug, house = desk.stays.get(order.patient), desk.drugs.get(order.line.drug), desk.house
    if stay is None or drug is None or order.line.timing is None:
        return ()
    schedule = schedule_for(order.line.timing, house.frequencies, stay.department, house.slots)
    if not isinstance(schedule, Schedule):
        return ()
    start, end = max(desk.window[0], unit.now), desk.window[1]
    doses = plan_line(
        order, drug, schedule, stay, desk.settings, house.slots, start, end, house.zone,
        has_cassette=drug.code in desk.with_cassette, last_confirmed_at=unit.now,
    )  # fmt: skip
    known = unit.doses.where(order=order.id)
    taken = {dose.due for dose in known if dose.version == order.version or dose.state is DoseState.GIVEN}
    return tuple(dose for dose in doses if dose.due not in taken)


def _planned_fact(dose: PlannedDose) -> dict[str, Any]:
    return {
        "dose": dose.id, "order": dose.order, "version": dose.version, "patient": dose.patient, "drug": dose.drug, "due": dose.due.isoformat(),
        "slot": dose.slot, "lane": dose.lane.value, "units": fraction_text(dose.units),
    }  # fmt: skip
