"""What the code on a maker's pack says, as the hub knows it; how it is read is the labels' own rule."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from hub.domain.refusals import Refusal

SHORTEST_PROVEN = 83
"""Characters of the shortest scan with a proof: the medicine code of decree 1556 without its separators."""


@dataclass(frozen=True, slots=True)
class MakersCode:
    """A maker's code; empty where it does not say. `proof` is what the register of medicines proves the pack by, `scanned` the scan as it came."""

    gtin: str
    serial: str = ""
    lot: str = ""
    expires_on: date | None = None
    proof: str = ""
    scanned: str = ""

    @property
    def code(self) -> str:
        """What the pack is known by: its GTIN and its serial (SGTIN)."""
        return f"{self.gtin}{self.serial}"


ReadMakersCode = Callable[[str, date], MakersCode | Refusal | None]
"""(scan, today) → what it says, why it cannot be read, or None where it does not claim to be a maker's code."""


def no_makers_codes(_: str, __: date) -> None:
    """Take no scan for a maker's code."""
