"""The words of doses on Russian and English labels."""

import pytest

from hub.adapters.label_words import FORMS_RU, dose_words, form_text
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


def test_every_form_has_a_russian_name() -> None:
    assert set(FORMS_RU) == set(Form)
    assert form_text(Form.TABLET, "ru") == "таблетки"
    assert form_text(Form.TABLET, "en") == "tablet"
