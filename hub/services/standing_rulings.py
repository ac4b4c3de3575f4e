"""Pharmacists' rulings while lines are judged: which stand, and which fall because the line or the patient's allergies changed."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hub.domain.identifiers import OrderId, PatientId
from hub.domain.orders import Order, Patient
from hub.domain.rulings import Ruling, stands
from hub.services.ports import UnitOfWork

Rulings = Mapping[OrderId, tuple[Ruling, ...]]


def standing_rulings(unit: UnitOfWork) -> Rulings:
    """Return the rulings that have not ended, by order."""
    found: dict[OrderId, tuple[Ruling, ...]] = {}
    for ruling in unit.rulings.where(ended_at=None, order_by="at,id"):
        found[ruling.order] = (*found.get(ruling.order, ()), ruling)
    return found


def end_fallen_rulings(unit: UnitOfWork, rulings: Rulings, patients: Mapping[PatientId, Patient], orders: Iterable[Order]) -> None:
    """End the rulings that stood for something else than what was judged now: they do not come back by themselves."""
    for order in orders:
        patient = patients.get(order.patient)
        allergies = patient.allergies if patient is not None else ()
        for known in rulings.get(order.id, ()):
            ruling = unit.rulings.get(known.id) or known
            if ruling.ended_at is None and not stands(ruling, order.line, allergies):
                because = "drug, dosages or allergies changed"
                unit.rulings.put(replace(ruling, ended_at=unit.now, ended_because=because))
                unit.record("ruling-ended", {"ruling": ruling.id, "order": order.id, "version": order.version, "kind": ruling.kind.value, "because": because})
