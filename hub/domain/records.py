"""Small records of the line that have no rules of their own."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

from hub.domain.identifiers import BatchId, DeviceId, DoseId, DrugCode, JobId, LotId, PackSerial, PatientId, UserId
from hub.domain.orders import Stay
from hub.domain.recorded_words import in_russian


@dataclass(frozen=True, slots=True)
class Batch:
    """The doses of one intake slot of one day, frozen at its cut time."""

    id: BatchId
    slot: str
    day: date
    cut_at: datetime
    frozen_at: datetime


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the outbox: a command to a device about a job; `done` once the device's own event answers it."""

    id: str
    device: DeviceId
    kind: str
    seq: int
    job: JobId
    created_at: datetime
    done: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """One row of the inbox: an event of a device that was taken into account."""

    device: DeviceId
    source: str
    boot: int
    event: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Print:
    """A label to be printed by a label printer; `raster` is the base64 of the one-bit rows."""

    pack: PackSerial
    device: DeviceId
    digest: str
    width: int
    height: int
    raster: str
    printed: bool = False
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Review:
    """A question to a person: a pouch that did not pass, or a job that was refused; `reasons_ru` are the same sentences in Russian.

    `evidence` are the digests of the frames that the verdict rests on, in the order they were taken.
    """

    id: str
    kind: str
    subject: str
    opened_at: datetime
    verdict: str
    reasons: tuple[str, ...]
    evidence: tuple[str, ...] = ()
    decision: str = ""
    decided_by: UserId | None = None
    reasons_ru: tuple[str, ...] = ()

    def said(self, language: str) -> tuple[str, ...]:
        """Return the reasons in `ru` or `en`; older ones are told by the words that the ledger's own reasons have."""
        if language != "ru":
            return self.reasons
        return self.reasons_ru if len(self.reasons_ru) == len(self.reasons) else tuple(map(in_russian, self.reasons))


@dataclass(frozen=True, slots=True)
class Requisition:
    """What a ward needs of one lot of one item for the doses that are given from ward stock."""

    id: str
    department: str
    item: DrugCode
    lot: LotId
    units: Fraction
    doses: tuple[DoseId, ...]
    batch: BatchId
    issued: bool = False


@dataclass(frozen=True, slots=True)
class Import:
    """A file that was taken in, by its content."""

    sha256: str
    source: str
    name: str
    kind: str
    received_at: datetime
    orders: int


class CodeKind(StrEnum):
    """What a source has codes of its own for."""

    FREQUENCY = "frequency"
    ROUTE = "route"
    UNIT = "unit"
    DRUG = "drug"


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """One word of a source and what it means here; an empty `meaning` is a question that waits for a pharmacist.

    `meaning` is a frequency code of the table, a route of the lanes, a canonical unit, or a drug's code. `example` is a line
    that had it, without the patient.
    """

    source: str
    kind: CodeKind
    code: str
    meaning: str
    example: str
    lines: int
    first_seen_at: datetime
    decided_by: UserId | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """What a source last sent, so that its silence is noticed.

    `counts` are the orders of its latest whole sheets, the newest last; `cursor` is from where a pull goes on; `problem` is why
    the last try failed, empty where it did not.
    """

    source: str
    heard_at: datetime | None = None
    name: str = ""
    counts: tuple[int, ...] = ()
    cursor: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class NewestChange:
    """When the newest of a kind happened: the newest change of an order or a stay (an older one that comes later is overtaken), of an
    announced end, or since when a source is awaited.
    """

    subject: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DayPlan:
    """How far the working day of a source without whole sheets is planned.

    Orders are gone through by falling id: `cursor` is the last one, empty at the beginning. Of the `orders` that were judged so many are
    still `in_force`, `asked` about and `ended`; `planned` doses came of them.
    """

    source: str
    day: date
    cursor: str = ""
    orders: int = 0
    in_force: int = 0
    asked: int = 0
    ended: int = 0
    planned: int = 0
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class AnnouncedMove:
    """A patient who moves at a time to come: where to (`stay`), as a source told at `told_at`, and the stay that was known then."""

    patient: PatientId
    at: datetime
    source: str
    told_at: datetime
    before: Stay
    stay: Stay
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that should not have happened and that somebody must look at; `text` is English, `text_ru` the same in Russian."""

    id: str
    kind: str
    text: str
    opened_at: datetime
    subject: str = ""
    closed: bool = False
    text_ru: str = ""

    def said(self, language: str) -> str:
        """Return the sentence in `ru` or `en`; English where nobody wrote the other one down."""
        return self.text_ru if language == "ru" and self.text_ru else self.text


@dataclass(frozen=True, slots=True)
class Device:
    """A device of the line as the hub last heard of it; `status` is the JSON text of its last report."""

    id: DeviceId
    kind: str
    state: str = "unknown"
    status: str = "{}"
    last_command: int = 0
