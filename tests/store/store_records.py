"""Records for the tests of the store: any record of any kind for hypothesis, and plain doses in bulk."""

import typing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from hub.domain.doses import DoseState, Lane, PlannedDose
from hub.domain.identifiers import DoseId, DrugCode, OrderId, PatientId

MORNING = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: _TEXT,
    int: st.integers(-(2**63), 2**63 - 1),
    date: st.dates(),
    datetime: st.datetimes(timezones=st.just(UTC)),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    Fraction: st.fractions(),
}


def records_of(record: type) -> st.SearchStrategy[Any]:
    """Return a strategy for any record of a type."""
    return st.builds(record, **{name: _members(hint) for name, hint in typing.get_type_hints(record).items()})


def _members(hint: Any) -> st.SearchStrategy[Any]:
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    if hint in _LEAVES:
        return _LEAVES[hint]
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        if arguments[-1] is Ellipsis:
            return st.lists(_members(arguments[0]), max_size=3).map(tuple)
        return st.tuples(*map(_members, arguments))
    if arguments:
        return st.one_of(*map(_members, arguments))
    return records_of(hint) if hasattr(hint, "__dataclass_fields__") else st.from_type(hint)


def planned_doses(count: int) -> list[PlannedDose]:
    """Return so many doses of a day, three a patient."""
    return [
        PlannedDose(
            id=DoseId(f"{number:032x}"),
            order=OrderId(f"order-{number // 2}"),
            version=1,
            patient=PatientId(f"patient-{number // 12}"),
            drug=DrugCode(f"D{number % 200:03}"),
            due=MORNING + timedelta(minutes=number % 720),
            slot="morning",
            lane=Lane.MACHINE,
            units=Fraction(1, 1 + number % 2),
            dose_text="2 × 250 мг = 500 мг",
            department="Cardiology",
            room="12",
            bed="3",
            stat=False,
            combine=True,
            state=DoseState.PLANNED,
        )
        for number in range(count)
    ]
