"""How a page's table of words becomes its words in one language."""

from collections.abc import Iterable, Mapping

from hub.domain.intake_slots import IntakeSlot

Table = Mapping[str, tuple[str, str]]
"""By its name in templates and scripts, a text in Russian and in English."""


def spoken(table: Table, language: str) -> dict[str, str]:
    """Return every word of a table in `ru` or `en`."""
    return {name: said[0 if language == "ru" else 1] for name, said in table.items()}


def slot_names(slots: Iterable[IntakeSlot], language: str) -> dict[str, str]:
    """Return the rounds of the day by their name in the plan, as they are shown."""
    return {slot.name: slot.label_ru if language == "ru" else slot.label_en for slot in slots}
