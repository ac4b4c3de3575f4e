"""The parts of a premixed insulin are a ratio: its doses in units are counted by what a mL holds."""

from fractions import Fraction

import pytest
from domain_cases import drug

from hub.domain.drugs import Form
from hub.domain.quantities import Quantity
from hub.domain.strengths import parse_strength, units_for


@pytest.mark.parametrize(
    ("text", "unit", "held"),
    [
        ("75/25 Units/mL - 10 mL Vial", "vial", 1000), ("75/25 Units/mL;10mL", "vial", 1000), ("100 Units/mL (70/30) - 10 mL Vial", "vial", 1000),
        ("70/30 100 Units/mL - 10 mL Vial", "vial", 1000), ("30/70 100 МЕ/мл 3 мл", "шприц", 300), ("50/50 ЕД/мл", "mL", 100),
    ],
)  # fmt: skip
def test_the_ratio_is_no_amount(text: str, unit: str, held: int) -> None:
    strength = parse_strength(text, unit)
    assert strength is not None and not strength.combination
    assert [(amount.amount, amount.unit) for amount in strength.amounts] == [(held, "IU")]


@pytest.mark.parametrize(("text", "amounts"), [("12.5/50 mg", 2), ("50/50 mg", 2), ("25/50 Units/mL", 2)])
def test_what_does_not_add_up_or_is_a_mass_stays_a_combination(text: str, amounts: int) -> None:
    strength = parse_strength(text, "mL" if "mL" in text else "tablet")
    assert strength is not None and len(strength.amounts) == amounts


@pytest.mark.parametrize("text", ["70/30", "75/25"])
def test_a_ratio_alone_says_no_strength(text: str) -> None:
    assert parse_strength(text, "vial") is None


def test_a_dose_in_units_is_counted_exactly() -> None:
    vial = drug(form=Form.VIAL, strength="75/25 Units/mL;10mL", unit="VIAL", inn="Insulin lispro mix")
    assert units_for(Quantity(Fraction(16), "IU"), vial) == Fraction(16, 1000)
