"""Elements that a lost separator hides at the end of another: what packs carry, and the form that each of them has.

Source: GS1 General Specifications 3 (application identifiers) and 4.14 (no identifier twice in one code).
"""

import re
from collections.abc import Collection, Mapping

_DAY = r"\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])"
_DATED = ("11", "13", "15", "17")
_FORMS: Mapping[str, str] = {
    **dict.fromkeys(_DATED, _DAY), **dict.fromkeys(("10", "21"), ".{1,20}"), **dict.fromkeys(("240", "241", "250"), ".{1,30}"),
    **dict.fromkeys(("30", "37"), r"\d{1,8}"), **{f"71{digit}": ".{1,20}" for digit in range(10)},
    "7003": rf"{_DAY}(?:[01]\d|2[0-3])[0-5]\d", "7004": r"\d{1,4}", "8008": r"\d{8,12}", **{f"9{digit}": ".{1,90}" for digit in range(1, 10)},
}  # fmt: skip
_ELEMENTS = {identifier: re.compile(identifier + form, re.ASCII) for identifier, form in _FORMS.items()}
_DATED_LENGTH = 8


def hides_elements(value: str, said: Collection[str]) -> bool:
    """Tell whether a value of variable length may be a shorter one and elements behind it, none of an identifier that the code `said`."""
    return any(_are_elements(value[place:], said) for place in range(1, len(value)))


def _are_elements(text: str, said: Collection[str]) -> bool:
    """Tell whether a text is elements in a row: dates, which end by their length, and at most one other, the last."""
    for identifier, element in _ELEMENTS.items():
        if identifier in said:
            continue
        if element.fullmatch(text):
            return True
        if identifier in _DATED and element.match(text) and _are_elements(text[_DATED_LENGTH:], (*said, identifier)):
            return True
    return False
