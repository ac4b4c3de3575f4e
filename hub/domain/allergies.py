"""Allergies against drugs: by name, group and class, in Russian and English, with what is denied left out.

A false match costs a pharmacist's look, a missed one may cost a life: words are compared by their sound and stem.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from hub.domain.allergy_classes import ANTIBIOTICS, ANY_ANTIBIOTIC, CLASSES, CROSS_REACTIONS, UMBRELLAS
from hub.domain.allergy_known import clauses_to_know, is_of_surroundings
from hub.domain.allergy_words import allergens, is_high_criticality
from hub.domain.drugs import Drug, DrugDirectory
from hub.domain.orders import Reason
from hub.domain.sounds import sound, words_of
from hub.domain.word_distance import edits, fewest_edits

ALLERGY_SOURCE = "patient's allergies; directory INN, trade name and group; classes by ATC and INN stems"
_SHORTEST_STEM = 6
_SHORTEST_NAME = 4
_SHORTEST_MISSPELLED = 7
_BETA = re.compile(r"(?:бета|beta|β)[\s-]+", re.IGNORECASE)
_ATC = re.compile(r"\b[A-Z]\d{2}[A-Z]{1,2}(?:\d{2})?\b")
# Words that many drugs share: alone they name none of them.
_COMMON_WORDS = (
    "sodium potassium calcium magnesium chloride sulfate sulphate hydrochloride hydrochlorid phosphate acetate citrate tartrate succinate "
    "maleate fumarate mesylate bromide nitrate gluconate carbonate acid release extended sustained injection solution suspension tablet "
    "tablets capsule capsules cream topical delayed immediate disintegrating human regular agents drugs allergy allergic reaction "
    "натрия калия кальция магния хлорид сульфат гидрохлорид фосфат ацетат цитрат кислота кислоты препараты препарат средства средство "
    "группы группа аллергия аллергию реакция реакции раствор таблетки капсулы инъекций витамины витамин антибиотики полусинтетические"
)
_COMMON = frozenset(map(sound, _COMMON_WORDS.split()))


class Strength(StrEnum):
    """How an allergy and a drug belong together; the value is the rule's name."""

    SAME = "allergy"
    CLASS = "allergy-class"
    CROSS = "allergy-cross"
    UNCLEAR = "allergy-not-understood"


ALLERGY_RULES = frozenset(strength.value for strength in Strength)


@dataclass(frozen=True, slots=True)
class AllergyHit:
    """An allergy that speaks against a drug; `class_name` is the drug's class (or group), empty where the drug itself is named."""

    allergy: str
    strength: Strength
    class_name: str = ""
    class_ru: str = ""

    @property
    def is_critical(self) -> bool:
        """Tell whether two people must let it pass: the reaction was grave, and the drug is not merely a relative."""
        return self.strength is not Strength.CROSS and is_high_criticality(self.allergy)


@dataclass(frozen=True, slots=True)
class _Named:
    """What a text names: the sounds of its words, its classes of drugs."""

    sounds: tuple[str, ...]
    classes: frozenset[str]


_RUSSIAN = {each.name: each.russian for each in CLASSES}


def allergy_hits(allergies: Iterable[str], drug: Drug, directory: DrugDirectory | None = None) -> tuple[AllergyHit, ...]:
    """Return what speaks against a drug, one hit an allergy: the strongest of its matches.

    A text that names nothing known speaks against every drug; what another drug of the directory is called is known.
    """
    return tuple(hit for text in allergies if (hit := _against(text, drug, directory or {})) is not None)


def is_allergic_to(allergy: str, drug: Drug) -> bool:
    """Tell whether an allergy's text speaks against a drug, as itself, its group, its class or a relative."""
    return any(hit.strength is not Strength.UNCLEAR for hit in allergy_hits((allergy,), drug))


def _against(text: str, drug: Drug, directory: DrugDirectory) -> AllergyHit | None:
    hit = _hit(text, drug.inn, drug.trade_name, drug.group)
    if hit is None and not all(names_a_drug(clause, directory) for clause in _unknown_clauses(text)):
        return AllergyHit(text, Strength.UNCLEAR)
    return hit


