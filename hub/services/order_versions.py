"""What a decided line is beside the order that was known: its version, its state, and whether it is simply over."""

from collections.abc import Mapping
from dataclasses import replace

from hub.domain.orders import LineDecision, LineState, Order, OrderLine, OrderStatus, Outcome, Reason, has_ended
from hub.services.order_edits import is_only_held, is_same_line

STATE_OF_OUTCOME: Mapping[Outcome, LineState] = {
    Outcome.SCHEDULED: LineState.ACTIVE,
    Outcome.ONCE: LineState.ACTIVE,
    Outcome.PRN: LineState.ACTIVE,
    Outcome.NOT_PACKABLE: LineState.ACTIVE,
    Outcome.NEEDS_REVIEW: LineState.NEEDS_REVIEW,
    Outcome.REJECTED: LineState.REJECTED,
    Outcome.EXCLUDED: LineState.EXCLUDED,
}

_WITHOUT_DOSES = frozenset({LineState.EXCLUDED, LineState.NEEDS_REVIEW, LineState.REJECTED})
_OVER = frozenset({"course-over", "discharged"})


def is_over(order: Order) -> bool:
    """Tell whether an order is rejected for nothing but that its course or its patient's stay has ended: nobody has to correct it."""
    return order.outcome is Outcome.REJECTED and {reason.rule for reason in order.reasons} <= _OVER


def version_of(line: OrderLine, before: Order | None) -> int:
    """Return the version of a line: the same where it says nothing new, the next one else, and 1 where nobody knew it."""
    if before is None:
        return 1
    return before.version if is_same_line(line, before) or is_only_held(line, before) else before.version + 1


def as_before(order: Order, before: Order) -> Order:
    """Return an order that the same line is decided to be: stopped ones stay so, one that is ours now gets new doses."""
    if before.state in (LineState.STOPPED, LineState.COMPLETED) or has_ended(before, order.decided_at):
        ended = before.state if before.state is LineState.COMPLETED else LineState.STOPPED
        stopped = Reason(
            "status", f"the order is {ended.value} and the line says nothing new", "changes of the day",
            "назначение уже окончено, и строка не сообщает ничего нового",
        )  # fmt: skip
        return replace(order, outcome=Outcome.REJECTED, state=ended, reasons=(stopped,), stopped_at=before.stopped_at)
    order = replace(order, stopped_at=before.stopped_at)
    if before.state in _WITHOUT_DOSES and order.state not in _WITHOUT_DOSES:
        return replace(order, version=order.version + 1, line=replace(order.line, version=order.version + 1))
    return order


def state_of(line: OrderLine, decision: LineDecision) -> LineState:
    """Return the state that a decided line has from now on."""
    state = STATE_OF_OUTCOME[decision.outcome]
    return LineState.ON_HOLD if state is LineState.ACTIVE and line.status is OrderStatus.ON_HOLD else state
