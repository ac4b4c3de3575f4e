"""The authored sample day: its files read as any hospital's would be, and its dated changes as FHIR resources."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from importlib.resources import files
from typing import Any

import msgspec

from hub.adapters.intake.allergies import read_allergies, with_allergies
from hub.adapters.intake.cassettes import read_cassettes
from hub.adapters.intake.changes import read_changes
from hub.adapters.intake.directory import read_directory
from hub.adapters.intake.discharges import read_discharges
from hub.adapters.intake.sheet import read_sheet
from hub.adapters.intake.sheet_names import order_id, stay_id
from hub.adapters.intake.stock import read_stock
from hub.domain.drugs import CassettePlace, DrugDirectory
from hub.domain.identifiers import DrugCode, PatientId
from hub.domain.orders import OrderLine, OrderSheet, Patient, SourceSettings, Stay
from hub.domain.quantities import Quantity
from hub.services.stock_in import Receipt

SAMPLE_DAY = date(2026, 3, 5)
SAMPLE_ZONE = "Europe/Moscow"
_WHEN: Mapping[str, str] = {"morning": "MORN", "noon": "NOON", "evening": "EVE", "night": "NIGHT"}
Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """The sample day, read."""

    directory: DrugDirectory
    cassettes: tuple[CassettePlace, ...]
    stock: tuple[Receipt, ...]
    sheet: OrderSheet
    discharges: OrderSheet
    changes: OrderSheet


def sample_file(name: str) -> bytes:
    """Return the bytes of one of the sample's files (`day.csv`, `directory.csv` …)."""
    return files("hub.adapters.data").joinpath("sample", name).read_bytes()


def read_sample(source: SourceSettings, zone: tzinfo) -> Sample:
    """Return the sample day; raise IntakeError as for any other file."""
    directory = read_directory("directory.csv", sample_file("directory.csv")).drugs
    sheet = read_sheet("day.csv", sample_file("day.csv"), source, directory, zone=zone)
    return Sample(
        directory=directory,
        cassettes=read_cassettes("cassettes.csv", sample_file("cassettes.csv"), directory),
        stock=read_stock("stock.csv", sample_file("stock.csv"), directory),
        sheet=with_allergies(sheet, read_allergies("allergies.csv", sample_file("allergies.csv"))),
        discharges=read_discharges("discharges.csv", sample_file("discharges.csv"), source, zone=zone, now=datetime.combine(SAMPLE_DAY, time(), zone)),
        changes=read_changes("changes.ndjson", sample_file("changes.ndjson"), source, directory, zone=zone),
    )


def write_changes(sheet: OrderSheet, zone: tzinfo) -> bytes:
    """Return `changes.ndjson` of the sample day: orders stopped, changed and new, a transfer, an admission, discharges."""
    encoder = msgspec.json.Encoder()
    changes = sorted(_changes(_Day(sheet, zone)), key=lambda change: change[0])
    return b"".join(encoder.encode({"at": at.isoformat(), "resource": resource}) + b"\n" for at, resource in changes)


class _Day:
    """The sheet's lines by patient and drug, and the clock of the day."""

    def __init__(self, sheet: OrderSheet, zone: tzinfo) -> None:
        self._zone = zone
        self._source = sheet.source
        self._lines = {(line.patient, line.drug): line for line in sheet.lines}
        self._stays = {stay.patient: stay for stay in sheet.stays}

    def at(self, hour: int, minute: int) -> datetime:
        return datetime.combine(SAMPLE_DAY, time(hour, minute), self._zone)

    def order(self, patient: str, drug: str, **changed: Any) -> Resource:
        """Return an order of the sheet as a resource, with what was changed."""
        return order_resource(self._lines[PatientId(patient), DrugCode(drug)]) | changed

    def new(self, patient: str, drug: str, like: tuple[str, str], hour: int, minute: int, **changed: Any) -> Resource:
        """Return a new order of a patient, written as an order of the sheet is, from that minute on."""
        resource = self.order(*like)
        starts = self.at(hour, minute).isoformat()
        return resource | {
            "id": order_id(self._source, PatientId(patient), DrugCode(drug), starts, "", 1),
            "subject": {"reference": f"Patient/{patient}"},
            "encounter": {"reference": f"Encounter/{stay_id(PatientId(patient))}"},
            "authoredOn": starts,
            "dispenseRequest": {"validityPeriod": {"start": starts, "end": "2026-03-09T23:59:59+03:00"}},
            **changed,
        }

    def stay(self, patient: str, **changed: Any) -> Resource:
        """Return where a patient lies as a resource, with what was changed."""
        return stay_resource(self._stays[PatientId(patient)]) | changed

    def moved(self, patient: str, department: str, room: str, bed: str) -> Resource:
        """Return a patient's stay at another place."""
        return stay_resource(Stay(PatientId(patient), stay_id(PatientId(patient)), department, room, bed))


def _changes(day: _Day) -> Iterator[tuple[datetime, Resource]]:
    yield from _stops(day)
    yield from _new_orders(day)
    yield from _moves(day)
    yield from _admission(day)


