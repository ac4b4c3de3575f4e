"""A recalled lot is stopped everywhere; returned packs stay single; a source pack gives no more than it holds."""

from dataclasses import replace
from typing import Any

import pytest

from hub.domain.doses import DoseState
from hub.domain.identifiers import DrugCode
from hub.domain.packs import PackState
from hub.domain.stock import CassetteState
from hub.services.administer import BedsideScan, give, not_given
from hub.services.pick_packs import issue_requisition
from hub.services.recall_lot import recall_lot
from hub.services.return_packs import packs_to_return, return_pack
from tests.services.small_world import NURSE, PHARMACIST, TECHNICIAN, World, order_line
from tests.services.test_late_changes import PLACES, brought_to, finished


def recalled(world: World, item: str = "PLAIN", lot: str = "P1") -> Any:
    return world.do(lambda unit: recall_lot(unit, DrugCode(item), lot, "particles", world.house), PHARMACIST)


@pytest.mark.parametrize("place", PLACES[1:])
def test_a_dose_of_a_recalled_lot_is_made_anew_from_another(world: World, place: str) -> None:
    brought_to(world, place)
    old = world.pack_of("a")
    assert (recalled(world).packs, recalled(world).packs) == (1, 0)
    world.labels()
    finished(world)
    world.pick_all()
    assert world.get("packs", old.serial).state in (PackState.NEVER_MADE, PackState.DESTROYED), "never restocked"
    new = world.pack_of("a")
    assert new.serial != old.serial and new.state is PackState.RELEASED and new.lots == ("PLAIN/P2",)
    assert world.get("cassettes", 1).state is CassetteState.LOCKED and world.get("cassettes", 1).reserved == 0
    assert world.fill(1, "PLAIN-P2", 5).code == "locked" and {lot.promised for lot in world.all("lots")} == {0}


def test_who_got_it_is_named_and_an_unknown_lot_refused(world: World) -> None:
    pack = world.brought(order_line("a"))
    world.at("08:00")
    world.do(lambda unit: give(unit, BedsideScan("W-1", pack.serial), world.house), NURSE)
    assert recalled(world).patients_given == ("p1",) and recalled(world, lot="P9").code == "unknown-lot"
    assert world.facts("lot-recalled") == [{"item": "PLAIN", "lot": "P1", "reason": "particles"}]


def test_a_requisition_of_a_recalled_lot_is_not_issued(world: World) -> None:
    world.sheet(order_line("i", drug="AMP", route="IM"))
    world.at("06:15")
    (wanted,) = world.all("requisitions")
    recalled(world, "AMP", "F1")
    assert world.do(lambda unit: issue_requisition(unit, wanted.id, ["AMP-F1"]), TECHNICIAN).code == "not-open"
    assert world.dose("i").state is DoseState.UNFULFILLABLE and world.get("lots", "AMP/F1").promised == 0


def test_a_returned_pack_is_no_stock_of_the_store(world: World) -> None:
    pack = world.brought(order_line("a"))
    world.at("08:00")
    world.do(lambda unit: not_given(unit, BedsideScan("W-1", pack.serial), "refused"), NURSE)
    (back,) = world.do(packs_to_return)
    world.do(lambda unit: return_pack(unit, back.serial, True), TECHNICIAN)
    assert world.held("store", "PLAIN/P1") == 30 and world.held(f"returned:{pack.serial}", "PLAIN/P1") == 1


def test_a_source_pack_gives_no_more_than_it_holds(world: World) -> None:
    assert world.get("source_packs", "PLAIN-P1").left == 30
    world.do(lambda unit: unit.cassettes.put(emptied(unit)))
    assert world.fill(1, "PLAIN-P1", 31).code == "too-few" and world.get("source_packs", "PLAIN-P1").left == 30
    world.sheet(order_line("a", drug="TOXIC"), order_line("i", drug="AMP", route="IM"), order_line("h", units="1/2"))
    world.at("06:15")
    world.pick_all()
    world.issue_all()
    left = {code: world.get("source_packs", code).left for code in ("TOXIC-X1", "AMP-F1", "PLAIN-P1")}
    assert left == {"TOXIC-X1": 29, "AMP-F1": 59, "PLAIN-P1": 29}


def emptied(unit: Any) -> Any:
    """Return the first cassette with room for a whole pack; the books of its tablets are another matter."""
    return replace(unit.cassettes.get(1), capacity=600)
