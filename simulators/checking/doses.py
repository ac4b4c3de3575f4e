"""From the dose to the hand: each dose given was in what was handed over, and what was handed over was given, unit by unit."""

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction

from simulators.checking.book import Amounts, Book, DoseStory, Giving, PackStory, amounts
from simulators.checking.lines import Mismatch
from simulators.checking.plant import Plant

WARD_LANES = frozenset({"injection", "ward-stock"})
IN_PART = "pack-given-in-part"

Handed = set[tuple[str, str]]


def doses_compared(book: Book, handed: Handed, content: Amounts, plant: Plant) -> Iterator[Mismatch]:
    """Yield every disagreement between doses and hands.

    `handed`: (pack, patient) of the truth; `content`: what fell or was put into each (pack, item, lot) by the truth.
    """
    for pack, patient in sorted(handed):
        story = book.packs.get(pack)
        if story is not None and IN_PART not in story.ends:
            yield from _all_given(book, pack, patient, story)
            yield from _as_planned(book, pack, story, content)
    for dose, dose_story in book.doses.items():
        for giving in dose_story.given:
            yield from _was_handed(book, handed, dose, dose_story, giving)
    yield from _from_wards(book, plant)


def _all_given(book: Book, pack: str, patient: str, story: PackStory) -> Iterator[Mismatch]:
    for dose in story.doses:
        told = book.doses.get(dose)
        givings = [(giving.pack, giving.patient) for giving in told.given] if told is not None else []
        if givings != [(pack, patient)]:
            yield {"fact": "dose-handed", "dose": dose, "pack": pack, "ledger": told.ends if told else [], "truth": patient}


def _as_planned(book: Book, pack: str, story: PackStory, content: Amounts) -> Iterator[Mismatch]:
    planned: defaultdict[str, Fraction] = defaultdict(Fraction)
    found: defaultdict[str, Fraction] = defaultdict(Fraction)
    for dose in story.doses:
        if dose in book.doses:
            planned[book.doses[dose].drug] += book.doses[dose].units
    for (name, item, _), quantity in content.items():
        if name == pack:
            found[item] += quantity
    for item in sorted(planned.keys() | found.keys()):
        if planned[item] != found[item]:
            yield {"fact": "units-handed", "pack": pack, "item": item, "ledger": str(planned[item]), "truth": str(found[item])}


def _was_handed(book: Book, handed: Handed, dose: str, story: DoseStory, giving: Giving) -> Iterator[Mismatch]:
    if giving.pack is None:
        if story.lane not in WARD_LANES:
            yield {"fact": "dose-given", "dose": dose, "reason": f"a dose of the lane {story.lane} was given without a pack"}
    elif (giving.pack, giving.patient) not in handed:
        yield {"fact": "dose-given", "dose": dose, "pack": giving.pack, "ledger": giving.patient, "truth": None}
    elif dose not in book.packs[giving.pack].doses:
        yield {"fact": "dose-given", "dose": dose, "pack": giving.pack, "reason": "it was not in this pack"}


def _from_wards(book: Book, plant: Plant) -> Iterator[Mismatch]:
    """What was taken out of the ward's stock for a patient is what the doses given without a pack ask for."""
    told, taken = amounts(), amounts()
    for story in book.doses.values():
        for giving in story.given:
            if giving.pack is None:
                told[giving.patient, story.drug] += story.units
    for (patient, item, _), quantity in plant.given.items():
        taken[patient, item] += quantity
    for key in sorted(told.keys() | taken.keys()):
        if told.get(key, 0) != taken.get(key, 0):
            patient, item = key
            numbers = {"ledger": str(told.get(key, 0)), "truth": str(taken.get(key, 0))}
            yield {"fact": "ward-dose-given", "patient": patient, "item": item, **numbers}
