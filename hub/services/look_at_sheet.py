"""What taking a file in does, line by line: told to a person before it counts, and proven to be the same when it does.

`told_taking` runs the real taking inside the caller's decision. To only look, the caller takes the decision back; to take it in,
it compares the `state` that was shown with the one that came about.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hub.domain.identifiers import OrderId, derived_id
from hub.domain.orders import IN_FORCE, Order, OrderLine, OrderSheet, Reject
from hub.domain.refusals import Refusal
from hub.services.house import House
from hub.services.ports import UnitOfWork
from hub.services.preview import known_of, preview_sheet, reason_facts


class LineChange(StrEnum):
    """What a line does to the order of its id that the hub holds."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class ToldLine:
    """A line with the order that became of it."""

    order: Order
    change: LineChange
    department: str
    patient: str


@dataclass(frozen=True, slots=True)
class ToldTaking:
    """What taking a file in did: its answer, its lines, and the orders in force of its source that it does not list any more."""

    answer: Mapping[str, Any]
    lines: tuple[ToldLine, ...]
    unlisted: tuple[Order, ...]
    rejects: tuple[Reject, ...] = ()

    @property
    def state(self) -> str:
        """A digest of all of it: the same file does the same to the same state of the hub."""
        lines = [(line.order.id, line.order.version, line.order.outcome, line.order.state, line.change, *_rules(line.order)) for line in self.lines]
        return derived_id(*lines, *(order.id for order in self.unlisted), sorted(self.answer.items(), key=str))

    def facts(self) -> dict[str, Any]:
        """Return it as JSON; both languages stand beside each other."""
        return {
            **self.answer, "lines": [_line_facts(line) for line in self.lines],
            "changes": {change.value: count for change in LineChange if (count := Counter(line.change for line in self.lines)[change])},
            "rejected": len(self.rejects),
            "rejects": [_reject_facts(reject) for reject in self.rejects],
            "unlisted": [{"order": order.id, "drug": order.line.drug_text or order.line.drug} for order in self.unlisted],
        }  # fmt: skip


def told_taking(
    unit: UnitOfWork, sheet: OrderSheet, take: Callable[[], "dict[str, Any] | Refusal"]
) -> ToldTaking | Refusal:
    """Take a sheet in by `take` and tell what became of every line of it."""
    lines = _lines_of(sheet)
    before = {order.id: order for order in unit.orders.where(id=[line.id for line in lines])}
    unlisted = _unlisted(unit, sheet) if sheet.lines and not sheet.changes else ()
    answer = take()
    if isinstance(answer, Refusal):
        return answer
    after = {order.id: order for order in unit.orders.where(id=[line.id for line in lines])}
    told = tuple(_told(unit, after[line.id], before.get(line.id)) for line in lines if line.id in after)
    return ToldTaking(answer, told, unlisted, sheet.rejects)


def _lines_of(sheet: OrderSheet) -> Sequence[OrderLine]:
    """Return the lines of a sheet or of a changes feed, of one order the last that it says."""
    of_changes = (change.line for change in sheet.changes if change.line is not None)
    return tuple({line.id: line for line in (*sheet.lines, *of_changes)}.values())


def _unlisted(unit: UnitOfWork, sheet: OrderSheet) -> tuple[Order, ...]:
    listed = {line.id for line in sheet.lines}
    in_force = unit.orders.where(state=list(IN_FORCE), order_by="id")
    return tuple(order for order in in_force if order.line.source == sheet.source and order.id not in listed)


def understood_words(unit: UnitOfWork, sheet: OrderSheet, house: House) -> dict[OrderId, Mapping[str, str]]:
    """Return what was understood of every line's schedule, in words by language; a query, for beside the writer."""
    preview = preview_sheet(known_of(unit), sheet, house, unit.now)
    return {} if isinstance(preview, Refusal) else {shown.line.id: shown.words for shown in preview.lines}


def _told(unit: UnitOfWork, order: Order, before: Order | None) -> ToldLine:
    stay, patient = unit.stays.get(order.patient), unit.patients.get(order.patient)
    change = LineChange.NEW if before is None else LineChange.UNCHANGED if _is_as_before(order, before) else LineChange.CHANGED
    return ToldLine(order, change, stay.department if stay is not None else "", patient.code if patient is not None else "")


def _is_as_before(order: Order, before: Order) -> bool:
    return (order.version, order.outcome, order.state, order.stopped_at) == (before.version, before.outcome, before.state, before.stopped_at)


def _rules(order: Order) -> list[str]:
    return [reason.rule for reason in order.reasons]


def _reject_facts(reject: Reject) -> dict[str, str]:
    return {"position": reject.position, "field": reject.field, "reason": reject.reason.en, "reason_ru": reject.reason.ru}


def _line_facts(told: ToldLine) -> dict[str, Any]:
    line = told.order.line
    return {
        "order": told.order.id, "position": line.position, "patient": told.patient, "department": told.department, "drug": line.drug_text or line.drug,
        "outcome": told.order.outcome.value, "state": told.order.state.value, "change": told.change.value,
        "reasons": [reason_facts(reason) for reason in told.order.reasons],
    }  # fmt: skip
