"""How a code says 'when needed', and what is left of it that says how often at most."""

import re
from dataclasses import dataclass

_PRN_WORD = "PRN"
_PRN = re.compile(r"(?:^|(?<=[^A-Z]))PRN(?=$|[^A-Z])")
_BY_NEED = re.compile(r"ПО (?:ТРЕБОВАНИЮ|НЕОБХОДИМОСТИ|ПОТРЕБНОСТИ)")
_WHEN = re.compile(r"(?:^|(?<=\s))ПРИ\s")
_NEED = re.compile(
    r"(?:БОЛ[ИЯЕЬ]|ТЕМПЕРАТУР|[TТ]\W{0,3}\d|ЛИХОРАД|ГИПЕРТЕРМ|ОЗНОБ|ТОШНОТ|РВОТ|БЕССОННИЦ|НАРУШЕНИ\w+ СНА|НЕОБХОДИМОСТ|ПОТРЕБНОСТ|ПРИСТУП|КАШЛ|ОДЫШК|УДУШ"
    r"|ИЗЖОГ|ЗАПОР|ДИАРЕ|ПОНОС|ЗУД|АД\b|ДАВЛЕНИ|КРИЗ|СУДОРО|ТРЕВО|ВОЗБУЖДЕН|БЕСПОКОЙСТ|ГОЛОВОКРУЖ|АЛЛЕРГ|СПАЗМ|БРОНХОСПАЗМ|ГИПОГЛИКЕМ|ГИПЕРГЛИКЕМ"
    r"|ЖАЛОБ|СИМПТОМ|МИГРЕН|КОЛИК|ИКОТ|ВЗДУТ|МЕТЕОРИЗМ|СТЕНОКАРД|АРИТМ|ТАХИКАРД|НАСМОРК)"
)
_OTHER_THAN_NEED = re.compile(r"(?:ПРИЕМ|ЕДЕ|ПИЩ|ЗАВТРАК|ОБЕД|УЖИН|ПРОБУЖДЕН|ПОСТУПЛЕН|ВЫПИСК|ПЕРЕВОД)")
_HELD_BACK = re.compile(r"\b(?:НЕ (?:ДАВАТЬ|ВВОДИТЬ|ПРИНИМАТЬ)|ОТМЕН|ПРОПУ[СЩ]|КРОМЕ|ПРЕКРАТ|HOLD|UNLESS|EXCEPT)")
_TIMING = re.compile(r"\b(?:КАЖД|ЧЕРЕЗ|\d+ ?Р(?:АЗА?)?\b|РАЗ|УТР|ДНЕМ|ВЕЧЕР|НА НОЧЬ|ПЕРЕД СНОМ|НЕ БОЛЕЕ|НЕ ЧАЩЕ|ДО \d|МАКС|[1-9][XХ]/)")
_AT_MOST = re.compile(r"^(?:НЕ БОЛЕЕ|НЕ ЧАЩЕ(?: ЧЕМ)?|ДО|МАКС\w*\.?)\s+")
_INDICATIONS = re.compile(
    r"\b(?:FOR|OR|AND|MILD|MODERATE|SEVERE|BREAKTHROUGH|PAIN|FEVER|TEMP(?:ERATURE)?|T\W{0,3}\d+(?:[.,]\d+)?|NAUSEA|VOMITING|SLEEP|INSOMNIA|ANXIETY|AGITATION|COUGH"
    r"|ITCH(?:ING)?|PRURITUS|CONSTIPATION|DIARRHEA|DYSPNEA|SOB|WHEEZ(?:E|ING)|HEADACHE|SPASMS?|HEARTBURN|INDIGESTION|SEIZURES?|CHEST|MIGRAINE|HYPOGLYCEMIA)\b"
)
_EVERY = re.compile(r"(?:Q ?|КАЖДЫЕ )(?P<least>\d{1,3})(?: ?[-–—] ?(?P<most>\d{1,3}))? ?(?:H|HRS?|HOURS?|Ч|ЧАСА?|ЧАСОВ)\.?")
_LOOSE = " :;-/,."


@dataclass(frozen=True, slots=True)
class AsNeeded:
    """A code that says 'when needed': `rest` is what stands beside it, without the need itself."""

    rest: str


def as_needed(code: str) -> AsNeeded | None:
    """Return what stands beside 'when needed' in a code, or None where it does not say that.

    'При' is a need only with a symptom: meals, waking and admission are times, and whatever else is for a person.
    """
    text = " ".join(code.upper().replace("Ё", "Е").split())
    if _HELD_BACK.search(text):
        return None
    if word := _PRN.search(text):
        return AsNeeded(_without_indications(f"{text[:word.start()]} {text[word.end():]}"))
    if phrase := _BY_NEED.search(text):
        return AsNeeded(_tidy(f"{text[:phrase.start()]} {text[phrase.end():]}"))
    first = _WHEN.search(text)
    return None if first is None else _when(text[: first.start()], text[first.end() :])


def _when(before: str, said: str) -> AsNeeded | None:
    timing = _TIMING.search(said)
    need, after = (said, "") if timing is None else (said[: timing.start()], said[timing.start() :])
    named = re.split(r"\bПРИ\b", need)
    if _WHEN.search(after) or any(_NEED.search(each) is None or _OTHER_THAN_NEED.match(each.strip()) for each in named):
        return None
    return AsNeeded(_tidy(f"{before.strip(_LOOSE)} {after}"))


def _without_indications(text: str) -> str:
    """Return a rest without the words of an indication; a Russian need beside PRN is one as well."""
    left = _INDICATIONS.sub(" ", text)
    return _tidy(left[: found.start()] if (found := _WHEN.search(left)) and _NEED.search(left, found.end()) else left)


def _tidy(text: str) -> str:
    return _AT_MOST.sub("", " ".join(text.split()).strip(_LOOSE))


def least_hours(rest: str) -> int | None:
    """Return the hours of 'every n hours' by a rest (of a range the smaller), or None where it says nothing of the kind."""
    found = _EVERY.fullmatch(rest)
    if found is None or int(found["least"]) < 1 or (found["most"] and int(found["most"]) <= int(found["least"])):
        return None
    return int(found["least"])


def glued_rests(normal: str) -> tuple[str, ...]:
    """Return what is left of a code in normal form without PRN at its beginning or end (`Q6H` of `Q6HPRN` and `PRNQ6H`)."""
    found = []
    if normal.endswith(_PRN_WORD):
        found.append(normal.removesuffix(_PRN_WORD).rstrip(":-/,"))
    if normal.startswith(_PRN_WORD):
        found.append(normal.removeprefix(_PRN_WORD).lstrip(":-/,"))
    return tuple(rest for rest in found if rest)
