"""Duplicate therapy: two orders in force of one patient that give the same substance, or two drugs of one group by one route.

Of two such orders the one that was written later is doubted, so that the answer is the same in whatever order they are read. So is one
that is new or changed beside an order that stands: whichever is judged second is asked about, whenever it was written.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType

from hub.domain.drugs import SOLID_FORMS, Drug, DrugDirectory, Form
from hub.domain.identifiers import OrderId, PatientId, derived_id
from hub.domain.lanes import RouteKind, route_kind
from hub.domain.orders import OrderLine, OrderStatus, Reason
from hub.domain.schedule import ScheduleKind, ScheduleRules
from hub.domain.sounds import sound, words_of
from hub.domain.strengths import dispensing_unit, parse_strength

RULE_DUPLICATE = "duplicate-therapy"
RULE_BESIDE = "same-drug-beside"
SOURCE_DUPLICATE = "orders in force of the patient; drug directory: inn, group"
MOST_OTHERS = 200
_SYSTEMIC = frozenset({RouteKind.MOUTH, RouteKind.VEIN, RouteKind.NEEDLE})
_IN_FORCE = frozenset({OrderStatus.ACTIVE, OrderStatus.ON_HOLD, OrderStatus.UNKNOWN})
_AMOUNT = re.compile(r"\d+(?:[.,]\d+)? ?(?:%|(?:mg|mcg|g|gm|ml|units?|iu|meq|мг|мкг|г|мл|ед|ме)\b)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_IN_BRACKETS = re.compile(r"\([^)]*\)")
_FLUID_FORMS = frozenset({Form.BAG, Form.BOTTLE, Form.LIQUID, Form.VIAL, Form.SYRINGE, Form.AMPOULE, Form.OTHER})
_NEVER = datetime.max.replace(tzinfo=UTC)
_ALWAYS = datetime.min.replace(tzinfo=UTC)

# Groups, as they sound, whose drugs are given together on purpose: two of them are told, not asked about.
_COMBINED_GROUPS = tuple(
    sound(stem)
    for stems in (
        "insulin diuretic диуретик мочегон vitamin витамин epileptic эпилептич parkinson паркинсон tensiv тензив калия potassium electrolyt",
        "электролит infusion инфузион laxativ слабит tubercul туберкул retrovir ретровир cytostatic цитостат antineoplastic анальгет analges",
        "гликем glycem glykem диабет diabet агрегант aggregant platelet",
    )
    for stem in stems.split()
)

KindOf = Callable[[OrderLine], ScheduleKind | None]
Divides = Callable[[OrderLine], bool]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an order that may stand beside another: whether it stands or waits, unchanged, the rules of its source (None: those
    of the other), and what a pharmacist let pass beside it (`about_of` of duplicates)."""

    stands: bool = False
    waits: bool = False
    rules: ScheduleRules | None = None
    released: frozenset[str] = frozenset()


NOTHING_KNOWN = Known()


@dataclass(frozen=True, slots=True)
class OtherOrder:
    """Another order of the same patient, its drug, and by what it is compared; `substance` is empty for a carrier."""

    line: OrderLine
    drug: Drug
    substance: tuple[str, ...]
    group: str
    known: Known = NOTHING_KNOWN


@dataclass(frozen=True, slots=True)
class Twin:
    """Another order that gives the same: `same` tells whether it is the substance itself or one of its group."""

    other: OtherOrder
    same: bool


@lru_cache(maxsize=8192)
def substance(inn: str) -> tuple[str, ...]:
    """Return a substance's name as it sounds, without what stands in brackets and without amounts; other numbers are of the name."""
    plain = _AMOUNT.sub(" ", _IN_BRACKETS.sub(" ", inn))
    return (*(sound(word) for word in words_of(plain)), *_NUMBER.findall(plain))


@lru_cache(maxsize=8192)
def _compared(inn: str, group: str, carrier: bool) -> tuple[tuple[str, ...], str]:
    return (() if carrier else substance(inn)), group.strip().casefold()


