"""Strengths of drugs: what is in one dispensing unit, and how many units make a dose; exact, and never by guessing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from hub.domain.drugs import Drug, Form
from hub.domain.orders import Reason
from hub.domain.quantities import (
    Quantity,
    convert,
    dimension_of,
    fraction_text,
    needs_measure_of,
    parse_amount,
    unit_named,
)

ACTIVE_UNITS = frozenset({"kg", "g", "mg", "mcg", "ng", "IU", "thousand-IU", "million-IU", "mEq", "mol", "mmol", "mcmol"})
VOLUME_UNITS = frozenset({"L", "dL", "mL", "mcL"})
USE_UNITS = frozenset({"drop", "puff", "spray", "application", "dose"})
MULTI_DOSE_FORMS = frozenset({Form.INHALER, Form.DROPS, Form.TUBE, Form.BOTTLE, Form.OTHER})
RULE_COUNT = "dose-to-units"
RULE_CONTAINER = "multi-dose-container"
RULE_MEASURE = "patient-measure"
SOURCE_STRENGTH = "strength of the drug directory"

_NUMBER = r"[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+(?![0-9])|[0-9]+(?:[.,][0-9]+)*"
_TERM = re.compile(
    rf"(?P<join>[/+;:-]|\bper\b|\bна\b)?\s*"
    rf"(?:(?P<number>{_NUMBER})\s*(?P<unit>%|\[?[^\W\d_]+(?:-tablet|-tab|-экв|-IU)?\]?)?|(?<=[/])\s*(?P<bare>[^\W\d_]+))",
    re.IGNORECASE,
)
_HEAVIEST_UNIT_MG = 1_000_000
_LONGEST_STRENGTH = 200
_SAME_PIECE = frozenset({("nebule", "vial"), ("vial", "nebule"), ("dragee", "tablet"), ("tablet", "dragee")})
_PIECE = "piece"
_PARTS_OF_A_PIECE = frozenset({"half-tablet", "quarter-tablet"})
_PERCENT = re.compile(r"(?<![\d.,])(\d{1,2}(?:[.,]\d{1,2})?) ?%", re.ASCII)
_IN_A_THOUSAND = re.compile(r"(?<![\d.,:])1 ?: ?([1-9]\d{2}|[1-9]\d{0,2}[ ,\u00a0]?000)(?![\d.,])", re.ASCII)
_RANGE = re.compile(r"(?<![\d.,A-Za-z])\d+(?:[.,]\d+)? ?[-–—] ?\d+(?:[.,]\d+)?(?= ?[^\W\d_])")
_MANY_UNITS = re.compile(r"(?<=\d) ?(?:(?P<million>млн|миллион\w*|millions?|mio)|тыс|тысяч\w*|thousands?)\.? ?(?:units?|iu|ie|ед|ме)\b\.?", re.IGNORECASE)
_UNITS_IN_ML = r"(?:units?|iu|ie|ед|ме)\b\.?\s?(?:/|per|на)\s?(?:1\s?)?(?:ml|мл)\b"
_PREMIXED = re.compile(rf"(?<![\d.,/])\(?(\d{{2}})\s?/\s?(\d{{2}})(?![\d.,/])\)?(?P<own>\s?{_UNITS_IN_ML})?", re.IGNORECASE)
_CONCENTRATION = re.compile(rf"\d\s?{_UNITS_IN_ML}", re.IGNORECASE)
_ANTI_FACTOR = re.compile(r"\b(?:анти|anti)[- ]?[xх][aа]\b", re.IGNORECASE)
_PER_PERCENT = 10
_WHOLE = 100
_PER_THOUSAND = 1000


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


def _without_ratio(text: str) -> str:
    """Return a strength without the parts of a premixed insulin, which add up to a hundred: `75/25 Units/mL` is 100 units in a mL."""
    found = _PREMIXED.search(text)
    if found is None or int(found[1]) + int(found[2]) != _WHOLE:
        return text
    before, after = text[: found.start()], text[found.end() :]
    if found["own"]:
        return f"{before}{_WHOLE}{found['own']}{after}"
    return f"{before};{after}" if _CONCENTRATION.search(f"{before};{after}") else text


def _plain(text: str) -> str:
    """Return a strength with its ratios of solutions as mg in a mL (`1:1000` is 1 mg/mL), and thousands and millions of units as such.

    A ratio is one gram in so many mL; anti-Xa units are units.
    """
    text = _without_ratio(text)
    text = _MANY_UNITS.sub(lambda found: " million-IU" if found["million"] else " thousand-IU", _ANTI_FACTOR.sub("", text))
    return _IN_A_THOUSAND.sub(lambda found: _per_ml(Fraction(_PER_THOUSAND, int(re.sub(r"\D", "", found[1])))), text)


def _with_percents(text: str) -> str:
    """Return a strength with its percents as mg in a mL, mass in volume: `0,9 %` is 9 mg/mL.

    A percent with three decimals is a rounded figure (0.083 % stands for 2.5 mg in 3 mL) and stays unread.
    """
    return _PERCENT.sub(lambda found: _per_ml(Fraction(found[1].replace(",", ".")) * _PER_PERCENT), text)


def _per_ml(milligrams: Fraction) -> str:
    written = fraction_text(milligrams)
    return "" if "/" in written else f"{written} mg/mL "


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
        yield from (_Term(early_join, _amount(early, unit)) for early_join, early in joined)
        waiting = []
        yield _Term(join, _amount(number, unit))


def _amount(number: str, unit: str) -> Quantity:
    """Return an amount, thousands and millions of units as units; raise ValueError for nothing, which no strength is."""
    amount = Quantity(parse_amount(number), unit)
    if not amount.amount:
        raise ValueError(f"'{number}' of {unit} is nothing")
    return (convert(amount, "IU") or amount) if dimension_of(unit) == "activity" else amount


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
        elif divided and amounts and (unit not in ACTIVE_UNITS or term.join != "/" or term.bare):
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
    if (per.unit in ACTIVE_UNITS and not denominator.bare) or (per.unit == unit and per.amount == 1) or per.unit in USE_UNITS:
        return Strength(tuple(amounts), volume)
    return None


@lru_cache(maxsize=4096)
def parse_strength(text: str, unit: str) -> Strength | None:
    """Read the strength of a drug as a directory writes it, for one dispensing unit `unit`; None where it says none.

    `0.5mg/2mL Amp` by ampoule is 0.5 mg in 2 mL, by mL 0.25 mg; `100 Units / mL - 10 mL Vial` by vial is 1000 IU in 10 mL;
    `75/25 Units/mL` is a premixed insulin of 100 IU in a mL; `5+2,5 мг` and `5mg / 325mg Tablet` are combinations; `20 mcg/dose 200 doses` is 4000 mcg in 200 doses. An amount that can be
    read in two ways, a range (`200-300mg`) and more than a kilogram make the whole None.
    """
    if len(text) > _LONGEST_STRENGTH or _RANGE.search(text):
        return None
    named = unit_named(unit) or unit.strip().casefold()
    try:
        plain = _plain(text)
        terms = _sorted_terms(plain)
        # Where an amount is written, a percent is of the fluid that it is dissolved in.
        amounts, denominator, volume, uses = terms if terms[0] else _sorted_terms(_with_percents(plain))
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
    found = _in_all_uses(found, denominator, uses, named)
    return Strength(found.amounts, found.volume, uses) if all(a.amount > 0 for a in found.amounts) else None


def _in_all_uses(found: Strength, denominator: _Term | None, uses: Quantity | None, unit: str) -> Strength:
    """Return a strength by the use as that of the whole container; where nobody says how many uses it has, its amounts stay empty."""
    per = denominator.quantity if denominator else None
    if per is None or per.unit not in USE_UNITS or unit == per.unit:
        return found
    if uses is None or uses.unit != per.unit or not per.amount:
        return Strength((), found.volume)
    return Strength(_scaled(list(found.amounts), uses.amount / per.amount), found.volume)


def dispensing_unit(drug: Drug) -> str:
    """Return the canonical name of what is counted of a drug; an inhaler is never an inhalation (`INH` means both)."""
    if drug.form is Form.INHALER:
        return "inhaler"
    return unit_named(drug.unit) or drug.unit.strip().casefold()


def _refused(drug: Drug, dose: Quantity, why: str, why_ru: str, rule: str = RULE_COUNT) -> Reason:
    counted = drug.strength or drug.unit
    return Reason(
        rule,
        f"a dose of {dose} cannot be counted in units of '{counted}': {why}",
        SOURCE_STRENGTH,
        f"дозу {dose.in_russian()} нельзя отсчитать единицами «{counted}»: {why_ru}",
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
    if (dose.unit, unit) in _SAME_PIECE or (dose.unit == _PIECE and _is_one_piece(unit, many)):
        return dose.amount
    if measure := needs_measure_of(dose.unit):
        return _by_measure(drug, dose, measure)
    strength = parse_strength(drug.strength, unit)
    if many:
        return _units_of_many(dose, drug, strength)
    if strength is None:
        return _refused(drug, dose, "the strength is not stated or not clear", "дозировка препарата не указана или неясна")
    if dose.unit in VOLUME_UNITS and strength.volume is not None:
        return (convert(dose, "mL") or dose).amount / strength.volume.amount
    if strength.combination:
        return _refused(drug, dose, "a combination is dosed by units only", "комбинированный препарат дозируют только штуками")
    inside = convert(dose, strength.amounts[0].unit) if strength.amounts else None
    if inside is None:
        return _refused(drug, dose, *_why_different(dose.unit, strength))
    return inside.amount / strength.amounts[0].amount


def _units_of_many(dose: Quantity, drug: Drug, strength: Strength | None) -> Fraction | Reason:
    """Count a dose of a container of many by its number of uses or its volume; its mass is a net weight, not a strength."""
    if strength is not None and strength.uses is not None and dose.unit in USE_UNITS:
        return dose.amount / strength.uses.amount
    if strength is not None and strength.volume is not None and dose.unit in VOLUME_UNITS:
        return (convert(dose, "mL") or dose).amount / strength.volume.amount
    return _refused(
        drug, dose, "one container serves many doses and stays at the ward", "одной упаковки хватает на много доз, она хранится в отделении",
        RULE_CONTAINER,
    )  # fmt: skip


def _is_one_piece(unit: str, many: bool) -> bool:
    """Tell whether a `piece` of a sheet can only be one dispensing unit."""
    return not many and unit not in ACTIVE_UNITS | VOLUME_UNITS | USE_UNITS | _PARTS_OF_A_PIECE


def _by_measure(drug: Drug, dose: Quantity, measure: str) -> Reason:
    russian = {"weight": "масса тела", "body surface": "площадь поверхности тела"}[measure]
    return _refused(
        drug, dose, f"the patient's {measure} is needed: the prescriber writes the dose for this patient",
        f"нужна {russian} пациента: пусть врач напишет дозу для этого пациента", RULE_MEASURE,
    )  # fmt: skip


def _why_different(unit: str, strength: Strength) -> tuple[str, str]:
    """Return why a dose's unit is not the strength's, in both languages; an ion's valence is nowhere written, so it is not guessed."""
    held = strength.amounts[0].unit if strength.amounts else ""
    if "mEq" in {unit, held} and "amount" in {dimension_of(unit), dimension_of(held)}:
        return (
            "the units measure different things: mEq and mmol are the same only by the ion's valence",
            "единицы разные: мэкв и ммоль переводят друг в друга только по валентности иона",
        )
    return "the units measure different things", "единицы измеряют разное"
