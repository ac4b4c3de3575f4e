"""Which drug of the directory a row of a sheet means: by code, or by exactly equal name, strength and form."""

import re
from collections import defaultdict
from collections.abc import Mapping

from hub.adapters.intake.table import normalised
from hub.domain.drugs import Drug, DrugDirectory, Form
from hub.domain.identifiers import DrugCode
from hub.domain.quantities import unit_named

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
_Key = tuple[str, str]


def form_named(text: str) -> Form | None:
    """Return the form a sheet writes (`таб.`, `р-р для инъекций`); None where it is not known."""
    words = normalised(text).split()
    return _FORMS.get(words[0].strip(".,")) if words else None


def strength_key(text: str) -> str:
    """Return a strength as strengths are compared: units by their canonical names, point for comma, no spaces."""
    plain = normalised(text).replace(",", ".")
    return re.sub(r"\s+", "", _WORD.sub(lambda word: unit_named(word[0]) or word[0], plain)).casefold()


class DrugMatcher:
    """The directory by code and by (name, strength); INN and trade name both count as the name."""

    def __init__(self, directory: DrugDirectory) -> None:
        self._directory = directory
        self._by_name: dict[_Key, list[Drug]] = defaultdict(list)
        for drug in directory.values():
            for name in {normalised(drug.inn), normalised(drug.trade_name)} - {""}:
                self._by_name[name, strength_key(drug.strength)].append(drug)

    def match(self, code: str, name: str, strength: str, form: str) -> tuple[DrugCode, str]:
        """Return (drug code, doubt): `?` and the text where no drug matches; a doubt is what a person must look at."""
        text = " ".join(part for part in (name, strength, form) if part)
        if code:
            return DrugCode(code), self._doubt(code, name)
        wanted = form_named(form)
        found = [
            drug
            for drug in self._by_name.get((normalised(name), strength_key(strength)), ())
            if wanted is None or drug.form is wanted
        ]
        if len(found) != 1 or (form and wanted is None):
            return DrugCode(f"?{text}"), ""
        return found[0].code, ""

    def _doubt(self, code: str, name: str) -> str:
        drug = self._directory.get(DrugCode(code))
        if drug is None or not name or normalised(name) in (normalised(drug.inn), normalised(drug.trade_name)):
            return ""
        return f"the code {code} is of '{drug.inn}' and the sheet says '{name}'"
