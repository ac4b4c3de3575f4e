"""A FHIR R4 MedicationRequest read into an order line; whatever may not be ignored is named in `unsupported`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache

import msgspec

from hub.adapters.intake.amounts import quantity
from hub.adapters.intake.fhir_model import (
    Amount,
    Concept,
    DosageElement,
    DoseAndRate,
    Medication,
    MedicationRequest,
    Ratio,
    Reference,
)
from hub.adapters.intake.fhir_timing import read_bounds, read_timing
from hub.adapters.intake.moments import is_date_alone, moment
from hub.domain.drugs import DrugDirectory
from hub.domain.identifiers import DrugCode, OrderId, PatientId
from hub.domain.orders import OrderLine, OrderStatus, SourceSettings
from hub.domain.quantities import Quantity
from hub.domain.timing import Dosage, Timing

ORDER_INTENTS = frozenset({"order", "original-order", "instance-order", "filler-order"})
URGENT = frozenset({"stat", "asap", "urgent"})
URGENT_CODES = frozenset({"NOW", "STAT"})
_STATUSES = {status.value: status for status in OrderStatus}
_MEDICATION = msgspec.json.Decoder(Medication)

Dose = tuple[Quantity, Quantity]


@dataclass(frozen=True, slots=True)
class OrderReader:
    """What reading an order needs to know of its sheet; `resolve` turns a reference into (type, id)."""

    sheet: str
    source: SourceSettings
    directory: DrugDirectory
    zone: tzinfo
    resolve: Callable[[str], tuple[str, str]]
    medication: Callable[[str], Medication | None]
    patient_of_code: Callable[[str], PatientId | None]

    def line(self, order: MedicationRequest, order_id: str, position: str) -> OrderLine:
        """Return the line of an order; nothing that is missing or odd is refused here."""
        unsupported = list(_never_ignored(order))
        drug, text = self._drug(order, unsupported)
        dosage = order.dosage_instruction[0] if order.dosage_instruction else DosageElement()
        timing = read_timing(dosage, unsupported)
        dose = _dose(dosage, unsupported)
        starts_at, ends_at = self._bounds(order, dosage, unsupported)
        return OrderLine(
            id=OrderId(order_id),
            version=1,
            source=self.source.name,
            sheet=self.sheet,
            position=position,
            patient=self.patient(order.subject, unsupported),
            drug=drug,
            drug_text=text,
            dosages=(Dosage(dose, timing, dosage.route.first_code() if dosage.route else ""),),
            status=_STATUSES.get(order.status, OrderStatus.UNKNOWN),
            authored_at=self._authored(order, unsupported),
            starts_at=starts_at,
            ends_at=ends_at,
            signed_by=(order.requester.display or order.requester.reference) if order.requester else "",
            note=_note(order, dosage, whole=dose is None or timing is None),
            stat=_is_urgent(order, timing),
            unsupported=tuple(unsupported),
            starts_on_day=self._starts_on_day(order, dosage, starts_at),
        )

    def patient(self, subject: Reference | None, unsupported: list[str]) -> PatientId:
        """Return the patient a reference names, by reference or by the wristband's code; empty where none."""
        if subject and subject.reference:
            kind, identity = self.resolve(subject.reference)
            if kind in ("Patient", ""):
                return PatientId(identity)
        elif subject and subject.identifier and (found := self.patient_of_code(subject.identifier.value)):
            return found
        unsupported.append("no patient is named")
        return PatientId("")

    def _drug(self, order: MedicationRequest, unsupported: list[str]) -> tuple[DrugCode, str]:
        concept = order.medication_codeable_concept
        if concept is None and order.medication_reference is not None:
            concept = self._referred(order, order.medication_reference, unsupported)
        if concept is None:
            unsupported.append("no medication is named")
            return DrugCode("?"), ""
        text = concept.first_text()
        for coding in concept.coding:
            if coding.code in self.directory:
                return DrugCode(coding.code), text
        code = concept.first_code()
        return DrugCode(code if code != concept.text else f"?{text}"), text

    def _referred(self, order: MedicationRequest, reference: Reference, unsupported: list[str]) -> Concept | None:
        found = _contained(order, reference.reference) or self.medication(reference.reference)
        if found is None:
            unsupported.append(f"the medication {reference.reference or reference.display} is not in the file")
            return Concept(text=reference.display or reference.reference)
        if found.modifier_extension:
            unsupported.append("medication with a modifierExtension")
        return found.code

    def _bounds(
        self, order: MedicationRequest, dosage: DosageElement, unsupported: list[str]
    ) -> tuple[datetime | None, datetime | None]:
        request = order.dispense_request
        period = request.validity_period if request else None
        repeat = dosage.timing.repeat if dosage.timing else None
        return read_bounds([(period.start, period.end)] if period else [], repeat, self.zone, unsupported)

    def _starts_on_day(self, order: MedicationRequest, dosage: DosageElement, starts_at: datetime | None) -> bool:
        """Tell whether the start that counts was written as a date alone."""
        request, repeat = order.dispense_request, dosage.timing.repeat if dosage.timing else None
        periods = (request.validity_period if request else None, repeat.bounds_period if repeat else None)
        texts = [period.start for period in periods if period is not None and period.start]
        moments = [moment(text, self.zone) for text in texts if is_date_alone(text)]
        return starts_at is not None and starts_at in moments

    def _authored(self, order: MedicationRequest, unsupported: list[str]) -> datetime | None:
        if not order.authored_on:
            return None
        value = moment(order.authored_on, self.zone)
        if value is None:
            unsupported.append(f"authoredOn that cannot be read: {order.authored_on}")
        return value


