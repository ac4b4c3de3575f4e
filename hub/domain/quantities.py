"""Exact amounts: fractions with a unit, and text as sheets and directories write it."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact amount of one unit; `unit` is a canonical name (`mg`, `g`, `mcg`, `mL`, `IU`, `tablet` …)."""

    amount: Fraction
    unit: str

    def __str__(self) -> str:
        """Return the amount as people write it: `0.5 mg`, `1/3 tablet`."""
        return f"{fraction_text(self.amount)} {self.unit}"


def fraction_text(amount: Fraction) -> str:
    """Return a fraction as exact text: `2`, `0.5`, or `1/3` where decimals never end."""
    denominator = amount.denominator
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    if denominator != 1:
        return f"{amount.numerator}/{amount.denominator}"
    digits = 0
    while (amount * 10**digits).denominator != 1:
        digits += 1
    if digits == 0:
        return str(amount.numerator)
    sign = "-" if amount < 0 else ""
    scaled = str(abs(amount.numerator) * 10**digits // amount.denominator).rjust(digits + 1, "0")
    return f"{sign}{scaled[:-digits]}.{scaled[-digits:]}"
