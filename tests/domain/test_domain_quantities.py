"""Amounts, units and strengths are read exactly or not at all."""

from fractions import Fraction

import pytest
from domain_cases import drug
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.drugs import Form
from hub.domain.orders import Reason
from hub.domain.quantities import UNITS, Quantity, convert, fraction_text, parse_amount, parse_dose_amount, unit_named
from hub.domain.strengths import parse_strength, units_for

F = Fraction


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0.5", F(1, 2)), ("2,5", F(5, 2)), ("0,125", F(1, 8)), ("12,50", F(25, 2)), ("25,000", F(25000)), ("1,234,567", F(1234567)),
        ("25 000", F(25000)), ("25\u00a0000", F(25000)), ("1/2", F(1, 2)), ("1 1/2", F(3, 2)), ("½", F(1, 2)), (".5", F(1, 2)), (" 7 ", F(7)),
    ],
)  # fmt: skip
def test_amounts_are_read_exactly(text: str, amount: Fraction) -> None:
    assert parse_amount(text) == amount


@pytest.mark.parametrize(
    "text", ["", "two", "1,125", "12,500", "1/0", "1e3", "-5", "5 5", "1.2.3", "9" * 30, "nan", "١"]
)
def test_what_is_not_one_clear_amount_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"amount|divides|may mean"):
        parse_amount(text)


@pytest.mark.parametrize(
    ("text", "sign", "amount"),
    [
        ("5,000", ",", F(5)), ("1,125", ",", F(9, 8)), ("2,5", ",", F(5, 2)), ("2.5", ",", F(5, 2)), ("0.125", ",", F(1, 8)),
        ("25 000,5", ",", F(50001, 2)), (",5", ",", F(1, 2)), ("5,000", ".", F(5000)), ("1,234,567.5", ".", F(2469135, 2)),
        ("5.000", ".", F(5)), ("0.125", ".", F(1, 8)), ("25 000", ".", F(25000)), ("2,5", None, F(5, 2)), ("0,125", None, F(1, 8)),
        ("1,234,567", None, F(1234567)), ("12.5", None, F(25, 2)), ("½", ",", F(1, 2)), ("1 1/2", ".", F(3, 2)),
    ],
)  # fmt: skip
def test_a_dose_is_read_by_the_decimal_sign_of_its_source(text: str, sign: str | None, amount: Fraction) -> None:
    assert parse_dose_amount(text, sign) == amount


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("5,000", None), ("1,125", None), ("5.000", None), ("5.000", ","), ("1,234,567", ","), ("1.234,5", ","), ("1.234,5", "."), ("2,5", "."),
        ("0,125", "."), ("12,34,567", "."), ("5,", ","), ("", ","), ("", "."), (",", ","), ("1/0", ","), ("5 5", "."), ("9" * 30, "."),
    ],
)  # fmt: skip
def test_a_dose_that_may_be_a_thousand_times_another_is_not_read(text: str, sign: str | None) -> None:
    with pytest.raises(ValueError, match=r"amount|divides|may mean"):
        parse_dose_amount(text, sign)


@given(st.integers(min_value=0, max_value=10**6), st.integers(min_value=0, max_value=999), st.sampled_from([",", "."]))
def test_what_the_source_writes_with_its_sign_is_read_back_or_asked_about(whole: int, rest: int, sign: str) -> None:
    assert parse_dose_amount(f"{whole}{sign}{rest:03}", sign) == whole + F(rest, 1000)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("mg", "mg"), ("мг", "mg"), ("МГ.", "mg"), ("gm", "g"), ("г", "g"), ("мкг", "mcg"), ("µg", "mcg"), ("ml", "mL"), ("мл", "mL"),
        ("UNIT", "IU"), ("МЕ", "IU"), ("ЕД", "IU"), ("mEq", "mEq"), ("mmol", "mmol"), ("TAB", "tablet"), ("таб.", "tablet"), ("капс", "capsule"),
        ("амп", "ampoule"), ("VIAL", "vial"), ("фл", "vial"), ("HALF TAB", "half-tablet"), ("кап", "drop"), ("PUFF", "puff"), ("доза", "dose"),
        ("mg/day", None), ("in", None), ("", None),
    ],
)  # fmt: skip
def test_units_have_one_name(text: str, unit: str | None) -> None:
    assert unit_named(text) == unit


