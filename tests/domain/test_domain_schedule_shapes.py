"""Every shape in which timings are written is an expansion or a worded reason: literal cases of one week from Monday 2 March 2026."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from domain_cases import MOSCOW, TABLE_FILE
from schedule_cases import (
    MIN,
    MO,
    START,
    WK,
    A,
    D,
    H,
    amount,
    dosage,
    doses,
    listed,
    read,
    refused,
    repeat,
    span,
    understood,
)

from hub.domain.courses import Interval
from hub.domain.frequencies import FrequencyTable, read_frequency_table
from hub.domain.orders import Reason
from hub.domain.quantities import Quantity
from hub.domain.schedule import HOUSE_RULES, ScheduleKind, days_between, doses_a_day, factors_of, least_interval
from hub.domain.schedule_rules import DurationMeaning, FirstDose, IntervalAnchor, MonthEnd, rules_in_words
from hub.domain.timing import Dosage, Repeat, SlotDose, Span, Timing

F = Fraction
WEEK = range(2, 9)
DAY = timedelta(days=1)
NOON_UTC = datetime(2026, 3, 3, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        (repeat(1, 1, D), listed(WEEK, clocks="08:00")),
        (repeat(2, 1, D), listed(WEEK, clocks="08:00 20:00")),
        (repeat(3, 1, D), listed(WEEK, clocks="08:00 14:00 20:00")),
        (repeat(None, 1, D), listed(WEEK, clocks="08:00")),
        (repeat(1, 2, D), listed([2, 4, 6, 8], clocks="08:00")),
        (repeat(2, 4, D), listed([2, 4, 6, 8], clocks="08:00")),
        (repeat(4, 2, D), listed(WEEK, clocks="08:00 20:00")),
        (repeat(1, "1/2", D), listed(WEEK, clocks="08:00 20:00")),
        (repeat(1, "3/2", D), ["02 00:00", "03 12:00", "05 00:00", "06 12:00", "08 00:00"]),
        (repeat(1, 36, H), ["02 00:00", "03 12:00", "05 00:00", "06 12:00", "08 00:00"]),
        (repeat(1, 8, H), listed(WEEK, clocks="00:00 08:00 16:00")),
        (repeat(1, 12, H), listed(WEEK, clocks="08:00 20:00")),
        (repeat(2, 12, H), listed(WEEK, clocks="00:00 06:00 12:00 18:00")),
        (repeat(1, 24, H), listed(WEEK, clocks="08:00")),
        (repeat(1, 48, H), listed([2, 4, 6, 8], clocks="08:00")),
        (repeat(1, 120, H), listed([2, 7], clocks="08:00")),
        (repeat(1, 720, MIN), listed(WEEK, clocks="08:00 20:00")),
        (repeat(1, 288, MIN), listed(WEEK, clocks="00:00 04:48 09:36 14:24 19:12")),
        (repeat(1, 1, WK), listed([2], clocks="08:00")),
        (repeat(2, 1, WK), listed([2, 5], clocks="08:00")),
        (repeat(3, 1, WK), listed([2, 4, 6], clocks="08:00")),
        (repeat(7, 1, WK), listed(WEEK, clocks="08:00")),
        (repeat(14, 1, WK), listed(WEEK, clocks="08:00 20:00")),
        (repeat(1, 7, D), listed([2], clocks="08:00")),
        (repeat(1, 1, MO), listed([2], clocks="08:00")),
        (repeat(4, 1, A), listed([2], clocks="08:00")),
        (repeat(weekdays=(0, 3)), listed([2, 5], clocks="08:00")),
        (repeat(2, 1, D, weekdays=(1,)), listed([3], clocks="08:00 20:00")),
        (repeat(1, 1, WK, weekdays=(4,)), listed([6], clocks="08:00")),
        (repeat(2, 1, WK, weekdays=(4, 1)), listed([3, 6], clocks="08:00")),
        (repeat(None, 1, WK, weekdays=(4, 1)), listed([3, 6], clocks="08:00")),
        (repeat(1, 8, H, weekdays=(2,)), listed([4], clocks="00:00 08:00 16:00")),
        (repeat(times=(time(9), time(21, 30))), listed(WEEK, clocks="09:00 21:30")),
        (repeat(2, 1, D, times=(time(21, 30), time(9))), listed(WEEK, clocks="09:00 21:30")),
        (repeat(1, 2, D, times=(time(9),)), listed([2, 4, 6, 8], clocks="09:00")),
        (repeat(times=(time(9),), weekdays=(0, 6)), listed([2, 8], clocks="09:00")),
        (repeat(4, 1, WK, times=(time(9), time(21)), weekdays=(0, 6)), listed([2, 8], clocks="09:00 21:00")),
        (repeat(1, 1, WK, times=(time(9),)), listed([2], clocks="09:00")),
        (repeat(3, 1, WK, times=(time(9),)), listed([2, 4, 6], clocks="09:00")),
        (repeat(1, 24, H, times=(time(9),)), listed(WEEK, clocks="09:00")),
        (repeat(when=("MORN", "EVE")), listed(WEEK, clocks="08:00 18:00")),
        (repeat(2, 1, D, when=("EVE", "MORN")), listed(WEEK, clocks="08:00 18:00")),
        (repeat(when=("MORN", "NOON", "EVE", "NIGHT")), listed(WEEK, clocks="08:00 13:00 18:00 22:00")),
        (repeat(1, 1, D, when=("HS",)), listed(WEEK, clocks="22:00")),
        (repeat(1, 24, H, when=("HS",)), listed(WEEK, clocks="22:00")),
        (repeat(when=("EVE.late",)), listed(WEEK, clocks="20:00")),
        (repeat(when=("MORN.early",)), listed(WEEK, clocks="07:00")),
        (repeat(when=("CM", "CV")), listed(WEEK, clocks="08:00 18:00")),
        (repeat(3, 1, D, when=("C",)), listed(WEEK, clocks="08:00 13:00 18:00")),
        (repeat(2, 1, D, when=("C",)), listed(WEEK, clocks="08:00 18:00")),
        (repeat(1, 1, D, when=("PC",)), listed(WEEK, clocks="08:30")),
        (repeat(3, 1, D, when=("AC",)), listed(WEEK, clocks="07:30 12:30 17:30")),
        (repeat(when=("ACM",), offset_minutes=30), listed(WEEK, clocks="07:30")),
        (repeat(when=("AC",), offset_minutes=60), listed(WEEK, clocks="07:00 12:00 17:00")),
        (repeat(when=("PCV",), offset_minutes=90), listed(WEEK, clocks="19:30")),
        (repeat(1, 1, D, when=("HS",), offset_minutes=30), listed(WEEK, clocks="21:30")),
        (repeat(when=("WAKE",), offset_minutes=15), listed(WEEK, clocks="07:15")),
        (repeat(when=("NIGHT",), offset_minutes=180), listed(WEEK, clocks="01:00")),
        (repeat(when=("MORN",), weekdays=(2,)), listed([4], clocks="08:00")),
        (repeat(1, 1, WK, when=("MORN",), weekdays=(2,)), listed([4], clocks="08:00")),
        (repeat(1, 2, WK, when=("MORN",)), listed([2], clocks="08:00")),
        (repeat(1, 1, MO, when=("MORN",)), listed([2], clocks="08:00")),
        (repeat(when=("MORN",), count=3), listed([2, 3, 4], clocks="08:00")),
        (repeat(2, 1, D, count=3), ["02 08:00", "02 20:00", "03 08:00"]),
        (repeat(1, 1, WK, count=3), listed([2], clocks="08:00")),
        (repeat(1, 36, H, count=2), ["02 00:00", "03 12:00"]),
        (repeat(2, 1, D, frequency_max=3), listed(WEEK, clocks="08:00 20:00")),
        (repeat(1, 4, H, period_max=6), listed(WEEK, clocks="00:00 04:00 08:00 12:00 16:00 20:00")),
        (repeat(1, 1, D, duration=2, duration_unit=H), listed(WEEK, clocks="08:00")),
        (repeat(when=("MORN",), duration=30, duration_unit=MIN), listed(WEEK, clocks="08:00")),
        (Timing(events=(NOON_UTC,)), ["03 12:00"]),
        (Timing(events=(NOON_UTC + DAY, NOON_UTC), repeat=Repeat(count=2)), ["03 12:00", "04 12:00"]),
        (Timing(code="ONCE", events=(NOON_UTC,)), ["03 12:00"]),
        (Timing(code="BID"), listed(WEEK, clocks="08:00 20:00")),
        (Timing(code="BED"), listed(WEEK, clocks="22:00")),
        (Timing(code="WK"), listed([2], clocks="08:00")),
        (Timing(code="MO"), listed([2], clocks="08:00")),
        (Timing(code="BID", repeat=Repeat(count=1)), ["02 08:00"]),
        (Timing(code="BID", repeat=Repeat(2, None, F(1), None, D)), listed(WEEK, clocks="08:00 20:00")),
        (Timing(code="TID", repeat=Repeat(times=(time(7), time(12), time(19)))), listed(WEEK, clocks="07:00 12:00 19:00")),
        (Timing(code="Q8H", repeat=Repeat(1, None, F(8), None, H)), listed(WEEK, clocks="00:00 08:00 16:00")),
        (Timing(code="QMON", repeat=Repeat(1, None, F(1), None, WK)), listed([2], clocks="08:00")),
        (Timing(code="AM", repeat=Repeat(when=("MORN",))), listed(WEEK, clocks="08:00")),
        (Timing(slots=(SlotDose("morning", F(1)), SlotDose("night", F(1, 2)))), ["02 08:00", "02 22:00 ×1/2"] + [
            text for day in range(3, 9) for text in (f"{day:02} 08:00", f"{day:02} 22:00 ×1/2")]),
        (Timing(slots=(SlotDose("morning", F(1)),), repeat=Repeat(None, None, F(2), None, D)), listed([2, 4, 6, 8], clocks="08:00")),
        (repeat(1, count=1), ["02 00:00"]),
        (repeat(count=1), ["02 00:00"]),
        (repeat(when=("IMD",)), ["02 00:00"]),
        (Timing(code="STAT"), ["02 00:00"]),
        (Timing(prn=True), []), (repeat(1, weekdays=(2,)), listed([4], clocks="08:00")),
        (Timing(code="Q15MIN"), []),
        (repeat(1, 15, MIN), []),
    ],
)  # fmt: skip
def test_a_week_of_every_shape(timing: Timing, expected: list[str]) -> None:
    assert doses(understood(timing)) == expected


def test_the_day_before_a_window_of_weekdays_is_not_lost_over_the_week_s_end() -> None:
    fortnightly = understood(repeat(1, 2, WK, weekdays=(0,)))
    assert doses(fortnightly, 30, start=START + 2 * DAY) == ["16 08:00", "30 08:00"]
    assert doses(understood(repeat(1, 2, WK, weekdays=(4,))), 30, start=START + 2 * DAY) == ["06 08:00", "20 08:00"]


@pytest.mark.parametrize(
    ("timing", "rule"),
    [
        (repeat(1, 1), "tim-2"), (repeat(1, 1, D, duration=1), "tim-1"), (repeat(1, 1, D, duration=-1, duration_unit=H), "tim-4"),
        (repeat(1, -1, D), "tim-5"), (repeat(period_max=3), "tim-6"), (repeat(1, 1, D, duration_max=2), "tim-7"), (repeat(1, 1, D, count_max=2), "tim-8"),
        (repeat(1, 1, D, offset_minutes=30), "tim-9"), (repeat(when=("CM",), offset_minutes=30), "tim-9"),
        (repeat(times=(time(8),), when=("MORN",)), "tim-10"),
        (repeat(0, 1, D), "timing-value"), (repeat(1, 0, D), "timing-value"), (repeat(1, 1, D, count=0), "timing-value"), (repeat(1, 1001, D), "timing-value"),
        (repeat(1, None, D), "timing-value"), (repeat(1, 1, D, duration_unit=H), "timing-value"), (repeat(weekdays=(7,)), "timing-value"),
        (repeat(times=(time(8), time(8))), "timing-value"), (repeat(when=("MORN",), offset_minutes=1500), "timing-value"),
        (repeat(frequency_max=3, period=1, unit=D), "timing-range"), (repeat(3, 1, D, frequency_max=2), "timing-range"),
        (repeat(1, 6, H, period_max=4), "timing-range"), (repeat(1, 1, D, count=5, count_max=3), "timing-range"),
        (repeat(2, 1, D, times=(time(8),)), "timing-contradiction"), (repeat(1, 1, D, when=("MORN", "EVE")), "timing-contradiction"),
        (repeat(3, 1, WK, weekdays=(0, 3)), "timing-contradiction"), (repeat(4, 1, D, when=("C",)), "timing-contradiction"),
        (repeat(when=("MORN", "CM")), "timing-contradiction"), (repeat(1, 1, D, when=("IMD",)), "timing-contradiction"),
        (Timing(code="BID", repeat=Repeat(3, None, F(1), None, D)), "timing-contradiction"),
        (Timing(code="AM", repeat=Repeat(times=(time(20),))), "timing-contradiction"),
        (Timing(code="BID", repeat=Repeat(weekdays=(1,))), "timing-contradiction"),
        (Timing(code="TID", repeat=Repeat(1, None, F(8), None, H)), "timing-contradiction"),
        (Timing(code="INFUSION", repeat=Repeat(1, None, F(1), None, D)), "timing-contradiction"),
        (Timing(code="ONCE", repeat=Repeat(1, None, F(1), None, D)), "timing-contradiction"),
        (Timing(code="BID", events=(NOON_UTC,)), "timing-contradiction"), (Timing(code="BID", slots=(SlotDose("night", F(1)),)), "timing-contradiction"),
        (Timing(events=(NOON_UTC,), repeat=Repeat(1, None, F(6), None, H)), "timing-contradiction"),
        (Timing(events=(NOON_UTC,), repeat=Repeat(count=2)), "timing-contradiction"),
        (repeat(count=5), "timing-unclear"), (repeat(duration=1, duration_unit=H), "timing-unclear"), (repeat(2), "timing-unclear"),
        (repeat(3, 2, D), "timing-unclear"), (repeat(2, 1, MO), "timing-unclear"), (repeat(1, "1/2", MO), "timing-unclear"),
        (repeat(1, 1, MO, weekdays=(1,)), "timing-unclear"), (repeat(1, 2, D, weekdays=(1,)), "timing-unclear"),
        (repeat(1, weekdays=(1, 3)), "timing-unclear"), (repeat(2, weekdays=(1, 3)), "timing-unclear"), (repeat(2, weekdays=(1,)), "timing-unclear"),
        (repeat(3, 2, WK), "timing-unclear"), (repeat(2, 3, D), "timing-unclear"),
        (repeat(1, 36, H, weekdays=(1,)), "timing-unclear"), (repeat(1, 8, H, times=(time(8),)), "timing-unclear"),
        (repeat(1, "1/2", MIN), "timing-unclear"), (repeat(when=("TEATIME",)), "timing-unclear"),
        (repeat(when=("NIGHT",), offset_minutes=180, weekdays=(1,)), "timing-unclear"),
        (Timing(events=(datetime(2026, 3, 2),)), "timing-unclear"),  # noqa: DTZ001 - that is the fault
        (repeat(9, 1, D), "frequency"), (Timing(code="2X"), "frequency"), (Timing(), "frequency"), (Timing(repeat=Repeat()), "frequency"),
        (Timing(code="WHENEVER", prn=True), "frequency"), (Timing(code="JAMI1", events=(NOON_UTC,)), "frequency"),
        (repeat(1, 1, D, duration=7, duration_unit=D), "timing-duration"), (repeat(1, 8, H, duration=8, duration_unit=H), "timing-duration"),
        (Timing(code="BID", repeat=Repeat(duration=F(5), duration_unit=D)), "timing-duration"),
    ],
)  # fmt: skip
def test_what_nobody_can_tell_is_a_named_reason_in_both_languages(timing: Timing, rule: str) -> None:
    assert refused(timing).rule == rule


def test_a_source_that_writes_its_course_as_duration_has_it_read_as_bounds() -> None:
    rules = replace(HOUSE_RULES, duration=DurationMeaning.COURSE)
    for timing in (repeat(2, 1, D, duration=3, duration_unit=D), Timing(code="BID", repeat=Repeat(duration=F(3), duration_unit=D))):
        assert doses(understood(timing, rules=rules)) == listed([2, 3, 4], clocks="08:00 20:00")
    twice = dosage(repeat(2, 1, D, duration=3, duration_unit=D), lasts=span(5))
    assert refused(twice, rules=rules).rule == "timing-duration"
    assert doses(understood(repeat(1, 1, D, duration=2, duration_unit=H), rules=rules), 2) == listed([2, 3], clocks="08:00")


@pytest.mark.parametrize(
    ("bounds", "days"),
    [
        ({"lasts": span(3)}, [2, 3, 4]), ({"lasts": span(72, H)}, [2, 3, 4]), ({"lasts": span(1, WK)}, list(WEEK)), ({"lasts": span(1, MO)}, list(WEEK)),
        ({"lasts": (Span(F(2), D), Span(F(5), D))}, [2, 3]),
        ({"starts_at": START + 2 * DAY}, [4, 5, 6, 7, 8]), ({"ends_at": START + 2 * DAY + timedelta(hours=8)}, [2, 3, 4]),
        ({"ends_at": START + 2 * DAY + timedelta(hours=7, minutes=59)}, [2, 3]),
        ({"starts_at": START + 2 * DAY, "lasts": span(2)}, [4, 5]),
    ],
)  # fmt: skip
def test_bounds_of_a_dosage(bounds: dict[str, object], days: list[int]) -> None:
    for timing in (repeat(1, 1, D), Timing(code="DAILY")):
        assert doses(understood(dosage(timing, **bounds))) == listed(days, clocks="08:00")


def test_a_course_from_the_middle_of_a_day_lasts_whole_days_of_the_clock() -> None:
    five = understood(dosage(Timing(code="BID"), lasts=span(2)))
    assert doses(five, start=START + timedelta(hours=10)) == ["02 20:00", "03 08:00", "03 20:00", "04 08:00"]


@pytest.mark.parametrize("lasts", [span(0), (Span(F(3), D), Span(F(2), D)), span("1/2", MO), span(200, A)])
def test_a_course_that_is_none_is_a_reason(lasts: tuple[Span, Span]) -> None:
    assert refused(dosage(Timing(code="BID"), lasts=lasts)).rule in {"timing-value", "timing-range"}


def test_tapering_begins_the_next_dosage_when_the_one_before_is_over() -> None:
    taper = understood(
        dosage(repeat(1, 1, D), amount(2), sequence=1, lasts=span(2)),
        dosage(repeat(1, 1, D), amount(1), sequence=2, lasts=span(2)),
        dosage(repeat(1, 2, D), amount("1/2"), sequence=5, lasts=span(3)),
    )
    assert doses(taper) == ["02 08:00", "03 08:00", "04 08:00 ×1/2", "05 08:00 ×1/2", "06 08:00 ×1/4", "08 08:00 ×1/4"]
    assert doses(taper, since=START + 3 * DAY, days=2) == ["05 08:00 ×1/2", "06 08:00 ×1/4"]
    assert (doses_a_day(taper), days_between(taper), factors_of(taper)) == (1, 1, (F(1, 4), F(1, 2), F(1)))


def test_after_a_single_dose_the_next_step_waits_half_an_interval_and_after_a_count_for_the_next_day() -> None:
    loading = understood(dosage(Timing(code="ONCE"), amount(2), sequence=1), dosage(Timing(code="BID"), amount(1), sequence=2))
    assert doses(loading, 2, start=START + timedelta(hours=10)) == ["02 10:00", "02 20:00 ×1/2", "03 08:00 ×1/2", "03 20:00 ×1/2", "04 08:00 ×1/2"]
    assert doses(loading, 2, start=START + timedelta(hours=15)) == ["02 15:00", "03 08:00 ×1/2", "03 20:00 ×1/2", "04 08:00 ×1/2"]
    assert (doses_a_day(loading), factors_of(loading)) == (2, (F(1, 2), F(1)))
    evening = understood(dosage(repeat(when=("MORN",)), sequence=1, lasts=span(1)), dosage(repeat(when=("EVE",)), sequence=2))
    assert doses(evening, 2, start=START + timedelta(hours=9)) == ["03 08:00", "03 18:00"]
    assert doses_a_day(evening) == 2
    counted = understood(dosage(repeat(1, 1, D, count=2), sequence=1), dosage(repeat(2, 1, D), amount(2), sequence=2))
    assert doses(counted, 3) == ["02 08:00", "03 08:00", "04 08:00 ×2", "04 20:00 ×2"]
    hours = understood(dosage(repeat(1, 36, H, count=2), sequence=1), dosage(repeat(1, 1, D), sequence=2))
    assert doses(hours, 5) == ["02 00:00", "03 12:00", "05 08:00", "06 08:00"]


def test_dosages_without_sequence_go_on_together_and_a_single_dose_may_meet_a_regular_one() -> None:
    both = understood(dosage(repeat(when=("MORN", "EVE"))), dosage(Timing(code="ONCE"), amount("1/2")))
    assert doses(both, 1, start=START + timedelta(hours=18)) == ["02 18:00 ×3/2", "03 08:00"]
    assert factors_of(both) == (F(1, 2), F(1), F(3, 2))
    weekly = understood(dosage(repeat(weekdays=(0,)), amount(2)), dosage(repeat(weekdays=(1, 3))))
    assert doses(weekly) == ["02 08:00", "03 08:00 ×1/2", "05 08:00 ×1/2"]
    assert (doses_a_day(weekly), days_between(weekly)) == (1, F(7, 3))


@pytest.mark.parametrize(
    ("one", "other", "clock"),
    [
        (repeat(when=("MORN",)), repeat(when=("MORN", "EVE")), "08:00"), (repeat(times=(time(9),)), repeat(times=(time(14), time(9))), "09:00"),
        (repeat(when=("MORN", "EVE"), weekdays=(0, 4)), repeat(when=("MORN",), weekdays=(0, 5)), "08:00"),
        (repeat(1, 2, D), repeat(1, 3, D), "08:00"), (repeat(1, 2, D, times=(time(8),)), repeat(1, 2, D, times=(time(8),)), "08:00"),
        (repeat(when=("EVE",)), repeat(1, 2, WK, when=("EVE",), weekdays=(1,)), "18:00"),
    ],
)  # fmt: skip
def test_two_dosages_that_are_certainly_due_at_one_time_are_for_a_person(one: Timing, other: Timing, clock: str) -> None:
    for pair in ((one, other), (other, one)):
        found = refused(dosage(pair[0]), dosage(pair[1], amount(2)))
        assert (found.rule, clock in found.text, clock in found.text_ru) == ("dosages", True, True)


def test_an_interval_beside_another_regular_dosage_is_for_a_person() -> None:
    assert "interval" in refused(dosage(repeat(1, 1, D)), dosage(repeat(1, 36, H), amount(2))).text
    assert doses(understood(dosage(repeat(1, 36, H), sequence=1, lasts=span(3)), dosage(repeat(1, 1, D), amount(2), sequence=2)), 5) == [
        "02 00:00", "03 12:00", "05 08:00 ×2", "06 08:00 ×2"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (dosage(repeat(when=("MORN",), weekdays=(0,))), dosage(repeat(when=("MORN",), weekdays=(1,)), amount(3)), ["02 08:00", "03 08:00 ×3"]),
        (dosage(repeat(1, 2, D), starts_at=START), dosage(repeat(1, 2, D), amount(2), starts_at=START + DAY),
         ["02 08:00", "03 08:00 ×2", "04 08:00", "05 08:00 ×2", "06 08:00", "07 08:00 ×2", "08 08:00"]),
        (dosage(repeat(1, 1, D), ends_at=START + 2 * DAY), dosage(repeat(1, 1, D), amount(2), starts_at=START + 5 * DAY),
         ["02 08:00", "03 08:00", "07 08:00 ×2", "08 08:00 ×2"]),
        (dosage(repeat(1, 1, D), lasts=span(2)), dosage(repeat(1, 1, D), amount(2), starts_at=START + 5 * DAY), ["02 08:00", "03 08:00", "07 08:00 ×2", "08 08:00 ×2"]),
    ],
)  # fmt: skip
def test_dosages_that_alternate_or_follow_each_other_may_have_one_time_of_day(one: Dosage, other: Dosage, expected: list[str]) -> None:
    assert doses(understood(one, other)) == expected


def test_a_regular_and_an_as_needed_dosage_plan_the_regular_one() -> None:
    found = understood(dosage(Timing(code="BID")), dosage(Timing(code="Q6H", prn=True)))
    assert found.kind is ScheduleKind.REGULAR
    assert doses(found, 1) == ["02 08:00", "02 20:00"]


def test_doses_are_counted_exactly_in_those_of_the_first_dosage() -> None:
    found = understood(dosage(repeat(1, 1, D), amount(500, "mg"), sequence=1, lasts=span(1)), dosage(repeat(1, 1, D), amount(1, "g"), sequence=2))
    assert doses(found, 2) == ["02 08:00", "03 08:00 ×2"]
    halves = understood(dosage(repeat(when=("MORN",))), dosage(repeat(when=("EVE",)), amount(1, "half-tablet")))
    assert doses(halves, 1) == ["02 08:00", "02 18:00 ×1/2"]


@pytest.mark.parametrize(
    "second",
    [
        dosage(repeat(1, 1, D), amount(5, "mL")), replace(dosage(repeat(1, 1, D)), route="IV"), dosage(repeat(1, 1, D), None),
        dosage(repeat(1, 1, D), (Quantity(F(1), "tablet"), Quantity(F(3), "tablet"))), dosage(repeat(1, 1, D), amount(0)), dosage(Timing(code="INFUSION")),
    ],
)  # fmt: skip
def test_dosages_that_cannot_be_counted_in_the_first_one_are_for_a_person(second: Dosage) -> None:
    assert refused(dosage(repeat(1, 1, D)), second).rule == "dosages"


def test_a_step_that_never_ends_and_moments_among_steps_are_for_a_person() -> None:
    assert refused(dosage(repeat(1, 1, D), sequence=1), dosage(repeat(1, 1, D), sequence=2)).rule == "dosage-sequence"
    as_needed = dosage(Timing(prn=True, repeat=Repeat(count=3)), sequence=1)
    assert refused(as_needed, dosage(repeat(1, 1, D), sequence=2)).rule == "dosage-sequence"
    events = dosage(Timing(events=(NOON_UTC,)), sequence=1)
    assert refused(events, dosage(repeat(1, 1, D), sequence=2)).rule == "dosage-sequence"
    assert refused(*[dosage(repeat(1, 1, D))] * 25).rule == "dosages"


def test_monthly_from_the_31st_is_the_last_day_of_a_shorter_month_or_left_out_as_the_rule_says() -> None:
    start = datetime(2027, 12, 31, tzinfo=MOSCOW)
    monthly = understood(repeat(1, 1, MO))
    assert doses(monthly, 125, start=start) == ["31 08:00", "31 08:00", "29 08:00", "31 08:00", "30 08:00"]
    skipping = understood(repeat(1, 1, MO), rules=replace(HOUSE_RULES, month_end=MonthEnd.SKIP))
    assert doses(skipping, 125, start=start) == ["31 08:00", "31 08:00", "31 08:00"]
    yearly = understood(repeat(1, 1, A))
    leap = datetime(2028, 2, 29, tzinfo=MOSCOW)
    assert doses(yearly, 30, start=leap, since=datetime(2029, 2, 20, tzinfo=MOSCOW)) == ["28 08:00"]
    assert doses(yearly, 30, start=leap, since=datetime(2032, 2, 20, tzinfo=MOSCOW)) == ["29 08:00"]


def test_an_interval_counts_from_the_ward_s_clock_or_from_the_first_dose() -> None:
    at = START + timedelta(hours=9, minutes=30)
    by_dose = replace(HOUSE_RULES, interval_anchor=IntervalAnchor.FIRST_DOSE)
    for timing in (repeat(1, 8, H), Timing(code="Q8H")):
        assert doses(understood(timing), 1, start=at) == ["02 16:00", "03 00:00", "03 08:00"]
        assert doses(understood(timing, rules=by_dose), 1, start=at) == ["02 09:30", "02 17:30", "03 01:30"]
    assert doses(understood(Timing(code="TID"), rules=by_dose), 1, start=at) == ["02 14:00", "02 20:00", "03 08:00"]


def test_the_first_dose_is_the_next_time_or_the_start_and_near_times_are_left_out() -> None:
    at = START + timedelta(hours=17)
    start = replace(HOUSE_RULES, first_dose=FirstDose.AT_START)
    assert doses(understood(Timing(code="BID")), 1, start=at) == ["02 20:00", "03 08:00"]
    assert doses(understood(Timing(code="BID"), rules=start), 1, start=at) == ["02 17:00", "02 20:00", "03 08:00"]
    gap = replace(start, first_gap=timedelta(hours=4))
    assert doses(understood(Timing(code="BID"), rules=gap), 1, start=at) == ["02 17:00", "03 08:00"]
    assert doses(understood(Timing(code="BID"), rules=replace(gap, first_dose=FirstDose.NEXT_TIME)), 1, start=at) == ["03 08:00"]
    counted = Timing(code="BID", repeat=Repeat(count=2))
    assert doses(understood(counted, rules=start), 3, start=at) == ["02 17:00", "02 20:00"]
    assert doses(understood(Timing(code="QTUTH"), rules=start), 3, start=at) == ["03 08:00", "05 08:00"]
    assert doses(understood(repeat(when=("EVE",)), repeat(when=("MORN",)), rules=start), 1, start=at) == ["02 18:00", "03 08:00"]


DATED = """code,ward,kind,times,every_days,weekdays,every_hours,every_months,called,valid_from
BID,,regular,08:00;20:00,,,,,,
BID,,regular,09:00;21:00,,,,,,2026-03-04
BID,Кардиология,regular,07:00;19:00,,,,,,2026-03-06
2X/DAY,,regular,08:00;20:00,,,,,,
MORN,,event,08:00,,,,,,
MORN,Кардиология,event,07:00,,,,,,
MORN,,event,09:00,,,,,,2026-03-05
"""


def table_of(text: str) -> FrequencyTable:
    header, *rows = [row.split(",") for row in text.strip().splitlines()]
    return read_frequency_table([dict(zip(header, row, strict=True)) for row in rows])


def test_a_window_is_split_where_the_ward_s_table_changes_and_the_ward_s_own_row_goes_first() -> None:
    table = table_of(DATED)
    general = [*listed([2, 3], clocks="08:00 20:00"), *listed([4, 5, 6, 7, 8], clocks="09:00 21:00")]
    assert doses(understood(Timing(code="BID"), table=table)) == general
    own = [*general[:8], *listed([6, 7, 8], clocks="07:00 19:00")]
    assert doses(understood(Timing(code="BID"), table=table, ward="кардиология")) == own
    assert doses(understood(repeat(when=("MORN",)), table=table), 4) == [*listed([2, 3, 4], clocks="08:00"), "05 09:00"]
    assert doses(understood(repeat(when=("MORN",)), table=table, ward="Кардиология"), 4) == listed([2, 3, 4, 5], clocks="07:00")
    assert doses(understood(Timing(code="BID", repeat=Repeat(count=6)), table=table)) == general[:6]


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("X,,regular,08:00,,,,,,2026-03-04", "means nothing before"), ("BID,,once,,,,,,,2026-05-01", "code of its own"),
        ("BID,,regular,08:00,,,,,,2026-03-04", "twice"), ("X,,event,,,,,,,", "needs times"), ("X,,regular,08:00,,,,,MORN;EVE,", "called"),
        ("X,,regular,08:00,,,0,,,", "every_hours"), ("X,,regular,08:00,,,,,,4 March", "row 9"),
    ],
)  # fmt: skip
def test_a_row_that_makes_the_table_unclear_is_refused(row: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        table_of(DATED + row)


@pytest.mark.parametrize(
    ("timing", "a_day", "gap_h", "days"),
    [
        (Timing(code="BID"), 2, 12, 1), (Timing(code="DAILY"), 1, 24, 1), (Timing(code="EVERY OTHER DAY"), 1, 48, 2), (Timing(code="WEEKLY"), 1, 168, 7),
        (Timing(code="2X/WEEK"), 1, 72, F(7, 2)), (repeat(2, 2, WK, weekdays=(0, 1)), 1, 24, 7), (repeat(1, 36, H), 1, 36, F(3, 2)), (repeat(1, 5, H), 5, 5, 1),
        (repeat(1, 1, MO), 1, 28 * 24, F(3652425, 120000)), (Timing(code="Q6H:PRN"), 4, 6, 1), (Timing(slots=(SlotDose("morning", F(2)), SlotDose("night", F(1, 2)))), F(5, 2), 10, 1),
        (repeat(2, 1, D, count=1), 1, None, 0), (Timing(code="ONCE"), 1, None, 0), (Timing(prn=True), 0, None, 0), (Timing(code="INFUSION"), 0, None, 0),
        (Timing(events=(NOON_UTC, NOON_UTC + 2 * DAY)), 1, 48, 2),
    ],
)  # fmt: skip
def test_figures_of_a_schedule(timing: Timing, a_day: Fraction, gap_h: int | None, days: Fraction) -> None:
    found = understood(timing)
    gap = None if gap_h is None else timedelta(hours=gap_h)
    assert (doses_a_day(found), least_interval(found), days_between(found)) == (a_day, gap, days)


def test_doses_of_two_dosages_at_one_clock_time_are_whole_days_apart() -> None:
    noon = (time(12),)
    every_other, mondays = repeat(None, 2, D, times=noon), repeat(times=noon, weekdays=(0,))
    assert least_interval(understood(every_other, mondays)) == DAY
    assert least_interval(understood(mondays, repeat(times=noon, weekdays=(3,)))) == 3 * DAY


def test_the_clock_change_moves_an_interval_by_elapsed_time_and_a_course_by_the_calendar() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 28, 10, tzinfo=berlin)
    interval = understood(repeat(1, 36, H))
    assert doses(interval, 4, start=start, zone=berlin) == ["28 10:00", "29 23:00", "31 11:00"]
    course = understood(dosage(repeat(1, 1, D, times=(time(9, 30),)), lasts=span(2)))
    assert doses(course, 4, start=start, zone=berlin) == ["29 09:30", "30 09:30"]


def test_every_code_of_the_shipped_table_is_read_and_expands_within_a_year() -> None:
    codes = [row.split(",")[0] for row in TABLE_FILE.read_text(encoding="utf-8").splitlines()[1:] if ",event," not in row]
    for code in codes:
        found = read(Timing(code=code))
        assert not isinstance(found, Reason), code
        assert found.kind is not ScheduleKind.REGULAR or doses(found, 40), code


def test_the_rules_of_the_house_are_said_in_both_languages() -> None:
    rules = replace(HOUSE_RULES, first_gap=timedelta(hours=2))
    english, russian = rules_in_words(rules, "en"), rules_in_words(rules, "ru")
    assert len(english) == len(russian) == 8
    assert english[0] == "anchor: every n hours by the ward's clock" and russian[0] == "отсчёт: каждые n часов по часам отделения"
    assert "120 min" in english[2] and "120 мин" in russian[2]


def test_an_interval_from_the_first_dose_stays_one_pattern() -> None:
    ((_, pattern),) = understood(repeat(1, 7, H)).courses[0].editions
    assert pattern == Interval(timedelta(hours=7))
