"""Drops of the machine, booked as they physically happened: out of the cassette that the machine names, into the pouch."""

from dataclasses import dataclass, replace
from fractions import Fraction

from hub.domain.identifiers import CassetteId, DrugCode, LotId
from hub.domain.packs import TERMINAL_PACK_STATES, Content, Fill, JobState, Pack, PackJob
from hub.domain.records import Received
from hub.domain.stock import SURPLUS, WASTE, Account, StockMove, cassette_account, pack_account
from hub.services.endings import empty_pack
from hub.services.ports import UnitOfWork
from hub.services.reviews import open_review
from hub.services.stock_in import take_from_layers

WRONG_CASSETTE = "wrong-cassette"
_BEFORE_THE_END = (JobState.QUEUED, JobState.SENT, JobState.ACCEPTED, JobState.RUNNING)
_RESERVING = (*_BEFORE_THE_END, JobState.IN_DOUBT)


@dataclass(frozen=True, slots=True)
class Drop:
    """What the machine says of slot `slot` of a job: the cassette, how many it was asked for and how many `counter` counted."""

    slot: int
    cassette: int
    asked: int
    counted: int
    counter: str = "the drop sensor"


def take_drop(unit: UnitOfWork, job: PackJob, drop: Drop) -> None:
    """Book what was counted, lot by lot in the order of loading, and note on the job what was not as planned.

    A drop out of a cassette other than the planned one locks both until a person has looked at them.
    """
    unit.received.put(Received(job.device, _drops_of(job), 0, drop.slot, unit.now))
    fill = job.fills[drop.slot]
    planned, pack = unit.cassettes.get(fill.cassette), unit.packs.get(job.pack)
    assert planned is not None and pack is not None
    freed = fill.count if job.state in _RESERVING else 0  # the end of the job has freed what it had not dropped by then
    unit.cassettes.put(replace(planned, reserved=max(0, planned.reserved - freed)))
    _put_into(unit, pack, _out_of_cassette(unit, job, fill, drop))
    wrong = _wrong(fill, drop)
    if drop.cassette != fill.cassette:
        for cassette in (fill.cassette, CassetteId(drop.cassette)):
            _lock(unit, cassette, job, drop.slot, wrong[0])
    reason = "; ".join(filter(None, (job.reason, *wrong)))
    unit.jobs.put(replace(job, state=JobState.RUNNING if job.state in _BEFORE_THE_END else job.state, reason=reason))


def has_dropped(unit: UnitOfWork, job: PackJob, slot: int) -> bool:
    """Tell whether the drop of a slot of a job was taken into account."""
    return unit.received.get(job.device, _drops_of(job), 0, slot) is not None


def _drops_of(job: PackJob) -> str:
    return f"drops/{job.id}"


def _wrong(fill: Fill, drop: Drop) -> tuple[str, ...]:
    """Return in plain words what a drop has against its plan, the cassette first."""
    wrong = []
    if drop.cassette != fill.cassette:
        wrong.append(f"the machine dropped from cassette {drop.cassette}, cassette {fill.cassette} was planned")
    if drop.asked != fill.count:
        wrong.append(f"the machine was asked for {drop.asked} from cassette {drop.cassette}, {fill.count} were planned")
    if drop.counted != fill.count:
        wrong.append(f"{drop.counter} counted {drop.counted} of {fill.count} from cassette {drop.cassette}")
    return tuple(wrong)


def _out_of_cassette(unit: UnitOfWork, job: PackJob, fill: Fill, drop: Drop) -> tuple[Content, ...]:
    """Take what was counted out of the cassette that the machine names; what its books do not hold comes from `surplus`."""
    cassette = unit.cassettes.get(CassetteId(drop.cassette))
    if cassette is None:
        return _from_surplus(unit, job, fill, drop, fill.drug, _any_lot(unit, fill.drug), drop.counted)
    left, taken = take_from_layers(cassette, drop.counted)
    unit.cassettes.put(left)
    account = cassette_account(cassette.id)
    fell = tuple(_into_pack(unit, job, fill, cassette.item, layer.lot, layer.count, account) for layer in taken)
    more = drop.counted - sum(layer.count for layer in taken)
    lot = cassette.layers[-1].lot if cassette.layers else _any_lot(unit, cassette.item)
    return (*fell, *_from_surplus(unit, job, fill, drop, cassette.item, lot, more))


def _into_pack(
    unit: UnitOfWork, job: PackJob, fill: Fill, drug: DrugCode, lot: LotId, count: int, source: Account
) -> Content:
    unit.move(StockMove(drug, lot, source, pack_account(job.pack), Fraction(count)), "drop", pack=job.pack)
    return Content(fill.dose, drug, lot, Fraction(count))


def _any_lot(unit: UnitOfWork, drug: DrugCode) -> LotId | None:
    return next((lot.id for lot in unit.lots.where(item=drug, limit=1)), None)


def _from_surplus(
    unit: UnitOfWork, job: PackJob, fill: Fill, drop: Drop, drug: DrugCode, lot: LotId | None, more: int
) -> tuple[Content, ...]:
    """Book tablets that the cassette should not have held: they come from `surplus`, and somebody must look.

    Of a drug that was never received there is no lot: its tablets are booked as the planned drug's.
    """
    if more <= 0:
        return ()
    told = f"Cassette {drop.cassette} gave {more} more than the books say it held."
    open_review(unit, "surplus", str(drop.cassette), "", (told,), occasion=f"{job.id}/{drop.slot}")
    if lot is None:
        drug, lot = fill.drug, _any_lot(unit, fill.drug)
    assert lot is not None
    return (_into_pack(unit, job, fill, drug, lot, more, SURPLUS),)


def _put_into(unit: UnitOfWork, pack: Pack, dropped: tuple[Content, ...]) -> None:
    """Add what dropped to a pack; one that has ended meanwhile was thrown away with everything that was in it."""
    if pack.state in TERMINAL_PACK_STATES:
        empty_pack(unit, replace(pack, contents=dropped), WASTE, "wasted")
    unit.packs.put(replace(pack, contents=(*pack.contents, *dropped)))


def _lock(unit: UnitOfWork, cassette_id: CassetteId, job: PackJob, slot: int, reason: str) -> None:
    """Lock a cassette for new reservations and ask a person what is in it; a locked one was asked about already."""
    cassette = unit.cassettes.get(cassette_id)
    if cassette is None or cassette.reason:
        return
    unit.cassettes.put(replace(cassette, reason=reason))
    asked = (f"{reason} (job {job.id}).", f"Cassette {cassette_id} is locked: accept when somebody has seen what is in it.")
    open_review(unit, WRONG_CASSETTE, str(cassette_id), "", asked, occasion=f"{job.id}/{slot}")


def unlock_cassette(unit: UnitOfWork, cassette_id: CassetteId) -> None:
    """Let a locked cassette be used again: a person has seen that it holds what its books say."""
    cassette = unit.cassettes.get(cassette_id)
    if cassette is not None:
        unit.cassettes.put(replace(cassette, reason=""))
