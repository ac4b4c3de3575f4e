"""Each line of a sheet ends in one outcome, for reasons that a person can read."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from domain_cases import LINE, METFORMIN, MONDAY, PATIENT, SOURCE, STAY, decide, drug, line, mg
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.allergies import is_allergic_to
from hub.domain.drugs import DrugClass, Form
from hub.domain.orders import OrderStatus, Outcome
from hub.domain.quantities import Quantity
from hub.domain.regulation_checks import confirmed_until
from hub.domain.schedule import Schedule, ScheduleKind
from hub.domain.timing import SlotDose, Timing
from hub.domain.words import Words


def rules(decision: object) -> set[str]:
    return {reason.rule for reason in decision.reasons}  # type: ignore[attr-defined]


def test_a_complete_line_is_scheduled_and_shows_its_five_checks() -> None:
    decision = decide()
    assert decision.outcome is Outcome.SCHEDULED
    assert [(check.name, check.passed) for check in decision.checks] == [
        ("dose", True), ("frequency", True), ("course", True), ("signature", True), ("allergies", True),
    ]  # fmt: skip
    assert (
        decision.checks[2].text
        == "course not required by source 'hospital': open-ended until stopped, re-confirmed every 3 days"
    )


@pytest.mark.parametrize(
    ("changes", "source", "failed"),
    [
        ({"dose": None}, {}, "dose"),
        ({"dose": mg(0)}, {}, "dose"),
        ({"dose": (mg(500)[0], mg(250)[0])}, {}, "dose"),
        ({"timing": None}, {}, "frequency"),
        ({"timing": Timing(code="  ")}, {}, "frequency"),
        ({}, {"course_required": True}, "course"),
        ({"signed_by": " "}, {"signature_required": True}, "signature"),
    ],
)
def test_each_check_of_the_regulation_fails_by_itself_and_rejects_the_line(
    changes: dict[str, object], source: dict[str, object], failed: str
) -> None:
    decision = decide(line(**changes), source=replace(SOURCE, **source))  # type: ignore[arg-type]
    assert decision.outcome is Outcome.REJECTED
    assert rules(decision) == {failed}
    assert [check.name for check in decision.checks if not check.passed] == [failed]
    assert all("1088" in reason.source for reason in decision.reasons)


def test_every_missing_thing_is_told_at_once() -> None:
    strict = replace(SOURCE, course_required=True, signature_required=True)
    decision = decide(line(dose=None, timing=None, signed_by=""), source=strict)
    assert rules(decision) == {"dose", "frequency", "course", "signature"}


def test_an_open_ended_order_that_nobody_confirmed_goes_to_a_person() -> None:
    stale = decide(confirmed_at=MONDAY - timedelta(days=3, minutes=1))
    assert (stale.outcome, rules(stale)) == (Outcome.NEEDS_REVIEW, {"not-confirmed"})
    assert "не подтверждено с" in stale.reasons[0].said("ru") and "was not confirmed since" in stale.reasons[0].said("en")
    assert decide(confirmed_at=MONDAY - timedelta(days=3)).outcome is Outcome.SCHEDULED
    assert confirmed_until(LINE, SOURCE, MONDAY, Schedule(ScheduleKind.REGULAR)) == MONDAY + timedelta(days=3)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"ends_at": MONDAY - timedelta(hours=13)}, "course-order"),
        ({"ends_at": MONDAY - timedelta(hours=1)}, "course-over"),
        ({"status": OrderStatus.STOPPED}, "status"),
        ({"status": OrderStatus.CANCELLED}, "status"),
        ({"status": OrderStatus.COMPLETED}, "status"),
        ({"status": OrderStatus.ENTERED_IN_ERROR}, "status"),
        ({"status": OrderStatus.DRAFT}, "status"),
    ],
)
def test_an_order_that_is_not_in_force_is_rejected(changes: dict[str, object], rule: str) -> None:
    decision = decide(line(**changes))
    assert (decision.outcome, rules(decision)) == (Outcome.REJECTED, {rule})


def test_a_discharged_patient_gets_nothing_more() -> None:
    assert rules(decide(stay=replace(STAY, finished_at=MONDAY))) == {"discharged"}
    assert decide(stay=replace(STAY, finished_at=MONDAY + timedelta(hours=1))).outcome is Outcome.SCHEDULED


@pytest.mark.parametrize("drug_class", [DrugClass.NARCOTIC, DrugClass.PSYCHOTROPIC, DrugClass.POTENT, DrugClass.TOXIC])
def test_controlled_classes_are_not_ours_even_where_the_form_is_wrong(drug_class: DrugClass) -> None:
    decision = decide(line(dose=None), drug(drug_class=drug_class))
    assert (decision.outcome, rules(decision)) == (Outcome.EXCLUDED, {"excluded-class"})
    assert "not ours" in decision.reasons[0].text


def test_an_excluded_department_is_not_ours_whatever_its_spelling() -> None:
    decision = decide(stay=replace(STAY, department="реанимация "))
    assert (decision.outcome, rules(decision)) == (Outcome.EXCLUDED, {"excluded-department"})


@pytest.mark.parametrize(
    ("changes", "item", "rule"),
    [
        ({}, None, "unknown-drug"),
        ({}, drug(drug_class=None), "blank-class"),
        ({"unsupported": (Words("modifierExtension", "расширение-модификатор"),)}, METFORMIN, "unsupported"),
        ({"status": OrderStatus.UNKNOWN}, METFORMIN, "status"),
        ({"timing": Timing(code="2X")}, METFORMIN, "frequency"),
        ({"timing": Timing(code="BID:PRN")}, None, "unknown-drug"),
        ({"dose": mg(333)}, METFORMIN, "whole-units"),
        ({"dose": mg(250)}, drug(divisible_by=1), "whole-units"),
        ({"dose": mg(50_000)}, METFORMIN, "plausible-count"),
        ({"dose": (mg(500)[0], mg(1000)[0])}, METFORMIN, "dose-range"),
        ({"dose": (Quantity(Fraction(5), "mEq"),) * 2}, METFORMIN, "dose-to-units"),
        ({"route": "PO/X"}, METFORMIN, "route"),
        (
            {"timing": Timing(slots=(SlotDose("morning", Fraction(1)), SlotDose("noon", Fraction(1, 3))))},
            METFORMIN,
            "whole-units",
        ),
    ],
)
def test_what_a_person_must_look_at_goes_to_review(changes: dict[str, object], item: object, rule: str) -> None:
    decision = decide(line(**changes), item)  # type: ignore[arg-type]
    assert (decision.outcome, rules(decision)) == (Outcome.NEEDS_REVIEW, {rule})


def test_a_patient_without_a_bed_goes_to_review() -> None:
    assert rules(decide(stay=None)) == {"unknown-stay"}


@pytest.mark.parametrize(
    ("changes", "outcome", "rule"),
    [
        ({"timing": Timing(code="Q6H:PRN")}, Outcome.PRN, "prn"),
        ({"timing": Timing(code="BID", prn=True)}, Outcome.PRN, "prn"),
        ({"timing": Timing(code="PRN"), "dose": (mg(500)[0], mg(1000)[0])}, Outcome.PRN, "prn"),
        ({"timing": Timing(code="NOW X1")}, Outcome.ONCE, "once"),
        ({"timing": Timing(code="TITRATE TO")}, Outcome.NOT_PACKABLE, "no-dose-times"),
        ({"timing": Timing(code="ASDIR"), "dose": mg(0)}, Outcome.NOT_PACKABLE, "no-dose-times"),
        ({"note": "mixture: MAIN Vancomycin; BASE Dextrose"}, Outcome.NOT_PACKABLE, "mixture"),
        ({"route": "DIALYS"}, Outcome.NOT_PACKABLE, "route-not-packed"),
    ],
)
def test_the_schedule_decides_the_rest(changes: dict[str, object], outcome: Outcome, rule: str) -> None:
    decision = decide(line(**changes))
    assert (decision.outcome, rules(decision)) == (outcome, {rule})


def test_a_cream_by_the_application_stays_at_the_ward() -> None:
    cream = drug(form=Form.TUBE, strength="30 g Tube", unit="TUBE")
    decision = decide(line(dose=(Quantity(Fraction(1), "application"),) * 2, route="TP"), cream)
    assert (decision.outcome, rules(decision)) == (Outcome.NOT_PACKABLE, {"multi-dose-container"})


def test_an_order_on_hold_is_decided_and_marked() -> None:
    decision = decide(line(status=OrderStatus.ON_HOLD))
    assert decision.outcome is Outcome.SCHEDULED
    assert rules(decision) == {"scheduled", "on-hold"}


def test_allergies_that_the_source_does_not_tell_are_said_to_be_unchecked() -> None:
    unknown = replace(PATIENT, allergies=None)
    silent = decide(patient=unknown, source=replace(SOURCE, allergies_provided=False))
    assert silent.outcome is Outcome.SCHEDULED
    assert silent.checks[-1].text == "allergies not checked: source 'hospital' does not tell of them"
    assert rules(decide(patient=unknown)) == {"allergy"}


@pytest.mark.parametrize(
    ("allergy", "inn", "trade_name", "group", "matches"),
    [
        ("Метформин", "Метформин", "", "", True),
        ("аллергия на пенициллины (сыпь)", "Амоксициллин", "", "Пенициллины полусинтетические", True),
        ("пенициллина", "Бензилпенициллин", "", "Пенициллины", True),
        ("penicillin", "Amoxicillin", "", "Penicillins", True),
        ("сиофор", "Метформин", "Сиофор 500", "", True),
        ("цефтриаксон", "Цефтазидим", "", "Цефалоспорины", True),
        ("пенициллин (реакция не указана)", "Амоксициллин", "", "", True),
        ("нет", "Метформин", "", "", False),
        ("NKDA", "Metformin", "", "", False),
        ("пыльца", "Метформин", "", "Бигуаниды", False),
    ],
)
def test_allergies_match_by_name_trade_name_and_group(
    allergy: str, inn: str, trade_name: str, group: str, matches: bool
) -> None:
    item = drug(inn=inn, trade_name=trade_name, group=group)
    assert is_allergic_to(allergy, item) is matches
    decision = decide(item=item, patient=replace(PATIENT, allergies=(allergy,)))
    assert decision.outcome is (Outcome.NEEDS_REVIEW if matches else Outcome.SCHEDULED)


@given(
    st.sampled_from(list(OrderStatus)),
    st.sampled_from([None, "BID", "PRN", "ONCE", "INFUSION", "2X", ""]),
    st.sampled_from([None, mg(500), mg(250), mg(333), (mg(250)[0], mg(500)[0])]),
    st.sampled_from(
        [
            None,
            METFORMIN,
            drug(drug_class=None),
            drug(drug_class=DrugClass.TOXIC),
            drug(form=Form.VIAL, strength="5mg/mL Vial"),
        ]
    ),
    st.sampled_from(["PO", "IV", "IVPCA", "", "?"]),
    st.booleans(),
)
def test_every_line_ends_in_exactly_one_outcome_with_a_reason(
    status: OrderStatus, code: str | None, dose: object, item: object, route: str, bedded: bool
) -> None:
    timing = None if code is None else Timing(code=code)
    decision = decide(line(status=status, timing=timing, dose=dose, route=route), item, stay=STAY if bedded else None)  # type: ignore[arg-type]
    assert isinstance(decision.outcome, Outcome)
    assert decision.reasons
    assert all(reason.rule and reason.text for reason in decision.reasons)
    assert len({check.name for check in decision.checks}) == 5
