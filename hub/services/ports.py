"""What the use cases need from the outside: a unit of work over the records, the ledger and the outbox."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any, Protocol, TypeVar

from hub.domain.camera_set_up import CameraSetUp
from hub.domain.custody import Trolley
from hub.domain.doses import PlannedDose
from hub.domain.drugs import Drug
from hub.domain.evidence import KeptFrame
from hub.domain.gtins import Gtin
from hub.domain.known_bad import Trial
from hub.domain.ledger import LedgerEntry
from hub.domain.looking import Look
from hub.domain.orders import Order, Patient, Stay
from hub.domain.packs import Pack, PackJob
from hub.domain.people import User
from hub.domain.print_quality import PrintQuality
from hub.domain.records import (
    AnnouncedMove,
    Batch,
    CodeEntry,
    Command,
    DayPlan,
    Device,
    Feed,
    Import,
    Incident,
    NewestChange,
    Print,
    Received,
    Requisition,
    Review,
)
from hub.domain.references import TabletReference
from hub.domain.returned_lines import ReturnedLine
from hub.domain.rulings import Ruling
from hub.domain.stock import Cassette, Lot, SourcePack, StockMove

Record = TypeVar("Record")


class Repository(Protocol[Record]):
    """Records of one kind by their key; every read sees what this unit of work has written."""

    def get(self, *key: object) -> Record | None:
        """Return the record of that key, or None."""

    def put(self, record: Record) -> None:
        """Insert or replace one record."""

    def put_many(self, records: Iterable[Record]) -> None:
        """Insert or replace many records in one statement."""

    def where(
        self,
        *,
        order_by: str = "",
        limit: int = 0,
        since: tuple[str, object] | None = None,
        below: tuple[str, object] | None = None,
        **equal: object,
    ) -> list[Record]:
        """Return records whose members equal the given values (a list or tuple means: one of them).

        `since` and `below` name a member and keep the records where it is not less, and less, than a value (and not None).
        """

    def count(self, **equal: object) -> int:
        """Return how many records `where` would return."""

    def delete(self, *key: object) -> None:
        """Remove the record of that key, if there is one."""

    def gaps(self, member: str, **equal: object) -> list[tuple[int, int]]:
        """Return, rising, the ranges (first, last) of whole numbers within those of `member` that no record of `where` has."""


class UnitOfWork(Protocol):
    """One decision: what it reads and what it writes is committed as a whole, or not at all."""

    now: datetime
    actor: str
    patients: Repository[Patient]
    stays: Repository[Stay]
    orders: Repository[Order]
    drugs: Repository[Drug]
    lots: Repository[Lot]
    source_packs: Repository[SourcePack]
    gtins: Repository[Gtin]
    kept_frames: Repository[KeptFrame]
    cassettes: Repository[Cassette]
    doses: Repository[PlannedDose]
    batches: Repository[Batch]
    jobs: Repository[PackJob]
    packs: Repository[Pack]
    trolleys: Repository[Trolley]
    users: Repository[User]
    reviews: Repository[Review]
    requisitions: Repository[Requisition]
    imports: Repository[Import]
    incidents: Repository[Incident]
    commands: Repository[Command]
    prints: Repository[Print]
    received: Repository[Received]
    devices: Repository[Device]
    code_entries: Repository[CodeEntry]
    feeds: Repository[Feed]
    rulings: Repository[Ruling]
    returned_lines: Repository[ReturnedLine]
    newest_changes: Repository[NewestChange]
    day_plans: Repository[DayPlan]
    announced_moves: Repository[AnnouncedMove]
    tablet_references: Repository[TabletReference]
    print_qualities: Repository[PrintQuality]
    camera_set_ups: Repository[CameraSetUp]
    looks: Repository[Look]
    trials: Repository[Trial]

    def record(self, kind: str, data: Mapping[str, Any]) -> int:
        """Append one entry to the ledger and return its number."""

    def newest_fact(self, kind: str, **about: str | int) -> LedgerEntry | None:
        """Return the newest ledger entry of a kind whose data has these members, or None: what a correction names."""

    def facts_between(self, kind: str, after: int, before: int) -> list[LedgerEntry]:
        """Return the ledger entries of a kind with numbers between two, both left out."""

    def record_many(self, kind: str, data: Sequence[Mapping[str, Any]]) -> None:
        """Append many entries of one kind, in order."""

    def move(self, move: StockMove, because: str, **more: Any) -> None:
        """Move stock and record it; raise Shortage when the source account holds less and may not be negative."""

    def cancel_move(self, entry: LedgerEntry, because: str) -> StockMove:
        """Take a recorded move back by an entry that corrects it; return the move that undid it. Raises Shortage as `move` does."""

    def held(self, account: str, lot: str) -> Fraction:
        """Return the exact quantity of one lot in one account; zero where there is none."""

    def balance(self, account: str) -> Mapping[str, Any]:
        """Return the lots of an account with their exact quantities, zero ones left out."""
