"""Quantity and timing as HL7 v2 writes them: TQ1 segments (2.5 on), the TQ type of ORC-7 and RXE-1 (2.1 to 2.4)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

from hub.adapters.intake.hl7.er7 import DELETED, Delimiters, Element, Segment, unescaped
from hub.domain.words import Words

_PHASE = Words("phase range", "диапазон фазы")
_RPT_NAMES = {
    2: Words("calendar alignment", "привязка к календарю"), 3: _PHASE, 4: _PHASE, 11: Words("general timing specification", "общая запись времени"),
}  # fmt: skip
_MEMBERS_RU = {
    "quantity": "количество", "quantity_unit": "единица количества", "patterns": "режим", "times": "время", "duration": "длительность", "starts": "начало",
    "ends": "конец", "priorities": "срочность", "condition": "условие", "text": "текст", "conjunction": "связка", "occurrence": "длительность введения",
    "total": "общее число приёмов", "relative": "очерёдность",
}  # fmt: skip
ROUTINE = frozenset({"R", "ROU", "ROUTINE"})
_ALIGNMENTS = frozenset({"DM", "DW", "DY", "HD", "MY", "NH", "SN", "WY"})


@dataclass(frozen=True, slots=True)
class Pattern:
    """One repeat pattern: code, its text, explicit times (`0600,1800`), period, event with offset, and what else was said."""

    code: str = ""
    text: str = ""
    times: str = ""
    period: str = ""
    period_unit: str = ""
    event: str = ""
    offset: str = ""
    offset_unit: str = ""
    odd: tuple[Words, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """One quantity and timing, nothing of it interpreted; an empty member was not sent."""

    quantity: str = ""
    quantity_unit: str = ""
    patterns: tuple[Pattern, ...] = ()
    times: tuple[str, ...] = ()
    duration: str = ""
    starts: str = ""
    ends: str = ""
    priorities: tuple[str, ...] = ()
    condition: str = ""
    text: str = ""
    conjunction: str = ""
    occurrence: str = ""
    total: str = ""
    relative: str = ""


NOTHING = Written()


def of_tq1(segment: Segment) -> Written:
    """Return what a TQ1 segment says (HL7 v2.5.1, 4.5.4)."""
    return Written(
        quantity=segment.value(2),
        quantity_unit=segment.element(2).subcomponent(2, 1),
        patterns=tuple(_of_rpt(element) for element in segment.repetitions(3)),
        times=tuple(element.component(1) for element in segment.repetitions(4)),
        duration=_length(segment.element(6)),
        starts=segment.value(7),
        ends=segment.value(8),
        priorities=tuple(element.component(1) or element.component(2) for element in segment.repetitions(9)),
        condition=segment.text(10) if not segment.is_deleted(10) else "",
        text=segment.text(11) if not segment.is_deleted(11) else "",
        conjunction=segment.value(12).upper(),
        occurrence=_length(segment.element(13)),
        total=segment.value(14),
        relative=_length(segment.element(5)),
    )


def _of_rpt(element: Element) -> Pattern:
    told = {at: element.component(at) for at in _RPT_NAMES}
    text = element.subcomponent(1, 2) or element.subcomponent(1, 9)
    if told[2] and told[2].upper() not in _ALIGNMENTS and not told[4]:
        # A coded entry in the place of a repeat pattern: code, text and coding system.
        text, told[2], told[3] = text or told[2], "", "" if not told[3].isdigit() else told[3]
    return Pattern(
        code=element.subcomponent(1, 1) or text,
        text=text,
        period=element.component(5),
        period_unit=element.component(6),
        event=element.component(8),
        offset=element.component(9),
        offset_unit=element.component(10),
        odd=tuple(Words(f"{_RPT_NAMES[at].en} {said}", f"{_RPT_NAMES[at].ru} {said}") for at, said in told.items() if said),
    )


def _length(element: Element) -> str:
    """Return a CQ as text: `7 D`; of a coded unit the code counts."""
    return f"{element.component(1)} {element.subcomponent(2, 1) or element.subcomponent(2, 2)}".strip()


def of_tq(segment: Segment, field: int) -> tuple[Written, ...]:
    """Return what a field of the older type TQ says, one each repetition (HL7 v2.4, 4.3)."""
    return tuple(written for element in segment.repetitions(field) if (written := _of_tq(element)) != NOTHING)


def _of_tq(element: Element) -> Written:
    delimiters = element.delimiters
    interval = element.raw.split(delimiters.component)[1:2]
    code, times = _interval(interval[0] if interval else "", delimiters)
    return Written(
        quantity=element.subcomponent(1, 1),
        quantity_unit=element.subcomponent(1, 2),
        patterns=(Pattern(code=code, times=times),) if code or times else (),
        duration=element.component(3),
        starts=element.subcomponent(4, 1),
        ends=element.subcomponent(5, 1),
        priorities=(element.component(6),) if element.component(6) else (),
        condition=element.component(7),
        text=element.component(8),
        conjunction=element.component(9).upper(),
        occurrence=element.component(11),
        total=element.component(12),
        relative=element.component(10),
    )


def _interval(raw: str, delimiters: Delimiters) -> tuple[str, str]:
    sign = delimiters.subcomponent
    code, _, times = raw.partition(sign) if sign else (raw, "", "")
    return tuple("" if part == DELETED else unescaped(part, delimiters).strip() for part in (code, times))  # type: ignore[return-value]


def merged(sources: Sequence[tuple[str, tuple[Written, ...]]], unsupported: list[Words]) -> tuple[Written, ...]:
    """Return the timings of an order whose message says them in several places, the first place before the others.

    Places that say different things are named; one timing in each of two places is taken member by member.
    """
    told = [(place, written) for place, written in sources if written]
    if not told:
        return ()
    first_place, first = told[0]
    for place, others in told[1:]:
        if len(first) == len(others) == 1:
            first = (_joined(first[0], others[0], first_place, place, unsupported),)
        elif first != others:
            unsupported.append(Words(
                f"{first_place} and {place} hold different timings",
                f"в {_place_ru(first_place)} и {_place_ru(place)} разные режимы",
            ))
    return first


def _joined(first: Written, other: Written, place: str, other_place: str, unsupported: list[Words]) -> Written:
    news = {}
    for member in fields(Written):
        ours, theirs = getattr(first, member.name), getattr(other, member.name)
        if not ours and theirs:
            news[member.name] = theirs
        elif ours and theirs and ours != theirs and not _says_the_same(member.name, first, other):
            unsupported.append(Words(
                f"{place} and {other_place} differ in {member.name.replace('_', ' ')}",
                f"в {_place_ru(place)} и {_place_ru(other_place)} различается {_MEMBERS_RU[member.name]}",
            ))
    return replace(first, **news)


def _place_ru(place: str) -> str:
    return place.replace(" of ", " при ")


def _says_the_same(member: str, first: Written, other: Written) -> bool:
    """Tell whether two members differ only in what does not count: a pattern's display text, the case of a code."""
    if member == "priorities":
        return set(first.priorities) | set(other.priorities) <= ROUTINE
    return member == "patterns" and _codes(first.patterns) == _codes(other.patterns)


def _codes(patterns: Iterable[Pattern]) -> list[tuple[str, str]]:
    return [(pattern.code.upper(), pattern.times) for pattern in patterns]
