"""Whether a form can go the way that is ordered: a tablet by vein, a syrup under the skin, an ampoule by mouth are asked about.

A pharmacist may release it by name, as some are meant so (an ampoule that is drunk, a tablet given otherwise than by mouth).
"""

import re

from hub.domain.drugs import Drug, Form
from hub.domain.lanes import RouteKind, route_kind
from hub.domain.orders import Reason

RULE_ROUTE_FORM = "route-form"
SOURCE_ROUTE_FORM = "drug directory: form; route table of the lanes"
_INTO_THE_BODY = frozenset({RouteKind.VEIN, RouteKind.NEEDLE})
_ASKED: dict[Form, frozenset[RouteKind]] = {
    Form.TABLET: _INTO_THE_BODY | {RouteKind.ELSEWHERE},
    Form.CAPSULE: _INTO_THE_BODY | {RouteKind.ELSEWHERE},
    Form.LOZENGE: _INTO_THE_BODY | {RouteKind.ELSEWHERE},
    Form.LIQUID: _INTO_THE_BODY,
    Form.POWDER: _INTO_THE_BODY,
    Form.DROPS: _INTO_THE_BODY,
    Form.PATCH: _INTO_THE_BODY | {RouteKind.MOUTH},
    Form.SUPPOSITORY: _INTO_THE_BODY | {RouteKind.MOUTH},
    Form.INHALER: _INTO_THE_BODY,
    Form.NEBULE: _INTO_THE_BODY | {RouteKind.MOUTH},
    Form.TUBE: _INTO_THE_BODY,
    Form.AMPOULE: frozenset({RouteKind.MOUTH, RouteKind.ELSEWHERE}),
    Form.VIAL: frozenset({RouteKind.MOUTH}),
    Form.SYRINGE: frozenset({RouteKind.MOUTH}),
    Form.BAG: frozenset({RouteKind.MOUTH, RouteKind.ELSEWHERE}),
}
_FORMS_RU = {
    Form.TABLET: "таблетка", Form.CAPSULE: "капсула", Form.LOZENGE: "пастилка", Form.LIQUID: "жидкость для приёма внутрь", Form.POWDER: "порошок", Form.DROPS: "капли",
    Form.PATCH: "пластырь", Form.SUPPOSITORY: "суппозиторий", Form.INHALER: "ингалятор", Form.NEBULE: "небула", Form.TUBE: "туба", Form.AMPOULE: "ампула",
    Form.VIAL: "флакон", Form.SYRINGE: "шприц", Form.BAG: "пакет с раствором", Form.BOTTLE: "бутылка",
}  # fmt: skip
_BY_MOUTH = re.compile(
    r"\boral\b|by mouth|\bcup\b|udcup|syrup|suspension|elixir|внутрь|перорал|сироп|суспенз|эликсир|питьев", re.IGNORECASE
)
_INJECTED = re.compile(
    r"\bvial|\bbag\b|syringe|ampoul|ampul|\bamp\b|inject|\binj\b|infus|флакон|ампул|шприц|пакет|ин[ъь]екц|инфуз|в/в|в/м|п/к|m[lL]\s*[-–;]\s*\d+\s*m[lL]", re.IGNORECASE
)
_INHALED = re.compile(r"^(?:IH|INH|NEB|INHALATION|ИНГ\w*|НЕБУЛАЙЗЕР|447694001)\b", re.IGNORECASE)
_OTHERWISE = re.compile(r"vagin|вагин|rectal|ректал", re.IGNORECASE)


def route_form_doubt(drug: Drug, route: str) -> Reason | None:
    """Return why a drug's form does not go with a route, or None; an unknown route is asked about by its own rule."""
    kind = route_kind(route)
    if kind is None or kind is RouteKind.NOT_PACKED or not _is_asked(drug, kind, route):
        return None
    named = f"{drug.inn} {drug.strength}".strip()
    return Reason(
        RULE_ROUTE_FORM, f"'{named}' is a {drug.form.value}, and the route is '{route}': ask which of the two is meant", SOURCE_ROUTE_FORM,
        f"«{named}» — {_FORMS_RU.get(drug.form, drug.form.value)}, а путь введения «{route}»: уточните, что имеется в виду",
    )  # fmt: skip


def _is_asked(drug: Drug, kind: RouteKind, route: str) -> bool:
    text = f"{drug.inn} {drug.trade_name} {drug.strength}"
    for_mouth = bool(_BY_MOUTH.search(text)) or (drug.form is Form.LIQUID and drug.unit not in ("mL", ""))
    if for_mouth and kind in _INTO_THE_BODY and drug.form in (Form.SYRINGE, Form.BOTTLE, Form.LIQUID):
        return True
    return kind in _ASKED.get(drug.form, frozenset()) and not _is_meant(drug.form, kind, route, text, for_mouth)


def _is_meant(form: Form, kind: RouteKind, route: str, text: str, for_mouth: bool) -> bool:
    """Tell whether what a drug is called, or the route itself, says that a form is made for it."""
    if form in (Form.LIQUID, Form.POWDER):
        return bool(_INJECTED.search(text))
    if form in (Form.SYRINGE, Form.VIAL, Form.AMPOULE) and kind is RouteKind.MOUTH:
        return for_mouth
    if form is Form.CAPSULE and kind is RouteKind.ELSEWHERE:
        return bool(_INHALED.match(route.strip()))
    return form is Form.TABLET and kind is RouteKind.ELSEWHERE and bool(_OTHERWISE.search(text))
