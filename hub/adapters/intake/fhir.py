"""FHIR R4 sheets: a Bundle or NDJSON of resources, plain or gzip, read into an order sheet; refused whole or read whole."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import TypeVar

import msgspec

from hub.adapters.intake.envelope import unpacked, utf8
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.fhir_model import (
    Allergy,
    Bundle,
    Encounter,
    Kind,
    Medication,
    MedicationRequest,
    OperationOutcome,
    PatientResource,
    Reference,
)
from hub.adapters.intake.fhir_order import OrderReader
from hub.adapters.intake.fhir_people import allergy_text, patient_of, stay_of
from hub.domain.drugs import DrugDirectory
from hub.domain.identifiers import DrugCode, OrderId, PatientId, derived_id
from hub.domain.orders import OrderLine, OrderSheet, OrderStatus, Patient, SourceSettings, Stay
from hub.domain.timing import Dosage

BUNDLE_TYPES = frozenset({"collection", "searchset", "transaction", "batch"})
BESIDE = frozenset({
    "Practitioner", "PractitionerRole", "Organization", "Location", "Medication", "Condition", "Observation",
    "Coverage", "Provenance", "CareTeam", "CarePlan", "Account", "Binary", "Device", "DiagnosticReport",
    "DocumentReference", "EpisodeOfCare", "Flag", "Goal", "Group", "HealthcareService", "Immunization",
    "MedicationAdministration", "MedicationDispense", "MedicationKnowledge", "MedicationStatement", "Procedure",
    "RelatedPerson", "ServiceRequest", "Specimen", "Substance", "Task", "AuditEvent", "Parameters", "List",
    "Composition",
})  # fmt: skip
_BUNDLE = msgspec.json.Decoder(Bundle)
_KIND = msgspec.json.Decoder(Kind)
_ORDER = msgspec.json.Decoder(MedicationRequest)
_PATIENT = msgspec.json.Decoder(PatientResource)
_ENCOUNTER = msgspec.json.Decoder(Encounter)
_ALLERGY = msgspec.json.Decoder(Allergy)
_MEDICATION = msgspec.json.Decoder(Medication)
_OUTCOME = msgspec.json.Decoder(OperationOutcome)

Resource = TypeVar("Resource", PatientResource, Encounter, Allergy, Medication, OperationOutcome)


@dataclass(slots=True)
class Found:
    """One resource of the file, not yet read: where it stands, what it is and what it is called."""

    position: str
    kind: str
    identity: str
    full_url: str
    raw: msgspec.Raw


@dataclass(slots=True)
class FhirFile:
    """The resources of one file by their kind, and how references between them resolve.

    `complete` is false for changes: there a patient without allergies is no news, not a patient who has none.
    """

    name: str
    source: SourceSettings
    directory: DrugDirectory
    zone: tzinfo
    complete: bool = True
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    patients: dict[str, tuple[str, PatientResource]] = field(default_factory=dict)
    encounters: dict[str, tuple[str, Encounter]] = field(default_factory=dict)
    allergies: dict[str, tuple[str, Allergy]] = field(default_factory=dict)
    medications: dict[str, Medication] = field(default_factory=dict)

    def resolve(self, reference: str) -> tuple[str, str]:
        """Return (type, id) of a reference: a full URL of this file, relative, absolute, versioned or `urn:uuid:`."""
        if (known := self.names.get(reference)) is not None:
            return known
        found = self.names[reference] = _type_and_id(reference)
        return found

    def medication(self, reference: str) -> Medication | None:
        """Return the Medication of this file that a reference names."""
        return self.medications.get(self.resolve(reference)[1])

    def patient_of_code(self, code: str) -> PatientId | None:
        """Return the patient of this file whose wristband carries the code."""
        for identity, (_, patient) in self.patients.items():
            if any(identifier.value == code for identifier in patient.identifier):
                return PatientId(identity)
        return None

    def reader(self) -> OrderReader:
        """Return the reader of this file's orders."""
        return OrderReader(
            self.name, self.source, self.directory, self.zone, self.resolve, self.medication, self.patient_of_code
        )

    def take(self, found: Found) -> None:
        """Keep a resource that is not an order; a second one of the same id has to say the same."""
        if found.kind == "Patient":
            self._keep(self.patients, found, self._decoded(_PATIENT, found))
        elif found.kind == "Encounter":
            self._keep(self.encounters, found, self._decoded(_ENCOUNTER, found))
        elif found.kind == "AllergyIntolerance":
            self._keep(self.allergies, found, self._decoded(_ALLERGY, found))
        elif found.kind == "Medication":
            self.medications[found.identity] = self._decoded(_MEDICATION, found)
        elif found.kind == "OperationOutcome":
            self._refuse_failure(found)
        elif found.kind not in BESIDE:
            reason = f"resources of the type {found.kind or '(none)'} are not read, and it may not be left out unseen"
            raise IntakeError(self.name, found.position, "resourceType", reason)

    def _decoded(self, decoder: "msgspec.json.Decoder[Resource]", found: Found) -> Resource:
        try:
            return decoder.decode(found.raw)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise IntakeError(self.name, found.position, found.kind, f"it cannot be read: {error}") from error

    def _keep(self, kept: dict[str, tuple[str, Resource]], found: Found, value: Resource) -> None:
        before = kept.setdefault(found.identity, (found.position, value))
        if before[1] != value:
            raise IntakeError(self.name, found.position, "id", _twice(found.kind, found.identity, before[0]))

    def _refuse_failure(self, found: Found) -> None:
        for issue in self._decoded(_OUTCOME, found).issue:
            if issue.severity in ("error", "fatal"):
                raise IntakeError(self.name, found.position, "", f"the sender reports a failure: {issue.diagnostics}")

    def people(self) -> tuple[tuple[Patient, ...], tuple[Stay, ...]]:
        """Return the patients with their allergies, and the stays."""
        allergies: dict[str, list[str]] = {}
        for _, allergy in self.allergies.values():
            if text := allergy_text(allergy):
                identity = self.resolve((allergy.patient or Reference()).reference)[1]
                allergies.setdefault(identity, []).append(text)
        unknown = () if self.source.allergies_provided and self.complete else None
        patients = tuple(
            patient_of(identity, patient, tuple(allergies[identity]) if identity in allergies else unknown)
            for identity, (_, patient) in self.patients.items()
        )
        self._refuse_orphans(allergies)
        stays = (
            stay_of(identity, encounter, self.resolve, self.zone)
            for identity, (_, encounter) in self.encounters.items()
        )
        return patients, tuple(stay for stay in stays if stay)

    def _refuse_orphans(self, allergies: Iterable[str]) -> None:
        for identity in allergies:
            if identity not in self.patients:
                raise IntakeError(self.name, "", "AllergyIntolerance.patient", f"patient {identity} is not in the file")


