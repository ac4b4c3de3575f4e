"""Lists of allergies, CSV or XLSX, and how they come to the patients of a sheet."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.listed_people import names_of
from hub.adapters.intake.sheet_names import patient_of_row
from hub.adapters.intake.table import headers_of, read_table
from hub.domain.allergy_words import allergy_text
from hub.domain.identifiers import PatientId
from hub.domain.orders import OrderSheet, Patient
from hub.domain.words import Words

REQUIRED = (("patient_code", "patient"), ("patient_code", "birth_date"), ("allergy",))
Allergies = Mapping[PatientId, tuple[str, ...]]


def read_allergies(name: str, data: bytes) -> Allergies:
    """Return the allergy texts by patient; raise IntakeError where a row names nobody or no allergy."""
    texts: dict[PatientId, list[str]] = defaultdict(list)
    for row in read_table(name, data, headers_of("allergies"), required=REQUIRED):
        patient = patient_of_row(row)
        if not patient:
            raise IntakeError(name, row.position, "patient", Words(
                "neither a code nor a name with a birth date is given",
                "не указаны ни номер, ни фамилия с датой рождения",
            ))
        if not row["allergy"]:
            raise IntakeError(name, row.position, "allergy", Words("a value is needed", "нужно значение"))
        told = allergy_text(row["allergy"], criticality=row["criticality"], severity=row["severity"], reactions=(row["reaction"],))
        texts[patient].append(told)
    return {patient: tuple(dict.fromkeys(found)) for patient, found in texts.items()}


def with_allergies(sheet: OrderSheet, allergies: Allergies) -> OrderSheet:
    """Return the sheet with every patient's allergies; a patient whom the complete list leaves out has none."""
    return replace(sheet, patients=tuple(_with(patient, allergies) for patient in sheet.patients))


def _with(patient: Patient, allergies: Allergies) -> Patient:
    known = (*(patient.allergies or ()), *listed_of(patient, allergies))
    return replace(patient, allergies=tuple(dict.fromkeys(known)))


def listed_of(patient: Patient, allergies: Allergies) -> tuple[str, ...]:
    """Return what a list tells of a patient, under whatever name it lists them."""
    return tuple(text for name in sorted(names_of(patient)) for text in allergies.get(name, ()))
