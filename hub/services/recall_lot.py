"""A lot is recalled: nothing of it is used, packed, sent out or given any more; who got it already is named."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.domain.doses import DoseState, PlannedDose
from hub.domain.identifiers import DrugCode, LotId, PatientId
from hub.domain.packs import TERMINAL_PACK_STATES, JobState, Pack, PackState
from hub.domain.refusals import Refusal
from hub.domain.stock import Cassette, CassetteState, Lot, patient_account
from hub.services.call_off import call_off, withdraw
from hub.services.endings import doses_of, move_pack
from hub.services.house import House
from hub.services.make_packs import make_packs
from hub.services.ports import UnitOfWork
from hub.services.stock_in import lots_named

_OPEN_STATES = [state for state in PackState if state not in TERMINAL_PACK_STATES and state is not PackState.REVOKED]
_AT_THE_MACHINE = (PackState.EXPECTED, PackState.PRODUCED, PackState.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a recall found: packs that were called off or revoked, and the patients who were given of the lot."""

    packs: int
    patients_given: tuple[PatientId, ...]


def recall_lot(unit: UnitOfWork, item: DrugCode, number: str, reason: str, house: House) -> Recalled | Refusal:
    """Recall a lot; safe to repeat. Doses are made anew from another lot where one can be had, by hand.

    A pack counts as one of the lot if it holds it, if the lot was chosen for it, or if it waits for a cassette with the lot in it.
    A number means every lot that differs from it in upper and lower case alone.
    """
    lots = lots_named(unit, item, number)
    if not lots:
        return Refusal("unknown-lot", f"No lot {number} of {item} was ever received.", f"Серия {number} препарата {item} не поступала.")
    for lot in lots:
        _mark(unit, lot, reason)
    recalled = [_recall(unit, lot, reason, house) for lot in lots]
    given = dict.fromkeys(patient for one in recalled for patient in one.patients_given)
    return Recalled(sum(one.packs for one in recalled), tuple(given))


def _mark(unit: UnitOfWork, lot: Lot, reason: str) -> None:
    if not lot.recalled:
        unit.lots.put(replace(lot, recalled=True))
        unit.record("lot-recalled", {"item": lot.item, "lot": lot.number, "reason": reason})


def _recall(unit: UnitOfWork, lot: Lot, reason: str, house: House) -> Recalled:
    why = f"lot {lot.number} of {lot.item} was recalled: {reason}"
    locked = _lock_cassettes(unit, lot, why)
    affected = [pack for pack in unit.packs.where(state=_OPEN_STATES) if _is_affected(unit, pack, lot, locked)]
    for pack in affected:
        _withdraw_pack(unit, pack, why, house)
    _ask_for_another(unit, lot, house)
    return Recalled(len(affected), _given_to(unit, lot.id))


def _lock_cassettes(unit: UnitOfWork, lot: Lot, why: str) -> list[Cassette]:
    holding = [cassette for cassette in unit.cassettes.where(item=lot.item) if lot.id in {layer.lot for layer in cassette.layers}]
    for cassette in holding:
        if cassette.reason:
            continue
        unit.cassettes.put(replace(cassette, state=CassetteState.LOCKED, reason=why))
        unit.record("cassette-locked", {"cassette": cassette.id, "item": lot.item, "reason": why})
    return holding


def _is_affected(unit: UnitOfWork, pack: Pack, lot: Lot, locked: Sequence[Cassette]) -> bool:
    if lot.id in pack.lots or any(content.lot == lot.id for content in pack.contents):
        return True
    job = unit.jobs.get(pack.job) if pack.job is not None and pack.state is PackState.EXPECTED else None
    return job is not None and {fill.cassette for fill in job.fills} & {cassette.id for cassette in locked} != set()


def _withdraw_pack(unit: UnitOfWork, pack: Pack, why: str, house: House) -> None:
    """Call off what nobody has begun; revoke any other: a pouch in the machine is made anew from the reject bin, the rest at once."""
    job = unit.jobs.get(pack.job) if pack.job is not None else None
    if pack.state is PackState.EXPECTED and (job is None or job.state in (JobState.QUEUED, JobState.REFUSED, JobState.ABORTED)):
        call_off(unit, pack, why)
    else:
        move_pack(unit, pack, PackState.REVOKED, why)
        if pack.state in _AT_THE_MACHINE:
            return
    wanted = [dose for dose in doses_of(unit, pack) if dose.state in (DoseState.FROZEN, DoseState.PACKED)]
    made = _made_anew(unit, wanted, pack, house)
    gone = unit.packs.get(pack.serial)
    if made and gone is not None:
        unit.packs.put(replace(gone, replaced_by=made[0].serial))


def _made_anew(unit: UnitOfWork, doses: Sequence[PlannedDose], pack: Pack, house: House) -> list[Pack]:
    if not doses:
        return []
    by_hand = [replace(dose, stat=True, combine=False) for dose in doses]
    return make_packs(unit, by_hand, pack.batch, house, remake_of=unit.packs.get(pack.serial))


def _ask_for_another(unit: UnitOfWork, lot: Lot, house: House) -> None:
    """Ask for what wards wait for from another lot; what was carried there already is refused at the bedside."""
    for requisition in unit.requisitions.where(lot=lot.id, issued=False):
        doses = [dose for dose_id in requisition.doses if (dose := unit.doses.get(dose_id)) is not None]
        for dose in doses:
            withdraw(unit, dose)
        waiting = [replace(dose, stat=True) for dose in doses if dose.state is DoseState.FROZEN]
        make_packs(unit, waiting, requisition.batch, house)


def _given_to(unit: UnitOfWork, lot: LotId) -> tuple[PatientId, ...]:
    patients = sorted(patient.id for patient in unit.patients.where())
    return tuple(patient for patient in patients if unit.held(patient_account(patient), lot) > 0)
