"""Our units against UCUM as a library reads it: every code, and every conversion that is claimed or refused."""

from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
from domain_cases import drug
from ucumvert import PintUcumRegistry

from hub.domain.drugs import Form
from hub.domain.orders import Reason
from hub.domain.quantities import UCUM, Quantity, convert, dimension_of, unit_named
from hub.domain.strengths import units_for

F = Fraction


@pytest.fixture(scope="module")
def ucum() -> Any:
    return PintUcumRegistry()


def test_our_codes_and_conversions_are_those_of_ucum(ucum: Any) -> None:
    measured = [unit for unit in UCUM if dimension_of(unit) in {"mass", "volume", "activity", "amount"}]
    assert len(measured) == 15
    for unit, code in UCUM.items():
        assert unit_named(code) == unit, code
    for first, second in permutations(measured, 2):
        ours = convert(Quantity(F(1), first), second)
        one, other = ucum.from_ucum(UCUM[first]), ucum.from_ucum(UCUM[second])
        if dimension_of(first) == dimension_of(second):
            assert ours is not None
            assert float(ours.amount) == pytest.approx(one.to(other).magnitude, rel=1e-9), (first, second)
        else:
            assert ours is None, (first, second)
            assert not one.is_compatible_with(other) or {dimension_of(first), dimension_of(second)} == {"amount", "mEq"}


def test_an_ion_s_valence_is_not_guessed(ucum: Any) -> None:
    assert ucum.from_ucum("meq").is_compatible_with(ucum.from_ucum("mmol"))  # which is right for one charge only
    assert convert(Quantity(F(1), "mEq"), "mmol") is None
    refused = units_for(Quantity(F(5), "mmol"), drug(form=Form.AMPOULE, strength="10 mEq", unit="амп"))
    assert isinstance(refused, Reason)
    assert "valence" in refused.text and "валентности" in refused.text_ru
