"""A pharmacist answers what a source's word means: once, for all lines of that source that have it; a wrong answer can be changed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hub.domain.codes import checked_meaning, code_form, translated
from hub.domain.doses import DoseState
from hub.domain.drugs import Drug
from hub.domain.identifiers import UserId
from hub.domain.late_changes import ChangeKind
from hub.domain.orders import LineState, Order, OrderLine, has_ended
from hub.domain.records import CodeEntry, CodeKind
from hub.domain.refusals import Refusal
from hub.services.code_tables import code_table, example_of, known_to, words_of_line
from hub.services.house import House
from hub.services.late_deeds import Change, act_on
from hub.services.order_edits import is_packed
from hub.services.ports import UnitOfWork
from hub.services.receive_sheet import Desk, decide_lines, open_desk, plan_orders

SUGGESTED = 5
MOST_SHOWN = 100
Word = tuple[str, CodeKind, str]
# Lines whose end has come stay as they were decided.
_JUDGED_AGAIN = (LineState.RECEIVED, LineState.ACTIVE, LineState.ON_HOLD, LineState.REJECTED, LineState.EXCLUDED, LineState.NEEDS_REVIEW)

Suggest = Callable[[str, Iterable[Drug], int], list[Drug]]


def no_suggestions(_: str, __: Iterable[Drug], ___: int) -> list[Drug]:
    """Offer no drug: the code has to be typed."""
    return []


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says of a source's word; `meaning` as `checked_meaning` takes it."""

    source: str
    kind: CodeKind
    code: str
    meaning: str
    by: UserId


@dataclass(frozen=True, slots=True)
class CodeDecided:
    """What an answer did: the entry, how many lines were judged again, how many of them still wait, and doses planned."""

    entry: CodeEntry
    lines: int
    waiting: int
    planned: int


def decide_code(unit: UnitOfWork, house: House, answer: Answer) -> CodeDecided | Refusal:
    """Remember what a word means and judge every line of its source that has it again, at once.

    The word must have been asked about or settled before: nobody can change what words mean that no line brought.
    """
    desk = open_desk(unit, answer.source, house)
    if isinstance(desk, Refusal):
        return desk
    before = _entry(unit, house, answer)
    if before is None:
        return Refusal("unknown-code", f"Nobody asked about '{answer.code}' of {answer.source}.", f"О «{answer.code}» источника {answer.source} никто не спрашивал.")
    meaning = checked_meaning(answer.kind, answer.meaning, known_to(house, desk.drugs))
    if isinstance(meaning, Refusal):
        return meaning
    entry = replace(before, meaning=meaning, decided_by=answer.by, decided_at=unit.now)
    unit.code_entries.put(entry)
    orders, planned = _judge_again(unit, replace(desk, codes=code_table(unit, answer.source, house)), entry)
    waiting = sum(order.state is LineState.NEEDS_REVIEW for order in orders)
    unit.record("code-decided", {**_fact(entry), "was": before.meaning, "lines": len(orders), "waiting": waiting, "by": answer.by})
    return CodeDecided(entry, len(orders), waiting, planned)


def _entry(unit: UnitOfWork, house: House, answer: Answer) -> CodeEntry | None:
    """Return the question that is answered; a word of the house's own table may be answered anew, too."""
    code = code_form(answer.code)
    entry = unit.code_entries.get(answer.source, answer.kind, code)
    shipped = house.codes.get(answer.source, {}).get((answer.kind, code), "")
    if entry is None and shipped:
        return CodeEntry(answer.source, answer.kind, code, shipped, "", 0, unit.now)
    return entry


def _fact(entry: CodeEntry) -> dict[str, Any]:
    return {"source": entry.source, "code_kind": entry.kind.value, "code": entry.code, "meaning": entry.meaning}


