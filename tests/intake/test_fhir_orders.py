"""Odd orders become lines that say what is odd; timing is a code, slots, or words."""

import csv
from fractions import Fraction
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from intake_bundles import ORDER, PATIENT, bundle, order, with_dosage

from hub.adapters.intake.fhir import read_fhir
from hub.adapters.intake.fhir_people import place
from hub.adapters.intake.fhir_timing import CLOCK_CODES, FREQUENCY_CODES
from hub.domain.orders import OrderLine, OrderStatus, SourceSettings
from hub.domain.quantities import Quantity
from hub.domain.schedule import read_frequency_table
from hub.domain.timing import SlotDose, Timing

FEED = SourceSettings("feed", False, False, 3, False, ())
ONE = Fraction(1)
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def line_of(resource: dict[str, Any]) -> OrderLine:
    (line,) = read_fhir("day.json", bundle(PATIENT, resource), FEED, {}, zone=ZoneInfo("Europe/Moscow")).lines
    return line


def repeat(**members: Any) -> dict[str, Any]:
    return with_dosage(timing={"repeat": members})


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        (order(modifierExtension=[{"url": "x"}]), "order with a modifierExtension"),
        (order(implicitRules="http://x"), "order under implicitRules http://x"),
        (order(doNotPerform=True), "doNotPerform: the order says that the drug is not to be given"),
        (order(status="ended"), "status ended"),
        (order(status=None), "no status"),
        (order(intent="proposal"), "intent proposal is no order"),
        (order(intent="plan"), "intent plan is no order"),
        (order(intent=None), "intent (none) is no order"),
        (order(reportedBoolean=True), "reported: a record of somebody else's order"),
        (order(dosageInstruction=ORDER["dosageInstruction"] * 2), "2 dosage instructions"),
        (order(medicationCodeableConcept=None), "no medication is named"),
        (order(subject=None), "no patient is named"),
        (order(subject={"reference": "Group/g"}), "no patient is named"),
        (order(authoredOn="yesterday"), "authoredOn that cannot be read: yesterday"),
        (order(dispenseRequest={"validityPeriod": {"start": "2026-02-30"}}), "a date that cannot be read: 2026-02-30"),
        (with_dosage(modifierExtension=[{"url": "x"}]), "dosage with a modifierExtension"),
        (with_dosage(asNeeded=True), "asNeeded is of FHIR R5, not R4"),
        (with_dosage(doseAndRate=[{"doseQuantity": {"value": 1, "unit": "mg"}}] * 2), "2 doses in one dosage instruction"),
        (with_dosage(doseAndRate=[{"rateQuantity": {"value": 1, "unit": "mL/h"}}]), "dose with a rate"),
        (with_dosage(doseAndRate=[{"doseQuantity": {"value": -5, "unit": "mg"}}]), "a dose of -5"),
        (with_dosage(doseAndRate=[{"doseQuantity": {"value": 5, "unit": "mg", "comparator": "<"}}]), "dose with the comparator <"),
        (with_dosage(timing={"code": {"text": "BID"}, "modifierExtension": [{}]}), "timing with a modifierExtension"),
        (with_dosage(timing={"event": ["2026-03-05T09:00:00+03:00"]}), "timing with 1 exact event times"),
        (repeat(frequency=7, period=1, periodUnit="d"), "timing 7 times per 1 d"),
        (repeat(frequency=1, period=1), "timing 1 times per 1 (no unit)"),
        (repeat(frequency=2), "timing.repeat.frequency 2 without a period"),
        (repeat(frequency=1, frequencyMax=3, period=1, periodUnit="d"), "timing.repeat.frequencyMax 3"),
        (repeat(frequency=1, period=4, periodMax=6, periodUnit="h"), "timing.repeat.periodMax 6"),
        (repeat(frequency=1, period=1, periodUnit="d", duration=2, durationUnit="h"), "timing.repeat.duration 2"),
        (repeat(frequency=1, period=1, periodUnit="d", count=6), "timing.repeat.count 6"),
        (repeat(when=["ACM"], offset=30), "timing.repeat.offset 30"),
        (repeat(when=["ACM"]), "timing at the events ACM"),
        (repeat(when=["MORN", "EVE"], frequency=1, period=1, periodUnit="d"), "timing at the events MORN EVE"),
        (repeat(timeOfDay=["08:30:00"]), "timing at the clock times 08:30"),
        (repeat(timeOfDay=["08:00:00"], period=2, periodUnit="d"), "timing at the clock times 08:00"),
        (repeat(frequency=1, period=1, periodUnit="d", dayOfWeek=["mon"]), "timing on certain days of the week: mon"),
        (repeat(frequency=1, period=1, periodUnit="d", boundsRange={"low": {"value": 1}}), "timing.repeat.boundsRange a range"),
    ],
)  # fmt: skip
def test_what_may_not_be_ignored_is_named(resource: dict[str, Any], words: str) -> None:
    assert words in line_of(resource).unsupported


@pytest.mark.parametrize("value", ["1e999999999", "1e-400", "123456789012345"])
def test_an_absurd_number_is_no_dose(value: str) -> None:
    data = bundle(PATIENT, ORDER).replace(b"12.5,", f"{value},".encode())
    (line,) = read_fhir("day.json", data, FEED, {}, zone=ZoneInfo("Europe/Moscow")).lines
    assert line.dose is None
    assert line.unsupported[0].startswith("a dose of ")


