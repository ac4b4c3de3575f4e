"""From a schedule to the exact due times in a window: pure, in order, each instant once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from fractions import Fraction
from functools import lru_cache
from itertools import islice

from hub.domain.calendar_days import after, days_of, midnight
from hub.domain.courses import ONE, Course, DayTimes, Interval, Pattern, Schedule, steps_of
from hub.domain.frequencies import ALWAYS, ScheduleKind
from hub.domain.schedule_figures import least_interval_of
from hub.domain.schedule_rules import FirstDose, ScheduleRules

LONGEST_WINDOW = timedelta(days=400)
_TICK = timedelta(microseconds=1)

Dose = tuple[datetime, Fraction]
_Run = tuple[Course, datetime, datetime | None]


def expand(
    schedule: Schedule,
    starts_at: datetime,
    ends_at: datetime | None,
    window_start: datetime,
    window_end: datetime,
    zone: tzinfo,
) -> tuple[Dose, ...]:
    """Return (due, factor) of each dose in [window_start, window_end) of an order in force from starts_at to ends_at inclusive.

    All times carry a zone; due times are in `zone`. A clock time that a spring change skips becomes the same instant an
    hour later by the clock; one that occurs twice in autumn is given the first time. Doses of several courses at one
    instant are one dose of the sum. Bounds as FHIR R4 Timing.repeat: a period's end counts, a duration's end does not.
    """
    if window_end - window_start > LONGEST_WINDOW:
        raise ValueError(f"a window of more than {LONGEST_WINDOW.days} days is not a plan")
    begins, first, last = (moment.astimezone(UTC) for moment in (starts_at, window_start, window_end))
    if ends_at is not None:
        last = min(last, ends_at.astimezone(UTC) + _TICK)
    if len(schedule.courses) == 1:
        doses = _doses(schedule.rules, _run(schedule.courses[0], begins, zone), first, last, zone)
        return tuple([(_local(due, zone), factor) for due, factor in doses])
    rules = _rules_of(schedule)
    found: dict[datetime, Fraction] = {}
    for run in _runs(schedule, begins, last, zone):
        for due, factor in _doses(rules, run, first, last, zone):
            found[due] = found[due] + factor if due in found else factor
    return tuple((_local(due, zone), factor) for due, factor in sorted(found.items()))


def ends_by_itself(schedule: Schedule, starts_at: datetime, zone: tzinfo) -> datetime | None:
    """Return from when on a schedule gives nothing any more by what its dosages say, in UTC; None where some dosage has no end."""
    if not schedule.is_bounded:
        return None
    begins, steps = starts_at.astimezone(UTC), steps_of(schedule)
    for step, following in zip(steps, [*steps[1:], ()], strict=True):
        begins = max(_over(_run(course, begins, zone), following, schedule.rules, zone) for course in step)
    return begins


def _rules_of(schedule: Schedule) -> ScheduleRules:
    """Return the rules without a dose at the start where several courses begin: only one of them would be next."""
    if schedule.rules.first_dose is FirstDose.NEXT_TIME or len(steps_of(schedule)[0]) == 1:
        return schedule.rules
    return replace(schedule.rules, first_dose=FirstDose.NEXT_TIME)


def _runs(schedule: Schedule, begins: datetime, last: datetime, zone: tzinfo) -> Iterator[_Run]:
    """Yield each course that begins before `last` with its own start and its end (exclusive; None: open)."""
    steps = steps_of(schedule)
    for number, step in enumerate(steps):
        if begins >= last:
            return
        runs = [_run(course, begins, zone) for course in step]
        yield from runs
        if number + 1 < len(steps):
            begins = max(_over(run, steps[number + 1], schedule.rules, zone) for run in runs)


def _run(course: Course, begins: datetime, zone: tzinfo) -> _Run:
    own = begins if course.starts_at is None else max(begins, course.starts_at.astimezone(UTC))
    ends = [] if course.ends_at is None else [course.ends_at.astimezone(UTC) + _TICK]
    if course.lasts is not None:
        ends.append(after(own, course.lasts[0], zone))
    return course, own, min(ends, default=None)


def _over(run: _Run, following: tuple[Course, ...], rules: ScheduleRules, zone: tzinfo) -> datetime:
    """Return from when on the next step may begin: after a counted course the next day, after a single dose half an interval."""
    course, begins, until = run
    natural = None
    if course.kind is ScheduleKind.ONCE:
        gaps = [gap for each in following if (gap := least_interval_of(each)) is not None]
        natural = single_due(course, begins, zone) + min(gaps, default=timedelta(0)) / 2
    elif course.is_counted:
        natural = _after_last(run, rules, zone)
    known = [end for end in (natural, until) if end is not None]
    assert known, "a step that never ends has none after it"
    return min(known)


def _after_last(run: _Run, rules: ScheduleRules, zone: tzinfo) -> datetime | None:
    """Return when a course whose doses are counted is over, or None where its end comes first."""
    course, begins, until = run
    due = None
    far = begins + timedelta(days=366 * 100) if until is None else until
    for due, _ in _counted(course, rules, begins, far, zone):  # noqa: B007 - the last one is wanted
        pass
    if due is None:
        return until
    pattern = course.editions[-1][1]
    if isinstance(pattern, Interval):
        return due + pattern.step
    return datetime.combine(due.astimezone(zone).date() + timedelta(days=1), time(0), zone).astimezone(UTC)


def _doses(rules: ScheduleRules, run: _Run, first: datetime, last: datetime, zone: tzinfo) -> Iterator[Dose]:
    """Yield the doses of one course in [first, last), ascending, in UTC."""
    course, begins, until = run
    end = last if until is None else min(last, until)
    factor = course.factor
    found: Iterator[Dose]
    if course.kind is ScheduleKind.ONCE:
        due = single_due(course, begins, zone)
        return iter([(due, factor)] if first <= due < end else [])
    if course.kind is not ScheduleKind.REGULAR:
        return iter(())
    if course.count is not None:
        found = (dose for dose in _counted(course, rules, begins, end, zone) if dose[0] >= first)
    else:
        found = _in_order(course, rules, begins, first, end, zone)
    return found if factor is ONE else ((due, part * factor) for due, part in found)


def single_due(course: Course, begins: datetime, zone: tzinfo) -> datetime:
    """Return when a single dose is due, in UTC: at its course's start, or at the clock time of that day that it names (`TONIGHT`).

    Where that time has passed at the start, it is due at the start: the evening meant is this one.
    """
    local = begins.astimezone(zone)
    pattern = next((held for since, held in reversed(course.editions) if since <= local.date()), None)
    if not isinstance(pattern, DayTimes):
        return begins.astimezone(UTC)
    return max(begins.astimezone(UTC), _instant(local.date(), pattern.times[0][0], zone))


def singles_due(schedule: Schedule, starts_at: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """Return when the single doses are due with which a schedule begins, in `zone`."""
    opening = [_run(course, starts_at.astimezone(UTC), zone) for course in steps_of(schedule)[0] if course.kind is ScheduleKind.ONCE]
    return tuple(sorted(single_due(course, begins, zone).astimezone(zone) for course, begins, _ in opening))


def _counted(course: Course, rules: ScheduleRules, begins: datetime, end: datetime, zone: tzinfo) -> Iterator[Dose]:
    return islice(_in_order(course, rules, begins, begins, end, zone), course.count)


def _in_order(
    course: Course, rules: ScheduleRules, begins: datetime, first: datetime, last: datetime, zone: tzinfo
) -> Iterator[Dose]:
    """Yield the doses of a course's patterns in [first, last): each edition holds from its day to the next one's."""
    if course.step == 0 and (rules.first_dose is FirstDose.AT_START or rules.first_gap):
        return _after_opening(course, rules, begins, first, last, zone)
    if len(course.editions) == 1:
        return _of_pattern(course.editions[0][1], rules, begins, first, last, zone)
    return _of_editions(course, rules, begins, first, last, zone)


def _after_opening(
    course: Course, rules: ScheduleRules, begins: datetime, first: datetime, last: datetime, zone: tzinfo
) -> Iterator[Dose]:
    """Yield the dose at an order's start, where the house gives one, and the times that are not too near after it."""
    opening = _opening(course, rules, begins, zone)
    yield from (dose for dose in opening if first <= dose[0] < last)
    opens = begins + (max(rules.first_gap, _TICK) if opening else rules.first_gap)
    yield from _of_editions(course, rules, begins, max(first, opens), last, zone)


