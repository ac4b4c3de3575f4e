"""FHIR Patient, Encounter and AllergyIntolerance (STU3, R4, R5) read into patients, stays and allergy texts."""

from collections.abc import Container, Iterable
from datetime import datetime, tzinfo
from typing import Any

from hub.adapters.intake.fhir_model import Allergy, Concept, Encounter, HumanName, PatientResource
from hub.adapters.intake.fhir_timing import Doubts, read_moment
from hub.adapters.intake.moments import calendar_day
from hub.domain.allergy_words import allergy_text as graded
from hub.domain.identifiers import PatientId
from hub.domain.orders import Patient, Stay
from hub.domain.words import Words

PRESENT = frozenset({"arrived", "triaged", "in-progress", "onleave", "on-hold", "unknown"})
# `completed`, `discharged` and `discontinued` are of R5.
OVER = frozenset({"finished", "completed", "discharged", "discontinued"})
NO_STAY = frozenset({"planned", "cancelled", "entered-in-error"})
_VISITS = frozenset({"AMB", "VR", "HH"})
_NOT_TRUE = frozenset({"refuted", "entered-in-error"})
_GRADES = ("severe", "moderate", "mild")
_NO_LONGER = frozenset({"inactive", "resolved"})


def patient_of(identity: str, resource: PatientResource, allergies: tuple[str, ...] | None) -> Patient:
    """Return a patient; the wristband's code is the first identifier that is in use, or else the id."""
    codes = [identifier.value for identifier in resource.identifier if identifier.value and identifier.use != "old"]
    name = next((name for name in resource.name if name.use != "old"), HumanName())
    family, _, given = name.text.partition(" ")
    return Patient(
        id=PatientId(identity),
        code=codes[0] if codes else identity,
        family=name.family or family,
        given=" ".join(part for part in name.given if part) or given,
        birth_date=calendar_day(resource.birth_date),
        allergies=allergies,
    )


def allergy_text(allergy: Allergy) -> str:
    """Return what somebody is allergic to, with how grave it is where that is told; empty where it is over or was never true."""
    if _code(allergy.verification_status) in _NOT_TRUE or _code(allergy.clinical_status) in _NO_LONGER:
        return ""
    substances = [
        text for reaction in allergy.reaction if reaction.substance and (text := reaction.substance.first_text())
    ]
    code = allergy.code.first_text() if allergy.code else ""
    told = {reaction.severity for reaction in allergy.reaction}
    severity = next((grade for grade in _GRADES if grade in told), "")
    return graded(
        code or ", ".join(substances) or "an allergy that is not named", criticality=allergy.criticality, severity=severity
    )


def _code(state: str | Concept | None) -> str:
    """Return a state's code: a code in STU3, a concept since R4."""
    return state.first_code() if isinstance(state, Concept) else state or ""


def what_is_no_stay(encounter: Encounter, patient: str) -> Words | None:
    """Return in words why an encounter can be no presence of anybody, though it does not say that it is none; None: it can."""
    if not patient:
        return Words("the stay names no patient", "в записи о пребывании нет пациента")
    known = PRESENT | OVER | NO_STAY
    return None if encounter.status in known else Words(
        f"status {encounter.status[:40] or '(none)'} of a stay is not known",
        f"статус пребывания {encounter.status[:40] or '(нет)'} не известен",
    )


def ended_at(encounter: Encounter, zone: tzinfo, problems: Doubts) -> datetime | None:
    """Return when an encounter ended; None where it goes on. An end that is over and not told is a problem."""
    if encounter.status not in OVER:
        return None
    period = encounter.actual_period or encounter.period
    if period is None or not period.end:
        problems.append(Words(f"status {encounter.status} without the end of its period", f"статус {encounter.status} без даты выбытия"))
        return None
    return read_moment(period.end, zone, problems, end=True)


def died_at(resource: PatientResource, zone: tzinfo, problems: Doubts) -> datetime | None:
    """Return when a patient died, None for the living; a death without its time counts from when the resource was written."""
    if resource.deceased_date_time:
        return read_moment(resource.deceased_date_time, zone, problems)
    if not resource.deceased_boolean:
        return None
    if resource.meta is None or not resource.meta.last_updated:
        problems.append(Words(
            "the patient is dead, and neither the time of death nor meta.lastUpdated is written",
            "пациент умер, а ни время смерти, ни meta.lastUpdated не указаны",
        ))
        return None
    return read_moment(resource.meta.last_updated, zone, problems)


def is_visit(kind: Any) -> bool:
    """Tell whether an encounter is none in a bed, by its class (v3-ActCode): a Coding (STU3, R4) or a list of concepts (R5)."""
    concepts = kind if isinstance(kind, list) else [{"coding": [kind]}]
    codes = {coding.get("code") for concept in concepts if isinstance(concept, dict) for coding in concept.get("coding") or () if isinstance(coding, dict)}
    return bool(codes) and codes <= _VISITS


def one_stay_each(stays: Iterable[Stay], visits: Container[str] = ()) -> tuple[Stay, ...]:
    """Return the stay that counts for each patient: one in a bed before a visit, one that goes on before one that is over, then the later one.

    `visits` are the ids of encounters that are none in a bed.
    """
    counting: dict[PatientId, Stay] = {}
    for stay in stays:
        known = counting.get(stay.patient)
        if known is None or _counts_before(stay, known, visits):
            counting[stay.patient] = stay
    return tuple(counting.values())


def _counts_before(stay: Stay, known: Stay, visits: Container[str]) -> bool:
    if (stay.encounter in visits) != (known.encounter in visits):
        return known.encounter in visits
    return _is_newer(stay, known)


def _is_newer(stay: Stay, known: Stay) -> bool:
    if stay.finished_at is None or known.finished_at is None:
        return stay.finished_at is None
    return stay.finished_at >= known.finished_at