def test_every_canonical_unit_names_itself() -> None:
    assert {unit_named(unit) for unit in UNITS.values()} == set(UNITS.values())


def test_conversion_is_exact_and_only_within_a_dimension() -> None:
    assert convert(Quantity(F(1, 2), "g"), "mcg") == Quantity(F(500_000), "mcg")
    assert convert(Quantity(F(3), "half-tablet"), "tablet") == Quantity(F(3, 2), "tablet")
    assert convert(Quantity(F(1), "mEq"), "mmol") is None
    assert convert(Quantity(F(1), "IU"), "mg") is None
    assert convert(Quantity(F(1), "tablet"), "capsule") is None


@given(
    st.fractions(min_value=0, max_value=10**6),
    st.sampled_from(["kg", "g", "mg", "mcg", "ng"]),
    st.sampled_from(["kg", "g", "mg", "mcg", "ng"]),
)
def test_conversion_there_and_back_changes_nothing(amount: Fraction, first: str, second: str) -> None:
    there = convert(Quantity(amount, first), second)
    assert there is not None
    assert convert(there, first) == Quantity(amount, first)


@given(st.integers(min_value=0, max_value=10**9), st.integers(min_value=0, max_value=6))
def test_decimals_that_are_written_are_read_back(number: int, places: int) -> None:
    amount = Fraction(number, 10**places)
    assert parse_amount(fraction_text(amount)) == amount


@pytest.mark.parametrize(
    ("text", "unit", "amounts", "volume"),
    [
        ("500 мг", "таб", ["500 mg"], None),
        ("12.5mg Tablet", "TAB", ["12.5 mg"], None),
        ("81mg  EC Tab", "TAB", ["81 mg"], None),
        ("0.5mg/2mL Amp", "AMP", ["0.5 mg"], "2 mL"),
        ("0.5mg/2mL Amp", "mL", ["0.25 mg"], "1 mL"),
        ("500 мг/5 мл", "амп", ["500 mg"], "5 mL"),
        ("100 Units / mL - 10 mL Vial", "VIAL", ["1000 IU"], "10 mL"),
        ("100 Units / mL - 10 mL Vial", "mL", ["100 IU"], "1 mL"),
        ("1.25mg/mL: 2mL Vial", "VIAL", ["2.5 mg"], "2 mL"),
        ("5mg/mL; 4mL", "mL", ["5 mg"], "1 mL"),
        ("4mg/mL 1mL Vial", "VIAL", ["4 mg"], "1 mL"),
        ("10 мг/мл 2 мл", "амп", ["20 mg"], "2 mL"),
        ("2 g / 100 mL Dextrose (iso-os)", "BAG", ["2 g"], "100 mL"),
        ("1000 МЕ/мл", "мл", ["1000 IU"], "1 mL"),
        ("24 мг/мл", "мл", ["24 mg"], "1 mL"),
        ("25,000 unit Premix Bag", "BAG", ["25000 IU"], None),
        ("25 000 ЕД", "фл", ["25000 IU"], None),
        ("50 mg per 5 g Packet", "PKT", ["50 mg"], None),
        ("0,5 мг/таб", "таб", ["0.5 mg"], None),
        ("5+2,5 мг", "таб", ["5 mg", "2.5 mg"], None),
        ("5mg / 325mg Tablet", "TAB", ["5 mg", "325 mg"], None),
        ("24mg-26mg Tablet", "TAB", ["24 mg", "26 mg"], None),
        ("0.083%;3mL Vial", "VIAL", [], "3 mL"),
        ("800/160 : 20 mL UDCUP", "UDCUP", [], "20 mL"),
        ("12.5 mg Half Tablet", "HALF TAB", ["12.5 mg"], None),
    ],
)
def test_strengths_of_real_directories(text: str, unit: str, amounts: list[str], volume: str | None) -> None:
    strength = parse_strength(text, unit)
    assert strength is not None
    assert [str(amount) for amount in strength.amounts] == amounts
    assert (None if strength.volume is None else str(strength.volume)) == volume


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("5mg/mL Vial", "VIAL"),
        ("1 Tablet", "TAB"),
        ("Inhaler", "INH"),
        ("1,125 мг", "таб"),
        ("0 мг", "таб"),
        ("", "таб"),
        ("5000,000 г", "фл"),
    ],
)
def test_a_strength_that_does_not_say_is_none(text: str, unit: str) -> None:
    assert parse_strength(text, unit) is None


