"""Why a dose goes the way it goes: one sentence a lane, with its rule and source, in both languages."""

from collections.abc import Mapping

from hub.domain.doses import Lane
from hub.domain.drugs import SOLID_FORMS, Drug
from hub.domain.lanes import DRAWN, RouteKind, route_kind
from hub.domain.orders import Reason

RULE_LANE = "lane"
_DIRECTORY = "drug directory"
_LISTS = "order 1088, section II: separate lists for the ward's and the treatment nurse"
_ROUTES = "route table of the lanes"
_WHY: Mapping[Lane, tuple[str, str, str]] = {
    Lane.MACHINE: (
        "by the machine: whole tablets or capsules of a drug that has a cassette", _DIRECTORY, "автоматом: целые таблетки или капсулы, для препарата есть кассета",
    ),
    Lane.TRAY: (
        "by hand into the tray: whole units, and the drug has no cassette", _DIRECTORY, "вручную в лоток: целые единицы, кассеты для препарата нет",
    ),
    Lane.HALF_TABLET: (
        "by hand: a part of a tablet is split by a person, never by the machine", _DIRECTORY, "вручную: часть таблетки отделяет человек, не автомат",
    ),
    Lane.AMPOULE: ("a bag for the treatment nurse: it goes into a vein", _LISTS, "пакет для процедурной медсестры: вводится внутривенно"),
    Lane.INJECTION: ("by the ward's injection list: it is injected at the ward", _LISTS, "по листу инъекций отделения: вводится на посту"),
    Lane.LIQUID: ("by hand: a liquid is measured out by a person", _ROUTES, "вручную: жидкость отмеряет человек"),
    Lane.COLD: ("by hand and last: it is kept cold until it goes out", _DIRECTORY, "вручную и в последнюю очередь: хранится в холодильнике до выдачи"),
    Lane.HAZARDOUS: ("by hand: a hazardous drug never touches a machine", _DIRECTORY, "вручную: опасный препарат не касается автомата"),
    Lane.WARD_STOCK: ("from the ward's stock: it is not packed by single doses", _ROUTES, "из запаса отделения: по дозам не фасуется"),
}  # fmt: skip


def why_lane(lane: Lane) -> Reason:
    """Return why a dose takes its lane (`lanes.lane_of` decides it)."""
    english, source, russian = _WHY[lane]
    return Reason(RULE_LANE, english, source, russian)


def why_lane_of(lane: Lane, drug: Drug, route: str) -> Reason:
    """Return why a dose of a drug by a route takes its lane: what of drug or route decided it, as `lanes.lane_of` asks in turn."""
    if lane is Lane.TRAY:
        return _why_tray(drug, route)
    if lane is Lane.WARD_STOCK and drug.form in DRAWN:
        return Reason(
            RULE_LANE, f"from the ward's stock: the route '{route}' is given from the ward's own package", _ROUTES,
            f"из запаса отделения: путь введения «{route}» — из упаковки отделения",
        )  # fmt: skip
    return why_lane(lane)


def _why_tray(drug: Drug, route: str) -> Reason:
    """Return why whole units go into the tray and not through the machine."""
    if drug.form not in SOLID_FORMS:
        return Reason(RULE_LANE, f"by hand into the tray: a {drug.form.value} is no tablet or capsule", _DIRECTORY, "вручную в лоток: это не таблетка и не капсула")
    if not drug.prepack_allowed:
        return Reason(RULE_LANE, "by hand into the tray: the drug must stay in its maker's package", _DIRECTORY, "вручную в лоток: препарат нельзя перефасовывать")
    if route_kind(route) is not RouteKind.MOUTH:
        return Reason(
            RULE_LANE, f"by hand into the tray: the route '{route}' is not by mouth", _ROUTES, f"вручную в лоток: путь введения «{route}» — не внутрь",
        )  # fmt: skip
    return why_lane(Lane.TRAY)
