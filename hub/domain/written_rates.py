"""How often a day a code or a sentence says: enough to see that two statements of one order say different things."""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction

from hub.domain.calendar_days import elapsed
from hub.domain.courses import DAY
from hub.domain.timing import PeriodUnit, Repeat, Span

_NUMBERS: Mapping[str, int] = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "once": 1, "twice": 2, "thrice": 3}
_CODES: Mapping[str, Fraction] = {
    "qd": Fraction(1), "bid": Fraction(2), "tid": Fraction(3), "qid": Fraction(4), "qod": Fraction(1, 2), "qam": Fraction(1), "qpm": Fraction(1), "qhs": Fraction(1),
}  # fmt: skip
_DOTS = re.compile(r"\b([a-z])\.\s?([a-z])\.(?:\s?([a-z])\.)?")
_NUMBER = r"(\d{1,2}|one|two|three|four|five|six|once|twice|thrice)"
_A_DAY = re.compile(rf"\b{_NUMBER}\s*(?:x|×|times?)?\s*(?:/|a |per |every |each )?\s*(?:day|daily)\b|\b(\d{{1,2}})\s*(?:x|р\.?|раза?)\s*(?:/|в)?\s*(?:д|день|сут|сутки)\b")
_A_WEEK = re.compile(rf"\b{_NUMBER}\s*(?:x|×|times?)?\s*(?:/|a |per |every |each )\s*week\b|\b(\d)\s*(?:р\.?|раза?)\s*(?:/|в)\s*(?:нед|неделю)\b|\b()weekly\b|\b()еженедельно\b")
_HOURLY = re.compile(r"\b(?:q\s?|every |каждые )(\d{1,2})\s?(?:h|hrs?|hours?|ч|часа|часов)\b")
_OTHER_DAY = re.compile(r"\bevery (?:other|second) day\b|\balternate days\b|\bчерез день\b")
_EVERY_DAYS = re.compile(r"\bevery (\d{1,2}) days\b|\bраз в (\d{1,2}) дня\b|\bкаждые (\d{1,2}) (?:дня|дней)\b")
_HELD_BACK = re.compile(
    r"\bhold (?:if|for|when|unless)\b|\bdo not (?:give|take|administer) (?:if|when)\b|\b(?:only (?:if|when)|unless)\b|\b(?:skip|stop) (?:if|when)\b"
    r"|\bне (?:давать|вводить|принимать) (?:при|если)\b|\b(?:отменить|пропустить) (?:при|если)\b|\bтолько (?:при|если)\b"
)
_AS_NEEDED = re.compile(r"\b(?:as|if|when) (?:needed|required|necessary)\b|\bprn\b|\bпри необходимости\b|\bпо (?:требованию|необходимости|потребности)\b|\bпри (?:\w+ )?(?:болях|боли|температуре|тошноте)\b")


def rates_in(text: str) -> frozenset[Fraction]:
    """Return every number of times a day that a text names (`BID` 2, `every other day` 1/2, `q8h` 3); empty where it names none."""
    low = _DOTS.sub(lambda found: "".join(part for part in found.groups() if part), text.casefold().replace("ё", "е"))
    return frozenset(_rates(low))


def _rates(low: str) -> Iterator[Fraction]:
    yield from (rate for word, rate in _CODES.items() if re.search(rf"\b{word}\b", low))
    for pattern, size in ((_A_DAY, 1), (_A_WEEK, 7)):
        for found in pattern.finditer(low):
            word = next((part for part in found.groups() if part), "1")
            yield Fraction(_NUMBERS.get(word) or int(word), size)
    yield from (Fraction(24, int(found[1])) for found in _HOURLY.finditer(low) if int(found[1]))
    if _OTHER_DAY.search(low):
        yield Fraction(1, 2)
    for found in _EVERY_DAYS.finditer(low):
        yield Fraction(1, max(1, int(next(part for part in found.groups() if part))))


def rate_of(repeat: Repeat) -> Fraction | None:
    """Return how many times a day a plain frequency and period say, or None where they are none or something stands beside them."""
    if repeat.period is None or repeat.period_unit is None or repeat.period_unit in (PeriodUnit.MONTH, PeriodUnit.YEAR):
        return None
    if repeat.frequency_max is not None or repeat.period_max is not None or repeat.weekdays:
        return None
    passed = elapsed(Span(repeat.period, repeat.period_unit))
    return None if not passed else Fraction(repeat.frequency or 1) * Fraction(DAY.total_seconds()) / Fraction(passed.total_seconds())


def says_as_needed(text: str) -> bool:
    """Tell whether a sentence says that a dose is given when needed."""
    return _AS_NEEDED.search(text.casefold()) is not None


def held_back(text: str) -> bool:
    """Tell whether a text says when a dose is not to be given (`hold if …`, `не давать при …`)."""
    return _HELD_BACK.search(text.casefold()) is not None
