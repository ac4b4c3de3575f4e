"""Trolleys: loaded by scan into drawers, sealed, handed over, received, closed; and packs that go by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.domain.custody import Trolley, TrolleyState
from hub.domain.doses import Lane
from hub.domain.identifiers import TrolleyId
from hub.domain.orders import LineState, is_in_force
from hub.domain.packs import TERMINAL_PACK_STATES, Pack, PackState
from hub.domain.people import Action, User, may
from hub.domain.recorded_words import in_russian
from hub.domain.refusals import Refusal
from hub.domain.state_words import state_ru
from hub.domain.stock import lot_is_usable
from hub.services.endings import doses_of, move_pack
from hub.services.ports import UnitOfWork
from hub.services.replaced_labels import replaced_label

_WHY = {
    PackState.EXPECTED: "not made yet",
    PackState.PRODUCED: "at the camera station",
    PackState.VERIFIED: "leaving the machine",
    PackState.QUARANTINED: "waits for a person's decision",
    PackState.RELEASED: "released: scan it into its drawer",
}


@dataclass(frozen=True, slots=True)
class TrolleyView:
    """A trolley with what lies in it, what is missing, and what must be pulled out before it may leave."""

    trolley: Trolley
    packs: tuple[Pack, ...]
    missing: tuple[tuple[Pack, str], ...]
    pull: tuple[Pack, ...]


def view_trolley(unit: UnitOfWork, trolley: Trolley) -> TrolleyView:
    """Return what a person needs to see of one trolley."""
    packs = unit.packs.where(trolley=trolley.id, order_by="serial")
    aboard = tuple(pack for pack in packs if pack.state in (PackState.LOADED, PackState.DISPATCHED, PackState.RECEIVED))
    missing = tuple((pack, _WHY[pack.state]) for pack in packs if pack.state in _WHY)
    here = trolley.state in (TrolleyState.ASSEMBLING, TrolleyState.SEALED)
    pull = tuple(pack for pack in packs if _must_come_out(unit, pack, here))
    return TrolleyView(trolley, aboard, missing, pull)


def _must_come_out(unit: UnitOfWork, pack: Pack, here: bool) -> bool:
    """Tell whether a pack is on the pull list: revoked, or its order is on hold and its trolley has not left yet."""
    if pack.state is PackState.REVOKED:
        return pack.in_drawer
    return here and pack.state is PackState.LOADED and is_on_hold(unit, pack)


def is_on_hold(unit: UnitOfWork, pack: Pack) -> bool:
    """Tell whether an order of a pack is on hold: it is kept back until the order is resumed."""
    orders = (unit.orders.get(dose.order) for dose in doses_of(unit, pack))
    return any(order is not None and order.state is LineState.ON_HOLD for order in orders)


def found_trolley(unit: UnitOfWork, scanned: str) -> Trolley | None:
    """Return a trolley by its id, or by the label of its tray."""
    return unit.trolleys.get(scanned) or next(iter(unit.trolleys.where(label=scanned)), None)


def load_pack(unit: UnitOfWork, trolley_id: str, drawer: str, serial: str) -> TrolleyView | Refusal:
    """Book a released pack into its drawer; another trolley's, another drawer's or a stopped one is refused."""
    trolley, pack = found_trolley(unit, trolley_id), unit.packs.get(serial)
    if (replaced := replaced_label(unit, serial) or (replaced_label(unit, trolley_id) if trolley is None else None)) is not None:
        return replaced
    if trolley is None or trolley.state is not TrolleyState.ASSEMBLING:
        return Refusal("trolley", f"Trolley {trolley_id} is not being assembled.", f"Тележка {trolley_id} сейчас не комплектуется.")
    if pack is None:
        return Refusal("unknown-pack", f"No pack has the serial {serial}.", f"Упаковки с номером {serial} нет.")
    if pack.state in (PackState.REVOKED, PackState.QUARANTINED):
        return Refusal("revoked", f"Pack {serial} must not go out: {pack.reason}", f"Упаковку {serial} выпускать нельзя: {in_russian(pack.reason)}")
    if pack.state is not PackState.RELEASED:
        return Refusal("state", f"Pack {serial} is {pack.state.value}; only a released pack is loaded.", f"Упаковка {serial}: {state_ru(pack.state)}; загружают только выпущенную.")
    if pack.trolley != trolley.id or pack.drawer != drawer:
        return Refusal(
            "wrong-drawer",
            f"Pack {serial} belongs to trolley {pack.trolley or 'none, it goes by hand'}, drawer {pack.drawer}.", f"Упаковка {serial} относится к тележке {pack.trolley or 'нет, её передают из рук в руки'}, ящик {pack.drawer}.",
        )
    if (refusal := _not_fit(unit, pack)) is not None:
        return refusal
    move_pack(unit, replace(pack, in_drawer=True), PackState.LOADED, trolley=trolley.id, drawer=drawer)
    return view_trolley(unit, trolley)


def pull_pack(unit: UnitOfWork, trolley_id: str, serial: str) -> Pack | Refusal:
    """Book that a pack was taken out of its drawer: a revoked one goes to the returns, one on hold is kept back and loaded again later.

    A seal that was broken for it must be renewed.
    """
    pack, trolley = unit.packs.get(serial), found_trolley(unit, trolley_id)
    if pack is None or trolley is None or serial not in {each.serial for each in view_trolley(unit, trolley).pull}:
        return Refusal("not-on-list", f"Pack {serial} is not on the pull list of trolley {trolley_id}.", f"Упаковки {serial} нет в списке изъятия тележки {trolley_id}.")
    kept = PackState.RELEASED if pack.state is PackState.LOADED else pack.state
    pulled = replace(pack, in_drawer=False, state=kept)
    unit.packs.put(pulled)
    unit.record("pack-pulled", {"pack": serial, "trolley": trolley.id})
    if trolley.state is TrolleyState.SEALED:
        opened = replace(trolley, state=TrolleyState.ASSEMBLING, seal="", sealed_at=None)
        _put(unit, opened, "trolley-opened", pack=serial)
    return pulled


def seal_trolley(unit: UnitOfWork, trolley_id: str, seal: str) -> Trolley | Refusal:
    """Seal a trolley; what is on the pull list must be out, what is missing goes by hand from now on."""
    trolley = found_trolley(unit, trolley_id)
    if trolley is None or trolley.state is not TrolleyState.ASSEMBLING:
        return Refusal("trolley", f"Trolley {trolley_id} is not being assembled.", f"Тележка {trolley_id} сейчас не комплектуется.")
    if not seal:
        return Refusal("seal", "Scan the number of the seal.", "Отсканируйте номер пломбы.")
    view = view_trolley(unit, trolley)
    if view.pull:
        serials = ", ".join(pack.serial for pack in view.pull)
        return Refusal("pull", f"Take out first what was revoked: {serials}.", f"Сначала изымите отозванное: {serials}.")
    for pack, why in view.missing:
        unit.packs.put(replace(pack, trolley=None, stat=True))
        unit.record("pack-left-behind", {"pack": pack.serial, "trolley": trolley.id, "why": why})
    sealed = replace(trolley, state=TrolleyState.SEALED, seal=seal, sealed_at=unit.now)
    return _put(unit, sealed, "trolley-sealed", seal=seal, packs=len(view.packs))


def dispatch_trolley(unit: UnitOfWork, trolley_id: str) -> Trolley | Refusal:
    """Book that a sealed trolley left the pharmacy."""
    trolley = found_trolley(unit, trolley_id)
    if trolley is None or trolley.state is not TrolleyState.SEALED:
        return Refusal("trolley", f"Trolley {trolley_id} is not sealed.", f"Тележка {trolley_id} не опломбирована.")
    if pull := view_trolley(unit, trolley).pull:
        serials = ", ".join(pack.serial for pack in pull)
        return Refusal("pull", f"Break the seal, take out what was revoked ({serials}), and seal it anew.", f"Вскройте пломбу, изымите отозванное ({serials}) и опломбируйте заново.")
    for pack in unit.packs.where(trolley=trolley.id, state=PackState.LOADED):
        move_pack(unit, pack, PackState.DISPATCHED)
    return _put(unit, replace(trolley, state=TrolleyState.DISPATCHED), "trolley-dispatched")


def receive_trolley(unit: UnitOfWork, trolley_id: str, seal: str) -> Trolley | Refusal:
    """Book that a ward received a trolley with its seal whole."""
    trolley = found_trolley(unit, trolley_id)
    if trolley is None or trolley.state is not TrolleyState.DISPATCHED:
        return Refusal("trolley", f"Trolley {trolley_id} is not on its way.", f"Тележка {trolley_id} не в пути.")
    if seal != trolley.seal:
        return Refusal("seal", f"The seal should read {trolley.seal}; do not use this trolley, call the pharmacy.", f"Номер пломбы должен быть {trolley.seal}; не пользуйтесь этой тележкой, позвоните в аптеку.")
    for pack in unit.packs.where(trolley=trolley.id, state=PackState.DISPATCHED):
        move_pack(unit, pack, PackState.RECEIVED)
    return _put(unit, replace(trolley, state=TrolleyState.RECEIVED, received_at=unit.now), "trolley-received")


def close_trolley(unit: UnitOfWork, trolley_id: str) -> Trolley | Refusal:
    """Close a trolley's round once nothing open lies in it; then it is reconciled."""
    trolley = found_trolley(unit, trolley_id)
    if trolley is None or trolley.state is not TrolleyState.RECEIVED:
        return Refusal("trolley", f"Trolley {trolley_id} was not received, or is closed.", f"Тележка {trolley_id} не принята или уже закрыта.")
    still = [pack for pack in unit.packs.where(trolley=trolley.id) if pack.state not in TERMINAL_PACK_STATES]
    if still:
        return Refusal(
            "open-packs",
            f"Trolley {trolley_id} still holds {len(still)} packs: {', '.join(pack.serial for pack in still[:5])}.", f"В тележке {trolley_id} ещё {len(still)} упаковок: {', '.join(pack.serial for pack in still[:5])}.",
        )
    return _put(unit, replace(trolley, state=TrolleyState.RECONCILED), "trolley-closed")


