"""Doses that would be one too many: an edited order goes on only after the dose that was given, and once is once."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from hub.domain.bedside import least_gap
from hub.domain.doses import DoseState, PlannedDose
from hub.domain.orders import Order
from hub.domain.schedule import Schedule, ScheduleKind
from hub.services.house import House
from hub.services.ports import UnitOfWork


def not_before(unit: UnitOfWork, house: House, department: str, order: Order, before: Order) -> datetime | None:
    """Return before when no dose of an order's new version may be due: the shorter of both intervals after the last given dose.

    From each interval its window is taken off, as doses are given within it (ISMP 2011). None: nothing holds it up.
    """
    if order.version == before.version:
        return before.not_before
    given = [dose.due for dose in unit.doses.where(order=order.id, state=DoseState.GIVEN)]
    if not given:
        return before.not_before
    gaps = [gap for each in (before, order) if (gap := _gap(unit, house, department, each)) is not None]
    if not gaps:
        return before.not_before
    held = max(given) + min(gaps)
    return held if before.not_before is None else max(held, before.not_before)


def _gap(unit: UnitOfWork, house: House, department: str, order: Order) -> timedelta | None:
    schedule = house.schedule_of(order.line, department, unit.rulings.where(order=order.id, ended_at=None))
    return least_gap(schedule) if isinstance(schedule, Schedule) else None


def wanted(
    unit: UnitOfWork, house: House, order: Order, schedule: Schedule, doses: Iterable[PlannedDose], known: Sequence[PlannedDose]
) -> tuple[PlannedDose, ...]:
    """Return the doses that do not exist yet and are not one too many, beside those `known` of the order.

    What is one too many is recorded with its reason.
    """
    own = [dose for dose in known if dose.version == order.version]
    if schedule.kind is ScheduleKind.ONCE and own:
        return ()
    taken = {dose.due for dose in own} | {dose.due for dose in known if dose.state is DoseState.GIVEN}
    kept = []
    for dose in doses:
        if dose.due in taken:
            continue
        reason = _one_too_many(house, order, schedule, dose, known)
        if reason:
            fact = {"order": order.id, "version": order.version, "due": dose.due.isoformat(), "reason": reason}
            unit.record("dose-not-planned", fact)
        else:
            kept.append(dose)
    return tuple(kept)


def _one_too_many(house: House, order: Order, schedule: Schedule, dose: PlannedDose, known: Sequence[PlannedDose]) -> str:
    if schedule.kind is ScheduleKind.ONCE:
        ended = next((each for each in known if each.state in (DoseState.GIVEN, DoseState.MISSED)), None)
        if ended is None or (ended.state is DoseState.MISSED and dose.due == order.line.starts_at):
            return ""
        return f"to be given once, and the dose of {_clock(house, ended.due)} was {ended.state.value}"
    if order.not_before is None or dose.due >= order.not_before:
        return ""
    last = max(each.due for each in known if each.state is DoseState.GIVEN)
    return f"too soon after the dose of {_clock(house, last)} that was given: not before {_clock(house, order.not_before)}"


def _clock(house: House, moment: datetime) -> str:
    return f"{moment.astimezone(house.zone):%H:%M on %d.%m.%Y}"
