"""A FHIR MedicationRequest (STU3, R4, R4B, R5) read into an order line; whatever may not be ignored is named in `unsupported`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from hub.adapters.intake.fhir_dosage import ReadDosage, read_dosage
from hub.adapters.intake.fhir_drug import DrugReader
from hub.adapters.intake.fhir_found import Unread
from hub.adapters.intake.fhir_model import Concept, MedicationRequest, Period, Reference, Substitution
from hub.adapters.intake.fhir_timing import Bounds, Doubts, read_moment, read_period
from hub.adapters.intake.moments import is_date_alone
from hub.domain.identifiers import OrderId, PatientId
from hub.domain.orders import OrderLine, OrderStatus, SourceSettings
from hub.domain.timing import Dosage
from hub.domain.words import Words, about_times

ORDER_INTENTS = frozenset({"order", "original-order", "instance-order", "filler-order"})
URGENT = frozenset({"stat", "asap", "urgent"})
PRIORITIES = URGENT | {"", "routine"}
MOST_DOSAGES = 200
# `ended` is of R5: no longer in force, whatever was given of it.
STATUSES: Mapping[str, OrderStatus] = {status.value: status for status in OrderStatus} | {"ended": OrderStatus.STOPPED}


@dataclass(frozen=True, slots=True)
class OrderReader:
    """What reading an order needs to know of its file.

    `patient_of` gives the patient whom a reference names; `doubts` what is wrong with a patient's other resources.
    """

    sheet: str
    source: SourceSettings
    zone: tzinfo
    drugs: DrugReader
    patient_of: Callable[[MedicationRequest, Reference | None], PatientId]
    doubts: Callable[[MedicationRequest, PatientId], Sequence[Words]]

    def line(
        self, order: MedicationRequest, order_id: str, position: str, marks: Sequence[Words] = ()
    ) -> OrderLine | Unread:
        """Return the line of an order; nothing that is missing or odd is refused here, only a dosage that cannot be decoded is.

        `marks` may not be ignored either.
        """
        read = self._dosages(order)
        if isinstance(read, Unread):
            return read
        unsupported = [*marks, *_never_ignored(order), *_named(read)]
        drug, text = self.drugs.drug(order, unsupported)
        patient = self._patient(order, unsupported)
        periods = _order_periods(order)
        dosages = tuple([one.dosage for one in read]) or (Dosage(),)
        starts_at, ends_at = self._bounds(periods, dosages, unsupported)
        return OrderLine(
            id=OrderId(order_id),
            version=1,
            source=self.source.name,
            sheet=self.sheet,
            position=position,
            patient=patient,
            drug=drug,
            drug_text=text,
            dosages=dosages,
            status=STATUSES.get(order.status, OrderStatus.UNKNOWN),
            authored_at=read_moment(order.authored_on, self.zone, unsupported),
            starts_at=starts_at,
            ends_at=ends_at,
            signed_by=_signature(order),
            note=_note(order, read),
            stat=order.priority in URGENT or any(one.is_urgent for one in read),
            unsupported=tuple(unsupported),
            starts_on_day=starts_at is not None and self._starts_on_day(periods, read, starts_at),
        )

    def _patient(self, order: MedicationRequest, unsupported: Doubts) -> PatientId:
        patient = self.patient_of(order, order.subject)
        unsupported += self.doubts(order, patient)
        if not patient:
            unsupported.append(Words("no patient is named", "пациент не указан"))
        return patient

    def _dosages(self, order: MedicationRequest) -> list[ReadDosage] | Unread:
        found: list[ReadDosage] = []
        if len(order.dosage_instruction) > MOST_DOSAGES:
            return Unread(
                "dosageInstruction", Words(
                    f"{len(order.dosage_instruction)} dosage instructions are more than {MOST_DOSAGES}",
                    f"указаний по дозированию {len(order.dosage_instruction)}, больше {MOST_DOSAGES}",
                )
            )
        for number, raw in enumerate(order.dosage_instruction):
            read = read_dosage(raw, self.zone)
            if isinstance(read, Unread):
                return Unread(f"dosageInstruction[{number}].{read.field}".rstrip("."), read.reason)
            found.append(read)
        return found

    def _bounds(self, periods: Sequence[Period], dosages: Sequence[Dosage], unsupported: Doubts) -> Bounds:
        """Return what every written period of the order allows, within what its dosages together reach over."""
        of_times: Doubts = []
        bounds = [read_period(period.start, period.end, self.zone, of_times) for period in periods]
        unsupported += about_times(of_times)
        bounds += [_reach(dosages)] if any(dosage.starts_at or dosage.ends_at for dosage in dosages) else []
        if len(bounds) == 1:
            return bounds[0]
        starts, ends = [start for start, _ in bounds if start], [end for _, end in bounds if end]
        return max(starts, default=None), min(ends, default=None)

    def _starts_on_day(self, periods: Sequence[Period], read: Sequence[ReadDosage], starts_at: datetime) -> bool:
        """Tell whether the start that counts was written as a date alone."""
        if any(one.starts_on_day and one.dosage.starts_at == starts_at for one in read):
            return True
        days = [period.start for period in periods if period.start and is_date_alone(period.start)]
        return any(read_moment(day, self.zone, []) == starts_at for day in days)


def _named(read: Sequence[ReadDosage]) -> list[Words]:
    """Return what may not be ignored of the dosages, with the dosage's number where there are several."""
    if len(read) == 1:
        return [*read[0].unsupported]
    return [replace(
        word, en=f"dosage {number}: {word.en}", ru=f"дозировка {number}: {word.ru}",
    ) for number, one in enumerate(read, start=1) for word in one.unsupported]


