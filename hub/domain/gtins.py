"""Trade item numbers of makers' packs and what this hospital calls what is in them; told once by a pharmacist."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from hub.domain.identifiers import DrugCode, UserId


@dataclass(frozen=True, slots=True)
class Gtin:
    """A GTIN of 14 digits: the item of the directory that its packs hold, and how many dispensing units of it."""

    gtin: str
    item: DrugCode
    units: Fraction
    told_by: UserId
    told_at: datetime


def is_gtin(text: str) -> bool:
    """Tell whether a text is fourteen digits whose last proves the others (GS1 General Specifications 7.9).

    `labels.gs1` judges codes by the same rule; it stands here again because the domain imports nothing of the labels.
    """
    if len(text) != 14 or not (text.isascii() and text.isdigit()) or not int(text):
        return False
    return sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(text)) % 10 == 0
