"""An administration that was entered in error: corrected in the ledger, and the dose open again or wasted, as it physically is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from hub.domain.doses import WARD_LANES, DoseState, PlannedDose
from hub.domain.identifiers import DoseId, derived_id
from hub.domain.ledger import LedgerEntry
from hub.domain.orders import IN_FORCE
from hub.domain.packs import Pack, PackState
from hub.domain.records import Incident
from hub.domain.refusals import Refusal
from hub.domain.stock import WASTE, StockMove, lot_id
from hub.services.endings import destroy_pack, doses_of, end_dose, move_pack
from hub.services.ports import UnitOfWork

_MOVES_AT_MOST = 200


class Truth(StrEnum):
    """What physically became of the dose: it is still here, whole, or it was thrown away."""

    HERE = "here"
    WASTED = "wasted"


@dataclass(frozen=True, slots=True)
class EnteredInError:
    """What is to be corrected: a pack by its scanned label, or a dose of the ward's stock; why, and what is true."""

    patient_code: str
    truth: Truth
    reason: str
    pack_code: str = ""
    dose: DoseId | None = None


def cancel_administration(unit: UnitOfWork, error: EnteredInError) -> tuple[PlannedDose, ...] | Refusal:
    """Correct what was recorded as given; nothing is removed, each wrong entry is named by a new one.

    A dose that is here is open again while its order stands as it was; else it goes back. One that was thrown away is wasted.
    """
    if not error.reason.strip():
        return Refusal("reason", "Say how it came that this was recorded as given.", "Укажите, почему доза была отмечена как данная.")
    return _cancel_dose(unit, error) if error.dose is not None else _cancel_pack(unit, error)


def _cancel_pack(unit: UnitOfWork, error: EnteredInError) -> tuple[PlannedDose, ...] | Refusal:
    pack = unit.packs.get(error.pack_code)
    given = unit.newest_fact("pack-given", pack=error.pack_code) if pack is not None else None
    if pack is None or pack.state is not PackState.GIVEN or given is None:
        return Refusal("not-given", f"Pack {error.pack_code} is not recorded as given.", f"Упаковка {error.pack_code} не отмечена как данная.")
    doses = [dose for dose in doses_of(unit, pack) if dose.state is DoseState.GIVEN]
    refusal = _not_of(unit, error, doses)
    if refusal is not None:
        return refusal
    facts = _given_facts(unit, doses)
    _take_back_moves(unit, given.seq, max(fact.seq for fact in facts), error.reason, pack=pack.serial)
    unit.record("pack-not-given", {"pack": pack.serial, "corrects": given.seq, "reason": error.reason})
    opened = [_opened(unit, error, dose, fact) for dose, fact in zip(doses, facts, strict=True)]
    again = replace(pack, state=PackState.RECEIVED)
    unit.packs.put(again)
    _tell(unit, error, doses)
    return _as_it_is(unit, error, again, opened)


def _as_it_is(unit: UnitOfWork, error: EnteredInError, pack: Pack, doses: Sequence[PlannedDose]) -> tuple[PlannedDose, ...]:
    """Let pack and doses go the way that is true: into the waste, back to the pharmacy, or to the patient yet."""
    if error.truth is Truth.WASTED:
        destroy_pack(unit, pack, error.reason, waste_doses=True)
    elif not all(_is_wanted(unit, dose) for dose in doses):
        move_pack(unit, pack, PackState.REVOKED, f"entered in error ({error.reason}), and its order is not in force as it was")
    return tuple(dose for each in doses if (dose := unit.doses.get(each.id)) is not None)


