"""What the dosages of a line say of its drug, whoever the patient is: remembered, as a day asks the same few thousands of times."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hub.domain.dose_checks import dose_doubts, settled_dose, weekly_stop
from hub.domain.doses import Lane
from hub.domain.drugs import Drug
from hub.domain.lanes import RULE_NOT_PACKED, implausible_amount, lane_of, packed_units
from hub.domain.orders import Check, OrderLine, Reason, SourceSettings
from hub.domain.quantities import Quantity
from hub.domain.regulation_checks import dose_check, frequency_check
from hub.domain.route_forms import route_form_doubt
from hub.domain.schedule import (
    FrequencyTable,
    IntakeSlot,
    Schedule,
    ScheduleKind,
    ScheduleRules,
    factors_of,
    schedule_for,
)
from hub.domain.schedule_rules import rules_of
from hub.domain.strengths import units_for

_MOST_REMEMBERED = 8192
_COUNTED_KINDS = frozenset({ScheduleKind.REGULAR, ScheduleKind.ONCE})


@dataclass(frozen=True, slots=True)
class HouseRules:
    """By what the dosages of lines are read: the ward's table, the slots of the day, the rules of schedules, the source's settings."""

    table: FrequencyTable
    slots: tuple[IntakeSlot, ...]
    rules: ScheduleRules
    settings: SourceSettings


@dataclass(frozen=True, slots=True)
class LineContent:
    """The meaning of a line's dosages at a ward, the two checks of the regulation that need nothing else, and what speaks against them.

    `weekly` stops, `doubts` are for a pharmacist, `uncounted` says why the dose cannot be counted out; the last two only of a sound dose.
    """

    schedule: Schedule | Reason
    dose: Check
    frequency: Check
    weekly: tuple[Reason, ...] = ()
    doubts: tuple[Reason, ...] = ()
    uncounted: Reason | None = None


# By identity, as hashing drugs and dosages would take longer than judging them; each key's objects are kept alive beside its value.
_schedules: dict[tuple[object, ...], tuple[object, Schedule | Reason]] = {}
_same_schedules: dict[Schedule | Reason, Schedule | Reason] = {}
_contents: dict[tuple[object, ...], tuple[object, LineContent]] = {}


def content_of(line: OrderLine, drug: Drug | None, ward: str, house: HouseRules) -> LineContent:
    """Return what a line's dosages say of its drug at a ward; the same dosages of the same drug are judged once."""
    schedule = _schedule_of(line, ward, house)
    parts = (drug, schedule, house.settings, *line.dosages)
    key = tuple(map(id, parts))
    known = _contents.get(key)
    if known is not None:
        return known[1]
    _make_room(_contents)
    content = _content(line, drug, schedule, house.settings)
    _contents[key] = (parts, content)
    return content


def _schedule_of(line: OrderLine, ward: str, house: HouseRules) -> Schedule | Reason:
    """Return what dosages mean at a ward: one and the same schedule at all wards where they mean the same."""
    parts = (house.table, house.slots, house.rules, house.settings, *line.dosages)
    key = (ward, *map(id, parts))
    known = _schedules.get(key)
    if known is not None:
        return known[1]
    _make_room(_schedules)
    _make_room(_same_schedules)
    found = schedule_for(line.dosages, house.table, ward, house.slots, rules_of(house.rules, house.settings))
    schedule = _same_schedules.setdefault(found, found)
    _schedules[key] = (parts, schedule)
    return schedule


def _make_room(remembered: dict[Any, Any]) -> None:
    if len(remembered) >= _MOST_REMEMBERED:
        remembered.clear()


def _content(line: OrderLine, drug: Drug | None, schedule: Schedule | Reason, settings: SourceSettings) -> LineContent:
    dose, frequency = dose_check(line.dosages[0], schedule), frequency_check(line.dosages)
    if drug is None or isinstance(schedule, Reason):
        return LineContent(schedule, dose, frequency)
    weekly = tuple(weekly_stop(drug, schedule))
    if not dose.passed:
        return LineContent(schedule, dose, frequency, weekly)
    uncounted = _counting_problem(line, drug, schedule, settings) if schedule.kind in _COUNTED_KINDS else None
    doubts = [*dose_doubts(line, drug, schedule), *_route_form_doubts(line, drug, schedule)]
    return LineContent(schedule, dose, frequency, weekly, tuple(doubts), uncounted)


def _route_form_doubts(line: OrderLine, drug: Drug, schedule: Schedule) -> Iterator[Reason]:
    """Yield that a drug's form does not go with the route, where doses are counted or given as needed."""
    doubt = route_form_doubt(drug, line.route)
    if doubt is not None and (schedule.kind in _COUNTED_KINDS or schedule.kind is ScheduleKind.PRN):
        yield doubt


def _counting_problem(line: OrderLine, drug: Drug, schedule: Schedule, settings: SourceSettings) -> Reason | None:
    """Return why the dose cannot be counted out into permitted units of some lane, or None."""
    assert line.dose is not None
    settled = settled_dose(line.dose, settings.range_policy)
    dose = line.dose[0] if isinstance(settled, Reason) else settled
    for factor in factors_of(schedule):
        counted = counted_dose(dose.times(factor), drug, line.route)
        if isinstance(counted, Reason):
            return counted
    return settled if isinstance(settled, Reason) else None


def counted_dose(
    dose: Quantity, drug: Drug, route: str, has_cassette: bool = False
) -> tuple[Fraction, Fraction, Lane] | Reason:
    """Return (exact units, units that are packed, lane) of one dose, or why a person must decide."""
    exact = units_for(dose, drug)
    lane = lane_of(drug, exact if isinstance(exact, Fraction) else Fraction(1), route, has_cassette)
    if isinstance(lane, Reason) and lane.rule == RULE_NOT_PACKED:
        return lane
    if isinstance(exact, Reason):
        return exact
    if isinstance(lane, Reason):
        return lane
    packed = implausible_amount(drug, dose) or packed_units(drug, exact, lane)
    return packed if isinstance(packed, Reason) else (exact, packed, lane)
