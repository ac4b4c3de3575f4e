"""The cassette interlock: whether the books prove which drug and lot a machine dropped, without anybody's eye."""

from datetime import date

from hub.domain.identifiers import CassetteId, DrugCode, LotId
from hub.domain.packs import Fill, Pack, PackJob
from hub.domain.stock import lot_is_usable, lot_number
from hub.services.ports import UnitOfWork

SURPLUS_REVIEW = "surplus"


def is_proven(unit: UnitOfWork, job: PackJob, drug: DrugCode) -> bool:
    """Tell whether each drop of a drug came out of a cassette whose loading was scanned, with lots that may be used.

    A cassette that is locked, that sits in another slot by the machine's own word, or that gave more than its books held is in
    doubt; a job in doubt proves nothing (`domain.md`, cassette refill).
    """
    pack = unit.packs.get(job.pack)
    fills = [fill for fill in job.fills if fill.drug == drug]
    if pack is None or not fills or job.doubt is not None or job.reason:
        return False
    return all(_is_interlocked(unit, job, fill) and _is_loaded_by_scan(unit, pack, fill) for fill in fills)


def _is_interlocked(unit: UnitOfWork, job: PackJob, fill: Fill) -> bool:
    """Tell whether the cassette of a fill is where the books say, open for use, and asked about by nobody."""
    cassette = unit.cassettes.get(fill.cassette)
    if cassette is None or cassette.reason or cassette.item != fill.drug:
        return False
    placed = unit.newest_fact("cassette-placed", device=job.device, slot=fill.machine_slot)
    if placed is not None and placed.data.get("cassette") != fill.cassette:
        return False
    return not any(review.kind == SURPLUS_REVIEW for review in unit.reviews.where(subject=str(fill.cassette), decision=""))


def _is_loaded_by_scan(unit: UnitOfWork, pack: Pack, fill: Fill) -> bool:
    """Tell whether every lot that fell was poured into the cassette by scan of its source packs, and may be used today."""
    fell = [content.lot for content in pack.contents if content.dose == fill.dose and content.drug == fill.drug]
    return bool(fell) and all(_was_scanned(unit, fill.cassette, fill.drug, lot, unit.now.date()) for lot in fell)


def _was_scanned(unit: UnitOfWork, cassette: CassetteId, drug: DrugCode, lot: LotId, today: date) -> bool:
    loaded = unit.newest_fact("cassette-loaded", cassette=cassette, item=drug, lot=lot_number(drug, lot))
    return loaded is not None and bool(loaded.data["source_packs"]) and lot_is_usable(unit.lots.get(lot), today)
