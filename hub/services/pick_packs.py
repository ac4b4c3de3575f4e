"""Packs filled by a named person: source pack scanned, label scanned, and only then released; and stock issued to wards."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from hub.domain.doses import DoseState
from hub.domain.identifiers import LotId
from hub.domain.packs import Pack, PackState, Verdict
from hub.domain.records import Requisition
from hub.domain.refusals import Refusal
from hub.domain.state_words import state_ru
from hub.domain.stock import STORE, WASTE, StockMove, lot_is_usable, pack_account, ward_account
from hub.services.endings import move_pack
from hub.services.machine_events import release_pack
from hub.services.make_packs import taken_from_store
from hub.services.ports import UnitOfWork
from hub.services.replaced_labels import replaced_label


def open_picks(unit: UnitOfWork) -> list[Pack]:
    """Return packs of manual lanes that wait to be filled, in the order of packing."""
    picks = [pack for pack in unit.packs.where(state=PackState.EXPECTED, job=None) if pack.label_digest]
    return sorted(picks, key=lambda pack: (pack.department, pack.room, pack.patient, pack.due, pack.serial))


def pick_pack(unit: UnitOfWork, label: str, codes: Sequence[str]) -> Pack | Refusal:
    """Release a manual pack by the scan of its printed label and of each source pack, in the order of its contents."""
    pack = unit.packs.get(label)
    if (replaced := replaced_label(unit, label)) is not None:
        return replaced
    if pack is None:
        return Refusal("unknown-pack", f"No pack has the serial {label}.", f"Упаковки с номером {label} нет.")
    if pack.state is not PackState.EXPECTED or pack.job is not None:
        return Refusal("not-open", f"Pack {label} is {pack.state.value} and does not wait to be filled by hand.", f"Упаковка {label}: {state_ru(pack.state)}; она не ждёт ручной сборки.")
    printed = unit.prints.get(label)
    if printed is None or not printed.printed:
        return Refusal("not-printed", f"The label of pack {label} was not printed yet: there is nothing to stick on it.", f"Этикетка упаковки {label} ещё не напечатана: наклеить нечего.")
    refusal = _wrong_source(unit, pack, codes)
    if refusal is not None:
        return refusal
    for content in pack.contents:
        if unit.held(STORE, content.lot) < taken_from_store(pack.lane, content.units):
            return Refusal("no-stock", f"By the books the store does not hold lot {content.lot} any more: count it.", f"По учёту на складе больше нет серии {content.lot}: пересчитайте её.")
    for content, code in zip(pack.contents, codes, strict=True):
        _take(unit, pack, content.lot, content.units, code)
    produced = move_pack(unit, pack, PackState.PRODUCED, by=unit.actor)
    unit.record(
        "pack-verified",
        {
            "pack": pack.serial,
            "verdict": "PASS",
            "reasons": ["source pack and label scanned"],
            "read": [label],
            "evidence": [],
        },
    )
    verified = replace(produced, state=PackState.VERIFIED, verdict=Verdict.PASS)
    unit.packs.put(verified)
    return release_pack(unit, verified, "picker")


def _wrong_source(unit: UnitOfWork, pack: Pack, codes: Sequence[str]) -> Refusal | None:
    if len(codes) != len(pack.contents):
        return Refusal(
            "scan", f"Pack {pack.serial} holds {len(pack.contents)} items; {len(codes)} source packs were scanned.", f"В упаковке {pack.serial} {len(pack.contents)} позиций, отсканировано исходных упаковок: {len(codes)}."
        )
    wanted: dict[str, Fraction] = {}
    for content, code in zip(pack.contents, codes, strict=True):
        source = unit.source_packs.get(code)
        if source is None:
            return Refusal("unknown-pack", f"Source pack {code} was never received.", f"Исходная упаковка {code} не поступала.")
        if source.item != content.drug:
            return Refusal(
                "wrong-drug", f"Source pack {code} holds {source.item}; pack {pack.serial} needs {content.drug}.", f"В исходной упаковке {code} препарат {source.item}, а для {pack.serial} нужен {content.drug}."
            )
        if source.lot != content.lot:
            return Refusal("wrong-lot", f"Source pack {code} is of lot {source.lot}; the label says lot {content.lot}.", f"Исходная упаковка {code} серии {source.lot}, на этикетке серия {content.lot}.")
        lot = unit.lots.get(source.lot)
        if not lot_is_usable(lot, unit.now.date()):
            code_of_refusal = "recalled" if lot is not None and lot.recalled else "expired"
            return Refusal(code_of_refusal, f"Lot {content.lot} of source pack {code} must not be used any more.", f"Серию {content.lot} исходной упаковки {code} больше использовать нельзя.")
        wanted[code] = wanted.get(code, Fraction(0)) + taken_from_store(pack.lane, content.units)
        if source.left < wanted[code]:
            return Refusal("too-few", f"Source pack {code} holds {source.left} by the books, not {wanted[code]}: scan another.", f"В исходной упаковке {code} по учёту {source.left}, нужно {wanted[code]}: отсканируйте другую.")
    return None


def _take(unit: UnitOfWork, pack: Pack, lot_id: LotId, units: Fraction, code: str) -> None:
    """Book what was taken; the rest of a split tablet is wasted with it."""
    lot = unit.lots.get(lot_id)
    assert lot is not None
    taken = taken_from_store(pack.lane, units)
    unit.lots.put(replace(lot, promised=max(Fraction(0), lot.promised - taken)))
    source = unit.source_packs.get(code)
    assert source is not None
    unit.source_packs.put(replace(source, left=source.left - taken))
    unit.move(
        StockMove(lot.item, lot.id, STORE, pack_account(pack.serial), units), "pick", pack=pack.serial, source_pack=code
    )
    if taken != units:
        unit.move(StockMove(lot.item, lot.id, STORE, WASTE, taken - units), "wasted", pack=pack.serial)


def forget_pick(unit: UnitOfWork, pack: Pack, reason: str) -> None:
    """Call off a manual pack that nobody has filled: what was promised to it is free again."""
    for content in pack.contents:
        lot = unit.lots.get(content.lot)
        if lot is not None:
            promised = taken_from_store(pack.lane, content.units)
            unit.lots.put(replace(lot, promised=max(Fraction(0), lot.promised - promised)))
    move_pack(unit, replace(pack, contents=()), PackState.NEVER_MADE, reason)


def issue_requisition(unit: UnitOfWork, requisition_id: str, codes: Sequence[str]) -> Requisition | Refusal:
    """Book what a ward needs from the store to the ward's own stock; the doses of the requisition are packed by that."""
    requisition = unit.requisitions.get(requisition_id)
    if requisition is None or requisition.issued:
        return Refusal("not-open", f"Requisition {requisition_id} is not open.", f"Требование {requisition_id} не открыто.")
    sources = [unit.source_packs.get(code) for code in dict.fromkeys(codes)]
    if not codes or any(source is None or source.lot != requisition.lot for source in sources):
        return Refusal(
            "wrong-lot", f"Requisition {requisition_id} is for lot {requisition.lot}; scan packs of that lot.", f"Требование {requisition_id} на серию {requisition.lot}: сканируйте упаковки этой серии."
        )
    lot = unit.lots.get(requisition.lot)
    assert lot is not None
    if unit.held(STORE, lot.id) < requisition.units:
        return Refusal("no-stock", f"By the books the store does not hold lot {lot.number} any more: count it.", f"По учёту на складе больше нет серии {lot.number}: пересчитайте её.")
    if not lot_is_usable(lot, unit.now.date()):
        return Refusal("recalled" if lot.recalled else "expired", f"Lot {lot.number} must not be used any more.", f"Серию {lot.number} больше использовать нельзя.")
    if sum((source.left for source in sources if source is not None), Fraction(0)) < requisition.units:
        return Refusal("too-few", f"The scanned packs do not hold {requisition.units} by the books: scan another.", f"В отсканированных упаковках по учёту меньше, чем {requisition.units}: отсканируйте ещё одну.")
    unit.lots.put(replace(lot, promised=max(Fraction(0), lot.promised - requisition.units)))
    rest = requisition.units
    for source in sources:
        assert source is not None
        taken = min(rest, source.left)
        if taken > 0:
            rest -= taken
            unit.source_packs.put(replace(source, left=source.left - taken))
            move = StockMove(requisition.item, requisition.lot, STORE, ward_account(requisition.department), taken)
            unit.move(move, "ward-issue", requisition=requisition.id, source_pack=source.code)
    issued = replace(requisition, issued=True)
    unit.requisitions.put(issued)
    for dose_id in requisition.doses:
        dose = unit.doses.get(dose_id)
        if dose is not None and dose.state is DoseState.FROZEN:
            unit.doses.put(replace(dose, state=DoseState.PACKED))
            unit.record("dose-packed", {"dose": dose.id, "pack": None})
    return issued
