"""GTINs in any text: a retail barcode, a code typed with its brackets, a digital link, elements in whatever order.

A text that holds one names a product of many packs, never a single pack. Sources: GS1 General Specifications 3.2 and 7.9, GS1 Digital Link.
"""

import re
import unicodedata

from labels.gs1 import is_gtin

_LENGTHS = (8, 12, 13, 14)
_WRITTEN_APART = re.compile(r"[\W_]+")
_RUNS = re.compile(r"\d{12,}", re.ASCII)


def bare_gtin(text: str) -> str:
    """Return the fourteen digits of a text that is nothing but a GTIN of 8, 12, 13 or 14 digits, with or without its `01`; else nothing."""
    digits = _WRITTEN_APART.sub("", _in_ascii_digits(text))
    return _whole(digits) or (_whole(digits[2:]) if digits.startswith("01") and len(digits) == 16 else "")


def held_gtin(text: str) -> str:
    """Return the fourteen digits of the first GTIN that a text is or holds, or nothing.

    Eight digits count only where they are the whole text: dates and numbers of a stock room's own look like them.
    """
    runs = _RUNS.findall(_in_ascii_digits(text))
    return bare_gtin(text) or next((gtin for run in runs if (gtin := _in_digits(run))), "")


def _in_digits(run: str) -> str:
    """Return the GTIN of digits in a row: all of them, those behind an `01`, or the first or last fourteen or thirteen."""
    behind = [run[place + 2 : place + 16] for place in range(len(run) - 15) if run.startswith("01", place)]
    parts = (run, *behind, run[:14], run[-14:], run[:13], run[-13:])
    return next((gtin for part in parts if (gtin := _whole(part))), "")


def _whole(digits: str) -> str:
    gtin = digits.zfill(14)
    return gtin if len(digits) in _LENGTHS and is_gtin(gtin) else ""


def _in_ascii_digits(text: str) -> str:
    """Return a text with the digits of other scripts made those that a scanner sends."""
    return "".join(str(unicodedata.digit(letter)) if letter.isdigit() else letter for letter in text)
