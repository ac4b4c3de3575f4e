"""Orders beside each other: single gives of one order, a weekly drug ordered twice, and courses that end by what their dosages say."""

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from domain_cases import DAY_SLOTS, MONDAY, MOSCOW, PATIENT, SOURCE, STAY, TABLE, drug, line, mg, order

from hub.domain.drugs import Drug
from hub.domain.duplicates import Known, by_patient
from hub.domain.identifiers import DrugCode, OrderId
from hub.domain.orders import LineDecision, OrderLine, Outcome, Reason
from hub.domain.planning import plan_line
from hub.domain.schedule import Schedule, ends_by_itself, in_words, schedule_for
from hub.domain.schedule_rules import DurationMeaning, ScheduleRules
from hub.domain.timing import Dosage, PeriodUnit, Repeat, Span, Timing
from hub.domain.validation import decide_line

METFORMIN = drug()
METHOTREXATE = drug(code=DrugCode("MTX"), inn="Метотрексат", trade_name="Метотрексат", strength="2,5 мг", group="")
DAY = timedelta(days=1)


def decided(item: Drug, *lines: OrderLine, now: datetime = MONDAY) -> list[LineDecision]:
    directory = {item.code: item}
    beside = by_patient(lines, directory)[PATIENT.id]
    return [decide_line(each, PATIENT, STAY, directory, TABLE, DAY_SLOTS, SOURCE, now, now, now, beside=beside) for each in lines]


def rules(decision: LineDecision) -> list[str]:
    assert all(reason.text and reason.text_ru and reason.source for reason in decision.reasons)
    return [reason.rule for reason in decision.reasons]


def once(order: str, starts_at: datetime, **changes: Any) -> OrderLine:
    timing = changes.pop("timing", Timing(code="ONCE"))
    return line(id=OrderId(order), drug=METHOTREXATE.code, dose=mg(10), timing=timing, starts_at=starts_at, authored_at=starts_at, **changes)


# ---- single gives ----


def give(number: int, hour: int) -> OrderLine:
    moments = (MONDAY.replace(hour=hour),)
    return line(id=OrderId(f"a/give/{number}"), timing=Timing(events=moments), authored_at=MONDAY + timedelta(minutes=number))


def test_gives_of_one_order_at_different_moments_are_no_duplicate() -> None:
    decisions = decided(METFORMIN, give(1, 8), give(2, 14), give(3, 20))
    assert [decision.outcome for decision in decisions] == [Outcome.SCHEDULED] * 3
    assert "same-drug-beside" in rules(decisions[2])


def test_two_gives_at_one_moment_are() -> None:
    assert rules(decided(METFORMIN, give(1, 8), give(2, 8))[1]) == ["duplicate-therapy"]


# ---- a weekly drug twice ----


@pytest.mark.parametrize("days", [0, 1, 6])
def test_two_single_doses_of_a_weekly_drug_within_a_week_are_a_hard_stop(days: int) -> None:
    first, second = decided(METHOTREXATE, once("a", MONDAY), once("b", MONDAY + days * DAY))
    assert first.outcome is Outcome.ONCE
    assert (second.outcome, rules(second)) == (Outcome.REJECTED, ["weekly-drug"])
    assert "the order a (line 2)" in second.reasons[0].text and "назначению a" in second.reasons[0].text_ru


def test_a_week_later_is_let_pass_also_by_an_earlier_clock() -> None:
    assert decided(METHOTREXATE, once("a", MONDAY), once("b", MONDAY + 7 * DAY - timedelta(hours=1)))[1].outcome is Outcome.ONCE
    assert decided(METFORMIN, line(id=OrderId("a"), timing=Timing(code="ONCE")), line(id=OrderId("b"), timing=Timing(code="ONCE"), starts_at=MONDAY))[1].outcome is Outcome.ONCE


def test_an_earlier_dose_that_was_written_later_is_stopped() -> None:
    late = replace(once("b", MONDAY + DAY), authored_at=MONDAY + 4 * DAY)
    first, second = decided(METHOTREXATE, once("a", MONDAY + 3 * DAY), late)
    assert (first.outcome, second.outcome) == (Outcome.ONCE, Outcome.REJECTED)


