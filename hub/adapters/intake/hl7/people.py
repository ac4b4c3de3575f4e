"""PID, PV1, AL1 and IAM read into a patient, a stay and allergies."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from enum import StrEnum

from hub.adapters.intake.hl7.er7 import Element, Message, Segment
from hub.adapters.intake.hl7.problems import ErrorCode, Place, Problem
from hub.adapters.intake.hl7.timestamps import birth_date, stamp
from hub.domain.allergy_words import allergy_text
from hub.domain.identifiers import PatientId
from hub.domain.orders import Patient, Stay

_PREFERRED_TYPES = ("MR", "PI", "PT", "PN")
_NO_ALLERGY = frozenset({"NKA", "NKDA", "NO KNOWN ALLERGIES", "NO KNOWN ALLERGY", "716186003", "409137002"})
# HL7 table 0128; of the rest (unknown) nothing is told.
_SEVERITY = {"SV": "severe", "MO": "moderate", "MI": "mild"}
_NOT_ADMITTED = frozenset({"P"})


class Movement(StrEnum):
    """What an ADT message says of a stay; `at` of the message is its time."""

    PRESENT = "present"
    ADMITTED = "admitted"
    MOVED = "moved"
    LEFT = "left"
    NEVER_CAME = "never-came"
    STAYS = "stays"
    NONE = "none"


MOVEMENTS = {
    "A01": Movement.ADMITTED,
    "A02": Movement.MOVED,
    "A03": Movement.LEFT,
    "A04": Movement.ADMITTED,
    "A05": Movement.NONE,
    "A08": Movement.PRESENT,
    "A11": Movement.NEVER_CAME,
    "A12": Movement.MOVED,
    "A13": Movement.STAYS,
    "A28": Movement.NONE,
    "A31": Movement.NONE,
    "A60": Movement.NONE,
}


@dataclass(frozen=True, slots=True)
class People:
    """Who a message is about: the patient, the place, and what happened; `problem` where nobody is named."""

    patient: Patient | None = None
    stay: Stay | None = None
    movement: Movement = Movement.PRESENT
    problem: Problem | None = None


def people_of(message: Message, movement: Movement, at: datetime | None, zone: tzinfo) -> People:
    """Return who a message is about; `at` is when what it tells of happened."""
    identification = message.first("PID")
    patient = patient_of(identification, message) if identification is not None else None
    if patient is None or identification is None:
        told = "the message names no patient: there is no PID-3 with an id"
        place = Place("PID", 1, 3 if identification is not None else 0)
        return People(problem=Problem(place, ErrorCode.REQUIRED_FIELD_MISSING, told, "в сообщении нет пациента: в PID-3 нет номера"))
    died_at = _death(identification, at, zone)
    visit = message.first("PV1")
    stay = _stay(patient.id, visit, message, movement, at, zone) if visit is not None else None
    if died_at is not None:
        stay = replace(stay or Stay(patient.id, "", "", "", ""), finished_at=died_at, died=True)
        movement = Movement.LEFT
    elif stay is not None and stay.finished_at is not None:
        movement = Movement.NEVER_CAME if movement is Movement.NEVER_CAME else Movement.LEFT
    return People(patient, stay if movement is not Movement.NONE else None, movement)


def patient_of(segment: Segment, message: Message) -> Patient | None:
    """Return the patient of a PID segment; None where it has no id."""
    identity = _identity(segment)
    if not identity:
        return None
    name = _name(segment)
    given = " ".join(part for part in (name.component(2), name.component(3)) if part)
    return Patient(
        PatientId(identity), identity, name.subcomponent(1, 1), given, birth_date(segment.value(7)), _allergies(message)
    )


def _identity(segment: Segment) -> str:
    """Return the hospital's own number: the one of type MR, else PI …, else the first of PID-3, else PID-2 or PID-4 (2.1 to 2.2)."""
    numbers = [element for element in segment.repetitions(3) if element.component(1)]
    for kind in _PREFERRED_TYPES:
        for element in numbers:
            if element.component(5) == kind:
                return element.component(1)
    return numbers[0].component(1) if numbers else segment.value(2) or segment.value(4)


def _name(segment: Segment) -> Element:
    names = segment.repetitions(5)
    legal = [name for name in names if name.component(7) == "L"]
    return next(iter(legal or names), segment.element(5))


def _allergies(message: Message) -> tuple[str, ...] | None:
    """Return all that a message says of allergies; None where it says nothing, empty where it says that there are none."""
    found = list(message.all("AL1"))
    actions = [segment for segment in message.all("IAM") if segment.value(6).upper() not in ("D", "X")]
    if not found and not actions:
        return None
    told = [(_substance(segment.element(3)), segment.value(4)) for segment in [*found, *actions] if not segment.is_deleted(3)]
    texts = [allergy_text(text, severity=_SEVERITY.get(grade.upper(), "")) for text, grade in told if text.upper() not in _NO_ALLERGY]
    return tuple(dict.fromkeys(texts))


