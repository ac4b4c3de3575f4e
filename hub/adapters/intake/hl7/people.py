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
from hub.domain.words import Words

_PREFERRED_TYPES = ("MR", "PI", "PT", "PN")
_NO_ALLERGY = frozenset({"NKA", "NKDA", "NO KNOWN ALLERGIES", "NO KNOWN ALLERGY", "716186003", "409137002"})
# HL7 table 0128; of the rest (unknown) nothing is told.
_SEVERITY = {"SV": "severe", "MO": "moderate", "MI": "mild"}
_NOT_ADMITTED = frozenset({"P"})
# HL7 table 0004: emergency, outpatient, recurring: visits beside which a patient may lie in a ward.
_BESIDE_A_STAY = frozenset({"E", "O", "R"})


class Movement(StrEnum):
    """What an ADT message says of a stay; `at` of the message is its time."""

    PRESENT = "present"
    UPDATED = "updated"
    ADMITTED = "admitted"
    MOVED = "moved"
    LEFT = "left"
    NEVER_CAME = "never-came"
    STAYS = "stays"
    NONE = "none"


# What tells of a place or of its end is nothing without the visit (PV1), and the first of these not without its place (PV1-3).
_WITH_PLACE = frozenset({Movement.ADMITTED, Movement.MOVED, Movement.STAYS})
_WITH_VISIT = _WITH_PLACE | {Movement.LEFT, Movement.NEVER_CAME}
_NEWS = frozenset({Movement.PRESENT, Movement.UPDATED})
_OF_ONE_VISIT = frozenset({Movement.UPDATED, Movement.LEFT, Movement.NEVER_CAME, Movement.STAYS})
MOVEMENTS = {
    "A01": Movement.ADMITTED,
    "A02": Movement.MOVED,
    "A03": Movement.LEFT,
    "A04": Movement.ADMITTED,
    "A05": Movement.NONE,
    "A08": Movement.UPDATED,
    "A11": Movement.NEVER_CAME,
    "A12": Movement.MOVED,
    "A13": Movement.STAYS,
    "A28": Movement.NONE,
    "A31": Movement.NONE,
    "A60": Movement.NONE,
}


@dataclass(frozen=True, slots=True)
class AllergyNews:
    """Single allergies that a message adds and takes back (IAM-6); the patient's own member is the whole list of one that has AL1."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class People:
    """Who a message is about: the patient, the place, and what happened; `problem` where nobody is named, or where is not said.

    `is_beside`: the visit is of a class (PV1-2) that a patient who lies in a ward may have beside it. `news`: None without any IAM.
    """

    patient: Patient | None = None
    stay: Stay | None = None
    movement: Movement = Movement.PRESENT
    problem: Problem | None = None
    is_beside: bool = False
    news: AllergyNews | None = None


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
    problem = _without_place(visit, stay, movement)
    is_beside = visit is not None and visit.value(2).upper() in _BESIDE_A_STAY
    return People(patient, stay if movement is not Movement.NONE else None, movement, problem, is_beside, _news(message))


def _without_place(visit: Segment | None, stay: Stay | None, movement: Movement) -> Problem | None:
    """Return the problem of a movement that does not say where the patient is, or which visit ends."""
    if stay is not None or movement not in _WITH_VISIT or (visit is not None and visit.value(2).upper() in _NOT_ADMITTED):
        return None
    if visit is None:
        text, text_ru = "a movement of a patient without any visit (PV1): nothing is done", "движение пациента без сведений о госпитализации (PV1): ничего не сделано"
        return Problem(Place("PV1"), ErrorCode.SEGMENT_SEQUENCE, text, text_ru)
    text, text_ru = "a movement of a patient that names no place (PV1-3): nothing is done", "движение пациента без отделения (PV1-3): ничего не сделано"
    return Problem(Place("PV1", 1, 3), ErrorCode.REQUIRED_FIELD_MISSING, text, text_ru)


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
    """Return the whole list of a message's AL1; None where it has none, empty where it says that there are none."""
    found = list(message.all("AL1"))
    return _allergy_texts(found) if found else None


def _allergy_texts(segments: Iterable[Segment]) -> tuple[str, ...]:
    told = [(_substance(segment.element(3)), segment.value(4)) for segment in segments if not segment.is_deleted(3)]
    texts = [allergy_text(text, severity=_SEVERITY.get(grade.upper(), "")) for text, grade in told if text.upper() not in _NO_ALLERGY]
    return tuple(dict.fromkeys(texts))


