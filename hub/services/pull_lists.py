"""Pull lists: what must come out of each trolley, drawer by drawer, with what replaces it."""

from typing import Any

from hub.domain.custody import Trolley, TrolleyState
from hub.domain.doses import PlannedDose
from hub.domain.packs import Pack, PackState
from hub.domain.planning import natural_order
from hub.domain.quantities import fraction_text
from hub.domain.recorded_words import in_russian
from hub.services.ports import UnitOfWork
from hub.services.trolleys import found_trolley, view_trolley
from hub.services.views import drug_name, patient_code

_OPEN = [state for state in TrolleyState if state is not TrolleyState.RECONCILED]


def pull_lists(unit: UnitOfWork, trolley_id: str = "") -> list[dict[str, Any]]:
    """Return the trolleys that hold something which must come out, each with its packs in the order of its drawers.

    `trolley_id` (or the scanned label of its tray) names one; its list is then there even where it is empty.
    """
    if trolley_id:
        trolley = found_trolley(unit, trolley_id)
        return [_list_of(unit, trolley)] if trolley is not None else []
    lists = [_list_of(unit, trolley) for trolley in unit.trolleys.where(state=_OPEN, order_by="day,id")]
    return [each for each in lists if each["packs"]]


def _list_of(unit: UnitOfWork, trolley: Trolley) -> dict[str, Any]:
    pull = sorted(view_trolley(unit, trolley).pull, key=lambda pack: (natural_order(pack.drawer), pack.serial))
    return {
        "trolley": trolley.id, "label": trolley.label, "department": trolley.department, "slot": trolley.slot, "day": trolley.day.isoformat(),
        "state": trolley.state.value, "packs": [_row(unit, pack) for pack in pull],
    }  # fmt: skip


def _row(unit: UnitOfWork, pack: Pack) -> dict[str, Any]:
    held = pack.state is not PackState.REVOKED
    doses = [dose for dose_id in pack.doses if (dose := unit.doses.get(dose_id)) is not None]
    return {
        "pack": pack.serial, "drawer": pack.drawer, "patient": patient_code(unit, pack.patient), "due": pack.due.isoformat(),
        "deed": "keep" if held else "return", "why": "its order is on hold" if held else pack.reason,
        "why_ru": "назначение приостановлено" if held else in_russian(pack.reason),
        "contents": [{"item": dose.drug, "name": drug_name(unit, dose.drug), "units": fraction_text(dose.units)} for dose in doses],
        "replaced_by": _replacement(unit, pack, doses),
    }  # fmt: skip


def _replacement(unit: UnitOfWork, pack: Pack, doses: list[PlannedDose]) -> list[str]:
    """Return the packs that take a revoked one's place: made from it, or for the same time of an order that says something else now."""
    found = [pack.replaced_by] if pack.replaced_by is not None else []
    found += [dose.pack for dose in doses if dose.pack is not None and dose.pack != pack.serial]
    for dose in doses:
        newer = unit.doses.where(order=dose.order, due=dose.due, order_by="version")
        found += [each.pack for each in newer if each.version > dose.version and each.pack is not None]
    return list(dict.fromkeys(found))
