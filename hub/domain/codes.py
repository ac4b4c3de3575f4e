"""A source's own words (frequency, route, unit, drug) and what they mean here: translation of a line, and what is still to be asked.

Nothing is guessed: a word that neither this hospital nor the source's table knows stays as it is and becomes a question.
"""

import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import time
from fractions import Fraction
from functools import lru_cache

from hub.domain.identifiers import DrugCode
from hub.domain.lanes import route_kind
from hub.domain.orders import OrderLine, Written
from hub.domain.quantities import Quantity, unit_named
from hub.domain.records import CodeKind
from hub.domain.refusals import Refusal
from hub.domain.timing import Dosage, PeriodUnit, Repeat, Timing

PRN = "PRN"
NOT_PACKED = "not-packed"
UNKNOWN_DRUG_MARK = "?"
MOST_TIMES_A_DAY = 24
LONGEST_MEANING = 100
LONGEST_WORD = 300
# What has no dose times goes by this code of the frequency table (kind `continuous`).
_AS_DIRECTED = "AS DIRECTED"
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)

CodeTable = Mapping[tuple[CodeKind, str], str]
Taken = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """What this hospital understands without any table: its frequency codes and its drugs."""

    frequency: Callable[[str], bool]
    drugs: Container[DrugCode]


@lru_cache(maxsize=8192)
def code_form(text: str) -> str:
    """Return a source's word as words are compared: case, runs of spaces and ё do not count."""
    return " ".join(text.casefold().replace("ё", "е").split())


def drug_word(drug: DrugCode, text: str = "") -> str:
    """Return what a source calls a drug: its code, or the text of one without a code (`?` stands before it)."""
    return drug.removeprefix(UNKNOWN_DRUG_MARK) or text


def as_written(line: OrderLine) -> OrderLine:
    """Return a line as its source wrote it."""
    if line.written is None:
        return line
    return replace(line, drug=line.written.drug, dosages=line.written.dosages, written=None)


def translated(line: OrderLine, table: CodeTable) -> OrderLine:
    """Return a line with its source's words replaced by ours; what stood there is kept in `written`."""
    original = as_written(line)
    if not table:
        return original
    taken: dict[Taken, None] = {}
    drug = DrugCode(_meaning(table, CodeKind.DRUG, drug_word(original.drug, original.drug_text), taken) or original.drug)
    dosages = tuple(_translated_dosage(dosage, table, taken) for dosage in original.dosages)
    if not taken:
        return original
    return replace(original, drug=drug, dosages=dosages, written=Written(original.drug, original.dosages, tuple(taken)))


def _meaning(table: CodeTable, kind: CodeKind, word: str, taken: dict[Taken, None]) -> str | None:
    meaning = table.get((kind, code_form(word)))
    if meaning:
        taken[kind.value, word, meaning] = None
    return meaning or None


def _translated_dosage(dosage: Dosage, table: CodeTable, taken: dict[Taken, None]) -> Dosage:
    route = _meaning(table, CodeKind.ROUTE, dosage.route, taken) or dosage.route
    return replace(dosage, dose=_translated_dose(dosage, table, taken), route=route, timing=_translated_timing(dosage.timing, table, taken))


def _translated_dose(dosage: Dosage, table: CodeTable, taken: dict[Taken, None]) -> tuple[Quantity, Quantity] | None:
    if dosage.dose is None:
        return None
    low, high = (replace(part, unit=_meaning(table, CodeKind.UNIT, part.unit, taken) or part.unit) for part in dosage.dose)
    return low, high


def _translated_timing(timing: Timing | None, table: CodeTable, taken: dict[Taken, None]) -> Timing | None:
    meaning = _meaning(table, CodeKind.FREQUENCY, timing.code, taken) if timing is not None and timing.code else None
    if timing is None or meaning is None:
        return timing
    if meaning == PRN:
        return replace(timing, prn=True, code=PRN)
    if meaning == NOT_PACKED:
        return replace(timing, code=_AS_DIRECTED)
    if times := clock_times(meaning):
        return replace(timing, code=None, repeat=Repeat(period=Fraction(1), period_unit=PeriodUnit.DAY, times=times))
    return replace(timing, code=meaning)


