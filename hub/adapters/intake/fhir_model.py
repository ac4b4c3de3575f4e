"""The part of FHIR that intake reads, as typed structs: the union of the members of STU3, R4, R4B and R5.

A resource does not say its version. Where versions give one name two shapes, the member takes both; where they give one thing
two names, both are members. What stands anywhere and may never be ignored (modifier extensions …) is found by `fhir_marks`.
"""

from decimal import Decimal
from typing import Any, Literal

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
    use: str = ""


class Reference(_Element):
    """Reference."""

    reference: str = ""
    display: str = ""
    identifier: Identifier | None = None


class Requester(Reference):
    """Who ordered: a Reference, in STU3 an element that has one as `agent`."""

    agent: Reference | None = None


class CodeableReference(_Element):
    """CodeableReference of R5."""

    concept: Concept | None = None
    reference: Reference | None = None


class Period(_Element):
    """Period."""

    start: str = ""
    end: str = ""


class Amount(_Element):
    """Quantity; the value is exact."""

    value: Decimal | None = None
    unit: str = ""
    code: str = ""
    system: str = ""
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
    """Dosage.doseAndRate; in STU3 these members (but `type`) stand in the dosage itself."""

    type: Concept | None = None
    dose_quantity: Amount | None = None
    dose_range: AmountRange | None = None
    rate_quantity: Amount | None = None
    rate_range: AmountRange | None = None
    rate_ratio: Ratio | None = None


class Repeat(_Element):
    """Timing.repeat; whole numbers are read as they are written, so that `1.5` times is named and does not hide the whole order."""

    bounds_period: Period | None = None
    bounds_duration: Amount | None = None
    bounds_range: AmountRange | None = None
    count: Decimal | None = None
    count_max: Decimal | None = None
    duration: Decimal | None = None
    duration_max: Decimal | None = None
    duration_unit: str = ""
    frequency: Decimal | None = None
    frequency_max: Decimal | None = None
    period: Decimal | None = None
    period_max: Decimal | None = None
    period_unit: str = ""
    day_of_week: list[str | None] = []
    time_of_day: list[str | None] = []
    when: list[str | None] = []
    offset: Decimal | None = None


class TimingElement(_Element):
    """Timing."""

    code: Concept | None = None
    repeat: Repeat | None = None
    event: list[str | None] = []


class Extension(_Element):
    """Extension, as far as one that carries a later version's member is read."""

    url: str = ""
    value_boolean: bool = False
    value_codeable_concept: Concept | None = None


class DosageElement(DoseAndRate):
    """Dosage; `as_needed` and `as_needed_for` are of R5, which earlier versions carry as extensions."""

    sequence: int | None = None
    text: str = ""
    timing: TimingElement | None = None
    route: Concept | None = None
    site: Concept | None = None
    method: Concept | None = None
    dose_and_rate: list[DoseAndRate] = []
    as_needed_boolean: bool = False
    as_needed_codeable_concept: Concept | None = None
    as_needed: bool = False
    as_needed_for: list[Concept] = []
    additional_instruction: list[Concept] = []
    patient_instruction: str = ""
    max_dose_per_period: Ratio | list[Ratio] | None = None
    max_dose_per_administration: Amount | None = None
    max_dose_per_lifetime: Amount | None = None
    extension: list[Extension] = []


class DispenseRequest(_Element):
    """MedicationRequest.dispenseRequest."""

    validity_period: Period | None = None


class Note(_Element):
    """Annotation."""

    text: str = ""


class Ingredient(_Element):
    """Medication.ingredient; `item` is of R5."""

    item: CodeableReference | None = None
    item_codeable_concept: Concept | None = None
    item_reference: Reference | None = None


class Medication(_Element):
    """Medication, contained or of its own."""

    id: str = ""
    status: str = ""
    code: Concept | None = None
    ingredient: list[Ingredient] = []