def is_carrier(drug: Drug) -> bool:
    """Tell whether a drug is a fluid without a stated active amount: several bags of it at once are no duplicate."""
    if drug.form in SOLID_FORMS or drug.form not in _FLUID_FORMS:
        return False
    strength = parse_strength(drug.strength, dispensing_unit(drug))
    return strength is None or not strength.amounts


def by_patient(
    lines: Iterable[OrderLine], directory: DrugDirectory, known: Mapping[OrderId, Known] = MappingProxyType({})
) -> Mapping[PatientId, Sequence[OtherOrder]]:
    """Return the orders that may be in force by patient; what was stopped, is unreadable, has no dose or is unknown to the directory is left out."""
    found: dict[PatientId, list[OtherOrder]] = defaultdict(list)
    for line in lines:
        drug = directory.get(line.drug)
        if drug is not None and line.status in _IN_FORCE and not line.unreadable and _has_dose(line) and len(found[line.patient]) < MOST_OTHERS:
            compared = _compared(drug.inn, drug.group, is_carrier(drug))
            found[line.patient].append(OtherOrder(line, drug, *compared, known.get(line.id, NOTHING_KNOWN)))
    return found


def _has_dose(line: OrderLine) -> bool:
    """Tell whether a line has a dose that may be given: one without is rejected, and its corrected successor stands alone."""
    return line.dose is not None and 0 < line.dose[0].amount <= line.dose[1].amount


def twins_of(line: OrderLine, drug: Drug, others: Sequence[OtherOrder], now: datetime) -> Iterator[Twin]:
    """Yield the orders that come before a line and are in force together with it that give the same, or a drug of its group by its route."""
    own, group = _compared(drug.inn, drug.group, is_carrier(drug))
    if not own:
        return
    route, known = route_kind(line.route), known_among(line, others)
    for other in others:
        same = other.substance == own
        alike = same or (group and other.group == group)
        if not alike or not other.substance or other.line.id == line.id or not comes_before(other, line, known):
            continue
        beside = route_kind(other.line.route)
        if (route == beside or (same and {route, beside} <= _SYSTEMIC)) and _together(line, other.line, now):
            yield Twin(other, same)


def duplicate_doubts(line: OrderLine, twins: Iterable[Twin], kind_of: KindOf, divides: Divides) -> Iterator[Reason]:
    """Yield why a regular order doubles another regular one; a dose made of two strengths, or divided over the day, is none.

    Neither are two drugs of a group that is combined on purpose, such as a basal and a rapid insulin. Two single doses of one
    substance at one minute double each other too. What a pharmacist let pass for the other order of the pair is not asked again.
    """
    return (_reason(RULE_DUPLICATE, twin, "doubles the order", "дублирует назначение") for twin in twins if _doubles(line, twin, kind_of, divides))


def _doubles(line: OrderLine, twin: Twin, kind_of: KindOf, divides: Divides) -> bool:
    kind, other = kind_of(line), twin.other
    if kind is None or kind is not kind_of(other.line) or _about_released(line) in other.known.released:
        return False
    if kind is ScheduleKind.ONCE:
        return twin.same and _minute(line) == _minute(other.line) and not _one_dose(line, twin, divides)
    combined = not twin.same and _is_combined(other.drug.group)
    return kind is ScheduleKind.REGULAR and not combined and not _one_dose(line, twin, divides)


def summed(line: OrderLine, twins: Iterable[Twin], kind_of: KindOf, divides: Divides) -> tuple[OtherOrder, ...]:
    """Return the orders of a line's substance that are given beside it and double nothing: their doses count together."""
    counted = (ScheduleKind.REGULAR, ScheduleKind.PRN)
    if kind_of(line) not in counted:
        return ()
    same = (twin for twin in twins if twin.same and kind_of(twin.other.line) in counted)
    return tuple(twin.other for twin in same if not _doubles(line, twin, kind_of, divides))


def _minute(line: OrderLine) -> datetime:
    return _written_start(line).astimezone(UTC).replace(second=0, microsecond=0)


