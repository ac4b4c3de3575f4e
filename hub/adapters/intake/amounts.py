"""Amounts at the edge of the hub: what the domain reads exactly, and what becomes of the rest."""

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache

from hub.domain.quantities import Quantity, parse_amount, unit_named

MAXIMUM_DIGITS = 12


@lru_cache(maxsize=4096)
def unit_name(text: str) -> str:
    """Return the canonical name of a unit; a unit that is not known keeps its own spelling."""
    return unit_named(text) or text.strip()


def fraction(text: str) -> Fraction | None:
    """Return the number in `2`, `0,5`, `1/2` or `½`; None for anything else and for what can be read in two ways."""
    try:
        return parse_amount(text)
    except ValueError:
        return None


def exact(value: Decimal) -> Fraction | None:
    """Return a JSON number exactly; None for negative, infinite and absurd ones (beyond 12 digits before or after the point)."""
    if not value.is_finite() or value < 0 or abs(value.adjusted()) > MAXIMUM_DIGITS or len(value.as_tuple().digits) > 28:
        return None
    return Fraction(value)


@lru_cache(maxsize=8192)
def quantity(value: Decimal, unit: str) -> Quantity | None:
    """Return an exact quantity of a JSON number, None where `exact` finds none."""
    amount = exact(value)
    return None if amount is None else Quantity(amount, unit_name(unit))


def money(text: str) -> Decimal | None:
    """Return a price of at least zero with point or comma; None for anything else."""
    try:
        price = Decimal("".join(text.split()).replace(",", "."))
    except InvalidOperation:
        return None
    return price if price.is_finite() and 0 <= price < 10**MAXIMUM_DIGITS else None
