"""Where the segments that carry an order's content (RXE, RXO, RXG) hold the same things."""

from dataclasses import dataclass

from hub.adapters.intake.amounts import unit_name
from hub.adapters.intake.hl7.er7 import Element
from hub.domain.quantities import unit_named


@dataclass(frozen=True, slots=True)
class Fields:
    """Where RXE, RXO and RXG hold the same things (0: nowhere)."""

    drug: int
    low: int
    high: int
    unit: int
    form: int
    instructions: tuple[int, ...]
    per: int
    rate: tuple[int, int]
    strength: tuple[int, int]
    timing: int = 0


FIELDS = {
    "RXE": Fields(2, 3, 4, 5, 6, (7, 21), 22, (23, 24), (25, 26), 1),
    "RXO": Fields(1, 2, 3, 4, 5, (6, 7), 17, (21, 22), (18, 19)),
    "RXG": Fields(4, 5, 6, 7, 8, (9, 13), 14, (15, 16), (17, 18), 3),
}


def unit_of(element: Element) -> str:
    """Return a unit's canonical name: of code and text the first that is known, else the code as it stands."""
    words = [word for at in (1, 2, 4, 5) if (word := element.component(at))]
    return next((unit for word in words if (unit := unit_named(word))), unit_name(words[0]) if words else "")
