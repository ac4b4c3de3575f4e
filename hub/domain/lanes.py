"""Lanes: which way a dose takes from the store to the patient, and how many whole or part units then go along."""

import re
from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor

from hub.domain.doses import Lane
from hub.domain.drugs import SOLID_FORMS, Coating, Drug, Form, Storage
from hub.domain.orders import Reason
from hub.domain.quantities import Quantity, convert, fraction_text
from hub.domain.strengths import VOLUME_UNITS, dispensing_unit, is_container_of_many, parse_strength

RULE_ROUTE = "route"
RULE_NOT_PACKED = "route-not-packed"
RULE_FRACTION = "whole-units"
RULE_PLAUSIBLE = "plausible-count"
SOURCE_PLAUSIBLE = "plausibility"
SOURCE_PARTS = "drug directory: divisible_by, coating"
SOURCE_ROUTES = "route table of the lanes"
MOST_PIECES = 20
MOST_SHARED_VIALS = 4
MOST_OF_A_DOSE: Mapping[str, Quantity] = {
    limit.unit: limit
    for limit in (
        Quantity(Fraction(1000), "mL"),
        Quantity(Fraction(100_000_000), "IU"),
        Quantity(Fraction(200), "drop"),
        Quantity(Fraction(MOST_PIECES), "puff"),
        Quantity(Fraction(MOST_PIECES), "spray"),
        Quantity(Fraction(MOST_PIECES), "application"),
        Quantity(Fraction(MOST_PIECES), "dose"),
    )
}


class RouteKind(StrEnum):
    """What a route means for packing: who gives the dose, and from what."""

    MOUTH = "mouth"
    VEIN = "vein"
    NEEDLE = "needle"
    ELSEWHERE = "elsewhere"
    NOT_PACKED = "not-packed"


ROUTES: Mapping[str, RouteKind] = {
    route.replace(" ", ""): kind
    for kind, routes in {
        RouteKind.MOUTH: "PO|PO/NG|NG|OG|PO/OG|PO/PEG|PEG|G TUBE|GT|J TUBE|JT|NJ|ORAL|BY MOUTH|SL|BU|BUCCAL|PO/SL|PER OS|ВНУТРЬ|ПЕРОРАЛЬНО|"
        "П/О|ПО|ПОД ЯЗЫК|СУБЛИНГВАЛЬНО|С/Л|ЗОНД|ЧЕРЕЗ ЗОНД|В ЗОНД",
        RouteKind.VEIN: "IV|IV DRIP|IV BOLUS|IVPB|IV PUSH|IVP|IV PIGGYBACK|INTRAVENOUS|В/В|В/В КАП|В/В КАПЕЛЬНО|В/В СТРУЙНО|В/В СТР|"
        "В/В БОЛЮСНО|ВНУТРИВЕННО|ВНУТРИВЕННО КАПЕЛЬНО",
        RouteKind.NEEDLE: "IM|SC|SQ|SUBCUT|SUBQ|ID|IM/SC|INTRAMUSCULAR|SUBCUTANEOUS|INTRADERMAL|В/М|П/К|В/К|ВНУТРИМЫШЕЧНО|ПОДКОЖНО|ВНУТРИКОЖНО",
        RouteKind.ELSEWHERE: "IH|INH|NEB|INHALATION|PR|RECTAL|TP|TOPICAL|TD|TRANSDERMAL|NU|IN|NASAL|BOTH EYES|LEFT EYE|RIGHT EYE|OU|OS|OD|OPH|"
        "BOTH EARS|LEFT EAR|RIGHT EAR|OTIC|VG|PV|VAGINAL|SWISH|SWISH AND SPIT|MUCOUS MEMBRANE|MM|INTRANASAL|ИНГАЛЯЦИОННО|ИНГАЛЯЦИЯ|ИНГ|"
        "РЕКТАЛЬНО|PER RECTUM|НАРУЖНО|МЕСТНО|ТРАНСДЕРМАЛЬНО|ИНТРАНАЗАЛЬНО|В НОС|В ГЛАЗА|В УШИ|ВАГИНАЛЬНО|НЕБУЛАЙЗЕР",
        RouteKind.NOT_PACKED: "IVPCA|PCA|DIALYS|DIALYSIS|CRRT|REPLACE|DWELL|ED|EPIDURAL|IT|INTRATHECAL|IRR|IRRIGATION|IP|INTRAPERITONEAL|IA|IO|"
        "INTRAPLEURAL|BLADDER|ЭПИДУРАЛЬНО|ИНТРАТЕКАЛЬНО|ДИАЛИЗ|В/А|ВНУТРИБРЮШИННО",
    }.items()
    for route in routes.split("|")
} | {
    # Codes of SNOMED CT (26643006 oral route …) and of the EDQM standard terms (20053000 oral use …): the same in every house.
    code: kind
    for kind, codes in {
        RouteKind.MOUTH: "26643006 37839007 54471007 127492001 20053000 20067000",
        RouteKind.VEIN: "47625008 255560000 20045000",
        RouteKind.NEEDLE: "78421000 255559005 34206005 263887005 372464004 20035000 20066000",
        RouteKind.ELSEWHERE: "447694001 37161004 6064005 359540000 45890007 46713006 54485002 10547007 16857009 20003000",
        RouteKind.NOT_PACKED: "404820008 72607000",
    }.items()
    for code in codes.split()
}

