"""Two orders of a drug that is given once a week at most: a dose of one within a week of a dose of the other is a hard stop.

So is one within a week of a dose that an order gave which has ended since.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise

from hub.domain.courses import Schedule
from hub.domain.dose_checks import DAYS_OF_A_WEEK, RULE_WEEKLY, SOURCE_WEEKLY, is_weekly
from hub.domain.drugs import Drug
from hub.domain.duplicates import OtherOrder, comes_before, is_one_dose, known_among, substance
from hub.domain.expander import LONGEST_WINDOW, expand
from hub.domain.frequencies import ScheduleKind
from hub.domain.identifiers import OrderId
from hub.domain.intake_slots import IntakeSlot, once_due
from hub.domain.orders import OrderLine, Reason
from hub.domain.planning import begun

A_WEEK = timedelta(days=DAYS_OF_A_WEEK)
LOOKED_BACK = 4 * A_WEEK


@dataclass(frozen=True, slots=True)
class GivenDose:
    """A dose that was given of an order that has ended: of which substance, as `duplicates.substance` names it, and for when."""

    order: OrderId
    substance: tuple[str, ...]
    due: datetime


ScheduleOf = Callable[[OrderLine], Schedule | None]
_Read = tuple[OrderLine, Schedule]


def weekly_beside(
    line: OrderLine, drug: Drug | None, others: Sequence[OtherOrder], schedule_of: ScheduleOf, now: datetime, slots: tuple[IntakeSlot, ...], zone: tzinfo
) -> Iterator[Reason]:
    """Yield why a drug of weekly dosing must not be given beside another order of it that comes before.

    Two orders that make one dose of two strengths share their days. Nobody's name and no code table lifts this.
    """
    if drug is None or not is_weekly(drug):
        return
    own, name, known = schedule_of(line), substance(drug.inn), known_among(line, others)
    if own is None:
        return
    for other in others:
        if other.line.id == line.id or other.line.patient != line.patient or other.substance != name or not comes_before(other, line, known):
            continue
        beside = schedule_of(other.line)
        if beside is not None and _within_a_week((line, own), (other.line, beside), now, slots, zone):
            yield _stop(drug, other)


def weekly_days(line: OrderLine, drug: Drug | None, schedule: Schedule | Reason, now: datetime, slots: tuple[IntakeSlot, ...], zone: tzinfo) -> Iterator[Reason]:
    """Yield why a drug of weekly dosing must not be given by an order's own days: the nearest two count, not their average."""
    if drug is None or not is_weekly(drug) or not isinstance(schedule, Schedule) or schedule.kind is not ScheduleKind.REGULAR:
        return
    days = sorted(_days((line, schedule), now, slots, zone, _since(now, line)))
    if any((later - earlier).days < DAYS_OF_A_WEEK for earlier, later in pairwise(days)):
        yield _too_near(drug, *next((one, two) for one, two in pairwise(days) if (two - one).days < DAYS_OF_A_WEEK))


def _within_a_week(mine: _Read, theirs: _Read, now: datetime, slots: tuple[IntakeSlot, ...], zone: tzinfo) -> bool:
    since = _since(now, mine[0], theirs[0])
    own, other = (_days(each, now, slots, zone, since) for each in (mine, theirs))
    least = 1 if is_one_dose(mine[0], theirs[0]) else 0
    return any(least <= abs((one - two).days) < DAYS_OF_A_WEEK for one in own for two in other)


def _since(now: datetime, *lines: OrderLine) -> datetime:
    """Return from when on the days of orders are compared: a week before the last of them begins, at most five weeks back."""
    begins = max(_begins(line, now) for line in lines)
    return max(begins, now - LOOKED_BACK) - A_WEEK


def _begins(line: OrderLine, now: datetime) -> datetime:
    return line.starts_at or line.authored_at or now


def _days(read: _Read, now: datetime, slots: tuple[IntakeSlot, ...], zone: tzinfo, since: datetime) -> frozenset[date]:
    """Return the calendar days on which an order is due in the 400 days from a moment on."""
    line, schedule = read
    if schedule.kind is ScheduleKind.ONCE:
        return frozenset((once_due(line, now, slots, zone).date(),))
    if schedule.kind is not ScheduleKind.REGULAR:
        return frozenset()
    meant, starts_at = begun(line, schedule, _begins(line, now), slots, zone)
    return frozenset(due.date() for due, _ in expand(meant, starts_at, line.ends_at, since, since + LONGEST_WINDOW, zone))


def _too_near(drug: Drug, one: date, two: date) -> Reason:
    return Reason(
        RULE_WEEKLY,
        f"'{drug.inn}' is given once a week at most, and this order asks for it on {one:%d.%m.%Y} and again on {two:%d.%m.%Y}",
        SOURCE_WEEKLY,
        f"«{drug.inn}» дают не чаще раза в неделю, а здесь назначено на {one:%d.%m.%Y} и снова на {two:%d.%m.%Y}",
    )


def weekly_given(
    line: OrderLine, drug: Drug | None, given: Iterable[GivenDose], schedule: Schedule | Reason, now: datetime, slots: tuple[IntakeSlot, ...], zone: tzinfo
) -> Iterator[Reason]:
    """Yield why a drug of weekly dosing must not be given yet: an order that has ended gave it less than a week before this one's next dose."""
    if drug is None or not is_weekly(drug) or not isinstance(schedule, Schedule):
        return
    same = [dose for dose in given if dose.order != line.id and dose.substance == substance(drug.inn)]
    coming = _coming(line, schedule, now, slots, zone) if same else ()
    for dose in same:
        if any(moment > dose.due and _days_apart(moment, dose.due) < DAYS_OF_A_WEEK for moment in coming):
            yield _too_soon(drug, dose, zone)


def _coming(line: OrderLine, schedule: Schedule, now: datetime, slots: tuple[IntakeSlot, ...], zone: tzinfo) -> tuple[datetime, ...]:
    """Return the due times of a line in the week to come."""
    if schedule.kind is ScheduleKind.ONCE:
        return (max(line.starts_at or now, now),)
    if schedule.kind is not ScheduleKind.REGULAR:
        return ()
    read, starts_at = begun(line, schedule, line.starts_at or line.authored_at or now, slots, zone)
    return tuple(due for due, _ in expand(read, starts_at, line.ends_at, now, now + A_WEEK, zone))


def _too_soon(drug: Drug, dose: GivenDose, zone: tzinfo) -> Reason:
    due = dose.due.astimezone(zone)
    return Reason(
        RULE_WEEKLY,
        f"'{drug.inn}' is given once a week at most, and the order {dose.order}, which has ended, gave it at {due:%H:%M on %d.%m.%Y}",
        SOURCE_WEEKLY,
        f"«{drug.inn}» дают не чаще раза в неделю, а по оконченному назначению {dose.order} его дали {due:%d.%m.%Y в %H:%M}",
    )


def _days_apart(one: datetime, other: datetime) -> int:
    """Return the calendar days from one moment to another: next Monday, an hour earlier by the clock, is a week later."""
    return abs((one.date() - other.astimezone(one.tzinfo).date()).days)


def _stop(drug: Drug, other: OtherOrder) -> Reason:
    return Reason(
        RULE_WEEKLY,
        f"'{drug.inn}' is given once a week at most, and the order {other.line.id} ({other.line.position}) gives it within a week of this one",
        SOURCE_WEEKLY,
        f"«{drug.inn}» дают не чаще раза в неделю, а по назначению {other.line.id} ({other.line.position}) его дают меньше чем за неделю до этого или после",
    )