def clock_times(text: str) -> tuple[time, ...]:
    """Return the times of `08:00;20:00`, rising; empty where the text is anything else, or names one time twice."""
    matches = [_CLOCK.fullmatch(part.strip()) for part in text.split(";")]
    if len(matches) > MOST_TIMES_A_DAY:
        return ()
    times = {time(int(match[1]), int(match[2])) for match in matches if match is not None}
    return tuple(sorted(times)) if len(times) == len(matches) else ()


def unknown_codes(line: OrderLine, known: Known) -> tuple[tuple[CodeKind, str], ...]:
    """Return the words of a line that nobody here understands yet, each once, in the form they are compared in.

    A sentence is no word: what is longer than LONGEST_WORD stays with its line, and a person reads it there.
    """
    words = ((kind, code_form(word)) for kind, word in _unknown_words(line, known))
    return tuple(dict.fromkeys((kind, word) for kind, word in words if word and len(word) <= LONGEST_WORD))


def _unknown_words(line: OrderLine, known: Known) -> Iterator[tuple[CodeKind, str]]:
    if line.drug not in known.drugs:
        yield CodeKind.DRUG, drug_word(line.drug, line.drug_text)
    for dosage in line.dosages:
        timing = dosage.timing
        if timing is not None and timing.code and not known.frequency(timing.code):
            yield CodeKind.FREQUENCY, timing.code
        if dosage.route.strip() and route_kind(dosage.route) is None:
            yield CodeKind.ROUTE, dosage.route
        if dosage.dose is not None:
            yield from ((CodeKind.UNIT, part.unit) for part in dosage.dose if unit_named(part.unit) is None)


def checked_meaning(kind: CodeKind, meaning: str, known: Known) -> str | Refusal:
    """Return a meaning in the form it is kept in, or why it is none: the answer of a person is checked before it is taken."""
    text = " ".join(meaning.split())
    if not text or len(text) > LONGEST_MEANING:
        return _refused(f"A meaning has 1 to {LONGEST_MEANING} characters.", f"Значение: от 1 до {LONGEST_MEANING} знаков.")
    checks: Mapping[CodeKind, Callable[[str, Known], str | Refusal]] = {
        CodeKind.FREQUENCY: _frequency, CodeKind.ROUTE: _route, CodeKind.UNIT: _unit, CodeKind.DRUG: _drug,
    }  # fmt: skip
    return checks[kind](text, known)


def _refused(english: str, russian: str) -> Refusal:
    return Refusal("meaning", english, russian)


def _frequency(text: str, known: Known) -> str | Refusal:
    if code_form(text) == code_form(PRN):
        return PRN
    if code_form(text) == NOT_PACKED and known.frequency(_AS_DIRECTED):
        return NOT_PACKED
    if times := clock_times(text):
        return ";".join(clock.strftime("%H:%M") for clock in times)
    if known.frequency(text):
        return text
    return _refused(
        f"'{text}' is neither a frequency of the table, nor clock times (08:00;20:00), nor PRN, nor {NOT_PACKED}.",
        f"«{text}» — ни код из таблицы кратности, ни часы приёма (08:00;20:00), ни PRN (по потребности), ни {NOT_PACKED} (не фасуется).",
    )


def _route(text: str, _: Known) -> str | Refusal:
    if route_kind(text) is not None:
        return text
    return _refused(f"'{text}' is not a route of the route table.", f"«{text}» — нет такого пути введения в таблице путей.")


def _unit(text: str, _: Known) -> str | Refusal:
    unit = unit_named(text)
    return unit or _refused(f"'{text}' is not a unit that is known.", f"«{text}» — неизвестная единица измерения.")


def _drug(text: str, known: Known) -> str | Refusal:
    if DrugCode(text) in known.drugs:
        return text
    return _refused(f"'{text}' is not the code of a drug of the directory.", f"«{text}» — в справочнике нет препарата с таким кодом.")
