"""Which drug of the directory a row of a sheet means: by code, or by exactly equal name, strength and form."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from hub.adapters.intake.table import normalised
from hub.domain.drugs import Drug, DrugDirectory, Form
from hub.domain.identifiers import DrugCode
from hub.domain.quantities import unit_named
from hub.domain.sounds import sound, words_of
from hub.domain.words import Words

_FORM_WORDS: Mapping[Form, str] = {
    Form.TABLET: "таблетки таблетка табл таб tablets tab",
    Form.CAPSULE: "капсулы капсула капс capsules cap",
    Form.AMPOULE: "ампулы ампула амп раствор р-р ampoules amp",
    Form.VIAL: "флаконы флакон фл лиофилизат vials",
    Form.SYRINGE: "шприц шприцы syringes syr",
    Form.BAG: "пакет пакеты контейнер bags",
    Form.BOTTLE: "бутылка бутыль bottles",
    Form.LIQUID: "сироп суспензия микстура liquid syrup",
    Form.DROPS: "капли кап drop",
    Form.POWDER: "порошок пор саше гранулы sachet",
    Form.PATCH: "пластырь patches",
    Form.INHALER: "ингалятор аэрозоль",
    Form.NEBULE: "небулы небула",
    Form.SUPPOSITORY: "суппозитории суппозиторий супп свечи",
    Form.TUBE: "мазь крем гель туба",
    Form.LOZENGE: "пастилки леденцы",
}
_FORMS: Mapping[str, Form] = {
    word: form for form, words in _FORM_WORDS.items() for word in [form.value, *words.split()]
}
_WORD = re.compile(r"[^\W\d_]+")
_MOST_WORDS_OF_A_NAME = 8
_LEAST_LIKENESS = 70
_ALIKE = 10
_Key = tuple[str, str]


def form_named(text: str) -> Form | None:
    """Return the form a sheet writes (`таб.`, `р-р для инъекций`); None where it is not known."""
    words = normalised(text).split()
    return _FORMS.get(words[0].strip(".,")) if words else None


def strength_key(text: str) -> str:
    """Return a strength as strengths are compared: units by their canonical names, point for comma, no spaces."""
    plain = normalised(text).replace(",", ".")
    return re.sub(r"\s+", "", _WORD.sub(lambda word: unit_named(word[0]) or word[0], plain)).casefold()


def drugs_like(text: str, directory: Iterable[Drug], most: int) -> list[Drug]:
    """Return the drugs whose names sound like a text, the likest first and of equals the one of that strength: to choose from, never to take.

    Only names count towards likeness, in either alphabet: an equal strength makes no other drug a suggestion.
    """
    from rapidfuzz import fuzz, process  # only a person's question needs it

    drugs = list(directory)
    heard = [(place, _heard(name)) for place, drug in enumerate(drugs) for name in {drug.inn, drug.trade_name} - {""}]
    said = _heard(text)
    found = process.extract(said, [name for _, name in heard], scorer=fuzz.WRatio, limit=None, score_cutoff=_LEAST_LIKENESS) if said else []
    best: dict[int, int] = {}
    for _, score, at in found:
        best.setdefault(heard[at][0], round(score / _ALIKE))
    ranked = sorted(best, key=lambda place: (-best[place], not _has_strength(text, drugs[place]), drugs[place].code))
    return [drugs[place] for place in ranked[:most]]


def _heard(text: str) -> str:
    """Return how the words of a name sound; units and forms are no part of it."""
    return " ".join(sound(word) for word in words_of(text) if unit_named(word) is None and form_named(word) is None)


def _has_strength(text: str, drug: Drug) -> bool:
    return re.search(rf"(?<![\d.]){re.escape(strength_key(drug.strength))}(?!/)", strength_key(text)) is not None


class DrugMatcher:
    """The directory by code and by (name, strength); INN and trade name both count as the name."""

    def __init__(self, directory: DrugDirectory) -> None:
        self._directory = directory
        self._by_name: dict[_Key, list[Drug]] = defaultdict(list)
        self._names: set[str] = set()
        for drug in directory.values():
            for name in {normalised(drug.inn), normalised(drug.trade_name)} - {""}:
                self._by_name[name, strength_key(drug.strength)].append(drug)
                self._names.add(name)

    def _in_one_cell(self, text: str) -> tuple[str, str, str]:
        """Return (name, strength, form) of `Эгилок таб. 25 мг` written in one cell: the longest name that the text begins with."""
        words = normalised(text).split()
        for end in range(min(len(words), _MOST_WORDS_OF_A_NAME), 0, -1):
            name = " ".join(words[:end]).strip(",;")
            if name in self._names:
                form = next((word.strip(",;") for word in words[end:] if form_named(word.strip(",;"))), "")
                rest = [word for word in words[end:] if word.strip(",;") != form]
                return name, " ".join(rest).strip(" ,;"), form
        return text, "", ""

    def match(self, code: str, name: str, strength: str, form: str) -> tuple[DrugCode, Words | None]:
        """Return (drug code, doubt): `?` and the text where no drug matches; a doubt is what a person must look at."""
        text = " ".join(part for part in (name, strength, form) if part)
        if code:
            return DrugCode(code), self._doubt(code, name)
        if name and not strength:
            name, strength, written_form = self._in_one_cell(name)
            form = form or written_form
        wanted = form_named(form)
        found = [
            drug
            for drug in self._by_name.get((normalised(name), strength_key(strength)), ())
            if wanted is None or drug.form is wanted
        ]
        if len(found) != 1 or (form and wanted is None):
            return DrugCode(f"?{text}"), None
        return found[0].code, None

    def _doubt(self, code: str, name: str) -> Words | None:
        drug = self._directory.get(DrugCode(code))
        if drug is None or not name or normalised(name) in (normalised(drug.inn), normalised(drug.trade_name)):
            return None
        return Words(
            f"the code {code} is of '{drug.inn}' and the sheet says '{name}'",
            f"код {code} — это «{drug.inn}», а в листе написано «{name}»",
        )