class Substitution(_Element):
    """MedicationRequest.substitution; `allowed` is of STU3."""

    allowed: bool | None = None
    allowed_boolean: bool | None = None
    allowed_codeable_concept: Concept | None = None
    reason: Concept | None = None


class MedicationRequest(_Element):
    """MedicationRequest; its dosages and what it contains stay undecoded.

    Of STU3: `context`, one category, a requester with an agent; of R5: `medication`, `reported`, `effective_dose_period` and so on.
    """

    id: str = ""
    status: str = ""
    intent: str = ""
    priority: str = ""
    do_not_perform: bool = False
    reported: bool = False
    reported_boolean: bool = False
    reported_reference: Reference | None = None
    category: Concept | list[Concept] = []
    medication: CodeableReference | None = None
    medication_codeable_concept: Concept | None = None
    medication_reference: Reference | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    context: Reference | None = None
    requester: Requester | None = None
    authored_on: str = ""
    status_reason: Concept | None = None
    status_changed: str = ""
    group_identifier: Identifier | None = None
    prior_prescription: Reference | None = None
    substitution: Substitution | None = None
    effective_dose_period: Period | None = None
    rendered_dosage_instruction: str = ""
    dosage_instruction: list[msgspec.Raw] = []
    dispense_request: DispenseRequest | None = None
    note: list[Note] = []
    contained: list[msgspec.Raw] = []


class HumanName(_Element):
    """HumanName."""

    family: str = ""
    given: list[str | None] = []
    text: str = ""
    use: str = ""


class Meta(_Element):
    """Resource.meta."""

    last_updated: str = ""


class PatientLink(_Element):
    """Patient.link."""

    type: str = ""
    other: Reference | None = None


class PatientResource(_Element):
    """Patient."""

    id: str = ""
    identifier: list[Identifier] = []
    name: list[HumanName] = []
    birth_date: str = ""
    active: bool = True
    deceased_boolean: bool = False
    deceased_date_time: str = ""
    link: list[PatientLink] = []
    meta: Meta | None = None


class EncounterLocation(_Element):
    """Encounter.location."""

    location: Reference | None = None
    status: str = ""


class Encounter(_Element):
    """Encounter; its period is `actualPeriod` in R5, its class a Coding or a list of concepts."""

    id: str = ""
    status: str = ""
    kind: Any = msgspec.field(name="class", default=None)
    subject: Reference | None = None
    period: Period | None = None
    actual_period: Period | None = None
    location: list[EncounterLocation] = []


class Location(_Element):
    """Location; the kind of place is `physicalType`, in R5 `form`."""

    id: str = ""
    name: str = ""
    physical_type: Concept | None = None
    form: Concept | None = None
    part_of: Reference | None = None


class Reaction(_Element):
    """AllergyIntolerance.reaction."""

    substance: Concept | None = None
    severity: str = ""


class Allergy(_Element):
    """AllergyIntolerance; its states are codes in STU3."""

    id: str = ""
    code: Concept | None = None
    patient: Reference | None = None
    clinical_status: str | Concept | None = None
    verification_status: str | Concept | None = None
    criticality: str = ""
    reaction: list[Reaction] = []


class Kind(_Element):
    """What stands at the head of every resource."""

    resource_type: str = ""
    id: str = ""
    subject: msgspec.Raw = msgspec.Raw()


class EntryRequest(_Element):
    """Bundle.entry.request."""

    method: str = ""
    url: str = ""


class EntrySearch(_Element):
    """Bundle.entry.search."""

    mode: str = ""


class Entry(_Element):
    """Bundle.entry."""

    full_url: str = ""
    resource: msgspec.Raw = msgspec.Raw()
    request: EntryRequest | None = None
    search: EntrySearch | None = None


class Link(_Element):
    """Bundle.link."""

    relation: str = ""
    url: str = ""


class Bundle(_Element):
    """Bundle; the entries stay undecoded, so that one that cannot be read stops no other."""

    resource_type: Literal["Bundle"]
    type: str = ""
    total: int | None = None
    link: list[Link] = []
    entry: list[msgspec.Raw] = []


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
