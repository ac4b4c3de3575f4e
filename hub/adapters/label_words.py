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
_FRACTION = re.compile(r"(?<![\d.,/])(\d+)/(\d+)(?![\d.,/])")
_MANY_FIGURES = re.compile(r"(?<![\d.,])\d{5,}")
_GROUP_SPACE = "\N{NO-BREAK SPACE}"
_WORD = re.compile(r"[A-Za-z]+")


def form_text(form: Form, language: str) -> str:
    """Return the name of a form."""
    return FORMS_RU[form] if language == "ru" else "" if form is Form.OTHER else form.value


def dose_words(text: str, language: str) -> str:
    """Return a dose's sentence (`2 × 250 mg = 500 mg`) in a language; a word without a translation stays as it is.

    More than a whole is a mixed number (`3 1/3 mg`), and long figures stand in groups.
    """
    text = grouped(_FRACTION.sub(_mixed, text))
    if language != "ru":
        return text
    return _WORD.sub(lambda found: UNITS_RU.get(found[0], found[0]), text)


def grouped(text: str) -> str:
    """Group figures by three from five on (`1 000 000 IU`), so that a million and ten do not look alike; decimals stay as they are."""
    return _MANY_FIGURES.sub(lambda found: f"{int(found[0]):,}".replace(",", _GROUP_SPACE), text)


def _mixed(found: re.Match[str]) -> str:
    above, below = int(found[1]), int(found[2])
    if below == 0 or above <= below:
        return found[0]
    whole, rest = divmod(above, below)
    return f"{whole}{_GROUP_SPACE}{rest}/{below}" if rest else str(whole)
