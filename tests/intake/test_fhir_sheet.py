"""FHIR sheets: what is read, and which files are refused whole."""

import gzip
import json
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_bundles import ENCOUNTER, ORDER, PATIENT, bundle, ndjson, order

from hub.adapters.intake import envelope
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.fhir import read_fhir
from hub.domain.drugs import Drug, DrugClass, Form, Storage
from hub.domain.identifiers import DrugCode
from hub.domain.orders import OrderStatus, Patient, SourceSettings, Stay
from hub.domain.quantities import Quantity
from hub.domain.timing import Timing
from tests.said import english

MOSCOW = ZoneInfo("Europe/Moscow")
FEED = SourceSettings("feed", False, False, 3, False, ())
WHOLE = bundle(PATIENT, ENCOUNTER, ORDER)


def read(data: bytes, source: SourceSettings = FEED) -> Any:
    return read_fhir("day.json", data, source, {}, zone=MOSCOW)


def tablet(code: str, inn: str) -> Drug:
    return Drug(
        code=DrugCode(code), inn=inn, trade_name="", form=Form.TABLET, strength="25 mg", unit="tablet", group="", drug_class=DrugClass.ORDINARY,
        high_alert=False, hazardous=False, look_alike_group="", storage=Storage.ROOM, divisible_by=2, prepack_allowed=True, price=None,
    )  # fmt: skip


def refusal(data: bytes) -> str:
    with pytest.raises(IntakeError) as caught:
        read(data)
    return str(caught.value)


def test_a_bundle_gives_patient_stay_and_line() -> None:
    sheet = read(WHOLE)
    assert sheet.patients == (Patient("p1", "20282368", "Андреева", "Елена Петровна", date(1978, 8, 15), None),)
    assert sheet.stays == (Stay("p1", "e1", "Medicine", "4", "1"),)
    (line,) = sheet.lines
    assert (line.id, line.version, line.source, line.sheet) == ("mr1", 1, "feed", "day.json")
    assert line.position == "day.json entry 3"
    assert (line.patient, line.drug, line.drug_text) == ("p1", "METO25", "Metoprolol 25 mg Tab")
    assert line.dose == (Quantity(Fraction(25, 2), "mg"), Quantity(Fraction(25, 2), "mg"))
    assert (line.route, line.timing, line.status) == ("PO", Timing(code="BID"), OrderStatus.ACTIVE)
    assert line.authored_at == datetime(2026, 3, 5, 6, 45, 30, tzinfo=MOSCOW)
    assert line.starts_at == datetime(2026, 3, 5, 7, tzinfo=MOSCOW)
    assert line.ends_at == datetime(2026, 3, 9, 23, 59, 59, tzinfo=MOSCOW)
    assert (line.note, line.stat, english(line.unsupported)) == ("Unit Dose", False, ())


def test_ndjson_gzip_and_marks_say_the_same_as_the_bundle() -> None:
    wanted = [replace(line, position="") for line in read(WHOLE).lines]
    for data in (
        ndjson(PATIENT, ENCOUNTER, ORDER),
        ndjson(ENCOUNTER, PATIENT, ORDER),
        ndjson(ENCOUNTER | {"type": [{"text": "ward"}]}, PATIENT, ORDER),
        gzip.compress(WHOLE, mtime=0),
        gzip.compress(ndjson(PATIENT), mtime=0) + gzip.compress(ndjson(ENCOUNTER, ORDER), mtime=0),
        b"\xef\xbb\xbf" + WHOLE,
        b"\n" + WHOLE,
        json.dumps(json.loads(WHOLE), indent=2).encode(),
    ):
        sheet = read(data)
        assert [replace(line, position="") for line in sheet.lines] == wanted
        assert len(sheet.patients) == len(sheet.stays) == 1