def test_a_single_dose_beside_a_weekly_order_is_a_hard_stop() -> None:
    weekly = once("a", MONDAY - 7 * DAY, timing=Timing(repeat=Repeat(weekdays=(0,))))
    assert rules(decided(METHOTREXATE, weekly, once("b", MONDAY + 2 * DAY))[1]) == ["weekly-drug"]


def test_exact_moments_of_a_weekly_drug_in_two_orders_are_a_hard_stop() -> None:
    moments = once("b", MONDAY + DAY, timing=Timing(events=(MONDAY + 3 * DAY,)))
    assert "weekly-drug" in rules(decided(METHOTREXATE, once("a", MONDAY), moments)[1])


# ---- a course that its dosages say ----


def lasting(days: int, code: str = "BID") -> OrderLine:
    span = Span(Fraction(days), PeriodUnit.DAY)
    return replace(line(starts_at=MONDAY, authored_at=MONDAY), dosages=(Dosage(mg(500), Timing(code=code), "PO", lasts=(span, span)),))


def doses(whole: OrderLine, days: int) -> list[datetime]:
    schedule = schedule_for(whole.dosages, TABLE, STAY.department)
    assert isinstance(schedule, Schedule)
    found = plan_line(
        order(whole), METFORMIN, schedule, STAY, SOURCE, DAY_SLOTS, MONDAY, MONDAY + days * DAY, MOSCOW, has_cassette=True, last_confirmed_at=MONDAY
    )
    return [dose.due for dose in found]


def test_a_course_by_its_dosages_is_one_and_is_not_cut_by_the_days_of_confirming() -> None:
    (decision,) = decided(METFORMIN, lasting(5))
    (check,) = [check for check in decision.checks if check.name == "course"]
    assert (check.passed, check.text) == (True, "course by what its dosages say")
    assert SOURCE.reconfirm_days == 3
    assert len(doses(lasting(5), days=8)) == 10
    assert len(doses(line(starts_at=MONDAY, authored_at=MONDAY), days=8)) == 6


def test_a_counted_course_is_not_cut_either() -> None:
    counted = line(starts_at=MONDAY, authored_at=MONDAY, timing=Timing(code="BID", repeat=Repeat(count=9)))
    assert len(doses(counted, days=8)) == 9


def test_a_course_by_its_dosages_that_is_over_says_so() -> None:
    now = MONDAY + 5 * DAY
    (decision,) = decided(METFORMIN, lasting(5), now=now)
    assert (decision.outcome, rules(decision)) == (Outcome.REJECTED, ["course-over"])
    assert "06:00 on 07.03.2026" in decision.reasons[0].text and "07.03.2026 в 06:00" in decision.reasons[0].text_ru
    assert decided(METFORMIN, lasting(5), now=now - timedelta(minutes=1))[0].outcome is Outcome.SCHEDULED


def test_of_two_dosages_the_open_one_keeps_the_order_open() -> None:
    two = replace(lasting(5), dosages=(*lasting(5).dosages, Dosage(mg(500), Timing(code="HS"), "PO")))
    (decision,) = decided(METFORMIN, two)
    assert "re-confirmed every 3 days" in next(check.text for check in decision.checks if check.name == "course")
    schedule = schedule_for(two.dosages, TABLE, STAY.department)
    assert isinstance(schedule, Schedule) and ends_by_itself(schedule, MONDAY, MOSCOW) is None


def test_steps_end_when_the_last_one_does() -> None:
    first, second = lasting(2).dosages[0], lasting(3).dosages[0]
    schedule = schedule_for((replace(first, sequence=1), replace(second, sequence=2)), TABLE, STAY.department)
    assert isinstance(schedule, Schedule) and ends_by_itself(schedule, MONDAY, MOSCOW) == MONDAY + 5 * DAY


def test_a_count_beside_a_code_of_one_dose_is_a_contradiction() -> None:
    (decision,) = decided(METFORMIN, line(timing=Timing(code="ONCE", repeat=Repeat(count=3))))
    assert rules(decision) == ["timing-contradiction"] and "3 times" in decision.reasons[0].text and "указано 3" in decision.reasons[0].text_ru
    assert decided(METFORMIN, line(timing=Timing(code="ONCE", repeat=Repeat(count=1))))[0].outcome is Outcome.ONCE