def _news(message: Message) -> AllergyNews | None:
    """Return what a message's IAM add and take back: each is an action on one allergy (HL7 table 0206), never the whole list."""
    segments = list(message.all("IAM"))
    if not segments:
        return None
    removed = tuple(_substance(segment.element(3)) for segment in segments if segment.value(6).upper() == "D")
    return AllergyNews(_allergy_texts(segment for segment in segments if segment.value(6).upper() not in ("D", "X")), removed)


def _with_news(known: tuple[str, ...] | None, news: AllergyNews | None) -> tuple[str, ...] | None:
    """Return allergies after single ones were added and taken back."""
    if news is None:
        return known
    left = [text for text in known or () if not any(_is_of(text, substance) for substance in news.removed)]
    told = tuple(dict.fromkeys((*left, *news.added)))
    return None if known is None and not told and news.removed else told


def _is_of(text: str, substance: str) -> bool:
    """Tell whether an allergy is to a substance, however grave it was told to be."""
    return text.casefold() == substance.casefold() or text.casefold().startswith(f"{substance.casefold()} (severity ")


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
        return told.end if told is not None else at
    return told.end if told is not None and movement in _NEWS else None


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
    if finished_at is None and (movement in _NEWS or movement is Movement.MOVED) and same_visit:
        finished_at, died = known.finished_at, known.died
    department = told.department or known.department
    kept = known if department == known.department and same_visit and not _is_other_room(told, known) else told
    return Stay(known.patient, visit, department, told.room or kept.room, told.bed or kept.bed, finished_at, died)


def _is_other_room(told: Stay, known: Stay) -> bool:
    return bool(told.room) and told.room != known.room


def merged(told: Patient, known: Patient | None, news: AllergyNews | None = None) -> Patient:
    """Return a patient after a message; what it leaves out stays known."""
    if known is None:
        return replace(told, allergies=_with_news(told.allergies, news))
    family, given = (told.family, told.given) if told.family else (known.family, known.given)
    allergies = _with_news(told.allergies if told.allergies is not None else known.allergies, news)
    return replace(told, family=family, given=given, birth_date=told.birth_date or known.birth_date, allergies=allergies)


def visit_beside(people: People, known: Stay | None) -> Words | None:
    """Return why a visit is passed over: it is to a clinic or the like, and not the stay that is known of the patient."""
    told = people.stay
    if told is None or known is None or not people.is_beside or told.died or told.encounter == known.encounter:
        return None
    visit, stay = told.encounter or "(PV1-19 -)", known.encounter or "(PV1-19 -)"
    return Words(
        f"the visit {visit} is not the stay {stay} in which the patient lies or lay here: it moves and ends nothing",
        f"посещение {visit} — не госпитализация {stay}, по которой пациент лежит или лежал здесь: оно ничего не меняет",
    )


def other_visit(told: Stay, known: Stay | None, movement: Movement) -> Problem | None:
    """Return the problem of news, of an end or of one taken back that are of another visit than the patient's stay here."""
    if known is None or told.died or movement not in _OF_ONE_VISIT or (known.finished_at is not None and movement is not Movement.STAYS):
        return None
    if not told.encounter or not known.encounter or told.encounter == known.encounter:
        return None
    if movement is Movement.STAYS:
        text = f"the discharge of the visit {told.encounter} is taken back, but the patient is known here under the visit {known.encounter}"
        text_ru = f"отменена выписка по посещению {told.encounter}, а пациент известен здесь по посещению {known.encounter}"
        return Problem(Place("PV1", 1, 19), ErrorCode.UNKNOWN_KEY, text, text_ru)
    if movement is Movement.UPDATED:
        text = f"news of the visit {told.encounter}, but the patient lies here under the visit {known.encounter}, and no admission was told of"
        text_ru = f"сведения о посещении {told.encounter}, а пациент лежит здесь по посещению {known.encounter}; о поступлении не сообщали"
        return Problem(Place("PV1", 1, 19), ErrorCode.UNKNOWN_KEY, text, text_ru)
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
        before, lay = patients.get(one.patient.id), stays.get(one.patient.id)
        told = one.patient.allergies if one.patient.allergies is not None or before is None else before.allergies
        patients[one.patient.id] = replace(one.patient, allergies=_with_news(told, one.news))
        if one.stay is not None and visit_beside(one, lay) is None:
            stays[one.patient.id] = placed(one.stay, lay, one.movement)
    return tuple(patients.values()), tuple(stays.values())