def hand_over(unit: UnitOfWork, serials: Sequence[str], receiver: str) -> int | Refusal:
    """Hand packs that go by hand (ampoule bags, STAT and late packs) to a nurse, each by its scan."""
    user = unit.users.get(receiver)
    packs = []
    for serial in dict.fromkeys(serials):
        pack = unit.packs.get(serial)
        refusal = _handing_refused(unit, serial, pack, user)
        if refusal is not None:
            return refusal
        assert pack is not None
        packs.append(pack)
    for pack in packs:
        move_pack(unit, pack, PackState.RECEIVED, receiver=receiver)
    return len(packs)


def _handing_refused(unit: UnitOfWork, serial: str, pack: Pack | None, receiver: User | None) -> Refusal | None:
    if (replaced := replaced_label(unit, serial)) is not None:
        return replaced
    if pack is None:
        return Refusal("unknown-pack", f"No pack has the serial {serial}.", f"Упаковки с номером {serial} нет.")
    if pack.state in (PackState.REVOKED, PackState.QUARANTINED):
        return Refusal("revoked", f"Pack {serial} must not go out: {pack.reason}", f"Упаковку {serial} выпускать нельзя: {in_russian(pack.reason)}")
    if pack.state is not PackState.RELEASED or pack.trolley is not None:
        return Refusal("state", f"Pack {serial} is {pack.state.value} and does not go by hand.", f"Упаковка {serial}: {state_ru(pack.state)}; из рук в руки её не передают.")
    if pack.lane is Lane.AMPOULE and (receiver is None or not may(receiver.role, Action.RECEIVE_AMPOULES)):
        return Refusal("not-treatment-nurse", f"Pack {serial} holds ampoules: only a treatment nurse takes them.", f"В упаковке {serial} ампулы: их принимает только процедурная медсестра.")
    return _not_fit(unit, pack)


