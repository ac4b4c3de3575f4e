"""The daily step: where no whole sheet will come, orders in force are judged and planned anew at the start of each working day."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hub.domain.orders import IN_FORCE, LineState, Order
from hub.domain.records import DayPlan
from hub.domain.refusals import Refusal
from hub.services.feeds import LATE, raise_alarm, sends_sheets
from hub.services.house import House
from hub.services.ports import UnitOfWork
from hub.services.receive_sheet import decide_lines, open_desk, plan_orders

ORDERS_AT_ONCE = 500
ON_TIME = timedelta(minutes=30)


def plan_day(unit: UnitOfWork, house: House) -> int:
    """Plan a part of the working day of the first source that only sends messages and is not through; returns how many orders were judged.

    A source that sends whole sheets is left alone: its sheet plans the day, and its silence is an alarm (`feeds.check_feeds`).
    """
    for source in sorted(house.sources):
        plan = _plan_of(unit, house, source)
        if not plan.is_done and not sends_sheets(unit, house, source):
            return _go_on(unit, house, plan)
    return 0


def _plan_of(unit: UnitOfWork, house: House, source: str) -> DayPlan:
    """Return how far the running working day of a source is planned; not at all where an earlier one was the last."""
    known, day = unit.day_plans.get(source), house.day_of(unit.now)
    return known if known is not None and known.day == day else DayPlan(source, day)


def _go_on(unit: UnitOfWork, house: House, plan: DayPlan) -> int:
    """Judge and plan the next orders; where they were the last ones, the day is planned."""
    below = ("id", plan.cursor) if plan.cursor else None
    page = unit.orders.where(state=list(IN_FORCE), order_by="-id", limit=ORDERS_AT_ONCE, below=below)
    due = [order for order in page if order.line.source == plan.source and order.decided_at < begins(house, plan)]
    if due and plan.orders == 0:
        _tell_late(unit, house, plan)
    plan = _counted(plan, *_planned(unit, house, plan.source, due)) if due else plan
    plan = replace(plan, cursor=page[-1].id if page else plan.cursor, is_done=len(page) < ORDERS_AT_ONCE)
    unit.day_plans.put(plan)
    if plan.is_done and plan.orders:
        _record(unit, plan)
    return len(due)


def begins(house: House, plan: DayPlan) -> datetime:
    """Return when the working day of a plan begins: what was decided since then was planned for it at once."""
    return datetime.combine(plan.day, house.sheets_at, house.zone)


def _planned(unit: UnitOfWork, house: House, source: str, known: Sequence[Order]) -> tuple[list[Order], int]:
    """Judge orders by what is known now and plan their doses of the day; returns them, and how many doses came of them."""
    desk = open_desk(unit, source, house)
    assert not isinstance(desk, Refusal)
    desk = replace(desk, window=house.day_window(unit.now))
    judged = decide_lines(unit, desk, [order.line for order in known], None, {order.id: order for order in known}, for_the_day=True)
    return judged, plan_orders(unit, desk, judged)


def _counted(plan: DayPlan, judged: Sequence[Order], planned: int) -> DayPlan:
    in_force = sum(order.state in IN_FORCE for order in judged)
    asked = sum(order.state is LineState.NEEDS_REVIEW for order in judged)
    return replace(
        plan, orders=plan.orders + len(judged), in_force=plan.in_force + in_force, asked=plan.asked + asked,
        ended=plan.ended + len(judged) - in_force - asked, planned=plan.planned + planned,
    )  # fmt: skip


def _record(unit: UnitOfWork, plan: DayPlan) -> None:
    counts = {"orders": plan.orders, "in_force": plan.in_force, "asked": plan.asked, "ended": plan.ended, "doses": plan.planned}
    unit.record("day-planned", {"source": plan.source, "day": plan.day.isoformat(), **counts})


def _tell_late(unit: UnitOfWork, house: House, plan: DayPlan) -> None:
    """Raise an alarm where the hub was away when the day began: what was due since then is not planned any more."""
    due = begins(house, plan)
    if unit.now - due <= ON_TIME:
        return
    now = unit.now.astimezone(house.zone)
    raise_alarm(
        unit, plan.source, LATE, f"day-{plan.day.isoformat()}",
        f"The day of {plan.source} was planned at {now:%H:%M on %d.%m.%Y} only, not at {due:%H:%M}: check what was due before.",
        f"День источника {plan.source} спланирован только в {now:%H:%M %d.%m.%Y}, а не в {due:%H:%M}: проверьте, что полагалось до этого.",
    )  # fmt: skip
