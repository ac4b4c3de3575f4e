"""Packs of manual lanes are released by the scans of their label and source packs; wards get what they asked for."""

from typing import Any

import pytest

from hub.domain.doses import DoseState
from hub.domain.packs import PackState
from hub.services.board import line_state
from hub.services.pick_packs import issue_requisition, open_picks, pick_pack
from tests.services.small_world import TECHNICIAN, World, order_line


@pytest.fixture
def toxic(world: World) -> Any:
    world.sheet(order_line("a", drug="TOXIC"))
    world.at("06:15")
    return world.pack_of("a")


def test_a_pick_books_stock_and_packs_the_dose(world: World, toxic: Any) -> None:
    assert world.do(open_picks) == [toxic] and world.get("lots", "TOXIC/X1").promised == 1
    assert world.pick(toxic).state is PackState.RELEASED
    assert world.dose("a").state is DoseState.PACKED and world.get("lots", "TOXIC/X1").promised == 0
    assert world.held(f"pack:{toxic.serial}", "TOXIC/X1") == 1 and world.do(open_picks) == []
    assert world.facts("pack-released") == [{"pack": toxic.serial, "by": "picker"}]


@pytest.mark.parametrize(
    ("codes", "code"),
    [(["PLAIN-P1"], "wrong-drug"), (["nobody"], "unknown-pack"), ([], "scan"), (["TOXIC-X1", "TOXIC-X1"], "scan")],
)
def test_a_wrong_scan_is_refused(world: World, toxic: Any, codes: list[str], code: str) -> None:
    assert world.pick(toxic, codes).code == code
    assert world.get("packs", toxic.serial).state is PackState.EXPECTED


def test_another_lot_than_the_label_says_is_refused(world: World) -> None:
    world.sheet(order_line("a", units="1/2"))
    world.at("06:15")
    assert world.pick(world.pack_of("a"), ["PLAIN-P2"]).code == "wrong-lot"


def test_a_pack_is_not_picked_twice_and_a_pouch_of_the_machine_never(world: World, toxic: Any) -> None:
    world.pick(toxic)
    assert world.pick(toxic).code == "not-open"
    assert world.do(lambda unit: pick_pack(unit, "NOBODY", ["x"])).code == "unknown-pack"


def test_a_split_tablet_leaves_the_store_whole_and_its_rest_is_wasted(world: World) -> None:
    world.sheet(order_line("a", units="1/2"), order_line("b", 2, units="3/2"))
    world.at("06:15")
    assert world.get("lots", "PLAIN/P1").promised == 3
    world.pick_all()
    assert world.held("store", "PLAIN/P1") == 27 and world.held("waste", "PLAIN/P1") == 1
    assert world.get("lots", "PLAIN/P1").promised == 0


def test_injections_are_asked_for_by_ward_and_issued_by_lot(world: World) -> None:
    world.sheet(*(order_line(f"i{number}", number, "AMP", route="IM") for number in (1, 2, 3)))
    world.at("06:15")
    wanted = {one.department: one for one in world.all("requisitions")}
    assert {name: one.units for name, one in wanted.items()} == {"Cardiology": 2, "Therapy": 1}
    cardiology = wanted["Cardiology"]
    assert world.do(lambda unit: issue_requisition(unit, cardiology.id, ["PLAIN-P1"]), TECHNICIAN).code == "wrong-lot"
    assert world.do(lambda unit: issue_requisition(unit, cardiology.id, []), TECHNICIAN).code == "wrong-lot"
    world.do(lambda unit: issue_requisition(unit, cardiology.id, ["AMP-F1"]), TECHNICIAN)
    assert world.held("ward:Cardiology", "AMP/F1") == 2 and world.dose("i1").state is DoseState.PACKED
    assert world.do(lambda unit: issue_requisition(unit, cardiology.id, ["AMP-F1"]), TECHNICIAN).code == "not-open"
    assert world.get("lots", "AMP/F1").promised == 1


def test_a_cancelled_dose_leaves_its_requisition(world: World) -> None:
    first, second = (order_line(f"i{number}", number, "AMP", route="IM") for number in (1, 2))
    world.sheet(first, second)
    world.at("06:15")
    world.stop(first)
    assert [one.units for one in world.all("requisitions", issued=False)] == [1] and world.get("lots", "AMP/F1").promised == 1
    world.stop(second)
    assert world.all("requisitions", issued=False) == [] and world.get("lots", "AMP/F1").promised == 0


def test_the_board_counts_what_waits(world: World, toxic: Any) -> None:
    state = world.do(line_state)
    assert state["picks"] == 1 and state["packs"] == {"expected": 1} and state["doses"] == {"frozen": 1} and state["unlabelled"] == 0
