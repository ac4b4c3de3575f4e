"""Feeding a reader hostile files and judging what it made of each of them."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from hub.adapters.intake.errors import IntakeError
from hub.domain.orders import OrderLine, OrderSheet
from hub.domain.words import Words
from tests.fuzz_intake.mutation import hostile
from tests.fuzz_intake.readers import Reader

MOST_FAULTS = 20
_CYRILLIC = re.compile(r"[А-Яа-яЁё]")


@dataclass(slots=True)
class Result:
    """What became of the files: how many were refused, were sheets, and held lines that could not be read; and every fault."""

    inputs: int = 0
    refused: int = 0
    sheets: int = 0
    lines: int = 0
    unreadable: int = 0
    rejects: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def run(reader: Reader, inputs: int, seed: int) -> Result:
    """Feed a reader; the same seed feeds the same files. It ends early once twenty faults are found."""
    result = Result()
    for number in range(inputs):
        data = hostile(Random(f"{reader.name} {seed} {number}"), reader.seeds)
        result.inputs += 1
        for fault in _judged(reader, data, result):
            result.faults.append(f"seed {seed}, input {number}: {fault}")
        if len(result.faults) >= MOST_FAULTS:
            break
    return result


def _judged(reader: Reader, data: bytes, result: Result) -> Iterator[str]:
    try:
        sheet = reader.read(data)
    except reader.refusals as refusal:
        result.refused += 1
        result.reasons[str(refusal)[:60]] += 1
        if not str(refusal).strip():
            yield "a refusal without a reason"
        if isinstance(refusal, IntakeError) and _is_half(refusal.reason):
            yield f"a refusal in one language: {refusal.reason}"
        return
    except Exception as error:  # noqa: BLE001 every other exception is what is looked for
        yield f"{type(error).__name__}: {str(error)[:200]}"
        return
    result.sheets += 1
    yield from _faults_of(sheet, result)


def _faults_of(sheet: OrderSheet, result: Result) -> Iterator[str]:
    lines = [*sheet.lines, *(change.line for change in sheet.changes if change.line)]
    result.lines += len(lines)
    result.unreadable += sum(bool(line.unreadable) for line in lines)
    result.rejects += len(sheet.rejects)
    if not (lines or sheet.patients or sheet.stays or sheet.changes or sheet.rejects):
        yield "a sheet that says nothing"
    if any(not reject.position or _is_half(reject.reason) for reject in sheet.rejects):
        yield "a reject without its place, or its reason in both languages"
    if len({line.id for line in sheet.lines}) != len(sheet.lines):
        yield "two lines of one sheet with one id"
    for line in lines:
        yield from _faults_of_line(line)


def _is_half(words: Words) -> bool:
    """Tell whether words are missing in one of the languages; a sender's own text may stand in any letters."""
    return not words.en or _CYRILLIC.search(words.ru) is None


def _faults_of_line(line: OrderLine) -> Iterator[str]:
    for words in (*line.unsupported, *([line.unreadable] if line.unreadable else [])):
        if _is_half(words):
            yield f"words in one language: {words}"
    if not (line.id and line.position and line.dosages and line.source):
        yield f"a line without id, place or dosage: {line!r:.200}"
    for moment in (
        line.starts_at,
        line.ends_at,
        line.authored_at,
        *(event for dosage in line.dosages for event in (dosage.timing.events if dosage.timing else ())),
    ):
        if moment is not None and moment.tzinfo is None:
            yield f"a moment without a zone: {moment}"
    for dosage in line.dosages:
        if dosage.dose is not None and (dosage.dose[0].amount < 0 or dosage.dose[0].amount > dosage.dose[1].amount):
            yield f"a dose that is none: {dosage.dose}"