def _stops(day: _Day) -> Iterator[tuple[datetime, Resource]]:
    yield day.at(8, 20), day.order("26-01414", "T025", status="stopped", statusReason={"text": "температура в норме"})
    yield day.at(10, 30), day.order("26-01498", "T016", status="on-hold", statusReason={"text": "ЧСС 52"})
    yield day.at(12, 45), day.order("26-01575", "T026", status="stopped")
    yield day.at(13, 30), day.order("26-01645", "A009", status="cancelled")
    yield (
        day.at(14, 5),
        day.order("26-01456", "T028", status="entered-in-error", statusReason={"text": "внесено дважды"}),
    )
    yield day.at(17, 5), day.order("26-01498", "T016")


def _new_orders(day: _Day) -> Iterator[tuple[datetime, Resource]]:
    yield day.at(9, 10), day.new("26-01421", "T030", ("26-01484", "T030"), 9, 10)
    yield day.at(9, 40), _with_dose(day.order("26-01491", "T007"), 10)
    at_once = day.new("26-01526", "A001", ("26-01540", "A001"), 11, 15, priority="stat")
    at_once["dosageInstruction"][0]["timing"] = {"code": {"coding": [{"code": "STAT"}]}}
    yield day.at(11, 15), at_once
    yield day.at(16, 20), day.order("26-01610", "C004", status="stopped", statusReason={"text": "замена"})
    yield day.at(16, 21), day.new("26-01610", "T029", ("26-01477", "T029"), 16, 21)


def _with_dose(resource: Resource, value: int) -> Resource:
    resource["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] = value
    return resource


def _moves(day: _Day) -> Iterator[tuple[datetime, Resource]]:
    yield day.at(11, 30), day.moved("26-01582", "Отделение реанимации и интенсивной терапии", "501", "2")
    yield day.at(15, 0), day.moved("26-01435", "Кардиологическое отделение", "204", "3")
    for patient, at in (("26-01561", day.at(12, 0)), ("26-01617", day.at(14, 30))):
        yield at, day.stay(patient, status="finished", period={"end": at.isoformat()})


def _admission(day: _Day) -> Iterator[tuple[datetime, Resource]]:
    patient = Patient(PatientId("26-01694"), "26-01694", "Юматова", "Валентина Львовна", date(1957, 6, 18))
    yield day.at(13, 0), patient_resource(patient)
    yield day.at(13, 0), day.moved(patient.id, "Терапевтическое отделение", "105", "1")
    yield day.at(13, 25), day.new(patient.id, "T004", ("26-01428", "T004"), 13, 25)
    yield day.at(13, 26), day.new(patient.id, "T019", ("26-01449", "T019"), 13, 26)


def order_resource(line: OrderLine) -> Resource:
    """Return an order line as a FHIR R4 MedicationRequest; only what the sample's lines have."""
    dosage: Resource = {"route": {"coding": [{"code": line.route}]}}
    if line.dose is not None:
        dosage["doseAndRate"] = [{"doseQuantity": _amount(line.dose[0])}]
    if line.timing is not None and line.timing.slots:
        if any(slot.factor != 1 for slot in line.timing.slots):
            raise ValueError(f"{line.position}: FHIR says one dose a slot")
        dosage["timing"] = {"repeat": {"when": [_WHEN[slot.slot] for slot in line.timing.slots]}}
    elif line.timing is not None:
        dosage["timing"] = {"code": {"coding": [{"code": line.timing.code}]}}
    start = line.starts_at.date() if line.starts_at is not None and line.starts_on_day else line.starts_at
    period = {"start": start, "end": line.ends_at}
    return {
        "resourceType": "MedicationRequest",
        "id": line.id,
        "status": line.status.value,
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"code": line.drug}], "text": line.drug_text},
        "subject": {"reference": f"Patient/{line.patient}"},
        "encounter": {"reference": f"Encounter/{stay_id(line.patient)}"},
        "requester": {"display": line.signed_by},
        "dosageInstruction": [dosage],
        "dispenseRequest": {"validityPeriod": {key: at.isoformat() for key, at in period.items() if at}},
        "note": [{"text": line.note}] if line.note else [],
    }


def _amount(quantity: Quantity) -> Resource:
    return {"value": msgspec.Raw(str(quantity).split(" ")[0].encode()), "unit": quantity.unit}


def patient_resource(patient: Patient) -> Resource:
    """Return a patient as a FHIR R4 Patient."""
    return {
        "resourceType": "Patient",
        "id": patient.id,
        "identifier": [{"value": patient.code}],
        "name": [{"family": patient.family, "given": patient.given.split()}],
        "birthDate": patient.birth_date.isoformat() if patient.birth_date else "",
    }


def stay_resource(stay: Stay) -> Resource:
    """Return a stay as a FHIR R4 Encounter."""
    return {
        "resourceType": "Encounter",
        "id": stay.encounter,
        "status": "in-progress",
        "subject": {"reference": f"Patient/{stay.patient}"},
        "location": [{"location": {"display": f"{stay.department} / палата {stay.room} / койка {stay.bed}"}}],
    }
