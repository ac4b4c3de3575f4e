"""Whom a row of a list means: a patient by id, by the wristband's code, or by name and birth date, whatever the source calls its patients."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from hub.adapters.intake.sheet_names import patient_id
from hub.domain.identifiers import PatientId
from hub.domain.orders import Patient


def names_of(patient: Patient) -> frozenset[PatientId]:
    """Return every id by which a list may name a patient."""
    born = patient.birth_date.isoformat() if patient.birth_date is not None else ""
    names = (patient.id, PatientId(patient.code), patient_id("", patient.full_name, born))
    return frozenset(name for name in names if name)


def people_by_name(patients: Iterable[Patient]) -> Mapping[PatientId, frozenset[PatientId]]:
    """Return the ids of patients by everything that a list may call them; a name of two patients has both."""
    found: dict[PatientId, set[PatientId]] = defaultdict(set)
    for patient in patients:
        for name in names_of(patient):
            found[name].add(patient.id)
    return {name: frozenset(ids) for name, ids in found.items()}
