"""The senior nurse's queue: every rejected line waits for its department until a corrected one comes, or a person closes it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hub.domain.identifiers import PatientId, UserId, derived_id
from hub.domain.line_diff import line_diff
from hub.domain.orders import Order, Outcome, Patient, Reason, Stay
from hub.domain.refusals import Refusal
from hub.domain.returned_lines import (
    CORRECTED,
    NOTHING_TO_CORRECT,
    OPEN_RETURNS,
    RETURNED_AGAIN,
    ErrorCount,
    ReturnedLine,
    ReturnState,
    asks_for_nothing,
    correction_of,
    error_counts,
    is_corrected_by,
)
from hub.domain.validation import unsupported_reasons
from hub.services.house import House
from hub.services.ports import UnitOfWork

MOST_ROWS = 1000
MOST_DAYS = 92
MOST_COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class Ward:
    """Who lies where, as the desk knows it."""

    patients: Mapping[PatientId, Patient]
    stays: Mapping[PatientId, Stay]


def sort_returns(unit: UnitOfWork, ward: Ward, orders: Sequence[Order]) -> None:
    """Put rejected orders into the queue, and close what accepted ones correct; an order that is returned already is not returned twice."""
    _return(unit, ward, [order for order in orders if order.outcome is Outcome.REJECTED])
    _close_corrected(unit, [order for order in orders if order.outcome not in (Outcome.REJECTED, Outcome.NEEDS_REVIEW)])


def _return(unit: UnitOfWork, ward: Ward, rejected: Sequence[Order]) -> None:
    lines = {line.id: line for order in rejected for line in [_returned(unit, ward, order)]}
    known = {line.id for line in unit.returned_lines.where(id=list(lines))} if lines else set()
    new = [line for key, line in lines.items() if key not in known]
    _close_older(unit, [order for order in rejected if derived_id("returned", order.id, order.version, digits=16) not in known])
    unit.returned_lines.put_many(new)
    unit.record_many("line-returned", [_fact(line) for line in new])


def _close_older(unit: UnitOfWork, returned_again: Sequence[Order]) -> None:
    """Close what waits of an order whose newer version is returned: one line waits at a time."""
    again = {order.id: order for order in returned_again if order.version > 1}
    for line in unit.returned_lines.where(state=list(OPEN_RETURNS), order=list(again)) if again else ():
        _close(unit, line, None, RETURNED_AGAIN, again[line.order])


def _returned(unit: UnitOfWork, ward: Ward, order: Order) -> ReturnedLine:
    patient, stay = ward.patients.get(order.patient), ward.stays.get(order.patient)
    done = asks_for_nothing(order)
    return ReturnedLine(
        id=derived_id("returned", order.id, order.version, digits=16), order=order.id, version=order.version, line=order.line, reasons=order.reasons,
        patient=order.patient, code=patient.code if patient is not None else "", department=stay.department if stay is not None else "",
        room=stay.room if stay is not None else "", bed=stay.bed if stay is not None else "", nurse=order.line.signed_by.strip(),
        returned_at=unit.now, state=ReturnState.CLOSED if done else ReturnState.OPEN, closed_at=unit.now if done else None,
        closed_because=NOTHING_TO_CORRECT if done else "",
    )  # fmt: skip


def _fact(line: ReturnedLine) -> dict[str, Any]:
    return {
        "returned": line.id, "order": line.order, "version": line.version, "department": line.department, "nurse": line.nurse, "place": line.place,
        "rules": [reason.rule for reason in line.reasons], "state": line.state.value, "because": line.closed_because,
    }  # fmt: skip


def _close_corrected(unit: UnitOfWork, accepted: Sequence[Order]) -> None:
    if not accepted or not unit.returned_lines.count(state=list(OPEN_RETURNS)):
        return
    by_patient: dict[PatientId, list[Order]] = {}
    for order in accepted:
        by_patient.setdefault(order.patient, []).append(order)
    for line in unit.returned_lines.where(state=list(OPEN_RETURNS), patient=list(by_patient), order_by="id"):
        correction = next((order for order in by_patient[line.patient] if is_corrected_by(line, order)), None)
        if correction is not None:
            _close(unit, line, None, CORRECTED, correction)


def _close(unit: UnitOfWork, line: ReturnedLine, by: UserId | None, because: str, correction: Order | None = None) -> ReturnedLine:
    closed = replace(
        line, state=ReturnState.CLOSED, closed_at=unit.now, closed_by=by, closed_because=because,
        corrected_by=correction.id if correction is not None else None,
    )  # fmt: skip
    unit.returned_lines.put(closed)
    changed = [change.told() for change in line_diff(line.line, correction.line)] if correction is not None else []
    unit.record("return-closed", {"returned": line.id, "order": line.order, "because": because, "corrected_by": closed.corrected_by, "changed": changed})
    return closed


def mark_seen(unit: UnitOfWork, returned: str, by: UserId) -> ReturnedLine | Refusal:
    """Mark a returned line as seen by the senior nurse; again changes nothing."""
    line = _open_line(unit, returned)
    if isinstance(line, Refusal) or line.seen_by is not None:
        return line
    seen = replace(line, state=ReturnState.SEEN, seen_by=by, seen_at=unit.now)
    unit.returned_lines.put(seen)
    unit.record("return-seen", {"returned": line.id, "order": line.order, "by": by})
    return seen


def pass_on(unit: UnitOfWork, returned: str, to: str, by: UserId) -> ReturnedLine | Refusal:
    """Write down to whom a returned line was passed on for its correction."""
    line = _open_line(unit, returned)
    if isinstance(line, Refusal):
        return line
    if not to.strip():
        return Refusal("to", "Say to whom the line was passed on.", "Укажите, кому передана строка.")
    passed = replace(line, state=ReturnState.PASSED_ON, passed_to=to.strip(), seen_by=line.seen_by or by, seen_at=line.seen_at or unit.now)
    unit.returned_lines.put(passed)
    unit.record("return-passed-on", {"returned": line.id, "order": line.order, "to": passed.passed_to, "by": by})
    return passed


def close_return(unit: UnitOfWork, returned: str, reason: str, by: UserId) -> ReturnedLine | Refusal:
    """Close a returned line that no correction will come for, with the reason."""
    line = _open_line(unit, returned)
    if isinstance(line, Refusal):
        return line
    if not reason.strip():
        return Refusal("reason", "Say why no corrected line is to come.", "Укажите, почему исправленной строки не будет.")
    return _close(unit, line, by, reason.strip())


def _open_line(unit: UnitOfWork, returned: str) -> ReturnedLine | Refusal:
    line = unit.returned_lines.get(returned)
    if line is None:
        return Refusal("unknown-line", f"No line {returned} was returned.", f"Возвращённой строки {returned} нет.")
    if line.state is ReturnState.CLOSED:
        return Refusal("closed", f"This line is done: {line.closed_because}.", f"Эта строка закрыта: {line.closed_because}.")
    return line


def returned_queue(unit: UnitOfWork, department: str = "", *, closed: bool = False, limit: int = 200) -> list[dict[str, Any]]:
    """Return the lines that wait, the oldest first, of one department where it is named; patients by code, room and bed.

    `closed` gives those that are done instead, the newest first.
    """
    wanted: dict[str, Any] = {"department": department} if department else {}
    states = [ReturnState.CLOSED] if closed else list(OPEN_RETURNS)
    order = "-closed_at,id" if closed else "returned_at,order"
    lines = unit.returned_lines.where(state=states, order_by=order, limit=max(1, min(limit, MOST_ROWS)), **wanted)
    return [_row(unit, line) for line in lines]


def _row(unit: UnitOfWork, line: ReturnedLine) -> dict[str, Any]:
    return {
        "returned": line.id, "order": line.order, "version": line.version, "state": line.state.value, "place": line.place,
        "sheet": line.line.sheet, "position": line.line.position, "source": line.line.source,
        "patient": line.code, "department": line.department, "room": line.room, "bed": line.bed, "drug": line.line.drug_text or line.drug, "nurse": line.nurse,
        "returned_at": line.returned_at, "seen_by": line.seen_by, "seen_at": line.seen_at, "passed_to": line.passed_to,
        "closed_at": line.closed_at, "closed_by": line.closed_by, "closed_because": line.closed_because, "corrected_by": line.corrected_by,
        "reasons": [_reason(reason.rule, reason.text, reason.text_ru, reason.source) for reason in reasons_of(line)],
        "changed": _changed(unit, line),
    }  # fmt: skip


def reasons_of(line: ReturnedLine) -> list[Reason]:
    """Return why a line was returned: first what could not be read of it, of which a missing frequency or dose is only what follows."""
    kept = {reason.text for reason in line.reasons}
    return [*(reason for reason in unsupported_reasons(line.line) if reason.text not in kept), *line.reasons]


def _reason(rule: str, text: str, text_ru: str, source: str) -> dict[str, str]:
    english, russian = correction_of(rule)
    return {"rule": rule, "text": text, "text_ru": text_ru or text, "source": source, "correct": english, "correct_ru": russian}


def _changed(unit: UnitOfWork, line: ReturnedLine) -> list[dict[str, Any]]:
    """Return what the correction says otherwise, as long as the order still says it."""
    correction = unit.orders.get(line.corrected_by) if line.corrected_by is not None else None
    return [change.told() for change in line_diff(line.line, correction.line)] if correction is not None else []


def error_statistics(unit: UnitOfWork, house: House, department: str = "", days: int = 31) -> tuple[ErrorCount, ...]:
    """Return the errors of the last days by day, department, rule and ward nurse."""
    first = house.local_date(unit.now) - timedelta(days=max(1, min(days, MOST_DAYS)) - 1)
    wanted: dict[str, Any] = {"department": department} if department else {}
    lines = unit.returned_lines.where(order_by="-returned_at", limit=MOST_COUNTED, **wanted)
    dated = ((house.local_date(line.returned_at), line) for line in lines)
    return error_counts((day, line) for day, line in dated if day >= first)


def totals(counts: Iterable[ErrorCount]) -> list[dict[str, Any]]:
    """Return the errors summed by department and rule, the most frequent first."""
    summed: dict[tuple[str, str], int] = {}
    for count in counts:
        summed[count.department, count.rule] = summed.get((count.department, count.rule), 0) + count.lines
    rows = [{"department": department, "rule": rule, "lines": lines} for (department, rule), lines in summed.items()]
    return sorted(rows, key=lambda row: (-int(str(row["lines"])), str(row["department"]), str(row["rule"])))
