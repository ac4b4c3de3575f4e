"""A changes feed: NDJSON of {"at", "resource"}, plain or gzip, read into dated changes in the order of time."""

import hashlib
import io
from datetime import datetime, tzinfo

from hub.adapters.intake.envelope import unpacked, utf8
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.fhir import read_order
from hub.adapters.intake.fhir_containers import lines_of
from hub.adapters.intake.fhir_file import FhirFile
from hub.adapters.intake.fhir_found import ORDER_KINDS, Found, Unread, decoded, found_resource
from hub.adapters.intake.fhir_model import Change, Reference
from hub.adapters.intake.fhir_people import allergy_text
from hub.adapters.intake.moments import moment
from hub.domain.drugs import DrugDirectory
from hub.domain.identifiers import PatientId
from hub.domain.orders import OrderSheet, Reject, SheetChange, SourceSettings
from hub.domain.words import Words


def read_changes(
    name: str, data: bytes, source: SourceSettings, directory: DrugDirectory, *, zone: tzinfo
) -> OrderSheet:
    """Return a sheet that has only `changes` and `rejects`; raise IntakeError where the feed is cut off or holds no change at all.

    The same order, stay or patient may come again later with another content: that is what a change is. Allergies come
    with the day's sheet; a patient's `allergies` of None here means that nothing is said of them.
    """
    content = utf8(name, unpacked(name, data))
    changes: list[SheetChange] = []
    rejects: list[Reject] = []
    for number, line, too_long in lines_of(io.BytesIO(content)):
        file = FhirFile(name, source, directory, zone, complete=False)
        found = _change_of(f"line {number}", b"" if too_long else line, zone)
        changes += _read(file, *found) if isinstance(found, tuple) else []
        rejects += file.rejects if isinstance(found, tuple) else [_reject(name, number, found)]
    if rejects and not content.endswith(b"\n") and _is_cut(content):
        raise IntakeError(
            name,
            rejects[-1].position.removeprefix(name).strip(),
            "",
            Words(f"{rejects[-1].reason.en}; the file ends there, so it is truncated", f"{rejects[-1].reason.ru}; на этом файл обрывается"),
        )
    if not changes:
        raise _no_feed(name, rejects)
    changes.sort(key=lambda change: change.at)
    return OrderSheet(
        source.name, name, hashlib.sha256(data).hexdigest(), changes=tuple(changes), rejects=tuple(rejects)
    )


def _is_cut(content: bytes) -> bool:
    return isinstance(decoded(Change, content.rpartition(b"\n")[2]), Unread)


def _no_feed(name: str, rejects: list[Reject]) -> IntakeError:
    if not rejects:
        return IntakeError(name, "", "", Words(
            "it holds no Patient, Encounter or MedicationRequest: it is no changes feed",
            "в нём нет ни Patient, ни Encounter, ни MedicationRequest: это не поток изменений",
        ))
    return IntakeError(name, rejects[0].position.removeprefix(name).strip(), rejects[0].field, rejects[0].reason)


def _reject(name: str, number: int, problem: Unread) -> Reject:
    return Reject(f"{name} line {number}", problem.field, problem.reason)


def _change_of(position: str, line: bytes, zone: tzinfo) -> tuple[datetime, Found] | Unread:
    change = decoded(Change, line)
    if isinstance(change, Unread):
        return Unread(change.field, Words(
            f"it is not a whole change in JSON ({change.reason.en})",
            f"это не целое изменение в JSON ({change.reason.ru})",
        ))
    at = moment(change.at, zone) if change.at else None
    if at is None:
        return Unread("at", Words(
            f"the time of the change cannot be read: {change.at or '(none)'}",
            f"время изменения не читается: {change.at or '(нет)'}",
        ))
    if not bytes(change.resource):
        return Unread("resource", Words("the change has no resource", "в изменении нет ресурса"))
    return at, found_resource(position, change.resource)


def _read(file: FhirFile, at: datetime, found: Found) -> list[SheetChange]:
    if found.kind in ORDER_KINDS:
        return [SheetChange(at, line=read_order(file, file.reader(), found))]
    if found.kind == "AllergyIntolerance":
        return _read_allergy(file, at, found)
    file.take(found)
    patients, stays = file.people()
    if found.kind == "Encounter" and not stays and not file.rejects:
        reason = Words("the stay is neither present nor finished", "пациент по этой записи и не лежит, и не выбыл")
        file.rejects.append(Reject(f"{file.name} {found.position}", "status", reason))
    return [SheetChange(at, patient=patient) for patient in patients] + [SheetChange(at, stay=stay) for stay in stays]


def _read_allergy(file: FhirFile, at: datetime, found: Found) -> list[SheetChange]:
    """Return a new allergy of a patient; one that is over or was never true takes nothing away, and is named."""
    file.take(found)
    for position, allergy in file.allergies.values():
        patient, text = file.resolve((allergy.patient or Reference()).reference)[1], allergy_text(allergy)
        if patient and text:
            return [SheetChange(at, allergies=(PatientId(patient), (text,)))]
        field, words = ("status", _OVER) if patient else ("patient", _NOBODYS)
        file.rejects.append(Reject(f"{file.name} {position}", f"AllergyIntolerance.{field}", words))
        return [SheetChange(at, allergies=(PatientId(patient), ()))] if patient else []
    return []


_OVER = Words(
    "the allergy is over, or was never true: what is known of the patient stays until a whole sheet tells otherwise",
    "аллергия снята или не подтвердилась: известное о пациенте остаётся, пока иное не скажет полный лист",
)
_NOBODYS = Words("the allergy names no patient", "в записи об аллергии нет пациента")
