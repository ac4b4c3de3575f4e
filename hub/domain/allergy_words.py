"""What a text about allergies says: what of it is told and what denied, and how grave the reaction was."""

import re
from collections.abc import Iterable
from functools import lru_cache

_PARTS = re.compile(r"[;.\n]+|,(?!\d)|\s+(?=кроме\b|но\b|однако\b|except\b|but\b|however\b)|\s+(?=(?:есть|имеется|отмечает)\s)")
_EXCEPT = re.compile(r"^(кроме|но|однако|except( for)?|but|however|есть|имеется|отмечает)\b", re.IGNORECASE)
_TOLD = re.compile(
    r"аллергия|анафила|сыпь|крапивниц|отек|отёк|реакци|непереносим|не переносит|шок|квинке|зуд|allergic|allergy to|anaphyla|rash|hives|reaction|intoleran|swelling",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"""(?<!не\ )(?<!not\ )\bотриц | \bне\ (отягощ|отмеч|выявл|было|установл|зарегистр|указ|наблюд|страда) | \bбез\ (особенност|аллерг)
    | аллерг\w*(\ анамнез\w*)?\s*[:—–-]?\s*(нет|отсутств|споко|чист) | \b(нет|отсутств\w*)\ .{0,30}(аллерг|непереносим) | \bотсутств\w*\b
    | \bnk(d|f|m)?as?\b | \bno\ (known|drug|medication|food|documented|history)\b | \bno\ .{0,20}allerg | \bnot?\ allergic | (?<!not\ )\bden(y|ies|ied)\b
    | \bnever\ (had|allergic) | \bnegative\ for\b | [:—–-]\s*(нет|no|none|нету)\s*$ | ^\s*(нет|no|none|nil|нету|-+|—|0)?\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
_DENIED_TWICE = re.compile(r"\bне\ отриц|(\bnot|n't|n’t) den(y|ied)|\bне исключ|\bне переносит", re.IGNORECASE)
_WITH_OBJECT = re.compile(r"\b(на|к|to|of|for)\b", re.IGNORECASE)
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
        elif _TOLD.search(body) or not (denied and goes_on):
            told += [denied, body] if denied and _contradicts(body) else [body]
            denied = ""
    return tuple(told)


def _contradicts(part: str) -> bool:
    """Tell whether a part tells of a reaction and names nothing for it: then it may be meant of what was denied before."""
    return bool(_TOLD.search(part)) and not _WITH_OBJECT.search(part)


def _parted(text: str) -> Iterable[tuple[str, str]]:
    start, separator = 0, ""
    for found in _PARTS.finditer(text):
        yield separator, text[start : found.start()].strip()
        start, separator = found.end(), found.group().strip()[:1]
    yield separator, text[start:].strip()


def _is_denied(part: str) -> bool:
    return bool(_DENIED.search(part)) and not _DENIED_TWICE.search(part)


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
