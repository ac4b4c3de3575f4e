"""What a pharmacist ruled about one line by name: a doubt that is released, a meaning that is settled, a refusal, a withdrawal."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from hub.domain.allergies import AllergyHit
from hub.domain.identifiers import OrderId, UserId, derived_id
from hub.domain.orders import OrderLine, Reason
from hub.domain.quantities import Quantity

RULINGS_SOURCE = "IHE Pharmacy, Hospital Medication Workflow: pharmaceutical advice"


class RulingKind(StrEnum):
    """What was ruled; the value is the rule's name in reasons."""

    ALLERGY_PASSED = "allergy-overridden"
    RELEASED = "pharmacist-released"
    DOSE_SETTLED = "dose-settled"
    COURSE = "duration-of-course"
    INFUSION = "duration-of-infusion"
    REFUSED = "pharmacist-refused"
    WITHDRAWN = "validation-withdrawn"


PASSING = frozenset({RulingKind.ALLERGY_PASSED, RulingKind.RELEASED, RulingKind.DOSE_SETTLED, RulingKind.COURSE, RulingKind.INFUSION})


@dataclass(frozen=True, slots=True)
class Ruling:
    """One ruling about an order; it stands for what the order said then (`holds_for`) and for nothing else.

    `allergy` is the text that may pass, empty for the other kinds. `second` confirmed a ruling that needs two people. `rule` and
    `about` are what was released (`about_of`); `dose` is what a range was settled to, as `1.5 tablet`.
    """

    id: str
    order: OrderId
    kind: RulingKind
    allergy: str
    holds_for: str
    reason: str
    by: UserId
    by_name: str
    second: UserId | None
    at: datetime
    ended_at: datetime | None = None
    ended_because: str = ""
    rule: str = ""
    about: str = ""
    dose: str = ""


def about_of(reason: Reason) -> str:
    """Return what a doubt is about, in a form that a ruling can hold: other figures or another order make it another doubt."""
    return derived_id("about", reason.rule, reason.about or reason.text, digits=16)


def ruled_content(line: OrderLine, allergies: Iterable[str] | None = ()) -> str:
    """Return what a ruling stands for: drug and dosages of a line, and for an allergy all allergies of the patient.

    The same line sent again has the same content, wherever it stands; another drug, dose, time or allergy has another.
    """
    told = sorted({" ".join(text.casefold().split()) for text in allergies or ()})
    return derived_id("ruling", line.drug, repr(line.dosages), *told, digits=32)


def stands(ruling: Ruling, line: OrderLine, allergies: Iterable[str] | None) -> bool:
    """Tell whether a ruling is in force for a line as it is now."""
    about = allergies if ruling.kind is RulingKind.ALLERGY_PASSED else ()
    return ruling.ended_at is None and ruling.order == line.id and ruling.holds_for == ruled_content(line, about)


def ruling_that_passes(hit: AllergyHit, rulings: Iterable[Ruling]) -> Ruling | None:
    """Return the ruling that lets an allergy pass, of those that stand."""
    passing = (ruling for ruling in rulings if ruling.kind is RulingKind.ALLERGY_PASSED and ruling.allergy == hit.allergy)
    return next(passing, None)


def ruling_that_releases(doubt: Reason, rulings: Iterable[Ruling]) -> Ruling | None:
    """Return the ruling that releases a doubt, of those that stand."""
    releases = [ruling for ruling in rulings if ruling.kind is RulingKind.RELEASED and ruling.rule == doubt.rule]
    return next((ruling for ruling in releases if ruling.about == about_of(doubt)), None)


def ruling_reason(ruling: Ruling) -> Reason:
    """Return what was ruled, by whom and why, as a reason of the line."""
    second, second_ru = (f" and {ruling.second}", f" и {ruling.second}") if ruling.second is not None else ("", "")
    dose, dose_ru = _dose_in_words(ruling)
    english, russian = {
        RulingKind.ALLERGY_PASSED: (
            f"pharmacist {ruling.by_name}{second} let it pass in spite of the allergy '{ruling.allergy}': {ruling.reason}",
            f"провизор {ruling.by_name}{second_ru} разрешил(а) вопреки аллергии «{ruling.allergy}»: {ruling.reason}",
        ),
        RulingKind.RELEASED: (
            f"pharmacist {ruling.by_name}{second} released it in spite of '{ruling.rule}': {ruling.reason}",
            f"провизор {ruling.by_name}{second_ru} разрешил(а) вопреки правилу «{rule_ru(ruling.rule)}»: {ruling.reason}",
        ),
        RulingKind.DOSE_SETTLED: (
            f"pharmacist {ruling.by_name}{second} settled the range to {dose}: {ruling.reason}",
            f"провизор {ruling.by_name}{second_ru} выбрал(а) дозу из диапазона, {dose_ru}: {ruling.reason}",
        ),
        RulingKind.COURSE: (
            f"pharmacist {ruling.by_name}{second}: the duration is the length of the course: {ruling.reason}",
            f"провизор {ruling.by_name}{second_ru}: длительность — это длина курса: {ruling.reason}",
        ),
        RulingKind.INFUSION: (
            f"pharmacist {ruling.by_name}{second}: the duration is that of an infusion, which is not packed: {ruling.reason}",
            f"провизор {ruling.by_name}{second_ru}: это длительность инфузии, она не фасуется: {ruling.reason}",
        ),
        RulingKind.REFUSED: (
            f"refused by pharmacist {ruling.by_name}: {ruling.reason}",
            f"отклонено провизором {ruling.by_name}: {ruling.reason}",
        ),
        RulingKind.WITHDRAWN: (
            f"pharmacist {ruling.by_name} withdrew the validation: {ruling.reason}",
            f"провизор {ruling.by_name} отозвал(а) проверку: {ruling.reason}",
        ),
    }[ruling.kind]  # fmt: skip
    return Reason(ruling.kind.value, english, RULINGS_SOURCE, russian)


def _dose_in_words(ruling: Ruling) -> tuple[str, str]:
    if not ruling.dose:
        return "", ""
    dose = settled_dose_of(ruling)
    return str(dose), dose.in_russian()


def dose_told(dose: Quantity) -> str:
    """Return a settled dose as a ruling keeps it: amount and unit, exactly."""
    return f"{dose.amount} {dose.unit}"


def settled_dose_of(ruling: Ruling) -> Quantity:
    """Return the dose that a ruling settled a range to. Raises ValueError where it settled none."""
    amount, _, unit = ruling.dose.partition(" ")
    return Quantity(Fraction(amount), unit)


_RULES_RU: Mapping[str, str] = {
    "duplicate-therapy": "дублирование терапии", "tenfold": "десятикратная доза", "directory-maximum": "предел по справочнику",
    "written-maximum": "предел, указанный врачом", "not-confirmed": "не подтверждено в срок", "earlier-stay": "назначено в прежнее пребывание",
    "route-form": "путь введения и форма", "source-note": "указание источника принято к сведению",
}  # fmt: skip


def rule_ru(rule: str) -> str:
    """Return the name of a rule that may be released in Russian; its own name where it has none."""
    return _RULES_RU.get(rule, rule)