def _reach(dosages: Sequence[Dosage]) -> Bounds:
    """Return the first start and the last end of dosages; None where one of them has none."""
    starts, ends = [dosage.starts_at for dosage in dosages], [dosage.ends_at for dosage in dosages]
    start = None if None in starts else min(start for start in starts if start)
    return start, None if None in ends else max(end for end in ends if end)


def _order_periods(order: MedicationRequest) -> list[Period]:
    request, effective = order.dispense_request, order.effective_dose_period
    return [period for period in (request.validity_period if request else None, effective) if period]


def _never_ignored(order: MedicationRequest) -> Iterator[Words]:
    """Yield what the order itself says that changes everything."""
    if order.do_not_perform:
        yield Words(
            "doNotPerform: the order says that the drug is not to be given",
            "doNotPerform: в назначении сказано препарат не давать",
        )
    if order.status not in STATUSES:
        yield Words(f"status {order.status[:40]}", f"статус {order.status[:40]}") if order.status else Words("no status", "статуса нет")
    if order.intent not in ORDER_INTENTS:
        yield Words(f"intent {order.intent[:40] or '(none)'} is no order", f"intent {order.intent[:40] or '(нет)'} — это не назначение")
    if order.priority not in PRIORITIES:
        yield Words(f"priority {order.priority[:40]}", f"срочность {order.priority[:40]}")
    if order.reported or order.reported_boolean or order.reported_reference:
        yield Words("reported: a record of somebody else's order", "reported: запись о чужом назначении")


def _signature(order: MedicationRequest) -> str:
    if order.requester is None:
        return ""
    person = order.requester.agent or order.requester
    return person.display or person.reference or (person.identifier.value if person.identifier else "")


def _note(order: MedicationRequest, read: Sequence[ReadDosage]) -> str:
    """Return what a person should read beside the order; what says that it is a mixture comes first."""
    parts = sorted((note.text for note in order.note), key=_not_mixture) if order.note else []
    if order.category:
        parts += [category.first_text() for category in _categories(order)]
    if order.status_reason:
        parts.append(order.status_reason.first_text())
    parts += _around(order)
    for one in read:
        parts += one.said
    return " | ".join([part for part in parts if part])


def _not_mixture(text: str) -> bool:
    return not text.strip().casefold().startswith("mixture:")


def _categories(order: MedicationRequest) -> Sequence[Concept]:
    return order.category if isinstance(order.category, list) else (order.category,)


def _around(order: MedicationRequest) -> list[str]:
    parts = [order.rendered_dosage_instruction]
    if order.group_identifier:
        parts.append(f"group {order.group_identifier.value or '?'}")
    if order.prior_prescription:
        prior = order.prior_prescription
        parts.append(
            f"replaces {prior.reference or prior.display or (prior.identifier.value if prior.identifier else '?')}"
        )
    if order.status_changed and order.status != "active":
        parts.append(f"{order.status} since {order.status_changed}")
    if order.substitution:
        parts += _substitution(order.substitution)
    return parts


def _substitution(written: Substitution) -> Iterator[str]:
    reason = f" ({written.reason.first_text()})" if written.reason else ""
    allowed = written.allowed if written.allowed_boolean is None else written.allowed_boolean
    if allowed is not None:
        yield f"substitution is {'' if allowed else 'not '}allowed{reason}"
    elif written.allowed_codeable_concept:
        yield f"substitution: {written.allowed_codeable_concept.first_text()}{reason}"