@lru_cache(maxsize=8192)
def _unknown_clauses(text: str) -> tuple[str, ...]:
    """Return the parts of a told allergy that name neither a class of drugs nor food or surroundings."""
    return tuple(part for part in clauses_to_know(text) if not (_named(part).classes or is_of_surroundings(part)))


def allergy_reason(hit: AllergyHit, drug: Drug) -> Reason:
    """Return why a pharmacist must look: the allergy, the drug and the class that joins them, and who may let it pass."""
    english, russian = {
        Strength.SAME: (f"the patient's allergy '{hit.allergy}' names this drug ({drug.inn})", f"аллергия пациента «{hit.allergy}» — на этот препарат ({drug.inn})"),
        Strength.CLASS: (
            f"the patient's allergy '{hit.allergy}' is to {hit.class_name}, and {drug.inn} is one of them",
            f"аллергия пациента «{hit.allergy}» — на группу «{hit.class_ru}», к которой относится {drug.inn}",
        ),
        Strength.CROSS: (
            f"the patient's allergy '{hit.allergy}' may cross-react with {drug.inn} ({hit.class_name})",
            f"аллергия пациента «{hit.allergy}»: возможна перекрёстная реакция на {drug.inn} ({hit.class_ru})",
        ),
        Strength.UNCLEAR: (
            f"the patient's allergy '{hit.allergy}' names no drug, class, food or surroundings that are known: it may be to {drug.inn}; ask what it is to",
            f"аллергия пациента «{hit.allergy}» не распознана (ни препарат, ни группа, ни продукт): возможно, на {drug.inn}; уточните, на что она",
        ),
    }[hit.strength]  # fmt: skip
    if hit.is_critical:
        english, russian = f"{english}; the reaction was grave: two people must let it pass", f"{russian}; реакция была тяжёлой: разрешают двое"
    return Reason(hit.strength.value, english, ALLERGY_SOURCE, russian)


@lru_cache(maxsize=16384)
def _hit(text: str, inn: str, trade_name: str, group: str) -> AllergyHit | None:
    found = [hit for clause in allergens(text) if (hit := _clause_hit(text, _spelled(clause), inn, trade_name, group)) is not None]
    return min(found, key=lambda hit: tuple(Strength).index(hit.strength), default=None)


def _clause_hit(text: str, clause: str, inn: str, trade_name: str, group: str) -> AllergyHit | None:
    told, drug, of_group = _named(clause), _named(f"{inn} {trade_name} {group}"), _named(group)
    if _names(told.sounds, inn) or _names(told.sounds, trade_name):
        return AllergyHit(text, Strength.SAME)
    for shared in sorted(told.classes & drug.classes):
        return AllergyHit(text, Strength.CLASS, shared, _RUSSIAN[shared])
    if _share_a_stem(told.sounds, of_group.sounds):
        return AllergyHit(text, Strength.CLASS, group, group)
    for own in sorted(drug.classes):
        if any(frozenset((own, other)) in CROSS_REACTIONS for other in told.classes):
            return AllergyHit(text, Strength.CROSS, own, _RUSSIAN[own])
    return None


@lru_cache(maxsize=8192)
def _spelled(clause: str) -> str:
    """Return a clause that names no class with the names that its misspelled words are one letter away from: "пенецилин"."""
    if _named(clause).classes or is_of_surroundings(clause):
        return clause
    words = (sound(word) for word in words_of(clause))
    meant = {stem for word in words if len(word) >= _SHORTEST_MISSPELLED for stem in _stems_of_classes() if _is_misspelled(word, stem)}
    return " ".join((clause, *sorted(meant)))


@lru_cache(maxsize=1)
def _stems_of_classes() -> tuple[str, ...]:
    return tuple(sorted({stem for _, starts, _, _ in _patterns() for stem in starts if len(stem) >= _SHORTEST_MISSPELLED}))


def _is_misspelled(word: str, stem: str) -> bool:
    beginnings = (word[: len(stem) + longer] for longer in (-1, 0, 1))
    return any(fewest_edits(each, stem) <= 1 and edits(each, stem) <= 1 for each in beginnings)


