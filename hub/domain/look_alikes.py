"""Look-alike and sound-alike drug names: which pairs of a directory may be taken for each other, why, and how to tell them apart.

Cyrillic and Latin names are compared in their own letters where both have one alphabet, else as they sound. A pair is flagged by
score, by a shared beginning, by its sound, or because such a pair was published; a pharmacist confirms it (`look_alike_group`) or
dismisses it (`told_apart`) in the directory.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import combinations

from hub.domain.drugs import Drug, DrugDirectory
from hub.domain.identifiers import DrugCode
from hub.domain.sounds import sound, words_of
from hub.domain.word_distance import beginning, bigrams, edits, fewest_edits, jaro_winkler, shared_bigrams

ALIKE_FROM = 66
ALIKE_FROM_WITH_BEGINNING = 57
ALIKE_FROM_WITH_LONG_BEGINNING = 46
SHORTEST_NAME = 4
LONGEST_NAME = 30
LONG_BEGINNING = 4
HEARD_COUNTS_LESS = 6
_LEAST_SHARED = 0.38
_LEAST_END = 2
_MOST_LENGTHS_APART = 3
_ENDINGS = re.compile(
    r"\b(?:sodium|potassium|calcium|magnesium|hydrochloride|hcl|chloride|sulfate|sulphate|phosphate|acetate|citrate|tartrate|succinate|maleate|"
    r"fumarate|mesylate|nitrate|bromide|propionate|gluconate|carbonate|oxide|acid|tab|tablets?|caps?|capsules?|injection|inj|solution|soln|susp|"
    r"suspension|cream|ointment|oint|gel|patch|powder|nasal|oral|liquid|iv|ophth|ophthalmic|neb|flush|supps?|syringe|vag|otic|spray|inhaler|er|xr|"
    r"sr|xl|ec|dr|meq|ml|mg|ns|натрия|калия|кальция|магния|гидрохлорид|хлорид|сульфат|фосфат|ацетат|цитрат|тартрат|сукцинат|малеат|кислота|"
    r"таблетки|раствор|мазь|крем|гель|спрей|мв|ретард)\b"
)
_SPOKEN = str.maketrans("bdgvoe", "ptkfai")


class Likeness(StrEnum):
    """Why two names may be taken for each other."""

    ONE_LETTER = "one-letter"
    SOUND = "sound"
    BEGINNING = "beginning"
    LETTERS = "letters"
    KNOWN = "known"


LIKENESS_WORDS: Mapping[Likeness, tuple[str, str]] = {
    Likeness.ONE_LETTER: ("they differ by one letter", "отличаются одной буквой"),
    Likeness.SOUND: ("they sound alike", "похоже звучат"),
    Likeness.BEGINNING: ("they begin alike", "одинаково начинаются"),
    Likeness.LETTERS: ("most of their letters are the same", "большинство букв совпадает"),
    Likeness.KNOWN: ("this pair is known to be mixed up", "эту пару путают, есть сообщения"),
}

# Pairs that were published as mixed up (ISMP and FDA lists of tall-man names) and that no distance finds.
_KNOWN = tuple(
    tuple(sound(name) for name in pair.split("/"))
    for pairs in (
        "metformin/metronidazole risperidone/ropinirole levetiracetam/levofloxacin hydromorphone/morphine hydrocodone/oxycodone zantac/xanax",
        "celebrex/cerebyx medroxyprogesterone/methylprednisolone azathioprine/azacitidine azathioprine/azithromycin tramadol/trazodone",
        "dexmedetomidine/dexamethasone lorazepam/alprazolam epinephrine/ephedrine cisplatin/carboplatin",
    )
    for pair in pairs.split()
)


@dataclass(frozen=True, slots=True)
class LookAlike:
    """Two names that may be taken for each other: `score` of 100, why, and how each is written to be told apart."""

    first: str
    second: str
    score: int
    why: tuple[Likeness, ...]
    tall: tuple[str, str]

    def said(self, language: str) -> str:
        """Return the reasons in `ru` or `en`."""
        return ", ".join(LIKENESS_WORDS[one][1 if language == "ru" else 0] for one in self.why)


@dataclass(frozen=True, slots=True)
class DrugPair:
    """A pair of names and the drugs of the directory that bear them; `confirmed`: the directory has them in one group already."""

    names: LookAlike
    first: tuple[DrugCode, ...]
    second: tuple[DrugCode, ...]
    confirmed: bool


@lru_cache(maxsize=16384)
def bare_name(text: str) -> str:
    """Return a name as names are compared: small letters, without brackets, salts, forms and figures."""
    plain = re.sub(r"\([^)]*\)|[^\w\s]|\d\S*|_", " ", text.casefold().replace("ё", "е"))
    kept = words_of(_ENDINGS.sub(" ", plain)) or words_of(plain)
    return " ".join(word for word in kept if len(word) > 1)[:LONGEST_NAME].strip()


@lru_cache(maxsize=16384)
def spoken(name: str) -> str:
    """Return what is heard of a name: voiced and unvoiced consonants and unstressed vowels fall together."""
    heard = "".join(sound(word) for word in words_of(name)).translate(_SPOKEN)
    return re.sub(r"(.)\1", r"\1", heard)


def look_alike(first: str, second: str) -> LookAlike | None:
    """Return why two names may be taken for each other, or None; the order of the two does not matter."""
    first, second = sorted((bare_name(first), bare_name(second)))
    if first == second or min(len(first), len(second)) < SHORTEST_NAME:
        return None
    written, heard = _forms(first, second), (spoken(first), spoken(second))
    known = _is_known(first, second)
    least = 0 if known else _least_score(*written)
    score = max(_score(*written, least), _score(*heard, least + HEARD_COUNTS_LESS) - HEARD_COUNTS_LESS)
    why = (*_reasons(written, heard, score, written == (first, second)), *([Likeness.KNOWN] if known else []))
    return LookAlike(first, second, score, why, tall_man(first, second)) if why else None


def _forms(first: str, second: str) -> tuple[str, str]:
    """Return both names in one alphabet: their own, or as they sound."""
    if first.isascii() == second.isascii():
        return first, second
    return "".join(map(sound, words_of(first))), "".join(map(sound, words_of(second)))


def _least_score(first: str, second: str) -> int:
    """Return from which score two names count as alike: lower where they begin alike, as beginnings are what people read."""
    begun = beginning(first, second)
    if begun >= LONG_BEGINNING and abs(len(first) - len(second)) <= _MOST_LENGTHS_APART:
        return ALIKE_FROM_WITH_LONG_BEGINNING
    return ALIKE_FROM_WITH_BEGINNING if begun > 1 else ALIKE_FROM


def _score(first: str, second: str, least: int) -> int:
    """Return how much of two names agrees, of 100: the mean of letters in place, Jaro-Winkler, and pairs of letters.

    Returns 0 where it cannot reach `least`, without looking closer.
    """
    longest = max(len(first), len(second)) or 1
    alike = shared_bigrams(first, second)
    if 100 * (2 - fewest_edits(first, second) / longest + alike) < 3 * least - 3:
        return 0
    alike += jaro_winkler(first, second)
    if 100 * (1 - fewest_edits(first, second) / longest + alike) < 3 * least - 3:
        return 0
    return round(100 * (1 - edits(first, second) / longest + alike) / 3)


def _reasons(written: tuple[str, str], heard: tuple[str, str], score: int, one_alphabet: bool) -> Iterator[Likeness]:
    near = _is_one_edit(*written)
    if near and one_alphabet:
        yield Likeness.ONE_LETTER
    elif near or heard[0] == heard[1] or (min(map(len, heard)) > SHORTEST_NAME and _is_one_edit(*heard)):
        yield Likeness.SOUND
    if beginning(*written) > 1 and score >= _least_score(*written):
        yield Likeness.BEGINNING
    if score >= ALIKE_FROM:
        yield Likeness.LETTERS


def _is_one_edit(first: str, second: str) -> bool:
    return fewest_edits(first, second) <= 1 and edits(first, second) == 1


def _is_known(first: str, second: str) -> bool:
    sounds = {"".join(map(sound, words_of(first))), "".join(map(sound, words_of(second)))}
    return any(sounds == set(pair) for pair in _KNOWN)


def tall_man(first: str, second: str) -> tuple[str, str]:
    """Return both names with capitals where they differ (`vinBLAstine`, `vinCRIstine`), in either alphabet.

    The shared beginning and end stay small. Where too little would be left to see, the end is written in capitals from the
    syllable before: `predniSONE`, `predniSOLONE`.
    """
    start = beginning(first, second)
    end = beginning(first[start:][::-1], second[start:][::-1])
    end = end if end >= _LEAST_END else 0
    if min(len(first), len(second)) - start - end < 2:
        end = 0
        if start > 2 and min(len(first), len(second)) - start < 3:
            start -= 2
    return _capitals(first, start, end), _capitals(second, start, end)


def _capitals(name: str, start: int, end: int) -> str:
    stop = len(name) - end
    return name[:start] + name[start:stop].upper() + name[stop:]


def pairs_of_names(names: Iterable[str]) -> tuple[LookAlike, ...]:
    """Return the look-alikes among names, the nearest first; only names that share letters, a beginning or a sound are compared."""
    bare = sorted({bare_name(name) for name in names} - {""})
    candidates = {*_by_letters(bare), *_by_beginning(bare), *_by_key(bare, spoken), *_by_known(bare)}
    found = (look_alike(first, second) for first, second in candidates)
    return tuple(sorted((pair for pair in found if pair is not None), key=lambda pair: (-pair.score, pair.first, pair.second)))


def _by_letters(names: list[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs that share a third of their pairs of letters, as they sound; one pass over an index of pairs of letters."""
    grams = [bigrams("".join(map(sound, words_of(name)))) for name in names]
    index: dict[str, list[int]] = defaultdict(list)
    for number, held in enumerate(grams):
        shared: Counter[int] = Counter()
        for gram in held:
            shared.update(index[gram])
            index[gram].append(number)
        size = len(held)
        yield from ((names[other], names[number]) for other, count in shared.items() if 2 * count >= _LEAST_SHARED * (size + len(grams[other])))


