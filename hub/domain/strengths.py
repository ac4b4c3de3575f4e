"""Strengths of drugs: what is in one dispensing unit, and how many units make a dose; exact, and never by guessing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from hub.domain.drugs import Drug, Form
from hub.domain.orders import Reason
from hub.domain.quantities import Quantity, convert, parse_amount, unit_named

ACTIVE_UNITS = frozenset({"kg", "g", "mg", "mcg", "ng", "IU", "mEq", "mmol"})
VOLUME_UNITS = frozenset({"L", "mL"})
USE_UNITS = frozenset({"drop", "puff", "spray", "application", "dose"})
MULTI_DOSE_FORMS = frozenset({Form.INHALER, Form.DROPS, Form.TUBE, Form.BOTTLE, Form.OTHER})
RULE_COUNT = "dose-to-units"
RULE_CONTAINER = "multi-dose-container"

_NUMBER = r"[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+(?![0-9])|[0-9]+(?:[.,][0-9]+)*"
_TERM = re.compile(
    rf"(?P<join>[/+;:-]|\bper\b|\bна\b)?\s*"
    rf"(?:(?P<number>{_NUMBER})\s*(?P<unit>%|\[?[^\W\d_]+(?:-tablet|-tab|-экв)?\]?)?|(?<=[/])\s*(?P<bare>[^\W\d_]+))",
    re.IGNORECASE,
)
_HEAVIEST_UNIT_MG = 1_000_000
_SAME_PIECE = frozenset({("nebule", "vial"), ("vial", "nebule")})


@dataclass(frozen=True, slots=True)
class Strength:
    """What one dispensing unit holds.

    `amounts` are the active amounts (several: a combination); `volume` is its volume where one is known; `uses` how many
    drops, puffs or doses a container of many gives.
    """

    amounts: tuple[Quantity, ...] = ()
    volume: Quantity | None = None
    uses: Quantity | None = None

    @property
    def combination(self) -> bool:
        """Tell whether several active amounts are in one unit, so that doses are countable by units only."""
        return len(self.amounts) > 1


@dataclass(frozen=True, slots=True)
class _Term:
    """A number with its unit and the sign that joins it to what stands before; `bare` is a unit after `/` without a number."""

    join: str
    quantity: Quantity
    bare: bool = False


def _terms(text: str) -> Iterator[_Term]:
    """Yield the numbers of a strength; a number without unit takes the unit of the next one (`5+2,5 мг`)."""
    waiting: list[tuple[str, str]] = []
    for found in _TERM.finditer(text):
        join, number, word = found["join"] or "", found["number"], found["unit"] or found["bare"] or ""
        unit = unit_named(word)
        if number is None:
            if unit is not None:
                yield _Term("/", Quantity(Fraction(1), unit), bare=True)
            continue
        if unit is None:
            waiting = [] if word else [*waiting, (join, number)]
            continue
        joined = waiting if join and unit in ACTIVE_UNITS else []
        yield from (_Term(early_join, Quantity(parse_amount(early), unit)) for early_join, early in joined)
        waiting = []
        yield _Term(join, Quantity(parse_amount(number), unit))


def _sorted_terms(text: str) -> tuple[list[Quantity], _Term | None, Quantity | None, Quantity | None]:
    """Return the active amounts, the denominator of the concentration, the container's volume, and its uses."""
    amounts: list[Quantity] = []
    denominator: _Term | None = None
    volume: Quantity | None = None
    uses: Quantity | None = None
    for term in _terms(text):
        unit, divided = term.quantity.unit, term.join.casefold() in {"/", "per", "на"}
        if unit in VOLUME_UNITS and divided and amounts:
            denominator = _Term("/", convert(term.quantity, "mL") or term.quantity, term.bare)
        elif unit in VOLUME_UNITS:
            volume = convert(term.quantity, "mL")
        elif divided and amounts and (unit not in ACTIVE_UNITS or term.join != "/"):
            denominator = denominator or term
        elif unit in ACTIVE_UNITS:
            amounts.append(term.quantity)
        elif unit in USE_UNITS and not divided:
            uses = term.quantity
    return amounts, denominator, volume, uses


def _scaled(amounts: list[Quantity], factor: Fraction) -> tuple[Quantity, ...]:
    return tuple(Quantity(amount.amount * factor, amount.unit) for amount in amounts)


def _per_volume_unit(
    amounts: list[Quantity], denominator: _Term | None, volume: Quantity | None, unit: str
) -> Strength | None:
    """Return the strength of one mL (or L) of a liquid that is dispensed by volume."""
    per = denominator.quantity if denominator else volume
    one = convert(Quantity(Fraction(1), unit), "mL")
    if not amounts or per is None or per.unit != "mL" or one is None:
        return Strength(volume=one)
    return Strength(_scaled(amounts, one.amount / per.amount), one)


