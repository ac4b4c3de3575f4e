"""Labels of the house at the printer: none is printed a second time by itself, and none that has become untrue."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.printer_status import PrinterLanguage
from hub.adapters.label_desk import LabelDesk
from hub.adapters.labelling import Labeller, LabelWidths
from hub.adapters.print_commands import next_command
from hub.domain.custody import TrolleyState
from hub.domain.identifiers import DrugCode, PackSerial
from hub.domain.refusals import Refusal
from hub.services.house_labels import HouseLabel, LabelRequest, queue_labels
from hub.services.house_prints import LABEL_OUTDATED, is_of_house
from hub.services.replaced_labels import LABEL_IN_DOUBT
from tests.services.small_world import World, order_line
from tests.services.test_replaced_labels import put_in_doubt, settle, waiting


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def asked(world: World, label: HouseLabel, subject: str) -> PackSerial:
    """Ask for a label of one sheet; returns the key of its print."""
    request = LabelRequest(label, subject, world.fresh("event"))
    desk = LabelDesk(world.writer, world.house, lambda: world.now, LabelWidths())
    drawn = asyncio.run(desk.draw("u-technician", request))
    assert not isinstance(drawn, Refusal), drawn
    world.do(lambda unit: queue_labels(unit, world.house, request, drawn))
    [label_of_it] = drawn
    assert is_of_house(label_of_it.pack)
    return label_of_it.pack


def next_name(world: World) -> str:
    command = next_command(world.writer, world.house.printer, PrinterLanguage.ESCPOS)
    return "" if command is None else command.command.rsplit("/", 2)[0]


def changed(world: World, table: str, key: Any, **facts: Any) -> None:
    world.do(lambda unit: getattr(unit, table).put(replace(getattr(unit, table).get(key), **facts)))


def a_trolley(world: World) -> Any:
    world.sheet(order_line("a"))
    world.at("06:15")
    Labeller(world.writer, world.house).work()
    [trolley] = world.all("trolleys")
    return trolley


@pytest.mark.parametrize(("label", "subject"), [(HouseLabel.BADGE, "u-nurse"), (HouseLabel.DRAWER, "1"), (HouseLabel.COMMAND, "SEAL")])
def test_one_in_doubt_is_not_printed_again_by_itself_and_nobody_is_told_that_it_is(world: World, label: HouseLabel, subject: str) -> None:
    key = asked(world, label, subject)
    put_in_doubt(world, key)
    [review] = world.all("reviews", kind=LABEL_IN_DOUBT)
    assert "not printed again by itself" in review.reasons[1] and "another number" not in "".join(review.reasons)
    assert "больше не печатается" in review.reasons_ru[1]
    settle(world, key)
    assert waiting(world) == []
    again = asked(world, label, subject)
    assert again != key and waiting(world) == [again]


CHANGES: dict[str, tuple[HouseLabel, str, str, Any, dict[str, Any]]] = {
    "another drug in the cassette": (HouseLabel.DRAWER, "1", "cassettes", 1, {"item": DrugCode("ALERT")}),
    "another slot": (HouseLabel.DRAWER, "1", "cassettes", 1, {"slot": 9}),
    "the drug is of high alert now": (HouseLabel.DRAWER, "1", "drugs", "PLAIN", {"high_alert": True}),
    "the person is gone": (HouseLabel.BADGE, "u-nurse", "users", "u-nurse", {"active": False}),
    "the badge is another": (HouseLabel.BADGE, "u-nurse", "users", "u-nurse", {"badge": "B-99"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_one_that_is_not_so_any_more_is_dropped_and_somebody_is_told(world: World, change: str) -> None:
    label, subject, table, row, facts = CHANGES[change]
    key, card = asked(world, label, subject), asked(world, HouseLabel.COMMAND, "SEAL")
    assert next_name(world) == key
    changed(world, table, row, **facts)
    assert next_name(world) == card
    assert world.get("prints", key) is None
    [review] = world.all("reviews", kind=LABEL_OUTDATED)
    assert review.subject == key
    assert "has changed since" in review.reasons[0] and "изменилось" in review.reasons_ru[0]


def test_one_that_is_still_so_is_printed(world: World) -> None:
    key = asked(world, HouseLabel.BADGE, "u-nurse")
    changed(world, "users", "u-technician", active=False)
    assert next_name(world) == key and world.all("reviews") == []


def test_the_list_of_a_trolley_goes_with_the_old_label_of_its_tray(world: World) -> None:
    trolley = a_trolley(world)
    key = asked(world, HouseLabel.MANIFEST, trolley.id)
    put_in_doubt(world, trolley.label)
    settle(world, trolley.label)
    assert world.all("trolleys")[0].label != trolley.label
    assert next_name(world) != key
    assert world.get("prints", key) is None
    assert [review.subject for review in world.all("reviews", kind=LABEL_OUTDATED)] == [key]


def test_a_tray_in_doubt_has_another_number_when_its_trolley_is_opened_again(world: World) -> None:
    trolley = a_trolley(world)
    put_in_doubt(world, trolley.label)
    changed(world, "trolleys", trolley.id, state=TrolleyState.SEALED)
    settle(world, trolley.label)
    changed(world, "trolleys", trolley.id, state=TrolleyState.ASSEMBLING)
    Labeller(world.writer, world.house).work()
    [now] = world.all("trolleys")
    assert now.label != trolley.label
    assert now.label in waiting(world) and trolley.label not in waiting(world)


def test_a_name_that_is_longer_than_any_is_refused(world: World) -> None:
    desk = LabelDesk(world.writer, world.house, lambda: world.now, LabelWidths())
    answer = asyncio.run(desk.draw("u", LabelRequest(HouseLabel.MANIFEST, "x" * 121, "e")))
    assert isinstance(answer, Refusal) and answer.code == "unknown"
