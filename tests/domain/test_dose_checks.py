"""Checks of a dose: each rule stops what it is for and lets the rest pass, and says so in both languages."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from domain_cases import DAY_SLOTS, MONDAY, PATIENT, SOURCE, STAY, TABLE, drug, line, mg
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.dose_checks import dose_doubts, in_unit_of, is_weekly, settled_dose, weekly_stop
from hub.domain.drugs import Dosing, Drug, Form
from hub.domain.duplicates import by_patient
from hub.domain.identifiers import DrugCode, OrderId
from hub.domain.orders import LineDecision, OrderLine, OrderStatus, Outcome, RangePolicy, Reason, SourceSettings
from hub.domain.quantities import Quantity
from hub.domain.schedule import Schedule, schedule_for
from hub.domain.timing import Dosage, DoseLimit, LimitPer, PeriodUnit, Repeat, SlotDose, Span, Timing
from hub.domain.validation import decide_line
from hub.domain.words import Words

F = Fraction
METHOTREXATE = drug(code=DrugCode("MTX"), inn="Метотрексат", trade_name="Метотрексат", strength="2,5 мг", group="")


def quantity(amount: str | int, unit: str = "mg") -> Quantity:
    return Quantity(F(amount), unit)


def decided(item: Drug, *lines: OrderLine, source: SourceSettings = SOURCE, more: Sequence[Drug] = ()) -> list[LineDecision]:
    """Return what becomes of the lines of one patient that stand in one sheet."""
    directory = {each.code: each for each in (item, *more)}
    beside = by_patient(lines, directory)[PATIENT.id]
    return [
        decide_line(each, PATIENT, STAY, directory, TABLE, DAY_SLOTS, source, MONDAY, MONDAY, beside=beside) for each in lines
    ]  # fmt: skip


def of(item: Drug, **changes: Any) -> LineDecision:
    return decided(item, line(drug=item.code, **changes))[0]


def rules(decision: LineDecision) -> list[str]:
    assert all(reason.text and reason.source for reason in decision.reasons)
    return [reason.rule for reason in decision.reasons]


def schedule(timing: Timing) -> Schedule:
    found = schedule_for((Dosage(timing=timing, dose=mg(500), route="PO"),), TABLE, "")
    assert isinstance(found, Schedule), found
    return found


@pytest.mark.parametrize("code", ["DAILY", "BID", "Q8H", "3X/WEEK", "EVERY OTHER DAY", "PRN", "Q72H"])
def test_a_weekly_drug_that_is_given_more_often_is_a_hard_stop(code: str) -> None:
    decision = of(METHOTREXATE, dose=mg(10), timing=Timing(code=code))
    assert decision.outcome is Outcome.REJECTED
    assert rules(decision) == ["weekly-drug"]
    assert "a daily dose of it kills" in decision.reasons[0].text and "раза в неделю" in decision.reasons[0].text_ru


@pytest.mark.parametrize(
    "timing",
    [
        Timing(code="1 раз в неделю"), Timing(repeat=Repeat(frequency=1, period=F(1), period_unit=PeriodUnit.WEEK)),
        Timing(repeat=Repeat(frequency=1, period=F(7), period_unit=PeriodUnit.DAY)), Timing(repeat=Repeat(weekdays=(2,))),
        Timing(repeat=Repeat(frequency=1, period=F(2), period_unit=PeriodUnit.WEEK)), Timing(code="ONCE"),
    ],
)  # fmt: skip
def test_a_weekly_drug_once_a_week_is_let_pass(timing: Timing) -> None:
    assert list(weekly_stop(METHOTREXATE, schedule(timing))) == []
    assert "weekly-drug" not in rules(of(METHOTREXATE, dose=mg(10), timing=timing))


@pytest.mark.parametrize(
    "repeat",
    [
        Repeat(frequency=2, period=F(1), period_unit=PeriodUnit.WEEK), Repeat(weekdays=(0, 1)), Repeat(weekdays=(0, 3)),
        Repeat(frequency=1, period=F(6), period_unit=PeriodUnit.DAY), Repeat(frequency=1, period=F(1), period_unit=PeriodUnit.DAY),
    ],
)  # fmt: skip
def test_two_days_of_one_week_are_more_often_than_weekly(repeat: Repeat) -> None:
    decision = of(METHOTREXATE, dose=mg(10), timing=Timing(repeat=repeat))
    assert decision.outcome in {Outcome.REJECTED, Outcome.NEEDS_REVIEW}
    found = schedule_for((Dosage(mg(10), Timing(repeat=repeat), "PO"),), TABLE, "")
    if isinstance(found, Schedule):
        assert rules(decision) == ["weekly-drug"]


def test_methotrexate_by_the_slots_of_a_day_is_a_hard_stop() -> None:
    assert rules(of(METHOTREXATE, dose=mg(10), timing=Timing(slots=(SlotDose("morning", F(1)),)))) == ["weekly-drug"]


def test_a_weekly_drug_as_directed_is_asked_about() -> None:
    decision = of(METHOTREXATE, dose=mg(10), timing=Timing(code="ASDIR"))
    assert (decision.outcome, rules(decision)) == (Outcome.NEEDS_REVIEW, ["weekly-drug"])


@pytest.mark.parametrize(
    ("item", "weekly"),
    [
        (drug(inn="Methotrexate Sodium"), True), (drug(inn="", trade_name="Метотрексат-Эбеве"), True), (drug(inn="метформин"), False),
        (drug(inn="Alendronic acid", strength="70 mg"), True), (drug(inn="алендроновая кислота", strength="70 мг"), True),
        (drug(inn="Alendronate", strength="10 mg"), False), (drug(inn="Risedronate", strength="35 mg"), True), (drug(inn="Risedronate", strength="?"), True),
        (drug(inn="Semaglutide", strength="7 mg"), False), (drug(inn="семаглутид", form=Form.SYRINGE, strength="1 мг", unit="шприц"), True),
        (drug(inn="дулаглутид", form=Form.SYRINGE, strength="1,5 мг", unit="шприц"), True), (drug(dosed=Dosing.WEEKLY), True), (drug(), False),
    ],
)  # fmt: skip
def test_weekly_drugs_are_known_by_directory_and_by_name_in_both_languages(item: Drug, weekly: bool) -> None:
    assert is_weekly(item) is weekly


@pytest.mark.parametrize(
    ("limit", "code", "words"),
    [
        (DoseLimit(quantity(400), LimitPer.ADMINISTRATION), "DAILY", "500 mg at once is more than the maximum of 400 mg"),
        (DoseLimit(quantity(1), LimitPer.ADMINISTRATION), "PRN", "500 mg at once is more"),
        (DoseLimit(quantity(1200), LimitPer.PERIOD, Span(F(1), PeriodUnit.DAY)), "TID", "1500 mg in 1 d is more than the maximum of 1200 mg"),
        (DoseLimit(quantity(1200), LimitPer.PERIOD, Span(F(24), PeriodUnit.HOUR)), "TID", "1500 mg in 24 h is more"),
        (DoseLimit(quantity(3), LimitPer.PERIOD, Span(F(1), PeriodUnit.WEEK)), "DAILY", "3500 mg in 1 wk is more"),
        (DoseLimit(quantity("1/2", "g"), LimitPer.PERIOD, Span(F(6), PeriodUnit.HOUR)), "Q4H", "1 g in 6 h is more than the maximum of 0.5 g"),
        (DoseLimit(quantity(5, "mEq"), LimitPer.ADMINISTRATION), "DAILY", "500 mg cannot be compared with it"),
        (DoseLimit(quantity(9, "g"), LimitPer.LIFETIME), "DAILY", "what was given before is not known here"),
    ],
)
def test_a_written_maximum_is_held(limit: DoseLimit, code: str, words: str) -> None:
    item = drug()
    whole = replace(line(), dosages=(Dosage(mg(500), Timing(code=code), "PO", limits=(limit,)),))
    (reason,) = dose_doubts(whole, item, schedule(Timing(code=code)))
    assert reason.rule == "written-maximum"
    assert words in reason.text and reason.text_ru


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        (DoseLimit(quantity(500), LimitPer.ADMINISTRATION), "TID"), (DoseLimit(quantity(1, "tablet"), LimitPer.ADMINISTRATION), "TID"),
        (DoseLimit(quantity("3/2", "g"), LimitPer.PERIOD, Span(F(1), PeriodUnit.DAY)), "TID"),
        (DoseLimit(quantity(3500), LimitPer.PERIOD, Span(F(1), PeriodUnit.WEEK)), "DAILY"),
        (DoseLimit(quantity(500), LimitPer.PERIOD, Span(F(1), PeriodUnit.DAY)), "ONCE"),
    ],
)  # fmt: skip
def test_a_dose_up_to_the_written_maximum_passes(limit: DoseLimit, code: str) -> None:
    whole = replace(line(), dosages=(Dosage(mg(500), Timing(code=code), "PO", limits=(limit,)),))
    assert list(dose_doubts(whole, drug(), schedule(Timing(code=code)))) == []


def test_the_directory_s_maxima_are_held_at_once_and_a_day() -> None:
    item = drug(most_at_once=quantity(1, "g"), most_a_day=quantity(2, "g"))
    assert of(item, dose=mg(1000), timing=Timing(code="BID")).outcome is Outcome.SCHEDULED
    over = of(item, dose=mg(1000), timing=Timing(code="TID"))
    assert (over.outcome, rules(over)) == (Outcome.NEEDS_REVIEW, ["directory-maximum"])
    assert over.reasons[0].text == "3 g a day is more than the maximum of 2 g"
    assert over.reasons[0].text_ru == "3 г в сутки: больше предела 2 г"
    assert rules(of(item, dose=mg(1500), timing=Timing(code="DAILY"))) == ["directory-maximum"]
    assert rules(of(item, dose=mg(500), timing=Timing(slots=(SlotDose("morning", F(3)),)))) == ["directory-maximum"]


def test_a_maximum_in_mg_is_held_for_a_dose_in_tablets() -> None:
    three = (quantity(3, "tablet"),) * 2
    assert rules(of(drug(most_at_once=quantity(1, "g")), dose=three)) == ["directory-maximum"]
    assert of(drug(most_at_once=quantity("3/2", "g")), dose=three).outcome is Outcome.SCHEDULED


@pytest.mark.parametrize(
    ("dose", "words"),
    [
        (5000, "5000 mg of 'Metformin' is about 10 times the usual dose of 500 mg"), (4000, "about 8 times"), (6000, "about 12 times"),
        (25_000, "about 50 times"), (50, "50 mg of 'Metformin' is about 1/10 of the usual dose"), ("62.5", "about 1/8 of"),
    ],
)  # fmt: skip
def test_a_slip_of_the_decimal_sign_is_asked_about(dose: int | str, words: str) -> None:
    decision = of(drug(usual_dose=quantity(500), divisible_by=4, strength="50 мг"), dose=mg(dose))
    assert decision.outcome is Outcome.NEEDS_REVIEW
    assert "tenfold" in rules(decision)
    told = next(reason for reason in decision.reasons if reason.rule == "tenfold")
    assert words in told.text and "верны ли запятая и единица" in told.text_ru


def test_the_count_in_a_slot_is_part_of_the_dose_that_is_compared() -> None:
    eight = Timing(slots=(SlotDose("morning", F(8)),))
    assert "tenfold" in rules(of(drug(usual_dose=quantity(500)), dose=mg(500), timing=eight))


@pytest.mark.parametrize("dose", [3500, 1000, 500, 250, 75])
def test_doses_about_the_usual_one_pass(dose: int) -> None:
    (found,) = [list(dose_doubts(line(dose=mg(dose)), drug(usual_dose=quantity(500)), schedule(Timing(code="BID"))))]
    assert found == []


def test_a_dose_that_cannot_be_compared_with_the_usual_one_is_asked_about() -> None:
    (reason,) = dose_doubts(line(dose=(quantity(5, "mEq"),) * 2), drug(usual_dose=quantity(500)), schedule(Timing(code="BID")))
    assert reason.rule == "tenfold" and "cannot be compared" in reason.text


@given(st.fractions(F(1, 1000), 10_000, max_denominator=1000), st.sampled_from(["mg", "g", "mcg"]))
def test_a_dose_is_flagged_by_its_size_alone_whatever_unit_it_is_written_in(amount: Fraction, unit: str) -> None:
    item = drug(usual_dose=quantity(500))
    dose = in_unit_of(Quantity(amount, unit), item, "mg")
    assert dose is not None
    flagged = any(True for _ in dose_doubts(line(dose=(Quantity(amount, unit),) * 2), item, schedule(Timing(code="DAILY"))))
    assert flagged == (dose >= 4000 or dose <= F(125, 2))


@pytest.mark.parametrize(
    ("policy", "settled"), [(RangePolicy.LOWER, quantity(500)), (RangePolicy.UPPER, quantity(1000)), (RangePolicy.ASK, None)]
)
def test_a_range_is_settled_by_the_source_s_policy(policy: RangePolicy, settled: Quantity | None) -> None:
    dose = (quantity(500), quantity(1000))
    found = settled_dose(dose, policy)
    assert (None if isinstance(found, Reason) else found) == settled
    decision = decided(drug(), line(dose=dose), source=replace(SOURCE, range_policy=policy))[0]
    assert decision.outcome is (Outcome.SCHEDULED if settled else Outcome.NEEDS_REVIEW)
    if settled is None:
        assert rules(decision) == ["dose-range"]
        assert "уточнить" in decision.reasons[0].text_ru


def second(**changes: Any) -> OrderLine:
    """Return another order of the same drug, written an hour later."""
    later = {"id": OrderId("o2"), "position": "line 3", "authored_at": MONDAY - timedelta(hours=11)}
    return line(**{**later, **changes})


def test_the_later_of_two_orders_of_one_substance_is_doubted_whatever_their_order_in_the_sheet() -> None:
    first, other = line(), second(timing=Timing(code="TID"))
    for one, two in (decided(drug(), first, other), reversed(decided(drug(), other, first))):
        assert one.outcome is Outcome.SCHEDULED
        assert (two.outcome, rules(two)) == (Outcome.NEEDS_REVIEW, ["duplicate-therapy"])
        assert two.reasons[0].text == "this order doubles the order o1 ('Metformin 500 мг', line 2): the same substance"
        assert two.reasons[0].text_ru == "назначение дублирует назначение o1 («Metformin 500 мг», line 2): то же вещество"


def test_the_same_line_under_another_id_is_a_duplicate_and_under_its_own_id_is_none() -> None:
    assert rules(decided(drug(), line(), second())[1]) == ["duplicate-therapy"]
    assert [decision.outcome for decision in decided(drug(), line(), line(dose=mg(1000)))] == [Outcome.SCHEDULED, Outcome.SCHEDULED]


@pytest.mark.parametrize(
    "changes",
    [
        {"ends_at": MONDAY - timedelta(days=1)}, {"starts_at": MONDAY + timedelta(days=3)}, {"status": OrderStatus.STOPPED},
        {"unreadable": Words("cut off", "обрезана")}, {"patient": "p2"}, {"drug": DrugCode("UNKNOWN")},
    ],
)  # fmt: skip
def test_what_is_not_in_force_together_is_no_duplicate(changes: dict[str, Any]) -> None:
    first = line(**{"ends_at": MONDAY + timedelta(days=3), **changes})
    assert decided(drug(), first, second(starts_at=MONDAY, timing=Timing(code="TID"), ends_at=MONDAY + timedelta(days=2)))[1].outcome is Outcome.SCHEDULED


def test_an_order_that_begins_where_the_other_ends_follows_it() -> None:
    change = MONDAY + timedelta(days=2)
    decisions = decided(drug(), line(ends_at=change), second(starts_at=change, timing=Timing(code="TID")))
    assert [decision.outcome for decision in decisions] == [Outcome.SCHEDULED, Outcome.SCHEDULED]


@pytest.mark.parametrize(("code", "outcome"), [("PRN", Outcome.PRN), ("Q6H:PRN", Outcome.PRN), ("ONCE", Outcome.ONCE)])
def test_a_dose_when_needed_or_once_beside_a_regular_order_is_remarked(code: str, outcome: Outcome) -> None:
    regular, beside = decided(drug(), line(), second(timing=Timing(code=code)))
    assert regular.outcome is Outcome.SCHEDULED
    assert beside.outcome is outcome
    assert "same-drug-beside" in rules(beside)


def test_one_dose_made_of_two_strengths_is_remarked_only() -> None:
    small = drug(code=DrugCode("MET850"), strength="850 мг")
    decisions = decided(drug(), line(), second(drug=small.code, dose=mg(850), authored_at=line().authored_at), more=[small])
    assert [decision.outcome for decision in decisions] == [Outcome.SCHEDULED, Outcome.SCHEDULED]
    assert "same-drug-beside" in rules(decisions[1])


def test_one_substance_under_its_russian_and_its_latin_name_by_mouth_and_vein_is_a_duplicate() -> None:
    drip = drug(code=DrugCode("METIV"), inn="Метформин (раствор)", form=Form.VIAL, strength="500 мг", unit="фл")
    decisions = decided(drug(inn="Metformin"), line(), second(drug=drip.code, route="IV", timing=Timing(code="TID")), more=[drip])
    assert rules(decisions[1]) == ["duplicate-therapy"]


def test_two_drugs_of_one_group_by_one_route_are_a_duplicate_and_by_two_routes_are_none() -> None:
    ramipril, enalapril = (
        drug(code=DrugCode(inn), inn=inn, trade_name="", group="ингибиторы АПФ") for inn in ("рамиприл", "эналаприл")
    )
    first = line(drug=ramipril.code)
    (_, doubled) = decided(ramipril, first, second(drug=enalapril.code), more=[enalapril])
    assert rules(doubled) == ["duplicate-therapy"]
    assert "та же группа, «ингибиторы АПФ»" in doubled.reasons[0].text_ru
    (_, apart) = decided(ramipril, first, second(drug=enalapril.code, route="IV"), more=[enalapril])
    assert "duplicate-therapy" not in rules(apart)


def test_a_basal_and_a_rapid_insulin_are_combined_on_purpose() -> None:
    basal, rapid = (
        drug(code=DrugCode(inn), inn=inn, trade_name="", group="инсулины", form=Form.VIAL, strength="100 МЕ/мл - 10 мл", unit="фл")
        for inn in ("инсулин гларгин", "инсулин растворимый")
    )
    dose = (quantity(8, "IU"),) * 2
    both = decided(basal, line(drug=basal.code, dose=dose, route="п/к"), second(drug=rapid.code, dose=dose, route="п/к", timing=Timing(code="TID")), more=[rapid])
    assert [decision.outcome for decision in both] == [Outcome.SCHEDULED, Outcome.SCHEDULED]
    assert "same-drug-beside" in rules(both[1])


def test_bags_of_a_carrier_are_no_duplicates() -> None:
    saline = drug(code=DrugCode("NS"), inn="натрия хлорид", form=Form.BAG, strength="500 мл", unit="пакет", group="")
    bag = (quantity(1, "bag"),) * 2
    decisions = decided(saline, line(drug=saline.code, dose=bag, route="IV"), second(drug=saline.code, dose=bag, route="IV", timing=Timing(code="TID")))
    assert [decision.outcome for decision in decisions] == [Outcome.SCHEDULED, Outcome.SCHEDULED]
