"""A schedule in words: what a person reads must be what the machine understood, in good Russian and English."""

from dataclasses import replace
from datetime import time, timedelta
from fractions import Fraction

import pytest
from domain_cases import TABLE
from schedule_cases import MIN, MO, START, WK, A, D, H, amount, dosage, repeat, span, understood
from test_domain_schedule_shapes import DATED, NOON_UTC, table_of

from hub.domain.counted_words import Case, amount_text, span_text, times_text
from hub.domain.quantities import Quantity
from hub.domain.schedule import HOUSE_RULES, in_words
from hub.domain.schedule_rules import FirstDose, MonthEnd
from hub.domain.timing import Dosage, DoseLimit, LimitPer, Repeat, SlotDose, Span, Timing

F = Fraction
EVENING = dosage(repeat(when=("EVE",)))


@pytest.mark.parametrize(
    ("written", "russian", "english"),
    [
        (dosage(repeat(when=("MORN", "EVE")), lasts=span(5)), "по 1 таблетке утром и вечером, 5 дней", "1 tablet in the morning and in the evening, for 5 days"),
        (dosage(Timing(code="утром и вечером")), "по 1 таблетке утром и вечером", "1 tablet in the morning and in the evening"),
        (dosage(Timing(slots=(SlotDose("noon", F(1)), SlotDose("night", F(1))))), "по 1 таблетке в обед и на ночь", "1 tablet at noon and at night"),
        (dosage(Timing(slots=(SlotDose("morning", F(2)), SlotDose("night", F(1, 2))))), "утром 2 таблетки, на ночь 1/2 таблетки", "in the morning 2 tablets, at night 1/2 tablet"),
        (dosage(repeat(2, 1, D), amount(2)), "по 2 таблетки 2 раза в день (08:00, 20:00)", "2 tablets twice a day (08:00, 20:00)"),
        (dosage(repeat(1, 1, D), amount(5)), "по 5 таблеток 1 раз в день (08:00)", "5 tablets once a day (08:00)"),
        (dosage(repeat(1, 1, D), amount("3/2")), "по 1 1/2 таблетки 1 раз в день (08:00)", "1 1/2 tablets once a day (08:00)"),
        (dosage(repeat(1, 1, D), amount(1, "half-tablet")), "по 1/2 таблетки 1 раз в день (08:00)", "1/2 tablet once a day (08:00)"),
        (dosage(repeat(1, 1, D), amount("5/2", "mg")), "по 2,5 мг 1 раз в день (08:00)", "2.5 mg once a day (08:00)"),
        (dosage(repeat(1, 1, D), (Quantity(F(1), "tablet"), Quantity(F(2), "tablet"))), "по 1–2 таблетки 1 раз в день (08:00)", "1–2 tablets once a day (08:00)"),
        (dosage(repeat(1, 1, D), None), "1 раз в день (08:00)", "once a day (08:00)"),
        (dosage(repeat(times=(time(8), time(20, 30)))), "по 1 таблетке в 08:00 и 20:30", "1 tablet at 08:00 and 20:30"),
        (dosage(repeat(1, 8, H)), "по 1 таблетке каждые 8 часов (00:00, 08:00, 16:00)", "1 tablet every 8 hours (00:00, 08:00, 16:00)"),
        (dosage(Timing(code="каждые 12 часов")), "по 1 таблетке каждые 12 часов (08:00, 20:00)", "1 tablet every 12 hours (08:00, 20:00)"),
        (dosage(repeat(1, 36, H)), "по 1 таблетке каждые 36 часов от первой дозы", "1 tablet every 36 hours from the first dose"),
        (dosage(repeat(1, 100, MIN)), "по 1 таблетке каждые 100 минут от первой дозы", "1 tablet every 100 minutes from the first dose"),
        (dosage(repeat(1, 2, D)), "по 1 таблетке через день (08:00)", "1 tablet every other day (08:00)"),
        (dosage(repeat(1, 3, D, when=("MORN",))), "по 1 таблетке утром раз в 3 дня", "1 tablet in the morning once every 3 days"),
        (dosage(repeat(1, 1, WK)), "по 1 таблетке раз в неделю (08:00)", "1 tablet once a week (08:00)"),
        (dosage(repeat(1, 2, WK)), "по 1 таблетке раз в 2 недели (08:00)", "1 tablet once every 2 weeks (08:00)"),
        (dosage(Timing(code="QMOWEFR")), "по 1 таблетке по понедельникам, средам и пятницам (08:00)", "1 tablet on Mondays, Wednesdays and Fridays (08:00)"),
        (dosage(repeat(when=("HS",), weekdays=(1,))), "по 1 таблетке перед сном по вторникам", "1 tablet before sleep on Tuesdays"),
        (dosage(repeat(1, 2, WK, weekdays=(6,))), "по 1 таблетке по воскресеньям каждой 2-й недели (08:00)", "1 tablet on Sundays of every other week (08:00)"),
        (dosage(repeat(1, 1, MO)), "по 1 таблетке раз в месяц (08:00), в коротком месяце — в последний день", "1 tablet once a month (08:00), on the last day of a shorter month"),
        (dosage(repeat(1, 1, A)), "по 1 таблетке раз в год (08:00), в коротком месяце — в последний день", "1 tablet once a year (08:00), on the last day of a shorter month"),
        (dosage(repeat(when=("ACM",), offset_minutes=30)), "по 1 таблетке за 30 мин до завтрака", "1 tablet 30 min before breakfast"),
        (dosage(repeat(when=("PCM", "PCV"), offset_minutes=60)), "по 1 таблетке через 60 мин после завтрака и через 60 мин после ужина", "1 tablet 60 min after breakfast and 60 min after dinner"),
        (dosage(repeat(when=("HS",), offset_minutes=30)), "по 1 таблетке за 30 мин до сна", "1 tablet 30 min before sleep"),
        (dosage(repeat(3, 1, D, when=("C",))), "по 1 таблетке 3 раза в день во время еды", "1 tablet 3 times a day with meals"),
        (dosage(repeat(1, 1, D, when=("PC",))), "по 1 таблетке 1 раз в день после еды", "1 tablet once a day after meals"),
        (dosage(repeat(when=("AFT.late",))), "по 1 таблетке под вечер", "1 tablet late in the afternoon"),
        (dosage(repeat(when=("MORN",), count=10)), "по 1 таблетке утром, всего 10 раз", "1 tablet in the morning, 10 times in all"),
        (dosage(repeat(when=("MORN",), count=2, count_max=4)), "по 1 таблетке утром, всего 2 раза, допустимо всего до 4 раз", "1 tablet in the morning, twice in all, up to 4 times in all permitted"),
        (dosage(repeat(2, 1, D, frequency_max=3)), "по 1 таблетке 2 раза в день (08:00, 20:00), допустимо до 3 раз", "1 tablet twice a day (08:00, 20:00), up to 3 times permitted"),
        (dosage(repeat(1, 12, H, period_max=24)), "по 1 таблетке каждые 12 часов (08:00, 20:00), допустимо и каждые 24 часа", "1 tablet every 12 hours (08:00, 20:00), every 24 hours also permitted"),
        (dosage(repeat(when=("MORN",)), lasts=(Span(F(5), D), Span(F(7), D))), "по 1 таблетке утром, 5–7 дней (планируется 5 дней)", "1 tablet in the morning, for 5–7 days (5 days scheduled)"),
        (dosage(repeat(when=("MORN",)), lasts=span(1, WK)), "по 1 таблетке утром, 1 неделю", "1 tablet in the morning, for 1 week"),
        (dosage(repeat(when=("MORN",)), starts_at=START, ends_at=START + timedelta(days=3)), "по 1 таблетке утром, с 02.03.2026, до 05.03.2026 00:00", "1 tablet in the morning, from 02.03.2026, until 05.03.2026 00:00"),
        (dosage(repeat(when=("MORN",)), ends_at=START + timedelta(days=3, seconds=-1)), "по 1 таблетке утром, по 04.03.2026", "1 tablet in the morning, through 04.03.2026"),
        (dosage(repeat(when=("MORN",), duration=30, duration_unit=MIN), amount(1, "ampoule")), "по 1 ампуле утром, в течение 30 мин", "1 ampoule in the morning, each over 30 minutes"),
        (dosage(Timing(events=(NOON_UTC,)), amount(1, "patch")), "по 1 пластырю 03.03.2026 09:00", "1 patch 03.03.2026 09:00"),
        (dosage(Timing(code="ONCE")), "1 таблетка однократно", "1 tablet once"),
        (dosage(Timing(code="ONCE"), amount(21, "drop")), "21 капля однократно", "21 drops once"),
        (dosage(Timing(code="INFUSION"), amount(500, "mL")), "500 мл без времени приёма (инфузия, протокол или по указанию)", "500 mL without dose times (infusion, protocol or as directed)"),
        (dosage(repeat(1, 30, MIN)), "по 1 таблетке каждые 30 минут, время приёма заранее не назначается", "1 tablet every 30 minutes, dose times are not planned ahead"),
        (dosage(Timing(prn=True)), "по 1 таблетке при необходимости", "1 tablet when needed"),
        (dosage(Timing(prn=True, repeat=Repeat(None, 3, F(1), None, D))), "по 1 таблетке при необходимости, не более 3 раз в день", "1 tablet when needed, not more than 3 times a day"),
        (dosage(Timing(prn=True, repeat=Repeat(2, 4, F(1), None, D))), "по 1 таблетке при необходимости, не более 4 раз в день", "1 tablet when needed, not more than 4 times a day"),
        (dosage(Timing(code="Q6H:PRN")), "по 1 таблетке при необходимости, не чаще чем каждые 6 часов", "1 tablet when needed, not more often than every 6 hours"),
        (dosage(Timing(prn=True, repeat=Repeat(1, None, F(90), None, MIN))), "по 1 таблетке при необходимости, не чаще чем каждые 90 минут", "1 tablet when needed, not more often than every 90 minutes"),
        (dosage(Timing(code="BID:PRN")), "по 1 таблетке при необходимости, не более 2 раз в день", "1 tablet when needed, not more than twice a day"),
        (dosage(Timing(code="HS:PRN")), "по 1 таблетке при необходимости перед сном", "1 tablet when needed before sleep"),
        (dosage(Timing(prn=True), limits=(DoseLimit(Quantity(F(4), "g"), LimitPer.PERIOD, Span(F(24), H)),)), "по 1 таблетке при необходимости, не более 4 г за 24 часа", "1 tablet when needed, not more than 4 g in 24 hours"),
        (dosage(Timing(prn=True), limits=(DoseLimit(Quantity(F(2), "tablet"), LimitPer.ADMINISTRATION),)), "по 1 таблетке при необходимости, не более 2 таблеток за приём", "1 tablet when needed, not more than 2 tablets at once"),
    ],
)  # fmt: skip
def test_one_dosage_in_words(written: Dosage, russian: str, english: str) -> None:
    schedule = understood(written)
    assert in_words(schedule, written.dose, "ru") == russian
    assert in_words(schedule, written.dose, "en") == english