def read_fhir(name: str, data: bytes, source: SourceSettings, directory: DrugDirectory, *, zone: tzinfo) -> OrderSheet:
    """Return the sheet of a FHIR R4 Bundle or of NDJSON resources; `zone` is that of dates without a zone.

    Raises IntakeError for a file that is empty, damaged, truncated, foreign, a part of something larger, or that
    says two different things under one id. Odd orders are not refused: see `OrderLine.unsupported`.
    """
    content = utf8(name, unpacked(name, data))
    file = FhirFile(name, source, directory, zone)
    orders: list[Found] = []
    for found in _resources(name, content):
        if found.full_url:
            file.names[found.full_url] = (found.kind, found.identity)
        if found.kind == "MedicationRequest":
            orders.append(found)
        else:
            file.take(found)
    if not (orders or file.patients or file.encounters):
        raise IntakeError(name, "", "", "it holds no Patient, Encounter or MedicationRequest: it is no sheet")
    lines = read_orders(file, orders)
    patients, stays = file.people()
    return OrderSheet(source.name, name, hashlib.sha256(data).hexdigest(), patients, stays, lines)


def _resources(name: str, content: bytes) -> Iterator[Found]:
    """Yield the resources of a Bundle, of NDJSON, or the one resource that the file is."""
    try:
        bundle = _BUNDLE.decode(content)
    except (msgspec.MsgspecError, RecursionError) as error:
        yield from _of_no_bundle(name, content, error)
        return
    if bundle.resource_type == "Bundle":
        yield from _of_bundle(name, bundle)
    else:
        yield found_resource(name, "line 1", msgspec.Raw(content))


def _of_no_bundle(name: str, content: bytes, problem: Exception) -> Iterator[Found]:
    """Yield the resources of what cannot be decoded as a Bundle."""
    try:
        head = _KIND.decode(content)
    except (msgspec.MsgspecError, RecursionError) as error:
        first, _, rest = content.lstrip().partition(b"\n")
        if not first.startswith(b"{") or not first.rstrip().endswith(b"}") or not rest.strip():
            raise IntakeError(name, "", "", f"it is not a whole JSON document ({error})") from error
        yield from _of_lines(name, content)
        return
    if head.resource_type == "Bundle":
        raise IntakeError(name, "", "", f"it is not a Bundle of FHIR R4: {problem}") from problem
    yield found_resource(name, "line 1", msgspec.Raw(content))


