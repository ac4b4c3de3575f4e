"""What every ruling of a pharmacist shares: who may rule, what is written down, and that the line is judged again at once."""

from dataclasses import dataclass

from hub.domain.identifiers import OrderId, UserId, derived_id
from hub.domain.orders import LineState, Order
from hub.domain.people import Action, User, may
from hub.domain.refusals import Refusal
from hub.domain.rulings import Ruling, RulingKind
from hub.services.house import House
from hub.services.ports import UnitOfWork
from hub.services.receive_sheet import Desk, decide_lines, open_desk, plan_orders

_OVER = (LineState.STOPPED, LineState.COMPLETED)


@dataclass(frozen=True, slots=True)
class Said:
    """What a pharmacist says of an order: why, who, and the second person where one confirmed it."""

    order: OrderId
    reason: str
    by: UserId
    second: UserId | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """An order that somebody may rule about, what the desk knows, and who rules."""

    order: Order
    desk: Desk
    by: User


def opened(unit: UnitOfWork, said: Said, house: House) -> Case | Refusal:
    """Return the case, or why nobody, or not this person, may rule about the order now."""
    order, user = unit.orders.get(said.order), unit.users.get(said.by)
    if order is None:
        return Refusal("unknown-order", f"There is no order {said.order}.", f"Назначения {said.order} нет.")
    if user is None or not may(user.role, Action.DECIDE_LINES):
        return Refusal("not-allowed", "Only a pharmacist rules about a line.", "Решение по строке принимает только провизор.")
    if said.second is not None and not _may_confirm(unit, said):
        return Refusal("second-person", "A second, different pharmacist must confirm.", "Подтвердить должен второй, другой провизор.")
    if not said.reason.strip():
        return Refusal("reason", "Write the reason: it is printed with the line.", "Укажите причину: она печатается вместе со строкой.")
    if order.state in _OVER:
        return Refusal("over", f"Order {order.id} is {order.state.value}.", f"Назначение {order.id} уже завершено или отменено.")
    desk = open_desk(unit, order.line.source, house)
    return desk if isinstance(desk, Refusal) else Case(order, desk, user)


def _may_confirm(unit: UnitOfWork, said: Said) -> bool:
    second = unit.users.get(said.second)
    return second is not None and second.id != said.by and may(second.role, Action.DECIDE_LINES)


def high_alert_alone(case: Case) -> Refusal | None:
    """Return that one person alone may not rule about a high-alert drug, where it is one."""
    drug = case.desk.drugs.get(case.order.line.drug)
    if drug is None or not drug.high_alert:
        return None
    return Refusal(
        "second-person", f"'{drug.inn}' is a high-alert drug: a second pharmacist must confirm.",
        f"«{drug.inn}» — препарат высокого риска: должен подтвердить второй провизор.",
    )  # fmt: skip


def made_ruling(
    unit: UnitOfWork, case: Case, said: Said, kind: RulingKind, holds_for: str, *, allergy: str = "", rule: str = "", about: str = "", dose: str = ""
) -> Ruling:
    """Return a ruling that is not written down yet."""
    identity = derived_id("ruling", said.order, kind, allergy, rule, about, dose, holds_for, unit.now.isoformat(), digits=16)
    return Ruling(
        identity, said.order, kind, allergy, holds_for, said.reason.strip(), said.by, case.by.name, said.second, unit.now, rule=rule, about=about, dose=dose,
    )  # fmt: skip


def ruling_fact(order: Order, ruling: Ruling) -> dict[str, object]:
    """Return what the ledger keeps of a ruling."""
    return {
        "ruling": ruling.id, "order": order.id, "version": order.version, "patient": order.patient, "drug": order.line.drug,
        "reason": ruling.reason, "by": ruling.by, "second": ruling.second,
    }  # fmt: skip


def judged_anew(unit: UnitOfWork, order: Order, house: House) -> Order | Refusal:
    """Judge a known line under its next version; its doses follow what becomes of it."""
    desk = open_desk(unit, order.line.source, house)
    if isinstance(desk, Refusal):
        return desk
    judged = decide_lines(unit, desk, [order.line], None)
    plan_orders(unit, desk, judged)
    return judged[0]