def test_transaction_references_by_urn_resolve() -> None:
    urn = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"
    patient = {key: value for key, value in PATIENT.items() if key != "id"}
    entries = [
        {"fullUrl": "urn:uuid:0d4e-order", "resource": order(id=None, subject={"reference": urn}), "request": {"method": "POST"}},
        {"fullUrl": urn, "resource": patient},
    ]
    sheet = read(json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode())
    assert sheet.patients[0].id == sheet.lines[0].patient == "61ebe359-bfdc-4613-8bf2-c5e300945f0a"
    assert sheet.lines[0].id == "0d4e-order"


def test_one_resource_alone_is_a_sheet() -> None:
    assert len(read(ndjson(ORDER)).lines) == len(read(json.dumps(ORDER, indent=1).encode()).lines) == 1
    assert len(read(ndjson(ENCOUNTER | {"type": [{"text": "ward"}]})).stays) == 1


@pytest.mark.parametrize("reference", ["Patient/p1", "https://his.example/fhir/Patient/p1", "Patient/p1/_history/3"])
def test_relative_absolute_and_versioned_references_are_one_patient(reference: str) -> None:
    assert read(bundle(PATIENT, order(subject={"reference": reference}))).lines[0].patient == "p1"


def test_medications_are_found_contained_and_beside() -> None:
    concept = {"coding": [{"code": "METO25"}], "text": "Metoprolol"}
    contained = order(
        medicationCodeableConcept=None,
        medicationReference={"reference": "#m"},
        contained=[{"resourceType": "Medication", "id": "m", "code": concept}],
    )
    beside = order(id="mr2", medicationCodeableConcept=None, medicationReference={"reference": "Medication/m"})
    missing = order(id="mr3", medicationCodeableConcept=None, medicationReference={"reference": "Medication/x", "display": "Aspirin"})
    lines = read(bundle(contained, {"resourceType": "Medication", "id": "m", "code": concept}, beside, missing)).lines
    assert [line.drug for line in lines] == ["METO25", "METO25", "?Aspirin"]
    assert english(lines[2].unsupported) == ("the medication Medication/x is not in the file",)


def test_the_coding_that_the_directory_knows_is_the_drug() -> None:
    sheet = read_fhir("day.json", WHOLE, FEED, {DrugCode("0040"): tablet("0040", "Metoprolol")}, zone=MOSCOW)
    assert sheet.lines[0].drug == "0040"


ATC, OURS = "http://www.whocc.no/atc", "urn:ours"


@pytest.mark.parametrize(
    ("concept", "doubts"),
    [
        ({"coding": [{"code": "METO25"}, {"code": "WARF5"}]}, 1), ({"coding": [{"code": "METO25"}], "text": "Warfarin 5 mg"}, 1),
        ({"coding": [{"code": "METO25"}], "text": "Варфарин 5 мг"}, 1), ({"coding": [{"code": "METO25", "system": ATC, "display": "bisoprolol"}]}, 1),
        ({"coding": [{"code": "METO25", "system": OURS, "display": "warfarin"}]}, 1), ({"coding": [{"code": "METO25"}], "text": "Metoprolol 25"}, 0),
        ({"coding": [{"code": "METO25", "system": OURS}, {"code": "C07AB02", "system": ATC, "display": "metoprolol"}]}, 0),
        ({"coding": [{"code": "METO25", "system": OURS}], "text": "by the ward's scheme"}, 0),
    ],
)  # fmt: skip
def test_two_drugs_in_one_order_are_told_and_neither_is_chosen_in_silence(concept: dict[str, Any], doubts: int) -> None:
    directory = {DrugCode(code): tablet(code, inn) for code, inn in (("METO25", "Metoprolol"), ("WARF5", "Warfarin"))}
    data = bundle(PATIENT, ENCOUNTER, {**ORDER, "medicationCodeableConcept": concept})
    told = english(read_fhir("day.json", data, FEED, directory, zone=MOSCOW).lines[0].unsupported)
    assert len(told) == doubts
    assert all("METO25 (Metoprolol" in each and any(name in each.casefold() for name in ("warfarin", "варфарин", "bisoprolol")) for each in told)


