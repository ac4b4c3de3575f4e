"""Why is it so? One answer about a line, a dose, its lane, a pack or a refusal, from records and ledger facts alone.

Each answer names its rule with the source, and what it rests on, so that one can go on asking: pack → dose → order → line of the
sheet. Where nothing is known the answer says so.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from hub.domain.orders import Reason
from hub.domain.refusal_words import REFUSALS
from hub.domain.refusals import Refusal
from hub.domain.source_words import source_ru
from hub.services.house import House
from hub.services.ports import UnitOfWork
from hub.services.why_answers import Ground, Why
from hub.services.why_dose import why_dose, why_lane
from hub.services.why_line import why_line
from hub.services.why_pack import why_pack


class WhyKind(StrEnum):
    """What may be asked about; the id is that of the order, the dose (also of its lane) or the pack, or a refusal's code."""

    LINE = "line"
    DOSE = "dose"
    LANE = "lane"
    PACK = "pack"
    REFUSAL = "refusal"


def why(unit: UnitOfWork, house: House, kind: WhyKind, id: str) -> Why | Refusal:
    """Return why something is as it is; a Refusal `unknown-…` where nothing of that id is known."""
    return _ANSWERS[kind](unit, house, id)


def _why_refusal(unit: UnitOfWork, house: House, code: str) -> Why | Refusal:
    words = REFUSALS.get(code)
    if words is None:
        return Refusal(
            "unknown-rule", f"No refusal of the hub has the code '{code}': a machine's own codes stand in docs/mqtt.md.",
            f"Отказа с кодом «{code}» у системы нет: собственные коды автомата описаны в docs/mqtt.md.",
        )  # fmt: skip
    english, russian = words
    return Why(WhyKind.REFUSAL, code, Reason(code, english, Refusal(code, english, russian).source, russian))


_ANSWERS: Mapping[WhyKind, Callable[[UnitOfWork, House, str], Why | Refusal]] = {
    WhyKind.LINE: why_line, WhyKind.DOSE: why_dose, WhyKind.LANE: why_lane, WhyKind.PACK: why_pack, WhyKind.REFUSAL: _why_refusal,
}  # fmt: skip


def why_facts(answer: Why, language: str) -> dict[str, Any]:
    """Return an answer as JSON: `said` in the language that was asked for, and both languages beside each other."""
    return {
        "kind": answer.kind, "id": answer.id, "language": language, "said": answer.reason.said(language), **_reason(answer.reason),
        "also": [_reason(each) for each in answer.also], "settings": [_reason(each) for each in answer.settings],
        "rests_on": [_ground(each) for each in answer.rests_on],
    }  # fmt: skip


def _reason(reason: Reason) -> dict[str, str]:
    return {"rule": reason.rule, "text": reason.text, "text_ru": reason.said("ru"), "source": reason.source, "source_ru": source_ru(reason.source)}


def _ground(ground: Ground) -> dict[str, str]:
    return {"kind": ground.kind, "id": ground.id, "text": ground.text, "text_ru": ground.text_ru}
