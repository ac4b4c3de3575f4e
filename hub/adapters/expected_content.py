"""What should lie in a pouch: the look of each tablet of the plan, by the lots that fell, and what cannot be told from it."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

from devices.barcode_camera.content import UNKNOWN_LOOK, TabletLook, TabletSeen, crop
from devices.barcode_camera.inspect import Inspection
from devices.barcode_camera.looks import LookSample as Sample
from devices.barcode_camera.looks import LookSource, agrees, learned_look, look_alike
from hub.adapters.evidence import EvidenceFolder
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.domain.identifiers import DrugCode, LotId
from hub.domain.packs import Fill, Pack, PackJob
from hub.domain.references import MeasuredLook, ReferenceState, Sighting
from hub.domain.stock import written_look
from hub.domain.verification import LookAlikes, SeenPouch
from hub.services.references import name_of, still_learning

_log = logging.getLogger(__name__)
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class ExpectedTablet:
    """One tablet of the plan: its drug, the lot it fell of (None: of no known lot) and its look."""

    drug: DrugCode
    lot: LotId | None
    look: TabletLook


@dataclass(frozen=True, slots=True)
class ExpectedContent:
    """Every tablet of the plan; which drugs could be swapped unseen; which lots still learn, and the confirmed looks of their items."""

    tablets: tuple[ExpectedTablet, ...]
    look_alikes: tuple[LookAlikes, ...]
    learning: frozenset[LotId]
    confirmed: tuple[tuple[DrugCode, LotId, TabletLook], ...]

    @property
    def looks(self) -> tuple[TabletLook, ...]:
        """Give the look of each tablet, in the order of the plan."""
        return tuple(tablet.look for tablet in self.tablets)


def expected_content(unit: SqlUnitOfWork, job: PackJob) -> ExpectedContent:
    """Return what should lie in the pouch of a job."""
    tablets = tuple(_tablets(unit, job))
    learning = frozenset(still_learning(unit, {tablet.lot for tablet in tablets if tablet.lot is not None}))
    items = {tablet.drug for tablet in tablets if tablet.lot in learning}
    return ExpectedContent(tablets, _look_alikes(unit, job, tablets), learning, tuple(_confirmed(unit, items)))


def expected_looks(unit: SqlUnitOfWork, job: PackJob) -> tuple[TabletLook, ...]:
    """Return what each tablet of the plan should look like, by the lots of its drug that fell; an unknown look where nobody knows."""
    return tuple(tablet.look for tablet in _tablets(unit, job))


def _tablets(unit: SqlUnitOfWork, job: PackJob) -> Iterator[ExpectedTablet]:
    pack = unit.packs.get(job.pack)
    assert pack is not None
    for fill in job.fills:
        lots = _lots_of(unit, pack, fill)
        yield from (ExpectedTablet(fill.drug, lot, look_of_lot(unit, lot)) for lot in lots)
        yield from (ExpectedTablet(fill.drug, None, UNKNOWN_LOOK) for _ in range(fill.count - len(lots)))


def _lots_of(unit: SqlUnitOfWork, pack: Pack, fill: Fill) -> list[LotId]:
    """Return the lot of each tablet of a fill: of those that fell, else of those that were chosen; never another drug's."""
    fell = [
        content.lot
        for content in pack.contents
        if content.dose == fill.dose and content.drug == fill.drug
        for _ in range(int(content.units))
    ]
    chosen = [lot for lot in pack.lots if (known := unit.lots.get(lot)) is not None and known.item == fill.drug]
    lots = (fell or chosen)[: fill.count]
    return lots + lots[-1:] * (fill.count - len(lots))


def look_of_lot(unit: SqlUnitOfWork, lot: LotId) -> TabletLook:
    """Return the confirmed look of a lot, else the one that somebody typed at receipt, else the unknown one."""
    reference = unit.tablet_references.get(lot)
    if reference is not None and reference.state is ReferenceState.CONFIRMED and reference.look is not None:
        return look_of(reference.look)
    known = unit.lots.get(lot)
    return (read_look(known.look) if known is not None else None) or UNKNOWN_LOOK


def read_look(text: str) -> TabletLook | None:
    """Read `#rrggbb shape size_mm`; None where the look was never recorded so that it can be read."""
    written = written_look(text)
    return TabletLook.from_text(written["colour"], written["shape"], float(written["size_mm"])) if written is not None else None


def look_of(measured: MeasuredLook) -> TabletLook:
    """Return a learned look as the camera compares it."""
    ends = (measured.first, measured.second)
    return learned_look(Sample(measured.length_um / 1000, measured.width_um / 1000, measured.fill_permille / 1000, ends))


