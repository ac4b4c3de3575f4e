"""Orders beside each other: single gives of one order, a weekly drug ordered twice, and courses that end by what their dosages say."""

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from domain_cases import DAY_SLOTS, MONDAY, MOSCOW, PATIENT, SOURCE, STAY, TABLE, drug, line, mg, order

from hub.domain.drugs import Drug
from hub.domain.duplicates import by_patient
from hub.domain.identifiers import DrugCode, OrderId
from hub.domain.orders import LineDecision, OrderLine, Outcome, Reason
from hub.domain.planning import plan_line
from hub.domain.schedule import Schedule, ends_by_itself, in_words, schedule_for
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
    assert decided(METFORMIN, line(id=OrderId("a"), timing=Timing(code="ONCE")), line(id=OrderId("b"), timing=Timing(code="ONCE")))[1].outcome is Outcome.ONCE


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
