"""Stock comes in: receipts from the supplier, and tablets poured into cassettes by scan."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hub.domain.drugs import Drug
from hub.domain.identifiers import CassetteId, DeviceId, DrugCode, LotId
from hub.domain.quantities import fraction_text
from hub.domain.refusals import Refusal
from hub.domain.stock import (
    STORE,
    SUPPLIER,
    Cassette,
    CassetteState,
    Layer,
    Lot,
    SourcePack,
    StockMove,
    cassette_account,
    is_same_number,
    lot_id,
    lot_is_usable,
    lot_number,
)
from hub.services.ports import UnitOfWork

LOW_TABLETS = 20


@dataclass(frozen=True, slots=True)
class Receipt:
    """One manufacturer's pack as it came in; `unit_cost` per dispensing unit, `scanned` its maker's code as it was scanned.

    `lot_said` is the lot as the pack says it, where the books write the same lot in other upper and lower case.
    """

    code: str
    item: DrugCode
    lot: str
    expires_on: date
    units: Fraction
    unit_cost: Decimal
    look: str = ""
    scanned: str = ""
    lot_said: str = ""


def receive_stock(unit: UnitOfWork, receipts: Sequence[Receipt]) -> int | Refusal:
    """Book packs from the supplier into the store; refuse all of them if one is of an unknown drug or known already."""
    codes: set[str] = set()
    for receipt in receipts:
        if receipt.units <= 0:
            return Refusal("units", f"Pack {receipt.code} holds nothing.", f"Упаковка {receipt.code} пуста.")
        if unit.drugs.get(receipt.item) is None:
            return Refusal("unknown-drug", f"Pack {receipt.code}: drug {receipt.item} is not in the directory.", f"Упаковка {receipt.code}: препарата {receipt.item} нет в справочнике.")
        if unit.source_packs.get(receipt.code) is not None or receipt.code in codes:
            return Refusal("known-pack", f"Pack {receipt.code} was received before.", f"Упаковка {receipt.code} уже была принята.")
        codes.add(receipt.code)
    receipts = _of_known_lots(unit, receipts)
    refusal = _two_expiries(unit, receipts)
    if refusal is not None:
        return refusal
    for receipt in receipts:
        _receive(unit, receipt)
    return len(receipts)


def lots_named(unit: UnitOfWork, item: DrugCode, number: str) -> list[Lot]:
    """Return the lots of an item that a number names, in whatever case; the one that is written just so comes first."""
    lots = [lot for lot in unit.lots.where(item=item, order_by="id") if is_same_number(lot.number, number)]
    return sorted(lots, key=lambda lot: lot.number != number)


def _of_known_lots(unit: UnitOfWork, receipts: Sequence[Receipt]) -> list[Receipt]:
    """Return the receipts with every lot written as the books write it, or as the first of these receipts does."""
    known: dict[tuple[DrugCode, str], str] = {}
    written = []
    for receipt in receipts:
        key = receipt.item, receipt.lot.casefold()
        if key not in known:
            known[key] = _known_number(unit, receipt)
        is_known_so = known[key] == receipt.lot
        written.append(receipt if is_known_so else replace(receipt, lot=known[key], lot_said=receipt.lot))
    return written


def _known_number(unit: UnitOfWork, receipt: Receipt) -> str:
    if unit.lots.get(lot_id(receipt.item, receipt.lot)) is not None:
        return receipt.lot
    return next((lot.number for lot in lots_named(unit, receipt.item, receipt.lot)), receipt.lot)


def _two_expiries(unit: UnitOfWork, receipts: Sequence[Receipt]) -> Refusal | None:
    """Refuse a pack whose lot is known with another day of expiry: one of both was read wrong."""
    days: dict[LotId, date] = {}
    for receipt in receipts:
        lot = lot_id(receipt.item, receipt.lot)
        known = unit.lots.get(lot)
        day = days.setdefault(lot, receipt.expires_on if known is None else known.expires_on)
        if day != receipt.expires_on:
            return Refusal(
                "wrong-expiry", f"Pack {receipt.code}: lot {receipt.lot} is known to expire on {day}, not on {receipt.expires_on}.",
                f"Упаковка {receipt.code}: у серии {receipt.lot} известен срок годности {day}, а не {receipt.expires_on}.",
            )  # fmt: skip
    return None


def _receive(unit: UnitOfWork, receipt: Receipt) -> None:
    lot = lot_id(receipt.item, receipt.lot)
    if unit.lots.get(lot) is None:
        unit.lots.put(Lot(lot, receipt.item, receipt.lot, receipt.expires_on, receipt.unit_cost, look=receipt.look))
    unit.source_packs.put(SourcePack(receipt.code, receipt.item, lot, receipt.units, receipt.units, receipt.scanned))
    move = StockMove(receipt.item, lot, SUPPLIER, STORE, receipt.units)
    said = {"scanned": receipt.scanned, "lot_said": receipt.lot_said}
    unit.move(
        move, "receipt", source_pack=receipt.code, unit_cost=str(receipt.unit_cost), expires_on=receipt.expires_on.isoformat(),
        **{name: text for name, text in said.items() if text},
    )  # fmt: skip


def needs_second_person(drug: Drug) -> bool:
    """Tell whether loading asks for a second person: high-alert drugs and those that look or sound like others."""
    return drug.high_alert or bool(drug.look_alike_group)


@dataclass(frozen=True, slots=True)
class Loading:
    """What was scanned at the machine: slot, cassette and every source pack; `units` whole tablets poured in all."""

    device: DeviceId
    slot: int
    cassette: CassetteId
    packs: tuple[str, ...]
    units: int
    second: str | None


def load_cassette(unit: UnitOfWork, loading: Loading) -> Cassette | Refusal:
    """Book tablets from the store into a cassette, if every scan belongs to it (`domain.md` 4.3, cassette refill)."""
    cassette = unit.cassettes.get(loading.cassette)
    if cassette is None:
        return Refusal("unknown-cassette", f"Cassette {loading.cassette} is not in the cassette map.", f"Кассеты {loading.cassette} нет в карте кассет.")
    scanned = [unit.source_packs.get(code) for code in loading.packs]
    refusal = _loading_refused(unit, loading, cassette, scanned)
    if refusal is not None:
        return refusal
    rest, layers = loading.units, list(cassette.layers)
    for pack in scanned:
        assert pack is not None
        poured = min(rest, int(pack.left), _free(unit, pack.lot))
        if poured <= 0:
            continue
        rest -= poured
        _pour(unit, loading, pack, poured)
        layers = _with_layer(layers, pack.lot, poured)
    if rest:
        return Refusal(
            "too-few", f"The scanned packs hold {loading.units - rest} tablets by the books, not {loading.units}.", f"В отсканированных упаковках по учёту {loading.units - rest} таблеток, а не {loading.units}."
        )
    loaded = replace(
        cassette,
        layers=tuple(layers),
        state=CassetteState.ARMED,
        opened_at=cassette.opened_at if cassette.layers and cassette.opened_at else unit.now,
        slot=loading.slot,
    )
    unit.cassettes.put(loaded)
    return loaded


def _free(unit: UnitOfWork, lot_id: LotId) -> int:
    """Return the whole tablets of a lot in the store that are not promised to packs filled by hand."""
    lot = unit.lots.get(lot_id)
    return int(unit.held(STORE, lot_id) - (lot.promised if lot is not None else 0))


def _loading_refused(
    unit: UnitOfWork, loading: Loading, cassette: Cassette, scanned: Sequence[SourcePack | None]
) -> Refusal | None:
    if (cassette.device, cassette.slot) != (loading.device, loading.slot):
        return Refusal(
            "wrong-slot",
            f"Cassette {cassette.id} belongs in slot {cassette.slot} of {cassette.device}, not in slot {loading.slot}.", f"Место кассеты {cassette.id}: ячейка {cassette.slot} в {cassette.device}, а не ячейка {loading.slot}.",
        )
    if cassette.reason:
        return Refusal("locked", f"Cassette {cassette.id} is locked: {cassette.reason}", f"Кассета {cassette.id} заблокирована: {cassette.reason}")
    if loading.units < 1 or cassette.count + loading.units > cassette.capacity:
        return Refusal(
            "capacity",
            f"Cassette {cassette.id} takes {cassette.capacity - cassette.count} tablets more, not {loading.units}.", f"В кассету {cassette.id} войдёт ещё {cassette.capacity - cassette.count} таблеток, а не {loading.units}.",
        )
    if len(set(loading.packs)) != len(loading.packs):
        return Refusal("scanned-twice", "A source pack was scanned twice; scan each pack that is poured in once.", "Исходная упаковка отсканирована дважды; каждую засыпаемую упаковку сканируют один раз.")
    for code, pack in zip(loading.packs, scanned, strict=True):
        if pack is None:
            return Refusal("unknown-pack", f"Source pack {code} was never received.", f"Исходная упаковка {code} не поступала.")
        if pack.item != cassette.item:
            return Refusal(
                "wrong-drug",
                f"Source pack {code} holds {pack.item}; cassette {cassette.id} is made for {cassette.item}.", f"В исходной упаковке {code} препарат {pack.item}; кассета {cassette.id} предназначена для {cassette.item}.",
            )
        lot = unit.lots.get(pack.lot)
        if not lot_is_usable(lot, unit.now.date() + timedelta(days=1)):
            if lot is not None and lot.recalled:
                return Refusal("recalled", f"Lot {lot.number} of source pack {code} was recalled.", f"Серия {lot.number} исходной упаковки {code} отозвана.")
            return Refusal("expired", f"Source pack {code} expires on {lot.expires_on if lot else 'an unknown day'}.", f"Срок годности исходной упаковки {code}: {lot.expires_on if lot else 'неизвестен'}.")
    drug = unit.drugs.get(cassette.item)
    if drug is None or (needs_second_person(drug) and (loading.second is None or loading.second == unit.actor)):
        return Refusal(
            "second-person",
            f"{cassette.item} is high-alert or looks like another drug: a second person must confirm the loading.", f"{cassette.item}: препарат высокого риска или похож на другой, загрузку подтверждает второй человек.",
        )
    return None


def _pour(unit: UnitOfWork, loading: Loading, pack: SourcePack, poured: int) -> None:
    unit.source_packs.put(replace(pack, left=pack.left - poured))
    move = StockMove(pack.item, pack.lot, STORE, cassette_account(loading.cassette), Fraction(poured))
    unit.move(move, "cassette-load", source_pack=pack.code)
    unit.record(
        "cassette-loaded",
        {
            "cassette": loading.cassette, "slot": loading.slot, "device": loading.device, "item": pack.item, "lot": lot_number(pack.item, pack.lot),
            "quantity": fraction_text(Fraction(poured)), "source_packs": [pack.code], "second": loading.second,
        },
    )  # fmt: skip


def _with_layer(layers: list[Layer], lot: LotId, count: int) -> list[Layer]:
    if layers and layers[-1].lot == lot:
        return [*layers[:-1], Layer(lot, layers[-1].count + count)]
    return [*layers, Layer(lot, count)]


def take_from_layers(cassette: Cassette, count: int) -> tuple[Cassette, tuple[Layer, ...]]:
    """Take tablets out of the oldest layers; returns what is left and what was taken, by lot.

    More than the books hold gives a last layer of the same lot: the caller books the difference to `surplus`.
    """
    taken: list[Layer] = []
    left: list[Layer] = []
    rest = count
    for layer in cassette.layers:
        now = min(rest, layer.count)
        rest -= now
        if now:
            taken.append(Layer(layer.lot, now))
        if layer.count > now:
            left.append(Layer(layer.lot, layer.count - now))
    state = (
        CassetteState.EMPTY
        if not left
        else CassetteState.LOW
        if sum(x.count for x in left) < LOW_TABLETS
        else CassetteState.ARMED
    )
    if cassette.reason:
        state = CassetteState.LOCKED
    return replace(cassette, layers=tuple(left), state=state), tuple(taken)


def next_lots(cassette: Cassette, count: int) -> tuple[LotId, ...]:
    """Return the lots of the next `count` tablets that are not reserved yet, oldest layer first."""
    skipped, _ = take_from_layers(cassette, cassette.reserved)
    _, taken = take_from_layers(skipped, count)
    return tuple(layer.lot for layer in taken)
