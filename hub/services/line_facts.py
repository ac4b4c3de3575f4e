"""What the ledger tells of a line that was decided and of a dose that was planned."""

from typing import Any

from hub.domain.doses import PlannedDose
from hub.domain.line_diff import line_diff
from hub.domain.orders import Order, OrderLine, SourceSettings
from hub.domain.quantities import fraction_text


def decided_fact(order: Order, settings: SourceSettings, sha256: str | None) -> dict[str, Any]:
    """Return what was decided of a line, with every reason and check; `sha256` names the file that brought it, None where it was judged again."""
    return {
        "order": order.id, "version": order.version, "sheet": order.line.sheet, "sha256": sha256, "position": order.line.position, "source": settings.name,
        "outcome": order.outcome.value, "reasons": order.reasons, "checks": order.checks, **_taken_for(order.line),
    }  # fmt: skip


def changed_fact(order: Order, before: Order | None) -> dict[str, Any]:
    """Return what an edited line says otherwise than before; nothing of a new line or one that is the same."""
    changes = line_diff(before.line, order.line) if before is not None and before.version != order.version else ()
    return {"changed": [change.told() for change in changes]} if changes else {}


def _taken_for(line: OrderLine) -> dict[str, Any]:
    """Return the source's own words and what they were taken for; nothing where the line means what it says."""
    if line.written is None:
        return {}
    return {"taken_for": [{"kind": kind, "written": written, "meaning": meaning} for kind, written, meaning in line.written.taken]}


def planned_fact(dose: PlannedDose) -> dict[str, Any]:
    """Return the exact time, lane and units of a dose, and of which version of an order it is."""
    return {
        "dose": dose.id, "order": dose.order, "version": dose.version, "patient": dose.patient, "drug": dose.drug, "due": dose.due.isoformat(),
        "slot": dose.slot, "lane": dose.lane.value, "units": fraction_text(dose.units),
    }  # fmt: skip