def test_a_taper_and_dosages_beside_each_other() -> None:
    steps = [dosage(repeat(when=("MORN",)), amount(2), sequence=1, lasts=span(3)), dosage(repeat(when=("MORN",)), amount(1), sequence=2, lasts=span(3))]
    taper = understood(*steps)
    assert in_words(taper, amount(2), "ru") == "по 2 таблетки утром, 3 дня; затем по 1 таблетке утром, 3 дня"
    assert in_words(taper, amount(2), "en") == "2 tablets in the morning, for 3 days; then 1 tablet in the morning, for 3 days"
    both = understood(dosage(repeat(when=("MORN",)), amount(2)), replace(EVENING, dose=amount("1/2")))
    assert in_words(both, amount(2), "ru") == "по 2 таблетки утром; также по 1/2 таблетки вечером"
    turned = understood(replace(EVENING, dose=amount("1/2")), dosage(repeat(when=("MORN",)), amount(2)))
    assert in_words(turned, amount("1/2"), "en") == "2 tablets in the morning; also 1/2 tablet in the evening"


def test_a_change_of_the_ward_s_table_is_said() -> None:
    schedule = understood(Timing(code="BID"), table=table_of(DATED))
    assert in_words(schedule, None, "ru") == "2 раза в день (08:00, 20:00); с 04.03.2026 2 раза в день (09:00, 21:00)"