def _judge_again(unit: UnitOfWork, desk: Desk, entry: CodeEntry) -> tuple[list[Order], int]:
    """Decide the lines that have a word anew, under their next version; what is on its way under another reading is acted on."""
    waiting = unit.orders.where(state=list(_JUDGED_AGAIN))
    in_force = [order for order in waiting if order.line.source == entry.source and not has_ended(order, unit.now)]
    touched = [order for order in in_force if (entry.kind, entry.code) in words_of_line(order.line)]
    pairs = [(order, line) for order in touched if (line := translated(order.line, desk.codes)) != order.line]
    changed = Change(ChangeKind.DOSE_CHANGE, unit.now, f"'{entry.code}' of {entry.source} means '{entry.meaning}' now", desk.house, desk.stays)
    for order, _ in pairs:
        if is_packed(order):
            act_on(unit, changed, [dose for dose in unit.doses.where(order=order.id) if dose.state is not DoseState.GIVEN])
    decided = decide_lines(unit, desk, [line for _, line in pairs], None)
    orders = [replace(order, stopped_at=before.stopped_at) for order, (before, _) in zip(decided, pairs, strict=True)]
    unit.orders.put_many(orders)
    return orders, plan_orders(unit, desk, orders)


def code_board(unit: UnitOfWork, house: House, suggest: Suggest) -> dict[str, Any]:
    """Return the questions that wait, the most lines first, and what was answered, the newest first; no patient is in it.

    At most MOST_SHOWN of each; `more` questions come up once some are answered.
    """
    drugs = unit.drugs.where()
    entries = unit.code_entries.where(meaning="")
    waiting = _waiting_lines(unit) if entries else {}
    entries.sort(key=lambda entry: (-len(waiting.get(_key(entry), ())), entry.source, entry.kind, entry.code))
    questions = [_told(entry, waiting.get(_key(entry), ()), suggest, drugs) for entry in entries[:MOST_SHOWN]]
    names = {user.id: user.name for user in unit.users.where()}
    answered = sorted((entry for entry in unit.code_entries.where() if entry.meaning), key=_decided_first)
    return {
        "questions": questions, "more": len(entries) - len(questions), "answered": [_answered(entry, names) for entry in answered[:MOST_SHOWN]],
        "frequencies": sorted({code for code, ward in house.frequencies if not ward}),
    }


def _decided_first(entry: CodeEntry) -> tuple[float, str]:
    return (-entry.decided_at.timestamp() if entry.decided_at is not None else 0.0, entry.code)


def _key(entry: CodeEntry) -> Word:
    return entry.source, entry.kind, entry.code


def _waiting_lines(unit: UnitOfWork) -> dict[Word, list[OrderLine]]:
    """Return the lines that wait for a person by each word that is in them."""
    lines: dict[Word, list[OrderLine]] = defaultdict(list)
    for order in unit.orders.where(state=LineState.NEEDS_REVIEW):
        for kind, code in words_of_line(order.line):
            lines[order.line.source, kind, code].append(order.line)
    return lines


def _told(entry: CodeEntry, lines: Sequence[OrderLine], suggest: Suggest, drugs: Iterable[Drug]) -> dict[str, Any]:
    found = suggest(entry.code, drugs, SUGGESTED) if entry.kind is CodeKind.DRUG else []
    return {
        "source": entry.source, "kind": entry.kind.value, "code": entry.code, "example": example_of(lines[0]) if lines else entry.example,
        "lines": entry.lines, "waiting": len(lines), "since": entry.first_seen_at.isoformat(), "suggestions": [_drug(drug) for drug in found],
    }  # fmt: skip


def _drug(drug: Drug) -> dict[str, str]:
    return {"code": drug.code, "name": " ".join(part for part in (drug.trade_name or drug.inn, drug.strength) if part), "inn": drug.inn, "form": drug.form.value}


def _answered(entry: CodeEntry, names: Mapping[UserId, str]) -> dict[str, Any]:
    return {
        **_fact(entry), "kind": entry.kind.value, "example": entry.example, "lines": entry.lines, "by": names.get(entry.decided_by, entry.decided_by) if entry.decided_by is not None else "",
        "at": entry.decided_at.isoformat() if entry.decided_at is not None else "",
    }  # fmt: skip
