"""What became of the lines of the sheets, with every check and reason: for senior nurses and pharmacists."""

from typing import Any

from hub.domain.allergies import Strength, allergy_hits, allergy_reason
from hub.domain.orders import Order, Outcome
from hub.domain.rulings import RulingKind
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


def lines_to_rule_about(unit: UnitOfWork, department: str, limit: int) -> list[dict[str, Any]]:
    """Return the lines in review that a pharmacist can rule about by name: allergies to let pass, validations to give again."""
    rows = decided_lines(unit, Outcome.NEEDS_REVIEW.value, department, limit)
    return [row for row in rows if row["allergies"] or any(reason["rule"] == RulingKind.WITHDRAWN.value for reason in row["reasons"])]


def _row(unit: UnitOfWork, order: Order, department: str) -> dict[str, Any]:
    patient = unit.patients.get(order.patient)
    return {
        "order": order.id, "version": order.version, "source": order.line.source, "position": f"{order.line.sheet}: {order.line.position}", "patient": patient.code if patient else "",
        "department": department, "drug": order.line.drug_text or order.line.drug, "outcome": order.outcome.value, "state": order.state.value,
        "checks": [{"name": check.name, "passed": check.passed, "text": check.text} for check in order.checks],
        "reasons": [{"rule": reason.rule, "text": reason.text, "text_ru": reason.text_ru or reason.text, "source": reason.source} for reason in order.reasons],
        "allergies": _allergies(unit, order),
    }  # fmt: skip


def _allergies(unit: UnitOfWork, order: Order) -> list[dict[str, Any]]:
    """Return the allergies that hold a line up, by the very words with which a pharmacist lets one pass."""
    patient, drug = unit.patients.get(order.patient), unit.drugs.get(order.line.drug)
    if order.outcome is not Outcome.NEEDS_REVIEW or patient is None or drug is None:
        return []
    return [
        {"allergy": hit.allergy, "rule": hit.strength.value, "class": hit.class_name, "needs_second": hit.is_critical}
        for hit in allergy_hits(patient.allergies or (), drug)
        if hit.strength is not Strength.UNCLEAR or allergy_reason(hit, drug) in order.reasons
    ]
