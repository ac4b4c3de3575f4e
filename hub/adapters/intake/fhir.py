"""FHIR sheets (STU3, R4, R4B, R5): one resource, a Bundle or NDJSON, plain or gzip, read into an order sheet or its parts.

Two passes over one file: people, stays, places and medications first, then the orders in chunks. NDJSON is never held as a whole.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import partial
from typing import BinaryIO

import msgspec

from hub.adapters.intake.envelope import opened, sum_of, unpacked
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.fhir_by_patient import Mixture, OrderFound, sorted_by_patient, whole_patients
from hub.adapters.intake.fhir_containers import Resources, resources_in
from hub.adapters.intake.fhir_doubled import doubled_members
from hub.adapters.intake.fhir_file import FhirFile
from hub.adapters.intake.fhir_found import ORDER_KINDS, Found, Unread, decoded
from hub.adapters.intake.fhir_marks import marks_of
from hub.adapters.intake.fhir_model import MedicationRequest, Reference
from hub.adapters.intake.fhir_order import OrderReader
from hub.adapters.intake.fhir_repeats import Known, Repeats
from hub.domain.drugs import DrugDirectory
from hub.domain.identifiers import DrugCode, OrderId, PatientId, derived_id
from hub.domain.orders import OrderLine, OrderSheet, OrderStatus, Reject, SourceSettings
from hub.domain.timing import Dosage
from hub.domain.words import Words, place_ru

CHUNK_LINES = 2000
_WITHOUT_ID = Words("order without an id", "назначение без id")


class _Subject(msgspec.Struct):
    subject: Reference | None = None


def read_fhir(name: str, data: bytes, source: SourceSettings, directory: DrugDirectory, *, zone: tzinfo) -> OrderSheet:
    """Return the sheet of a FHIR file; `zone` is that of dates without a zone.

    Raises IntakeError for a file that is empty, damaged, truncated, foreign or a part of something larger. An entry that cannot be
    read is a line that says so or, where it is no order, one of the sheet's `rejects`.
    """
    look = _looked_through(name, io.BytesIO(unpacked(name, data)), source, directory, zone)
    sheet = look.people(hashlib.sha256(data).hexdigest())
    return replace(sheet, lines=tuple(_lines(look.file, _orders(look))))


def read_fhir_parts(
    name: str, file: BinaryIO, source: SourceSettings, directory: DrugDirectory, *, zone: tzinfo
) -> Iterator[OrderSheet]:
    """Yield a seekable file, plain or gzip, in parts: first people, stays and rejects without lines, then the lines in chunks.

    The first part says in `announced` how many lines follow. All lines of one patient are in one chunk (up to 4,000 of them): a long
    file in which patients are mixed comes patient by patient.
    Nothing is yielded before the whole file has been looked through, so what is refused as a whole is refused before the first part.
    All parts have the name and the sum (of the bytes as sent) of the one sheet that they are. Raises IntakeError.
    """
    sha256 = sum_of(file)
    with opened(name, file) as content:
        look = _looked_through(name, content, source, directory, zone)
        people = look.people(sha256)
        yield people
        for chunk in whole_patients(_lines(look.file, _by_patient(look)), CHUNK_LINES):
            yield replace(people, patients=(), stays=(), rejects=(), announced=0, lines=chunk)


@dataclass(frozen=True, slots=True)
class _Look:
    """What a file's first pass found: everything but its orders, how many of these there are, and how they stand in it."""

    file: FhirFile
    resources: Resources
    repeats: Repeats
    mixture: Mixture
    orders: int

    def people(self, sha256: str) -> OrderSheet:
        """Return the sheet without its lines; refuse a file in which there is nothing of a sheet."""
        file = self.file
        patients, stays = file.people()
        if not (self.orders or patients or stays or file.encounters):
            raise _no_sheet(file.name, file.rejects)
        return OrderSheet(
            file.source.name, file.name, sha256, patients, stays, rejects=tuple(file.rejects), announced=self.orders - self._said_before()
        )

    def _said_before(self) -> int:
        """Return how many orders only repeat another one word for word; the file is passed over for that where ids come again."""
        if not self.repeats.later:
            return 0
        said = sum(known is not None and known.is_said for _, known in _all_orders(self))
        self.repeats.firsts.clear()
        return said


def _looked_through(name: str, content: BinaryIO, source: SourceSettings, directory: DrugDirectory, zone: tzinfo) -> _Look:
    """Pass over a file: keep what is no order, see which orders come again and whether they come patient by patient."""
    file = FhirFile(name, source, directory, zone)
    repeats, mixture, orders = Repeats(partial(identity_of, file), order_of), Mixture(), 0
    resources = resources_in(name, content)
    for found in resources():
        if found.kind in ORDER_KINDS:
            orders += 1
            repeats.see(found)
            mixture.see(found)
        else:
            file.take(found)
    return _Look(file, resources, repeats, mixture, orders)


def _no_sheet(name: str, rejects: Iterable[Reject]) -> IntakeError:
    first = next(iter(rejects), None)
    if first is None:
        return IntakeError(name, "", "", Words(
            "it holds no Patient, Encounter or MedicationRequest: it is no sheet",
            "в нём нет ни Patient, ни Encounter, ни MedicationRequest: это не лист назначений",
        ))
    return IntakeError(name, first.position.removeprefix(name).strip(), first.field, first.reason)