def _cancel_dose(unit: UnitOfWork, error: EnteredInError) -> tuple[PlannedDose, ...] | Refusal:
    dose = unit.doses.get(error.dose)
    if dose is None or dose.lane not in WARD_LANES or dose.state is not DoseState.GIVEN:
        return Refusal("not-given", f"Dose {error.dose} of the ward's stock is not recorded as given.", f"Доза {error.dose} из запаса отделения не отмечена как данная.")
    refusal = _not_of(unit, error, [dose])
    if refusal is not None:
        return refusal
    (fact,) = _given_facts(unit, [dose])
    moves = _take_back_moves(unit, max(0, fact.seq - _MOVES_AT_MOST), fact.seq, error.reason, dose=dose.id)
    opened = _opened(unit, error, dose, fact)
    _tell(unit, error, [dose])
    if error.truth is Truth.WASTED:
        for move in moves:
            unit.move(replace(move, target=WASTE), "wasted", dose=dose.id)
        return (end_dose(unit, opened, DoseState.WASTED, error.reason),)
    if not _is_wanted(unit, opened):
        return (end_dose(unit, opened, DoseState.RETURNED, f"{error.reason}: stays in the ward's stock"),)
    return (opened,)


def _not_of(unit: UnitOfWork, error: EnteredInError, doses: Sequence[PlannedDose]) -> Refusal | None:
    """Return why the doses cannot be those that are meant: nothing was given, or the wristband is another patient's."""
    if not doses:
        return Refusal("not-given", "No dose of this pack is recorded as given.", "Ни одна доза этой упаковки не отмечена как данная.")
    patient = unit.patients.get(doses[0].patient)
    if patient is None or patient.code != error.patient_code:
        return Refusal("wrong-patient", "This was recorded for another patient.", "Эта доза отмечена у другого пациента.")
    return None


def _given_facts(unit: UnitOfWork, doses: Sequence[PlannedDose]) -> list[LedgerEntry]:
    facts = [unit.newest_fact("dose-given", dose=dose.id) for dose in doses]
    assert all(fact is not None for fact in facts), "a given dose has its fact"
    return [fact for fact in facts if fact is not None]


def _take_back_moves(unit: UnitOfWork, after: int, before: int, reason: str, **about: str) -> list[StockMove]:
    """Take back what was booked to the patient, each move named by what corrects it; return the moves back from where they had come."""
    (name, value), = about.items()
    taken = []
    for entry in unit.facts_between("stock-moved", after, before):
        data = entry.data
        if data["because"] != "given" or data.get(name) != value:
            continue
        move = unit.cancel_move(entry, reason)
        taken.append(StockMove(move.item, lot_id(move.item, data["lot"]), move.target, move.source, move.quantity))
    return taken


def _opened(unit: UnitOfWork, error: EnteredInError, dose: PlannedDose, fact: LedgerEntry) -> PlannedDose:
    """Write down that a dose was not given after all: from here on it is packed, as before."""
    opened = replace(dose, state=DoseState.PACKED, reason="")
    unit.doses.put(opened)
    told = {"dose": dose.id, "order": dose.order, "patient": dose.patient, "pack": dose.pack, "truth": error.truth.value}
    unit.record("administration-cancelled", {**told, "reason": error.reason, "corrects": fact.seq})
    return opened


def _is_wanted(unit: UnitOfWork, dose: PlannedDose) -> bool:
    """Tell whether a dose that is open again may still be given: its order stands, in the same version."""
    order = unit.orders.get(dose.order)
    return order is not None and order.state in IN_FORCE and order.version == dose.version


def _tell(unit: UnitOfWork, error: EnteredInError, doses: Sequence[PlannedDose]) -> None:
    """Open an incident: something was signed for that did not happen."""
    ids = [dose.id for dose in doses]
    text, russian = f"recorded as given in error: {error.reason}", f"отмечено как данное по ошибке: {error.reason}"
    incident = Incident(derived_id("incident", "entered-in-error", *ids, unit.now.isoformat(), digits=16), "entered-in-error", text, unit.now, ids[0], text_ru=russian)
    unit.incidents.put(incident)
    unit.record("incident-opened", {"incident": incident.id, "kind": incident.kind, "dose": ids[0], "text": text})
