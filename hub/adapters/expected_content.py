"""What should lie in a pouch: the look of each tablet of the plan, by the lots that fell."""

from devices.barcode_camera.content import TabletLook
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.domain.identifiers import LotId
from hub.domain.packs import Fill, Pack, PackJob


def expected_looks(unit: SqlUnitOfWork, job: PackJob) -> tuple[TabletLook, ...]:
    """Return what each tablet of the plan should look like, by the lots of its drug that fell; an unknown look is left out."""
    pack = unit.packs.get(job.pack)
    assert pack is not None
    lots = [unit.lots.get(lot) for fill in job.fills for lot in _lots_of(unit, pack, fill)]
    return tuple(look for lot in lots if lot is not None and (look := read_look(lot.look)) is not None)


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


def read_look(text: str) -> TabletLook | None:
    """Read `#rrggbb shape size_mm`; None where the look was never recorded."""
    if not text:
        return None
    colour, shape, size = text.split(" ")
    return TabletLook.from_text(colour, shape, float(size))