def _contained(order: MedicationRequest, reference: str) -> Medication | None:
    if not reference.startswith("#"):
        return None
    for raw in order.contained:
        try:
            found = _MEDICATION.decode(raw)
        except msgspec.MsgspecError:
            continue  # another kind of resource; what is referred to and not found is named
        if found.id.removeprefix("#") == reference[1:]:
            return found
    return None


def _never_ignored(order: MedicationRequest) -> Iterator[str]:
    if order.modifier_extension or (order.dispense_request and order.dispense_request.modifier_extension):
        yield "order with a modifierExtension"
    if order.implicit_rules:
        yield f"order under implicitRules {order.implicit_rules}"
    if order.do_not_perform:
        yield "doNotPerform: the order says that the drug is not to be given"
    if order.status not in _STATUSES:
        yield f"status {order.status}" if order.status else "no status"
    if order.intent not in ORDER_INTENTS:
        yield f"intent {order.intent or '(none)'} is no order"
    if order.reported_boolean or order.reported_reference:
        yield "reported: a record of somebody else's order"
    if len(order.dosage_instruction) > 1:
        yield f"{len(order.dosage_instruction)} dosage instructions"
    for dosage in order.dosage_instruction:
        if dosage.modifier_extension:
            yield "dosage with a modifierExtension"


def _dose(dosage: DosageElement, unsupported: list[str]) -> Dose | None:
    if not dosage.dose_and_rate:
        return None
    if len(dosage.dose_and_rate) > 1:
        unsupported.append(f"{len(dosage.dose_and_rate)} doses in one dosage instruction")
    first = dosage.dose_and_rate[0]
    if first.rate_quantity or first.rate_range or first.rate_ratio:
        unsupported.append("dose with a rate")
    if first.dose_quantity:
        low = high = _quantity(first.dose_quantity, unsupported)
    else:
        low, high = _range(first, unsupported)
    return (low, high) if low is not None and high is not None else None


def _range(dose: DoseAndRate, unsupported: list[str]) -> tuple[Quantity | None, Quantity | None]:
    if dose.dose_range is None or dose.dose_range.low is None or dose.dose_range.high is None:
        if dose.dose_range is not None:
            unsupported.append("dose range with one end")
        return None, None
    low, high = _quantity(dose.dose_range.low, unsupported), _quantity(dose.dose_range.high, unsupported)
    if low and high and (low.unit != high.unit or low.amount > high.amount):
        unsupported.append(f"dose range from {low} to {high}")
        return None, None
    return low, high


def _quantity(amount: Amount, unsupported: list[str]) -> Quantity | None:
    if amount.comparator:
        unsupported.append(f"dose with the comparator {amount.comparator}")
    if amount.value is None:
        return None
    found = quantity(amount.value, amount.unit or amount.code) if amount.value.is_finite() else None
    if found is None:
        unsupported.append(f"a dose of {str(amount.value)[:40]}")
    return found


@lru_cache(maxsize=1024)
def is_urgent_code(code: str) -> bool:
    """Tell whether a frequency code says that the dose is wanted at once (`NOW X1`, `STAT`)."""
    return not URGENT_CODES.isdisjoint(code.upper().split())


def _is_urgent(order: MedicationRequest, timing: Timing | None) -> bool:
    return order.priority in URGENT or bool(timing and timing.code and is_urgent_code(timing.code))


def _note(order: MedicationRequest, dosage: DosageElement, *, whole: bool) -> str:
    parts = sorted((note.text for note in order.note), key=_not_mixture) if order.note else []
    parts += [category.first_text() for category in order.category]
    if order.status_reason:
        parts.append(order.status_reason.first_text())
    if whole or dosage.additional_instruction or dosage.patient_instruction or dosage.site or dosage.method:
        parts += _said(dosage)
    if dosage.max_dose_per_period or dosage.max_dose_per_administration or dosage.max_dose_per_lifetime:
        parts += _limits(dosage)
    return " | ".join([part for part in parts if part])


def _not_mixture(text: str) -> bool:
    """Order the notes so that the one which says that this is a mixture comes first."""
    return not text.strip().casefold().startswith("mixture:")


def _said(dosage: DosageElement) -> Sequence[str]:
    concepts = [*dosage.additional_instruction, *(c for c in (dosage.site, dosage.method) if c)]
    return [dosage.text, *(concept.first_text() for concept in concepts), dosage.patient_instruction]


def _limits(dosage: DosageElement) -> Iterator[str]:
    if dosage.max_dose_per_period:
        yield f"at most {_ratio_text(dosage.max_dose_per_period)}"
    if dosage.max_dose_per_administration:
        yield f"at most {_amount_text(dosage.max_dose_per_administration)} at a time"
    if dosage.max_dose_per_lifetime:
        yield f"at most {_amount_text(dosage.max_dose_per_lifetime)} in a lifetime"


def _ratio_text(ratio: Ratio) -> str:
    return f"{_amount_text(ratio.numerator)} in {_amount_text(ratio.denominator)}"


def _amount_text(amount: Amount | None) -> str:
    return f"{amount.value} {amount.unit or amount.code}" if amount else "?"
