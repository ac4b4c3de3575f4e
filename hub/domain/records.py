"""Small records of the line that have no rules of their own."""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from hub.domain.identifiers import BatchId, DeviceId, DoseId, DrugCode, JobId, LotId, PackSerial, UserId


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
    """A question to a person: a pouch that did not pass, or a job that was refused."""

    id: str
    kind: str
    subject: str
    opened_at: datetime
    verdict: str
    reasons: tuple[str, ...]
    evidence: str = ""
    decision: str = ""
    decided_by: UserId | None = None


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


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that should not have happened and that somebody must look at."""

    id: str
    kind: str
    text: str
    opened_at: datetime
    subject: str = ""
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """A device of the line as the hub last heard of it; `status` is the JSON text of its last report."""

    id: DeviceId
    kind: str
    state: str = "unknown"
    status: str = "{}"
    last_command: int = 0
