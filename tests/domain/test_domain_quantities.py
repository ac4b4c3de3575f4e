"""Amounts, units and strengths are read exactly or not at all."""

import csv
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from domain_cases import drug
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.drugs import Coating, Form
from hub.domain.lanes import part_refused
from hub.domain.orders import Reason
from hub.domain.quantities import (
    RUSSIAN_UNITS,
    UNITS,
    Quantity,
    convert,
    fraction_text,
    needs_measure_of,
    parse_amount,
    parse_dose_amount,
    parse_quantity,
    unit_named,
)
from hub.domain.strengths import RULE_MEASURE, parse_strength, units_for

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
        ("mg/day", None), ("in", None), ("", None), ("ug", "mcg"), ("[iU]", "IU"), ("{tablet}", "tablet"), ("10*6.[iU]", "million-IU"),
        ("тыс. ЕД", "thousand-IU"), ("млн МЕ", "million-IU"), ("Mio IE", "million-IU"), ("k[iU]", "thousand-IU"), ("U", "IU"), ("I.E.", "IU"),
        ("mg/m2", "mg/m2"), ("мг/м²", "mg/m2"), ("mg/kg", "mg/kg"), ("мкг / кг", "mcg/kg"), ("TAB/kg", None), ("mg/kg/h", None), ("mcq", None),
        ("gmgm", None), ("mg/0mg", None), ("Quarter Tab", "quarter-tablet"), ("ea", "piece"), ("шт.", "piece"), ("Stück", "piece"), ("tbl", "tablet"),
        ("732936001", "tablet"), ("428673006", "tablet"), ("732937005", "capsule"), ("732994000", "drop"), ("258684004", "mg"), ("OPDROP", "drop"),
        ("Tropfen", "drop"), ("мг-экв", "mEq"), ("мкмоль", "mcmol"), ("錠", "tablet"), ("comprimé", "tablet"),
    ],
)  # fmt: skip
def test_units_have_one_name(text: str, unit: str | None) -> None:
    assert unit_named(text) == unit


def test_every_canonical_unit_names_itself() -> None:
    assert {unit_named(unit) for unit in UNITS.values()} == set(UNITS.values())


def test_every_unit_has_its_russian_name_which_is_read_back() -> None:
    assert set(RUSSIAN_UNITS) == set(UNITS.values())
    for unit, russian in RUSSIAN_UNITS.items():
        assert unit_named(russian) in {unit, None}, russian
    assert Quantity(F(1, 2), "mg").in_russian() == "0,5 мг"
    assert Quantity(F(5), "mg/m2").in_russian() == "5 мг/м²"


@pytest.mark.parametrize(("unit", "of"), [("mg/kg", "weight"), ("mcg/kg", "weight"), ("mg/m2", "body surface"), ("mg", "")])
def test_what_depends_on_the_patient_is_named_and_never_counted(unit: str, of: str) -> None:
    assert needs_measure_of(unit) == of
    counted = units_for(Quantity(F(5), unit), drug(strength="5 mg"))
    if not of:
        assert counted == 1
        return
    assert isinstance(counted, Reason)
    assert counted.rule == RULE_MEASURE
    assert of in counted.text and "пациента" in counted.text_ru


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [("500 мг", F(500), "mg"), ("1,5 млн ЕД", F(1_500_000), "IU"), ("25,000 units", F(25_000), "IU"), ("½ таб.", F(1, 2), "tablet"), ("0.5мг", F(1, 2), "mg")],
)
def test_an_amount_with_its_unit_is_read(text: str, amount: Fraction, unit: str) -> None:
    assert convert(parse_quantity(text), unit) == Quantity(amount, unit)


@pytest.mark.parametrize("text", ["", "мг", "5", "5 попугаев", "1,125 мг", "5 mg 3", "-5 mg", "5 mg/day"])
def test_what_is_no_amount_with_a_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"'"):
        parse_quantity(text)


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
        ("5mg/mL-2mL Vial", "VIAL", ["10 mg"], "2 mL"),
        ("12.5/50 mg", "TAB", ["12.5 mg", "50 mg"], None),
        ("875 мг + 125 мг", "таб", ["875 mg", "125 mg"], None),
        ("500mg/vial", "VIAL", ["500 mg"], None),
        ("0,9 %", "мл", ["9 mg"], "1 mL"),
        ("0.4 mg / 100 mL Bottle (in 0.9 % NaCl)", "VIAL", ["0.4 mg"], "100 mL"),
        ("0,9 % 500 мл", "фл", ["4500 mg"], "500 mL"),
        ("5% 100 мл", "фл", ["5000 mg"], "100 mL"),
        ("1:1000", "мл", ["1 mg"], "1 mL"),
        ("1:1000 1 mL Amp", "AMP", ["1 mg"], "1 mL"),
        ("1:10,000 10 mL", "SYR", ["1 mg"], "10 mL"),
        ("1 млн ЕД", "фл", ["1000000 IU"], None),
        ("500 тыс. ЕД", "фл", ["500000 IU"], None),
        ("1.2 million units", "VIAL", ["1200000 IU"], None),
        ("1,200,000 units", "VIAL", ["1200000 IU"], None),
        ("40 мг/0,4 мл", "шприц", ["40 mg"], "0.4 mL"),
        ("10 000 анти-Ха МЕ/мл 0,4 мл", "шприц", ["4000 IU"], "0.4 mL"),
        ("(500 mg + 125 mg)/5 mL", "мл", ["100 mg", "25 mg"], "1 mL"),
        ("20 mcg/dose 200 doses", "INH", ["4000 mcg"], None),
        ("100 мкг/доза - 200 доз", "ингалятор", ["20000 mcg"], None),
        ("250 мг/5 мл 100 мл", "фл", ["5000 mg"], "100 mL"),
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
        ("5 мг/0 мл", "мл"),
        ("", "таб"),
        ("5000,000 г", "фл"),
        ("25,000", "VIAL"),
        ("5-10 mg", "TAB"),
        ("200-300mg Tablet", "TAB"),
        ("2 %", "туба"),
        ("мг" * 101, "таб"),
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
        (Quantity(F(2), "piece"), drug(), F(2)),
        (Quantity(F(1), "quarter-tablet"), drug(), F(1, 4)),
        (Quantity(F(1), "dragee"), drug(), F(1)),
        (Quantity(F(3), "million-IU"), drug(form=Form.VIAL, strength="1 млн ЕД", unit="фл"), F(3)),
        (Quantity(F(45), "mg"), drug(form=Form.BAG, strength="0,9 % 500 мл", unit="пакет"), F(1, 100)),
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


