"""FHIR R4 Patient, Encounter and AllergyIntolerance read into patients, stays and allergy texts."""

import re
from collections.abc import Callable
from datetime import datetime, tzinfo

from hub.adapters.intake.fhir_model import Allergy, Encounter, HumanName, PatientResource
from hub.adapters.intake.moments import calendar_day, moment
from hub.domain.identifiers import PatientId
from hub.domain.orders import Patient, Stay

PRESENT = frozenset({"arrived", "triaged", "in-progress", "onleave", "unknown"})
OVER = "finished"
_NOT_TRUE = frozenset({"refuted", "entered-in-error"})
_NO_LONGER = frozenset({"inactive", "resolved"})
_ROOM = re.compile(r"(?:room|rm|палата)\.?\s*№?\s*(.+)", re.IGNORECASE)
_BED = re.compile(r"(?:bed|койка|место)\.?\s*№?\s*(.+)", re.IGNORECASE)


def patient_of(identity: str, resource: PatientResource, allergies: tuple[str, ...] | None) -> Patient:
    """Return a patient; the wristband's code is the first identifier, or else the id."""
    name = next((name for name in resource.name if name.use != "old"), HumanName())
    family, _, given = name.text.partition(" ")
    return Patient(
        id=PatientId(identity),
        code=next((identifier.value for identifier in resource.identifier if identifier.value), identity),
        family=name.family or family,
        given=" ".join(name.given) or given,
        birth_date=calendar_day(resource.birth_date),
        allergies=allergies,
    )


def allergy_text(allergy: Allergy) -> str:
    """Return what somebody is allergic to; empty where it is over or was never true."""
    verified = allergy.verification_status.first_code() if allergy.verification_status else ""
    clinical = allergy.clinical_status.first_code() if allergy.clinical_status else ""
    if verified in _NOT_TRUE or clinical in _NO_LONGER:
        return ""
    return allergy.code.first_text() if allergy.code else "an allergy that is not named"


def stay_of(
    identity: str, encounter: Encounter, resolve: Callable[[str], tuple[str, str]], zone: tzinfo
) -> Stay | None:
    """Return where a patient is or was; None for encounters that are planned, cancelled or of nobody."""
    patient = resolve(encounter.subject.reference)[1] if encounter.subject else ""
    if not patient or encounter.status not in PRESENT | {OVER}:
        return None
    department, room, bed = place(_display(encounter))
    return Stay(PatientId(patient), identity, department, room, bed, _finished_at(encounter, zone))


def _display(encounter: Encounter) -> str:
    places = [place for place in encounter.location if place.location]
    current = [place for place in places if place.status in ("active", "")] or places
    location = current[-1].location if current else None
    return location.display if location else ""


def _finished_at(encounter: Encounter, zone: tzinfo) -> datetime | None:
    end = encounter.period.end if encounter.period else ""
    return moment(end, zone, end=True) if encounter.status == OVER and end else None


def place(display: str) -> tuple[str, str, str]:
    """Return (department, room, bed) of `Medicine / room 4 / bed 1`; what is not said is empty."""
    department, *rest = (part.strip() for part in display.split(" / "))
    room = bed = ""
    for part in rest:
        if match := _ROOM.fullmatch(part):
            room = match[1]
        elif match := _BED.fullmatch(part):
            bed = match[1]
        else:
            department = f"{department} / {part}"
    return department, room, bed
