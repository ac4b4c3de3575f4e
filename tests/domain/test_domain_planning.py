"""Orders become doses with lanes, exact units and label sentences, and doses become packs."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from domain_cases import (
    DOSE,
    LINE,
    METFORMIN,
    MONDAY,
    MOSCOW,
    PATIENT,
    SOURCE,
    STAY,
    TABLE,
    decide,
    dose,
    drug,
    line,
    mg,
    order,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.batching import MOST_FILLS, batch
from hub.domain.doses import Lane, PlannedDose
from hub.domain.drugs import Drug, Form, Storage
from hub.domain.identifiers import DoseId, OrderId, PatientId
from hub.domain.lanes import ROUTES, RouteKind, lane_of, packed_units, piece_text, route_kind
from hub.domain.orders import LineState, Order, Outcome, Reason
from hub.domain.planning import NotPlannable, plan_line, trolley_order
from hub.domain.quantities import Quantity
from hub.domain.schedule import DAY_SLOTS, Schedule, schedule_for
from hub.domain.timing import Dosage, PeriodUnit, Repeat, SlotDose, Span, Timing
from hub.domain.validation import decide_line

F = Fraction
DAY = timedelta(days=1)
AMPOULE = drug(form=Form.AMPOULE, strength="50mg/2mL Amp", unit="амп", divisible_by=1)
VIAL = drug(form=Form.VIAL, strength="100 Units / mL - 10 mL Vial", unit="VIAL")
SYRUP = drug(form=Form.LIQUID, strength="100mg/5mL", unit="mL")


def plan(
    item: Drug = METFORMIN, whole: Order | None = None, *, days: int = 1, has_cassette: bool = True, **changes: object
) -> tuple[PlannedDose, ...]:
    whole = whole or order()
    schedule = schedule_for(whole.line.dosages, TABLE, STAY.department)
    assert isinstance(schedule, Schedule)
    facts = {"stay": STAY, "settings": SOURCE, "last_confirmed_at": MONDAY} | changes
    return plan_line(
        whole, item, schedule, facts["stay"], facts["settings"], DAY_SLOTS, MONDAY, MONDAY + days * DAY, MOSCOW,
        has_cassette=has_cassette, last_confirmed_at=facts["last_confirmed_at"],
    )  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize(
    ("item", "units", "route", "has_cassette", "lane"),
    [
        (METFORMIN, F(1), "PO", True, Lane.MACHINE),
        (METFORMIN, F(2), "внутрь", True, Lane.MACHINE),
        (METFORMIN, F(1), "PO", False, Lane.TRAY),
        (METFORMIN, F(1, 2), "PO", True, Lane.HALF_TABLET),
        (METFORMIN, F(5, 4), "PO", True, Lane.HALF_TABLET),
        (METFORMIN, F(1), "VG", True, Lane.TRAY),
        (drug(prepack_allowed=False), F(1), "SL", True, Lane.TRAY),
        (drug(form=Form.CAPSULE), F(1), "PO/NG", True, Lane.MACHINE),
        (drug(hazardous=True), F(1), "PO", True, Lane.HAZARDOUS),
        (drug(hazardous=True, storage=Storage.COLD), F(1), "PO", True, Lane.HAZARDOUS),
        (drug(storage=Storage.COLD), F(1), "PO", True, Lane.COLD),
        (drug(storage=Storage.DARK), F(1), "PO", True, Lane.MACHINE),
        (AMPOULE, F(1), "в/в", False, Lane.AMPOULE),
        (AMPOULE, F(1), "в/м", False, Lane.INJECTION),
        (drug(form=Form.SYRINGE), F(1), "SC", False, Lane.INJECTION),
        (drug(form=Form.BAG), F(1), "IV", False, Lane.AMPOULE),
        (drug(form=Form.SYRINGE), F(1), "PO", False, Lane.LIQUID),
        (drug(form=Form.LIQUID), F(5), "PO", False, Lane.LIQUID),
        (drug(form=Form.LIQUID, unit="mL"), F(5), "IV", False, Lane.AMPOULE),
        (drug(form=Form.POWDER), F(1), "PO", False, Lane.LIQUID),
        (drug(form=Form.NEBULE), F(1), "IH", False, Lane.WARD_STOCK),
        (drug(form=Form.VIAL), F(1), "NEB", False, Lane.WARD_STOCK),
        (drug(form=Form.INHALER), F(1), "IH", False, Lane.WARD_STOCK),
        (drug(form=Form.PATCH), F(1), "TD", False, Lane.WARD_STOCK),
        (drug(form=Form.SUPPOSITORY), F(1), "PR", False, Lane.WARD_STOCK),
    ],
)
def test_lanes(item: Drug, units: Fraction, route: str, has_cassette: bool, lane: Lane) -> None:
    assert lane_of(item, units, route, has_cassette) is lane


@pytest.mark.parametrize(
    ("item", "units", "route", "word"),
    [
        (METFORMIN, F(1, 3), "PO", "halves and quarters"),
        (drug(divisible_by=1), F(1, 2), "PO", "may not be split"),
        (drug(form=Form.CAPSULE), F(1, 2), "PO", "may not be split"),
        (METFORMIN, F(1), "нигде", "route table"),
        (METFORMIN, F(1), "IVPCA", "not packed"),
    ],
)
def test_no_lane_is_right_and_the_reason_says_so(item: Drug, units: Fraction, route: str, word: str) -> None:
    found = lane_of(item, units, route, True)
    assert isinstance(found, Reason)
    assert word in found.text


@given(
    st.sampled_from(list(Form)), st.sampled_from(list(Storage)), st.booleans(), st.sampled_from([1, 2, 4]), st.booleans(), st.booleans(),
    st.sampled_from(sorted(ROUTES)), st.sampled_from([F(1, 4), F(1, 3), F(1, 2), F(1), F(3, 2), F(3)]),
)  # fmt: skip
def test_a_machine_gets_only_whole_allowed_room_warm_harmless_oral_solids_that_have_a_cassette(
    form: Form,
    storage: Storage,
    hazardous: bool,
    divisible_by: int,
    prepack: bool,
    has_cassette: bool,
    route: str,
    units: Fraction,
) -> None:
    item = drug(form=form, storage=storage, hazardous=hazardous, divisible_by=divisible_by, prepack_allowed=prepack)
    lane = lane_of(item, units, route, has_cassette)
    if lane is Lane.MACHINE:
        assert form in {Form.TABLET, Form.CAPSULE} and units.denominator == 1 and route_kind(route) is RouteKind.MOUTH
        assert not hazardous and storage is not Storage.COLD and prepack and has_cassette
    if hazardous and isinstance(lane, Lane):
        assert lane is Lane.HAZARDOUS


@pytest.mark.parametrize(
    ("item", "units", "lane", "packed"),
    [
        (METFORMIN, F(1, 2), Lane.HALF_TABLET, F(1, 2)),
        (AMPOULE, F(4, 5), Lane.AMPOULE, F(1)),
        (AMPOULE, F(6, 5), Lane.INJECTION, F(2)),
        (VIAL, F(1, 100), Lane.INJECTION, F(1, 100)),
        (VIAL, F(1, 100), Lane.AMPOULE, F(1)),
        (SYRUP, F(15, 2), Lane.LIQUID, F(15, 2)),
        (drug(form=Form.LIQUID, unit="UDCUP"), F(1, 2), Lane.LIQUID, F(1)),
        (SYRUP, F(300), Lane.LIQUID, F(300)),
    ],
)
def test_opened_containers_are_used_up_and_tablets_never_rounded(
    item: Drug, units: Fraction, lane: Lane, packed: Fraction
) -> None:
    assert packed_units(item, units, lane) == packed


@pytest.mark.parametrize(
    ("item", "units"),
    [
        (METFORMIN, F(1, 3)),
        (METFORMIN, F(21)),
        (METFORMIN, F(0)),
        (drug(form=Form.POWDER), F(1, 2)),
        (drug(form=Form.PATCH), F(1, 2)),
        (AMPOULE, F(21)),
    ],
)
def test_units_that_are_not_permitted_or_implausible_are_a_reason(item: Drug, units: Fraction) -> None:
    assert isinstance(packed_units(item, units, Lane.TRAY), Reason)


@pytest.mark.parametrize(
    ("item", "amount", "route", "word"),
    [
        (SYRUP, Quantity(F(5000), "mL"), "PO", "more than 1000 mL"),
        (SYRUP, Quantity(F(2), "L"), "PO", "more than 1000 mL"),
        (SYRUP, Quantity(F(500_000), "mg"), "PO", "25000 mL"),
        (drug(form=Form.TUBE, strength="30 г туба 30 мл", unit="туба"), Quantity(F(900), "mL"), "TP", "more than 20"),
        (VIAL, Quantity(F(5000), "IU"), "SC", "more than 4"),
        (VIAL, Quantity(F(500_000_000), "IU"), "IV", "more than 100000000 IU"),
        (drug(strength="50000000 МЕ", unit="таб"), Quantity(F(150_000_000), "IU"), "PO", "more than 100000000 IU"),
        (METFORMIN, Quantity(F(15), "g"), "PO", "more than 20"),
    ],
)
def test_a_dose_of_a_thousandfold_error_goes_to_a_person(item: Drug, amount: Quantity, route: str, word: str) -> None:
    decision = decide(line(dose=(amount, amount), route=route), item)
    assert decision.outcome is Outcome.NEEDS_REVIEW
    assert [(reason.rule, reason.source) for reason in decision.reasons] == [("plausible-count", "plausibility")]
    assert word in decision.reasons[0].text


@pytest.mark.parametrize(
    ("item", "amount", "route"),
    [
        (SYRUP, Quantity(F(1), "L"), "PO"),
        (VIAL, Quantity(F(4000), "IU"), "SC"),
        (METFORMIN, Quantity(F(10), "g"), "PO"),
    ],
)
def test_a_large_but_possible_dose_is_scheduled(item: Drug, amount: Quantity, route: str) -> None:
    assert decide(line(dose=(amount, amount), route=route), item).outcome is Outcome.SCHEDULED


def test_pieces_are_written_as_people_do() -> None:
    assert [piece_text(F(*each)) for each in ((2, 1), (1, 2), (3, 2), (1, 4), (1, 100))] == [
        "2",
        "1/2",
        "1 1/2",
        "1/4",
        "0.01",
    ]


@pytest.mark.parametrize(
    ("item", "amount", "route", "units", "text"),
    [
        (drug(strength="250mg Tablet"), Quantity(F(500), "mg"), "PO", F(2), "2 × 250 mg = 500 mg"),
        (METFORMIN, Quantity(F(250), "mg"), "PO", F(1, 2), "1/2 × 500 mg = 250 mg"),
        (METFORMIN, Quantity(F(1), "g"), "PO", F(2), "2 × 500 mg = 1000 mg"),
        (METFORMIN, Quantity(F(1), "tablet"), "PO", F(1), "1 × 500 mg = 500 mg"),
        (drug(strength="5+2,5 мг"), Quantity(F(1), "tablet"), "PO", F(1), "1 tablet"),
        (AMPOULE, Quantity(F(40), "mg"), "IV", F(1), "1 ampoule (40 mg of 50 mg)"),
        (AMPOULE, Quantity(F(3), "mL"), "IM", F(2), "2 ampoule (3 mL of 4 mL)"),
        (VIAL, Quantity(F(10), "IU"), "IV", F(1), "1 vial (10 IU of 1000 IU)"),
        (VIAL, Quantity(F(10), "IU"), "SC", F(1, 100), "10 IU (0.01 vial)"),
        (SYRUP, Quantity(F(300), "mg"), "PO", F(15), "15 mL (300 mg)"),
        (SYRUP, Quantity(F(15), "mL"), "PO", F(15), "15 mL"),
    ],
)
def test_the_label_s_sentence(item: Drug, amount: Quantity, route: str, units: Fraction, text: str) -> None:
    (planned, _) = plan(item, order(line(dose=(amount, amount), route=route)))
    assert (planned.units, planned.dose_text) == (units, text)


def test_an_order_becomes_its_doses_of_the_day() -> None:
    first, second = plan()
    assert (first.due, first.slot, first.lane, first.units) == (MONDAY.replace(hour=8), "morning", Lane.MACHINE, F(1))
    assert (second.due, second.slot) == (MONDAY.replace(hour=20), "night")
    assert (first.department, first.room, first.bed) == ("Терапия", "7", "2")
    assert not first.stat and not second.stat


def test_planning_twice_makes_the_same_doses_and_another_version_makes_others() -> None:
    assert plan() == plan()
    assert plan(days=2)[:2] == plan()
    edited = order(line(version=2), version=2)
    assert not {each.id for each in plan()} & {each.id for each in plan(whole=edited)}


def test_factors_of_a_day_sheet_multiply_the_dose() -> None:
    timing = Timing(slots=(SlotDose("morning", F(1)), SlotDose("night", F(1, 2))))
    morning, night = plan(whole=order(line(timing=timing, dose=(Quantity(F(1), "tablet"),) * 2)))
    assert (morning.lane, morning.units) == (Lane.MACHINE, F(1))
    assert (night.lane, night.units, night.dose_text) == (Lane.HALF_TABLET, F(1, 2), "1/2 × 500 mg = 250 mg")


@pytest.mark.parametrize("state", [LineState.ON_HOLD, LineState.STOPPED, LineState.REJECTED, LineState.COMPLETED])
def test_only_active_orders_are_planned(state: LineState) -> None:
    assert plan(whole=order(state=state)) == ()


@pytest.mark.parametrize(
    "outcome", [Outcome.PRN, Outcome.NOT_PACKABLE, Outcome.NEEDS_REVIEW, Outcome.REJECTED, Outcome.EXCLUDED]
)
def test_only_outcomes_that_promise_doses_are_planned(outcome: Outcome) -> None:
    assert plan(whole=order(outcome=outcome)) == ()


def test_stop_discharge_end_and_confirmation_each_end_the_plan() -> None:
    noon = MONDAY.replace(hour=12)
    assert len(plan(days=5)) == 6
    assert len(plan(days=5, whole=order(stopped_at=noon))) == 1
    assert len(plan(days=5, stay=replace(STAY, finished_at=noon))) == 1
    assert len(plan(days=5, whole=order(line(ends_at=noon)))) == 1
    assert len(plan(days=5, settings=replace(SOURCE, reconfirm_days=None))) == 10


def test_an_order_that_missed_the_slot_s_cut_is_stat_for_that_slot_only() -> None:
    late = order(decided_at=MONDAY.replace(hour=6, minute=30))
    assert [each.stat for each in plan(whole=late)] == [True, False]
    assert [each.stat for each in plan(whole=order(line(stat=True)))] == [True, True]


def test_doses_may_share_a_pouch_only_when_the_order_is_stable_and_the_drug_is_not_high_alert() -> None:
    old = line(starts_at=MONDAY - 4 * DAY, authored_at=MONDAY - 4 * DAY)
    assert [each.combine for each in plan()] == [False, False]
    assert [each.combine for each in plan(whole=order(old))] == [True, True]
    assert [each.combine for each in plan(drug(high_alert=True), order(old))] == [False, False]
    assert [each.combine for each in plan(whole=order(old), settings=replace(SOURCE, stable_after_days=None))] == [
        False,
        False,
    ]
    assert [each.combine for each in plan(whole=order(replace(old, stat=True)))] == [False, False]


def test_a_directory_that_changed_under_an_order_is_told() -> None:
    with pytest.raises(NotPlannable, match="may not be split"):
        plan(drug(divisible_by=1), order(line(dose=mg(250))))


def test_once_is_planned_at_its_own_minute() -> None:
    at = MONDAY.replace(hour=14, minute=7)
    (only,) = plan(whole=order(line(timing=Timing(code="ONCE"), starts_at=at), outcome=Outcome.ONCE))
    assert (only.due, only.slot) == (at, "noon")


def test_trolley_order_is_department_room_patient_time_with_rooms_as_numbers() -> None:
    doses = [
        dose(id=DoseId(f"{room}{patient}{hour}"), room=room, patient=PatientId(patient), due=MONDAY.replace(hour=hour))
        for room in ("10", "9", "9а")
        for patient in ("b", "a")
        for hour in (20, 8)
    ]
    ordered = sorted(doses, key=trolley_order)
    assert [each.id for each in ordered[:4]] == ["9a8", "9a20", "9b8", "9b20"]
    assert [each.room for each in ordered[::4]] == ["9", "9а", "10"]


def test_one_order_line_a_pouch_unless_doses_may_be_combined() -> None:
    alone = [dose(id=DoseId("a")), dose(id=DoseId("b"))]
    assert [len(each) for each in batch(alone)] == [1, 1]
    together = [replace(each, combine=True) for each in alone]
    assert [len(each) for each in batch([*together, dose(id=DoseId("c"))])] == [2, 1]


@pytest.mark.parametrize(
    "changes",
    [
        {"due": MONDAY.replace(hour=9)},
        {"patient": PatientId("p2")},
        {"lane": Lane.TRAY},
        {"combine": False},
        {"stat": True},
    ],
)
def test_doses_that_differ_never_share_a_pouch(changes: dict[str, object]) -> None:
    first, second = dose(id=DoseId("a"), combine=True), replace(dose(id=DoseId("b"), combine=True), **changes)  # type: ignore[arg-type]
    assert [len(each) for each in batch([first, second])] == [1, 1]


def test_a_pouch_holds_at_most_the_fills_of_one_job() -> None:
    many = [dose(id=DoseId(f"{number:02}"), combine=True) for number in range(30)]
    assert [len(each) for each in batch(many)] == [MOST_FILLS, MOST_FILLS, 6]


@settings(max_examples=50)
@given(st.integers(min_value=0, max_value=40), st.integers(min_value=0, max_value=2**32))
def test_each_dose_is_in_exactly_one_pack_whatever_the_order_they_come_in(count: int, seed: int) -> None:
    source = random.Random(seed)
    doses = [
        dose(
            id=DoseId(str(number)),
            patient=PatientId(source.choice("ab")),
            due=MONDAY + timedelta(hours=source.randrange(2)),
            combine=source.random() < 0.5,
            lane=source.choice([Lane.MACHINE, Lane.TRAY]),
            room=source.choice(["1", "2"]),
        )
        for number in range(count)
    ]
    packs = batch(doses)
    assert sorted(each.id for pack in packs for each in pack) == sorted(each.id for each in doses)
    shuffled = list(doses)
    source.shuffle(shuffled)
    assert batch(shuffled) == packs
    assert all(len({(each.patient, each.due, each.department) for each in pack}) == 1 for pack in packs)


def test_every_line_that_is_decided_scheduled_can_be_planned_in_every_lane() -> None:
    for item in (METFORMIN, AMPOULE, VIAL, SYRUP, drug(hazardous=True), drug(storage=Storage.COLD)):
        for route in ("PO", "IV", "SC", "IH"):
            for amount in (
                Quantity(F(50), "mg"),
                Quantity(F(500), "mg"),
                Quantity(F(10), "IU"),
                Quantity(F(1), "mL"),
                Quantity(F(1), "tablet"),
            ):
                written = line(dose=(amount, amount), route=route)
                if decide(written, item).outcome is Outcome.SCHEDULED:
                    assert all(len(plan(item, order(written), has_cassette=full)) == 2 for full in (True, False))


def test_a_thousand_beds_are_planned_in_linear_time() -> None:
    orders = [order(replace(LINE, id=OrderId(f"o{number}"))) for number in range(2000)]
    slots = Timing(slots=tuple(SlotDose(slot.name, F(1)) for slot in DAY_SLOTS))
    schedule = schedule_for((Dosage(timing=slots),), TABLE, STAY.department)
    assert isinstance(schedule, Schedule)
    doses: list[PlannedDose] = []
    for each in orders:
        doses += plan_line(
            each,
            METFORMIN,
            schedule,
            STAY,
            SOURCE,
            DAY_SLOTS,
            MONDAY,
            MONDAY + DAY,
            MOSCOW,
            has_cassette=True,
            last_confirmed_at=MONDAY,
        )
    assert len({each.id for each in doses}) == len(doses) == 8000
    assert len(batch(doses)) == 8000


def test_due_times_are_in_the_hospital_s_zone() -> None:
    assert all(each.due.utcoffset() == timedelta(hours=3) for each in plan())
    assert isinstance(DOSE.due, datetime)


def test_a_start_that_is_only_a_date_counts_elapsed_time_from_the_first_slot() -> None:
    every_36_hours = Timing(repeat=Repeat(frequency=1, period=F(36), period_unit=PeriodUnit.HOUR))
    on_day = line(timing=every_36_hours, starts_at=MONDAY.replace(hour=0), starts_on_day=True)
    assert [each.due.strftime("%d %H:%M") for each in plan(whole=order(on_day), days=3)] == ["02 08:00", "03 20:00"]
    at_time = line(timing=every_36_hours, starts_at=MONDAY.replace(hour=7))
    assert [each.due.strftime("%d %H:%M") for each in plan(whole=order(at_time), days=3)] == ["02 07:00", "03 19:00"]


def test_a_taper_is_planned_in_its_own_units_and_its_first_dose_is_never_lost_in_silence() -> None:
    days = (Span(F(2), PeriodUnit.DAY),) * 2
    first = Dosage(mg(1000), Timing(code="DAILY"), "PO", sequence=1, lasts=days)
    taper = replace(line(starts_at=MONDAY), dosages=(first, Dosage(mg(250), Timing(code="DAILY"), "PO", sequence=2)))
    assert [(each.due.day, each.units, each.lane) for each in plan(whole=order(taper), days=3)] == [
        (2, F(2), Lane.MACHINE), (3, F(2), Lane.MACHINE), (4, F(1, 2), Lane.HALF_TABLET),
    ]  # fmt: skip
    loading = replace(taper, dosages=(Dosage(mg(1000), Timing(code="ONCE"), "PO", sequence=1), taper.dosages[1]))
    decision = decide_line(loading, PATIENT, STAY, {METFORMIN.code: METFORMIN}, TABLE, DAY_SLOTS, SOURCE, MONDAY, MONDAY, MONDAY + timedelta(hours=1))
    assert [reason.rule for reason in decision.reasons][:2] == ["scheduled", "first-dose"]
    assert all(reason.text_ru for reason in decision.reasons)


def test_the_sum_of_dosages_that_meet_must_be_countable_too() -> None:
    quarter = Dosage((Quantity(F(1, 4), "tablet"),) * 2, Timing(code="DAILY"), "PO")
    once = replace(quarter, timing=Timing(code="ONCE"))
    third = Dosage((Quantity(F(1, 3), "tablet"),) * 2, Timing(code="ONCE"), "PO")
    assert decide(replace(line(), dosages=(quarter, once))).outcome is Outcome.SCHEDULED
    assert decide(replace(line(), dosages=(quarter, third))).outcome is Outcome.NEEDS_REVIEW
    twice_the_same = decide(replace(line(), dosages=(quarter, quarter)))
    assert [reason.rule for reason in twice_the_same.reasons] == ["dosages"]