_OPENED_WHOLE = frozenset({Form.AMPOULE, Form.VIAL, Form.SYRINGE, Form.NEBULE, Form.BAG})
_WHOLE_ONLY = frozenset({Form.CAPSULE, Form.LOZENGE, Form.POWDER, Form.SUPPOSITORY, Form.PATCH})
DRAWN = frozenset({Form.AMPOULE, Form.VIAL, Form.SYRINGE, Form.BAG, Form.LIQUID, Form.BOTTLE, Form.POWDER})
_BLANKS = re.compile(r"[\s.]+")


@lru_cache(maxsize=1024)
def route_kind(route: str) -> RouteKind | None:
    """Return what a route means, or None where it is not in the table."""
    return ROUTES.get(_BLANKS.sub("", route.upper().replace("Ё", "Е")))


def lane_of(drug: Drug, units: Fraction, route: str, has_cassette: bool) -> Lane | Reason:
    """Return the lane of `units` dispensing units of a drug, or why no lane is right.

    Hazardous drugs never touch a machine; cold ones leave the fridge last; a tablet that must be split is split by hand;
    intravenous doses go to the treatment nurse, injections by the ward's nurse from its list (order 1088, section II).
    """
    kind = route_kind(route)
    if kind is None and not route.strip():
        return Reason(RULE_ROUTE, "no route is written: ask how the dose is given", SOURCE_ROUTES, "путь введения не указан: уточните, как давать дозу")
    if kind is None:
        return Reason(
            RULE_ROUTE, f"the route '{route}' is not in the route table", SOURCE_ROUTES, f"пути введения «{route}» нет в таблице путей"
        )
    if kind is RouteKind.NOT_PACKED:
        return Reason(
            RULE_NOT_PACKED,
            f"the route '{route}' is prepared where it is given, not packed",
            SOURCE_ROUTES,
            f"путь введения «{route}»: препарат готовят на месте, в упаковку он не идёт",
        )
    if drug.hazardous:
        return Lane.HAZARDOUS
    if drug.storage is Storage.COLD:
        return Lane.COLD
    if drug.form in SOLID_FORMS or drug.form is Form.LOZENGE:
        return _solid_lane(drug, units, kind, has_cassette)
    if drug.form in DRAWN:
        return {RouteKind.VEIN: Lane.AMPOULE, RouteKind.NEEDLE: Lane.INJECTION, RouteKind.MOUTH: Lane.LIQUID}.get(
            kind, Lane.WARD_STOCK
        )
    return Lane.WARD_STOCK


def _solid_lane(drug: Drug, units: Fraction, kind: RouteKind, has_cassette: bool) -> Lane | Reason:
    if units.denominator != 1:
        part = part_refused(drug, units)
        return part if part is not None else Lane.HALF_TABLET
    if has_cassette and drug.prepack_allowed and kind is RouteKind.MOUTH and drug.form in SOLID_FORMS:
        return Lane.MACHINE
    return Lane.TRAY


def part_refused(drug: Drug, units: Fraction) -> Reason | None:
    """Return why a part of a tablet may not be packed, with the nearest doses that may, or None; nothing is rounded."""
    if (units * drug.parts).denominator == 1:
        return None
    why, why_ru = _why_whole(drug)
    near, near_ru = _nearest(drug, units)
    named = f"{drug.inn} {drug.strength}".strip()
    return Reason(
        RULE_FRACTION,
        f"the dose is {piece_text(units)} of '{named}', and {why}; the nearest permitted: {near}",
        SOURCE_PARTS,
        f"доза составляет {piece_text(units).replace('.', ',')} от «{named}», а {why_ru}; ближайшие допустимые дозы: {near_ru}",
    )


def _why_whole(drug: Drug) -> tuple[str, str]:
    """Return into what a unit may be split and why not further, in both languages."""
    if drug.parts > 1:
        return {2: ("only halves are split", "таблетку делят только пополам"), 4: ("only halves and quarters are split", "таблетку делят только на половины и четверти")}[drug.parts]
    if drug.coating is Coating.ENTERIC:
        return "it may not be split: its coat must reach the gut whole", "делить её нельзя: кишечнорастворимая оболочка должна остаться целой"
    if drug.coating is Coating.PROLONGED:
        return "it may not be split: its dose would be freed at once", "делить её нельзя: пролонгированная доза высвободится сразу"
    return "it may not be split", "делить его нельзя"


