"""The orders of a stream patient by patient, as two orders of one patient are judged beside each other.

A file that has them so already is read as it stands. One in which patients are mixed is sorted outside of memory: its lines go into
a private temporary database, which disappears with its connection.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

import msgspec
from pysqlite3 import dbapi2 as sqlite

from hub.adapters.intake.fhir_found import Found, Unread, decoded, type_and_id
from hub.adapters.intake.fhir_model import Reference
from hub.adapters.intake.fhir_repeats import Known
from hub.domain.orders import OrderLine
from hub.domain.words import Words

# A patient with more lines than this many chunks hold comes in several; no order is compared with that many others.
MOST_CHUNKS_A_PATIENT = 2
_CREATE = "CREATE TABLE orders (patient TEXT, place INTEGER, known BLOB, position TEXT, kind TEXT, identity TEXT, url TEXT, raw BLOB, field TEXT, problem BLOB)"
_PUT = "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SORTED = "SELECT known, position, kind, identity, url, raw, field, problem FROM orders ORDER BY patient, place"
_PRAGMAS = ("journal_mode = OFF", "synchronous = OFF", "temp_store = FILE", "cache_size = -4096")
_known, _problem = msgspec.json.Decoder(Known | None), msgspec.json.Decoder(Words | None)

OrderFound = tuple[Found, Known | None]


@dataclass(slots=True)
class Mixture:
    """Whether the orders of a file, seen one after the other, come patient by patient; holds the patients, not the orders."""

    is_mixed: bool = False
    written: bytes | None = None
    patient: str = ""
    over: set[str] = field(default_factory=set)

    def see(self, found: Found) -> None:
        """See the next order; a patient who is not named by a plain reference may be anybody."""
        if self.is_mixed:
            return
        written = bytes(found.subject)
        if written == self.written:
            return
        patient = _patient_of(found)
        if patient != self.patient:
            self.over.add(self.patient)
        self.written, self.patient = written, patient
        self.is_mixed = not patient or patient in self.over


def _patient_of(found: Found) -> str:
    subject = decoded(Reference, found.subject)
    reference = "" if isinstance(subject, Unread) else subject.reference
    return "" if reference.startswith("#") or "?" in reference else type_and_id(reference)[1]


def sorted_by_patient(orders: Iterable[OrderFound], patient_of: Callable[[Found], str]) -> Iterator[OrderFound]:
    """Yield orders patient by patient, those of one patient in the order of the file; memory does not grow with their number."""
    with closing(sqlite.connect("", isolation_level=None, check_same_thread=False)) as sorter:
        for pragma in _PRAGMAS:
            sorter.execute(f"PRAGMA {pragma}").fetchall()
        sorter.execute(_CREATE)
        sorter.execute("BEGIN")
        sorter.executemany(_PUT, _rows(orders, patient_of))
        for known, position, kind, identity, url, raw, member, problem in sorter.execute(_SORTED):
            yield Found(position, kind, identity, url, raw, member, _problem.decode(problem)), _known.decode(known)


def _rows(orders: Iterable[OrderFound], patient_of: Callable[[Found], str]) -> Iterator[tuple[object, ...]]:
    for place, (found, known) in enumerate(orders):
        yield (
            patient_of(found), place, msgspec.json.encode(known), found.position, found.kind, found.identity, found.full_url, bytes(found.raw),
            found.field, msgspec.json.encode(found.problem),
        )  # fmt: skip


def whole_patients(lines: Iterable[OrderLine], size: int) -> Iterator[tuple[OrderLine, ...]]:
    """Yield lines in chunks of about `size`, those of one patient in one chunk."""
    chunk: list[OrderLine] = []
    for line in lines:
        if len(chunk) >= size and (not line.patient or line.patient != chunk[-1].patient or len(chunk) >= size * MOST_CHUNKS_A_PATIENT):
            yield tuple(chunk)
            chunk = []
        chunk.append(line)
    if chunk:
        yield tuple(chunk)