def test_an_order_that_cannot_be_decoded_stays_a_line() -> None:
    line = line_of(order(dosageInstruction="twice a day"))
    assert (line.id, line.patient, line.drug, line.status) == ("mr1", "p1", "?", OrderStatus.UNKNOWN)
    assert line.unsupported[0].startswith("the order cannot be read: Expected `array`")


def test_an_order_without_an_id_gets_the_same_one_each_time() -> None:
    first, second = line_of(order(id=None)), line_of(order(id=None))
    assert first.id == second.id != ""
    assert first.unsupported == ("order without an id",)


def test_exact_doses_and_ranges() -> None:
    tenth = line_of(with_dosage(doseAndRate=[{"doseQuantity": {"value": 0.1, "unit": "gm"}}]))
    assert tenth.dose == (Quantity(Fraction(1, 10), "g"), Quantity(Fraction(1, 10), "g"))
    both = {"low": {"value": 5, "unit": "mg"}, "high": {"value": 10, "unit": "mg"}}
    ranged = line_of(with_dosage(doseAndRate=[{"doseRange": both}]))
    assert ranged.dose == (Quantity(Fraction(5), "mg"), Quantity(Fraction(10), "mg"))
    turned = {"low": both["high"], "high": both["low"]}
    assert line_of(with_dosage(doseAndRate=[{"doseRange": turned}])).dose is None
    half = line_of(with_dosage(doseAndRate=[{"doseRange": {"low": both["low"]}}]))
    assert (half.dose, half.unsupported) == (None, ("dose range with one end",))
    missing = line_of(with_dosage(doseAndRate=None))
    assert (missing.dose, missing.unsupported) == (None, ())
    assert missing.note == "Unit Dose | 12.5 mg PO BID"


@pytest.mark.parametrize(
    ("resource", "timing"),
    [
        (with_dosage(timing=None), None),
        (with_dosage(timing=None, asNeededBoolean=True), Timing(prn=True)),
        (with_dosage(asNeededCodeableConcept={"text": "pain"}), Timing(code="BID", prn=True)),
        (with_dosage(timing={"code": {"coding": [{"code": "Q6H:PRN"}]}}), Timing(code="Q6H:PRN", prn=True)),
        (with_dosage(timing={"code": {"text": "три раза"}}), Timing(code="три раза")),
        (repeat(frequency=3, period=1, periodUnit="d"), Timing(code="TID")),
        (repeat(period=1, periodUnit="d"), Timing(code="DAILY")),
        (repeat(frequency=1, period=8, periodUnit="h"), Timing(code="Q8H")),
        (repeat(frequency=1, period=1, periodUnit="d", dayOfWeek=WEEK), Timing(code="DAILY")),
        (repeat(count=1), Timing(code="ONCE")),
        (repeat(timeOfDay=["20:00:00", "08:00:00"]), Timing(code="BID")),
        (repeat(when=["EVE", "MORN"]), Timing(slots=(SlotDose("morning", ONE), SlotDose("evening", ONE)))),
        (repeat(when=["HS"]), Timing(slots=(SlotDose("night", ONE),))),
    ],
)
def test_timings(resource: dict[str, Any], timing: Timing | None) -> None:
    line = line_of(resource)
    assert (line.timing, line.unsupported) == (timing, ())


def test_codes_that_stand_for_timings_mean_the_same_in_the_frequency_table() -> None:
    text = files("hub.adapters.data").joinpath("frequencies.csv").read_text(encoding="utf-8")
    table = read_frequency_table(csv.DictReader(text.splitlines()))
    for times, code in CLOCK_CODES.items():
        rule = table.find(code, "")
        assert rule is not None and tuple(f"{clock:%H:%M}" for clock in rule.times) == times
    for (frequency, period, unit), code in FREQUENCY_CODES.items():
        rule = table.find(code, "")
        assert rule is not None, code
        a_week = Fraction(7 * len(rule.times), rule.every_days) if not rule.weekdays else Fraction(len(rule.weekdays))
        days = {"h": Fraction(1, 24), "d": Fraction(1), "wk": Fraction(7)}[unit] * Fraction(period)
        assert a_week == Fraction(7 * frequency) / days, code


def test_bounds_narrow_the_validity_period() -> None:
    timing = {"code": {"text": "BID"}, "repeat": {"boundsPeriod": {"start": "2026-03-06", "end": "2026-03-20"}}}
    line = line_of(with_dosage(timing=timing))
    assert line.starts_at and line.starts_at.isoformat() == "2026-03-06T00:00:00+03:00"
    assert line.ends_at and line.ends_at.isoformat() == "2026-03-09T23:59:59+03:00"
    timing["repeat"] = {"boundsDuration": {"value": 36, "code": "h"}}  # type: ignore[dict-item]
    line = line_of(with_dosage(timing=timing))
    assert line.ends_at and line.ends_at.isoformat() == "2026-03-06T19:00:00+03:00"


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


def test_maximum_doses_are_in_the_note() -> None:
    limit = {"numerator": {"value": 4, "unit": "g"}, "denominator": {"value": 1, "unit": "d"}}
    assert line_of(with_dosage(maxDosePerPeriod=limit)).note == "Unit Dose | at most 4 g in 1 d"


@pytest.mark.parametrize(
    ("display", "parts"),
    [
        ("Medicine / room 4 / bed 1", ("Medicine", "4", "1")),
        ("Терапия / палата № 12а / койка 3", ("Терапия", "12а", "3")),
        ("Medicine", ("Medicine", "", "")),
        ("Building B / Medicine / room 4", ("Building B / Medicine", "4", "")),
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
