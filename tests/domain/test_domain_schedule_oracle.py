"""The expander against a second implementation (RFC 5545 rules of dateutil), and what must hold however a timing is changed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise

from dateutil.rrule import DAILY, HOURLY, MINUTELY, MO, MONTHLY, WEEKLY, rrule, rruleset
from domain_cases import MOSCOW
from hypothesis import given, settings
from hypothesis import strategies as st
from schedule_cases import MO as MONTH
from schedule_cases import START, D, H, amount, dosage, read, repeat, span, understood
from schedule_cases import WK as WEEK

from hub.domain.orders import Reason
from hub.domain.schedule import (
    HOUSE_RULES,
    Schedule,
    ScheduleKind,
    days_between,
    doses_a_day,
    expand,
    factors_of,
    in_words,
    least_interval,
)
from hub.domain.schedule_rules import MonthEnd
from hub.domain.timing import Dosage, PeriodUnit, Repeat, Span, Timing

DAY = timedelta(days=1)
FEW = settings(max_examples=40, deadline=None)

clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
clock_sets = st.lists(clocks, min_size=1, max_size=4, unique=True).map(lambda found: tuple(sorted(found)))
weekday_sets = st.sets(st.integers(0, 6), min_size=1, max_size=6).map(lambda found: tuple(sorted(found)))
starts = st.integers(0, 3 * 365 * 24 * 4).map(lambda quarters: START + timedelta(minutes=15 * quarters))
lengths = st.integers(1, 60)


def times(schedule: Schedule, start: datetime, days: int, end: datetime | None = None) -> list[datetime]:
    return [due for due, _ in expand(schedule, start, end, start, start + days * DAY, MOSCOW)]


def ruled(freq: int, clock_times: Sequence[time], start: datetime, days: int, **rule: object) -> list[datetime]:
    """Return the moments of one rule a clock time, each counted from midnight of the start's day (hours × minutes are no grid)."""
    whole = rruleset()
    for clock in clock_times:
        begins = datetime.combine(start.date(), clock, MOSCOW)
        whole.rrule(rrule(freq, dtstart=begins, until=start + days * DAY, **rule))  # type: ignore[arg-type]
    return [moment for moment in whole if start <= moment < start + days * DAY]


@FEW
@given(clock_sets, st.integers(1, 9), starts, lengths)
def test_clock_times_every_n_days_are_a_daily_rule_from_the_start_date(at: tuple[time, ...], every: int, start: datetime, days: int) -> None:
    schedule = understood(repeat(len(at), every, D, times=at))
    assert times(schedule, start, days) == ruled(DAILY, at, start, days, interval=every)


@FEW
@given(clock_sets, weekday_sets, st.integers(1, 4), starts, lengths)
def test_days_of_the_week_are_a_weekly_rule(at: tuple[time, ...], days_of_week: tuple[int, ...], every: int, start: datetime, days: int) -> None:
    schedule = understood(repeat(None, every, WEEK, times=at, weekdays=days_of_week))
    assert times(schedule, start, days) == ruled(WEEKLY, at, start, days, interval=every, byweekday=days_of_week, wkst=MO)


@FEW
@given(clock_sets, st.integers(1, 5), starts, st.integers(1, 399))
def test_months_are_a_monthly_rule_where_short_months_are_left_out(at: tuple[time, ...], every: int, start: datetime, days: int) -> None:
    skipping = replace(HOUSE_RULES, month_end=MonthEnd.SKIP)
    schedule = understood(repeat(None, every, MONTH, times=at), rules=skipping)
    assert times(schedule, start, days) == ruled(MONTHLY, at, start, days, interval=every)


@FEW
@given(clocks, st.integers(1, 5), st.integers(1, 399))
def test_months_from_the_31st_are_the_rule_of_last_days(at: time, every: int, days: int) -> None:
    start = START.replace(month=1, day=31)
    schedule = understood(repeat(1, every, MONTH, times=(at,)))
    assert times(schedule, start, days) == ruled(MONTHLY, (at,), start, days, interval=every, bymonthday=-1)


@FEW
@given(st.integers(25, 100).filter(lambda hours: hours % 24), starts, lengths)
def test_hours_that_do_not_divide_the_day_are_an_hourly_rule_from_the_first_dose(hours: int, start: datetime, days: int) -> None:
    expected = list(rrule(HOURLY, dtstart=start, interval=hours, until=start + days * DAY - timedelta(seconds=1)))
    assert times(understood(repeat(1, hours, H)), start, days) == expected


