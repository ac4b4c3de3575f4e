"""A changes feed: NDJSON of {"at", "resource"}, plain or gzip, read into dated changes in the order of time."""

import hashlib
from datetime import datetime, tzinfo

import msgspec

from hub.adapters.intake.envelope import unpacked, utf8
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.fhir import FhirFile, Found, found_resource, read_order
from hub.adapters.intake.fhir_model import Change
from hub.adapters.intake.moments import moment
from hub.domain.drugs import DrugDirectory
from hub.domain.orders import OrderSheet, SheetChange, SourceSettings

_CHANGE = msgspec.json.Decoder(Change)


def read_changes(
    name: str, data: bytes, source: SourceSettings, directory: DrugDirectory, *, zone: tzinfo
) -> OrderSheet:
    """Return a sheet that has only `changes`; raise IntakeError where any line is not a whole change.

    The same order, stay or patient may come again later with another content: that is what a change is. Allergies come
    with the day's sheet; a patient's `allergies` of None here means that nothing is said of them.
    """
    content = utf8(name, unpacked(name, data))
    changes: list[SheetChange] = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            file = FhirFile(name, source, directory, zone, complete=False)
            changes += _changes_of(name, f"line {number}", line, file)
    if not changes:
        raise IntakeError(name, "", "", "it holds no Patient, Encounter or MedicationRequest: it is no changes feed")
    changes.sort(key=lambda change: change.at)
    return OrderSheet(source.name, name, hashlib.sha256(data).hexdigest(), changes=tuple(changes))


def _changes_of(name: str, position: str, line: bytes, file: FhirFile) -> list[SheetChange]:
    try:
        change = _CHANGE.decode(line)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise IntakeError(name, position, "", f"it is not a whole change in JSON ({error})") from error
    at = moment(change.at, file.zone) if change.at else None
    if at is None:
        raise IntakeError(name, position, "at", f"the time of the change cannot be read: {change.at or '(none)'}")
    if not bytes(change.resource):
        raise IntakeError(name, position, "resource", "the change has no resource")
    return _read(file, at, found_resource(name, position, change.resource))


def _read(file: FhirFile, at: datetime, found: Found) -> list[SheetChange]:
    if found.kind == "MedicationRequest":
        return [SheetChange(at, line=read_order(file, file.reader(), found))]
    if found.kind == "AllergyIntolerance":
        raise IntakeError(file.name, found.position, "resourceType", "an allergy has to come with the day's sheet")
    file.take(found)
    patients, stays = file.people()
    if found.kind == "Encounter" and not stays:
        raise IntakeError(
            file.name, found.position, "status", "the stay names nobody, or is neither present nor finished"
        )
    return [SheetChange(at, patient=patient) for patient in patients] + [SheetChange(at, stay=stay) for stay in stays]
