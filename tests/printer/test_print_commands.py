"""What waits for a printer, what its command is called, and what each outcome means in the books."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware_bridge.print_contract import OutcomeWord, PrintEvent
from hub.adapters.print_commands import book, command_name, process_id
from hub.adapters.printed_labels import waiting_labels
from hub.domain.doses import Lane
from hub.domain.identifiers import BatchId, DeviceId, PackSerial, PatientId
from hub.domain.packs import Pack, PackState
from hub.domain.records import Print
from hub.services.reviews import settle_reviews
from tests.bridge.printer_desk import TINY
from tests.services.small_world import SIX, World

PRINTER = DeviceId("printer-1")


def label(pack: str) -> Print:
    bits = base64.b64encode(TINY.bits).decode()
    return Print(PackSerial(pack), PRINTER, TINY.digest().hex(), TINY.width, TINY.height, bits)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, stocked=False)
    made.do(lambda unit: unit.prints.put_many([label("P0"), label("P1")]))
    yield made
    made.close()


def waiting(world: World, limit: int = 9) -> list[str]:
    found = world.writer.submit_read(lambda unit: waiting_labels(unit, PRINTER, limit)).result()
    return [each.pack for each in found]


def end(world: World, pack: str, kind: OutcomeWord, rc: str) -> None:
    (known,) = [each for each in world.all("prints") if each.pack == pack]
    event = PrintEvent(command=command_name(known), kind=kind, rc=rc, reason="so it says", at=datetime.now(UTC))
    world.do(lambda unit: book(unit, PRINTER, event))


def test_labels_wait_in_order_up_to_a_limit_and_for_their_own_printer(world: World) -> None:
    world.do(lambda unit: unit.prints.put(replace(label("A"), device=DeviceId("printer-2"))))
    assert waiting(world) == ["P0", "P1"]
    assert waiting(world, 1) == ["P0"]
    end(world, "P0", "printed", "OK")
    assert waiting(world) == ["P1"]


def test_each_try_has_its_own_process_id(world: World) -> None:
    tries = [replace(label("P0"), tries=number) for number in range(1000)]
    found = {process_id(each) for each in tries}
    assert len(found) >= 999
    assert all(len(each) == 4 and all(0x20 <= value <= 0x7E for value in each) for each in found)
    assert {value for each in found for value in each} == set(range(0x20, 0x7F))
    assert process_id(label("P1")) != process_id(label("P0")) == process_id(label("P0"))


@pytest.mark.parametrize("rc", ["FENCED", "INVALID", "EXPIRED", "SOMETHING_NEW"])
def test_label_that_is_refused_for_good_is_asked_about_with_its_reason(world: World, rc: str) -> None:
    end(world, "P0", "refused", rc)
    (review,) = world.all("reviews", kind="label-refused", decision="")
    assert (review.subject, f"{rc}: so it says" in review.reasons[0]) == ("P0", True)
    assert waiting(world) == ["P1"]
    world.do(lambda unit: settle_reviews(unit, ("label-refused",), "P0", "mended"))
    assert waiting(world) == ["P0", "P1"]
    end(world, "P0", "refused", rc)
    assert len(world.all("reviews", kind="label-refused")) == 2


@pytest.mark.parametrize("rc", ["NOT_READY", "UNREACHABLE"])
def test_label_that_waits_for_its_printer_is_no_question(world: World, rc: str) -> None:
    end(world, "P0", "refused", rc)
    assert world.all("reviews") == []
    assert waiting(world) == ["P0", "P1"]
    assert [each.tries for each in world.all("prints", order_by="pack")] == [1, 0]


def test_doubt_is_a_question_and_a_late_outcome_of_an_older_try_is_none(world: World) -> None:
    end(world, "P0", "in-doubt", "NOT_CONFIRMED")
    old = PrintEvent(command=command_name(label("P0")), kind="printed", rc="OK", reason="", at=datetime.now(UTC))
    world.do(lambda unit: book(unit, PRINTER, old))
    assert [each.printed for each in world.all("prints")] == [False, False]
    assert [review.kind for review in world.all("reviews")] == ["label-in-doubt"]
    assert waiting(world) == ["P1"]


@pytest.mark.parametrize("state", PackState)
def test_label_of_a_pack_waits_only_while_the_pack_is_expected(world: World, state: PackState) -> None:
    world.do(lambda unit: unit.packs.put(pack("P0", state)))
    assert waiting(world) == (["P0", "P1"] if state is PackState.EXPECTED else ["P1"])
    assert waiting(world, 1) == (["P0"] if state is PackState.EXPECTED else ["P1"])


def pack(serial: str, state: PackState) -> Pack:
    return Pack(
        serial=PackSerial(serial), lane=Lane.TRAY, patient=PatientId("p1"), doses=(), due=SIX, slot="", department="",
        room="", batch=BatchId("b"), state=state, expires_on=None, label_digest="",
    )  # fmt: skip


def waiting_pack(world: World, serial: str, room: str, *, stat: bool = False) -> None:
    world.do(lambda unit: unit.packs.put(replace(pack(serial, PackState.EXPECTED), room=room, stat=stat)))
    world.do(lambda unit: unit.prints.put(label(serial)))


def test_stat_comes_first_then_the_order_in_which_the_trolley_is_walked(world: World) -> None:
    for serial, room in (("A", "10"), ("B", "9"), ("C", "2")):
        waiting_pack(world, serial, room)
    waiting_pack(world, "Z", "11", stat=True)
    assert [serial for serial in waiting(world) if serial in "ABCZ"] == ["Z", "C", "B", "A"]


def test_other_labels_stand_behind_the_packs_that_came_before_and_before_those_that_came_after(world: World) -> None:
    waiting_pack(world, "early", "5")
    world.do(lambda unit: unit.prints.put(label("tray")))
    waiting_pack(world, "late", "9")
    waiting_pack(world, "stat", "9", stat=True)
    assert waiting(world) == ["stat", "P0", "P1", "early", "tray", "late"]


def test_a_doubt_about_a_label_that_was_replaced_asks_nobody(world: World) -> None:
    world.do(lambda unit: unit.packs.put(pack("P0", PackState.NEVER_MADE)))
    end(world, "P0", "in-doubt", "NOT_CONFIRMED")
    assert world.all("reviews") == []
    assert waiting(world) == ["P1"]