@lru_cache(maxsize=8192)
def _named(text: str) -> _Named:
    sounds = tuple(sound(word) for word in (*words_of(text), *words_of(_BETA.sub("beta", text) if _BETA.search(text) else "")))
    codes = _ATC.findall(text)
    found = {name for name, starts, whole, prefixes in _patterns() if _is_of(sounds, codes, starts, whole, prefixes)}
    found |= {name for words, names in UMBRELLAS if any(each.startswith(sound(word)) for word in words for each in sounds) for name in names}
    if found == {ANY_ANTIBIOTIC}:
        found |= ANTIBIOTICS
    return _Named(sounds, frozenset(found))


def _is_of(sounds: tuple[str, ...], codes: list[str], starts: tuple[str, ...], whole: frozenset[str], prefixes: tuple[str, ...]) -> bool:
    by_code = any(code.startswith(prefix) or (len(code) > 3 and prefix.startswith(code)) for code in codes for prefix in prefixes)
    return by_code or any(word.startswith(starts) or word in whole for word in sounds)


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, tuple[str, ...], frozenset[str], tuple[str, ...]], ...]:
    return tuple(
        (each.name, tuple(sound(word) for word in (*each.words, *each.members, *each.trade_names)), frozenset(map(sound, each.whole_words)), each.atc)
        for each in CLASSES
    )


def _names(told: tuple[str, ...], name: str) -> bool:
    """Tell whether words name a drug: by a word that is its own, or by the whole name where every word of it is common."""
    own, whole = _words_of_name(name)
    if not own:
        return bool(whole) and whole <= set(told)
    return _share_a_stem(told, own) or (len(own[0]) >= _SHORTEST_NAME and own[0] in told)


def names_a_drug(text: str, directory: DrugDirectory) -> bool:
    """Tell whether a text names any drug of a directory."""
    return bool(directory) and any(_is_in(word, _names_of(directory)) for word in _named(text).sounds)


def is_named(text: str, drug: Drug) -> bool:
    """Tell whether a text names a drug, by its INN or trade name."""
    return _is_named(text, drug.inn, drug.trade_name)


@lru_cache(maxsize=16384)
def _is_named(text: str, inn: str, trade_name: str) -> bool:
    told = _named(text).sounds
    return _names(told, inn) or _names(told, trade_name)


_Names = dict[str, frozenset[str]]
_MOST_DIRECTORIES = 4
_directories: dict[int, tuple[DrugDirectory, int, _Names]] = {}


def _names_of(directory: DrugDirectory) -> _Names:
    """Return the sounds of a directory's own words by their first letters; remembered with the directory itself."""
    known = _directories.get(id(directory))
    if known is None or known[0] is not directory or known[1] != len(directory):
        if len(_directories) >= _MOST_DIRECTORIES:
            _directories.clear()
        known = _directories[id(directory)] = (directory, len(directory), _names_by_beginning(directory))
    return known[2]


def _names_by_beginning(directory: DrugDirectory) -> _Names:
    found: dict[str, set[str]] = {}
    for drug in directory.values():
        for word in (word for name in (drug.inn, drug.trade_name) for word in _words_of_name(name)[0]):
            if len(word) >= _SHORTEST_NAME:
                found.setdefault(word[:_SHORTEST_STEM], set()).add(word)
    return {beginning: frozenset(words) for beginning, words in found.items()}


def _is_in(word: str, names: _Names) -> bool:
    alike = names.get(word[:_SHORTEST_STEM], frozenset())
    return word in alike or any(_same_stem(word, other) for other in alike if min(len(word), len(other)) >= _SHORTEST_STEM)


@lru_cache(maxsize=8192)
def _words_of_name(name: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the sounds of the words that are a name's own, and of all its words."""
    sounds = tuple(map(sound, words_of(name)))
    return tuple(each for each in sounds if each not in _COMMON), frozenset(sounds)


def _share_a_stem(told: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return any(_same_stem(first, second) for first in _stems(told) for second in _stems(words))


@lru_cache(maxsize=16384)
def _stems(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in words if len(word) >= _SHORTEST_STEM and word not in _COMMON)


def _same_stem(first: str, second: str) -> bool:
    """Tell whether two words differ in their endings alone; Russian ones are inflected."""
    stem = max(_SHORTEST_STEM, min(len(first), len(second)) - 2)
    return first[:stem] == second[:stem]