@pytest.mark.parametrize(
    ("divisible_by", "coating", "units", "words", "words_ru"),
    [
        (1, Coating.PLAIN, F(1, 2), "may not be split; the nearest permitted: 1 (500 mg)", "делить его нельзя; ближайшие допустимые дозы: 1 (500 мг)"),
        (2, Coating.PLAIN, F(3, 4), "only halves are split; the nearest permitted: 1/2 (250 mg) or 1 (500 mg)", "1/2 (250 мг) или 1 (500 мг)"),
        (4, Coating.PLAIN, F(1, 3), "only halves and quarters are split; the nearest permitted: 1/4 (125 mg) or 1/2 (250 mg)", "1/4 (125 мг)"),
        (4, Coating.ENTERIC, F(3, 2), "its coat must reach the gut whole; the nearest permitted: 1 (500 mg) or 2 (1000 mg)", "кишечнорастворимая"),
        (2, Coating.PROLONGED, F(1, 2), "its dose would be freed at once; the nearest permitted: 1 (500 mg)", "пролонгированная"),
    ],
)
def test_a_part_that_is_not_permitted_is_asked_with_the_nearest_doses(
    divisible_by: int, coating: Coating, units: Fraction, words: str, words_ru: str
) -> None:
    refused = part_refused(drug(divisible_by=divisible_by, coating=coating), units)
    assert refused is not None
    assert refused.text.endswith(words)
    assert words_ru in refused.text_ru


@given(st.sampled_from([1, 2, 4]), st.sampled_from(list(Coating)), st.sampled_from(list(Form)), st.fractions(F(1, 8), 4, max_denominator=8))
def test_only_whole_parts_of_plain_tablets_pass(divisible_by: int, coating: Coating, form: Form, units: Fraction) -> None:
    item = drug(divisible_by=divisible_by, coating=coating, form=form)
    passes = part_refused(item, units) is None
    parts = divisible_by if coating is Coating.PLAIN and form is Form.TABLET else 1
    assert passes == ((units * parts).denominator == 1)


def test_a_half_tablet_that_is_stocked_as_such_is_never_split_into_less_than_a_quarter() -> None:
    assert [drug(unit="half-tablet", divisible_by=parts).parts for parts in (1, 2, 4)] == [1, 1, 2]


_PIECES = st.sampled_from(
    ["5", "0,5", "25,000", "1,125", " ", "мг", "mg", "/", "мл", "mL", "-", "+", "%", ":", "1:1000", "units", "ЕД", "млн", "(", ")", "Vial", "доз", "per",
     "½", "9" * 30, "0", "tab", "\u00a0", ";", "mEq", "тыс.", "anti-Xa", "г", "kg"]
)  # fmt: skip


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=40), st.lists(_PIECES, max_size=12).map("".join)), st.sampled_from(["таб", "mL", "VIAL", "INH", "", "кг"]))
def test_no_text_of_a_strength_raises_and_what_is_read_is_more_than_nothing(text: str, unit: str) -> None:
    strength = parse_strength(text, unit)
    if strength is not None:
        assert all(amount.amount > 0 for amount in strength.amounts)
        assert strength.volume is None or strength.volume.unit == "mL"


@given(st.integers(1, 999_999), st.integers(0, 3), st.sampled_from(["mg", "mcg", "g", "IU"]), st.sampled_from([".", ","]))
def test_a_strength_that_is_written_is_read_back(number: int, places: int, unit: str, sign: str) -> None:
    amount = F(number, 10**places)
    written = fraction_text(amount).replace(".", sign)
    strength = parse_strength(f"{written} {unit}", "таб")
    has_two_readings = re.fullmatch(r"[1-9]\d{0,2},\d{3}", written) and not written.endswith(",000")
    if has_two_readings or (unit == "g" and amount > 1000):
        assert strength is None
    else:
        assert strength is not None
        assert strength.amounts == (Quantity(amount, unit),)


HOSPITAL = Path(__file__).parents[3] / "shared" / "data" / "hospital_fortnight" / "formulary.csv"


@pytest.mark.skipif(not HOSPITAL.is_file(), reason="the hospital's formulary is not beside the checkout")
def test_the_strengths_of_a_real_formulary_are_read_where_they_are_stated() -> None:
    rows = {(row["strength"], row["dispense_unit"], row["form"]) for row in csv.DictReader(HOSPITAL.read_text(encoding="utf-8").splitlines())}
    read = Counter[bool]()
    unread = []
    for strength, unit, form in rows:
        states = re.search(r"\d\s*(?:mg|mcg|g|gm|units?|iu|meq|mmol)\b", strength, re.IGNORECASE) is not None
        found = parse_strength(strength, unit)
        read[found is not None and bool(found.amounts)] += 1
        if states and form in {"tablet", "capsule"} and (found is None or not found.amounts):
            unread.append(strength)
    assert unread == ["200-300mg Tablet"]  # a range
    assert read[True] >= 436
