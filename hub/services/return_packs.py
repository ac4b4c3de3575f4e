"""Packs that come back: restocked when sealed, in date and kept right, else destroyed; never into a cassette."""

from hub.domain.doses import Lane
from hub.domain.packs import Pack, PackState, Verdict
from hub.domain.refusals import Refusal
from hub.domain.state_words import state_ru
from hub.domain.stock import lot_is_usable
from hub.services.endings import destroy_pack, restock_pack
from hub.services.ports import UnitOfWork
from hub.services.replaced_labels import replaced_label

_BACK = (PackState.REVOKED, PackState.HELD)


def packs_to_return(unit: UnitOfWork) -> list[Pack]:
    """Return packs that must come back to the pharmacy: held at the bedside, or revoked after their release."""
    waiting = unit.packs.where(state=list(_BACK), order_by="serial")
    return [pack for pack in waiting if _was_released(pack)]


def _was_released(pack: Pack) -> bool:
    """A revoked pouch that never passed the camera goes into the reject bin instead."""
    return pack.verdict is Verdict.PASS or pack.state is PackState.HELD


def return_pack(unit: UnitOfWork, serial: str, sealed: bool) -> Pack | Refusal:
    """Take a pack back: its doses are returned or wasted with it."""
    pack = unit.packs.get(serial)
    if pack is None:
        return Refusal("unknown-pack", f"No pack has the serial {serial}.", f"Упаковки с номером {serial} нет.")
    if (replaced := replaced_label(unit, serial)) is not None:
        return replaced
    if pack.state not in _BACK or not _was_released(pack):
        return Refusal("state", f"Pack {serial} is {pack.state.value} and is not to be returned.", f"Упаковка {serial}: {state_ru(pack.state)}; её не возвращают.")
    reason = pack.reason or "returned"
    if not sealed:
        return destroy_pack(unit, pack, f"{reason}; came back opened", waste_doses=True)
    if pack.lane in (Lane.COLD, Lane.HAZARDOUS, Lane.HALF_TABLET):
        return destroy_pack(unit, pack, f"{reason}; {pack.lane.value} items are not restocked", waste_doses=True)
    if pack.expires_on is not None and pack.expires_on <= unit.now.date():
        return destroy_pack(unit, pack, f"{reason}; expired on {pack.expires_on}", waste_doses=True)
    if any(not lot_is_usable(unit.lots.get(lot), unit.now.date()) for lot in {*pack.lots, *(content.lot for content in pack.contents)}):
        return destroy_pack(unit, pack, f"{reason}; a lot in it was recalled or has expired", waste_doses=True)
    return restock_pack(unit, pack, reason)
