"""What is asked of a few things is found by them: no question reads the whole hospital's rows of one state."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.adapters.database import open_writer
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.domain.doses import DoseState
from hub.domain.identifiers import PatientId
from hub.domain.orders import IN_FORCE
from hub.domain.returned_lines import OPEN_RETURNS

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)
SOME = [PatientId("1"), PatientId("2")]
QUESTIONS: dict[str, tuple[Callable[[SqlUnitOfWork], object], str]] = {
    "orders of patients": (lambda unit: unit.orders.where(patient=SOME, state=list(IN_FORCE)), "orders_patient_state (patient=? AND state=?)"),
    "orders below a number": (lambda unit: unit.orders.where(since=("id", "1/"), below=("id", "10"), order_by="-id", limit=9), "(id>? AND id<?)"),
    "doses given lately": (
        lambda unit: unit.doses.where(patient=SOME, state=DoseState.GIVEN, since=("due", NOW)),
        "doses_patient_state_due (patient=? AND state=? AND due>?)",
    ),
    "lines returned of patients": (
        lambda unit: unit.returned_lines.where(state=list(OPEN_RETURNS), patient=SOME, order_by="id"),
        "returned_lines_patient_state (patient=? AND state=?)",
    ),
    "doses of orders": (lambda unit: unit.doses.where(order=SOME), "doses_order (order=?)"),
    "packs of a trolley": (lambda unit: unit.packs.where(trolley="T1"), "packs_trolley (trolley=?)"),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_answered_by_its_index(tmp_path: Path, name: str) -> None:
    ask, index = QUESTIONS[name]
    connection = open_writer(tmp_path / "hub.db")
    unit, asked = SqlUnitOfWork(connection), list[str]()
    connection.set_trace_callback(asked.append)
    ask(unit)
    connection.set_trace_callback(None)
    [question] = asked
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {question}")]
    connection.close()
    assert any(index in step for step in plan), plan
