"""Codes and slots become due times: completely, once, and safely over clock changes."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from domain_cases import MONDAY, MOSCOW, TABLE, line
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.courses import Course, DayTimes, always
from hub.domain.orders import Reason
from hub.domain.schedule import (
    DAY_SLOTS,
    FrequencyRule,
    FrequencyTable,
    Schedule,
    ScheduleKind,
    cut_of,
    expand,
    least_interval,
    normal_code,
    once_due,
    read_frequency_table,
    schedule_for,
    slot_bounds,
    slot_of,
)
from hub.domain.timing import Dosage, SlotDose, Timing

BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)
ONE = Fraction(1)

WARD_CODES = """1X|1X/WEEK|2X/WEEK|3X/DAY|3X/WEEK|4X/WEEK|5X/DAY|6X/WEEK|ASDIR|BID|BID:PRN|BREAKFAST|DAILY|DAILY16|DAILY:PRN|DINNER|
EVERY OTHER DAY|HS|HS:PRN|INFUSION|LUNCH|MR X1|MRX1:PRN|NOON|NOW X1|ON CALL|ONCE|ONCE MR1|ONCE MR2|ONCE:PRN|PRN|Q 12H|Q 24H|Q 8H|Q12H|
Q12H:PRN|Q15MIN:PRN|Q1H PER MOVIPREP PROTOCOL|Q1H:PRN|Q24H|Q2H|Q2H PER MOVIPREP PROTOCOL|Q2H:PRN|Q30MIN:PRN|Q3H|Q3H:PRN|Q48H|Q4H|Q4H:PRN|
Q5MIN:PRN|Q6H|Q6H:PRN|Q72H|Q8H|Q8H:PRN|QAM|QHS|QHS:PRN|QID|QID:PRN|QIDACHS|QMOWEFR|QPM|QTHUR|STAT|TID|TID W/MEALS|TID:PRN|TITRATE TO|
TITRATE TO RASS|X1 PRN|X1:PRN|HD PROTOCOL|QTUTHSA|Q36H:PRN"""


def schedule(*clocks: str, every_days: int = 1, weekdays: tuple[int, ...] = ()) -> Schedule:
    return daily([(time.fromisoformat(clock), ONE) for clock in clocks], every_days, weekdays)


def daily(times: Iterable[tuple[time, Fraction]], every_days: int = 1, weekdays: tuple[int, ...] = ()) -> Schedule:
    pattern = DayTimes(tuple(sorted(times)), every_days, tuple(sorted(weekdays)))
    return Schedule(ScheduleKind.REGULAR, (Course(ScheduleKind.REGULAR, always(pattern)),))


def once() -> Schedule:
    return Schedule(ScheduleKind.ONCE, (Course(ScheduleKind.ONCE),))


def meaning(timing: Timing, ward: str = "", table: FrequencyTable = TABLE) -> Schedule | Reason:
    return schedule_for((Dosage(timing=timing),), table, ward)


def times_of(timing: Timing) -> tuple[tuple[time, Fraction], ...]:
    found = meaning(timing)
    assert isinstance(found, Schedule)
    ((_, pattern),) = found.courses[0].editions
    assert isinstance(pattern, DayTimes)
    return pattern.times


def clocks_of(code: str) -> list[str]:
    return [clock.strftime("%H:%M") for clock, _ in times_of(Timing(code=code))]


@pytest.mark.parametrize("code", [code.strip() for code in WARD_CODES.replace("\n", "").split("|")])
def test_every_code_of_a_real_ward_is_known(code: str) -> None:
    assert isinstance(meaning(Timing(code=code), "Medicine"), Schedule)


@pytest.mark.parametrize("code", ["2X", "WHENEVER", "Q7H", "3-4 р/д", "?"])
def test_an_unknown_code_is_a_reason_and_never_a_guess(code: str) -> None:
    found = meaning(Timing(code=code), "Medicine")
    assert isinstance(found, Reason)
    assert code in found.text


@pytest.mark.parametrize(
    ("code", "clocks"),
    [
        ("DAILY", ["08:00"]), ("daily ", ["08:00"]), ("Q 12H", ["08:00", "20:00"]), ("q8h", ["00:00", "08:00", "16:00"]),
        ("TID W/MEALS", ["08:00", "12:00", "17:00"]), ("DAILY16", ["16:00"]), ("1 р/д", ["08:00"]), ("2 р/д", ["08:00", "20:00"]),
        ("2 раза в день", ["08:00", "20:00"]), ("3р/сут.", ["08:00", "13:00", "18:00"]), ("4 раза в сутки", ["08:00", "13:00", "18:00", "22:00"]),
        ("На ночь", ["22:00"]), ("утром", ["08:00"]), ("каждые 6 часов", ["00:00", "06:00", "12:00", "18:00"]),
    ],
)  # fmt: skip
def test_codes_mean_clock_times(code: str, clocks: list[str]) -> None:
    assert clocks_of(code) == clocks


@pytest.mark.parametrize(
    "code",
    ["PRN", "Q6H:PRN", "X1 PRN", "BID PRN", "prn q4h", "при болях", "2 р/д при болях", "при T > 38", "по требованию"],
)
def test_as_needed_is_recognised_however_it_is_written(code: str) -> None:
    found = meaning(Timing(code=code))
    assert isinstance(found, Schedule) and found.kind is ScheduleKind.PRN


@pytest.mark.parametrize("code", ["Q6HPRN", "BIDPRN", "QHSPRN", "PRNQ6H", "prn bid", "B.I.D.PRN", "Q 12 Hprn", "X1PRN"])
def test_as_needed_glued_to_a_known_code_is_as_needed(code: str) -> None:
    found = meaning(Timing(code=code), "Medicine")
    assert isinstance(found, Schedule) and found.kind is ScheduleKind.PRN


@pytest.mark.parametrize("code", ["Q7HPRN", "PRNX", "APRN", "Q2-4HPRN"])
def test_as_needed_glued_to_what_nobody_knows_is_not_guessed(code: str) -> None:
    assert isinstance(meaning(Timing(code=code), "Medicine"), Reason)


@pytest.mark.parametrize(
    "code", ["Q2-4H", "Q1-2H", "Q 1.2H", "Q1,2H", "Q1 2H", "Q2 - 4H", "Q2–4H", "Q.5H", "Q.2H", "1-2 р/д", "1,2 р/д", "Q-12H"]
)
def test_punctuation_never_makes_another_code(code: str) -> None:
    assert isinstance(meaning(Timing(code=code), "Medicine"), Reason)


@pytest.mark.parametrize("code", ["B.I.D.", "b. i. d.", "BID.", "q. 12 h.", "Q.D."])
def test_dots_of_abbreviations_and_spaces_do_not_matter(code: str) -> None:
    assert isinstance(meaning(Timing(code=code), "Medicine"), Schedule)


@given(st.sampled_from(sorted({code for code, _ in TABLE})), st.data())
def test_a_sign_put_between_two_digits_of_a_known_code_makes_it_unknown(code: str, data: st.DataObject) -> None:
    places = [at for at in range(1, len(code)) if code[at - 1].isdigit() and code[at].isdigit()]
    if places:
        at = data.draw(st.sampled_from(places))
        sign = data.draw(st.text("-–—.,/:; \u00a0", min_size=1, max_size=2))
        assert TABLE.find(code[:at] + sign + code[at:], "") is None


@given(
    st.text("QХX1248", max_size=3), st.sampled_from("0124689"), st.text(" -–.,/", min_size=1, max_size=3),
    st.sampled_from("0124689"), st.sampled_from(["H", "Х", "X/DAY", " р/д", "D", " раза в день", ""]),
)  # fmt: skip
def test_no_code_with_a_sign_between_digits_is_known(head: str, first: str, sign: str, second: str, tail: str) -> None:
    assert (normal_code(head + first + sign + second + tail), "") not in set(TABLE)


def test_letters_that_only_contain_prn_are_not_as_needed() -> None:
    assert isinstance(meaning(Timing(code="APRNX")), Reason)


def test_a_ward_s_own_rule_goes_before_the_general_one() -> None:
    general = FrequencyRule("BID", "", ScheduleKind.REGULAR, (time(8), time(20)))
    own = FrequencyRule("BID", "Кардиология", ScheduleKind.REGULAR, (time(9), time(21)))
    table = FrequencyTable([general, own])
    assert table.find("b i d", "кардиология") == own
    assert table.find("BID", "Терапия") == general
    assert table["BID", "Кардиология"] == (own,)


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ({"code": "X", "ward": "", "kind": "regular", "times": "", "every_days": "", "weekdays": ""}, "needs times"),
        ({"code": "X", "ward": "", "kind": "regular", "times": "25:00", "every_days": "", "weekdays": ""}, "row 2"),
        ({"code": "X", "ward": "", "kind": "sometimes", "times": "", "every_days": "", "weekdays": ""}, "sometimes"),
        (
            {"code": "X", "ward": "", "kind": "regular", "times": "08:00", "every_days": "0", "weekdays": ""},
            "every_days",
        ),
        ({"code": "X", "ward": "", "kind": "regular", "times": "08:00", "every_days": "", "weekdays": "7"}, "weekdays"),
        ({"code": "", "ward": "", "kind": "prn", "times": "", "every_days": "", "weekdays": ""}, "empty"),
    ],
)
def test_a_bad_row_of_the_table_is_named(row: dict[str, str], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        read_frequency_table([row])


def test_a_code_that_stands_twice_is_refused() -> None:
    row = {"code": "q 8h", "ward": "", "kind": "once", "times": "", "every_days": "", "weekdays": ""}
    with pytest.raises(ValueError, match="twice"):
        read_frequency_table([row, {**row, "code": "Q8H"}])


def test_day_sheet_slots_use_the_slot_s_clock_and_factor() -> None:
    timing = Timing(
        slots=(SlotDose("night", Fraction(1, 2)), SlotDose("morning", Fraction(2)), SlotDose("noon", Fraction(0)))
    )
    assert times_of(timing) == ((time(8), Fraction(2)), (time(22), Fraction(1, 2)))


@pytest.mark.parametrize(
    "slots", [(SlotDose("brunch", ONE),), (SlotDose("morning", Fraction(0)),), (SlotDose("morning", Fraction(-1)),)]
)
def test_day_sheet_slots_that_make_no_sense_are_a_reason(slots: tuple[SlotDose, ...]) -> None:
    assert isinstance(meaning(Timing(slots=slots)), Reason)


def test_a_day_of_twice_daily_doses() -> None:
    due = expand(schedule("08:00", "20:00"), MONDAY - DAY, None, MONDAY, MONDAY + DAY, MOSCOW)
    assert [moment.isoformat() for moment, _ in due] == ["2026-03-02T08:00:00+03:00", "2026-03-02T20:00:00+03:00"]


def test_the_order_s_own_bounds_cut_the_first_and_the_last_day_and_the_end_is_inclusive() -> None:
    twice = schedule("08:00", "20:00")
    due = expand(
        twice, MONDAY.replace(hour=9), (MONDAY + 2 * DAY).replace(hour=8), MONDAY - DAY, MONDAY + 9 * DAY, MOSCOW
    )
    assert [(moment.day, moment.hour) for moment, _ in due] == [(2, 20), (3, 8), (3, 20), (4, 8)]


def test_every_other_day_counts_from_the_order_s_start_and_not_from_the_window() -> None:
    due = expand(schedule("08:00", every_days=2), MONDAY, None, MONDAY + DAY, MONDAY + 8 * DAY, MOSCOW)
    assert [moment.day for moment, _ in due] == [4, 6, 8]


def test_weekdays_are_of_the_hospital_s_calendar() -> None:
    due = expand(schedule("08:00", weekdays=(0, 2, 4)), MONDAY - DAY, None, MONDAY, MONDAY + 7 * DAY, MOSCOW)
    assert [moment.strftime("%a") for moment, _ in due] == ["Mon", "Wed", "Fri"]


def test_once_is_due_at_the_start_and_nowhere_else() -> None:
    single = once()
    start = MONDAY.replace(hour=14, minute=7)
    assert expand(single, start, None, MONDAY, MONDAY + DAY, MOSCOW) == ((start, ONE),)
    assert expand(single, start, None, MONDAY + DAY, MONDAY + 2 * DAY, MOSCOW) == ()
    assert expand(single, start, start - DAY, MONDAY, MONDAY + DAY, MOSCOW) == ()


@pytest.mark.parametrize("kind", [ScheduleKind.PRN, ScheduleKind.CONTINUOUS])
def test_what_has_no_dose_times_is_never_planned(kind: ScheduleKind) -> None:
    assert expand(Schedule(kind, (Course(kind),)), MONDAY - DAY, None, MONDAY, MONDAY + 30 * DAY, MOSCOW) == ()


def test_a_clock_time_that_spring_skips_is_given_an_hour_later_by_the_clock() -> None:
    start = datetime(2026, 3, 29, 0, 0, tzinfo=BERLIN)
    due = expand(schedule("01:30", "02:30", "08:00"), start - DAY, None, start, start + DAY, BERLIN)
    assert [moment.isoformat() for moment, _ in due] == [
        "2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00", "2026-03-29T08:00:00+02:00",
    ]  # fmt: skip


def test_hourly_doses_never_make_two_of_one_instant_on_a_clock_change() -> None:
    hourly = schedule(*(f"{hour:02d}:00" for hour in range(24)))
    for day, doses in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 24)):
        start = datetime.combine(day, time(0), BERLIN)
        due = [
            moment.astimezone(UTC)
            for moment, _ in expand(
                hourly, start - DAY, None, start, datetime.combine(day + DAY, time(0), BERLIN), BERLIN
            )
        ]
        assert len(due) == len(set(due)) == doses
        assert due == sorted(due)


def test_a_clock_time_that_autumn_repeats_is_given_the_first_time() -> None:
    start = datetime(2026, 10, 25, 0, 0, tzinfo=BERLIN)
    (due,) = expand(schedule("02:30"), start - DAY, None, start, start + DAY, BERLIN)
    assert due[0].isoformat() == "2026-10-25T02:30:00+02:00"


def test_a_window_without_end_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="400 days"):
        expand(schedule("08:00"), MONDAY, None, MONDAY, MONDAY + 401 * DAY, MOSCOW)


clock_sets = st.sets(st.times().map(lambda clock: clock.replace(second=0, microsecond=0)), min_size=1, max_size=6)
schedules = st.builds(
    lambda clocks, every_days, weekdays: daily([(clock, ONE) for clock in clocks], every_days, tuple(weekdays)),
    clock_sets,
    st.integers(min_value=1, max_value=5),
    st.sets(st.integers(min_value=0, max_value=6), max_size=4),
)
moments = st.integers(min_value=0, max_value=60 * 24 * 60).map(
    lambda minutes: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@settings(max_examples=60, deadline=None)
@given(schedules, moments, st.lists(moments, min_size=3, max_size=3))
def test_two_windows_that_meet_make_the_same_doses_as_one(
    plan: Schedule, start: datetime, cuts: list[datetime]
) -> None:
    first, middle, last = sorted(cuts)
    whole = expand(plan, start, None, first, last, BERLIN)
    assert expand(plan, start, None, first, middle, BERLIN) + expand(plan, start, None, middle, last, BERLIN) == whole


@settings(max_examples=60, deadline=None)
@given(schedules, moments, moments, moments, moments)
def test_an_end_never_adds_a_dose_and_a_later_start_of_the_same_day_neither(
    plan: Schedule, start: datetime, end: datetime, first: datetime, last: datetime
) -> None:
    unbounded = expand(plan, start, None, first, last, BERLIN)
    bounded = expand(plan, start, end, first, last, BERLIN)
    assert set(bounded) <= set(unbounded)
    assert bounded == tuple(each for each in unbounded if each[0].astimezone(UTC) <= end)
    local_day = start.astimezone(BERLIN).date()
    later = start + timedelta(minutes=30)
    if later.astimezone(BERLIN).date() == local_day:
        assert set(expand(plan, later, None, first, last, BERLIN)) <= set(unbounded)


@settings(max_examples=40, deadline=None)
@given(st.permutations([("morning", 1), ("noon", 2), ("evening", 1), ("night", 3)]))
def test_the_order_of_slots_on_the_sheet_changes_nothing(order: list[tuple[str, int]]) -> None:
    timing = Timing(slots=tuple(SlotDose(name, Fraction(count)) for name, count in order))
    plain = Timing(slots=tuple(SlotDose(name, Fraction(count)) for name, count in sorted(order)))
    assert meaning(timing) == meaning(plain)


@settings(max_examples=60, deadline=None)
@given(schedules, st.integers(min_value=0, max_value=40))
def test_shifting_everything_by_whole_cycles_shifts_the_doses(plan: Schedule, weeks: int) -> None:
    ((_, pattern),) = plan.courses[0].editions
    assert isinstance(pattern, DayTimes)
    shift = timedelta(days=7 * weeks * pattern.every_days)
    due = expand(plan, MONDAY, None, MONDAY, MONDAY + 10 * DAY, MOSCOW)
    moved = expand(plan, MONDAY + shift, None, MONDAY + shift, MONDAY + shift + 10 * DAY, MOSCOW)
    assert moved == tuple((moment + shift, factor) for moment, factor in due)


@pytest.mark.parametrize(
    ("clock", "slot", "day"),
    [("07:00", "morning", 2), ("10:59", "morning", 2), ("11:00", "noon", 2), ("18:00", "evening", 2), ("20:00", "night", 2), ("23:59", "night", 2),
     ("00:00", "night", 1), ("06:59", "night", 1)],
)  # fmt: skip
def test_slots_of_due_times(clock: str, slot: str, day: int) -> None:
    due = datetime.combine(date(2026, 3, 2), time.fromisoformat(clock), MOSCOW)
    found, slot_day = slot_of(due)
    assert (found.name, slot_day) == (slot, date(2026, 3, day))
    starts, ends = slot_bounds(found, slot_day, DAY_SLOTS, MOSCOW)
    assert starts <= due < ends


def test_the_cut_of_a_slot_lies_before_its_opening() -> None:
    for slot in DAY_SLOTS:
        starts, _ = slot_bounds(slot, date(2026, 3, 2), DAY_SLOTS, MOSCOW)
        assert cut_of(slot, date(2026, 3, 2), MOSCOW) < starts


@pytest.mark.parametrize(
    ("changes", "asked_at", "due"),
    [
        ({"starts_at": None, "authored_at": None}, "06:10", "02 06:10"),
        ({"starts_at": None, "authored_at": MONDAY}, "07:00", "02 06:00"),
        ({"starts_at": MONDAY}, "07:00", "02 06:00"),
        ({"starts_at": MONDAY.replace(hour=0)}, "07:00", "02 00:00"),
        ({"starts_at": MONDAY.replace(hour=0), "starts_on_day": True}, "07:00", "02 08:00"),
        ({"starts_at": MONDAY.replace(hour=0), "starts_on_day": True}, "08:00", "02 08:00"),
        ({"starts_at": MONDAY.replace(hour=0), "starts_on_day": True}, "08:01", "02 08:30"),
        ({"starts_at": MONDAY.replace(hour=0), "starts_on_day": True}, "09:30", "02 09:30"),
        ({"starts_at": MONDAY.replace(hour=0) - DAY, "starts_on_day": True}, "08:01", "01 08:00"),
        ({"starts_at": MONDAY.replace(hour=0) + DAY, "starts_on_day": True}, "08:01", "03 08:00"),
    ],
)
def test_when_once_is(changes: dict[str, object], asked_at: str, due: str) -> None:
    asked = datetime.combine(MONDAY.date(), time.fromisoformat(asked_at), MOSCOW)
    found = once_due(line(**changes), asked.astimezone(UTC), DAY_SLOTS, MOSCOW)
    assert (found.strftime("%d %H:%M"), found.tzinfo) == (due, MOSCOW)


@pytest.mark.parametrize(
    ("code", "hours"),
    [("DAILY", 24), ("BID", 12), ("TID", 6), ("Q6H", 6), ("BREAKFAST AND DINNER", 9), ("EVERY OTHER DAY", 48), ("WEEKLY", 168),
     ("MWF", 48), ("QMON", 168), ("QSATSUN", 24), ("2X/WEEK", 72)],
)  # fmt: skip
def test_the_shortest_time_between_two_doses(code: str, hours: int) -> None:
    found = meaning(Timing(code=code))
    assert isinstance(found, Schedule)
    assert least_interval(found) == timedelta(hours=hours)
