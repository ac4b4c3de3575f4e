"""What a text about allergies says: what of it is told and what denied, and how grave the reaction was.

A denial counts where it governs a whole part ("NKDA", "аллергии нет") or stands before what it denies ("отрицает аллергию на …").
What follows an allergen, or stands in brackets after it, tells of the reaction and takes nothing back.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

_PARTS = re.compile(r"[;.\n]+|,(?!\d)|\s+(?=кроме\b|но\b|однако\b|except\b|but\b|however\b)|(?<!\bне)(?<!\bнет)\s+(?=(?:есть|имеется|отмечает)\s)", re.IGNORECASE)
_BRACKETED = re.compile(r"\([^()]*(?:\)|$)|\[[^\[\]]*(?:\]|$)")
_EXCEPT = re.compile(r"^(кроме|но|однако|except( for)?|but|however|есть|имеется|отмечает)\b", re.IGNORECASE)
_REACTION = r"анафила\w*|сыпь|сыпи|крапивниц\w*|отек\w*|отёк\w*|шок\w*|квинке|зуд\w*|anaphyla\w*|rash\w*|hives|swelling|itching"
_SYMPTOM = re.compile(rf"\b(?:{_REACTION})\b", re.IGNORECASE)
_TOLD = re.compile(rf"аллергия|{_REACTION}|реакци|непереносим|не переносит|allergic|allergy to|reaction|intoleran", re.IGNORECASE)
_DESCRIBED = re.compile(
    rf"\b(?:{_REACTION}|реакци[яюие]\w*|тошнот\w*|рвот\w*|диаре\w*|одышк\w*|удушь\w*|бронхоспазм\w*|головокруж\w*|покраснен\w*|гиперем\w*"
    r"|дерматит\w*|nausea|vomiting|diarrh\w*|dyspn\w*|bronchospasm\w*|dizziness|itch\w*|urticaria|angioedema|upset|cough|headache|swell\w*)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^(?:(?:лекарственн\w*|пищев\w*|drug|food|known)\s+)?(?:аллерг\w*(?:\s+анамнез\w*)?|аллергоанамнез|allerg\w*(?:\s+(?:history|status))?)\s*[:—–-]\s*",
    re.IGNORECASE,
)
_SUBJECT = r"(?:(?:лекарственн\w*|пищев\w*|аллергическ\w*)\s+)*(?:аллерг\w*|реакци\w*|непереносимост\w*|анафилакси\w*|сыпи|зуда|отека|отёка)"
_OBJECT = r"(?:\s+(?:на\s+)?(?:(?:препарат\w*|групп\w*|лекарств\w*)\s+)?[\w-]+(?:\s+(?:и|или)\s+[\w-]+)*)?"
_SINCE = r"(?:\s+(?:ранее|раньше|никогда|пациент\w*|больн\w*))*"
_WITHOUT = r"(?:нет|не\s+(?:было|отмеча\w*|отмечено|выявл\w*|наблюда\w*|отягощ\w*)|отсутству\w*|отсутствует)"
_BEFORE = r"""отрица\w*|нет\ (?:указаний|аллерг|непереносим|лекарственн|пищев|реакци)|не\ (?:отмеча\w*|выявл\w*|было|страда\w*|наблюда\w*)
    \ |без\ (?:особенност|аллерг)|отсутств\w*\ .{0,30}(?:аллерг|непереносим)|no\ (?:known|drug|medication|food|documented|history)\b|no\ .{0,20}allerg
    |not?\ allergic|den(?:y|ies|ied)\b|never\ (?:had|allergic)|negative\ for\b"""
_DENIED = re.compile(
    rf"""^(?:нет|no|none|nil|нету|-+|—|0|nk(?:d|f|m)?as?|не\ (?:отягощ|выявл|отмеч|было)\w*|споко\w*|чист\w*|отсутству\w*|отрица\w*|denie[sd])?$
    | ^(?:у\s+\w+\s+)?(?:(?:the\s+)?(?:patient|pt)\s+|пациент\w*\s+|больн\w*\s+)?(?:{_BEFORE})
    | ^(?:на\s+[\w-]+\s+)?{_SUBJECT}{_OBJECT}{_SINCE}\s+{_WITHOUT}$
    | ^(?:аллерги[юи]|реакци[июй]|непереносимость){_OBJECT}{_SINCE}\s+отрица\w*$
    | ^аллерг\w*(?:\s+анамнез\w*)?\s+(?:нет|отсутств\w*|споко\w*|чист\w*|не\ отягощ\w*)$
    | ^(?:лекарственн\w*\s+)?аллерг\w*(?:\s+реакци\w*)?\s+не\s+(?:установл|зарегистр|выявл|отмеч)\w*$
    | ^[^:—–-]+[:—–-]\s*(?:нет|no|none|нету)$""",
    re.IGNORECASE | re.VERBOSE,
)  # fmt: skip
_DENIED_TWICE = re.compile(r"\bне\ отриц|(\bnot|n't|n’t) den(y|ied)|\bне исключ|\bне переносит", re.IGNORECASE)
_WITH_OBJECT = re.compile(r"\b(на|к|to|of|for)\b", re.IGNORECASE)
_ENDS_DENIED = ("не было", "нет", "не отмечает", "не отмечалось", "не выявлено", "отсутствует", "отрицает")
_GRAVE = re.compile(
    r"criticality:?\s+high|high criticality|severity:?\s+severe|\bsevere\b|life.?threat|anaphyla|анафила|квинке|quincke|angio.?o?edema|ангио(невротич|от[её]к|эд)|"
    r"stevens|стивенс|lyell|лайел|necrolys|некролиз|тяж[её]л|\bшок\w*|\bshock\b|угрож\w+ жизн",
    re.IGNORECASE,
)  # fmt: skip


@lru_cache(maxsize=8192)
def allergens(text: str) -> tuple[str, ...]:
    """Return the parts of a text that tell of an allergy; what it denies ("нет", "NKDA", "отрицает аллергию на …") is left out.

    A list that follows a denial with its object goes on being denied, up to a word that tells of a reaction.
    """
    told: list[str] = []
    denied = ""
    for separator, part in _parted(text):
        body = _EXCEPT.sub("", part).strip()
        goes_on = separator == "," and body == part
        if _is_denied(body):
            denied = body if _WITH_OBJECT.search(body) else ""
            told += _told_in_brackets(body)
        elif _TOLD.search(body) or not (denied and goes_on):
            told += [denied, body] if denied and _contradicts(body) else [body]
            denied = ""
    return tuple(told)


def _contradicts(part: str) -> bool:
    """Tell whether a part tells of a reaction and names nothing for it: then it may be meant of what was denied before."""
    return bool(_TOLD.search(part)) and not _WITH_OBJECT.search(part)


def _told_in_brackets(part: str) -> list[str]:
    """Return what stands in the brackets of a denied part and is not denied itself: "нет (кроме пенициллина)"."""
    inner = [found.group()[1:].rstrip(")]") for found in _BRACKETED.finditer(part)]
    return [told for each in inner for told in allergens(each)]


def _parted(text: str) -> Iterable[tuple[str, str]]:
    """Yield each part of a text with the separator before it; brackets stay with what they stand beside."""
    bracketed = [found.span() for found in _BRACKETED.finditer(text)]
    start, separator = 0, ""
    for found in _PARTS.finditer(text):
        if any(begins <= found.start() < ends for begins, ends in bracketed):
            continue
        yield separator, text[start : found.start()].strip()
        start, separator = found.end(), found.group().strip()[:1]
    yield separator, text[start:].strip()


def _is_denied(part: str) -> bool:
    """Tell whether a denial governs a part; brackets aside, and a named reaction to something outweighs it."""
    bare = " ".join(_BRACKETED.sub(" ", part).split())
    if not bare and part:
        return False
    said = _LABEL.sub("", bare)
    outweighed = bool(_SYMPTOM.search(said) and _WITH_OBJECT.search(said) and not said.casefold().endswith(_ENDS_DENIED))
    return not outweighed and not _DENIED_TWICE.search(bare) and any(_DENIED.match(each) for each in (bare, said))


def tells_of_reaction(part: str) -> bool:
    """Tell whether a part describes a reaction and names nothing for it: "отёк Квинке в 2010 году", "rash"."""
    return bool(_DESCRIBED.search(part)) and not _WITH_OBJECT.search(part)


@lru_cache(maxsize=8192)
def is_high_criticality(text: str) -> bool:
    """Tell whether a text says that the reaction was grave, or might be: anaphylaxis, Quincke's oedema, `criticality high` …"""
    return any(_GRAVE.search(part) for part in allergens(text))


def allergy_text(substance: str, *, criticality: str = "", severity: str = "", reactions: Iterable[str] = ()) -> str:
    """Return an allergy as one text that keeps how grave it is: `penicillin (criticality high, severity severe, rash)`.

    `criticality` and `severity` are codes of FHIR AllergyIntolerance (high, low …; mild, moderate, severe).
    """
    words = [f"criticality {criticality}" if criticality else "", f"severity {severity}" if severity else "", *reactions]
    kept = " / ".join(word.replace(",", " ").strip() for word in words if word.strip())
    return f"{substance} ({kept})" if kept else substance
