"""Sets a hub up: the drug directory, the cassette map and the people, each entered as a fact and safe to repeat."""

from collections.abc import Iterable
from dataclasses import replace

from hub.domain.drugs import CassettePlace, Drug
from hub.domain.identifiers import CassetteId, DeviceId
from hub.domain.stock import Cassette, CassetteState
from hub.services.ports import UnitOfWork


def enter_directory(unit: UnitOfWork, name: str, drugs: Iterable[Drug]) -> int:
    """Enter or replace drugs of the directory; returns how many.

    What was decided here of look-alikes stays where the new line says nothing of it.
    """
    known = {drug.code: drug for drug in unit.drugs.where()}
    entered = [_with_decisions(drug, known.get(drug.code)) for drug in drugs]
    unit.drugs.put_many(entered)
    unit.record("directory-entered", {"name": name, "drugs": len(entered)})
    return len(entered)


def _with_decisions(drug: Drug, before: Drug | None) -> Drug:
    if before is None:
        return drug
    return replace(
        drug, look_alike_group=drug.look_alike_group or before.look_alike_group, told_apart=drug.told_apart or before.told_apart
    )  # fmt: skip


def enter_cassettes(unit: UnitOfWork, name: str, device: DeviceId, places: Iterable[CassettePlace]) -> int:
    """Enter cassettes that are new; what is in a cassette that is known already stays in the books."""
    new = [
        Cassette(CassetteId(place.cassette), place.item, device, place.slot, place.capacity, CassetteState.EMPTY)
        for place in places
        if unit.cassettes.get(CassetteId(place.cassette)) is None
    ]
    unit.cassettes.put_many(new)
    unit.record("cassettes-entered", {"name": name, "device": device, "cassettes": len(new)})
    return len(new)