def test_allergies_reach_their_patient_and_refuted_ones_do_not() -> None:
    def allergy(number: int, text: str, **more: Any) -> dict[str, Any]:
        return {"resourceType": "AllergyIntolerance", "id": f"a{number}", "patient": {"reference": "Patient/p1"}, "code": {"text": text}, **more}

    refuted = allergy(2, "Iodine", verificationStatus={"coding": [{"code": "refuted"}]})
    other = {**PATIENT, "id": "p2"}
    data = bundle(PATIENT, other, allergy(1, "Penicillin"), refuted)
    assert [patient.allergies for patient in read(data).patients] == [("Penicillin",), None]
    told = replace(FEED, allergies_provided=True)
    assert [patient.allergies for patient in read(data, told).patients] == [("Penicillin",), ()]
    (reject,) = read(bundle(other, allergy(1, "Penicillin"))).rejects
    assert (reject.position, reject.field, english(reject.reason)) == ("day.json entry 2", "AllergyIntolerance.patient", "patient p1 is not in the file")


def test_a_finished_stay_has_its_end_and_a_planned_one_is_none() -> None:
    finished = ENCOUNTER | {"status": "finished", "period": {"end": "2026-03-05T12:27:00+03:00"}}
    assert read(bundle(finished)).stays[0].finished_at == datetime(2026, 3, 5, 12, 27, tzinfo=MOSCOW)
    assert read(bundle(PATIENT, ENCOUNTER | {"status": "planned"})).stays == ()


def test_an_order_that_is_repeated_word_by_word_collapses_with_a_note() -> None:
    (line,) = read(bundle(PATIENT, ORDER, ORDER)).lines
    assert line.position == "day.json entry 2"
    assert line.note == "Unit Dose | repeated in entry 3"


def test_two_different_orders_under_one_id_are_two_lines_and_the_second_is_unreadable() -> None:
    stopped = order(status="stopped")
    first, second, third = read(bundle(PATIENT, ORDER, stopped, order(status="on-hold"), stopped)).lines
    assert (first.id, english(first.unreadable), first.note) == ("mr1", "", "Unit Dose")
    assert english(first.unsupported) == ("another order of this id says something else: entry 3, entry 4, entry 5",)
    assert english(second.unreadable) == "id: duplicate id mr1: it differs from the order in entry 2"
    assert second.note == "Unit Dose | repeated in entry 5"
    assert (second.patient, second.status) == ("p1", OrderStatus.STOPPED)
    assert len({first.id, second.id, third.id}) == 3
    assert second.id == read(bundle(PATIENT, ORDER, stopped)).lines[1].id


def test_orders_without_a_usable_id_are_told_apart_by_what_they_say() -> None:
    nameless, long = order(id=None), order(id="x" * 300)
    first, second, third = read(bundle(PATIENT, nameless, order(id=None, priority="stat"), nameless, long)).lines
    assert len({first.id, second.id, third.id}) == 3
    assert first.note == "Unit Dose | repeated in entry 4"
    assert {english(line.unsupported) for line in (first, second, third)} == {("order without an id",)}


