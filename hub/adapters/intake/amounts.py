"""Amounts as sheets write them, read exactly: units by their synonyms, decimals with point or comma, fractions."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache

from hub.domain.quantities import Quantity

MAXIMUM_DIGITS = 12

_SYNONYMS: Mapping[str, str] = {
    "mg": "mg мг",
    "g": "g gm gr г гр",
    "mcg": "mcg ug µg μg мкг",
    "kg": "kg кг",
    "mL": "ml cc мл",
    "L": "l л",
    "IU": "iu unit units u [iu] ме ед ie",
    "mEq": "meq мэкв",
    "mmol": "mmol ммоль",
    "tablet": "tablet tablets tab tabs таб табл таблетка таблетки таблеток",
    "capsule": "capsule capsules cap caps капс капсула капсулы капсул",
    "ampoule": "ampoule ampoules ampule amp амп ампула ампулы ампул",
    "vial": "vial vials фл флак флакон флакона флаконов",
    "syringe": "syringe syringes syr шприц шприца",
    "bag": "bag bags пакет",
    "bottle": "bottle bottles btl бут бутылка",
    "drop": "drop drops drp gtt кап капля капли капель",
    "puff": "puff puffs inh вдох вдоха вдохов ингаляция",
    "patch": "patch patches ptch пластырь",
    "nebule": "nebule nebules neb небула небулы",
    "suppository": "suppository supp супп суппозиторий свеча",
    "packet": "packet packets pkt саше пак",
    "lozenge": "lozenge loz troc",
    "spray": "spray spry впрыск",
    "dose": "dose doses доза дозы доз",
    "application": "application appl аппл",
    "cup": "cup udcup",
    "tube": "tube туба",
    "inhaler": "inhaler ингалятор",
}
UNIT_NAMES: Mapping[str, str] = {
    **{word: unit for unit, words in _SYNONYMS.items() for word in words.split()},
    **dict.fromkeys(("half tab", "half tablet", "half-tablet", "1/2 таб", "полтаблетки"), "half-tablet"),
    **dict.fromkeys(("quarter tab", "quarter tablet", "quarter-tablet", "1/4 таб"), "quarter-tablet"),
}

_FRACTION = re.compile(r"(?:(\d{1,6})\s+)?(\d{1,6})\s*/\s*(\d{1,6})")
_DECIMAL = re.compile(r"\d{1,12}(?:[.,]\d{1,12})?")
_VULGAR = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3"}


@lru_cache(maxsize=4096)
def unit_name(text: str) -> str:
    """Return the canonical name of a unit; a unit that is not known keeps its own spelling."""
    word = text.strip().rstrip(".")
    return UNIT_NAMES.get(word.casefold(), word)


@lru_cache(maxsize=4096)
def fraction(text: str) -> Fraction | None:
    """Return the number in `2`, `0,5`, `0.5`, `1/2`, `1 1/2` or `½`; None for anything else."""
    text = text.strip()
    for sign, plain in _VULGAR.items():
        text = text.replace(sign, f" {plain}").strip()
    if match := _FRACTION.fullmatch(text):
        whole, over, under = match.groups()
        return Fraction(int(whole or 0)) + Fraction(int(over), int(under)) if int(under) else None
    if _DECIMAL.fullmatch(text):
        return Fraction(text.replace(",", "."))
    return None


def fraction_range(text: str) -> tuple[Fraction, Fraction] | None:
    """Return (low, high) of `5`, `5-10` or `5–10`; None where it is neither, or the high end is below the low one."""
    parts = [fraction(part) for part in re.split(r"\s*[-–—]\s*", text.strip())]
    low, high = parts[0], parts[-1]
    if len(parts) > 2 or low is None or high is None or high < low:
        return None
    return low, high


@lru_cache(maxsize=8192)
def quantity(value: Decimal, unit: str) -> Quantity | None:
    """Return a positive exact quantity; None for zero, negative, infinite or absurd numbers (more than 12 digits)."""
    if not value.is_finite() or value <= 0 or abs(value.adjusted()) > MAXIMUM_DIGITS or len(value.as_tuple().digits) > 28:
        return None
    return Quantity(Fraction(value), unit_name(unit))


def money(text: str) -> Decimal | None:
    """Return a price of at least zero with point or comma; None for anything else."""
    try:
        price = Decimal(text.strip().replace(" ", "").replace("\u00a0", "").replace(",", "."))
    except InvalidOperation:
        return None
    return price if price.is_finite() and 0 <= price < 10**MAXIMUM_DIGITS else None
