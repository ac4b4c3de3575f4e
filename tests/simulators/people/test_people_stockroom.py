"""Receiving source packs and pouring tablets into cassettes."""

import re
from fractions import Fraction
from typing import Any

import pytest
from people_plant import HANG_UP, Plant

from simulators.people.crew import BadRequest
from simulators.people.matter import look_of, read_look
from simulators.people.stockroom import fill_cassettes, receive_stock, start, tablets_wanted


def receipt(code: str, item: str, lot: str, units: object, expires_on: str = "2028-01-31") -> dict[str, Any]:
    return {"code": code, "item": item, "lot": lot, "expires_on": expires_on, "units": units, "unit_cost": "0.10"}


def cassette(number: int, item: str, **more: object) -> dict[str, Any]:
    row = {"cassette": number, "item": item, "name": item, "slot": number, "device": "packager-1", "capacity": 200, "count": 0}
    return {**row, "state": "empty", "needs_second": False, **more}


def stocked(plant: Plant, *rows: dict[str, Any]) -> None:
    assert receive_stock(plant.crew, {"packs": list(rows)}).answer()["troubles"] == []
    plant.hub.on("GET", "/api/state", (200, {"now": "2026-11-22T06:00:00+03:00"}))


def test_people_log_in_with_badge_and_pin(plant: Plant) -> None:
    report = start(plant.crew, {"people": {"nurse": {"badge": "B9", "pin": "7777"}}})
    assert report.answer()["people"] == 1
    assert plant.hub.bodies("/api/session")[-1] == {"badge": "B9", "pin": "7777"}


def test_receipts_are_posted_in_chunks_of_five_hundred(plant: Plant) -> None:
    rows = [receipt(f"p{number}", "A1", "L1", 10) for number in range(1201)]
    report = receive_stock(plant.crew, {"packs": rows})
    assert [len(body["packs"]) for body in plant.hub.bodies("/api/stock/receipts")] == [500, 500, 201]
    assert (report.counts["packs"], report.counts["receipts"]) == (1201, 3)
    assert plant.crew.world.store.units("A1", "L1") == 12010


def test_the_look_of_a_lot_goes_with_its_receipt(plant: Plant) -> None:
    given = {**receipt("p1", "A1", "L1", 30), "look": "#a0b0c0 capsule 15.5"}
    receive_stock(plant.crew, {"packs": [given, receipt("p2", "A2", "L2", 30)]})
    first, second = plant.hub.bodies("/api/stock/receipts")[0]["packs"]
    assert (first["look"], first["units"]) == ("#a0b0c0 capsule 15.5", "30")
    assert re.fullmatch(r"#[0-9a-f]{6} (round|oval|capsule) \d{1,2}(\.5)?", second["look"])
    assert read_look(second["look"]) == look_of("A2", "L2")
    assert plant.crew.world.look("A1", "L1") == {"colour": "#a0b0c0", "shape": "capsule", "size_mm": 15.5}


def test_packs_of_a_refused_receipt_do_not_reach_the_shelf(plant: Plant) -> None:
    plant.hub.on("POST", "/api/stock/receipts", (500, {"detail": "broken"}))
    report = receive_stock(plant.crew, {"packs": [receipt("p1", "A1", "L1", "10")]})
    assert report.counts["packs"] == 0
    assert "500" in report.troubles[0]["why"]
    assert plant.crew.world.store.units("A1", "L1") == 0


@pytest.mark.parametrize(
    ("count", "capacity", "state", "wanted"),
    [(0, 200, "empty", 100), (30, 200, "armed", 70), (100, 200, "armed", 0), (100, 200, "low", 100), (150, 200, "low", 50),
     (0, 60, "empty", 60), (0, 200, "locked", 0), (300, 200, "low", 0)],
)  # fmt: skip
def test_how_much_a_cassette_is_filled(count: int, capacity: int, state: str, wanted: int) -> None:
    assert tablets_wanted({"count": count, "capacity": capacity, "state": state}, 100) == wanted


def test_tablets_are_poured_lot_by_lot_after_the_hub_agreed(plant: Plant) -> None:
    stocked(
        plant, receipt("late", "A1", "L2", 100, "2028-01-01"), receipt("soon1", "A1", "L1", 30, "2027-01-01"),
        receipt("soon2", "A1", "L1", "20.5", "2027-01-01"), receipt("gone", "A1", "L0", 90, "2026-11-21"),
    )  # fmt: skip
    plant.hub.on("GET", "/api/cassettes", (200, [cassette(7, "A1", needs_second=True)]))
    report = fill_cassettes(plant.crew, {"fill": 80})
    assert (report.counts["filled"], report.counts["tablets"], report.troubles) == (1, 80, [])
    first, second = plant.hub.bodies("/api/cassettes/load")
    assert (first["packs"], first["units"], first["second_badge"]) == (["soon1", "soon2"], 50, "badge-technician2")
    assert (second["packs"], second["units"], second["slot"], second["device"]) == (["late"], 30, 7, "packager-1")
    poured = plant.packager.bodies("/cassettes/7")
    assert poured[0] == {"cassette": 7, "item": "A1", "lot": "L1", "count": 50, "look": look_of("A1", "L1")}
    assert [fact["quantity"] for fact in plant.facts()] == ["50", "30"]
    assert plant.facts()[0] == {"what": "cassette-loaded", "cassette": 7, "item": "A1", "lot": "L1", "quantity": "50"}
    assert plant.crew.world.store.units("A1", "L1") == Fraction(1, 2)