def _of_editions(
    course: Course, rules: ScheduleRules, begins: datetime, first: datetime, last: datetime, zone: tzinfo
) -> Iterator[Dose]:
    for (since, pattern), until in zip(course.editions, [*(day for day, _ in course.editions[1:]), None], strict=True):
        opens = first if since == ALWAYS else max(first, midnight(since, zone))
        closes = last if until is None else min(last, midnight(until, zone))
        if opens < closes:
            yield from _of_pattern(pattern, rules, begins, opens, closes, zone)


def _opening(course: Course, rules: ScheduleRules, begins: datetime, zone: tzinfo) -> list[Dose]:
    """Return the dose at an order's start, where the house gives one: on a day that counts, as much as its next time has."""
    local = begins.astimezone(zone)
    pattern = next(held for since, held in reversed(course.editions) if since <= local.date())
    if rules.first_dose is not FirstDose.AT_START or not isinstance(pattern, DayTimes):
        return []
    if not any(days_of(pattern, local.date(), local.date(), local.date(), rules.month_end)):
        return []
    later = [factor for clock, factor in pattern.times if clock >= local.time()]
    return [(begins, later[0] if later else pattern.times[0][1])]


def _of_pattern(
    pattern: Pattern, rules: ScheduleRules, begins: datetime, first: datetime, last: datetime, zone: tzinfo
) -> Iterator[Dose]:
    if isinstance(pattern, DayTimes):
        return _clock_doses(pattern, rules, begins, max(first, begins), last, zone)
    if isinstance(pattern, Interval):
        return _interval_doses(pattern.step, begins, max(first, begins), last)
    moments = sorted({moment.astimezone(UTC) for moment in pattern.moments})
    return ((moment, ONE) for moment in moments if max(first, begins) <= moment < last)


