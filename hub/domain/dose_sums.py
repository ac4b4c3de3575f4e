"""The sum of what several orders of one substance give: an order when needed beside a regular one, a dose of two strengths, a divided day."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from hub.domain.dose_checks import RULE_DIRECTORY_MAXIMUM, SOURCE_DIRECTORY, in_unit_of, rhythm_of
from hub.domain.drugs import Drug
from hub.domain.duplicates import OtherOrder, about_twin, is_one_dose
from hub.domain.identifiers import derived_id
from hub.domain.orders import OrderLine, Reason
from hub.domain.quantities import Quantity
from hub.domain.schedule import Schedule

_A_DAY = ("a day", "в сутки")
_AT_ONCE = ("at once", "на один приём")


@dataclass(frozen=True, slots=True)
class _Part:
    """What one order gives: its upper dose, its drug, and how many of these doses fall on one time and one day at most."""

    dose: Quantity
    drug: Drug
    at_once: Fraction
    a_day: Fraction


def sum_doubts(
    line: OrderLine, drug: Drug, schedule: Schedule, others: Sequence[OtherOrder], schedule_of: Callable[[OrderLine], Schedule | None]
) -> Iterator[Reason]:
    """Yield why the doses of a line and of other orders of its substance are together above a maximum of the directory.

    Beside a dose when needed its most counts as permitted. Where the sum cannot be counted in the maximum's unit, a person is asked.
    """
    own = _part(line, drug, schedule)
    parts = [(other, part) for other in others if (part := _part(other.line, other.drug, schedule_of(other.line))) is not None]
    if own is None or not parts:
        return
    at_once = [(other, part) for other, part in parts if is_one_dose(line, other.line)]
    for limited in dict.fromkeys((drug, *(part.drug for _, part in parts))):
        if limited.most_a_day is not None:
            amounts = [part.dose.times(part.a_day) for part in (own, *(part for _, part in parts))]
            yield from _above(limited.most_a_day, [own, *(part for _, part in parts)], amounts, [other for other, _ in parts], _A_DAY)
        if limited.most_at_once is not None and at_once:
            amounts = [part.dose.times(part.at_once) for part in (own, *(part for _, part in at_once))]
            yield from _above(limited.most_at_once, [own, *(part for _, part in at_once)], amounts, [other for other, _ in at_once], _AT_ONCE)


def _part(line: OrderLine, drug: Drug, schedule: Schedule | None) -> _Part | None:
    if schedule is None or line.dose is None:
        return None
    rhythm = rhythm_of(schedule)
    return _Part(line.dose[1], drug, rhythm.at_once, rhythm.a_day)


def _above(most: Quantity, parts: Sequence[_Part], doses: Sequence[Quantity], others: Sequence[OtherOrder], words: tuple[str, str]) -> Iterator[Reason]:
    named = ", ".join(other.line.id for other in others)
    amounts = [in_unit_of(dose, part.drug, most.unit) for dose, part in zip(doses, parts, strict=True)]
    known = [amount for amount in amounts if amount is not None]
    reached = Quantity(sum(known, Fraction(0)), most.unit)
    if len(known) == len(amounts) and reached.amount <= most.amount:
        return
    english, russian = f"{reached} {words[0]}, more than the maximum of {most}", f"{reached.in_russian()} {words[1]}: больше предела {most.in_russian()}"
    if len(known) < len(amounts):
        english, russian = f"a sum {words[0]} that cannot be held against the maximum of {most}", f"сумму {words[1]}, которую нельзя сравнить с пределом {most.in_russian()}"
    yield Reason(
        RULE_DIRECTORY_MAXIMUM, f"together with {named} this order gives {english}", SOURCE_DIRECTORY, f"вместе с {named} назначение даёт {russian}",
        derived_id("sum", words[0], str(most), *map(str, doses), *(about_twin(other.line) for other in others), digits=16),
    )  # fmt: skip
