"""Which drug a FHIR MedicationRequest orders: coded, contained, beside it in the file, or named by an identifier or a text."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from hub.adapters.intake.fhir_model import Concept, Ingredient, Medication, MedicationRequest, Reference
from hub.adapters.intake.fhir_timing import Doubts
from hub.domain.allergies import is_named, names_a_drug
from hub.domain.drugs import Drug, DrugDirectory
from hub.domain.identifiers import DrugCode
from hub.domain.words import Topic, Words

_MEDICATION = msgspec.json.Decoder(Medication)
_LONGEST_TEXT = 500
_USABLE = frozenset({"", "active"})
_INACTIVE = "inactive"
# Code systems of the world: a code of theirs that is also one of the directory may be so by chance, so its display counts.
_FOREIGN = ("whocc.no", "snomed.info", "rxnorm", "/ndc", "2.16.840.1.113883.6.73", "2.16.840.1.113883.6.96", "2.16.840.1.113883.6.88", "2.16.840.1.113883.6.69")


@dataclass(frozen=True, slots=True)
class DrugReader:
    """What reading a drug needs: the directory, and the file's Medications with what may not be ignored of them."""

    directory: DrugDirectory
    medication: Callable[[str], tuple[Medication, tuple[Words, ...]] | None]

    def drug(self, order: MedicationRequest, unsupported: Doubts) -> tuple[DrugCode, str]:
        """Return the first coding that the directory knows, or else the first code; `?` and the text where there is none.

        Where codings or texts name another drug than that, both are told: nobody chooses one in silence.
        """
        concepts = self._concepts(order, unsupported)
        for concept in concepts:
            unsupported += self._named_beside(concept)
        if len(concepts) == 1 and (only := concepts[0]).coding and (code := self._code(only)):
            return DrugCode(code), only.first_text()[:_LONGEST_TEXT]
        text = next((found for concept in concepts if (found := concept.first_text())), "")[:_LONGEST_TEXT]
        codes = [code for concept in concepts if (code := self._code(concept))]
        if not text and not codes:
            unsupported.append(Words("no medication is named", "препарат не указан"))
        if len(set(codes)) > 1:
            unsupported.append(Words("two medications are named: " + " and ".join(codes), "указаны два препарата: " + " и ".join(codes)))
        return DrugCode(codes[0] if codes else f"?{text}"), text

    def _named_beside(self, concept: Concept) -> Iterator[Words]:
        """Yield what a concept names beside the drug of its code: another code of the directory, or another drug in words."""
        codes = list(dict.fromkeys(coding.code for coding in concept.coding if coding.code in self.directory))
        if not codes:
            return
        drug = self.directory[DrugCode(codes[0])]
        if len(codes) > 1:
            named = [_told(code, self.directory[DrugCode(code)]) for code in codes]
            yield Words("two medications are named: " + " and ".join(named), "указаны два препарата: " + " и ".join(named))
        for text in dict.fromkeys(self._other_names(concept, drug)):
            yield Words(
                f"the code is of {_told(codes[0], drug)}, and another medication is named beside it: '{text[:200]}'",
                f"код — препарата {_told(codes[0], drug)}, а рядом назван другой препарат: «{text[:200]}»",
            )

    def _other_names(self, concept: Concept, drug: Drug) -> Iterator[str]:
        """Yield the texts that name another drug: one of the directory, or any where the equal code is of a foreign system."""
        named = [(concept.text, False), *((coding.display, coding.code == drug.code and _is_foreign(coding.system)) for coding in concept.coding)]
        for text, is_foreign in named:
            if text and not is_named(text, drug) and (is_foreign or names_a_drug(text, self.directory)):
                yield text

    def _code(self, concept: Concept) -> str:
        for coding in concept.coding:
            if coding.code in self.directory:
                return coding.code
        return next((coding.code for coding in concept.coding if coding.code), "")

    def _concepts(self, order: MedicationRequest, unsupported: Doubts) -> list[Concept]:
        """Return every way in which the order names its drug: by concept (R4, R5) and by what a reference leads to."""
        if order.medication_codeable_concept and not (order.medication_reference or order.medication):
            return [order.medication_codeable_concept]
        found = [order.medication_codeable_concept] if order.medication_codeable_concept else []
        references = [order.medication_reference] if order.medication_reference else []
        if order.medication is not None:
            found += [order.medication.concept] if order.medication.concept else []
            references += [order.medication.reference] if order.medication.reference else []
        return [*found, *(self._referred(order, reference, unsupported) for reference in references)]

    def _referred(self, order: MedicationRequest, reference: Reference, unsupported: Doubts) -> Concept:
        found = _contained(order, reference.reference) or (
            self.medication(reference.reference) if reference.reference else None
        )
        if found is None:
            name = reference.display or (reference.identifier.value if reference.identifier else "")
            unsupported.append(
                Words(
                    f"the medication {(reference.reference or name or '(no reference)')[:200]} is not in the file",
                    f"препарата {(reference.reference or name or '(без ссылки)')[:200]} нет в файле",
                )
            )
            return Concept(text=name or reference.reference)
        medication, marks = found
        unsupported += [Words(f"medication with {mark.en}", f"препарат: {mark.ru}") for mark in marks]
        if medication.status not in _USABLE:
            unsupported.append(Words(
                f"medication with the status {medication.status[:40]}",
                f"препарат со статусом {medication.status[:40]}",
                about=Topic.NOTE if medication.status == _INACTIVE else Topic.NONE,
            ))
        concept = medication.code or Concept(text=" + ".join(_ingredients(medication)))
        return concept if concept.coding or concept.text else Concept(text=reference.display)


def _told(code: str, drug: Drug) -> str:
    return f"{code} ({drug.inn} {drug.strength})"


def _is_foreign(system: str) -> bool:
    return any(part in system.casefold() for part in _FOREIGN)


def _contained(order: MedicationRequest, reference: str) -> tuple[Medication, tuple[Words, ...]] | None:
    """Return the contained Medication of a `#id`; its marks are the order's, which was looked through as a whole."""
    if not reference.startswith("#"):
        return None
    for raw in order.contained:
        try:
            found = _MEDICATION.decode(raw)
        except (msgspec.MsgspecError, RecursionError):
            continue  # another kind of resource; what is referred to and not found is named
        if found.id.removeprefix("#") == reference[1:]:
            return found, ()
    return None


def _ingredients(medication: Medication) -> Iterator[str]:
    """Yield the names of what a Medication without a code is made of; references are not followed, so no loop can be entered."""
    for ingredient in medication.ingredient:
        if text := _ingredient_text(ingredient):
            yield text


def _ingredient_text(ingredient: Ingredient) -> str:
    concept = ingredient.item_codeable_concept or (ingredient.item.concept if ingredient.item else None)
    reference = ingredient.item_reference or (ingredient.item.reference if ingredient.item else None)
    return concept.first_text() if concept else (reference.display if reference else "")