def _clock_doses(
    pattern: DayTimes, rules: ScheduleRules, begins: datetime, first: datetime, last: datetime, zone: tzinfo
) -> Iterator[Dose]:
    anchor, first_day, last_day = (moment.astimezone(zone).date() for moment in (begins, first, last))
    for day in days_of(pattern, anchor, first_day, last_day, rules.month_end):
        due_times = _of_day(pattern, day, zone)
        for due in sorted(due_times):
            if first <= due < last:
                yield due, due_times[due]


def _of_day(pattern: DayTimes, day: date, zone: tzinfo) -> dict[datetime, Fraction]:
    """Return the doses of a day by their instants.

    Where the spring change puts two times at one instant, both are kept, the skipped one an hour earlier by the clock; an interval,
    and times an hour apart through the night, have one dose less on the day that has an hour less.
    """
    found: dict[datetime, Fraction] = {}
    for clock, factor in reversed(pattern.times):
        due = _instant(day, clock, zone)
        if due in found and pattern.step is None:
            due = _beside_the_change(due, day, pattern, zone)
        found.setdefault(due, factor)
    return found


def _beside_the_change(due: datetime, day: date, pattern: DayTimes, zone: tzinfo) -> datetime:
    earlier = due - timedelta(hours=1)
    if earlier.astimezone(zone).date() != day:
        return due + timedelta(minutes=30)
    return due if earlier in {_instant(day, clock, zone) for clock, _ in pattern.times} else earlier


@lru_cache(maxsize=4096)
def _instant(day: date, clock: time, zone: tzinfo) -> datetime:
    """Return a clock time of a day in UTC; remembered, as thousands of orders of a day share a few times."""
    return datetime.combine(day, clock, zone).astimezone(UTC)


@lru_cache(maxsize=4096)
def _local(instant: datetime, zone: tzinfo) -> datetime:
    return instant.astimezone(zone)


def _interval_doses(step: timedelta, begins: datetime, first: datetime, last: datetime) -> Iterator[Dose]:
    passed = max(0, -((begins - first) // step))
    due = begins + passed * step
    while due < last:
        yield due, ONE
        due += step