def test_nothing_is_poured_that_the_hub_refused(plant: Plant) -> None:
    stocked(plant, receipt("p1", "A1", "L1", 30), receipt("p2", "A2", "L2", 30))
    plant.hub.on("GET", "/api/cassettes", (200, [cassette(7, "A1"), cassette(8, "A2")]))
    refusal = (409, {"refused": "wrong-item", "reason": "that is another drug"})
    plant.hub.on("POST", "/api/cassettes/load", refusal, (200, {"loaded": 30, "count": 30}))
    report = fill_cassettes(plant.crew, {"fill": 30})
    assert plant.packager.bodies("/cassettes/7") == []
    assert len(plant.packager.bodies("/cassettes/8")) == 1
    assert (report.counts["short"], report.counts["filled"], report.refused["wrong-item"]) == (1, 1, 1)
    assert "another drug" in report.troubles[0]["why"]
    assert [fact["cassette"] for fact in plant.facts()] == [8]


def test_what_was_booked_and_could_not_be_poured_is_poured_the_next_time(plant: Plant) -> None:
    stocked(plant, receipt("p1", "A1", "L1", 30), receipt("p2", "A2", "L2", 30))
    plant.hub.on("GET", "/api/cassettes", (200, [cassette(7, "A1"), cassette(8, "A2")]))
    plant.packager.on("POST", "/cassettes/7", (409, {"error": "cassette 9 sits in slot 7"}), (200, {}))
    report = fill_cassettes(plant.crew, {"fill": 30})
    assert "sits in slot 7" in report.troubles[0]["why"]
    assert (report.counts["tablets"], report.counts["short"], plant.facts()) == (0, 2, [])
    assert len(plant.hub.bodies("/api/cassettes/load")) == 1
    plant.hub.on("GET", "/api/cassettes", (200, [cassette(7, "A1", count=30), cassette(8, "A2")]))
    report = fill_cassettes(plant.crew, {"fill": 30})
    assert (report.counts["tablets"], report.counts["filled"], report.troubles) == (60, 1, [])
    assert [fact["cassette"] for fact in plant.facts()] == [7, 8]
    assert plant.crew.world.store.units("A1", "L1") == 0


def test_a_machine_that_waits_for_its_host_is_given_time(plant: Plant) -> None:
    stocked(plant, receipt("p1", "A1", "L1", 30))
    plant.hub.on("GET", "/api/cassettes", (200, [cassette(7, "A1")]))
    full = (409, {"error": "no event can be stored until the host has acknowledged some"})
    plant.packager.on("GET", "/state", (200, {"power": "on", "cassettes": {}}))
    plant.packager.on("POST", "/cassettes/7", full, full, full, (200, {}))
    assert fill_cassettes(plant.crew, {"fill": 30}).answer()["filled"] == 1
    assert plant.pauses == [0.1, 0.2, 0.4]


def test_tablets_that_may_have_been_poured_are_not_poured_again(plant: Plant) -> None:
    stocked(plant, receipt("p1", "A1", "L1", 30))
    plant.hub.on("GET", "/api/cassettes", (200, [cassette(7, "A1")]))
    plant.packager.on("POST", "/cassettes/7", HANG_UP)
    assert len(fill_cassettes(plant.crew, {"fill": 30}).troubles) == 1
    assert plant.crew.world.unpoured == []
    assert len(plant.packager.bodies("/cassettes/7")) == 1


@pytest.mark.parametrize(("seen", "poured"), [(30, 1), (0, 0)])
def test_whoever_is_not_told_what_came_of_pouring_looks_into_the_cassette(plant: Plant, seen: int, poured: int) -> None:
    stocked(plant, receipt("p1", "A1", "L1", 30))
    plant.hub.on("GET", "/api/cassettes", (200, [cassette(7, "A1")]))
    dark, lit = (200, {"power": "off"}), (200, {"power": "on", "cassettes": {"7": {"tablets": seen}}})
    plant.packager.on("GET", "/state", (200, {"power": "on", "cassettes": {}}), dark, lit)
    plant.packager.on("POST", "/cassettes/7", (503, {"error": "the power was lost while this was done: look what came of it"}))
    report = fill_cassettes(plant.crew, {"fill": 30})
    assert (report.counts["filled"], len(report.troubles), len(plant.crew.world.unpoured)) == (poured, 1 - poured, 1 - poured)


def test_whoever_comes_to_a_dark_machine_looks_once_it_has_power_so_that_nothing_poured_is_lost(plant: Plant) -> None:
    stocked(plant, receipt("p1", "A1", "L1", 30))
    plant.hub.on("GET", "/api/cassettes", (200, [cassette(7, "A1")]))
    dark, lit = (200, {"power": "off"}), (200, {"power": "on", "cassettes": {}})
    plant.packager.on("GET", "/state", dark, lit, dark, lit)
    plant.packager.on("POST", "/cassettes/7", (503, {"error": "the power was lost while this was done: look what came of it"}))
    assert fill_cassettes(plant.crew, {"fill": 30}).counts["filled"] == 0
    assert [pouring.tablets for pouring in plant.crew.world.unpoured] == [30]


def test_a_request_without_its_members_is_refused(plant: Plant) -> None:
    with pytest.raises(BadRequest, match="fill"):
        fill_cassettes(plant.crew, {})