def _by_beginning(names: list[str]) -> Iterator[tuple[str, str]]:
    return _by_key(names, lambda name: name[:LONG_BEGINNING])


def _by_key(names: list[str], key: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    held: dict[str, list[str]] = defaultdict(list)
    for name in names:
        held[key(name)].append(name)
    for alike in held.values():
        yield from combinations(alike, 2)


def _by_known(names: list[str]) -> Iterator[tuple[str, str]]:
    heard: dict[str, list[str]] = defaultdict(list)
    for name in names:
        heard["".join(map(sound, words_of(name)))].append(name)
    for first, second in _KNOWN:
        yield from ((one, other) for one in heard.get(first, ()) for other in heard.get(second, ()))


def look_alikes_of(directory: DrugDirectory) -> tuple[DrugPair, ...]:
    """Return the pairs of a directory's names (INN and trade) that may be taken for each other and are of different substances.

    Pairs that a pharmacist has dismissed in the directory are left out.
    """
    bearers = _bearers(directory.values())
    pairs = []
    for names in pairs_of_names(bearers):
        first, second = bearers[names.first], bearers[names.second]
        if _of_one_substance(first, second) or _told_apart(first, second):
            continue
        confirmed = bool(_groups(first) & _groups(second))
        pairs.append(DrugPair(names, _codes(first), _codes(second), confirmed))
    return tuple(pairs)


def _bearers(drugs: Iterable[Drug]) -> Mapping[str, list[Drug]]:
    found: dict[str, list[Drug]] = defaultdict(list)
    for drug in sorted(drugs, key=lambda drug: drug.code):
        for name in {bare_name(drug.inn), bare_name(drug.trade_name)} - {""}:
            found[name].append(drug)
    return found


def _of_one_substance(first: list[Drug], second: list[Drug]) -> bool:
    """Tell whether two names are but two names, salts or spellings of what holds the same substance."""
    return any(
        bare_name(one.inn) == bare_name(other.inn) or _heard(one) == _heard(other) for one in first for other in second
    )


def _heard(drug: Drug) -> str:
    return "".join(map(sound, words_of(bare_name(drug.inn))))


def _told_apart(first: list[Drug], second: list[Drug]) -> bool:
    return any(_dismisses(one, other) or _dismisses(other, one) for one in first for other in second)


def _dismisses(one: Drug, other: Drug) -> bool:
    names = {bare_name(name) for name in one.told_apart.split(";")} - {""}
    return bool(names & {bare_name(other.inn), bare_name(other.trade_name), other.code.casefold()})


def _groups(drugs: list[Drug]) -> set[str]:
    return {drug.look_alike_group for drug in drugs} - {""}


def _codes(drugs: list[Drug]) -> tuple[DrugCode, ...]:
    return tuple(drug.code for drug in drugs)


def groups_of(pairs: Iterable[DrugPair]) -> tuple[frozenset[str], ...]:
    """Return the names that hang together by pairs, the largest groups first."""
    groups: dict[str, set[str]] = {}
    for pair in pairs:
        joined = groups.get(pair.names.first, {pair.names.first}) | groups.get(pair.names.second, {pair.names.second})
        groups.update(dict.fromkeys(joined, joined))
    distinct = {frozenset(group) for group in groups.values()}
    return tuple(sorted(distinct, key=lambda group: (-len(group), sorted(group))))
