"""Each source's code table while its lines are decided: what a person or the house settled, and the questions that are left."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hub.domain.codes import CodeTable, Known, as_written, code_form, drug_word, unknown_codes
from hub.domain.drugs import Drug
from hub.domain.identifiers import DrugCode
from hub.domain.orders import Order, OrderLine, Outcome
from hub.domain.records import CodeEntry, CodeKind
from hub.domain.schedule import Schedule, schedule_for
from hub.domain.timing import Dosage, Timing
from hub.services.house import House
from hub.services.ports import UnitOfWork

MOST_QUESTIONS_OF_A_SOURCE = 5_000
LONGEST_EXAMPLE = 300


def code_table(unit: UnitOfWork, source: str, house: House) -> CodeTable:
    """Return what a source's words mean: the house's table, over it what people answered."""
    answered = {(entry.kind, entry.code): entry.meaning for entry in unit.code_entries.where(source=source) if entry.meaning}
    return {**house.codes.get(source, {}), **answered}


def known_to(house: House, drugs: Mapping[DrugCode, Drug], ward: str = "") -> Known:
    """Return what is understood at a ward without any table."""

    def has_meaning(code: str) -> bool:
        return isinstance(schedule_for((Dosage(timing=Timing(code=code)),), house.frequencies, ward, house.slots), Schedule)

    return Known(has_meaning, drugs)


def ask_about_codes(unit: UnitOfWork, house: House, drugs: Mapping[DrugCode, Drug], decided: Iterable[tuple[Order, Order | None, str]]) -> None:
    """Open one question for each word that nobody understands, or count its line there.

    `decided` are (order, what it was before, its ward). Only lines that wait for a person ask; a line counts once for a word.
    """
    entries: dict[tuple[str, CodeKind, str], CodeEntry] = {}
    for order, before, ward in decided:
        if order.outcome is not Outcome.NEEDS_REVIEW:
            continue
        known = known_to(house, drugs, ward)
        asked = unknown_codes(before.line, known) if before is not None and before.outcome is Outcome.NEEDS_REVIEW else ()
        for kind, code in unknown_codes(order.line, known):
            key = (order.line.source, kind, code)
            entry = entries.get(key) or unit.code_entries.get(*key) or _question(unit, order.line, kind, code)
            entries[key] = replace(entry, lines=entry.lines + ((kind, code) not in asked))
    _put_questions(unit, entries)


def _question(unit: UnitOfWork, line: OrderLine, kind: CodeKind, code: str) -> CodeEntry:
    return CodeEntry(line.source, kind, code, "", example_of(line), 0, unit.now)


def _put_questions(unit: UnitOfWork, entries: Mapping[tuple[str, CodeKind, str], CodeEntry]) -> None:
    """Write the questions down; a source that sends rubbish without end does not fill the store."""
    fresh = [entry for key, entry in entries.items() if unit.code_entries.get(*key) is None]
    room = {source: MOST_QUESTIONS_OF_A_SOURCE - unit.code_entries.count(source=source) for source in {entry.source for entry in fresh}}
    opened = [entry for place, entry in enumerate(fresh) if place < room[entry.source]]
    known = [entry for key, entry in entries.items() if unit.code_entries.get(*key) is not None]
    unit.code_entries.put_many([*known, *opened])
    unit.record_many(
        "code-unknown", [{"source": e.source, "code_kind": e.kind.value, "code": e.code, "example": e.example, "lines": e.lines} for e in opened]
    )  # fmt: skip


def example_of(line: OrderLine) -> str:
    """Return a line as a person recognises it, without the patient."""
    told = as_written(line)
    parts = [told.drug_text or told.drug]
    for dosage in told.dosages:
        dose = "" if dosage.dose is None else str(dosage.dose[0]) if dosage.dose[0] == dosage.dose[1] else f"{dosage.dose[0]}-{dosage.dose[1]}"
        when = "" if dosage.timing is None else dosage.timing.code or ", ".join(slot.slot for slot in dosage.timing.slots)
        parts.append(" ".join(part for part in (dose, dosage.route, when) if part))
    return " · ".join(part for part in parts if part)[:LONGEST_EXAMPLE]


def words_of_line(line: OrderLine) -> frozenset[tuple[CodeKind, str]]:
    """Return the words that a line's source wrote, understood or not, in the form they are compared in."""
    told = as_written(line)
    words = {(CodeKind.DRUG, drug_word(told.drug, told.drug_text))}
    for dosage in told.dosages:
        words.add((CodeKind.ROUTE, dosage.route))
        words |= {(CodeKind.UNIT, part.unit) for part in dosage.dose or ()}
        if dosage.timing is not None and dosage.timing.code:
            words.add((CodeKind.FREQUENCY, dosage.timing.code))
    return frozenset((kind, code_form(word)) for kind, word in words)
