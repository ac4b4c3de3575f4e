"""The canonical meaning of a line's dosages: courses that go on together or follow each other, each with its pattern of times."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction

from hub.domain.frequencies import ALWAYS, ScheduleKind
from hub.domain.schedule_rules import HOUSE_RULES, ScheduleRules
from hub.domain.timing import DoseLimit, Span

ONE = Fraction(1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayTimes:
    """Clock times, each with how many times the dose is taken then, on the days that count.

    `every_days`, `every_weeks` (with weekdays, Monday = 0) and `every_months` count from the course's start date. `called` names
    for each time the event of the day it stands for (`MORN`, `ACM-30`), or is empty. `step`: written as an interval that the
    ward's clock has times for.
    """

    times: tuple[tuple[time, Fraction], ...]
    every_days: int = 1
    weekdays: tuple[int, ...] = ()
    every_weeks: int = 1
    every_months: int = 0
    called: tuple[str, ...] = ()
    step: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """A dose every `step` of elapsed time, the first one at the course's start."""

    step: timedelta


@dataclass(frozen=True, slots=True)
class Moments:
    """A dose at each of these exact moments."""

    moments: tuple[datetime, ...]


Pattern = DayTimes | Interval | Moments


@dataclass(frozen=True, slots=True)
class Permission:
    """What is allowed beyond what is scheduled: at most so many times, as rarely as every so long, at most so many in all."""

    frequency: tuple[int, int] | None = None
    period: tuple[Span, Span] | None = None
    count_max: int | None = None


NOTHING_MORE = Permission()


@dataclass(frozen=True, slots=True)
class Course:
    """One dosage of a line: its kind, its pattern by the day from which it holds, and the bounds of its own.

    `factor` is its dose in doses of the line's first dosage. `step`: courses of one step go on together, the next step begins when
    they are over. `lasts` is (least, most) from its start; the least is scheduled. `count` is of doses from its start.
    `duration` is how long one administration takes, (least, most).
    """

    kind: ScheduleKind
    editions: tuple[tuple[date, Pattern], ...] = ()
    factor: Fraction = ONE
    step: int = 0
    count: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    lasts: tuple[Span, Span] | None = None
    duration: tuple[Span, Span] | None = None
    permission: Permission = NOTHING_MORE
    limits: tuple[DoseLimit, ...] = ()

    @property
    def is_bounded(self) -> bool:
        """Tell whether the course ends by what is written; when as-needed doses are used up nobody can tell ahead."""
        return self.kind is ScheduleKind.ONCE or self.is_counted or self.ends_at is not None or self.lasts is not None

    @property
    def is_counted(self) -> bool:
        """Tell whether the course has a last dose: a count of them, or exact moments."""
        exact = any(isinstance(pattern, Moments) for _, pattern in self.editions)
        return self.kind is ScheduleKind.REGULAR and (self.count is not None or exact)


@dataclass(frozen=True, slots=True)
class Schedule:
    """What the dosages of a line mean; `rules` are those of the house under which they were read."""

    kind: ScheduleKind
    courses: tuple[Course, ...] = ()
    rules: ScheduleRules = HOUSE_RULES

    @property
    def is_bounded(self) -> bool:
        """Tell whether every course ends by what is written."""
        return bool(self.courses) and all(course.is_bounded for course in self.courses)

    @property
    def counts_from_first_dose(self) -> bool:
        """Tell whether some course gives its first dose at the start itself, so that the start's clock matters."""
        patterns = (pattern for course in self.courses for _, pattern in course.editions)
        return self.opens_with_single or any(isinstance(pattern, Interval) for pattern in patterns)

    @property
    def opens_with_single(self) -> bool:
        """Tell whether a regular schedule begins with a single dose at the order's start."""
        first = min((course.step for course in self.courses), default=0)
        single = any(course.kind is ScheduleKind.ONCE and course.step == first for course in self.courses)
        return self.kind is ScheduleKind.REGULAR and single


def steps_of(schedule: Schedule) -> tuple[tuple[Course, ...], ...]:
    """Return the courses by step, in the order in which the steps follow each other."""
    numbers = sorted({course.step for course in schedule.courses})
    return tuple(tuple(course for course in schedule.courses if course.step == number) for number in numbers)


def always(pattern: Pattern) -> tuple[tuple[date, Pattern], ...]:
    """Return a pattern that holds on every day."""
    return ((ALWAYS, pattern),)
