"""A sheet comes in: every line gets one named outcome, and the doses of the day are planned."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hub.domain.doses import PlannedDose
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
    register(unit, desk, sheet.patients, sheet.stays)
    unit.imports.put(Import(sheet.sha256, sheet.source, sheet.name, "sheet", unit.now, len(sheet.lines)))
    unit.record(
        "sheet-received",
        {"sheet": sheet.name, "source": sheet.source, "sha256": sheet.sha256, "orders": len(sheet.lines)},
    )
    orders = decide_lines(unit, desk, sheet.lines)
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


def decide_lines(unit: UnitOfWork, desk: Desk, lines: Iterable[OrderLine], again: bool = False) -> list[Order]:
    """Give every line its outcome; an unchanged line keeps its version, a changed one (or one judged `again`) gets the next."""
    orders, facts = [], []
    for line in lines:
        before = unit.orders.get(line.id)
        version = before.version + 1 if again and before is not None else _version(line, before)
        order = _decided(unit, desk, replace(line, version=version))
        orders.append(order)
        facts.append(_fact(order, desk.settings))
    unit.orders.put_many(orders)
    unit.record_many("line-decided", facts)
    return orders


def _version(line: OrderLine, before: Order | None) -> int:
    if before is None:
        return 1
    same = replace(line, version=before.version, sheet=before.line.sheet, position=before.line.position) == before.line
    return before.version if same else before.version + 1


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


def _fact(order: Order, settings: SourceSettings) -> dict[str, Any]:
    return {
        "order": order.id, "version": order.version, "position": order.line.position, "source": settings.name,
        "outcome": order.outcome.value, "reasons": [{"rule": reason.rule, "text": reason.text, "source": reason.source} for reason in order.reasons],
        "checks": [{"name": check.name, "passed": check.passed, "text": check.text} for check in order.checks],
    }  # fmt: skip


def plan_orders(unit: UnitOfWork, desk: Desk, orders: Iterable[Order]) -> int:
    """Plan the doses of the day's window that are not planned yet; returns how many."""
    planned = [dose for order in orders for dose in doses_of_order(unit, desk, order)]
    planned.sort(key=trolley_order)
    unit.doses.put_many(planned)
    unit.record_many("dose-planned", [_planned_fact(dose) for dose in planned])
    return len(planned)


def doses_of_order(unit: UnitOfWork, desk: Desk, order: Order) -> tuple[PlannedDose, ...]:
    """Return the doses of one order in the day's window, from now on, that do not exist yet."""
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
    if order.version > 1:
        return tuple(dose for dose in doses if unit.doses.get(dose.id) is None)
    return (
        doses
        if not unit.doses.count(order=order.id)
        else tuple(dose for dose in doses if unit.doses.get(dose.id) is None)
    )


def _planned_fact(dose: PlannedDose) -> dict[str, Any]:
    return {
        "dose": dose.id, "order": dose.order, "version": dose.version, "patient": dose.patient, "drug": dose.drug, "due": dose.due.isoformat(),
        "slot": dose.slot, "lane": dose.lane.value, "units": fraction_text(dose.units),
    }  # fmt: skip
