"""What stands beside the orders that are judged: the orders of the same patients that may be in force, and what is known of each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from hub.domain.dose_checks import RULE_WEEKLY
from hub.domain.drugs import Drug
from hub.domain.duplicates import RULE_DUPLICATE, Known, OtherOrder, by_patient
from hub.domain.identifiers import DrugCode, OrderId, PatientId
from hub.domain.orders import IN_FORCE, LineState, Order, OrderLine, has_ended, is_in_force
from hub.domain.releases import meant, rules_meant
from hub.domain.rulings import Ruling, RulingKind
from hub.domain.rulings import stands as is_for
from hub.domain.schedule_rules import rules_of
from hub.services.house import House
from hub.services.order_edits import is_same_line
from hub.services.ports import UnitOfWork
from hub.services.standing_rulings import Rulings

BESIDE = (*IN_FORCE, LineState.NEEDS_REVIEW)
"""States in which an order counts beside another: one that waits may be released tomorrow."""


def orders_beside(
    unit: UnitOfWork, house: House, drugs: Mapping[DrugCode, Drug], rulings: Rulings, lines: Sequence[OrderLine], known: Mapping[OrderId, Order]
) -> Mapping[PatientId, Sequence[OtherOrder]]:
    """Return the orders of the patients of some lines, by patient: these lines as they are now, and what is in force or waits beside them.

    `known` are the orders that the hub holds under the ids of these lines.
    """
    ids = {line.id for line in lines}
    stored = unit.orders.where(patient=list({line.patient for line in lines}), state=list(BESIDE))
    others = [order for order in stored if order.id not in ids and not has_ended(order, unit.now)]
    together = [*(line for line in lines if not _is_out(line, known.get(line.id))), *(order.line for order in others)]
    same = [before for line in lines if (before := known.get(line.id)) is not None and is_same_line(line, before)]
    standing = [order.id for order in (*others, *same) if is_in_force(order, unit.now)]
    waiting = [order.id for order in (*others, *same) if order.state is LineState.NEEDS_REVIEW]
    return beside_by_patient(house, drugs, rulings, together, standing, waiting)


def beside_by_patient(
    house: House, drugs: Mapping[DrugCode, Drug], rulings: Rulings, lines: Iterable[OrderLine], standing: Iterable[OrderId], waiting: Iterable[OrderId]
) -> Mapping[PatientId, Sequence[OtherOrder]]:
    """Return orders by patient, each as its rulings and the rules of its source mean it; `standing` and `waiting` do so unchanged."""
    lines, stand, wait = tuple(lines), frozenset(standing), frozenset(waiting)
    known = {line.id: _known(house, line, rulings.get(line.id, ()), line.id in stand, line.id in wait) for line in lines}
    return by_patient((meant(line, rulings.get(line.id, ())) for line in lines), drugs, known)


def _known(house: House, line: OrderLine, rulings: Sequence[Ruling], stands: bool, waits: bool) -> Known:
    rules = rules_of(house.schedule_rules, house.sources.get(line.source))
    if not rulings:
        return Known(stands, waits, rules)
    return Known(stands, waits, rules_meant(rules, line, rulings), frozenset(_released(line, rulings)))


def _released(line: OrderLine, rulings: Sequence[Ruling]) -> Iterator[str]:
    """Yield which duplicates a pharmacist let pass beside a line as it is now."""
    for ruling in rulings:
        if ruling.kind is RulingKind.RELEASED and ruling.rule == RULE_DUPLICATE and is_for(ruling, line, ()):
            yield ruling.about


def _is_out(line: OrderLine, before: Order | None) -> bool:
    """Tell whether a line is not in force by what became of it: it has ended, or is rejected for what it says itself."""
    if before is None:
        return False
    if before.state in (LineState.STOPPED, LineState.COMPLETED):
        return True
    itself = all(reason.rule != RULE_WEEKLY for reason in before.reasons)
    return before.state is LineState.REJECTED and itself and is_same_line(line, before)