@FEW
@given(st.integers(61, 700).filter(lambda minutes: 1440 % minutes), starts, st.integers(1, 9))
def test_minutes_that_do_not_divide_the_day_are_a_minutely_rule(minutes: int, start: datetime, days: int) -> None:
    expected = list(rrule(MINUTELY, dtstart=start, interval=minutes, until=start + days * DAY - timedelta(seconds=1)))
    assert times(understood(repeat(1, minutes, PeriodUnit.MINUTE)), start, days) == expected


@FEW
@given(clock_sets, st.integers(1, 4), st.integers(1, 30), starts, lengths)
def test_a_count_is_the_first_of_the_rule_s_moments(at: tuple[time, ...], every: int, count: int, start: datetime, days: int) -> None:
    schedule = understood(repeat(len(at), every, D, times=at, count=count))
    assert times(schedule, start, days) == ruled(DAILY, at, start, days, interval=every)[:count]


periods = st.sampled_from([(1, D), (2, D), (3, D), (1, WEEK), (2, WEEK), (1, MONTH), (6, H), (8, H), (12, H), (36, H), (48, H), (90, PeriodUnit.MINUTE)])
events = st.lists(st.sampled_from(["MORN", "NOON", "EVE", "NIGHT", "ACM", "PCM"]), min_size=1, max_size=4, unique=True)
rates = st.builds(lambda often, period: repeat(often, *period), st.integers(1, 6), periods)
clocked = st.builds(lambda at, period: repeat(None, *period, times=at), clock_sets, st.sampled_from([(1, D), (2, D), (1, WEEK)]))
named = events.map(lambda when: repeat(when=tuple(when)))
weekly = st.builds(lambda at, days: repeat(times=at, weekdays=days), clock_sets, weekday_sets)
timings = st.one_of(rates, clocked, named, weekly)


def with_repeat(timing: Timing, **members: object) -> Timing:
    return replace(timing, repeat=replace(timing.repeat or Repeat(), **members))  # type: ignore[type-var]


bounds = st.one_of(st.just({}), st.integers(1, 20).map(lambda days: {"lasts": span(days)}), st.integers(0, 20).map(lambda days: {"ends_at": START + days * DAY}))
dosages = st.builds(
    lambda timing, count, dose, bound: dosage(with_repeat(timing, count=count), amount(dose), **bound),
    timings, st.one_of(st.none(), st.integers(1, 20)), st.sampled_from(["1/2", 1, 2]), bounds,
)  # fmt: skip
lists = st.lists(dosages, min_size=1, max_size=3)


def known(written: Sequence[Dosage]) -> Schedule | None:
    found = read(*written)
    assert not isinstance(found, Reason) or (found.text and found.text_ru)
    return found if isinstance(found, Schedule) else None


def due(schedule: Schedule, start: datetime = START, days: int = 40) -> tuple[tuple[datetime, Fraction], ...]:
    return expand(schedule, start, None, start, start + days * DAY, MOSCOW)


@FEW
@given(lists, st.integers(0, 12))
def test_a_shift_of_the_start_by_whole_weeks_shifts_every_dose(written: list[Dosage], weeks: int) -> None:
    shift = 28 * weeks * DAY
    unbound = [replace(each, ends_at=None) for each in written]
    monthly = any(each.timing is not None and each.timing.repeat is not None and each.timing.repeat.period_unit is MONTH for each in unbound)
    if not monthly and (schedule := known(unbound)) is not None:
        assert due(schedule, START + shift) == tuple((moment + shift, factor) for moment, factor in due(schedule))


@FEW
@given(lists, st.lists(st.integers(0, 40 * 24), min_size=3, max_size=3))
def test_two_windows_that_meet_are_one(written: list[Dosage], cuts: list[int]) -> None:
    first, middle, last = (START + timedelta(hours=cut) for cut in sorted(cuts))
    if (schedule := known(written)) is not None:
        parts = [expand(schedule, START, None, *window, MOSCOW) for window in ((first, middle), (middle, last))]
        assert parts[0] + parts[1] == expand(schedule, START, None, first, last, MOSCOW)


@FEW
@given(lists, st.randoms(use_true_random=False))
def test_the_order_in_which_dosages_times_and_events_are_written_changes_no_dose(written: list[Dosage], source: object) -> None:
    same_dose = [replace(each, dose=amount(1)) for each in written]
    turned = list(same_dose)
    source.shuffle(turned)  # type: ignore[attr-defined]
    turned = [replace(each, timing=_turned(each.timing)) for each in turned if each.timing is not None]
    before, after = known(same_dose), known(turned)
    assert before == after
    assert before is None or after is None or due(before) == due(after)


def _turned(timing: Timing) -> Timing:
    written = timing.repeat or Repeat()
    return replace(timing, repeat=replace(written, times=written.times[::-1], when=written.when[::-1], weekdays=written.weekdays[::-1]))


