"""Names that people mix up, written with capitals where they differ; any other name stays as it is in the directory.

Only names that the directory has in one look-alike group are written so: where everything is in capitals, nothing stands out.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

from hub.domain.drugs import Drug
from hub.domain.look_alikes import bare_name, look_alike, tall_man

TallNames = Mapping[str, str]
"""From a name as names are compared (`bare_name`) to how it is written."""
LONGEST_ABBREVIATION = 4
_WRITTEN_TALL = re.compile(r"[^\W\d_]*[a-zа-яё][A-ZА-ЯЁ]\w*")


def tall_names_of(drugs: Iterable[Drug]) -> TallNames:
    """Return how the names of each look-alike group are written, each told apart from the one it is nearest to."""
    groups: dict[str, list[Drug]] = defaultdict(list)
    for drug in drugs:
        groups[drug.look_alike_group].append(drug)
    nearest: dict[str, tuple[int, str]] = {}
    for group, members in sorted(groups.items()):
        for score, written in _pairs(members) if group else ():
            for tall in written:
                nearest[tall.casefold()] = max(nearest.get(tall.casefold(), (-1, "")), (score, tall))
    return {name: tall for name, (_, tall) in nearest.items()}


def _pairs(members: list[Drug]) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield how the names of each two substances are written, and how near they are; the directory says that they are mixed up.

    Two names without a beginning or end in common are left alone: all of both would be capitals.
    """
    inns = {drug.code: bare_name(drug.inn) for drug in members}
    names = sorted(
        {(name, inns[drug.code]) for drug in members for name in (inns[drug.code], bare_name(drug.trade_name)) if name}
    )
    for (one, inn), (other, another) in combinations(names, 2):
        written = tall_man(one, other)
        if inn == another or one == other or any(tall.isupper() for tall in written):
            continue
        found = look_alike(one, other)
        yield found.score if found is not None else 0, written


def written_tall(text: str, names: TallNames) -> str:
    """Write a name with the capitals of its pair; salts, forms and strengths, and what the directory writes so itself, stay.

    Only letters change their case: what is searched without regard to case finds the name as before.
    """
    for word in names.get(bare_name(text), "").split():
        text = _one_word(text, word)
    return text


def _one_word(text: str, tall: str) -> str:
    loose = re.escape(tall.casefold()).replace("е", "[её]")
    return re.sub(rf"(?<!\w){loose}(?!\w)", lambda found: _capitals(found[0], tall), text, count=1, flags=re.IGNORECASE)


def _capitals(word: str, tall: str) -> str:
    if _WRITTEN_TALL.fullmatch(word) or _is_abbreviation(word):
        return word
    return "".join(_large(own) if model.isupper() else own.lower() for own, model in zip(word, tall, strict=True))


def _is_abbreviation(word: str) -> bool:
    """Tell whether a word is one that is written in capitals wherever it stands (`АЦЦ`), and no name in capitals."""
    return word.isupper() and 2 <= len(word) <= LONGEST_ABBREVIATION


def _large(letter: str) -> str:
    """Write a letter large; one whose capital is another letter (`µ`) stays."""
    return letter.upper() if letter.upper().lower() == letter.lower() else letter
