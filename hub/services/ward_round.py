"""What a nurse needs for a round: patients of the ward, and for each what is open and due."""

from datetime import datetime
from typing import Any

from hub.domain.doses import WARD_LANES, DoseState, PlannedDose
from hub.domain.orders import Patient, Stay
from hub.domain.quantities import fraction_text
from hub.services.ports import UnitOfWork
from hub.services.sheet_oddities import name_alerts

_OPEN = [DoseState.FROZEN, DoseState.PACKED]


def round_of(unit: UnitOfWork, department: str, until: datetime) -> list[dict[str, Any]]:
    """Return the patients of a department with their open doses due up to `until`, in the order of rooms.

    A dose whose pack has not reached the ward is listed with where it is, so that a missing one is seen. `name_alert`: another
    patient of the same room has the same family name.
    """
    rows = []
    alerts = name_alerts(unit, department)
    for stay in unit.stays.where(department=department, finished_at=None, order_by="room,bed"):
        patient = unit.patients.get(stay.patient)
        doses = [
            dose for dose in unit.doses.where(patient=stay.patient, state=_OPEN, order_by="due,id") if dose.due <= until
        ]
        if patient is not None and doses:
            rows.append({**_row(unit, patient, stay, doses), "name_alert": patient.id in alerts})
    return rows


def _row(unit: UnitOfWork, patient: Patient, stay: Stay, doses: list[PlannedDose]) -> dict[str, Any]:
    return {
        "patient": patient.id, "code": patient.code, "name": patient.full_name, "room": stay.room, "bed": stay.bed,
        "born": patient.birth_date.isoformat() if patient.birth_date is not None else "",
        "items": [_item(unit, dose) for dose in doses],
    }  # fmt: skip


def _item(unit: UnitOfWork, dose: PlannedDose) -> dict[str, Any]:
    pack = unit.packs.get(dose.pack) if dose.pack is not None else None
    drug = unit.drugs.get(dose.drug)
    state = pack.state.value if pack is not None else dose.state.value
    return {
        "dose": dose.id, "lane": dose.lane.value, "pack": dose.pack, "state": state, "item": dose.drug, "department": dose.department,
        "name": f"{drug.trade_name} {drug.strength}" if drug is not None else dose.drug, "units": fraction_text(dose.units),
        "dose_text": dose.dose_text, "due": dose.due.isoformat(), "ward_stock": dose.lane in WARD_LANES,
    }  # fmt: skip
