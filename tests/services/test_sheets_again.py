"""The same bytes again: known within the working day, a new sheet of the next one, and older where a newer sheet changed what they say."""

from datetime import timedelta
from typing import Any

from hub.adapters.intake_desk import IntakeDesk
from hub.domain.orders import OrderSheet
from hub.services.receive_sheet import receive_parts
from tests.services.small_world import PATIENTS, STAYS, World, order_line


def again(world: World, sha: str, *lines: Any) -> Any:
    sheet = OrderSheet("hospital", world.fresh("sheet"), sha, PATIENTS, STAYS, announced=len(lines))
    return world.do(lambda unit: receive_parts(unit, sheet, [lines], world.house, again=True))



def test_the_same_bytes_of_the_next_working_day_plan_that_day_once(world: World) -> None:
    world.sheet(order_line("a"), sha="one")
    world.now += timedelta(days=1)
    told = world.sheet(order_line("a"), sha="one")
    assert told.outcomes == {"scheduled": 1}
    assert len({dose.due for dose in world.all("doses")}) == 2 and world.get("orders", "a").version == 1
    before = len(world.ledger())
    assert world.sheet(order_line("a"), sha="one").code == "known-sheet"
    assert len(world.ledger()) == before


def test_what_came_early_for_a_day_is_known_on_it(world: World) -> None:
    world.now -= timedelta(hours=1)
    world.sheet(order_line("a"), sha="one")
    world.now += timedelta(hours=2)
    assert world.sheet(order_line("a"), sha="one").code == "known-sheet"


def test_an_older_sheet_after_a_newer_one_is_told_and_taken_by_a_pharmacist_alone(world: World) -> None:
    first, second = order_line("a"), order_line("a", code="BID")
    world.sheet(first, sha="one")
    world.now += timedelta(minutes=5)
    world.sheet(second, sha="two")
    world.now += timedelta(minutes=5)
    refused = world.sheet(first, sha="one")
    assert refused.code == "older-sheet" and "newer sheet changed" in refused.text and "более новый лист" in refused.text_ru
    assert world.get("orders", "a").version == 2
    assert again(world, "one", first).orders == 1 and world.get("orders", "a").version == 3
    assert world.sheet(second, sha="two").code == "older-sheet", "now that one is the older"


def test_an_older_sheet_that_would_change_nothing_is_known(world: World) -> None:
    world.sheet(order_line("a"), sha="one")
    world.now += timedelta(minutes=5)
    world.sheet(order_line("b", 2), sha="two")
    assert world.sheet(order_line("a"), sha="one").code == "known-sheet"
    assert again(world, "one", order_line("a")).code == "known-sheet", "nobody takes in what does nothing"


def test_the_desk_holds_no_unchanged_ward_sheet_back(world: World) -> None:
    head = "department;room;bed;patient code;patient;birth date;drug code;strength;dose;unit;route;morning;order code"
    data = f"{head}\nTherapy;4;1;W-90;Family Name;01.01.1960;PLAIN;500 mg;1;tablet;PO;1;o1".encode()
    planned = []
    for _ in range(2):
        told: Any = world.do(lambda unit: IntakeDesk(world.house).sheet(unit, "hospital", "ward.csv", data))
        planned.append((told["planned"], told["outcomes"]))
        world.now += timedelta(days=1)
    assert planned[0] == planned[1] and planned[0][0] == 1
