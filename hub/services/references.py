"""Reference looks of tablets: learned from verified packs, confirmed, rejected and retired by a pharmacist, each deed a fact."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hub.domain.identifiers import DrugCode, LotId, UserId
from hub.domain.packs import Pack, Verdict
from hub.domain.recorded_words import in_russian
from hub.domain.references import (
    DEEDS,
    PACKS_TO_LEARN,
    STATE_AFTER,
    MeasuredLook,
    ReferenceDeed,
    ReferenceState,
    Sighting,
    TabletReference,
    decided_pack,
    forgotten_pack,
    learned,
    maker_of,
    with_sightings,
)
from hub.domain.refusals import Refusal
from hub.domain.stock import lot_number
from hub.services.ports import UnitOfWork

OTHER_LOOK = "another look came with lot {0}"
WITHDRAWN = "a pack that it was learned from was withdrawn"
_ORDER = (ReferenceState.WAITING, ReferenceState.LEARNING, ReferenceState.CONFIRMED, ReferenceState.REJECTED, ReferenceState.RETIRED)


@dataclass(frozen=True, slots=True)
class ReferenceRuling:
    """What a pharmacist does with the reference of a lot as it was `shown`, with the reason; a confirmation needs none."""

    item: str
    lot: str
    deed: ReferenceDeed
    reason: str
    by: UserId
    shown: str


def learn_from(unit: UnitOfWork, pack: Pack, verdict: Verdict, seen: Sequence[Sighting]) -> None:
    """Keep what a pouch shows of lots that still learn: proven by a PASS, by a person after a LOOK, never by a FAIL."""
    if verdict is Verdict.FAIL:
        return
    for lot in dict.fromkeys(one.lot for one in seen):
        known = unit.lots.get(lot)
        if known is not None:
            before = unit.tablet_references.get(lot) or TabletReference(lot, known.item)
            _put(unit, before, with_sightings(before, pack.serial, seen, proven=verdict is Verdict.PASS))


def pack_was_decided(unit: UnitOfWork, pack: Pack, *, accepted: bool) -> None:
    """Take a person's decision on a pouch into what its lots learn."""
    for lot in dict.fromkeys(content.lot for content in pack.contents):
        reference = unit.tablet_references.get(lot)
        if reference is not None:
            _put(unit, reference, decided_pack(reference, pack.serial, accepted=accepted))


def forget_pack(unit: UnitOfWork, pack: Pack) -> None:
    """Take what a pack taught out of what is not confirmed: it was revoked, lost, or destroyed without a person's word that it is right."""
    for lot in dict.fromkeys((*(content.lot for content in pack.contents), *pack.lots)):
        reference = unit.tablet_references.get(lot)
        if reference is not None and any(sample.pack == pack.serial for sample in reference.samples):
            _put(unit, reference, forgotten_pack(reference, pack.serial))


def _put(unit: UnitOfWork, before: TabletReference, after: TabletReference) -> None:
    """Keep a reference that has changed, and tell once that it is learned."""
    confirmed = {one.lot: _maker(unit, one.lot) for one in unit.tablet_references.where(item=after.item, state=ReferenceState.CONFIRMED)}
    after = learned(after, confirmed, _maker(unit, after.lot))
    if after == before:
        return
    unit.tablet_references.put(after)
    if after.state is ReferenceState.LEARNING and before.state is not ReferenceState.LEARNING:
        unit.record("reference-begun-anew", {**_fact(after), "by": None, "reason": WITHDRAWN, "look": look_text(before.look)})
    elif after.state is not before.state:
        unit.record("reference-learned", {**_fact(after), "packs": after.packs, "look": look_text(after.look), "crops": list(after.crops)})
    if after.state is ReferenceState.CONFIRMED and after.took_over is not None:
        unit.record("reference-confirmed", {**_fact(after), "took_over": lot_number(after.item, after.took_over), "by": None})


def _maker(unit: UnitOfWork, lot: LotId) -> str:
    return maker_of(pack.code for pack in unit.source_packs.where(lot=lot))


def _fact(reference: TabletReference) -> dict[str, Any]:
    return {"item": reference.item, "lot": lot_number(reference.item, reference.lot)}


def look_text(look: MeasuredLook | None, language: str = "en") -> str:
    """Return a learned look in plain signs: sides in mm, fill, colours of both ends."""
    if look is None:
        return ""
    unit, fill = ("мм", "заполнение") if language == "ru" else ("mm", "fill")
    first, second = ("#" + "".join(f"{part:02x}" for part in colour) for colour in (look.first, look.second))
    return f"{look.length_um / 1000:.1f} x {look.width_um / 1000:.1f} {unit}, {fill} {look.fill_permille / 1000:.2f}, {first} {second}"


def rule_reference(unit: UnitOfWork, ruling: ReferenceRuling) -> TabletReference | Refusal:
    """Confirm, reject, retire or learn anew the look of a lot; refuse what its state does not have."""
    reference = next((one for one in unit.tablet_references.where(item=ruling.item) if lot_number(one.item, one.lot) == ruling.lot), None)
    if reference is None:
        return Refusal("no-reference", f"Nothing is learned of lot {ruling.lot} of {ruling.item}.", f"Для серии {ruling.lot} препарата {ruling.item} ничего не изучено.")
    if ruling.deed not in DEEDS[reference.state]:
        return Refusal("reference-state", f"The look of lot {ruling.lot} is {reference.state.value}: that cannot be done with it now.", f"Образец серии {ruling.lot} сейчас в другом состоянии: так с ним поступить нельзя.")
    if ruling.shown != reference.shown:
        return Refusal("look-again", f"The look of lot {ruling.lot} is another one than was shown: look at it again.", f"Образец серии {ruling.lot} уже не тот, что был показан: посмотрите ещё раз.")
    if ruling.deed is not ReferenceDeed.CONFIRM and not ruling.reason.strip():
        return Refusal("reason", "Say in words why.", "Укажите причину словами.")
    decided = _decided(unit, reference, ruling)
    unit.tablet_references.put(decided)
    if ruling.deed is ReferenceDeed.CONFIRM:
        retire_predecessors(unit, decided)
    if ruling.deed is ReferenceDeed.REJECT:
        _doubt_typed_look(unit, decided.lot)
    return decided


