"""A form and a route that do not go together are asked about, in both languages; what is made for the route goes on."""

import pytest

from hub.domain.drugs import Drug, DrugClass, Form, Storage
from hub.domain.identifiers import DrugCode
from hub.domain.releases import Remedy, remedy_of
from hub.domain.route_forms import RULE_ROUTE_FORM, route_form_doubt


def item(form: Form, strength: str = "50 mg", unit: str = "") -> Drug:
    return Drug(
        code=DrugCode("X"), inn="Metoprolol", trade_name="", form=form, strength=strength, unit=unit or form.value, group="", drug_class=DrugClass.ORDINARY,
        high_alert=False, hazardous=False, look_alike_group="", storage=Storage.ROOM, divisible_by=1, prepack_allowed=True, price=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("drug", "route"),
    [
        (item(Form.TABLET), "IV"), (item(Form.TABLET), "в/в"), (item(Form.CAPSULE), "п/к"), (item(Form.CAPSULE), "IM"), (item(Form.TABLET), "PR"),
        (item(Form.TABLET), "вагинально"), (item(Form.CAPSULE), "PR"), (item(Form.LIQUID, "сироп 15 мг/5 мл", "mL"), "IV"), (item(Form.LIQUID, unit="cup"), "IV"),
        (item(Form.LIQUID, "15 mg/5 mL", "mL"), "в/в"), (item(Form.SYRINGE, "10 mg oral syringe"), "IV"), (item(Form.AMPOULE), "PO"), (item(Form.AMPOULE), "NEB"),
        (item(Form.VIAL), "внутрь"), (item(Form.SYRINGE), "PO"), (item(Form.PATCH), "PO"), (item(Form.SUPPOSITORY), "PO"), (item(Form.BAG), "PO"), (item(Form.DROPS), "IV"),
    ],
)  # fmt: skip
def test_a_form_that_does_not_go_with_its_route_is_asked_about(drug: Drug, route: str) -> None:
    doubt = route_form_doubt(drug, route)
    assert doubt is not None and doubt.rule == RULE_ROUTE_FORM and route in doubt.text and route in doubt.text_ru
    assert remedy_of(doubt) is Remedy.RELEASE


@pytest.mark.parametrize(
    ("drug", "route"),
    [
        (item(Form.TABLET), "PO"), (item(Form.TABLET), "SL"), (item(Form.TABLET, "500 mg vaginal"), "вагинально"), (item(Form.CAPSULE), "IH"),
        (item(Form.AMPOULE), "в/в"), (item(Form.VIAL), "SC"), (item(Form.VIAL), "NEB"), (item(Form.SYRINGE), "SC"), (item(Form.SYRINGE, "10 mg oral syringe"), "PO"),
        (item(Form.LIQUID, "5000 units/mL - 1 mL vial", "mL"), "SC"), (item(Form.LIQUID, "сироп 15 мг/5 мл", "mL"), "PO"), (item(Form.PATCH), "TD"),
        (item(Form.SUPPOSITORY), "PR"), (item(Form.NEBULE), "NEB"), (item(Form.TABLET), "нигде"), (item(Form.BOTTLE), "IV"), (item(Form.TABLET), ""),
    ],
)  # fmt: skip
def test_what_is_made_for_its_route_goes_on(drug: Drug, route: str) -> None:
    assert route_form_doubt(drug, route) is None