def _of_lines(name: str, content: bytes) -> Iterator[Found]:
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            yield found_resource(name, f"line {number}", msgspec.Raw(line))


def _of_bundle(name: str, bundle: Bundle) -> Iterator[Found]:
    _refuse_parts(name, bundle)
    for number, entry in enumerate(bundle.entry, start=1):
        if entry.request and entry.request.method == "DELETE":
            raise IntakeError(name, f"entry {number}", "request.method", "a sheet cannot delete; send a stopped order")
        if not bytes(entry.resource):
            raise IntakeError(name, f"entry {number}", "resource", "the entry has no resource")
        yield found_resource(name, f"entry {number}", entry.resource, entry.full_url)


def _refuse_parts(name: str, bundle: Bundle) -> None:
    if bundle.type not in BUNDLE_TYPES:
        raise IntakeError(name, "", "type", f"a Bundle of the type {bundle.type or '(none)'} is not read as a sheet")
    if not bundle.entry:
        raise IntakeError(name, "", "entry", "the Bundle has no entries")
    if any(link.relation == "next" for link in bundle.link):
        raise IntakeError(name, "", "link", "it is one page of several; a sheet has to come whole")
    if bundle.total is not None and bundle.total > len(bundle.entry):
        reason = f"the Bundle tells of {bundle.total} matches and brings {len(bundle.entry)}"
        raise IntakeError(name, "", "total", reason)


def found_resource(name: str, position: str, raw: msgspec.Raw, full_url: str = "") -> Found:
    """Return a resource with its kind and id; raise IntakeError where it is no JSON object."""
    try:
        head = _KIND.decode(raw)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise IntakeError(name, position, "", f"it is not a resource in JSON ({error})") from error
    return Found(position, head.resource_type, head.id or _type_and_id(full_url)[1], full_url, raw)


def read_orders(file: FhirFile, orders: Iterable[Found]) -> tuple[OrderLine, ...]:
    """Return the lines of the orders; repeated ones collapse with a note, contradicting ones are refused."""
    reader = file.reader()
    lines: dict[str, OrderLine] = {}
    for found in orders:
        line = read_order(file, reader, found)
        before = lines.get(line.id)
        if before is None:
            lines[line.id] = line
        elif replace(before, position=line.position, note=line.note) == line:
            lines[line.id] = replace(before, note=f"{before.note} | repeated in {found.position}".removeprefix(" | "))
        else:
            raise IntakeError(file.name, found.position, "id", _twice("order", line.id, before.position))
    return tuple(lines.values())


def read_order(file: FhirFile, reader: OrderReader, found: Found) -> OrderLine:
    """Return the line of one order; one that cannot be decoded becomes a line that says so."""
    place = f"{file.name} {found.position}"
    try:
        order = _ORDER.decode(found.raw)
    except (msgspec.MsgspecError, RecursionError) as error:
        return _unreadable(file, found, place, str(error))
    if found.identity:
        return reader.line(order, found.identity, place)
    line = reader.line(order, derived_id(file.source.name, bytes(found.raw).decode()), place)
    return replace(line, unsupported=(*line.unsupported, "order without an id"))


def _unreadable(file: FhirFile, found: Found, place: str, reason: str) -> OrderLine:
    identity = found.identity or derived_id(file.source.name, bytes(found.raw).decode())
    return OrderLine(
        id=OrderId(identity), version=1, source=file.source.name, sheet=file.name, position=place,
        patient=_patient_of_unreadable(file, found), drug=DrugCode("?"), drug_text="", dosages=(Dosage(),),
        status=OrderStatus.UNKNOWN, authored_at=None, starts_at=None, ends_at=None, signed_by="",
        unsupported=(f"the order cannot be read: {reason}",),
    )  # fmt: skip


class _Subject(msgspec.Struct):
    subject: Reference | None = None


def _patient_of_unreadable(file: FhirFile, found: Found) -> PatientId:
    try:
        subject = msgspec.json.decode(found.raw, type=_Subject).subject
    except (msgspec.MsgspecError, RecursionError):
        return PatientId("")
    return PatientId(file.resolve(subject.reference)[1]) if subject else PatientId("")


def _type_and_id(reference: str) -> tuple[str, str]:
    if reference.startswith("urn:"):
        return "", reference.rpartition(":")[2]
    parts = reference.partition("/_history/")[0].split("/")
    return (parts[-2] if len(parts) > 1 else ""), parts[-1]


def _twice(kind: str, identity: str, before: str) -> str:
    return f"the {kind} {identity} is there twice and differs from the one in {before}"