def test_two_different_patients_under_one_id_are_listed_and_every_line_of_theirs_says_so() -> None:
    other = {**PATIENT, "birthDate": "1979-08-15"}
    sheet = read(bundle(PATIENT, other, ORDER))
    words = "the Patient p1 is there twice and differs from the one in entry 1"
    assert [(reject.position, reject.field, english(reject.reason)) for reject in sheet.rejects] == [("day.json entry 2", "id", words)]
    assert english(sheet.lines[0].unsupported) == (words,)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"  \n ", "the file is empty"),
        (gzip.compress(b"", mtime=0), "the file is empty"),
        (WHOLE[:-1], "not a whole JSON document"),
        (gzip.compress(WHOLE, mtime=0)[:-1], "the gzip file is truncated"),
        (gzip.compress(WHOLE, mtime=0)[:40], "the gzip file is truncated"),
        (gzip.compress(WHOLE, mtime=0)[:200] + b"\x00" + gzip.compress(WHOLE, mtime=0)[201:], "the gzip file is damaged"),
        (gzip.compress(WHOLE, mtime=0) + b"tail", "the gzip file is damaged"),
        (WHOLE.decode().encode("utf-16"), "the text is UTF-16"),
        (json.dumps(PATIENT, ensure_ascii=False).encode("windows-1251"), "the text is not utf-8"),
        (WHOLE[:50] + b"\x00" + WHOLE[50:], "binary"),
        (b"[1, 2]", "it is a JSON array; send a Bundle, or one resource a line (NDJSON)"),
        (b"[" * 100_000, "it is a JSON array"),
        (b'{"a":' * 10_000, "is nested too deeply"),
        (b"7", "not a whole JSON document"),
        (b'{"resourceType": "Bundle", "type": "collection"}', "the Bundle has no entries"),
        (bundle(ORDER, type="history"), "a Bundle of the type history is not read as a sheet"),
        (bundle(ORDER, link=[{"relation": "next", "url": "x"}]), "it is one page of several"),
        (bundle(ORDER, type="batch-response"), "it is a server's answer"),
        (bundle(PATIENT, ORDER, type="searchset", total=3), "tells of 3 matches and brings 2"),
        (bundle({"resourceType": "Practitioner", "id": "d"}), "it is no sheet"),
        (bundle({"id": "d"}), "type (none) are not read"),
        (bundle({"resourceType": "PlanDefinition", "id": "d"}), "entry 1, field resourceType: resources of the type PlanDefinition are not read"),
        (bundle(PATIENT | {"name": "x"}), "entry 1, field Patient.name: it cannot be read: Expected `array`, got `str`"),
        (b'{"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "x"}]}', "the entry has no resource"),
        (b'{"resourceType": "Bundle", "type": "collection", "entry": [{"resource": 7}]}', "not a resource in JSON"),
        (b'{"resourceType": "Bundle", "entry": 5}', "not a Bundle of FHIR"),
        (ndjson(PATIENT) + b'{"resourceType": "Medi', "the file ends there, so it is truncated"),
        (b'{"hello": "world"}', "type (none) are not read"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_whole_sheet_is_refused(data: bytes, reason: str) -> None:
    assert reason in refusal(data)


def test_a_deletion_is_a_line_that_says_so_and_of_something_else_a_reject() -> None:
    entries = [
        {"request": {"method": "DELETE", "url": "MedicationRequest/mr9"}},
        {"request": {"method": "DELETE", "url": "Patient/p9"}},
        {"resource": ORDER, "request": {"method": "PUT", "url": "MedicationRequest/mr1"}},
    ]
    sheet = read(json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode())
    assert [(line.id, bool(english(line.unreadable))) for line in sheet.lines] == [("mr9", True), ("mr1", False)]
    assert english(sheet.lines[0].unreadable).startswith("request.method: a sheet cannot delete")
    assert [reject.position for reject in sheet.rejects] == ["day.json entry 2"]


def test_a_server_that_reports_a_failure_is_heard() -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": "timed out"}]}
    assert "the sender reports a failure: timed out" in refusal(bundle(ORDER, outcome))


def test_files_over_the_limits_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(b" " * 100_000, mtime=0)
    monkeypatch.setattr(envelope, "MAXIMUM_UNPACKED_BYTES", 50_000)
    assert "unpacks to more than the limit of 50000 bytes" in refusal(packed)
    monkeypatch.setattr(envelope, "MAXIMUM_BYTES", 100)
    assert "more than the limit of 100" in refusal(WHOLE)


@given(st.integers(min_value=0, max_value=len(WHOLE) - 1), st.booleans())
def test_no_prefix_of_a_bundle_gives_a_partial_sheet(length: int, packed: bool) -> None:
    data = gzip.compress(WHOLE, mtime=0) if packed else WHOLE
    with pytest.raises(IntakeError):
        read(data[: min(length, len(data) - 1)])


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_refusal(data: bytes) -> None:
    with pytest.raises(IntakeError):
        read(data)


RICH = order(
    contained=[{"resourceType": "Medication", "id": "m", "code": {"text": "x"}}],
    medicationCodeableConcept=None,
    medicationReference={"reference": "#m"},
    requester={"display": "Dr Who"},
    note=[{"text": "slowly"}],
    dosageInstruction=[
        {
            "timing": {"repeat": {"boundsDuration": {"value": 3, "code": "d"}, "frequency": 1, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseRange": {"low": {"value": 1, "unit": "mg"}, "high": {"value": 2, "unit": "mg"}}}],
            "maxDosePerPeriod": {"numerator": {"value": 4}},
        }
    ],
)
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5),
    st.sampled_from(["NaN", "sNaN", "Infinity", "1e999999", "1e-999999", "0001-01-01", "9999-12-31T23:59:59Z", "#", "#m", "urn:uuid:"]),
    st.lists(st.integers(), max_size=2), st.just({}), st.just([{}]),
)  # fmt: skip


def members(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([path] if path else []), *(found for key, part in inner for found in members(part, (*path, key)))]


@settings(max_examples=300)
@given(st.data())
def test_whatever_stands_in_a_member_an_order_is_a_line_or_the_file_is_refused(data: st.DataObject) -> None:
    resources = json.loads(json.dumps([PATIENT, ENCOUNTER, RICH]))
    path = data.draw(st.sampled_from(members(resources)[1:]))
    place = resources
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = data.draw(ODD)
    try:
        sheet = read(bundle(*resources))
    except IntakeError:
        return
    orders = [resource for resource in resources if isinstance(resource, dict) and resource.get("resourceType") == "MedicationRequest"]
    assert len(sheet.lines) == len(orders)
    assert all(line.dosages for line in sheet.lines)


def test_every_order_of_the_hospital_is_a_line(hospital: Path) -> None:
    sheets = sorted((hospital / "sheets").glob("*.json.gz"))
    assert len(sheets) == 14
    for path in sheets:
        data = path.read_bytes()
        entries = json.loads(gzip.decompress(data))["entry"]
        wanted = [entry["resource"]["id"] for entry in entries if entry["resource"]["resourceType"] == "MedicationRequest"]
        sheet = read_fhir(path.name, data, FEED, {}, zone=MOSCOW)
        assert [line.id for line in sheet.lines] == wanted
        assert {line.patient for line in sheet.lines} <= {patient.id for patient in sheet.patients}
        assert len(sheet.stays) == len(sheet.patients)
        assert not any(english(line.unsupported) for line in sheet.lines)


@pytest.mark.parametrize("kind", [{"code": "AMB"}, [{"coding": [{"code": "VR"}]}]], ids=["R4", "R5"])
@pytest.mark.parametrize("visit_first", [True, False])
def test_a_visit_to_a_clinic_says_nothing_of_where_an_inpatient_lies(kind: object, visit_first: bool) -> None:
    visit = ENCOUNTER | {"id": "visit", "class": kind, "status": "in-progress", "location": [{"location": {"display": "Clinic / room 9 / bed 9"}}]}
    stays = (visit, ENCOUNTER) if visit_first else (ENCOUNTER, visit)
    (found,) = read(bundle(PATIENT, *stays, order())).stays
    assert found.encounter == ENCOUNTER["id"]
    (alone,) = read(bundle(PATIENT, visit, order())).stays
    assert alone.encounter == "visit"
