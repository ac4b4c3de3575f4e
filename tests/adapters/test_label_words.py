"""The words of doses on Russian and English labels."""

import pytest

from hub.adapters.label_words import FORMS_RU, dose_words, form_text, grouped
from hub.domain.drugs import Form


@pytest.mark.parametrize(
    ("text", "russian"),
    [
        ("2 × 250 mg = 500 mg", "2 × 250 мг = 500 мг"),
        ("1 ampoule (40 mg of 50 mg)", "1 амп. (40 мг из 50 мг)"),
        ("15 mL (300 mg)", "15 мл (300 мг)"),
        ("1/2 × 5 mcg = 2.5 mcg", "1/2 × 5 мкг = 2.5 мкг"),
        ("1 spray", "1 spray"),
    ],
)
def test_a_russian_label_counts_in_russian_units(text: str, russian: str) -> None:
    assert dose_words(text, "ru") == russian
    assert dose_words(text, "en") == text


@pytest.mark.parametrize("language", ["ru", "en"])
def test_long_figures_stand_in_groups_so_that_a_million_and_ten_do_not_look_alike(language: str) -> None:
    one, ten = dose_words("1 × 1000000 IU = 1000000 IU", language), dose_words("1 × 10000000 IU = 10000000 IU", language)
    assert one.startswith("1 × 1\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}000 ") and ten.startswith("1 × 10\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}000 ")
    assert grouped("5000 IU/mL") == "5000 IU/mL"
    assert grouped("50000 IU") == "50\N{NO-BREAK SPACE}000 IU"
    assert grouped("0.000125 mg") == "0.000125 mg"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1/3 × 10 mg = 10/3 mg", "1/3 × 10 mg = 3\N{NO-BREAK SPACE}1/3 mg"),
        ("3/2 tablet", "1\N{NO-BREAK SPACE}1/2 tablet"),
        ("6/3 tablet", "2 tablet"),
        ("1/2 × 5 mcg = 2.5 mcg", "1/2 × 5 mcg = 2.5 mcg"),
        ("2.5 mg/2 mL", "2.5 mg/2 mL"),
    ],
)
def test_more_than_a_whole_is_a_mixed_number(text: str, written: str) -> None:
    assert dose_words(text, "en") == written


def test_every_form_has_a_russian_name() -> None:
    assert set(FORMS_RU) == set(Form)
    assert form_text(Form.TABLET, "ru") == "таблетки"
    assert form_text(Form.TABLET, "en") == "tablet"