def test_moments_with_a_duration_keep_it_where_it_is_shorter_than_the_time_between_them() -> None:
    moments = (MONDAY.replace(hour=8), MONDAY.replace(hour=20))

    def said(minutes: int) -> Schedule | Reason:
        repeat = Repeat(duration=Fraction(minutes), duration_unit=PeriodUnit.MINUTE)
        return schedule_for((Dosage(mg(500), Timing(events=moments, repeat=repeat), "PO"),), TABLE, "")

    short, long = said(30), said(720)
    assert isinstance(short, Schedule) and short.courses[0].duration is not None and "30" in in_words(short, mg(500), "ru")
    assert isinstance(long, Reason) and long.rule == "timing-duration"


# ---- the days of a weekly drug ----


def weekly(order: str, *days: int, when: str = "MORN", **changes: Any) -> OrderLine:
    timing = Timing(repeat=Repeat(frequency=1, period=Fraction(1), period_unit=PeriodUnit.WEEK, weekdays=days, when=(when,)))
    return once(order, MONDAY, timing=timing, **changes)


def dosed(*timings: Timing, following: bool = False) -> OrderLine:
    dosages = tuple(Dosage(mg(10), timing, "PO", sequence=number if following else None) for number, timing in enumerate(timings, 1))
    return replace(once("a", MONDAY), dosages=dosages)


DAILY_ONE = Timing(repeat=Repeat(frequency=1, period=Fraction(1), period_unit=PeriodUnit.DAY, count=1))
ONCE_ON = {day: Timing(repeat=Repeat(frequency=1, period=Fraction(1), period_unit=PeriodUnit.WEEK, weekdays=(day,), count=1)) for day in range(7)}
EVERY_MONDAY = Timing(repeat=Repeat(frequency=1, period=Fraction(1), period_unit=PeriodUnit.WEEK, weekdays=(0,)))


@pytest.mark.parametrize(
    "odd",
    [
        dosed(DAILY_ONE, DAILY_ONE, DAILY_ONE, following=True),
        dosed(ONCE_ON[1], ONCE_ON[2]),
        dosed(EVERY_MONDAY, ONCE_ON[4]),
        dosed(Timing(events=(MONDAY + 3 * DAY + timedelta(hours=3), MONDAY + 4 * DAY + timedelta(hours=1), MONDAY + 33 * DAY))),
        dosed(Timing(repeat=Repeat(frequency=1, frequency_max=3, period=Fraction(1), period_unit=PeriodUnit.WEEK))),
    ],
    ids=["steps of one dose", "two single days", "weekly and once", "a pair of moments", "up to three times a week"],
)
def test_two_days_nearer_than_a_week_are_a_hard_stop_however_they_are_written(odd: OrderLine) -> None:
    (decision,) = decided(METHOTREXATE, odd)
    assert (decision.outcome, set(rules(decision))) == (Outcome.REJECTED, {"weekly-drug"})


@pytest.mark.parametrize(
    "plain",
    [
        dosed(EVERY_MONDAY), dosed(ONCE_ON[1]),
        dosed(Timing(events=(MONDAY + 3 * DAY, MONDAY + 10 * DAY))),
    ],
)  # fmt: skip
def test_one_day_a_week_stays_scheduled(plain: OrderLine) -> None:
    assert decided(METHOTREXATE, plain)[0].outcome is Outcome.SCHEDULED


@pytest.mark.parametrize(("day", "when"), [(3, "EVE"), (3, "MORN"), (0, "EVE")])
def test_two_regular_orders_of_a_weekly_drug_are_a_hard_stop(day: int, when: str) -> None:
    first, second = decided(METHOTREXATE, weekly("a", 0), weekly("b", day, when=when))
    assert (first.outcome, second.outcome, rules(second)) == (Outcome.SCHEDULED, Outcome.REJECTED, ["weekly-drug"])


def test_the_mornings_of_one_day_and_the_evenings_of_another_divide_no_dose() -> None:
    weeks = [replace(weekly(name, day, when=when), drug=METFORMIN.code) for name, day, when in (("a", 0, "MORN"), ("b", 3, "EVE"))]
    assert rules(decided(METFORMIN, *weeks)[1]) == ["duplicate-therapy"]


# ---- one dose of two strengths, and sums ----

STRONG = drug(code=DrugCode("MET850"), strength="850 мг")