def test_the_house_s_choice_is_said_where_the_schedule_depends_on_it() -> None:
    rules = replace(HOUSE_RULES, first_dose=FirstDose.AT_START, month_end=MonthEnd.SKIP)
    assert in_words(understood(repeat(1, 1, MO)), None, "en", rules) == "once a month (08:00), left out in a shorter month, the first dose at the order's start"
    assert in_words(understood(Timing(code="ONCE")), None, "en", rules) == "once"


@pytest.mark.parametrize(
    ("number", "russian"),
    [(1, "1 таблетке"), (2, "2 таблетки"), (4, "4 таблетки"), (5, "5 таблеток"), (11, "11 таблеток"), (12, "12 таблеток"), (21, "21 таблетке"), (22, "22 таблетки"), ("1/4", "1/4 таблетки"), ("5/4", "1 1/4 таблетки"), ("1/10", "0,1 таблетки")],
)  # fmt: skip
def test_russian_counts(number: str | int, russian: str) -> None:
    assert amount_text(*amount(number), "ru", Case.EACH) == russian


def test_spans_and_times_take_the_form_that_their_number_wants() -> None:
    assert [span_text(*span(number), "ru") for number in (1, 3, 5, 21, "3/2")] == ["1 день", "3 дня", "5 дней", "21 день", "1,5 дня"]
    assert [times_text(number, "ru") for number in (1, 2, 5, 22)] == ["1 раз", "2 раза", "5 раз", "22 раза"]
    assert [times_text(number, "ru", at_most=True) for number in (1, 2, 5)] == ["1 раза", "2 раз", "5 раз"]


def test_every_code_of_the_shipped_table_has_words() -> None:
    for code, _ in TABLE:
        schedule = understood(Timing(code=code))
        for language in ("ru", "en"):
            assert len(in_words(schedule, amount(1), language)) > len("1 таблетка"), code