def _doubt_typed_look(unit: UnitOfWork, lot: LotId) -> None:
    """Let a typed look count for nothing once a pharmacist has said that the pictures that passed by it are wrong; the fact keeps it."""
    known = unit.lots.get(lot)
    if known is not None and known.look:
        unit.record("typed-look-doubted", {"item": known.item, "lot": known.number, "look": known.look})
        unit.lots.put(replace(known, look=""))


def _decided(unit: UnitOfWork, reference: TabletReference, ruling: ReferenceRuling) -> TabletReference:
    """Return a reference after a deed, and record the deed; what is learned anew begins with nothing."""
    kept = TabletReference(reference.lot, reference.item) if ruling.deed is ReferenceDeed.ANEW else reference
    kinds = {
        ReferenceDeed.CONFIRM: "reference-confirmed", ReferenceDeed.REJECT: "reference-rejected",
        ReferenceDeed.RETIRE: "reference-retired", ReferenceDeed.ANEW: "reference-begun-anew",
    }  # fmt: skip
    unit.record(kinds[ruling.deed], {**_fact(reference), "by": ruling.by, "reason": ruling.reason, "look": look_text(reference.look)})
    return replace(kept, state=STATE_AFTER[ruling.deed], decided_by=ruling.by, decided_at=unit.now, reason=ruling.reason)


def retire_predecessors(unit: UnitOfWork, newest: TabletReference) -> None:
    """Retire the confirmed looks of the same item whose lots lie in no cassette any more: tablets of another look have come."""
    in_use = {layer.lot for cassette in unit.cassettes.where(item=newest.item) for layer in cassette.layers}
    for old in unit.tablet_references.where(item=newest.item, state=ReferenceState.CONFIRMED):
        if old.lot != newest.lot and old.lot not in in_use and newest.took_over is None:
            reason = OTHER_LOOK.format(lot_number(newest.item, newest.lot))
            unit.tablet_references.put(replace(old, state=ReferenceState.RETIRED, reason=reason, decided_at=unit.now, decided_by=None))
            unit.record("reference-retired", {**_fact(old), "by": None, "reason": reason, "look": look_text(old.look)})


def let_old_pictures_go(unit: UnitOfWork, days: int) -> int:
    """Take the pictures out of looks that were rejected or retired so many days ago, so that nothing names them; returns of how many looks."""
    over = looks_over(unit, days)
    unit.tablet_references.put_many([replace(reference, samples=()) for reference in over])
    return len(over)


def looks_over(unit: UnitOfWork, days: int) -> list[TabletReference]:
    """Return the looks that were rejected or retired so many days ago and still have pictures."""
    ended, before = [ReferenceState.REJECTED, ReferenceState.RETIRED], unit.now - timedelta(days=days)
    return [one for one in unit.tablet_references.where(state=ended, below=("decided_at", before)) if one.samples]


def pictures_named(unit: UnitOfWork, digests: Sequence[str]) -> frozenset[str]:
    """Return those of the digests that a look was learned from, or still may be."""
    asked = frozenset(digests)
    return asked & {sample.crop for reference in unit.tablet_references.where() for sample in reference.samples}


def reference_board(unit: UnitOfWork) -> list[dict[str, Any]]:
    """Return every reference with its pictures and what may be done with it; what waits for a person first."""
    found = sorted(unit.tablet_references.where(), key=lambda one: (_ORDER.index(one.state), one.lot))
    return [_row(unit, reference) for reference in found]


def _row(unit: UnitOfWork, reference: TabletReference) -> dict[str, Any]:
    lot, drug = unit.lots.get(reference.lot), unit.drugs.get(reference.item)
    return {
        **_fact(reference), "name": name_of(unit, reference.item) if drug is not None else reference.item, "state": reference.state.value,
        "packs": reference.packs, "of": PACKS_TO_LEARN, "typed": lot.look if lot is not None else "", "learned": look_text(reference.look),
        "learned_ru": look_text(reference.look, "ru"),
        "reason_ru": in_russian(reference.reason), "crops": list(reference.crops), "shown": reference.shown, "deeds": [deed.value for deed in DEEDS[reference.state]], "reason": reference.reason,
        "took_over": lot_number(reference.item, reference.took_over) if reference.took_over is not None else "",
        "decided_by": reference.decided_by or "", "decided_at": reference.decided_at.isoformat() if reference.decided_at else "",
    }  # fmt: skip


def name_of(unit: UnitOfWork, item: DrugCode) -> str:
    """Return a drug's name and strength, its code where the directory has none."""
    drug = unit.drugs.get(item)
    return f"{drug.inn} {drug.strength}".strip() if drug is not None else item


def still_learning(unit: UnitOfWork, lots: Iterable[LotId]) -> set[LotId]:
    """Return those lots whose look is still to be learned."""
    return {lot for lot in lots if (known := unit.tablet_references.get(lot)) is None or known.state is ReferenceState.LEARNING}
