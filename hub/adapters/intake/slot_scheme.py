"""How often a day in one cell: `1-0-1-1`, `1 – 0 – 1`, `½-0-0-1`, each part a count for one slot of the day."""

import re
from collections.abc import Sequence
from fractions import Fraction

from hub.domain.quantities import parse_dose_amount
from hub.domain.timing import SlotDose
from hub.domain.words import Unfit

# Nobody takes more pieces at once; a part like 2026 is of a date that a spreadsheet made out of `1-0-1`.
MOST_AT_ONCE = 20
_DASH = re.compile(r"\s*[-–—−]\s*")
_SCHEME = re.compile(r"[\d½¼¾⅓⅔][\d½¼¾⅓⅔.,/ ]*(?:\s*[-–—−]\s*[\d½¼¾⅓⅔.,/ ]+){2,3}")
_THREE = ("morning", "noon", "evening")


def is_scheme(text: str) -> bool:
    """Tell whether a cell is written as a scheme of three or four counts."""
    return _SCHEME.fullmatch(text.strip()) is not None


def read_scheme(text: str, slots: Sequence[str], decimal_sign: str | None) -> tuple[SlotDose, ...]:
    """Return the slots that have a dose; raise ValueError with a sentence where the cell is no scheme of this source.

    A scheme of three is morning, noon and evening, unless the source's own `slots` are three.
    """
    parts = _DASH.split(text.strip())
    names = tuple(slots) if len(parts) == len(slots) else _THREE if len(parts) == len(_THREE) else ()
    if not is_scheme(text) or not names:
        raise Unfit(f"'{text}' is no scheme like 1-0-1-1", f"«{text}» — не схема вида 1-0-1-1")
    counts = [parse_dose_amount(part, decimal_sign) for part in parts]
    if any(count > MOST_AT_ONCE for count in counts):
        raise Unfit(
            f"'{text}' is a date or has more than {MOST_AT_ONCE} at once",
            f"«{text}» — дата или больше {MOST_AT_ONCE} за один приём",
        )
    return tuple(SlotDose(slot, count) for slot, count in zip(names, counts, strict=True) if count != Fraction(0))
