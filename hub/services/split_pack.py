"""A pack whose label would be too full becomes two before anything of it is printed or sent; `1 of 3` is right on every part."""

from collections.abc import Sequence
from dataclasses import replace

from hub.domain.doses import DoseState, PlannedDose
from hub.domain.identifiers import PackSerial
from hub.domain.packs import Pack, PackState
from hub.services.call_off import call_off
from hub.services.endings import doses_of
from hub.services.house import House
from hub.services.make_packs import make_parts
from hub.services.ports import UnitOfWork

TOO_FULL = "its label was too full: its doses go into smaller packs"


def split_pack(unit: UnitOfWork, serial: PackSerial, house: House) -> bool:
    """Call the pack off and set its doses up as two packs of half as many, all parts of the patient's time numbered anew.

    False, and nothing is changed, where it holds one dose, has a label already, or another part's label says the old number.
    """
    pack = unit.packs.get(serial)
    if pack is None or not _is_undrawn(pack):
        return False
    wanted = [dose for dose in doses_of(unit, pack) if dose.state is DoseState.FROZEN]
    beside = _other_parts(unit, pack)
    if len(wanted) < 2 or not all(_is_undrawn(other) for other in beside):
        return False
    call_off(unit, pack, TOO_FULL)
    made = [replace(part, part=pack.part) for part in make_parts(unit, pack, _halves(wanted), house)]
    _number(unit, [*beside, *made])
    dead = unit.packs.get(serial)
    if dead is not None and made:
        unit.packs.put(replace(dead, replaced_by=made[0].serial))
    return True


def _is_undrawn(pack: Pack) -> bool:
    return pack.state is PackState.EXPECTED and not pack.label_digest


def _halves(doses: Sequence[PlannedDose]) -> tuple[Sequence[PlannedDose], Sequence[PlannedDose]]:
    middle = (len(doses) + 1) // 2
    return doses[:middle], doses[middle:]


def _other_parts(unit: UnitOfWork, pack: Pack) -> list[Pack]:
    """Return the other packs of the set in which this one is numbered, but for those that never came to be."""
    same_time = unit.packs.where(batch=pack.batch, patient=pack.patient, order_by="serial")
    return [
        other for other in same_time
        if other.due == pack.due and other.parts == pack.parts and other.part != pack.part and other.state is not PackState.NEVER_MADE
    ]  # fmt: skip


def _number(unit: UnitOfWork, packs: Sequence[Pack]) -> None:
    """Number the set; a part stands where the pack was whose doses it has."""
    in_order = sorted(packs, key=lambda pack: pack.part)
    unit.packs.put_many([replace(pack, part=part, parts=len(in_order)) for part, pack in enumerate(in_order, 1)])
