"""FHIR doses: how much is given at a time, and the maximum doses that a prescriber wrote; exact, in the sender's own units."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from hub.adapters.intake.amounts import quantity
from hub.adapters.intake.fhir_model import Amount, AmountRange, DosageElement, DoseAndRate, Ratio
from hub.adapters.intake.fhir_timing import read_span
from hub.domain.quantities import Quantity, unit_named
from hub.domain.timing import DoseLimit, LimitPer

ANY_PIECE = "piece"
# Systems whose unit codes this hospital may know; another's `g` need not be a gram.
UNIT_SYSTEMS = frozenset({
    "", "http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8", "http://snomed.info/sct",
    "http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm", "http://hl7.org/fhir/v3/orderableDrugForm",
})  # fmt: skip

Dose = tuple[Quantity, Quantity]
Words = list[str]


def read_dose(dosage: DosageElement, unsupported: Words) -> Dose | None:
    """Return (low, high) of a dosage, equal where no range was written; None where no dose can be read."""
    doses = dosage.dose_and_rate or [dosage]
    first = doses[0]
    if len(doses) > 1 or (first is not dosage and (dosage.dose_quantity or dosage.dose_range)):
        unsupported.append(f"{len(doses)} doses in one dosage instruction")
    if _has_rate(dosage) or any(map(_has_rate, dosage.dose_and_rate)):
        unsupported.append("dose with a rate")
    if first.dose_quantity and first.dose_range:
        unsupported.append("dose as an amount and as a range")
    if first.dose_quantity:
        dose = _quantity(first.dose_quantity, unsupported)
        return (dose, dose) if dose is not None else None
    return _range(first.dose_range, unsupported) if first.dose_range else None


def _has_rate(dose: DoseAndRate) -> bool:
    return bool(dose.rate_quantity or dose.rate_range or dose.rate_ratio)


def _range(dose: AmountRange, unsupported: Words) -> Dose | None:
    if dose.low is None or dose.high is None:
        unsupported.append("dose range with one end")
        return None
    low, high = (
        _quantity(_with_unit_of(dose.low, dose.high), unsupported),
        _quantity(_with_unit_of(dose.high, dose.low), unsupported),
    )
    if low is None or high is None:
        return None
    if low.unit != high.unit or low.amount > high.amount:
        unsupported.append(f"dose range from {low} to {high}")
        return None
    return low, high


def _with_unit_of(amount: Amount, other: Amount) -> Amount:
    """Return an end of a range; where only the other end has a unit, both have it."""
    if amount.unit or amount.code:
        return amount
    return Amount(
        value=amount.value, unit=other.unit, code=other.code, system=other.system, comparator=amount.comparator
    )


def _quantity(amount: Amount, unsupported: Words) -> Quantity | None:
    if amount.comparator:
        unsupported.append(f"dose with the comparator {amount.comparator}")
    if amount.value is None:
        return None
    found = quantity_of(amount.value, amount.unit, _code(amount))
    if isinstance(found, str):
        unsupported.append(found)
        return None
    return found


def _code(amount: Amount) -> str:
    """Return the code of a unit; one of a system that nobody here knows goes with its system, so that it is asked about."""
    if amount.system in UNIT_SYSTEMS or not amount.code:
        return amount.code
    return "" if amount.unit else f"{amount.code} ({amount.system})"


def quantity_of(value: Decimal, unit: str, code: str) -> Quantity | str:
    """Return an exact quantity in its printed unit, or in its coded one where only that is known; or why it is none.

    Printed unit and code have to be one unit where this hospital knows both: `mg` with the code `g` is a thousandfold error.
    A printed `each` says less than a coded tablet, and nothing else.
    """
    return _finite_quantity(value, unit, code) if value.is_finite() else f"a dose of {value} {unit or code}".rstrip()


@lru_cache(maxsize=8192)
def _finite_quantity(value: Decimal, unit: str, code: str) -> Quantity | str:
    printed, coded = unit_named(unit), unit_named(code)
    if printed and coded and printed not in (coded, ANY_PIECE):
        return f"a dose in {unit} with the code {code}"
    found = quantity(value, code if coded and (not printed or printed == ANY_PIECE) else unit or code)
    return f"a dose of {str(value)[:40]} {unit or code}".rstrip() if found is None else found


def has_limits(dosage: DosageElement) -> bool:
    """Tell whether any maximum dose is written."""
    return bool(dosage.max_dose_per_period or dosage.max_dose_per_administration or dosage.max_dose_per_lifetime)


def read_limits(dosage: DosageElement, unsupported: Words) -> tuple[DoseLimit, ...]:
    """Return every maximum dose of a dosage; one that cannot be read is named."""
    limits: list[DoseLimit] = []
    for words, limit in _limits(dosage):
        if limit is None:
            unsupported.append(f"a maximum dose that cannot be read: {words}")
        else:
            limits.append(limit)
    return tuple(limits)


def limit_texts(dosage: DosageElement) -> Iterator[str]:
    """Yield every maximum dose in words, as far as it was written."""
    for words, _ in _limits(dosage):
        yield f"at most {words}"


def _limits(dosage: DosageElement) -> Iterator[tuple[str, DoseLimit | None]]:
    for ratio in _ratios(dosage.max_dose_per_period):
        yield f"{_text(ratio.numerator)} in {_text(ratio.denominator)}", _per_period(ratio)
    if dosage.max_dose_per_administration:
        yield (
            f"{_text(dosage.max_dose_per_administration)} at a time",
            _limit(dosage.max_dose_per_administration, LimitPer.ADMINISTRATION),
        )
    if dosage.max_dose_per_lifetime:
        yield (
            f"{_text(dosage.max_dose_per_lifetime)} in a lifetime",
            _limit(dosage.max_dose_per_lifetime, LimitPer.LIFETIME),
        )


def _ratios(written: Ratio | list[Ratio] | None) -> Sequence[Ratio]:
    """Return the maximum doses per period: one in STU3 and R4, a list in R5."""
    if written is None:
        return ()
    return written if isinstance(written, list) else (written,)


def _per_period(ratio: Ratio) -> DoseLimit | None:
    limit = _limit(ratio.numerator, LimitPer.PERIOD) if ratio.numerator else None
    span = read_span(ratio.denominator) if ratio.denominator else None
    return DoseLimit(limit.most, limit.per, span) if limit and span else None


def _limit(amount: Amount, per: LimitPer) -> DoseLimit | None:
    """Return a limit; `at most <= 4 g` is 4 g, every other comparator says something else."""
    most = quantity_of(amount.value, amount.unit, _code(amount)) if amount.value is not None else None
    if amount.comparator not in ("", "<=") or not isinstance(most, Quantity) or most.amount == Fraction(0):
        return None
    return DoseLimit(most, per)


def _text(amount: Amount | None) -> str:
    return f"{amount.comparator}{str(amount.value)[:40]} {amount.unit or amount.code}".rstrip() if amount else "?"
