"""How packs and doses end: the one place that books contents and writes the last fact of each."""

from collections.abc import Iterable
from dataclasses import replace

from hub.domain.doses import TERMINAL_DOSE_STATES, DoseState, PlannedDose
from hub.domain.packs import Pack, PackState, advanced
from hub.domain.quantities import fraction_text
from hub.domain.stock import WASTE, Account, StockMove, pack_account, patient_account, returned_account
from hub.services.ports import UnitOfWork
from hub.services.references import forget_pack

_WITHDRAWN = (PackState.REVOKED, PackState.QUARANTINED, PackState.LOST)
"""What a pack shows that goes there teaches no look of a tablet, until a person accepts it."""


def end_dose(unit: UnitOfWork, dose: PlannedDose, state: DoseState, reason: str = "") -> PlannedDose:
    """Write the terminal fact of a dose, once; a dose that has ended already stays as it is."""
    if dose.state in TERMINAL_DOSE_STATES:
        return dose
    ended = replace(dose, state=state, reason=reason)
    unit.doses.put(ended)
    if state is DoseState.GIVEN:
        data = {"dose": dose.id, "patient": dose.patient, "pack": dose.pack, "units": fraction_text(dose.units)}
    else:
        data = {"dose": dose.id, "reason": reason}
    unit.record(f"dose-{state.value}", data)
    return ended


def move_pack(unit: UnitOfWork, pack: Pack, state: PackState, reason: str = "", **facts: object) -> Pack:
    """Advance a pack's state machine and record the step; a pack that never got its label was never announced."""
    moved = replace(pack, state=advanced(pack.state, state), reason=reason or pack.reason)
    unit.packs.put(moved)
    if state in _WITHDRAWN or pack.state is PackState.QUARANTINED:
        forget_pack(unit, pack)
    if not pack.label_digest:
        return moved
    unit.record(f"pack-{state.value}", {"pack": pack.serial, **({"reason": reason} if reason else {}), **facts})
    return moved


def empty_pack(unit: UnitOfWork, pack: Pack, target: Account, because: str) -> None:
    """Book everything that is in a pack to another account."""
    for content in pack.contents:
        move = StockMove(content.drug, content.lot, pack_account(pack.serial), target, content.units)
        unit.move(move, because, pack=pack.serial, dose=content.dose)


def destroy_pack(unit: UnitOfWork, pack: Pack, reason: str, *, waste_doses: bool) -> Pack:
    """End a pack in the waste; its doses are wasted with it where they were packed, else they wait for a remake."""
    destroyed = move_pack(unit, pack, PackState.DESTROYED, reason)
    empty_pack(unit, pack, WASTE, "wasted")
    if waste_doses:
        _end_doses_of(unit, pack, DoseState.WASTED, reason)
    return destroyed


def restock_pack(unit: UnitOfWork, pack: Pack, reason: str) -> Pack:
    """End a pack back in the pharmacy, sealed and in date: kept as a single pack of its own, never into a cassette or free stock."""
    restocked = move_pack(unit, pack, PackState.RESTOCKED, reason)
    empty_pack(unit, pack, returned_account(pack.serial), "restocked")
    _end_doses_of(unit, pack, DoseState.RETURNED, reason)
    return restocked


def give_pack(unit: UnitOfWork, pack: Pack, doses: Iterable[PlannedDose]) -> tuple[PlannedDose, ...]:
    """End a pack at its patient: contents booked, and those of `doses` that it is to serve now given."""
    move_pack(unit, pack, PackState.GIVEN, patient=pack.patient)
    empty_pack(unit, pack, patient_account(pack.patient), "given")
    return tuple(end_dose(unit, dose, DoseState.GIVEN) for dose in doses if dose.pack == pack.serial)


def doses_of(unit: UnitOfWork, pack: Pack) -> list[PlannedDose]:
    """Return the doses that this pack is to serve now (a remade pack's doses belong to the new one)."""
    found = (unit.doses.get(dose) for dose in pack.doses)
    return [dose for dose in found if dose is not None and dose.pack == pack.serial]


def _end_doses_of(unit: UnitOfWork, pack: Pack, state: DoseState, reason: str) -> None:
    for dose in doses_of(unit, pack):
        end_dose(unit, dose, state, reason)