def _substance(element: Element) -> str:
    """Return what somebody is allergic to: the text, else the code; one that is nameless is still an allergy."""
    code, text = element.component(1), element.component(2)
    if code in _NO_ALLERGY:
        return code
    return text or element.component(5) or code or "an allergy that is not named"


def _death(segment: Segment, at: datetime | None, zone: tzinfo) -> datetime | None:
    told = segment.value(29)
    if segment.value(30).upper() != "Y" and not told:
        return None
    found = stamp(told, zone)
    return found.at if found is not None else at


def _stay(
    patient: PatientId, visit: Segment, message: Message, movement: Movement, at: datetime | None, zone: tzinfo
) -> Stay | None:
    """Return where a patient is; None for one who is only expected, or whose place nobody wrote."""
    place, kind = visit.element(3), visit.value(2).upper()
    department = place.subcomponent(1, 1) or place.component(9) or place.component(4)
    if kind == "E" and not department:
        department = "emergency"
    finished_at = _finished(visit, movement, at, zone)
    if kind in _NOT_ADMITTED or not (department or finished_at):
        return None
    room, bed = place.subcomponent(2, 1), place.subcomponent(3, 1)
    return Stay(patient, visit.value(19) or visit.value(50), department, room, bed, finished_at)


def _finished(visit: Segment, movement: Movement, at: datetime | None, zone: tzinfo) -> datetime | None:
    told = stamp(visit.value(45), zone)
    if movement is Movement.NEVER_CAME:
        return at
    if movement is Movement.LEFT:
        return told.at if told is not None else at
    return told.at if told is not None and movement is Movement.PRESENT else None


def placed(told: Stay, known: Stay | None, movement: Movement) -> Stay:
    """Return a stay after a message, beside the one that is known.

    What a message leaves out of the place stays as it is known there. A stay that is over is opened again by an admission or
    by a discharge that was taken back, never by news of the same visit that merely come late.
    """
    if known is None:
        return told
    visit = told.encounter or known.encounter
    same_visit = visit == known.encounter
    finished_at, died = told.finished_at, told.died
    if finished_at is None and movement in (Movement.PRESENT, Movement.MOVED) and same_visit:
        finished_at, died = known.finished_at, known.died
    department = told.department or known.department
    kept = known if department == known.department and same_visit and not _is_other_room(told, known) else told
    return Stay(known.patient, visit, department, told.room or kept.room, told.bed or kept.bed, finished_at, died)


def _is_other_room(told: Stay, known: Stay) -> bool:
    return bool(told.room) and told.room != known.room


def merged(told: Patient, known: Patient | None) -> Patient:
    """Return a patient after a message; what it leaves out stays known."""
    if known is None:
        return told
    family, given = (told.family, told.given) if told.family else (known.family, known.given)
    allergies = told.allergies if told.allergies is not None else known.allergies
    return replace(told, family=family, given=given, birth_date=told.birth_date or known.birth_date, allergies=allergies)


def other_visit(told: Stay, known: Stay | None, movement: Movement) -> Problem | None:
    """Return the problem of an end that is of another visit than the one in which the patient lies here."""
    if known is None or movement not in (Movement.LEFT, Movement.NEVER_CAME) or told.died or known.finished_at is not None:
        return None
    if not told.encounter or not known.encounter or told.encounter == known.encounter:
        return None
    text = f"the visit {told.encounter} ends, but the patient lies here under the visit {known.encounter}"
    text_ru = f"закончилось посещение {told.encounter}, а пациент лежит здесь по посещению {known.encounter}"
    return Problem(Place("PV1", 1, 19), ErrorCode.UNKNOWN_KEY, text, text_ru)


def newest(people: Iterable[People]) -> tuple[tuple[Patient, ...], tuple[Stay, ...]]:
    """Return each patient and stay as the last of several messages leaves them."""
    patients: dict[PatientId, Patient] = {}
    stays: dict[PatientId, Stay] = {}
    for one in people:
        if one.patient is None:
            continue
        before = patients.get(one.patient.id)
        allergies = one.patient.allergies if one.patient.allergies is not None or before is None else before.allergies
        patients[one.patient.id] = replace(one.patient, allergies=allergies)
        if one.stay is not None:
            stays[one.patient.id] = placed(one.stay, stays.get(one.patient.id), one.movement)
    return tuple(patients.values()), tuple(stays.values())
