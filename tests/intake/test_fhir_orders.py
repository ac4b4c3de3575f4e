"""Odd orders become lines that say what is odd; doses and timings are exactly what was written."""

from datetime import datetime, time
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from intake_bundles import ORDER, PATIENT, bundle, order, with_dosage

from hub.adapters.intake.fhir import read_fhir
from hub.adapters.intake.fhir_doubled import doubled_members
from hub.adapters.intake.fhir_places import place
from hub.domain.orders import OrderLine, OrderStatus, SourceSettings
from hub.domain.quantities import Quantity
from hub.domain.timing import Dosage, DoseLimit, LimitPer, PeriodUnit, Repeat, Span, Timing
from tests.said import english

FEED = SourceSettings("feed", False, False, 3, False, ())
MOSCOW = ZoneInfo("Europe/Moscow")
ONE = Fraction(1)
EVERY_DAY = Repeat(period=Fraction(1), period_unit=PeriodUnit.DAY)


def line_of(resource: dict[str, Any]) -> OrderLine:
    (line,) = read_fhir("day.json", bundle(PATIENT, resource), FEED, {}, zone=MOSCOW).lines
    return line


def repeat(**members: Any) -> dict[str, Any]:
    return with_dosage(timing={"repeat": members})


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        (order(modifierExtension=[{"url": "x"}]), "modifierExtension: x"),
        (order(implicitRules="http://x"), "implicitRules: http://x"),
        (order(doNotPerform=True), "doNotPerform: the order says that the drug is not to be given"),
        (order(status="paused"), "status paused"),
        (order(status=None), "no status"),
        (order(status=None, _status={"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}]}), "status has an extension in place of a value"),
        (order(intent="proposal"), "intent proposal is no order"),
        (order(intent="plan"), "intent plan is no order"),
        (order(intent="option"), "intent option is no order"),
        (order(intent="reflex-order"), "intent reflex-order is no order"),
        (order(intent=None), "intent (none) is no order"),
        (order(reportedBoolean=True), "reported: a record of somebody else's order"),
        (order(medicationCodeableConcept=None), "no medication is named"),
        (order(medicationReference={"display": "Aspirin"}), "the medication Aspirin is not in the file"),
        (order(subject=None), "no patient is named"),
        (order(subject={"reference": "Group/g"}), "no patient is named"),
        (order(subject={"identifier": {"value": "unknown"}}), "no patient is named"),
        (order(authoredOn="yesterday"), "a date that cannot be read: yesterday"),
        (order(authoredOn="1900-01-01"), "a date that cannot be meant: 1900-01-01"),
        (order(dispenseRequest={"validityPeriod": {"start": "2026-02-30"}}), "a date that cannot be read: 2026-02-30"),
        (order(dispenseRequest={"modifierExtension": [{"url": "x"}]}), "modifierExtension at dispenseRequest: x"),
        (order(note=[{"text": "x", "modifierExtension": [{"url": "y"}]}]), "modifierExtension at note[0]: y"),
        (order(contained=[{"resourceType": "Medication", "implicitRules": "http://x"}]), "implicitRules at contained[0]: http://x"),
        (order(dosageInstruction=[*ORDER["dosageInstruction"], {"timing": {"event": ["2026-03-05"]}}]), "dosage 2: timing.event 2026-03-05 without a time of day"),
        (with_dosage(modifierExtension=[{"url": "x"}]), "modifierExtension at dosageInstruction[0]: x"),
        (with_dosage(doseAndRate=[{"doseQuantity": {"value": 1, "unit": "mg"}}] * 2), "2 doses in one dosage instruction"),
        (with_dosage(doseQuantity={"value": 1, "unit": "mg"}), "1 doses in one dosage instruction"),
        (with_dosage(doseAndRate=[{"rateQuantity": {"value": 1, "unit": "mL/h"}}]), "dose with a rate"),
        (with_dosage(doseAndRate=[{"doseQuantity": {"value": -5, "unit": "mg"}}]), "a dose of -5 mg"),
        (with_dosage(doseAndRate=[{"doseQuantity": {"value": 5, "unit": "mg", "code": "g"}}]), "a dose in mg with the code g"),
        (with_dosage(doseAndRate=[{"doseQuantity": {"value": 5, "unit": "mg", "comparator": "<"}}]), "dose with the comparator <"),
        (with_dosage(doseAndRate=[{"doseQuantity": {"unit": "mg", "_value": {"extension": [{"url": "x/data-absent-reason"}]}}}]), "dosageInstruction[0].doseAndRate[0].doseQuantity.value has an extension in place of a value"),
        (with_dosage(maxDosePerPeriod={"numerator": {"value": 4, "unit": "g"}}), "a maximum dose that cannot be read: 4 g in ?"),
        (with_dosage(when=["CM"]), "dosage with when, which FHIR has not there"),
        (with_dosage(timing={"frequency": 2, "period": 1}), "timing with frequency, period, which FHIR has not there"),
        (with_dosage(maxdoseperperiod={}), "dosage with maxdoseperperiod, which FHIR has not there"),
        (with_dosage(timing={"code": {"text": "BID"}, "modifierExtension": [{}]}), "modifierExtension at dosageInstruction[0].timing: (no url)"),
        (with_dosage(timing={"event": ["2026-03"]}), "timing.event 2026-03 without a time of day"),
        (with_dosage(timing={"event": [None], "_event": [{"id": "x"}]}), "dosageInstruction[0].timing.event has an extension in place of a value"),
        (repeat(frequency=0, period=1, periodUnit="d"), "timing.repeat.frequency 0"),
        (repeat(frequency=1, period=0, periodUnit="d"), "timing.repeat.period 0"),
        (repeat(frequency=1, period=-2, periodUnit="d"), "timing.repeat.period -2"),
        (repeat(frequency=1, period=1, periodUnit="fortnight"), "timing.repeat.periodUnit fortnight"),
        (repeat(count=10**30), f"timing.repeat.count {10**30}"),
        (repeat(dayOfWeek=["mon", "Tuesday"]), "timing.repeat.dayOfWeek Tuesday"),
        (repeat(timeOfDay=["8 o'clock"]), "timing.repeat.timeOfDay 8 o'clock"),
        (repeat(timeOfDay=["25:00:00"]), "timing.repeat.timeOfDay 25:00:00"),
        (repeat(boundsRange={"low": {"value": 1, "code": "d"}}), "timing.repeat.boundsRange 1 d to ?"),
        (repeat(boundsDuration={"value": 10, "unit": "Woche(n)", "code": "d"}), "timing.repeat.boundsDuration 10 d (Woche(n))"),
        (repeat(boundsDuration={"value": 10, "unit": "days", "code": "mg"}), "timing.repeat.boundsDuration 10 mg (days)"),
        (repeat(boundsDuration={"value": 10, "code": "mg"}), "timing.repeat.boundsDuration 10 mg"),
        (repeat(boundsDuration={"value": 10, "code": "d", "comparator": ">"}), "timing.repeat.boundsDuration >10 d"),
        (repeat(boundsPeriod={"start": "0026-03-05"}), "a date that cannot be meant: 0026-03-05"),
    ],
)  # fmt: skip
def test_what_may_not_be_ignored_is_named(resource: dict[str, Any], words: str) -> None:
    assert words in english(line_of(resource).unsupported)


@pytest.mark.parametrize("value", ["1e999999999", "1e-400", "123456789012345", '"sNaN"', '"-Infinity"'])
def test_an_absurd_number_is_no_dose(value: str) -> None:
    data = bundle(PATIENT, ORDER).replace(b"12.5,", f"{value},".encode())
    (line,) = read_fhir("day.json", data, FEED, {}, zone=MOSCOW).lines
    assert line.dose is None
    assert english(line.unsupported)[0].startswith("a dose of ")


def test_an_order_that_cannot_be_decoded_stays_a_line() -> None:
    line = line_of(order(dosageInstruction="twice a day"))
    assert (line.id, line.patient, line.drug, line.status) == ("mr1", "p1", "?", OrderStatus.UNKNOWN)
    assert english(line.unreadable) == "dosageInstruction: Expected `array`, got `str`"
    assert english(line_of(with_dosage(sequence="first")).unreadable) == "dosageInstruction[0].sequence: Expected `int | null`, got `str`"
    assert english(line_of(order(dosageInstruction=[{}] * 201)).unreadable) == "dosageInstruction: 201 dosage instructions are more than 200"


def test_an_order_without_an_id_gets_the_same_one_each_time() -> None:
    first, second = line_of(order(id=None)), line_of(order(id=None))
    assert first.id == second.id != ""
    assert english(first.unsupported) == ("order without an id",)


def test_exact_doses_and_ranges() -> None:
    tenth = line_of(with_dosage(doseAndRate=[{"doseQuantity": {"value": 0.1, "unit": "gm"}}]))
    assert tenth.dose == (Quantity(Fraction(1, 10), "g"), Quantity(Fraction(1, 10), "g"))
    both = {"low": {"value": 5, "unit": "mg"}, "high": {"value": 10, "unit": "mg"}}
    ranged = line_of(with_dosage(doseAndRate=[{"doseRange": both}]))
    assert ranged.dose == (Quantity(Fraction(5), "mg"), Quantity(Fraction(10), "mg"))
    foreign = {"value": 1, "unit": "Glas", "code": "g", "system": "http://fhir.example/units"}
    assert line_of(with_dosage(doseAndRate=[{"doseQuantity": foreign}])).dose == (Quantity(ONE, "Glas"),) * 2
    without_name = foreign | {"unit": ""}
    assert line_of(with_dosage(doseAndRate=[{"doseQuantity": without_name}])).dose == (Quantity(ONE, "g (http://fhir.example/units)"),) * 2
    coded = {"value": 1, "unit": "ea", "code": "{tablet}", "system": "http://unitsofmeasure.org"}
    assert line_of(with_dosage(doseAndRate=[{"doseQuantity": coded}])).dose == (Quantity(ONE, "tablet"),) * 2
    one_unit = {"low": {"value": 5}, "high": {"value": 10, "unit": "mg"}}
    assert line_of(with_dosage(doseAndRate=[{"doseRange": one_unit}])).dose == ranged.dose
    turned = {"low": both["high"], "high": both["low"]}
    assert line_of(with_dosage(doseAndRate=[{"doseRange": turned}])).dose is None
    half = line_of(with_dosage(doseAndRate=[{"doseRange": {"low": both["low"]}}]))
    assert (half.dose, english(half.unsupported)) == (None, ("dose range with one end",))
    missing = line_of(with_dosage(doseAndRate=None))
    assert (missing.dose, english(missing.unsupported)) == (None, ())
    assert missing.note == "Unit Dose | 12.5 mg PO BID"


@pytest.mark.parametrize(
    ("resource", "timing"),
    [
        (with_dosage(timing=None), None),
        (with_dosage(timing={}), None),
        (with_dosage(timing=None, asNeededBoolean=True), Timing(prn=True)),
        (with_dosage(asNeededCodeableConcept={"text": "pain"}), Timing(code="BID", prn=True)),
        (with_dosage(timing={"code": {"coding": [{"code": "Q6H:PRN"}]}}), Timing(code="Q6H:PRN")),
        (with_dosage(timing={"code": {"text": "три раза"}}), Timing(code="три раза")),
        (
            with_dosage(timing={"code": {"coding": [{"code": "77"}, {"system": "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation", "code": "QOD"}]}}),
            Timing(code="QOD"),
        ),
        (with_dosage(timing={"event": ["2026-03-06T08:00:00+03:00", "2026-03-05T20:00:00"]}), Timing(events=(datetime(2026, 3, 5, 20, tzinfo=MOSCOW), datetime(2026, 3, 6, 8, tzinfo=MOSCOW)))),
        (with_dosage(timing={"code": {"text": "TID"}, "repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}}), Timing(code="TID", repeat=Repeat(3, None, Fraction(1), None, PeriodUnit.DAY))),
        (repeat(frequency=3, frequencyMax=4, period=1, periodMax=1.5, periodUnit="d"), Timing(repeat=Repeat(3, 4, Fraction(1), Fraction(3, 2), PeriodUnit.DAY))),
        (repeat(period=0.1, periodUnit="h"), Timing(repeat=Repeat(period=Fraction(1, 10), period_unit=PeriodUnit.HOUR))),
        (repeat(dayOfWeek=["fri", "mon"], timeOfDay=["20:00:00", "08:00:00"]), Timing(repeat=Repeat(weekdays=(0, 4), times=(time(8), time(20))))),
        (repeat(when=["ACM", "PCV"], offset=30), Timing(repeat=Repeat(when=("ACM", "PCV"), offset_minutes=30))),
        (repeat(count=6, countMax=8), Timing(repeat=Repeat(count=6, count_max=8))),
        (repeat(duration=30, durationMax=45, durationUnit="min"), Timing(repeat=Repeat(duration=Fraction(30), duration_max=Fraction(45), duration_unit=PeriodUnit.MINUTE))),
    ],
)  # fmt: skip
def test_timings(resource: dict[str, Any], timing: Timing | None) -> None:
    line = line_of(resource)
    assert (line.timing, english(line.unsupported)) == (timing, ())


def test_bounds_are_the_dosages_own_and_narrow_the_validity_period() -> None:
    timing: dict[str, Any] = {"code": {"text": "BID"}, "repeat": {"boundsPeriod": {"start": "2026-03-06", "end": "2026-03-20"}}}
    line = line_of(with_dosage(timing=timing))
    (dosage,) = line.dosages
    assert (dosage.starts_at, dosage.ends_at) == (datetime(2026, 3, 6, tzinfo=MOSCOW), datetime(2026, 3, 20, 23, 59, 59, tzinfo=MOSCOW))
    assert (line.starts_at, line.ends_at) == (datetime(2026, 3, 6, tzinfo=MOSCOW), datetime(2026, 3, 9, 23, 59, 59, tzinfo=MOSCOW))
    assert line.starts_on_day


@pytest.mark.parametrize(
    ("bounds", "lasts"),
    [
        ({"boundsDuration": {"value": 36, "code": "h"}}, (Span(Fraction(36), PeriodUnit.HOUR),) * 2),
        ({"boundsDuration": {"value": 1, "unit": "weeks"}}, (Span(Fraction(1), PeriodUnit.WEEK),) * 2),
        ({"boundsDuration": {"value": 10, "unit": "Tag(e)", "code": "d"}}, (Span(Fraction(10), PeriodUnit.DAY),) * 2),
        ({"boundsDuration": {"value": 10, "unit": "дней"}}, (Span(Fraction(10), PeriodUnit.DAY),) * 2),
        (
            {"boundsRange": {"low": {"value": 5, "code": "d"}, "high": {"value": 1, "code": "mo"}}},
            (Span(Fraction(5), PeriodUnit.DAY), Span(Fraction(1), PeriodUnit.MONTH)),
        ),
    ],
)
def test_a_length_stays_a_length(bounds: dict[str, Any], lasts: tuple[Span, Span]) -> None:
    line = line_of(with_dosage(timing={"code": {"text": "BID"}, "repeat": bounds}))
    assert (line.dosages[0].lasts, line.dosages[0].timing, english(line.unsupported)) == (lasts, Timing(code="BID"), ())


def test_several_dosages_are_one_line_in_their_order() -> None:
    first, second = (
        {"sequence": number, "text": f"{dose} mg", "doseAndRate": [{"doseQuantity": {"value": dose, "unit": "mg"}}], "timing": {"repeat": {"period": 1, "periodUnit": "d"}}}
        for number, dose in ((2, 10), (1, 20))
    )  # fmt: skip
    line = line_of(order(dosageInstruction=[first, second]))
    ten, twenty = Quantity(Fraction(10), "mg"), Quantity(Fraction(20), "mg")
    assert line.dosages == (
        Dosage((ten, ten), Timing(repeat=EVERY_DAY), sequence=2, text="10 mg"),
        Dosage((twenty, twenty), Timing(repeat=EVERY_DAY), sequence=1, text="20 mg"),
    )
    assert english(line.unsupported) == ()
    assert line_of(order(dosageInstruction=None)).dosages == (Dosage(),)


@pytest.mark.parametrize(
    ("resource", "stat"),
    [
        (order(priority="stat"), True),
        (order(priority="asap"), True),
        (order(priority="routine"), False),
        (with_dosage(timing={"code": {"text": "NOW X1"}}), True),
        (with_dosage(timing={"code": {"text": "NOWHERE"}}), False),
    ],
)
def test_what_is_wanted_at_once(resource: dict[str, Any], stat: bool) -> None:
    assert line_of(resource).stat is stat


def test_a_mixture_is_the_first_thing_the_note_says() -> None:
    notes = [{"text": "slowly"}, {"text": "mixture: MAIN Busulfan; BASE 0.9% Sodium Chloride"}]
    line = line_of(order(note=notes, category=[{"text": "IV Piggyback"}]))
    assert line.note == "mixture: MAIN Busulfan; BASE 0.9% Sodium Chloride | slowly | IV Piggyback"


def test_maximum_doses_are_limits_and_in_the_note() -> None:
    limits = {
        "maxDosePerPeriod": {"numerator": {"value": 4, "unit": "g"}, "denominator": {"value": 1, "unit": "d", "code": "d"}},
        "maxDosePerAdministration": {"value": 1, "unit": "g"},
        "maxDosePerLifetime": {"value": 100, "unit": "g", "comparator": "<="},
    }
    line = line_of(with_dosage(**limits))
    assert line.dosages[0].limits == (
        DoseLimit(Quantity(Fraction(4), "g"), LimitPer.PERIOD, Span(Fraction(1), PeriodUnit.DAY)),
        DoseLimit(Quantity(Fraction(1), "g"), LimitPer.ADMINISTRATION),
        DoseLimit(Quantity(Fraction(100), "g"), LimitPer.LIFETIME),
    )
    assert line.note == "Unit Dose | at most 4 g in 1 d | at most 1 g at a time | at most <=100 g in a lifetime"


def test_what_stands_around_an_order_is_in_its_note() -> None:
    line = line_of(
        with_dosage(asNeededCodeableConcept={"text": "pain"}, patientInstruction="with water")
        | {
            "groupIdentifier": {"value": "G-7"},
            "priorPrescription": {"reference": "MedicationRequest/mr0"},
            "substitution": {"allowedBoolean": False, "reason": {"text": "allergy to lactose"}},
        }
    )
    assert line.note == (
        "Unit Dose | group G-7 | replaces MedicationRequest/mr0 | substitution is not allowed (allergy to lactose) | when needed for pain | with water"
    )


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ("on-hold", OrderStatus.ON_HOLD), ("cancelled", OrderStatus.CANCELLED), ("stopped", OrderStatus.STOPPED), ("ended", OrderStatus.STOPPED),
        ("completed", OrderStatus.COMPLETED), ("entered-in-error", OrderStatus.ENTERED_IN_ERROR), ("draft", OrderStatus.DRAFT), ("unknown", OrderStatus.UNKNOWN),
    ],
)  # fmt: skip
def test_every_status_of_every_version_is_known(status: str, wanted: OrderStatus) -> None:
    line = line_of(order(status=status))
    assert (line.status, english(line.unsupported)) == (wanted, ())


@pytest.mark.parametrize(
    ("display", "parts"),
    [
        ("Medicine / room 4 / bed 1", ("Medicine", "4", "1")),
        ("Терапия / палата № 12а / койка 3", ("Терапия", "12а", "3")),
        ("Medicine", ("Medicine", "", "")),
        ("Building B / Medicine / room 4", ("Building B / Medicine", "4", "")),
        ("Ward 1, Room 42, Bed 1", ("Ward 1", "42", "1")),
        ("Терапия, 2-й этаж", ("Терапия, 2-й этаж", "", "")),
        ("", ("", "", "")),
    ],
)
def test_places(display: str, parts: tuple[str, str, str]) -> None:
    assert place(display) == parts


@pytest.mark.parametrize(
    ("start", "on_day"),
    [("2026-03-05", True), ("2026-03-05T00:00:00+03:00", False), ("2026-03-05T07:00:00+03:00", False), (None, False)],
)
def test_a_start_that_is_a_date_alone_is_told_from_midnight(start: str | None, on_day: bool) -> None:
    period = {"start": start} if start else {}
    assert line_of(order(dispenseRequest={"validityPeriod": period})).starts_on_day is on_day


def test_a_member_that_is_written_twice_is_named_wherever_it_stands() -> None:
    doubled = bundle(PATIENT, ORDER).replace(b'"value": 12.5,', b'"value": 1, "value" : 12.5,')
    assert doubled != bundle(PATIENT, ORDER)
    (line,) = read_fhir("day.json", doubled, FEED, {}, zone=MOSCOW).lines
    assert "value is written twice: which one holds?" in english(line.unsupported)
    assert doubled_members(rb'{"a": {"b": 1, "\u0062": 2}, "c": ": \u003a"}')[0].ru == "b указано дважды: что верно?"
    assert doubled_members(b'{"a": {"b": ":"}, "c": [{"b": 1}, {"b": 1}]}') == ()


def test_a_priority_that_nobody_knows_is_named() -> None:
    assert "priority weird" in english(line_of(order(priority="weird")).unsupported)
    assert not line_of(order(priority="routine")).unsupported
