"""Cassettes are loaded by scan: each wrong scan has its refusal, and nothing is booked then."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from hub.domain.identifiers import CassetteId, DrugCode
from hub.domain.stock import Layer
from hub.services.stock_in import Loading, Receipt, load_cassette, receive_stock
from tests.services.small_world import PACKAGER, SIX, TECHNICIAN, World, order_line

GOOD = Loading(PACKAGER, 2, CassetteId(2), ("ALERT-A1",), 10, "u-second")


def loaded(world: World, **changes: Any) -> Any:
    return world.do(lambda unit: load_cassette(unit, replace(GOOD, **changes)), TECHNICIAN)


def test_a_high_alert_drug_is_loaded_by_two_people_and_the_ledger_names_the_second(world: World) -> None:
    assert loaded(world).count == 40
    assert world.held("cassette:2", "ALERT/A1") == 40 and world.held("store", "ALERT/A1") == 20
    assert world.facts("cassette-loaded")[-1]["second"] == "u-second"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cassette": CassetteId(9)}, "unknown-cassette"),
        ({"slot": 3}, "wrong-slot"),
        ({"packs": ("TWIN-T1",)}, "wrong-drug"),
        ({"packs": ("nobody",)}, "unknown-pack"),
        ({"packs": ("ALERT-A1", "ALERT-A1")}, "scanned-twice"),
        ({"units": 31}, "capacity"),
        ({"second": None}, "second-person"),
        ({"second": TECHNICIAN}, "second-person"),
    ],
)
def test_a_wrong_loading_is_refused(world: World, changes: dict[str, Any], code: str) -> None:
    before = len(world.ledger())
    assert loaded(world, **changes).code == code
    assert len(world.ledger()) == before and world.get("cassettes", 2).count == 30


def test_packs_that_hold_too_few_are_refused_and_leave_nothing_behind(world: World) -> None:
    few = Receipt("few", DrugCode("ALERT"), "A2", date(2027, 1, 1), Fraction(5), Decimal(1))
    world.do(lambda unit: receive_stock(unit, [few]), TECHNICIAN)
    assert loaded(world, packs=("few",), units=6).code == "too-few"
    assert world.held("store", "ALERT/A2") == 5 and world.held("cassette:2", "ALERT/A2") == 0


def test_expired_and_recalled_packs_are_refused(world: World) -> None:
    lot = world.get("lots", "ALERT/A1")
    world.do(lambda unit: unit.lots.put(replace(lot, recalled=True)))
    assert loaded(world).code == "recalled"
    world.do(lambda unit: unit.lots.put(replace(lot, expires_on=SIX.date())))
    assert loaded(world).code == "expired"


def test_tablets_promised_to_packs_filled_by_hand_stay_in_the_store(world: World) -> None:
    world.sheet(order_line("half", units="1/2"))
    world.at("06:15")
    assert world.get("lots", "PLAIN/P1").promised == 1
    assert world.fill(1, "PLAIN-P1", 30).code == "too-few"
    assert world.fill(1, "PLAIN-P1", 29).count == 59


def test_layers_keep_the_order_of_loading_and_an_emptied_cassette_starts_its_time_anew(world: World) -> None:
    world.fill(1, "PLAIN-P2", 5)
    assert world.get("cassettes", 1).layers == (Layer("PLAIN/P1", 30), Layer("PLAIN/P2", 5))
    first = world.get("cassettes", 1).opened_at
    world.now = SIX + timedelta(days=3)
    assert world.fill(1, "PLAIN-P2", 5).opened_at == first
    world.do(lambda unit: unit.cassettes.put(replace(unit.cassettes.get(1), layers=())))
    assert world.fill(1, "PLAIN-P2", 5).opened_at == world.now
