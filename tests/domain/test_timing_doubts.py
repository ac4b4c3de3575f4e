"""Statements about time that look plain and are not: each is given exactly as written, or a person is asked."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from domain_cases import mg
from schedule_cases import START, WK, D, H, amount, dosage, doses, listed, refused, repeat, understood

from hub.domain.counted_words import range_text
from hub.domain.quantities import Quantity
from hub.domain.schedule import RULE_FREQUENCY, ScheduleKind, in_words, is_prn, least_interval
from hub.domain.timing import PeriodUnit, Repeat, SlotDose, Timing

BERLIN = ZoneInfo("Europe/Berlin")
F = Fraction


def on_days(code: str, *days: int) -> Timing:
    return Timing(code=code, repeat=Repeat(weekdays=days))


@pytest.mark.parametrize(
    ("timing", "days"),
    [
        (on_days("WEEKLY", 2), [4]), (on_days("WEEKLY", 0), [2]), (on_days("1X/WEEK", 4), [6]), (on_days("еженедельно", 3), [5]),
        (on_days("3X/WEEK", 1, 3, 5), [3, 5, 7]), (on_days("2X/WEEK", 1, 4), [3, 6]), (on_days("2 раза в неделю", 1, 4), [3, 6]),
        (on_days("MWF", 0, 2, 4), [2, 4, 6]), (on_days("QMON", 0), [2]), (on_days("3X/WEEK", 0, 2, 4), [2, 4, 6]),
        (on_days("DAILY", 0, 1, 2, 3, 4, 5, 6), [2, 3, 4, 5, 6, 7, 8]),
    ],
)  # fmt: skip
def test_written_days_fill_those_that_a_code_leaves_open(timing: Timing, days: list[int]) -> None:
    assert [int(dose[:2]) for dose in doses(understood(timing))] == days


@pytest.mark.parametrize("timing", [on_days("MWF", 1, 3, 5), on_days("QMON", 1), on_days("3X/WEEK", 1, 3), on_days("WEEKLY", 1, 3), on_days("QTUTHSA", 0, 2, 4), on_days("EVERY OTHER DAY", 1)])
def test_written_days_beside_a_code_of_other_days_are_a_contradiction(timing: Timing) -> None:
    assert refused(timing).rule == "timing-contradiction"


@pytest.mark.parametrize(
    "code",
    ["при болях", "при сильной головной боли", "при температуре выше 38", "при T > 38", "при тошноте, рвоте", "при бессоннице", "при необходимости", "при АД > 160", "2 р/д при болях"],
)
def test_a_symptom_makes_a_dose_as_needed(code: str) -> None:
    assert understood(Timing(code=code)).kind is ScheduleKind.PRN


@pytest.mark.parametrize(
    "code",
    [
        "3 раза в день при приеме пищи", "при приёме пищи", "при еде", "при завтраке", "утром при пробуждении", "при поступлении", "при выписке", "при дежурном враче",
        "2 р/д, не давать при АД < 100", "BID, отменить при рвоте",
    ],
)  # fmt: skip
def test_a_meal_an_event_or_a_condition_is_no_need(code: str) -> None:
    assert not is_prn(code)
    assert refused(Timing(code=code)).rule == RULE_FREQUENCY


@pytest.mark.parametrize(
    ("code", "hours"),
    [
        ("Q4-6H PRN", 4), ("Q6H PRN pain", 6), ("Q6H PRN: fever", 6), ("PRN Q8H for severe pain", 8), ("каждые 6 часов при болях", 6), ("при болях каждые 8 часов", 8),
        ("каждые 4-6 часов при болях", 4), ("по требованию каждые 6 часов", 6), ("Q36H:PRN", 36), ("Q6HPRN", 6), ("при болях не чаще чем каждые 6 часов", 6),
    ],
)  # fmt: skip
def test_an_as_needed_code_keeps_its_least_gap(code: str, hours: int) -> None:
    found = understood(Timing(code=code))
    assert (found.kind, least_interval(found)) == (ScheduleKind.PRN, timedelta(hours=hours))


@pytest.mark.parametrize("code", ["Q6H PRN MAYBE", "PRN WHENEVER", "2-3 р/д при болях", "Q6-4H PRN", "Q0H PRN"])
def test_a_rest_beside_as_needed_that_nobody_knows_is_asked_about(code: str) -> None:
    assert refused(Timing(code=code)).rule == RULE_FREQUENCY


@pytest.mark.parametrize(
    "second",
    [dosage(Timing(code="ONCE"), amount(1), sequence=2), dosage(Timing(code="ONCE"), amount(1)), dosage(Timing(code="TONIGHT"), amount(1)), dosage(repeat(when=("IMD",)), amount(1))],
)
def test_two_single_doses_of_one_order_are_asked_about_and_never_summed(second: object) -> None:
    first = dosage(Timing(code="ONCE"), amount(4), sequence=1 if getattr(second, "sequence", None) else None)
    assert refused(first, second).rule == "dosages"  # type: ignore[arg-type] # a dosage


def test_two_single_doses_with_moments_of_their_own_are_two() -> None:
    later = START + timedelta(days=1, hours=9)
    pair = [dosage(Timing(code="ONCE"), amount(4), starts_at=START), dosage(Timing(code="ONCE"), amount(1), starts_at=later)]
    assert doses(understood(*pair)) == ["02 00:00", "03 09:00 ×1/4"]


def test_an_exact_moment_outside_the_dosage_s_bounds_is_asked_about() -> None:
    moment = START + timedelta(days=1)
    inside = dosage(Timing(events=(moment,)), starts_at=START, ends_at=START + timedelta(days=2))
    assert doses(understood(inside)) == ["03 00:00"]
    assert refused(replace(inside, starts_at=moment + timedelta(hours=1))).rule == "timing-contradiction"
    assert refused(replace(inside, ends_at=moment - timedelta(hours=1))).rule == "timing-contradiction"


def test_an_exact_moment_before_the_order_s_start_is_not_given() -> None:
    schedule = understood(Timing(events=(START, START + timedelta(days=1))))
    assert doses(schedule, start=START + timedelta(hours=6), since=START) == ["03 00:00"]


@pytest.mark.parametrize(("hour", "due"), [(9, "02 20:00"), (0, "02 20:00"), (21, "02 21:00")])
def test_tonight_is_this_evening(hour: int, due: str) -> None:
    schedule = understood(Timing(code="TONIGHT"))
    assert schedule.kind is ScheduleKind.ONCE
    assert doses(schedule, start=START + timedelta(hours=hour), since=START) == [due]
    assert (least_interval(schedule), in_words(schedule, amount(1), "ru")) == (None, "1 таблетка однократно вечером")


def test_a_single_dose_that_may_be_repeated_says_so() -> None:
    schedule = understood(Timing(code="ONCE MR1"))
    assert in_words(schedule, amount(1), "ru") == "1 таблетка однократно, допустимо повторить 1 раз по решению врача"
    assert in_words(schedule, amount(1), "en") == "1 tablet once, may be repeated once, not planned"
    assert doses(schedule) == ["02 00:00"]


def test_of_two_times_that_the_spring_change_puts_together_both_are_kept() -> None:
    schedule = understood(repeat(times=(time(2, 30), time(3, 30))))
    start = datetime(2026, 3, 29, tzinfo=BERLIN)
    assert doses(schedule, 1, start, zone=BERLIN) == ["29 01:30", "29 03:30"]


def test_an_offset_over_midnight_is_asked_about_where_days_are_counted() -> None:
    assert doses(understood(repeat(1, 1, D, when=("PHS",), offset_minutes=90)), 2) == ["02 00:30", "03 00:30"]
    for period, unit in ((2, D), (1, WK)):
        assert refused(repeat(1, period, unit, when=("PHS",), offset_minutes=90)).rule == "timing-unclear"


@pytest.mark.parametrize("timing", [repeat(1, "33/100", D), repeat(7, 24, H), repeat(1, "0.11", H)])
def test_an_interval_of_no_whole_minutes_is_asked_about(timing: Timing) -> None:
    assert refused(timing).rule == "timing-unclear"


def test_one_slot_beside_once_a_week_is_that_slot_on_the_start_s_weekday() -> None:
    weekly = Timing(code="1 раз в неделю", slots=(SlotDose("evening", F(1)),))
    (clock,) = {dose[3:] for dose in doses(understood(Timing(slots=weekly.slots)))}
    assert doses(understood(weekly), 14) == listed([2, 9], clocks=clock)
    both = replace(weekly, slots=(SlotDose("morning", F(1)), SlotDose("evening", F(1))))
    assert refused(both).rule == "timing-contradiction"
    assert refused(replace(weekly, code="BID")).rule == "timing-contradiction"


def test_lengths_and_units_are_in_the_case_that_their_sentence_wants() -> None:
    each = repeat(1, 1, PeriodUnit.MONTH, duration=2, duration_unit=WK)
    assert "в течение 2 недель" in in_words(understood(each), amount(1), "ru")
    assert "длительность 1 неделя не меньше периода" in refused(repeat(1, 1, D, duration=1, duration_unit=WK)).text_ru
    assert in_words(understood(dosage(repeat(when=("MORN",)), amount(5, "mg/kg"))), amount(5, "mg/kg"), "ru") == "по 5 мг/кг утром"
    assert range_text(Quantity(F(1), "tablet"), Quantity(F(2), "tablet")) == "1 to 2 tablets"
    assert range_text(*(mg(500)[0], mg(1000)[0])) == "500 to 1000 mg"