def _nearest(drug: Drug, units: Fraction) -> tuple[str, str]:
    """Return the next smaller and greater doses that may be packed, as count and amount, in both languages."""
    below, above = Fraction(floor(units * drug.parts), drug.parts), Fraction(ceil(units * drug.parts), drug.parts)
    strength = parse_strength(drug.strength, dispensing_unit(drug))
    single = strength.amounts[0] if strength is not None and len(strength.amounts) == 1 else None
    permitted = [count for count in (below, above) if count > 0]
    english = [f"{piece_text(count)} ({single.times(count)})" if single else piece_text(count) for count in permitted]
    russian = [f"{piece_text(count)} ({single.times(count).in_russian()})" if single else piece_text(count) for count in permitted]
    return " or ".join(english), " или ".join(russian)


def packed_units(drug: Drug, units: Fraction, lane: Lane) -> Fraction | Reason:
    """Return how many units leave the store for an exact dose of `units`, or why that is for a person to decide.

    Tablets are never rounded. A single-use container that is opened is used up: units round up and the rest is wasted. A
    vial labelled in units of activity on the injection list, a container of many and a liquid measured in mL count exactly.
    """
    if units.numerator <= 0:
        return Reason(RULE_FRACTION, "the dose is not more than nothing", "order 1088, section II.1", "доза не больше нуля")
    unit = dispensing_unit(drug)
    if unit in VOLUME_UNITS or unit in MOST_OF_A_DOSE:
        return implausible_amount(drug, Quantity(units, unit)) or units
    shared = _is_shared_vial(drug, lane)
    most = MOST_SHARED_VIALS if shared else MOST_PIECES
    if units > most:
        return Reason(
            RULE_PLAUSIBLE,
            f"{piece_text(units)} × '{drug.inn} {drug.strength}' for one dose is implausible: more than {most}",
            SOURCE_PLAUSIBLE,
            f"{piece_text(units)} × «{drug.inn} {drug.strength}» на один приём неправдоподобно: больше {most}",
        )
    if shared or is_container_of_many(drug):
        return units
    if drug.form in _OPENED_WHOLE or drug.form is Form.LIQUID:
        return Fraction(ceil(units))
    if drug.form in _WHOLE_ONLY or drug.form in SOLID_FORMS:
        return part_refused(drug, units) or units
    return units


def implausible_amount(drug: Drug, dose: Quantity) -> Reason | None:
    """Return why a dose is more than anybody gets at once, whatever it is counted in, or None.

    The limits are far above any usual dose: they catch a thousandfold error, not a clinical one.
    """
    for unit, limit in MOST_OF_A_DOSE.items():
        amount = convert(dose, unit)
        if amount is not None and amount.amount > limit.amount:
            return Reason(
                RULE_PLAUSIBLE,
                f"{dose} of '{drug.inn} {drug.strength}' for one dose is implausible: more than {limit}",
                SOURCE_PLAUSIBLE,
                f"{dose.in_russian()} «{drug.inn} {drug.strength}» на один приём неправдоподобно: больше {limit.in_russian()}",
            )
    return None


def _is_shared_vial(drug: Drug, lane: Lane) -> bool:
    if drug.form is not Form.VIAL or lane not in {Lane.INJECTION, Lane.COLD}:
        return False
    strength = parse_strength(drug.strength, drug.unit)
    return strength is not None and any(amount.unit == "IU" for amount in strength.amounts)


def piece_text(units: Fraction) -> str:
    """Return a count as people write it on a label: `2`, `1/2`, `1 1/2`, else decimals."""
    if units.denominator not in {2, 3, 4}:
        return fraction_text(units)
    whole, rest = divmod(units, 1)
    return f"{whole} {rest}" if whole else str(rest)


def dose_text(drug: Drug, dose: Quantity, exact: Fraction, packed: Fraction) -> str:
    """Return the label's sentence on the dose: `2 × 250 mg = 500 mg`, `1 ampoule (40 mg of 50 mg)`, `15 mL (300 mg)`.

    Strength and total dose stand beside each other (ASHP guidelines on single-unit packages).
    """
    unit = dispensing_unit(drug)
    strength = parse_strength(drug.strength, unit)
    single = strength.amounts[0] if strength is not None and len(strength.amounts) == 1 else None
    if unit in VOLUME_UNITS or is_container_of_many(drug):
        counted = f"{fraction_text(exact)} {unit}"
        return counted if dose.unit == unit else f"{counted} ({dose})"
    if packed != exact:
        return f"{piece_text(packed)} {unit} ({_given_of(dose, single, strength.volume if strength else None, packed)})"
    if packed.denominator not in {1, 2, 4}:
        return f"{dose} ({fraction_text(packed)} {unit})"
    if single is None:
        return f"{piece_text(packed)} {unit}"
    return f"{piece_text(packed)} × {single} = {single.times(packed)}"


def _given_of(dose: Quantity, amount: Quantity | None, volume: Quantity | None, packed: Fraction) -> str:
    for whole in (amount, volume):
        one = convert(whole, dose.unit) if whole is not None else None
        if one is not None:
            return f"{dose} of {one.times(packed)}"
    return str(dose)
