"""FHIR doses: how much is given at a time, and the maximum doses that a prescriber wrote; exact, in the sender's own units."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from hub.adapters.intake.amounts import quantity
from hub.adapters.intake.fhir_model import Amount, AmountRange, DosageElement, DoseAndRate, Ratio
from hub.adapters.intake.fhir_timing import read_span
from hub.domain.quantities import Quantity, convert, unit_named
from hub.domain.timing import DoseLimit, LimitPer
from hub.domain.words import Topic, Words

ANY_PIECE = "piece"
# Systems whose unit codes this hospital may know; another's `g` need not be a gram.
UNIT_SYSTEMS = frozenset({
    "", "http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8", "http://snomed.info/sct",
    "http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm", "http://hl7.org/fhir/v3/orderableDrugForm",
})  # fmt: skip

Dose = tuple[Quantity, Quantity]
Doubts = list[Words]


def read_dose(dosage: DosageElement, unsupported: Doubts) -> Dose | None:
    """Return (low, high) of a dosage, equal where no range was written; None where no dose can be read.

    Of several doses of one dosage the ordered one counts, where all others are only calculated from it (FHIR dose-rate-type).
    """
    doses = dosage.dose_and_rate or [dosage]
    ordered = _ordered(doses)
    if ordered is None or (doses[0] is not dosage and (dosage.dose_quantity or dosage.dose_range)):
        unsupported.append(Words(f"{len(doses)} doses in one dosage instruction", f"доз в одном указании: {len(doses)}"))
    if _has_rate(dosage) or any(map(_has_rate, dosage.dose_and_rate)):
        unsupported.append(Words("dose with a rate", "доза со скоростью введения"))
    dose = _dose(ordered or doses[0], unsupported)
    if ordered is not None and dose is not None and len(doses) > 1:
        unsupported += _differing(dose, [each for each in doses if each is not ordered])
    return dose


def _dose(written: DoseAndRate, unsupported: Doubts) -> Dose | None:
    if written.dose_quantity and written.dose_range:
        unsupported.append(Words("dose as an amount and as a range", "доза и количеством, и диапазоном"))
    if written.dose_quantity:
        dose = _quantity(written.dose_quantity, unsupported)
        return (dose, dose) if dose is not None else None
    return _range(written.dose_range, unsupported) if written.dose_range else None


def _ordered(doses: Sequence[DoseAndRate]) -> DoseAndRate | None:
    """Return the only dose, or the only one that is ordered among calculated ones; None where nobody can tell."""
    if len(doses) == 1:
        return doses[0]
    ordered = [each for each in doses if _kind(each) == "ordered"]
    others = [each for each in doses if _kind(each) == "calculated"]
    return ordered[0] if len(ordered) == 1 and len(others) + 1 == len(doses) else None


def _kind(dose: DoseAndRate) -> str:
    return dose.type.first_code().casefold() if dose.type else ""


def _differing(ordered: Dose, calculated: Sequence[DoseAndRate]) -> Iterator[Words]:
    """Yield the calculated doses that can be compared with the ordered one and are not it."""
    for each in calculated:
        found = _dose(each, [])
        ends = [convert(end, ordered[0].unit) for end in found] if found else [None]
        if None not in ends and tuple(ends) != ordered:
            yield Words(
                f"an ordered dose of {ordered[0]} and a calculated one of {found[0] if found else '?'}",
                f"назначена доза {ordered[0]}, а рассчитана {found[0] if found else '?'}",
            )


def calculated_texts(dosage: DosageElement) -> Iterator[str]:
    """Yield every dose that was calculated beside an ordered one, in words."""
    if len(dosage.dose_and_rate) > 1 and _ordered(dosage.dose_and_rate) is not None:
        for each in dosage.dose_and_rate:
            if _kind(each) == "calculated":
                low, high = (each.dose_range.low, each.dose_range.high) if each.dose_range else (each.dose_quantity, None)
                yield f"calculated: {_text(low)}" + (f" to {_text(high)}" if high else "")


def _has_rate(dose: DoseAndRate) -> bool:
    return bool(dose.rate_quantity or dose.rate_range or dose.rate_ratio)


def _range(dose: AmountRange, unsupported: Doubts) -> Dose | None:
    if dose.low is None or dose.high is None:
        unsupported.append(Words("dose range with one end", "у диапазона дозы один край"))
        return None
    low, high = (
        _quantity(_with_unit_of(dose.low, dose.high), unsupported),
        _quantity(_with_unit_of(dose.high, dose.low), unsupported),
    )
    if low is None or high is None:
        return None
    if low.unit != high.unit or low.amount > high.amount:
        unsupported.append(Words(f"dose range from {low} to {high}", f"диапазон дозы от {low} до {high}"))
        return None
    return low, high


def _with_unit_of(amount: Amount, other: Amount) -> Amount:
    """Return an end of a range; where only the other end has a unit, both have it."""
    if amount.unit or amount.code:
        return amount
    return Amount(
        value=amount.value, unit=other.unit, code=other.code, system=other.system, comparator=amount.comparator
    )


def _quantity(amount: Amount, unsupported: Doubts) -> Quantity | None:
    if amount.comparator:
        unsupported.append(Words(f"dose with the comparator {amount.comparator}", f"доза со знаком сравнения {amount.comparator}"))
    if amount.value is None:
        return None
    found = quantity_of(amount.value, amount.unit, _code(amount))
    if isinstance(found, Words):
        unsupported.append(found)
        return None
    return found


def _code(amount: Amount) -> str:
    """Return the code of a unit; one of a system that nobody here knows goes with its system, so that it is asked about."""
    if amount.system in UNIT_SYSTEMS or not amount.code:
        return amount.code
    return "" if amount.unit else f"{amount.code} ({amount.system})"


def quantity_of(value: Decimal, unit: str, code: str) -> Quantity | Words:
    """Return an exact quantity in its printed unit, or in its coded one where only that is known; or why it is none.

    Printed unit and code have to be one unit where this hospital knows both: `mg` with the code `g` is a thousandfold error.
    A printed `each` says less than a coded tablet, and nothing else.
    """
    return _finite_quantity(value, unit, code) if value.is_finite() else _odd_dose(str(value), unit or code)


@lru_cache(maxsize=8192)
def _finite_quantity(value: Decimal, unit: str, code: str) -> Quantity | Words:
    printed, coded = unit_named(unit), unit_named(code)
    if printed and coded and printed not in (coded, ANY_PIECE):
        return Words(f"a dose in {unit} with the code {code}", f"доза в {unit} с кодом единицы {code}")
    found = quantity(value, code if coded and (not printed or printed == ANY_PIECE) else unit or code)
    return _odd_dose(str(value)[:40], unit or code) if found is None else found


def _odd_dose(value: str, unit: str) -> Words:
    return Words(f"a dose of {value} {unit}".rstrip(), f"доза {value} {unit}".rstrip())


def has_limits(dosage: DosageElement) -> bool:
    """Tell whether any maximum dose is written."""
    return bool(dosage.max_dose_per_period or dosage.max_dose_per_administration or dosage.max_dose_per_lifetime)


def read_limits(dosage: DosageElement, unsupported: Doubts) -> tuple[DoseLimit, ...]:
    """Return every maximum dose of a dosage; one that cannot be read is named."""
    limits: list[DoseLimit] = []
    for words, limit in _limits(dosage):
        if limit is None:
            unsupported.append(Words(f"a maximum dose that cannot be read: {words.en}", f"предельная доза не читается: {words.ru}", about=Topic.NOTE))
        else:
            limits.append(limit)
    return tuple(limits)


def limit_texts(dosage: DosageElement) -> Iterator[str]:
    """Yield every maximum dose in words, as far as it was written."""
    for words, _ in _limits(dosage):
        yield f"at most {words.en}"


def _limits(dosage: DosageElement) -> Iterator[tuple[Words, DoseLimit | None]]:
    for ratio in _ratios(dosage.max_dose_per_period):
        yield Words(
            f"{_text(ratio.numerator)} in {_text(ratio.denominator)}",
            f"{_text(ratio.numerator)} за {_text(ratio.denominator)}",
        ), _per_period(ratio)
    if dosage.max_dose_per_administration:
        yield (
            Words(f"{_text(dosage.max_dose_per_administration)} at a time", f"{_text(dosage.max_dose_per_administration)} за один приём"),
            _limit(dosage.max_dose_per_administration, LimitPer.ADMINISTRATION),
        )
    if dosage.max_dose_per_lifetime:
        yield (
            Words(f"{_text(dosage.max_dose_per_lifetime)} in a lifetime", f"{_text(dosage.max_dose_per_lifetime)} за всю жизнь"),
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