def _not_fit(unit: UnitOfWork, pack: Pack) -> Refusal | None:
    """Return why a released pack must not leave the pharmacy all the same."""
    if pack.expires_on is not None and pack.expires_on < unit.now.date():
        return Refusal("expired", f"Pack {pack.serial} expired on {pack.expires_on}.", f"Срок годности упаковки {pack.serial} истёк {pack.expires_on}.")
    if not all(lot_is_usable(unit.lots.get(content.lot), unit.now.date()) for content in pack.contents):
        return Refusal("recalled", f"A lot in pack {pack.serial} was recalled or has expired: bring the pack back.", f"Серия в упаковке {pack.serial} отозвана или просрочена: верните упаковку.")
    for dose in doses_of(unit, pack):
        order = unit.orders.get(dose.order)
        if order is None or not is_in_force(order, unit.now):
            return Refusal("stopped", f"The order of pack {pack.serial} is not in force any more: bring the pack back.", f"Назначение упаковки {pack.serial} больше не действует: верните упаковку.")
    if is_on_hold(unit, pack):
        return Refusal("on-hold", f"An order of pack {pack.serial} is on hold: keep the pack back until it is resumed.", f"Назначение упаковки {pack.serial} приостановлено: придержите упаковку до возобновления.")
    return None


def ensure_trolley(unit: UnitOfWork, trolley: Trolley) -> None:
    """Open a trolley's round unless it is open already."""
    if unit.trolleys.get(trolley.id) is None:
        unit.trolleys.put(trolley)


def trolley_leaves(unit: UnitOfWork, trolley_id: TrolleyId | None) -> bool:
    """Tell whether a trolley can no longer take packs."""
    trolley = unit.trolleys.get(trolley_id) if trolley_id is not None else None
    return trolley is not None and trolley.state is not TrolleyState.ASSEMBLING


def _put(unit: UnitOfWork, trolley: Trolley, kind: str, **facts: object) -> Trolley:
    unit.trolleys.put(trolley)
    unit.record(kind, {"trolley": trolley.id, "department": trolley.department, **facts})
    return trolley
