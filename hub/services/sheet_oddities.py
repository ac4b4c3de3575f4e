"""What is odd about a sheet beside its lines: entries that are no line at all, and people who may be mixed up. Nothing is stopped."""

from collections.abc import Sequence

from hub.domain.identifiers import PatientId, derived_id
from hub.domain.namesakes import RULE_NAMESAKES, RULE_NO_NAME, PeopleDoubt, doubts_about_people
from hub.domain.orders import OrderSheet, Reject
from hub.domain.records import Incident
from hub.domain.words import place_ru
from hub.services.ports import UnitOfWork

REJECTED_ROWS = "rejected-rows"
PEOPLE = "people"
SHOWN_REJECTS = 5


def note_oddities(unit: UnitOfWork, sheet: OrderSheet) -> None:
    """Write down every reject of a sheet and open an incident for it, and one for each doubt about its people."""
    note_rejects(unit, sheet)
    for doubt in doubts_about_people(sheet.patients, sheet.stays):
        _open(unit, _incident_of_people(unit, sheet.source, doubt))


def note_rejects(unit: UnitOfWork, sheet: OrderSheet) -> None:
    """Write down every entry of a file that is no line at all, and open an incident that names their places and reasons."""
    if not sheet.rejects:
        return
    unit.record_many("row-rejected", [_reject_fact(sheet, reject) for reject in sheet.rejects])
    _open(unit, _incident_of_rejects(unit, sheet))


def name_alerts(unit: UnitOfWork, department: str) -> frozenset[PatientId]:
    """Return the patients of a department who share a room and a family name with another one now: for labels, trolley and bedside."""
    stays = unit.stays.where(department=department, finished_at=None)
    people = unit.patients.where(id=[stay.patient for stay in stays])
    doubts = doubts_about_people(people, stays)
    return frozenset(patient for doubt in doubts if doubt.reason.rule == RULE_NAMESAKES for patient in doubt.patients)


def _reject_fact(sheet: OrderSheet, reject: Reject) -> dict[str, str]:
    return {
        "sheet": sheet.name, "sha256": sheet.sha256, "source": sheet.source, "position": reject.position, "field": reject.field,
        "reason": reject.reason.en, "reason_ru": reject.reason.ru,
    }  # fmt: skip


def _incident_of_rejects(unit: UnitOfWork, sheet: OrderSheet) -> Incident:
    count, places, places_ru = len(sheet.rejects), _places(sheet.rejects, "en"), _places(sheet.rejects, "ru")
    return Incident(
        derived_id(REJECTED_ROWS, sheet.sha256, digits=16), REJECTED_ROWS,
        f"{count} entries of {sheet.name} could not be read and are no order lines: {places}", unit.now, sheet.name,
        text_ru=f"В листе {sheet.name} не прочитано записей: {count}; это не назначения, их нужно прислать заново: {places_ru}",
    )  # fmt: skip


def _places(rejects: Sequence[Reject], language: str) -> str:
    told = [f"{_position(reject, language)}{f' ({reject.field})' if reject.field else ''}: {reject.reason.said(language)}" for reject in rejects[:SHOWN_REJECTS]]
    more = f"; … +{len(rejects) - SHOWN_REJECTS}" if len(rejects) > SHOWN_REJECTS else ""
    return "; ".join(told) + more


def _position(reject: Reject, language: str) -> str:
    return place_ru(reject.position) if language == "ru" else reject.position


def _incident_of_people(unit: UnitOfWork, source: str, doubt: PeopleDoubt) -> Incident:
    """Return the incident of a doubt; the same people, or a feed without names, are the same incident on the next day's sheet."""
    people = (source,) if doubt.reason.rule == RULE_NO_NAME and len(doubt.patients) > 1 else doubt.patients
    key = derived_id(PEOPLE, doubt.reason.rule, *people, digits=16)
    return Incident(key, doubt.reason.rule, doubt.reason.text, unit.now, ", ".join(doubt.patients)[:200], text_ru=doubt.reason.text_ru)


def _open(unit: UnitOfWork, incident: Incident) -> None:
    if unit.incidents.get(incident.id) is None:
        unit.incidents.put(incident)
        unit.record("incident-opened", {"incident": incident.id, "kind": incident.kind, "text": incident.text})