def _all_orders(look: _Look) -> Iterator[OrderFound]:
    """Yield every order in the order of the file, with what is known of its id."""
    for found in look.resources():
        if found.kind in ORDER_KINDS:
            yield found, look.repeats.known(found)


def _orders(look: _Look) -> Iterator[OrderFound]:
    """Yield the orders that make a line: those that say something which was not said before."""
    return (each for each in _all_orders(look) if each[1] is None or not each[1].is_said)


def _by_patient(look: _Look) -> Iterator[OrderFound]:
    """Yield the orders patient by patient where they come in more than one chunk."""
    if look.orders <= CHUNK_LINES or not (look.mixture.is_mixed or look.file.names):
        return _orders(look)
    return sorted_by_patient(_orders(look), partial(_patient_of, look.file))


def _lines(file: FhirFile, orders: Iterable[OrderFound]) -> Iterator[OrderLine]:
    reader = file.reader()
    for found, known in orders:
        yield read_order(file, reader, found) if known is None else _one_of_several(file, reader, found, known)


def _one_of_several(file: FhirFile, reader: OrderReader, found: Found, known: Known) -> OrderLine:
    """Return the line of an order whose id came more than once; where the orders differ, nobody can tell which one is meant."""
    line = read_order(file, reader, found)
    if known.again:
        line = replace(
            line, note=" | ".join(part for part in (line.note, "repeated in " + ", ".join(known.again)) if part)
        )
    if not known.differs_from:
        return line
    if known.is_first:
        return replace(
            line,
            unsupported=(
                *line.unsupported,
                Words(
                    f"another order of this id says something else: {', '.join(known.differs_from)}",
                    f"другое назначение с этим же id говорит иное: {place_ru(', '.join(known.differs_from))}",
                ),
            ),
        )
    identity, first = identity_of(file, found), known.differs_from[0]
    reason = Words(
        f"id: duplicate id {identity}: it differs from the order in {first}", f"id: id {identity} есть дважды: назначение отличается от первого ({place_ru(first)})"
    )
    return replace(line, id=OrderId(_id_of_content(file, found)), unreadable=reason)


def order_of(found: Found) -> MedicationRequest | bytes:
    """Return an order to compare with another one of its id; one that cannot be decoded is its bytes."""
    order = decoded(MedicationRequest, found.raw)
    return bytes(found.raw) if isinstance(order, Unread) or found.problem else order


def read_order(file: FhirFile, reader: OrderReader, found: Found) -> OrderLine:
    """Return the line of one order; one that cannot be read becomes a line that says why."""
    if found.problem:
        return _unreadable(file, found, _of_member(found.field, found.problem))
    if found.kind != "MedicationRequest":
        return _unreadable(
            file, found, Words(
                f"resourceType: a {found.kind} is of FHIR DSTU2, which is not read; send a MedicationRequest",
                f"resourceType: {found.kind} — это FHIR DSTU2, он не читается; пришлите MedicationRequest",
            )
        )
    order = decoded(MedicationRequest, found.raw)
    if isinstance(order, Unread):
        return _unreadable(file, found, _of_member(order.field, order.reason))
    raw = bytes(found.raw)
    marks = (*marks_of(raw), *doubled_members(raw))
    odd = marks if found.identity else (*marks, _WITHOUT_ID)
    line = reader.line(order, identity_of(file, found), f"{file.name} {found.position}", odd)
    return _unreadable(file, found, _of_member(line.field, line.reason)) if isinstance(line, Unread) else line


def identity_of(file: FhirFile, found: Found) -> str:
    """Return the id of an order; without one it follows from the content, so that the same order has the same id each time."""
    return found.identity or _id_of_content(file, found)


def _id_of_content(file: FhirFile, found: Found) -> str:
    return derived_id(file.source.name, bytes(found.raw).decode(errors="replace") or f"{file.name} {found.position}")


def _of_member(member: str, reason: Words) -> Words:
    return Words(f"{member}: {reason.en}", f"{member}: {reason.ru}") if member else reason


def _unreadable(file: FhirFile, found: Found, reason: Words) -> OrderLine:
    return OrderLine(
        id=OrderId(identity_of(file, found)), version=1, source=file.source.name, sheet=file.name,
        position=f"{file.name} {found.position}", patient=_patient_of_unreadable(file, found), drug=DrugCode("?"), drug_text="",
        dosages=(Dosage(),), status=OrderStatus.UNKNOWN, authored_at=None, starts_at=None, ends_at=None, signed_by="", unreadable=reason,
    )  # fmt: skip


def _patient_of_unreadable(file: FhirFile, found: Found) -> PatientId:
    subject = decoded(_Subject, found.raw)
    if isinstance(subject, Unread) or subject.subject is None:
        return PatientId("")
    return file.patient_of(MedicationRequest(), subject.subject)


def _patient_of(file: FhirFile, found: Found) -> PatientId:
    """Return whose an order is; only where its patient is contained in it, it has to be decoded for that."""
    patient = _patient_of_unreadable(file, found)
    if patient or b'"contained"' not in bytes(found.raw):
        return patient
    order = decoded(MedicationRequest, found.raw)
    return PatientId("") if isinstance(order, Unread) else file.patient_of(order, order.subject)
