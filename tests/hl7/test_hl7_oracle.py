"""Our ER7 reader beside hl7apy, where that accepts a message: the same segments, fields, repetitions, components and subcomponents."""

from typing import Any

import pytest
from hl7_messages import PID, PV1, adt, message, order, rde
from hl7apy.consts import VALIDATION_LEVEL  # type: ignore[import-untyped]
from hl7apy.parser import parse_message  # type: ignore[import-untyped]

from hub.adapters.intake.hl7.er7 import DELETED, Element, Segment, parse

MESSAGES = (
    rde(), rde(*order(orc="F1^PH||IP||1^BID^D4^20260302^^R|||||D9^Petrov^P~D10^Orlov^I", tq1="")), adt("A01", PID, PV1, "AL1|1|DA|70618^aspirin"),
    adt("A08", "PID|1||1^^^A&1.2.3&ISO^MR~2^^^B^NI||One^Two^Three~Four^Five||19500412|M", "PV1|1|I|A^B^C"), adt("A03", 'PID|1||1||""^x', PV1),
    rde(*order(), "RXC|B|NS^saline|100|ML", version="2.6"), message(PID, PV1, "ORC|NW|A1", "TQ1|1||BID", "RXO|X^Y|1||TAB", "RXR|PO", kind="OMP^O09^OMP_O09"),
)  # fmt: skip


@pytest.mark.parametrize("text", MESSAGES)
def test_both_read_the_same(text: str) -> None:
    theirs = parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=False)
    ours = parse(text)
    assert [segment.name for segment in ours.segments] == [child.name for child in theirs.children]
    for segment, child in zip(ours.segments[1:], theirs.children[1:], strict=True):
        assert _written(segment) == _told(child)


def _written(segment: Segment) -> dict[int, list[list[list[str]]]]:
    """Return the fields that say something: repetitions of components of subcomponents."""
    found = {at: [_parts(element) for element in segment.repetitions(at)] for at in range(1, len(segment.fields))}
    return {at: parts for at, parts in found.items() if parts}


def _parts(element: Element) -> list[list[str]]:
    components = element.raw.split("^")
    parts = [[element.subcomponent(at, sub) for sub in range(1, raw.count("&") + 2)] for at, raw in enumerate(components, start=1)]
    return [one for one in parts if any(one)]


def _told(child: Any) -> dict[int, list[list[list[str]]]]:
    found: dict[int, list[list[list[str]]]] = {}
    for field in child.children:
        parts = [[_value(sub) for sub in component.children] or [_value(component)] for component in field.children] or [[_value(field)]]
        kept = [one for one in parts if any(one)]
        if kept or _value(field) == DELETED:
            found.setdefault(int(field.name.split("_")[-1]), []).append(kept)
    return {at: parts for at, parts in found.items() if any(parts)}


def _value(part: Any) -> str:
    text = part.to_er7()
    return "" if text == DELETED else str(text)
