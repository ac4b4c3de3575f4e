"""Planning: from an accepted order to its dated doses, each with a lane, a slot, exact units and the label's sentence."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from fractions import Fraction

from hub.domain.dose_checks import settled_dose
from hub.domain.doses import DoseState, Lane, PlannedDose
from hub.domain.drugs import Drug
from hub.domain.identifiers import DoseId, derived_id
from hub.domain.lanes import dose_text
from hub.domain.line_content import counted_dose
from hub.domain.orders import LineState, Order, OrderLine, Outcome, Reason, SourceSettings, Stay
from hub.domain.regulation_checks import confirmed_until
from hub.domain.schedule import (
    IntakeSlot,
    Schedule,
    ScheduleKind,
    cut_of,
    expand,
    first_slot_on,
    once_due,
    slot_of,
)
from hub.domain.schedule_rules import FirstDose

PLANNED_OUTCOMES = frozenset({Outcome.SCHEDULED, Outcome.ONCE})
_NUMBERS = re.compile(r"(\d+)")


class NotPlannable(ValueError):
    """An order with an outcome that promises doses has none that can be counted: the directory changed since; decide it again."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """What one dose of an order takes along, the same at each due time with the same factor."""

    units: Fraction
    lane: Lane
    text: str


def plan_line(
    order: Order,
    drug: Drug,
    schedule: Schedule,
    stay: Stay,
    settings: SourceSettings,
    slots: tuple[IntakeSlot, ...],
    window_start: datetime,
    window_end: datetime,
    zone: tzinfo,
    *,
    has_cassette: bool,
    last_confirmed_at: datetime | None = None,
) -> tuple[PlannedDose, ...]:
    """Return the doses of an order due in [window_start, window_end), in order of time.

    Nothing is planned for an order that is not active, after its stop, end or last confirmation, or after the patient's stay.
    The ids follow from order, version and due time, so that planning twice makes the same doses. Raises NotPlannable where
    the dose cannot be counted any more.
    """
    line = order.line
    if order.outcome not in PLANNED_OUTCOMES or order.state is not LineState.ACTIVE or line.dose is None:
        return ()
    schedule, starts_at = begun(line, schedule, anchor_of(order), slots, zone)
    if schedule.kind is ScheduleKind.ONCE:
        starts_at = once_due(line, max(order.decided_at, window_start), slots, zone)
    until = min([window_end, *(moment for moment in (order.stopped_at, stay.finished_at) if moment is not None)])
    due_times = expand(
        schedule, starts_at, confirmed_until(line, settings, last_confirmed_at, schedule), window_start, until, zone
    )
    factors = {factor.as_integer_ratio(): factor for _, factor in due_times}
    counted = {ratio: _count(order, drug, settings, factor, has_cassette) for ratio, factor in factors.items()}
    return tuple(
        _planned(order, drug, stay, settings, slots, zone, due, counted[factor.as_integer_ratio()])
        for due, factor in due_times
    )


def anchor_of(order: Order) -> datetime:
    """Return from when an order counts its days: its start, when it was written, or when a sheet first brought it."""
    return order.line.starts_at or order.line.authored_at or order.first_seen_at or order.decided_at


def begun(
    line: OrderLine, schedule: Schedule, anchor: datetime, slots: tuple[IntakeSlot, ...], zone: tzinfo
) -> tuple[Schedule, datetime]:
    """Return a schedule and the moment from which it counts: a start that is only a date has no clock time of its own.

    Then elapsed time counts from the first slot of that day, and no dose is given 'at the start'.
    """
    if line.starts_at is None or not line.starts_on_day:
        return schedule, anchor
    if schedule.rules.first_dose is not FirstDose.NEXT_TIME:
        schedule = replace(schedule, rules=replace(schedule.rules, first_dose=FirstDose.NEXT_TIME))
    if schedule.counts_from_first_dose:
        return schedule, first_slot_on(anchor.astimezone(zone).date(), slots, zone)
    return schedule, anchor


def _count(order: Order, drug: Drug, settings: SourceSettings, factor: Fraction, has_cassette: bool) -> _Counted:
    assert order.line.dose is not None
    settled = settled_dose(order.line.dose, settings.range_policy)
    if isinstance(settled, Reason):
        raise NotPlannable(f"order {order.id}: {settled.text}")
    dose = settled.times(factor)
    counted = counted_dose(dose, drug, order.line.route, has_cassette)
    if isinstance(counted, Reason):
        raise NotPlannable(f"order {order.id}: {counted.text}")
    exact, packed, lane = counted
    return _Counted(packed, lane, dose_text(drug, dose, exact, packed))


def _planned(
    order: Order,
    drug: Drug,
    stay: Stay,
    settings: SourceSettings,
    slots: tuple[IntakeSlot, ...],
    zone: tzinfo,
    due: datetime,
    counted: _Counted,
) -> PlannedDose:
    slot, day = slot_of(due, slots)
    stat = order.line.stat or order.decided_at > cut_of(slot, day, zone)
    return PlannedDose(
        id=DoseId(derived_id("dose", order.id, order.version, due.isoformat())),
        order=order.id,
        version=order.version,
        patient=order.patient,
        drug=drug.code,
        due=due,
        slot=slot.name,
        lane=counted.lane,
        units=counted.units,
        dose_text=counted.text,
        department=stay.department,
        room=stay.room,
        bed=stay.bed,
        stat=stat,
        combine=not stat and may_combine(order, drug, settings, due),
        state=DoseState.PLANNED,
    )


def may_combine(order: Order, drug: Drug, settings: SourceSettings, due: datetime) -> bool:
    """Tell whether a dose may share a pouch: a regular order, stable for the source's days, of a drug that is not high-alert.

    A pouch of several drugs dies whole when one of them changes.
    """
    since = order.line.starts_at or order.line.authored_at
    if settings.stable_after_days is None or since is None or drug.high_alert or order.outcome is not Outcome.SCHEDULED:
        return False
    return due - since >= timedelta(days=settings.stable_after_days)


def natural_order(text: str) -> tuple[tuple[int, str], ...]:
    """Return the sorting key of a name with numbers in it: room 9 before room 10."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in _NUMBERS.split(text.casefold()) if part)


def trolley_order(dose: PlannedDose) -> tuple[object, ...]:
    """Return the sorting key of doses: department, room (10 after 9), patient, due time; the rest makes it total."""
    return (dose.department, natural_order(dose.room), natural_order(dose.bed), dose.patient, dose.due, dose.drug, dose.id)
