"""The words of doses in the language of the ward: forms and units as they stand on a Russian label."""

import re
from collections.abc import Mapping

from hub.domain.drugs import Form

FORMS_RU: Mapping[Form, str] = {
    Form.TABLET: "таблетки",
    Form.CAPSULE: "капсулы",
    Form.AMPOULE: "ампулы",
    Form.VIAL: "флакон",
    Form.SYRINGE: "шприц",
    Form.BAG: "пакет",
    Form.BOTTLE: "бутылка",
    Form.LIQUID: "раствор",
    Form.DROPS: "капли",
    Form.POWDER: "порошок",
    Form.PATCH: "пластырь",
    Form.INHALER: "ингалятор",
    Form.NEBULE: "небула",
    Form.SUPPOSITORY: "суппозитории",
    Form.TUBE: "туба",
    Form.LOZENGE: "пастилки",
    Form.OTHER: "",
}
UNITS_RU: Mapping[str, str] = {
    "mg": "мг", "g": "г", "mcg": "мкг", "ng": "нг", "mL": "мл", "L": "л", "IU": "МЕ", "mEq": "мэкв", "mmol": "ммоль", "tablet": "табл.",
    "capsule": "капс.", "ampoule": "амп.", "vial": "фл.", "syringe": "шприц", "bag": "пакет", "bottle": "бут.", "drop": "кап.", "puff": "доза",
    "dose": "доза", "packet": "пак.", "suppository": "супп.", "patch": "пластырь", "unit": "ед.", "of": "из",
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z]+")


def form_text(form: Form, language: str) -> str:
    """Return the name of a form."""
    return FORMS_RU[form] if language == "ru" else "" if form is Form.OTHER else form.value


def dose_words(text: str, language: str) -> str:
    """Return a dose's sentence (`2 × 250 mg = 500 mg`) in a language; a word without a translation stays as it is."""
    if language != "ru":
        return text
    return _WORD.sub(lambda found: UNITS_RU.get(found[0], found[0]), text)