def both(first: Drug, second: Drug, *lines: OrderLine, known: dict[OrderId, Known] | None = None) -> list[LineDecision]:
    directory = {each.code: each for each in (first, second)}
    beside = by_patient(lines, directory, known or {})[PATIENT.id]
    return [decide_line(each, PATIENT, STAY, directory, TABLE, DAY_SLOTS, SOURCE, MONDAY, MONDAY, MONDAY, beside=beside) for each in lines]


@pytest.mark.parametrize("changes", [{"authored_at": MONDAY - DAY / 4}, {"signed_by": "Петров"}])
def test_a_new_strength_beside_an_old_order_that_nobody_stopped_is_a_duplicate(changes: dict[str, Any]) -> None:
    changed = line(id=OrderId("o2"), drug=STRONG.code, dose=mg(850), **changes)
    assert rules(both(METFORMIN, STRONG, line(), changed)[1]) == ["duplicate-therapy"]
    together = line(id=OrderId("o2"), drug=STRONG.code, dose=mg(850))
    assert both(METFORMIN, STRONG, line(), together)[1].outcome is Outcome.SCHEDULED


def test_the_sum_of_two_strengths_is_held_against_the_maxima() -> None:
    together = line(id=OrderId("o2"), drug=STRONG.code, dose=mg(850))
    for limit in ({"most_at_once": mg(1000)[0]}, {"most_a_day": mg(2000)[0]}):
        doubted = both(drug(**limit), STRONG, line(), together)[1]
        assert (doubted.outcome, rules(doubted)) == (Outcome.NEEDS_REVIEW, ["directory-maximum"])
        assert "together with o1" in doubted.reasons[0].text and "вместе с o1" in doubted.reasons[0].text_ru
    assert both(drug(most_a_day=mg(2700)[0], most_at_once=mg(1350)[0]), STRONG, line(), together)[1].outcome is Outcome.SCHEDULED


def test_a_dose_when_needed_counts_with_the_regular_ones() -> None:
    hours = Repeat(frequency=1, period=Fraction(6), period_unit=PeriodUnit.HOUR)
    needed = line(id=OrderId("o2"), timing=Timing(prn=True, repeat=hours), authored_at=MONDAY - DAY / 4)
    assert rules(decided(drug(most_a_day=mg(2500)[0]), line(), needed)[1]) == ["directory-maximum"]
    assert decided(drug(most_a_day=mg(3000)[0]), line(), needed)[1].outcome is Outcome.PRN


def test_two_single_doses_at_one_minute_are_asked_about() -> None:
    first, second = (line(id=OrderId(name), timing=Timing(code="ONCE"), starts_at=MONDAY + DAY / 4) for name in ("a", "b"))
    assert rules(decided(METFORMIN, first, second)[1]) == ["duplicate-therapy"]
    assert decided(METFORMIN, first, replace(second, starts_at=MONDAY + DAY / 2))[1].outcome is Outcome.ONCE


# ---- whichever is judged second ----


def test_an_order_written_earlier_that_comes_beside_one_that_stands_is_asked_about() -> None:
    early, late = line(id=OrderId("a")), line(id=OrderId("b"), authored_at=MONDAY)
    assert rules(both(METFORMIN, STRONG, early, late, known={late.id: Known(stands=True)})[0]) == ["duplicate-therapy"]
    settled = {late.id: Known(stands=True), early.id: Known(waits=True)}
    assert [each.outcome for each in both(METFORMIN, STRONG, early, late, known=settled)] == [Outcome.NEEDS_REVIEW, Outcome.SCHEDULED]


def test_a_line_without_a_dose_holds_nothing_up() -> None:
    first, corrected = line(id=OrderId("a"), dose=None), line(id=OrderId("b"), authored_at=MONDAY)
    assert [each.outcome for each in decided(METFORMIN, first, corrected)] == [Outcome.REJECTED, Outcome.SCHEDULED]


def test_another_order_is_read_by_the_rules_of_its_own_source() -> None:
    long = Repeat(frequency=1, period=Fraction(1), period_unit=PeriodUnit.DAY, duration=Fraction(5), duration_unit=PeriodUnit.DAY)
    first, later = line(id=OrderId("a"), timing=Timing(repeat=long)), line(id=OrderId("b"), authored_at=MONDAY)
    course = ScheduleRules(duration=DurationMeaning.COURSE)
    assert rules(both(METFORMIN, STRONG, first, later, known={first.id: Known(rules=course)})[1]) == ["duplicate-therapy"]
