"""Batching: which doses of one slot go into one pouch or labelled bag."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from hub.domain.doses import Lane, PlannedDose
from hub.domain.planning import trolley_order

MOST_FILLS = 12


def batch(doses: Iterable[PlannedDose]) -> tuple[tuple[PlannedDose, ...], ...]:
    """Return the packs of some doses, in trolley order; each dose is in exactly one.

    One order line a pack, so that a change kills nothing else; machine doses that may be combined share a pouch where patient
    and due time are the same, at most 12 (the fills of one job, protocol JOB_RUN).
    """
    ordered = sorted(doses, key=trolley_order)
    packs: list[tuple[PlannedDose, ...]] = []
    for _, at_one_time in groupby(
        ordered, key=lambda dose: (dose.department, dose.room, dose.bed, dose.patient, dose.due)
    ):
        packs.extend(_packs_of_one_time(tuple(at_one_time)))
    return tuple(packs)


def _packs_of_one_time(doses: tuple[PlannedDose, ...]) -> Iterator[tuple[PlannedDose, ...]]:
    shared = tuple(dose for dose in doses if shares_pouch(dose))
    for start in range(0, len(shared), MOST_FILLS):
        yield shared[start : start + MOST_FILLS]
    for dose in doses:
        if not shares_pouch(dose):
            yield (dose,)


def shares_pouch(dose: PlannedDose) -> bool:
    """Tell whether a dose may lie in one pouch with others."""
    return dose.combine and dose.lane is Lane.MACHINE and not dose.stat
