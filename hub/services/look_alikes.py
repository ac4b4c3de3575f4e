"""Names of the directory that may be taken for each other: the pairs with their slots, and what a pharmacist decides of a pair."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

from hub.domain.drugs import Drug
from hub.domain.identifiers import DrugCode
from hub.domain.look_alikes import DrugPair, bare_name, look_alike, look_alikes_of
from hub.domain.refusals import Refusal
from hub.services.ports import UnitOfWork

MOST_SHOWN = 1000


class PairDecision(StrEnum):
    """What a pharmacist says of a pair: people do mix it up, or it is not to be flagged."""

    CONFIRM = "confirm"
    DISMISS = "dismiss"


@dataclass(frozen=True, slots=True)
class PairRuling:
    """A decision about two names, with its reason."""

    first: str
    second: str
    decision: PairDecision
    reason: str


def pair_board(unit: UnitOfWork) -> list[dict[str, Any]]:
    """Return the pairs of the directory, the nearest first, with reasons in both languages and the slots of neighbouring cassettes."""
    slots = _slots(unit)
    return [_row(pair, slots) for pair in _pairs(tuple(unit.drugs.where(order_by="code")))[:MOST_SHOWN]]


@lru_cache(maxsize=2)
def _pairs(drugs: tuple[Drug, ...]) -> tuple[DrugPair, ...]:
    """Return the pairs of a directory; remembered, as it is asked far more often than it changes."""
    return look_alikes_of({drug.code: drug for drug in drugs})


def _slots(unit: UnitOfWork) -> Mapping[DrugCode, list[tuple[str, int]]]:
    found: dict[DrugCode, list[tuple[str, int]]] = {}
    for cassette in unit.cassettes.where():
        found.setdefault(cassette.item, []).append((cassette.device, cassette.slot))
    return found


def _row(pair: DrugPair, slots: Mapping[DrugCode, list[tuple[str, int]]]) -> dict[str, Any]:
    names = pair.names
    return {
        "first": names.first, "second": names.second, "score": names.score, "tall_first": names.tall[0], "tall_second": names.tall[1],
        "why": names.said("en"), "why_ru": names.said("ru"), "first_items": list(pair.first), "second_items": list(pair.second),
        "confirmed": pair.confirmed, "neighbours": _neighbours(pair, slots),
    }  # fmt: skip


def _neighbours(pair: DrugPair, slots: Mapping[DrugCode, list[tuple[str, int]]]) -> list[dict[str, Any]]:
    """Return the places where a drug of one name stands beside one of the other."""
    first, second = (_places(codes, slots) for codes in (pair.first, pair.second))
    return [
        {"device": device, "slots": sorted((slot, other))}
        for device, slot in first
        for beside, other in second
        if device == beside and abs(slot - other) == 1
    ]


def _places(codes: Iterable[DrugCode], slots: Mapping[DrugCode, list[tuple[str, int]]]) -> list[tuple[str, int]]:
    return [place for code in codes for place in slots.get(code, ())]


def rule_pair(unit: UnitOfWork, ruling: PairRuling) -> int | Refusal:
    """Confirm or dismiss a pair in the directory; returns how many drugs bear it.

    A confirmed pair is one look-alike group: loading asks for a second person, and labels are marked. A dismissed one is not flagged
    any more; a pair that the directory has in one group is dismissed by changing its group there.
    """
    first, second = bare_name(ruling.first), bare_name(ruling.second)
    if look_alike(first, second) is None:
        return Refusal(
            "no-pair", f"'{ruling.first}' and '{ruling.second}' are no pair that is flagged.",
            f"«{ruling.first}» и «{ruling.second}» — не пара, на которую есть указание.",
        )  # fmt: skip
    bearers = {name: [drug for drug in unit.drugs.where() if name in {bare_name(drug.inn), bare_name(drug.trade_name)}] for name in (first, second)}
    missing = next((name for name, drugs in bearers.items() if not drugs), None)
    if missing is not None:
        return Refusal("unknown-drug", f"No drug of the directory is named '{missing}'.", f"В справочнике нет препарата «{missing}».")
    changed = [
        *(_decided(drug, ruling.decision, first, second) for drug in bearers[first]),
        *(_decided(drug, ruling.decision, second, first) for drug in bearers[second]),
    ]
    unit.drugs.put_many(changed)
    fact = {"first": first, "second": second, "decision": ruling.decision.value, "reason": ruling.reason, "drugs": [drug.code for drug in changed]}
    unit.record("look-alike-decided", fact)
    return len(changed)


def _decided(drug: Drug, decision: PairDecision, own: str, other: str) -> Drug:
    """Return a drug with a decision: the group of the pair where it has none of its own, or the other name told apart."""
    apart = [name for name in drug.told_apart.split(";") if name.strip() and bare_name(name) != other]
    if decision is PairDecision.DISMISS:
        return replace(drug, told_apart=";".join([*apart, other]))
    return replace(drug, told_apart=";".join(apart), look_alike_group=drug.look_alike_group or "-".join(sorted((own, other))))