def _per_container(
    amounts: list[Quantity], denominator: _Term | None, volume: Quantity | None, unit: str
) -> Strength | None:
    """Return the strength of one ampoule, vial, cup …: `5mg/mL-2mL Vial` is 10 mg in 2 mL.

    `5mg/mL Vial` does not say how much is in the vial: its amounts stay empty.
    """
    if denominator is None or not amounts:
        return Strength(tuple(amounts), volume)
    per = denominator.quantity
    if per.unit == "mL":
        if volume is not None:
            return Strength(_scaled(amounts, volume.amount / per.amount), volume)
        return None if denominator.bare else Strength(tuple(amounts), per)
    if per.unit in ACTIVE_UNITS or (per.unit == unit and per.amount == 1):
        return Strength(tuple(amounts), volume)
    return None


@lru_cache(maxsize=4096)
def parse_strength(text: str, unit: str) -> Strength | None:
    """Read the strength of a drug as a directory writes it, for one dispensing unit `unit`; None where it says none.

    `0.5mg/2mL Amp` by ampoule is 0.5 mg in 2 mL, by mL 0.25 mg; `100 Units / mL - 10 mL Vial` by vial is 1000 IU in 10 mL;
    `5+2,5 мг` and `5mg / 325mg Tablet` are combinations. An amount that can be read in two ways makes the whole None.
    """
    named = unit_named(unit) or unit.strip().casefold()
    try:
        amounts, denominator, volume, uses = _sorted_terms(text)
    except ValueError:
        return None
    if any(
        (convert(amount, "mg") or amount).amount > _HEAVIEST_UNIT_MG for amount in amounts if amount.unit in {"g", "kg"}
    ):
        return None
    by_volume = named in VOLUME_UNITS
    found = (_per_volume_unit if by_volume else _per_container)(amounts, denominator, volume, named)
    if found is None or (not found.amounts and found.volume is None and uses is None):
        return None
    return Strength(found.amounts, found.volume, uses) if all(a.amount > 0 for a in found.amounts) else None


def dispensing_unit(drug: Drug) -> str:
    """Return the canonical name of what is counted of a drug; an inhaler is never an inhalation (`INH` means both)."""
    if drug.form is Form.INHALER:
        return "inhaler"
    return unit_named(drug.unit) or drug.unit.strip().casefold()


def _refused(drug: Drug, dose: Quantity, why: str, rule: str = RULE_COUNT) -> Reason:
    return Reason(
        rule,
        f"a dose of {dose} cannot be counted in units of '{drug.strength or drug.unit}': {why}",
        "strength of the drug directory",
    )


def is_container_of_many(drug: Drug) -> bool:
    """Tell whether one unit of the drug serves many doses (tube, inhaler, drops, spray), kept at the ward."""
    return drug.form in MULTI_DOSE_FORMS or dispensing_unit(drug) in USE_UNITS - {"dose"}


def units_for(dose: Quantity, drug: Drug) -> Fraction | Reason:
    """Return how many dispensing units make a dose, exactly, or why that cannot be told.

    The dose is either in dispensing units already, or a mass, activity or volume that the strength converts.
    """
    unit = dispensing_unit(drug)
    many = is_container_of_many(drug)
    same = convert(dose, unit)
    if same is not None and not (many and unit in USE_UNITS):
        return same.amount
    if (dose.unit, unit) in _SAME_PIECE:
        return dose.amount
    strength = parse_strength(drug.strength, unit)
    if many:
        return _units_of_many(dose, drug, strength)
    if strength is None:
        return _refused(drug, dose, "the strength is not stated or not clear")
    if dose.unit in VOLUME_UNITS and strength.volume is not None:
        return (convert(dose, "mL") or dose).amount / strength.volume.amount
    if strength.combination:
        return _refused(drug, dose, "a combination is dosed by units only")
    inside = convert(dose, strength.amounts[0].unit) if strength.amounts else None
    if inside is None:
        return _refused(drug, dose, "the units measure different things")
    return inside.amount / strength.amounts[0].amount


def _units_of_many(dose: Quantity, drug: Drug, strength: Strength | None) -> Fraction | Reason:
    """Count a dose of a container of many by its number of uses or its volume; its mass is a net weight, not a strength."""
    if strength is not None and strength.uses is not None and dose.unit in USE_UNITS:
        return dose.amount / strength.uses.amount
    if strength is not None and strength.volume is not None and dose.unit in VOLUME_UNITS:
        return (convert(dose, "mL") or dose).amount / strength.volume.amount
    return _refused(drug, dose, "one container serves many doses and stays at the ward", RULE_CONTAINER)