@pytest.mark.parametrize(
    ("dose", "item", "units"),
    [
        (Quantity(F(250), "mg"), drug(), F(1, 2)),
        (Quantity(F(1), "g"), drug(), F(2)),
        (Quantity(F(2), "tablet"), drug(), F(2)),
        (Quantity(F(40), "mg"), drug(form=Form.AMPOULE, strength="50mg/2mL", unit="амп"), F(4, 5)),
        (Quantity(F(1), "mL"), drug(form=Form.AMPOULE, strength="50mg/2mL", unit="амп"), F(1, 2)),
        (Quantity(F(10), "IU"), drug(form=Form.VIAL, strength="100 Units / mL - 10 mL Vial", unit="VIAL"), F(1, 100)),
        (Quantity(F(300), "mg"), drug(form=Form.LIQUID, strength="100mg/5mL", unit="mL"), F(15)),
        (Quantity(F(1), "tablet"), drug(strength="5mg / 325mg Tablet", unit="TAB"), F(1)),
        (Quantity(F(1), "nebule"), drug(form=Form.VIAL, strength="0.083%;3mL Vial", unit="VIAL"), F(1)),
        (Quantity(F(2), "puff"), drug(form=Form.INHALER, strength="200 доз", unit="шт"), F(1, 100)),
        (Quantity(F(1), "patch"), drug(form=Form.PATCH, strength="Patch", unit="PTCH"), F(1)),
    ],
)
def test_units_of_a_dose(dose: Quantity, item: object, units: Fraction) -> None:
    assert units_for(dose, item) == units  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("dose", "item", "word"),
    [
        (Quantity(F(5), "mg"), drug(strength="5+2,5 мг"), "combination"),
        (Quantity(F(5), "mg"), drug(strength="1 Tablet"), "not stated"),
        (Quantity(F(5), "mEq"), drug(), "different things"),
        (Quantity(F(5), "mg"), drug(form=Form.VIAL, strength="5mg/mL Vial", unit="VIAL"), "not stated"),
        (Quantity(F(2), "puff"), drug(form=Form.INHALER, strength="8 g Inhaler", unit="INH"), "many doses"),
        (Quantity(F(1), "application"), drug(form=Form.TUBE, strength="30 g Tube", unit="TUBE"), "many doses"),
        (Quantity(F(1), "spray"), drug(form=Form.OTHER, strength="45mL Bottle", unit="SPRY"), "many doses"),
    ],
)
def test_a_dose_that_cannot_be_counted_says_why(dose: Quantity, item: object, word: str) -> None:
    refused = units_for(dose, item)  # type: ignore[arg-type]
    assert isinstance(refused, Reason)
    assert word in refused.text


@given(st.integers(min_value=1, max_value=2000), st.integers(min_value=1, max_value=8))
def test_units_times_strength_is_the_dose_again(strength_mg: int, quarters: int) -> None:
    dose = Quantity(F(strength_mg * quarters, 4), "mg")
    units = units_for(dose, drug(strength=f"{strength_mg} мг"))
    assert units == F(quarters, 4)
    grams = convert(dose, "g")
    assert grams is not None
    assert units_for(grams, drug(strength=f"{strength_mg} мг")) == units
