"""FHIR sheets (STU3, R4, R4B, R5): one resource, a Bundle or NDJSON, plain or gzip, read into an order sheet or its parts.

Two passes over one file: people, stays, places and medications first, then the orders in chunks. NDJSON is never held as a whole.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import tzinfo
from functools import partial
from itertools import islice
from typing import BinaryIO

import msgspec

from hub.adapters.intake.envelope import opened, sum_of, unpacked
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.fhir_containers import Resources, resources_in
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

CHUNK_LINES = 2000


class _Subject(msgspec.Struct):
    subject: Reference | None = None


def read_fhir(name: str, data: bytes, source: SourceSettings, directory: DrugDirectory, *, zone: tzinfo) -> OrderSheet:
    """Return the sheet of a FHIR file; `zone` is that of dates without a zone.

    Raises IntakeError for a file that is empty, damaged, truncated, foreign or a part of something larger. An entry that cannot be
    read is a line that says so or, where it is no order, one of the sheet's `rejects`.
    """
    file = io.BytesIO(unpacked(name, data))
    parts = list(_parts(name, hashlib.sha256(data).hexdigest(), file, source, directory, zone))
    lines = tuple(line for part in parts for line in part.lines)
    return replace(parts[0], lines=lines)


def read_fhir_parts(
    name: str, file: BinaryIO, source: SourceSettings, directory: DrugDirectory, *, zone: tzinfo
) -> Iterator[OrderSheet]:
    """Yield a seekable file, plain or gzip, in parts: first people, stays and rejects without lines, then the lines in chunks.

    Nothing is yielded before the whole file has been looked through, so what is refused as a whole is refused before the first part.
    All parts have the name and the sum (of the bytes as sent) of the one sheet that they are. Raises IntakeError.
    """
    sha256 = sum_of(file)
    with opened(name, file) as content:
        yield from _parts(name, sha256, content, source, directory, zone)


def _parts(
    name: str, sha256: str, file: BinaryIO, source: SourceSettings, directory: DrugDirectory, zone: tzinfo
) -> Iterator[OrderSheet]:
    kept = FhirFile(name, source, directory, zone)
    repeats = Repeats(partial(identity_of, kept), order_of)
    resources = resources_in(name, file)
    orders = _look_through(resources, kept, repeats)
    patients, stays = kept.people()
    if not (orders or patients or stays or kept.encounters):
        raise _no_sheet(name, kept.rejects)
    empty = OrderSheet(source.name, name, sha256)
    yield replace(empty, patients=patients, stays=stays, rejects=tuple(kept.rejects))
    lines = _lines(resources, kept, repeats)
    while chunk := tuple(islice(lines, CHUNK_LINES)):
        yield replace(empty, lines=chunk)


def _look_through(resources: Resources, file: FhirFile, repeats: Repeats) -> int:
    """Keep what is no order and see which orders come again; return how many orders there are."""
    orders = 0
    for found in resources():
        if found.kind in ORDER_KINDS:
            orders += 1
            repeats.see(found)
        else:
            file.take(found)
    return orders


def _no_sheet(name: str, rejects: Iterable[Reject]) -> IntakeError:
    first = next(iter(rejects), None)
    if first is None:
        return IntakeError(name, "", "", "it holds no Patient, Encounter or MedicationRequest: it is no sheet")
    return IntakeError(name, first.position.removeprefix(name).strip(), first.field, first.reason)


def _lines(resources: Resources, file: FhirFile, repeats: Repeats) -> Iterator[OrderLine]:
    reader = file.reader()
    for found in resources():
        if found.kind not in ORDER_KINDS:
            continue
        known = repeats.known(found)
        if known is None:
            yield read_order(file, reader, found)
        elif not known.is_said:
            yield _one_of_several(file, reader, found, known)


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
                f"another order of this id says something else: {', '.join(known.differs_from)}",
            ),
        )
    reason = f"id: duplicate id {identity_of(file, found)}: it differs from the order in {known.differs_from[0]}"
    return replace(line, id=OrderId(_id_of_content(file, found)), unreadable=reason)


def order_of(found: Found) -> MedicationRequest | bytes:
    """Return an order to compare with another one of its id; one that cannot be decoded is its bytes."""
    order = decoded(MedicationRequest, found.raw)
    return bytes(found.raw) if isinstance(order, Unread) or found.problem else order


def read_order(file: FhirFile, reader: OrderReader, found: Found) -> OrderLine:
    """Return the line of one order; one that cannot be read becomes a line that says why."""
    if found.problem:
        return _unreadable(file, found, f"{found.field}: {found.problem}" if found.field else found.problem)
    if found.kind != "MedicationRequest":
        return _unreadable(
            file, found, f"resourceType: a {found.kind} is of FHIR DSTU2, which is not read; send a MedicationRequest"
        )
    order = decoded(MedicationRequest, found.raw)
    if isinstance(order, Unread):
        return _unreadable(file, found, f"{order.field}: {order.reason}" if order.field else order.reason)
    marks = marks_of(bytes(found.raw))
    odd = marks if found.identity else (*marks, "order without an id")
    line = reader.line(order, identity_of(file, found), f"{file.name} {found.position}", odd)
    return _unreadable(file, found, f"{line.field}: {line.reason}") if isinstance(line, Unread) else line


def identity_of(file: FhirFile, found: Found) -> str:
    """Return the id of an order; without one it follows from the content, so that the same order has the same id each time."""
    return found.identity or _id_of_content(file, found)


def _id_of_content(file: FhirFile, found: Found) -> str:
    return derived_id(file.source.name, bytes(found.raw).decode(errors="replace") or f"{file.name} {found.position}")


def _unreadable(file: FhirFile, found: Found, reason: str) -> OrderLine:
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
