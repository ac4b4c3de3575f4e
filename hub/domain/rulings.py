"""What a pharmacist ruled about one line by name: an allergy that may pass, a refusal, a validation that was withdrawn."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.domain.allergies import AllergyHit
from hub.domain.identifiers import OrderId, UserId, derived_id
from hub.domain.orders import OrderLine, Reason

RULINGS_SOURCE = "IHE Pharmacy, Hospital Medication Workflow: pharmaceutical advice"


class RulingKind(StrEnum):
    """What was ruled; the value is the rule's name in reasons."""

    ALLERGY_PASSED = "allergy-overridden"
    REFUSED = "pharmacist-refused"
    WITHDRAWN = "validation-withdrawn"


@dataclass(frozen=True, slots=True)
class Ruling:
    """One ruling about an order; it stands for what the order said then (`holds_for`) and for nothing else.

    `allergy` is the text that may pass, empty for the other kinds. `second` confirmed a ruling that needs two people.
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


def ruling_reason(ruling: Ruling) -> Reason:
    """Return what was ruled, by whom and why, as a reason of the line."""
    second, second_ru = (f" and {ruling.second}", f" и {ruling.second}") if ruling.second is not None else ("", "")
    english, russian = {
        RulingKind.ALLERGY_PASSED: (
            f"pharmacist {ruling.by_name}{second} let it pass in spite of the allergy '{ruling.allergy}': {ruling.reason}",
            f"провизор {ruling.by_name}{second_ru} разрешил(а) вопреки аллергии «{ruling.allergy}»: {ruling.reason}",
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
