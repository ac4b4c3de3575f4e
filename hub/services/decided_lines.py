"""What became of the lines of the sheets, with every check and reason: for senior nurses and pharmacists."""

from typing import Any

from hub.domain.orders import Order
from hub.services.ports import UnitOfWork


def decided_lines(unit: UnitOfWork, outcome: str, department: str, limit: int) -> list[dict[str, Any]]:
    """Return order lines, newest decision first; patients by code, never by name."""
    wanted: dict[str, Any] = {"outcome": outcome} if outcome else {}
    rows: list[dict[str, Any]] = []
    for order in unit.orders.where(order_by="-decided_at,id", **wanted):
        stay = unit.stays.get(order.patient)
        ward = stay.department if stay is not None else ""
        if department and ward != department:
            continue
        rows.append(_row(unit, order, ward))
        if len(rows) == limit:
            break
    return rows


def _row(unit: UnitOfWork, order: Order, department: str) -> dict[str, Any]:
    patient = unit.patients.get(order.patient)
    return {
        "order": order.id, "version": order.version, "position": f"{order.line.sheet}: {order.line.position}", "patient": patient.code if patient else "",
        "department": department, "drug": order.line.drug_text or order.line.drug, "outcome": order.outcome.value, "state": order.state.value,
        "checks": [{"name": check.name, "passed": check.passed, "text": check.text} for check in order.checks],
        "reasons": [{"rule": reason.rule, "text": reason.text, "source": reason.source} for reason in order.reasons],
    }  # fmt: skip