def measured(sample: Sample) -> MeasuredLook:
    """Return a measured tablet as it is recorded, the darker end first."""
    first, second = sorted(sample.ends, key=sum)
    return MeasuredLook(round(1000 * sample.length_mm), round(1000 * sample.width_mm), round(1000 * sample.fill), first, second)


def _confirmed(unit: SqlUnitOfWork, items: set[DrugCode]) -> Iterator[tuple[DrugCode, LotId, TabletLook]]:
    """Yield the confirmed looks of items, the newest last: a new lot of the same maker may take one over."""
    for item in sorted(items):
        for reference in unit.tablet_references.where(item=item, state=ReferenceState.CONFIRMED, order_by="decided_at"):
            if reference.look is not None:
                yield item, reference.lot, look_of(reference.look)


def _look_alikes(unit: SqlUnitOfWork, job: PackJob, tablets: tuple[ExpectedTablet, ...]) -> tuple[LookAlikes, ...]:
    """Return for each drug of the plan what else lies in the cassettes of its machine and looks, or for all anybody knows may look, the same."""
    known = {(tablet.drug, tablet.look) for tablet in tablets if tablet.look.source is not LookSource.UNKNOWN}
    around = {
        (cassette.item, look_of_lot(unit, layer.lot)) for cassette in unit.cassettes.where(device=job.device) for layer in cassette.layers
    }
    found: dict[DrugCode, set[DrugCode]] = {}
    for drug, look in known:
        found.setdefault(drug, set()).update(other for other, its in around | known if other != drug and look_alike(look, its))
    return tuple(LookAlikes(drug, name_of(unit, drug), _named(unit, others)) for drug, others in sorted(found.items()) if others)


def _named(unit: SqlUnitOfWork, drugs: set[DrugCode]) -> str:
    """Name the first few drugs, and how many more there are."""
    names = [name_of(unit, drug) for drug in sorted(drugs)]
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" (+{more})" if more > 0 else "")


def with_expected(seen: SeenPouch, expected: ExpectedContent, inspection: Inspection | None, pictures: EvidenceFolder | None) -> SeenPouch:
    """Return what was seen with what could be swapped unseen, and with what it teaches; `pictures` keeps those of tablets."""
    taught = sightings(expected, inspection, pictures) if inspection is not None and pictures is not None else ()
    return replace(seen, look_alikes=expected.look_alikes, sightings=taught)


def sightings(expected: ExpectedContent, inspection: Inspection, pictures: EvidenceFolder) -> tuple[Sighting, ...]:
    """Return what a picture teaches of lots that still learn, each tablet's picture kept.

    Nothing where a tablet's lot is not sure, or where the disk does not take the pictures: the pouch goes its way without it.
    """
    content = inspection.content
    is_the_plan = len(content.tablets) == len(expected.tablets) and content.can_be_learned and inspection.certain
    if not expected.learning or not is_the_plan or _is_ambiguous(expected):
        return ()
    try:
        return tuple(_sightings(expected, inspection, pictures))
    except Exception as error:  # noqa: BLE001 - learning is never in the way of a verdict
        _log.warning("nothing is learned of this pouch: %s", error)
        return ()


def _sightings(expected: ExpectedContent, inspection: Inspection, pictures: EvidenceFolder) -> Iterator[Sighting]:
    for thing in inspection.content.tablets:
        tablet = expected.tablets[thing.look] if thing.look is not None else None
        if tablet is not None and tablet.lot is not None and tablet.lot in expected.learning:
            kept = pictures.keep(crop(inspection.frames[-1], thing))
            yield Sighting(tablet.lot, measured(thing.sample), kept, _like(expected, tablet, thing))


def _is_ambiguous(expected: ExpectedContent) -> bool:
    """Tell whether a tablet of a lot that learns could be taken for one of another lot of the pouch."""
    looks = {(tablet.lot, tablet.look) for tablet in expected.tablets}
    return any(
        lot != other and _is_taken_for(look, its) for lot, look in looks if lot in expected.learning for other, its in looks
    )


def _is_taken_for(look: TabletLook, its: TabletLook) -> bool:
    """Tell whether a thing could be taken for either of two looks of a pouch; one unknown look is what no known look fits."""
    unknown = [look.source, its.source].count(LookSource.UNKNOWN)
    return unknown == 2 or (unknown == 0 and look_alike(look, its))


def _like(expected: ExpectedContent, tablet: ExpectedTablet, thing: TabletSeen) -> LotId | None:
    """Return the newest lot of the same item with a confirmed look that a tablet fits."""
    fitting = [lot for item, lot, look in expected.confirmed if item == tablet.drug and agrees(thing.sample, look)]
    return fitting[-1] if fitting else None
