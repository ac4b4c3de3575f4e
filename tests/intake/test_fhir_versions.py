"""STU3, R4 and R5 say one thing in different members: each is read, and the reference reader of its version agrees."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fhir.resources.encounter import Encounter as EncounterR5
from fhir.resources.medicationrequest import MedicationRequest as OrderR5
from fhir.resources.R4B.medicationrequest import MedicationRequest as OrderR4
from fhir.resources.STU3.medicationrequest import MedicationRequest as OrderSTU3
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_bundles import ENCOUNTER, PATIENT, bundle, ndjson

from hub.adapters.intake.fhir import read_fhir
from hub.adapters.intake.fhir_timing import LARGEST_NUMBER
from hub.domain.orders import OrderLine, OrderStatus, SourceSettings, Stay
from hub.domain.quantities import Quantity
from hub.domain.timing import Dosage, DoseLimit, LimitPer, PeriodUnit, Repeat, Span, Timing
from tests.said import english

FEED = SourceSettings("feed", False, False, 3, False, ())
MOSCOW = ZoneInfo("Europe/Moscow")
UCUM = "http://unitsofmeasure.org"
BASE: dict[str, Any] = {
    "resourceType": "MedicationRequest",
    "id": "mr1",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/p1"},
}
TIMING = {
    "repeat": {
        "frequency": 2,
        "period": 1,
        "periodUnit": "d",
        "boundsDuration": {"value": 5, "unit": "days", "system": UCUM, "code": "d"},
    }
}
AMOUNT = {"value": 12.5, "unit": "mg", "system": UCUM, "code": "mg"}
LIMIT = {"numerator": {"value": 50, "unit": "mg"}, "denominator": {"value": 1, "unit": "d", "code": "d"}}
CODED = {"coding": [{"code": "METO25", "display": "Metoprolol"}]}
STU3 = BASE | {
    "definition": [{"reference": "ActivityDefinition/a1"}],
    "context": {"reference": "Encounter/e1"},
    "category": {"text": "inpatient"},
    "requester": {"agent": {"display": "Dr Petrova"}, "onBehalfOf": {"reference": "Organization/o1"}},
    "medicationCodeableConcept": CODED,
    "dosageInstruction": [
        {"sequence": 1, "timing": TIMING, "asNeededBoolean": False, "doseQuantity": AMOUNT, "maxDosePerPeriod": LIMIT}
    ],
    "substitution": {"allowed": False},
}
R4 = BASE | {
    "encounter": {"reference": "Encounter/e1"},
    "category": [{"text": "inpatient"}],
    "requester": {"display": "Dr Petrova"},
    "medicationCodeableConcept": CODED,
    "dosageInstruction": [
        {
            "sequence": 1,
            "timing": TIMING,
            "asNeededBoolean": False,
            "doseAndRate": [{"doseQuantity": AMOUNT}],
            "maxDosePerPeriod": LIMIT,
        }
    ],
    "substitution": {"allowedBoolean": False},
}
R5 = R4 | {
    "medication": {"concept": CODED},
    "renderedDosageInstruction": "12.5 mg twice a day for 5 days",
    "statusChanged": "2026-03-04",
    "dosageInstruction": [
        {
            "sequence": 1,
            "timing": TIMING,
            "asNeeded": False,
            "doseAndRate": [{"doseQuantity": AMOUNT}],
            "maxDosePerPeriod": [LIMIT],
        }
    ],
    "effectiveDosePeriod": {"start": "2026-03-05T07:00:00+03:00", "end": "2026-03-09"},
}
del R5["medicationCodeableConcept"]


def line_of(resource: dict[str, Any], *more: dict[str, Any]) -> OrderLine:
    (line,) = read_fhir("day.json", bundle(PATIENT, *more, resource), FEED, {}, zone=MOSCOW).lines
    return line


@pytest.mark.parametrize(("resource", "model"), [(STU3, OrderSTU3), (R4, OrderR4), (R5, OrderR5)])
def test_the_same_order_is_the_same_line_in_every_version(resource: dict[str, Any], model: Any) -> None:
    model.model_validate(resource)
    line = line_of(resource)
    half, days = Quantity(Fraction(25, 2), "mg"), Span(Fraction(5), PeriodUnit.DAY)
    limit = DoseLimit(Quantity(Fraction(50), "mg"), LimitPer.PERIOD, Span(Fraction(1), PeriodUnit.DAY))
    timing = Timing(repeat=Repeat(frequency=2, period=Fraction(1), period_unit=PeriodUnit.DAY))
    assert line.dosages == (Dosage((half, half), timing, sequence=1, lasts=(days, days), limits=(limit,)),)
    assert (line.drug, line.drug_text, line.signed_by, english(line.unsupported)) == ("METO25", "Metoprolol", "Dr Petrova", ())
    assert {"inpatient", "substitution is not allowed"} <= set(line.note.split(" | "))


def test_r5_says_more() -> None:
    line = line_of(R5)
    assert (line.starts_at, line.ends_at) == (
        datetime(2026, 3, 5, 7, tzinfo=MOSCOW),
        datetime(2026, 3, 9, 23, 59, 59, tzinfo=MOSCOW),
    )
    assert "12.5 mg twice a day for 5 days" in line.note
    ended = line_of(R5 | {"status": "ended"})
    assert ended.status is OrderStatus.STOPPED
    assert "ended since 2026-03-04" in ended.note
    needed = line_of(R5 | {"dosageInstruction": [{"asNeededFor": [{"text": "pain"}]}]})
    assert needed.timing == Timing(prn=True)
    assert needed.note.endswith("when needed for pain")
    assert line_of(R5 | {"dosageInstruction": [{"asNeeded": True}]}).timing == Timing(prn=True)
    assert "reported: a record of somebody else's order" in english(line_of(R5 | {"reported": True}).unsupported)


def test_medications_by_codeable_reference() -> None:
    beside = {"resourceType": "Medication", "id": "m1", "code": CODED}
    referred = R5 | {"medication": {"reference": {"reference": "Medication/m1"}}}
    assert line_of(referred, beside).drug == "METO25"
    assert line_of(referred | {"medication": {"concept": {"text": "Aspirin"}}}).drug == "?Aspirin"
    both = R5 | {"medication": {"concept": {"coding": [{"code": "ASA"}]}, "reference": {"reference": "Medication/m1"}}}
    assert "two medications are named: ASA and METO25" in english(line_of(both, beside).unsupported)
    marked = beside | {"modifierExtension": [{"url": "http://x"}]}
    assert "medication with modifierExtension: http://x" in english(line_of(referred, marked).unsupported)


def test_a_compound_without_a_code_is_named_by_what_is_in_it_and_a_loop_is_not_entered() -> None:
    loop = {
        "resourceType": "Medication",
        "id": "m",
        "ingredient": [
            {"itemReference": {"reference": "#m", "display": "itself"}},
            {"itemCodeableConcept": {"text": "Dextrose"}},
        ],
    }
    line = line_of(
        R4 | {"medicationCodeableConcept": None, "medicationReference": {"reference": "#m"}, "contained": [loop]}
    )
    assert english(line.unreadable) == ""
    assert (line.drug, line.drug_text) == ("?itself + Dextrose", "itself + Dextrose")


def test_an_order_of_dstu2_stays_a_line() -> None:
    line = line_of(BASE | {"resourceType": "MedicationOrder"})
    assert (
        english(line.unreadable)
        == "resourceType: a MedicationOrder is of FHIR DSTU2, which is not read; send a MedicationRequest"
    )


@pytest.mark.parametrize(
    "subject",
    [
        {"identifier": {"system": "http://his/case", "value": "20282368"}},
        {"reference": "Patient?identifier=http://his/case|20282368"},
        {"reference": "#p"},
        {"reference": "http://other.example/fhir/Patient/p1/_history/2"},
    ],
)
def test_a_patient_is_found_by_what_the_reference_says(subject: dict[str, Any]) -> None:
    contained = [{"resourceType": "Patient", "id": "p", "identifier": [{"value": "20282368"}]}]
    assert line_of(R4 | {"subject": subject, "contained": contained}).patient == "p1"


def stays_of(*resources: dict[str, Any]) -> tuple[Stay, ...]:
    return read_fhir("day.ndjson", ndjson(*resources), FEED, {}, zone=MOSCOW).stays


def test_an_encounter_of_r5() -> None:
    over = {
        "resourceType": "Encounter", "id": "e1", "status": "completed", "class": [{"coding": [{"code": "IMP"}]}], "subject": {"reference": "Patient/p1"},
        "actualPeriod": {"start": "2026-03-01", "end": "2026-03-05T12:00:00+03:00"}, "location": [{"location": {"display": "Терапия / палата 2"}}],
    }  # fmt: skip
    EncounterR5.model_validate(over)
    assert stays_of(PATIENT, over) == (Stay("p1", "e1", "Терапия", "2", "", datetime(2026, 3, 5, 12, tzinfo=MOSCOW)),)


def test_allergies_of_stu3_and_r5() -> None:
    def allergy(number: int, **more: Any) -> dict[str, Any]:
        return {
            "resourceType": "AllergyIntolerance",
            "id": f"a{number}",
            "patient": {"reference": "Patient/p1"},
            **more,
        }

    data = ndjson(
        PATIENT,
        allergy(1, code={"text": "Penicillin"}, clinicalStatus="active", verificationStatus="confirmed"),
        allergy(2, code={"text": "Iodine"}, clinicalStatus="resolved"),
        allergy(
            3,
            code={"text": "Latex"},
            type={"coding": [{"code": "allergy"}]},
            participant=[{"actor": {"display": "Dr Petrova"}}],
        ),
        allergy(4, reaction=[{"substance": {"text": "Aspirin"}}]),
    )
    assert read_fhir("day.ndjson", data, FEED, {}, zone=MOSCOW).patients[0].allergies == (
        "Penicillin",
        "Latex",
        "Aspirin",
    )


def location(name: str, kind: str = "", part_of: str = "", member: str = "physicalType") -> dict[str, Any]:
    found: dict[str, Any] = {"resourceType": "Location", "id": name.replace(" ", "-"), "name": name}
    if kind:
        found[member] = {"coding": [{"code": kind}]}
    return found | ({"partOf": {"reference": f"Location/{part_of}"}} if part_of else {})


def lying_in(place: str) -> dict[str, Any]:
    return ENCOUNTER | {"location": [{"location": {"reference": f"Location/{place}"}}]}


def test_a_bed_is_followed_up_to_its_ward() -> None:
    places = [
        location("1", "bd", "4"),
        location("4", "ro", "Medicine"),
        location("Medicine", "wa", "Building"),
        location("Building", "bu"),
    ]
    assert stays_of(PATIENT, lying_in("1"), *places) == (Stay("p1", "e1", "Medicine", "4", "1"),)
    named = [location("койка 2", part_of="палата-7"), location("палата 7", part_of="Терапия"), location("Терапия")]
    assert stays_of(PATIENT, lying_in("койка-2"), *named) == (Stay("p1", "e1", "Терапия", "7", "2"),)
    of_r5 = [location("3", "bd", "Medicine", member="form"), location("Medicine", "wa", member="form")]
    assert stays_of(PATIENT, lying_in("3"), *of_r5) == (Stay("p1", "e1", "Medicine", "", "3"),)


def test_places_that_go_in_a_circle_are_named_and_no_order_of_the_patient_goes_on_unseen() -> None:
    places = [location("1", "bd", "4"), location("4", "ro", "1")]
    sheet = read_fhir("day.ndjson", ndjson(PATIENT, lying_in("1"), *places, R4), FEED, {}, zone=MOSCOW)
    (reject,) = sheet.rejects
    assert (reject.position, english(reject.reason)) == ("day.ndjson line 2", "Location.partOf of 1 goes in a circle")
    assert english(sheet.lines[0].unsupported) == ("Encounter in line 2: Location.partOf of 1 goes in a circle",)


def test_a_place_that_cannot_be_read_is_a_doubt_of_who_lies_there() -> None:
    places = [location("1", "bd", "4"), location("4", "ro") | {"name": 4}]
    sheet = read_fhir("day.ndjson", ndjson(PATIENT, lying_in("1"), *places, R4), FEED, {}, zone=MOSCOW)
    assert [(reject.position, reject.field) for reject in sheet.rejects] == [
        ("day.ndjson line 4", "Location.name"),
        ("day.ndjson line 2", "Encounter"),
    ]
    assert english(sheet.lines[0].unsupported) == ("Encounter in line 2: the Location in line 4 cannot be read",)


def test_the_dead_have_left() -> None:
    died = datetime(2026, 3, 5, 4, 30, tzinfo=MOSCOW)
    dead = PATIENT | {"deceasedDateTime": died.isoformat()}
    assert stays_of(dead, ENCOUNTER) == (Stay("p1", "e1", "Medicine", "4", "1", died, died=True),)
    told = PATIENT | {"deceasedBoolean": True, "meta": {"lastUpdated": died.isoformat()}}
    assert stays_of(told) == (Stay("p1", "", "", "", "", died, died=True),)
    sheet = read_fhir("day.ndjson", ndjson(PATIENT | {"deceasedBoolean": True}, ENCOUNTER, R4), FEED, {}, zone=MOSCOW)
    assert "neither the time of death nor meta.lastUpdated" in english(sheet.rejects[0].reason)
    assert "Patient.deceased in line 1: the patient is dead" in english(sheet.lines[0].unsupported)[0]


def test_a_stay_that_is_over_does_not_hide_the_one_that_goes_on() -> None:
    over = ENCOUNTER | {"id": "e0", "status": "finished", "period": {"end": "2026-03-01"}}
    for encounters in ((ENCOUNTER, over), (over, ENCOUNTER)):
        (stay,) = stays_of(PATIENT, *encounters)
        assert (stay.encounter, stay.finished_at) == ("e1", None)
    sheet = read_fhir("day.ndjson", ndjson(PATIENT, ENCOUNTER | {"status": "finished"}, R4), FEED, {}, zone=MOSCOW)
    assert (sheet.stays, english(sheet.rejects[0].reason)) == ((), "status finished without the end of its period")
    assert english(sheet.lines[0].unsupported) == ("Encounter in line 2: status finished without the end of its period",)


@pytest.mark.parametrize(
    ("resource", "field", "words"),
    [
        (PATIENT | {"birthDate": 7}, "Patient.birthDate", "the Patient in line 1 cannot be read"),
        (ENCOUNTER | {"location": "bed 1"}, "Encounter.location", "the Encounter in line 1 cannot be read"),
        ({"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/p1"}, "code": "x"}, "AllergyIntolerance.code", "the AllergyIntolerance in line 1 cannot be read"),
    ],
)  # fmt: skip
def test_the_lines_that_need_what_cannot_be_read_say_so(resource: dict[str, Any], field: str, words: str) -> None:
    sheet = read_fhir(
        "day.ndjson",
        ndjson(resource, R4, R4 | {"id": "mr2", "subject": {"reference": "Patient/p2"}, "encounter": None}),
        FEED,
        {},
        zone=MOSCOW,
    )
    assert [(reject.position, reject.field) for reject in sheet.rejects] == [("day.ndjson line 1", field)]
    assert set(english(sheet.lines[0].unsupported)) == {words}
    assert english(sheet.lines[1].unsupported) == ()


def test_a_patient_who_was_merged_or_is_marked_is_a_doubt() -> None:
    merged = PATIENT | {
        "link": [{"type": "replaced-by", "other": {"reference": "Patient/p2"}}],
        "modifierExtension": [{"url": "http://x"}],
    }
    assert english(line_of(R4 | {"id": "mr1"}).unsupported) == ()
    (line,) = read_fhir("day.json", bundle(merged, R4), FEED, {}, zone=MOSCOW).lines
    assert set(english(line.unsupported)) == {
        "the patient's record was replaced by Patient/p2",
        "the Patient in entry 1 has a modifierExtension: http://x",
    }


def test_a_record_that_is_not_in_use_is_a_doubt_and_an_old_code_is_no_code() -> None:
    codes = [{"use": "old", "value": "1"}, {"value": "2"}]
    sheet = read_fhir("day.json", bundle(PATIENT | {"active": False, "identifier": codes}, R4), FEED, {}, zone=MOSCOW)
    assert sheet.patients[0].code == "2"
    assert english(sheet.lines[0].unsupported) == ("the patient's record is not in use (active is false)",)
    withdrawn = {"resourceType": "Medication", "id": "m", "status": "entered-in-error", "code": CODED}
    line = line_of(R4 | {"medicationReference": {"reference": "#m"}, "contained": [withdrawn]})
    assert english(line.unsupported) == ("medication with the status entered-in-error",)


@pytest.mark.parametrize(
    ("encounter", "words"),
    [
        (ENCOUNTER | {"status": "hovering"}, "status hovering of a stay is not known"),
        (ENCOUNTER | {"subject": None}, "the stay names no patient"),
        (ENCOUNTER | {"subject": {"display": "Kim"}}, "the stay names no patient"),
    ],
)
def test_a_stay_that_is_not_understood_is_listed(encounter: dict[str, Any], words: str) -> None:
    sheet = read_fhir("day.ndjson", ndjson(PATIENT, encounter), FEED, {}, zone=MOSCOW)
    assert [(reject.position, english(reject.reason)) for reject in sheet.rejects] == [("day.ndjson line 2", words)]
    assert sheet.stays == ()


@settings(max_examples=40, deadline=None)
@given(st.permutations([PATIENT, ENCOUNTER, R4, STU3 | {"id": "mr2"}, R5 | {"id": "mr3"}]))
def test_the_order_of_the_file_does_not_matter(resources: list[dict[str, Any]]) -> None:
    def said(data: bytes) -> tuple[Any, ...]:
        sheet = read_fhir("day.ndjson", data, FEED, {}, zone=MOSCOW)
        lines = sorted((replace(line, position="") for line in sheet.lines), key=lambda line: line.id)
        return sheet.patients, sheet.stays, lines, sheet.rejects

    assert said(ndjson(*resources)) == said(bundle(PATIENT, ENCOUNTER, R4, STU3 | {"id": "mr2"}, R5 | {"id": "mr3"}))


def test_a_patient_without_an_id_is_nobodys_patient() -> None:
    nobody = {key: value for key, value in PATIENT.items() if key != "id"}
    sheet = read_fhir("day.json", bundle(nobody, R4 | {"subject": None}), FEED, {}, zone=MOSCOW)
    assert (sheet.patients, sheet.rejects[0].field) == ((), "Patient.id")
    assert (sheet.lines[0].patient, english(sheet.lines[0].unsupported)) == ("", ("no patient is named",))


def test_a_name_may_be_missing_and_a_birth_date_old() -> None:
    nameless = {"resourceType": "Patient", "id": "p1", "birthDate": "1900-01-01"}
    (patient,) = read_fhir("day.json", bundle(nameless, R4), FEED, {}, zone=MOSCOW).patients
    assert (patient.full_name, patient.code, patient.birth_date) == ("", "p1", date(1900, 1, 1))


NUMBERS = st.decimals(min_value=Decimal("0.001"), max_value=LARGEST_NUMBER, places=3)
REPEATS = st.fixed_dictionaries(
    {},
    optional={
        "frequency": st.integers(1, 24),
        "frequencyMax": st.integers(1, 24),
        "count": st.integers(1, 99),
        "countMax": st.integers(1, 99),
        "dayOfWeek": st.lists(
            st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1, max_size=7
        ),
        "offset": st.integers(0, 1440),
    },
)
UNITS = st.sampled_from(["s", "min", "h", "d", "wk", "mo", "a"])


@settings(max_examples=60, deadline=None)
@given(REPEATS, NUMBERS, UNITS, NUMBERS, st.sampled_from([(R4, OrderR4), (R5, OrderR5)]))
def test_numbers_agree_with_the_reference_reader(
    repeat: dict[str, Any], period: Decimal, unit: str, dose: Decimal, version: tuple[dict[str, Any], Any]
) -> None:
    base, model = version
    written = repeat | {"period": float(period), "periodUnit": unit}
    resource = base | {
        "dosageInstruction": [
            {"timing": {"repeat": written}, "doseAndRate": [{"doseQuantity": {"value": float(dose), "unit": "mg"}}]}
        ]
    }
    wanted = model.model_validate(resource).dosageInstruction[0]
    line = line_of(resource)
    assert line.timing is not None and line.timing.repeat is not None and line.dose is not None
    ours, theirs = line.timing.repeat, wanted.timing.repeat
    assert (ours.frequency, ours.frequency_max, ours.count, ours.count_max, ours.offset_minutes) == (
        theirs.frequency, theirs.frequencyMax, theirs.count, theirs.countMax, theirs.offset,
    )  # fmt: skip
    assert (ours.period, ours.period_unit) == (Fraction(str(theirs.period)), theirs.periodUnit)
    assert {("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day] for day in ours.weekdays} == set(
        theirs.dayOfWeek or ()
    )
    assert line.dose[0].amount == Fraction(str(wanted.doseAndRate[0].doseQuantity.value))
    assert english(line.unsupported) == ()