@FEW
@given(lists, st.integers(1, 20))
def test_more_bounds_never_add_a_dose(written: list[Dosage], days: int) -> None:
    unbound = known([replace(each, ends_at=None, lasts=None) for each in written])
    if unbound is not None:
        for bound in ({"ends_at": START + days * DAY}, {"lasts": span(days)}):
            bounded = known([replace(each, **{"ends_at": None, "lasts": None, **bound}) for each in written])
            assert bounded is not None
            fewer, more = dict(due(bounded)), dict(due(unbound))
            assert set(fewer) <= set(more) and all(fewer[moment] <= more[moment] for moment in fewer)


@FEW
@given(timings, st.integers(1, 30))
def test_a_count_is_never_exceeded(timing: Timing, count: int) -> None:
    if (schedule := known([dosage(with_repeat(timing, count=count))])) is not None:
        assert len(due(schedule, days=399)) <= count


@FEW
@given(lists)
def test_as_needed_removes_every_dose(written: list[Dosage]) -> None:
    if known(written) is not None:
        needed = known([replace(each, timing=replace(each.timing or Timing(), prn=True)) for each in written])
        assert needed is not None and needed.kind is ScheduleKind.PRN and not due(needed)


@FEW
@given(lists)
def test_another_unit_of_the_same_doses_keeps_the_plan(written: list[Dosage]) -> None:
    milligrams = [replace(each, dose=amount(each.dose[0].amount * 500, "mg")) for each in written if each.dose is not None]
    grams = [replace(each, dose=amount(each.dose[0].amount / 1000, "g")) for each in milligrams if each.dose is not None]
    mixed = [grams[0], *milligrams[1:]]
    assert known(milligrams) == known(grams) == known(mixed)


@FEW
@given(lists)
def test_the_figures_hold_for_what_is_expanded(written: list[Dosage]) -> None:
    schedule = known(written)
    if schedule is None or not (found := due(schedule, days=120)):
        return
    by_day: dict[object, Fraction] = {}
    for moment, factor in found:
        by_day[moment.date()] = by_day.get(moment.date(), Fraction(0)) + factor
    assert max(by_day.values()) <= doses_a_day(schedule)
    assert {factor for _, factor in found} <= set(factors_of(schedule))
    gap = least_interval(schedule)
    apart = [later - earlier for (earlier, _), (later, _) in pairwise(found)]
    assert not apart or (gap is not None and min(apart) >= gap)
    assert days_between(schedule) <= 120


fractions = st.fractions(min_value=-1, max_value=2000, max_denominator=8)
units = st.sampled_from(list(PeriodUnit))
wild_repeats = st.builds(
    Repeat,
    frequency=st.none() | st.integers(-1, 200), frequency_max=st.none() | st.integers(0, 9), period=st.none() | fractions | st.integers(1, 4).map(Fraction),
    period_max=st.none() | fractions, period_unit=st.none() | units, weekdays=st.lists(st.integers(-1, 7), max_size=3).map(tuple),
    times=st.lists(clocks, max_size=3).map(tuple), when=st.lists(st.sampled_from(["MORN", "AC", "C", "HS", "IMD", "PCV", "?"]), max_size=3).map(tuple),
    offset_minutes=st.none() | st.integers(-10, 2000), count=st.none() | st.integers(-1, 2000), count_max=st.none() | st.integers(0, 9),
    duration=st.none() | fractions, duration_max=st.none() | fractions, duration_unit=st.none() | units,
)  # fmt: skip
wild_timings = st.builds(
    Timing, code=st.none() | st.sampled_from(["BID", "Q8H", "PRN", "ONCE", "INFUSION", "MO", "?"]), prn=st.booleans(), repeat=st.none() | wild_repeats,
    events=st.lists(starts, max_size=2).map(tuple),
)  # fmt: skip
wild_dosages = st.builds(
    Dosage, st.none() | st.sampled_from([amount(1), amount(500, "mg"), amount(0), amount(-1)]), wild_timings, st.sampled_from(["PO", "IV"]),
    st.none() | st.integers(0, 2), st.none() | starts, st.none() | starts, st.none() | st.tuples(st.builds(Span, fractions, units), st.builds(Span, fractions, units)),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(wild_dosages, min_size=0, max_size=3))
def test_whatever_is_written_is_a_schedule_with_doses_and_words_or_a_reason_with_both_sentences(written: list[Dosage]) -> None:
    found = read(*written)
    if isinstance(found, Reason):
        assert found.rule and found.text and found.text_ru and found.source
        return
    assert in_words(found, written[0].dose, "ru") and in_words(found, written[0].dose, "en")
    assert list(due(found)) == sorted(due(found)) and all(factor > 0 for _, factor in due(found))
    assert doses_a_day(found) >= 0 and days_between(found) >= 0 and factors_of(found)
