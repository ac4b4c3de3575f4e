"""What one FHIR file holds beside its orders: people, stays, allergies, places, medications, and how references find them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo

import msgspec

from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.fhir_drug import DrugReader
from hub.adapters.intake.fhir_found import Found, Unread, decoded, type_and_id
from hub.adapters.intake.fhir_marks import marks_of
from hub.adapters.intake.fhir_model import (
    Allergy,
    Encounter,
    Location,
    Medication,
    MedicationRequest,
    OperationOutcome,
    PatientResource,
    Reference,
)
from hub.adapters.intake.fhir_order import OrderReader
from hub.adapters.intake.fhir_people import (
    NO_STAY,
    allergy_text,
    died_at,
    ended_at,
    is_visit,
    one_stay_each,
    patient_of,
    what_is_no_stay,
)
from hub.adapters.intake.fhir_places import place_of
from hub.domain.drugs import DrugDirectory
from hub.domain.identifiers import PatientId, derived_id
from hub.domain.orders import Patient, Reject, SourceSettings, Stay
from hub.domain.words import Words, place_ru

BESIDE = frozenset({
    "Practitioner", "PractitionerRole", "Organization", "Condition", "Observation", "Coverage", "Provenance", "CareTeam",
    "CarePlan", "Account", "Binary", "Device", "DiagnosticReport", "DocumentReference", "EpisodeOfCare", "Flag", "Goal",
    "Group", "HealthcareService", "Immunization", "MedicationAdministration", "MedicationDispense", "MedicationKnowledge",
    "MedicationStatement", "Procedure", "RelatedPerson", "ServiceRequest", "Specimen", "Substance", "Task", "AuditEvent",
    "Parameters", "List", "Composition", "MessageHeader", "Endpoint", "FamilyMemberHistory", "QuestionnaireResponse", "Consent",
    "Communication", "Appointment", "ImagingStudy", "Claim", "ExplanationOfBenefit", "SupplyDelivery", "Media", "Schedule", "Slot",
    "DeviceUseStatement", "DeviceUsage", "ClinicalImpression", "DetectedIssue", "RiskAssessment", "BodyStructure", "BodySite",
})  # fmt: skip
_KNOWN: Mapping[str, type[msgspec.Struct]] = {
    "Patient": PatientResource, "Encounter": Encounter, "AllergyIntolerance": Allergy, "Location": Location, "Medication": Medication,
}  # fmt: skip
_QUERY = "?identifier="


class _Subject(msgspec.Struct):
    subject: Reference | None = None
    patient: Reference | None = None


@dataclass(slots=True)
class FhirFile:
    """The resources of one file by their kind and id, each with its place; orders are read apart.

    `complete` is false for changes: there a patient without allergies is no news, not a patient who has none. `doubts` are what is
    wrong with a resource, by (type, id): every line that needs it has to say so.
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
    locations: dict[str, tuple[str, Location]] = field(default_factory=dict)
    medications: dict[str, tuple[str, Medication]] = field(default_factory=dict)
    codes: dict[str, PatientId] = field(default_factory=dict)
    doubts: dict[tuple[str, str], list[Words]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)

    def resolve(self, reference: str) -> tuple[str, str]:
        """Return (type, id) of a reference: a full URL of this file, relative, absolute, versioned or `urn:uuid:`."""
        return self.names.get(reference) or type_and_id(reference)

    def reader(self) -> OrderReader:
        """Return the reader of this file's orders."""
        drugs = DrugReader(self.directory, self.medication)
        return OrderReader(self.name, self.source, self.zone, drugs, self.patient_of, self.doubts_of)

    def medication(self, reference: str) -> tuple[Medication, tuple[Words, ...]] | None:
        """Return the Medication of this file that a reference names, and what may not be ignored of it."""
        identity = self.resolve(reference)[1]
        found = self.medications.get(identity)
        return (found[1], tuple(self.doubts.get(("Medication", identity), ()))) if found else None

    def patient_of(self, order: MedicationRequest, subject: Reference | None) -> PatientId:
        """Return the patient a reference names: by reference, by a search for an identifier, or by the wristband's code; else empty."""
        if subject is None:
            return PatientId("")
        reference = subject.reference
        if reference and not reference.startswith("#") and _QUERY not in reference:
            kind, identity = self.resolve(reference)
            return PatientId(identity if kind in ("Patient", "") else "")
        codes = [reference.partition(_QUERY)[2].rpartition("|")[2]] if _QUERY in reference else []
        codes += [subject.identifier.value] if subject.identifier else []
        codes += _codes_of_contained(order, reference[1:]) if reference.startswith("#") else []
        return next((self.codes[code] for code in codes if code in self.codes), PatientId(""))

    def doubts_of(self, order: MedicationRequest, patient: PatientId) -> Sequence[Words]:
        """Return what is wrong with the patient and the stay that an order names."""
        if not self.doubts:
            return ()
        stay = order.encounter or order.context
        asked = [("Patient", str(patient)), *([("Encounter", self.resolve(stay.reference)[1])] if stay else [])]
        return [doubt for key in asked for doubt in self.doubts.get(key, ())]

    def take(self, found: Found) -> None:
        """Keep a resource that is no order; one that cannot be read is a reject, and the lines that need it will say so."""
        if found.full_url:
            self.names[found.full_url] = (found.kind, found.identity)
        if found.problem:
            self._reject(found, found.field, found.problem)
        elif found.kind in _KNOWN:
            self._take_known(found)
        elif found.kind == "OperationOutcome":
            self._refuse_failure(found)
        elif found.kind not in BESIDE:
            self._reject(
                found,
                "resourceType",
                Words(
                    f"resources of the type {found.kind[:80] or '(none)'} are not read, and it may not be left out unseen",
                    f"ресурсы типа {found.kind[:80] or '(нет)'} не читаются, а пропустить его молча нельзя",
                ),
            )

    def _take_known(self, found: Found) -> None:
        if not found.identity and found.kind == "Patient":
            self._reject(found, "Patient.id", Words(
                "the patient has no id, so nothing can be told to be theirs",
                "у пациента нет id: неизвестно, что к нему относится",
            ))
            return
        found.identity = found.identity or derived_id(bytes(found.raw).decode(errors="replace"))
        value = decoded(_KNOWN[found.kind], found.raw)
        if isinstance(value, Unread):
            self._reject(found, f"{found.kind}.{value.field}".rstrip("."), Words(
                f"it cannot be read: {value.reason.en}",
                f"не читается: {value.reason.ru}",
            ))
            self._doubt(found, Words(
                f"the {found.kind} in {found.position} cannot be read",
                f"{found.kind} ({place_ru(found.position)}) не читается",
            ))
            return
        self._keep(found, value)
        for mark in marks_of(bytes(found.raw)):
            if found.kind == "Medication" or mark.en.startswith(("modifierExtension", "implicitRules")):
                self._doubt(
                    found, mark if found.kind == "Medication" else _marked(found, mark)
                )

    def _keep(self, found: Found, value: object) -> None:
        """Keep a resource; a second one of its id has to say the same."""
        kept: dict[str, tuple[str, object]] = {
            "Patient": self.patients, "Encounter": self.encounters, "AllergyIntolerance": self.allergies,
            "Location": self.locations, "Medication": self.medications,
        }[found.kind]  # type: ignore[assignment]  # fmt: skip
        before, known = kept.setdefault(found.identity, (found.position, value))
        if known != value:
            reason = Words(
                f"the {found.kind} {found.identity} is there twice and differs from the one in {before}",
                f"{found.kind} {found.identity} есть дважды и отличается от первого ({place_ru(before)})",
            )
            self._reject(found, "id", reason)
            self._doubt(found, reason)
        elif isinstance(value, PatientResource):
            self._keep_codes(found.identity, value)

    def _keep_codes(self, identity: str, patient: PatientResource) -> None:
        for identifier in patient.identifier:
            if identifier.use != "old":
                self.codes.setdefault(identifier.value, PatientId(identity))
        if not patient.active:
            self.doubts.setdefault(("Patient", identity), []).append(
                Words("the patient's record is not in use (active is false)", "запись о пациенте не действует (active — false)")
            )
        for link in patient.link:
            if link.type == "replaced-by":
                other = link.other.reference if link.other else "?"
                self.doubts.setdefault(("Patient", identity), []).append(
                    Words(f"the patient's record was replaced by {other}", f"запись о пациенте заменена на {other}")
                )

    def _reject(self, found: Found, member: str, reason: Words) -> None:
        self.rejects.append(Reject(f"{self.name} {found.position}", member, reason))

    def _doubt(self, found: Found, words: Words) -> None:
        """Remember what is wrong with a resource, also for the patient whom a stay or an allergy is about."""
        self.doubts.setdefault((found.kind, found.identity), []).append(words)
        about = decoded(_Subject, found.raw) if found.kind in ("Encounter", "AllergyIntolerance") else None
        if isinstance(about, _Subject) and (person := about.subject or about.patient):
            self.doubts.setdefault(("Patient", self.resolve(person.reference)[1]), []).append(words)

    def _refuse_failure(self, found: Found) -> None:
        outcome = decoded(OperationOutcome, found.raw)
        if isinstance(outcome, Unread):
            raise IntakeError(
                self.name,
                found.position,
                outcome.field,
                Words(
                    f"the sender reports something that cannot be read: {outcome.reason.en}",
                    f"сообщение отправителя не читается: {outcome.reason.ru}",
                ),
            )
        for issue in outcome.issue:
            if issue.severity in ("error", "fatal"):
                raise IntakeError(
                    self.name, found.position, "", Words(
                        f"the sender reports a failure: {issue.diagnostics or '(no words)'}",
                        f"отправитель сообщает об ошибке: {issue.diagnostics or '(без слов)'}",
                    )
                )

    def people(self) -> tuple[tuple[Patient, ...], tuple[Stay, ...]]:
        """Return the patients with their allergies, and the stay that counts for each of them; to be called once, before orders are read."""
        allergies = self._allergies()
        unknown = () if self.source.allergies_provided and self.complete else None
        patients = tuple(
            patient_of(identity, patient, tuple(allergies[identity]) if identity in allergies else unknown)
            for identity, (_, patient) in self.patients.items()
        )
        return patients, self._with_deaths(one_stay_each(self._stays(), {name for name, (_, stay) in self.encounters.items() if is_visit(stay.kind)}))

    def _allergies(self) -> dict[str, list[str]]:
        allergies: dict[str, list[str]] = {}
        for position, allergy in self.allergies.values():
            identity = self.resolve((allergy.patient or Reference()).reference)[1]
            if not (text := allergy_text(allergy)):
                continue
            if identity in self.patients:
                allergies.setdefault(identity, []).append(text)
            else:
                self.rejects.append(
                    Reject(
                        f"{self.name} {position}",
                        "AllergyIntolerance.patient",
                        Words(f"patient {identity or '(none)'} is not in the file", f"пациента {identity or '(нет)'} нет в файле"),
                    )
                )
        return allergies

    def _stays(self) -> Iterator[Stay]:
        for identity, (position, encounter) in self.encounters.items():
            patient = self.resolve(encounter.subject.reference)[1] if encounter.subject else ""
            if encounter.status in NO_STAY:
                continue
            problems = [problem] if (problem := what_is_no_stay(encounter, patient)) else []
            (department, room, bed), odd = self._place(encounter)
            finished_at = ended_at(encounter, self.zone, problems)
            self._name(position, "Encounter", patient, [*problems, *odd])
            if not problems:
                yield Stay(PatientId(patient), identity, department, room, bed, finished_at)

    def _place(self, encounter: Encounter) -> tuple[tuple[str, str, str], list[Words]]:
        """Return where an encounter is, and what is wrong with the Locations that were asked for it."""
        asked: list[str] = []

        def location(reference: str) -> Location | None:
            asked.append(self.resolve(reference)[1])
            found = self.locations.get(asked[-1])
            return found[1] if found else None

        place, problem = place_of(encounter, location)
        odd = [doubt for identity in dict.fromkeys(asked) for doubt in self.doubts.get(("Location", identity), ())]
        return place, [*odd, *([problem] if problem else [])]

    def _with_deaths(self, stays: Iterable[Stay]) -> tuple[Stay, ...]:
        """Return the stays with those of the dead ended at their death (a dead patient without a stay gets one that is over)."""
        found = {stay.patient: stay for stay in stays}
        for identity, (position, patient) in self.patients.items():
            problems: list[Words] = []
            died = died_at(patient, self.zone, problems)
            self._name(position, "Patient.deceased", identity, problems)
            if died is not None:
                stay = found.get(PatientId(identity), Stay(PatientId(identity), "", "", "", ""))
                found[stay.patient] = replace(stay, finished_at=min(died, stay.finished_at or died), died=True)
        return tuple(found.values())

    def _name(self, position: str, member: str, patient: str, problems: Sequence[Words]) -> None:
        """List what is wrong with a stay or a death, and let every line of the patient say it."""
        for problem in problems:
            self.rejects.append(Reject(f"{self.name} {position}", member, problem))
            self.doubts.setdefault(("Patient", patient), []).append(Words(
                f"{member} in {position}: {problem.en}",
                f"не понято в {member} ({place_ru(position)}): {problem.ru}",
            ))


def _marked(found: Found, mark: Words) -> Words:
    return Words(f"the {found.kind} in {found.position} has a {mark.en}", f"{found.kind} ({place_ru(found.position)}) содержит: {mark.ru}")


def _codes_of_contained(order: MedicationRequest, identity: str) -> list[str]:
    """Return the identifiers of a contained Patient."""
    patients = (decoded(PatientResource, raw) for raw in order.contained)
    return [
        identifier.value
        for patient in patients
        if isinstance(patient, PatientResource) and patient.id.removeprefix("#") == identity
        for identifier in patient.identifier
    ]
