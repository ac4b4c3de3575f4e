"""The part of FHIR R4 that intake reads, as typed structs; what must never be ignored has a member of its own."""

from decimal import Decimal
from typing import Any

import msgspec


class _Element(msgspec.Struct, rename="camel", gc=False):
    """A FHIR element; members that are not listed are skipped while decoding."""


class Coding(_Element):
    """Coding."""

    code: str = ""
    display: str = ""
    system: str = ""


class Concept(_Element):
    """CodeableConcept."""

    coding: list[Coding] = []
    text: str = ""

    def first_text(self) -> str:
        """Return the text, or else the first display or code."""
        if self.text or not self.coding:
            return self.text
        return self.coding[0].display or self.coding[0].code

    def first_code(self) -> str:
        """Return the first code, or else the text."""
        for coding in self.coding:
            if coding.code:
                return coding.code
        return self.text


class Identifier(_Element):
    """Identifier."""

    value: str = ""
    system: str = ""


class Reference(_Element):
    """Reference."""

    reference: str = ""
    display: str = ""
    identifier: Identifier | None = None


class Period(_Element):
    """Period."""

    start: str = ""
    end: str = ""


class Amount(_Element):
    """Quantity; the value is exact."""

    value: Decimal | None = None
    unit: str = ""
    code: str = ""
    comparator: str = ""


class AmountRange(_Element):
    """Range."""

    low: Amount | None = None
    high: Amount | None = None


class Ratio(_Element):
    """Ratio."""

    numerator: Amount | None = None
    denominator: Amount | None = None


class DoseAndRate(_Element):
    """DosageElement.doseAndRate."""

    dose_quantity: Amount | None = None
    dose_range: AmountRange | None = None
    rate_quantity: Amount | None = None
    rate_range: AmountRange | None = None
    rate_ratio: Ratio | None = None


class Repeat(_Element):
    """Timing.repeat."""

    bounds_period: Period | None = None
    bounds_duration: Amount | None = None
    bounds_range: AmountRange | None = None
    count: int | None = None
    count_max: int | None = None
    duration: Decimal | None = None
    duration_max: Decimal | None = None
    frequency: int | None = None
    frequency_max: int | None = None
    period: Decimal | None = None
    period_max: Decimal | None = None
    period_unit: str = ""
    day_of_week: list[str] = []
    time_of_day: list[str] = []
    when: list[str] = []
    offset: int | None = None
    modifier_extension: list[Any] = []


class TimingElement(_Element):
    """Timing."""

    code: Concept | None = None
    repeat: Repeat | None = None
    event: list[str] = []
    modifier_extension: list[Any] = []


class DosageElement(_Element):
    """DosageElement; `as_needed` is of R5 and named so that it is not overlooked."""

    text: str = ""
    timing: TimingElement | None = None
    route: Concept | None = None
    site: Concept | None = None
    method: Concept | None = None
    dose_and_rate: list[DoseAndRate] = []
    as_needed_boolean: bool = False
    as_needed_codeable_concept: Concept | None = None
    as_needed: Any = None
    additional_instruction: list[Concept] = []
    patient_instruction: str = ""
    max_dose_per_period: Ratio | None = None
    max_dose_per_administration: Amount | None = None
    max_dose_per_lifetime: Amount | None = None
    modifier_extension: list[Any] = []


class DispenseRequest(_Element):
    """MedicationRequest.dispenseRequest."""

    validity_period: Period | None = None
    modifier_extension: list[Any] = []


class Note(_Element):
    """Annotation."""

    text: str = ""


class Medication(_Element):
    """Medication, contained or of its own."""

    id: str = ""
    code: Concept | None = None
    modifier_extension: list[Any] = []


class MedicationRequest(_Element):
    """MedicationRequest."""

    id: str = ""
    status: str = ""
    intent: str = ""
    priority: str = ""
    do_not_perform: bool = False
    reported_boolean: bool = False
    reported_reference: Reference | None = None
    category: list[Concept] = []
    medication_codeable_concept: Concept | None = None
    medication_reference: Reference | None = None
    subject: Reference | None = None
    requester: Reference | None = None
    authored_on: str = ""
    status_reason: Concept | None = None
    dosage_instruction: list[DosageElement] = []
    dispense_request: DispenseRequest | None = None
    note: list[Note] = []
    contained: list[msgspec.Raw] = []
    modifier_extension: list[Any] = []
    implicit_rules: str = ""


class HumanName(_Element):
    """HumanName."""

    family: str = ""
    given: list[str] = []
    text: str = ""
    use: str = ""


class PatientResource(_Element):
    """Patient."""

    id: str = ""
    identifier: list[Identifier] = []
    name: list[HumanName] = []
    birth_date: str = ""
    active: bool = True
    modifier_extension: list[Any] = []
    implicit_rules: str = ""


class EncounterLocation(_Element):
    """Encounter.location."""

    location: Reference | None = None
    status: str = ""


class Encounter(_Element):
    """Encounter."""

    id: str = ""
    status: str = ""
    subject: Reference | None = None
    period: Period | None = None
    location: list[EncounterLocation] = []
    modifier_extension: list[Any] = []
    implicit_rules: str = ""


class Allergy(_Element):
    """AllergyIntolerance."""

    id: str = ""
    code: Concept | None = None
    patient: Reference | None = None
    clinical_status: Concept | None = None
    verification_status: Concept | None = None
    modifier_extension: list[Any] = []


class Kind(_Element):
    """What stands at the head of every resource."""

    resource_type: str = ""
    id: str = ""


class EntryRequest(_Element):
    """Bundle.entry.request."""

    method: str = ""


class Entry(_Element):
    """Bundle.entry."""

    full_url: str = ""
    resource: msgspec.Raw = msgspec.Raw()
    request: EntryRequest | None = None


class Link(_Element):
    """Bundle.link."""

    relation: str = ""
    url: str = ""


class Bundle(_Element):
    """Bundle; the resources stay undecoded until their type is known."""

    resource_type: str = ""
    type: str = ""
    total: int | None = None
    link: list[Link] = []
    entry: list[Entry] = []


class Change(_Element):
    """One line of a changes feed."""

    at: str = ""
    resource: msgspec.Raw = msgspec.Raw()


class Issue(_Element):
    """OperationOutcome.issue."""

    severity: str = ""
    diagnostics: str = ""


class OperationOutcome(_Element):
    """OperationOutcome."""

    issue: list[Issue] = []
