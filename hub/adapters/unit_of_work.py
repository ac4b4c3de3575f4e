"""One decision's view of the store: the repositories, the ledger and the balances of one connection."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from pysqlite3 import dbapi2 as sqlite

from hub.adapters.bookkeeping import Answer, Session, Setting, Writeback
from hub.adapters.ledger_store import LedgerStore, entries_between, newest_entry
from hub.adapters.plain_facts import plain_fact
from hub.adapters.repository import KINDS, Memory, SqlRepository
from hub.domain.camera_set_up import CameraSetUp
from hub.domain.custody import Trolley
from hub.domain.doses import PlannedDose
from hub.domain.drugs import Drug
from hub.domain.evidence import KeptFrame
from hub.domain.gtins import Gtin
from hub.domain.identifiers import DrugCode
from hub.domain.known_bad import Trial
from hub.domain.ledger import LedgerEntry, Shortage, instant_text
from hub.domain.looking import Look
from hub.domain.orders import Order, Patient, Stay
from hub.domain.packs import Pack, PackJob
from hub.domain.people import User
from hub.domain.print_quality import PrintQuality
from hub.domain.quantities import fraction_text
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
from hub.domain.stock import MAY_BE_NEGATIVE, Cassette, Lot, SourcePack, StockMove, lot_id, lot_number
from hub.services.ports import Repository

_HELD = "SELECT numerator, denominator FROM balances WHERE account = ? AND lot = ?"
_OPEN = (
    "INSERT INTO balances (account, lot, item, numerator, denominator) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_CHANGE = "UPDATE balances SET numerator = ?, denominator = ? WHERE account = ? AND lot = ? AND numerator = ? AND denominator = ?"
_CLOSE = "DELETE FROM balances WHERE account = ? AND lot = ? AND numerator = ? AND denominator = ?"


class LostUpdate(RuntimeError):
    """A balance changed between its reading and its writing: another writer is at work on the file."""


class EventConflict(ValueError):
    """An event id came again with another body."""


class SqlUnitOfWork:
    """The UnitOfWork of hub.services.ports over one SQLite connection; the writer begins it anew for each decision."""

    now: datetime
    actor: str

    def __init__(self, connection: sqlite.Connection) -> None:
        self._connection = connection
        self.ledger = LedgerStore(connection)
        self.memory = Memory()
        made: dict[type, SqlRepository[Any]] = {
            kind.record: SqlRepository(connection, kind, self.memory) for kind in KINDS
        }
        self.patients: Repository[Patient] = made[Patient]
        self.stays: Repository[Stay] = made[Stay]
        self.orders: Repository[Order] = made[Order]
        self.drugs: Repository[Drug] = made[Drug]
        self.lots: Repository[Lot] = made[Lot]
        self.source_packs: Repository[SourcePack] = made[SourcePack]
        self.gtins: Repository[Gtin] = made[Gtin]
        self.kept_frames: Repository[KeptFrame] = made[KeptFrame]
        self.cassettes: Repository[Cassette] = made[Cassette]
        self.doses: Repository[PlannedDose] = made[PlannedDose]
        self.batches: Repository[Batch] = made[Batch]
        self.jobs: Repository[PackJob] = made[PackJob]
        self.packs: Repository[Pack] = made[Pack]
        self.trolleys: Repository[Trolley] = made[Trolley]
        self.users: Repository[User] = made[User]
        self.reviews: Repository[Review] = made[Review]
        self.requisitions: Repository[Requisition] = made[Requisition]
        self.imports: Repository[Import] = made[Import]
        self.incidents: Repository[Incident] = made[Incident]
        self.commands: Repository[Command] = made[Command]
        self.prints: Repository[Print] = made[Print]
        self.received: Repository[Received] = made[Received]
        self.devices: Repository[Device] = made[Device]
        self.code_entries: Repository[CodeEntry] = made[CodeEntry]
        self.feeds: Repository[Feed] = made[Feed]
        self.rulings: Repository[Ruling] = made[Ruling]
        self.returned_lines: Repository[ReturnedLine] = made[ReturnedLine]
        self.newest_changes: Repository[NewestChange] = made[NewestChange]
        self.day_plans: Repository[DayPlan] = made[DayPlan]
        self.announced_moves: Repository[AnnouncedMove] = made[AnnouncedMove]
        self.tablet_references: Repository[TabletReference] = made[TabletReference]
        self.print_qualities: Repository[PrintQuality] = made[PrintQuality]
        self.camera_set_ups: Repository[CameraSetUp] = made[CameraSetUp]
        self.looks: Repository[Look] = made[Look]
        self.trials: Repository[Trial] = made[Trial]
        self.sessions: SqlRepository[Session] = made[Session]
        self.answers: SqlRepository[Answer] = made[Answer]
        self.writebacks: SqlRepository[Writeback] = made[Writeback]
        self.settings: SqlRepository[Setting] = made[Setting]

    @property
    def connection(self) -> sqlite.Connection:
        """The connection, for queries that no repository answers."""
        return self._connection

    def begin(self, actor: str, now: datetime) -> None:
        """Start the next decision: who says it, and when."""
        self.actor = actor
        self.now = now
        self._at = instant_text(now)

    def record(self, kind: str, data: Mapping[str, Any]) -> int:
        """Append one entry to the ledger and return its number."""
        return self.ledger.append(self._at, self.actor, kind, plain_fact(data))

    def newest_fact(self, kind: str, **about: str | int) -> LedgerEntry | None:
        """Return the newest ledger entry of a kind whose data has these members, or None: what a correction names."""
        return newest_entry(self._connection, kind, about)

    def facts_between(self, kind: str, after: int, before: int) -> list[LedgerEntry]:
        """Return the ledger entries of a kind with numbers between two, both left out."""
        return list(entries_between(self._connection, kind, after, before))

    def record_many(self, kind: str, data: Sequence[Mapping[str, Any]]) -> None:
        """Append many entries of one kind, in order."""
        self.ledger.append_many(self._at, self.actor, kind, [plain_fact(one) for one in data])

    def move(self, move: StockMove, because: str, **more: Any) -> None:
        """Move stock and record it; raise Shortage when the source account holds less and may not be negative."""
        self._transfer(move)
        self.record("stock-moved", _moved(move, because, more))

    def move_many(self, moves: Iterable[tuple[StockMove, Mapping[str, Any]]], because: str) -> None:
        """Move stock many times, each with what else its entry says; all of it or, by the error of the first, none."""
        told = []
        for move, more in moves:
            self._transfer(move)
            told.append(_moved(move, because, more))
        self.record_many("stock-moved", told)

    def cancel_move(self, entry: LedgerEntry, because: str) -> StockMove:
        """Take a recorded move back by an entry that corrects it; return the move that undid it. Raises Shortage as `move` does."""
        data = entry.data
        item = DrugCode(data["item"])
        undone = StockMove(item, lot_id(item, data["lot"]), data["to"], data["from"], Fraction(data["quantity"]))
        self._transfer(undone)
        self.record("stock-move-cancelled", {**_moved(undone, because, {}), "corrects": entry.seq})
        return undone

    def held(self, account: str, lot: str) -> Fraction:
        """Return the exact quantity of one lot in one account; zero where there is none."""
        row = self._connection.execute(_HELD, (account, lot)).fetchone()
        return Fraction(*row) if row else Fraction(0)

    def balance(self, account: str) -> Mapping[str, Fraction]:
        """Return the lots of an account with their exact quantities, zero ones left out."""
        rows = self._connection.execute(
            "SELECT lot, numerator, denominator FROM balances WHERE account = ? ORDER BY lot", (account,)
        )
        return {lot: Fraction(numerator, denominator) for lot, numerator, denominator in rows}

    def _transfer(self, move: StockMove) -> None:
        if move.quantity <= 0:
            raise ValueError(f"a move of {move.quantity} is none")
        if move.source == move.target:
            raise ValueError(f"a move from {move.source} to itself is none")
        if not self._takes_all(move):
            held = self.held(move.source, move.lot)
            if held < move.quantity and move.source not in MAY_BE_NEGATIVE:
                raise Shortage(move.source, move.lot, held, move.quantity)
            self._set(move.source, move, held, held - move.quantity)
        if not self._opens(move):
            held = self.held(move.target, move.lot)
            self._set(move.target, move, held, held + move.quantity)

    def _takes_all(self, move: StockMove) -> bool:
        """Close the source's balance if the move takes exactly what it holds, as a pack that is given does; needs no reading."""
        values = (move.source, move.lot, move.quantity.numerator, move.quantity.denominator)
        return bool(self._connection.execute(_CLOSE, values).rowcount == 1)

    def _opens(self, move: StockMove) -> bool:
        """Open the target's balance if it has none of this lot."""
        values = (move.target, move.lot, move.item, move.quantity.numerator, move.quantity.denominator)
        return bool(self._connection.execute(_OPEN, values).rowcount == 1)

    def _set(self, account: str, move: StockMove, before: Fraction, after: Fraction) -> None:
        """Write a balance only where it still is what was read."""
        if not before:
            cursor = self._connection.execute(_OPEN, (account, move.lot, move.item, after.numerator, after.denominator))
        elif not after:
            cursor = self._connection.execute(_CLOSE, (account, move.lot, before.numerator, before.denominator))
        else:
            values = (after.numerator, after.denominator, account, move.lot, before.numerator, before.denominator)
            cursor = self._connection.execute(_CHANGE, values)
        if cursor.rowcount != 1:
            raise LostUpdate(f"{account} of lot {move.lot} changed under a move")


def answered_once(work: SqlUnitOfWork, event: str, body_hash: str, decide: Callable[[], str]) -> tuple[str, bool]:
    """Return the answer to an event and whether it had been given before; decide only the first time.

    The answer is kept in the same transaction as what was decided. Raises EventConflict where the id had another body.
    """
    earlier = work.answers.get(event)
    if earlier is not None:
        if earlier.body_hash != body_hash:
            raise EventConflict(f"event {event} came before with another body")
        return earlier.answer, True
    answer = decide()
    work.answers.put(Answer(event, body_hash, answer))
    return answer, False


def _moved(move: StockMove, because: str, more: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "item": move.item,
        "lot": lot_number(move.item, move.lot),
        "from": move.source,
        "to": move.target,
        "quantity": fraction_text(move.quantity),
        "because": because,
        **more,
    }
