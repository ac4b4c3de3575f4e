"""What a person should see beside an order of HL7: who signed, instructions, and what no member of a line holds."""

from collections.abc import Iterator

from hub.adapters.intake.hl7.er7 import Element, Segment
from hub.adapters.intake.hl7.groups import Group
from hub.adapters.intake.hl7.order_fields import FIELDS, unit_of


def signed_by(common: Segment | None, encoded: Segment | None) -> str:
    """Return who ordered (ORC-12, else RXE-13): the family and given names, or else the number."""
    providers = [common.element(12)] if common else []
    providers += [encoded.element(13)] if encoded is not None else []
    for provider in providers:
        parts = (provider.subcomponent(2, 1), provider.component(3), provider.component(4))
        if name := " ".join(part for part in parts if part) or provider.component(1):
            return name
    return ""


def instructions_of(group: Group) -> str:
    """Return what the order says to the patient and to who gives it, in its own words."""
    content = group.content
    if content is None:
        return ""
    fields = FIELDS[content.name].instructions
    return " | ".join(text for at in fields for element in content.repetitions(at) if (text := _words(element)))


def _words(element: Element) -> str:
    return element.component(2) or element.component(5) or element.component(9) or element.component(1)


def note_of(group: Group) -> Iterator[str]:
    """Yield what a person should see beside the line; what tells a mixture comes first."""
    if group.components:
        yield "mixture: " + " + ".join(_component(segment) for segment in group.components)
    content = group.content
    if content is not None:
        at = FIELDS[content.name]
        if strength := content.value(at.strength[0]):
            yield f"strength {strength} {unit_of(content.element(at.strength[1]))}".strip()
        if form := _words(content.element(at.form)):
            yield f"form {form}"
    if text := instructions_of(group):
        yield text
    for segment in group.routes[:1]:
        yield from (f"{name} {told}" for at, name in ((2, "site"), (3, "device"), (4, "method")) if (told := _words(segment.element(at))))
    if group.encoded is not None:
        yield from _of_encoded(group.encoded)
    yield from (text for segment in group.notes if (text := " ".join(map(_whole, segment.repetitions(3)))))


def _of_encoded(encoded: Segment) -> Iterator[str]:
    if dispensed := encoded.value(10):
        yield f"dispensed in all {dispensed} {unit_of(encoded.element(11))}".strip()
    if total := encoded.text(19):
        yield f"total daily dose {total}"
    for element in encoded.repetitions(27):
        yield f"for {_words(element)}"


def _whole(element: Element) -> str:
    return element.component(1) if element.delimiters.component not in element.raw else element.raw


def _component(segment: Segment) -> str:
    unit = unit_of(segment.element(4))
    amount = f"{segment.value(3)} {unit}".strip()
    return f"{_words(segment.element(2))} {amount}".strip()
