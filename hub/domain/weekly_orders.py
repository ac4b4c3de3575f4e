"""Two orders of a drug that is given once a week at most: a dose of one within a week of a dose of the other is a hard stop."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from hub.domain.courses import Moments, Schedule
from hub.domain.dose_checks import DAYS_OF_A_WEEK, RULE_WEEKLY, SOURCE_WEEKLY, is_weekly
from hub.domain.drugs import Drug
from hub.domain.duplicates import OtherOrder, substance, written_before
from hub.domain.frequencies import ScheduleKind
from hub.domain.orders import OrderLine, Reason

ScheduleOf = Callable[[OrderLine], Schedule | None]


def weekly_beside(
    line: OrderLine, drug: Drug | None, others: Iterable[OtherOrder], schedule_of: ScheduleOf, now: datetime
) -> Iterator[Reason]:
    """Yield why a drug of weekly dosing must not be given beside another order of it that was written before.

    Of two regular orders the duplicate check asks. Nobody's name and no code table lifts this.
    """
    if drug is None or not is_weekly(drug):
        return
    own, name = schedule_of(line), substance(drug.inn)
    if own is None:
        return
    for other in others:
        if other.line.id == line.id or other.line.patient != line.patient or other.substance != name or not written_before(other.line, line):
            continue
        beside = schedule_of(other.line)
        if beside is not None and _within_a_week(line, own, other.line, beside, now):
            yield _stop(drug, other)


def _within_a_week(line: OrderLine, own: Schedule, other: OrderLine, beside: Schedule, now: datetime) -> bool:
    mine, theirs = _moments(line, own, now), _moments(other, beside, now)
    if mine is not None and theirs is not None:
        return any(_days_apart(one, two) < DAYS_OF_A_WEEK for one in mine for two in theirs)
    if mine is not None and beside.kind is ScheduleKind.REGULAR:
        return any(_falls_into(moment, other) for moment in mine)
    if theirs is not None and own.kind is ScheduleKind.REGULAR:
        return any(_falls_into(moment, line) for moment in theirs)
    return False


def _moments(line: OrderLine, schedule: Schedule, now: datetime) -> tuple[datetime, ...] | None:
    """Return the moments of an order that has no rhythm; None of one that has, or whose doses nobody can foresee."""
    if schedule.kind is ScheduleKind.ONCE:
        return (line.starts_at or line.authored_at or now,)
    patterns = [pattern for course in schedule.courses for _, pattern in course.editions]
    found = [moment for pattern in patterns if isinstance(pattern, Moments) for moment in pattern.moments]
    return tuple(found) if patterns and all(isinstance(pattern, Moments) for pattern in patterns) else None


def _falls_into(moment: datetime, regular: OrderLine) -> bool:
    """Tell whether a moment is within a week of the days on which a regular order is in force."""
    begins, ends = regular.starts_at or regular.authored_at, regular.ends_at
    before = begins is not None and moment < begins and _days_apart(moment, begins) >= DAYS_OF_A_WEEK
    after = ends is not None and moment > ends and _days_apart(moment, ends) >= DAYS_OF_A_WEEK
    return not before and not after


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
