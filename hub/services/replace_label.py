"""A label is made anew under a new serial, so that no second piece of paper ever carries one that counts."""

from dataclasses import replace

from hub.domain.custody import Trolley, TrolleyState
from hub.domain.doses import DoseState
from hub.domain.identifiers import PackSerial
from hub.domain.packs import Pack, PackState
from hub.domain.refusals import Refusal
from hub.domain.state_words import state_ru
from hub.services.endings import doses_of
from hub.services.house import House
from hub.services.house_prints import is_of_house
from hub.services.make_packs import make_packs
from hub.services.pick_packs import forget_pick
from hub.services.ports import UnitOfWork
from hub.services.replaced_labels import LABEL_IN_DOUBT, replaced_label
from hub.services.reviews import settle_reviews

REPLACED = "its label was replaced by a new one"


def replace_label(unit: UnitOfWork, serial: str, house: House) -> None:
    """Take the serial of a label away from it: its pack, or its tray, gets another one, whose label is drawn and printed.

    A label of the house is not printed a second time: whoever needs it asks for it anew.
    """
    pack = unit.packs.get(serial)
    if pack is not None:
        if pack.state is PackState.EXPECTED and pack.job is None:
            _pack_anew(unit, pack, house)
        return
    if is_of_house(serial):
        unit.prints.delete(PackSerial(serial))
    for trolley in unit.trolleys.where(label=serial):
        _tray_anew(unit, trolley, house)


def new_label(unit: UnitOfWork, serial: str, house: House) -> Pack | Refusal:
    """Make a label anew that was lost or cannot be read, before anything is in its pack; returns the old pack, with the one that replaces it."""
    pack = unit.packs.get(serial)
    if pack is None:
        return Refusal("unknown-pack", f"No pack has the serial {serial}.", f"Упаковки с номером {serial} нет.")
    if (replaced := replaced_label(unit, serial)) is not None:
        return replaced
    if pack.state is not PackState.EXPECTED or pack.job is not None or not pack.label_digest:
        return Refusal("not-open", f"Pack {serial} is {pack.state.value}: only the label of a bag that waits to be filled by hand is made anew.", f"Упаковка {serial}: {state_ru(pack.state)}; заново делают этикетку только пакета, который ждёт ручной сборки.")
    replace_label(unit, serial, house)
    settle_reviews(unit, (LABEL_IN_DOUBT,), serial, REPLACED)
    return unit.packs.get(serial) or pack


def _pack_anew(unit: UnitOfWork, pack: Pack, house: House) -> None:
    """Nothing is in it yet: it was never made, and its doses wait for the pack that takes its place, on the same trolley."""
    wanted = [dose for dose in doses_of(unit, pack) if dose.state is DoseState.FROZEN]
    forget_pick(unit, pack, REPLACED)
    made = make_packs(unit, wanted, pack.batch, house, remake_of=pack) if wanted else []
    for new in made:
        unit.packs.put(replace(new, trolley=pack.trolley, stat=pack.stat, drawer=pack.drawer, part=pack.part, parts=pack.parts))
    dead = unit.packs.get(pack.serial)
    if dead is not None and made:
        unit.packs.put(replace(dead, replaced_by=made[0].serial))


def _tray_anew(unit: UnitOfWork, trolley: Trolley, house: House) -> None:
    """Before it left the pharmacy it gets another serial, sealed or not: it may be opened again, and its label drawn again."""
    unit.prints.delete(trolley.label)
    if trolley.state in (TrolleyState.ASSEMBLING, TrolleyState.SEALED):
        label = house.serial_of("tray", trolley.id, trolley.label)
        unit.trolleys.put(replace(trolley, label=label))
        unit.record("tray-label-replaced", {"trolley": trolley.id, "label": trolley.label, "replaced_by": label})