def _written_start(line: OrderLine) -> datetime:
    return line.starts_at or line.authored_at or _ALWAYS


def duplicate_remarks(line: OrderLine, twins: Iterable[Twin], kind_of: KindOf, divides: Divides) -> Iterator[Reason]:
    """Yield what stands beside a line and is no duplicate: a dose when needed, a single dose, a second strength of one dose."""
    regular = kind_of(line) is ScheduleKind.REGULAR
    for twin in twins:
        both = regular and kind_of(twin.other.line) is ScheduleKind.REGULAR
        if not twin.same and not (both and _is_combined(twin.other.drug.group)):
            continue
        if not both or not twin.same:
            yield _reason(RULE_BESIDE, twin, "stands beside the order", "стоит рядом с назначением")
        elif is_one_dose(line, twin.other.line):
            yield _reason(RULE_BESIDE, twin, "makes one dose together with the order", "составляет одну дозу с назначением")
        elif divides(twin.other.line):
            yield _reason(RULE_BESIDE, twin, "divides the day's dose with the order", "делит суточную дозу с назначением")


def _is_combined(group: str) -> bool:
    return any(stem in sound(word) for word in words_of(group) for stem in _COMBINED_GROUPS)


def known_among(line: OrderLine, others: Iterable[OtherOrder]) -> Known:
    """Return what is known of a line itself, by its own entry among the patient's orders."""
    return next((other.known for other in others if other.line.id == line.id), NOTHING_KNOWN)


def comes_before(other: OtherOrder, line: OrderLine, own: Known) -> bool:
    """Tell whether another order comes before a line: it was written first (then the ids decide), or it stands and the line does not yet.

    One that waits unchanged beside a line that stands is asked about itself.
    """
    if own.stands and other.known.waits:
        return False
    return (_written(other.line), other.line.id) < (_written(line), line.id) or (other.known.stands and not own.stands)


def _written(line: OrderLine) -> datetime:
    return line.authored_at or line.starts_at or _ALWAYS


def _together(line: OrderLine, other: OrderLine, now: datetime) -> bool:
    """Tell whether two orders are in force at one time, from now on: one that begins where the other ends follows it."""
    begins = max(line.starts_at or now, other.starts_at or now, now)
    return begins < min(line.ends_at or _NEVER, other.ends_at or _NEVER)


def _one_dose(line: OrderLine, twin: Twin, divides: Divides) -> bool:
    return twin.same and (is_one_dose(line, twin.other.line) or divides(twin.other.line))


def is_one_dose(line: OrderLine, other: OrderLine) -> bool:
    """Tell whether two orders of one substance make one dose of two strengths: written by one person at one moment for the same times.

    Another strength that was written later is a change whose old order nobody stopped.
    """
    together = line.authored_at is not None and line.authored_at == other.authored_at and line.signed_by == other.signed_by
    return together and line.drug != other.drug and line.timing == other.timing and line.route == other.route


def _about_released(line: OrderLine) -> str:
    return derived_id("about", RULE_DUPLICATE, about_twin(line), digits=16)  # as `about_of` a duplicate's reason


def about_twin(other: OrderLine) -> str:
    """Return what the doubt about a duplicate is about: the other order with its drug and dosages."""
    return derived_id("twin", other.id, other.drug, repr(other.dosages), digits=16)


def _reason(rule: str, twin: Twin, english: str, russian: str) -> Reason:
    other, drug = twin.other.line, twin.other.drug
    named = f"{drug.inn} {drug.strength}".strip()
    what, what_ru = ("the same substance", "то же вещество") if twin.same else (f"the same group, '{drug.group}'", f"та же группа, «{drug.group}»")
    return Reason(
        rule,
        f"this order {english} {other.id} ('{named}', {other.position}): {what}",
        SOURCE_DUPLICATE,
        f"назначение {russian} {other.id} («{named}», {other.position}): {what_ru}",
        about_twin(other) if rule == RULE_DUPLICATE else "",
    )
