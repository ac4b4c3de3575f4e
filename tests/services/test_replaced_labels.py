"""A label that is printed anew has another serial, and the old piece of paper is refused wherever it is scanned."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.adapters.labelling import Labeller
from hub.adapters.printed_labels import Trouble, keep_printed, keep_trouble, waiting_labels
from hub.domain.doses import DoseState
from hub.domain.identifiers import PackSerial, UserId
from hub.domain.packs import Pack, PackState
from hub.domain.refusals import Refusal
from hub.services.administer import BedsideScan, give
from hub.services.reject_packs import Decision, decide_review, scan_reject
from hub.services.replace_label import new_label
from hub.services.replaced_labels import LABEL_IN_DOUBT
from hub.services.return_packs import return_pack
from hub.services.trolleys import hand_over, load_pack
from tests.services.small_world import NURSE, TECHNICIAN, World, order_line


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def put_in_doubt(world: World, serial: str) -> None:
    """Have a label's printer end in doubt; the label was not booked as printed."""
    label = world.get("prints", serial)

    def doubt(unit: Any) -> None:
        keep_trouble(unit, world.house.printer, Trouble(label, "the line was lost in the middle", LABEL_IN_DOUBT))

    world.do(doubt)


def settle(world: World, serial: str, *, accept: bool = True) -> None:
    """Have somebody look at the printer, throw away what came, and say so."""
    [review] = world.all("reviews", kind=LABEL_IN_DOUBT, subject=serial, decision="")
    decision = Decision(review.id, accept=accept, scanned="", reason="thrown away", by=UserId(TECHNICIAN))
    assert not isinstance(world.do(lambda unit: decide_review(unit, decision, world.house), TECHNICIAN), Refusal)


def unprinted(world: World, order: str = "a", drug: str = "TOXIC") -> Pack:
    """Have a pack of a manual lane whose label waits for the printer."""
    world.sheet(order_line(order, drug=drug))
    world.at("06:15")
    pack = world.pack_of(order)
    label = world.get("prints", pack.serial)
    world.do(lambda unit: unit.prints.put(replace(label, printed=False)))
    return pack


@pytest.mark.parametrize("accept", [True, False])
def test_the_pack_is_made_anew_under_another_serial_with_the_same_contents(world: World, accept: bool) -> None:
    old = unprinted(world)
    put_in_doubt(world, old.serial)
    settle(world, old.serial, accept=accept)
    new, dead = world.pack_of("a"), world.get("packs", old.serial)
    assert new.serial != old.serial
    assert (dead.state, dead.replaced_by) == (PackState.NEVER_MADE, new.serial)
    assert (new.state, new.replaces) == (PackState.EXPECTED, old.serial)
    assert [(c.dose, c.drug, c.lot, c.units) for c in new.contents] == [(c.dose, c.drug, c.lot, c.units) for c in old.contents]
    assert (new.trolley, new.drawer, new.stat, new.part, new.parts) == (old.trolley, old.drawer, old.stat, old.part, old.parts)
    assert world.dose("a").state is DoseState.FROZEN


def test_what_was_promised_to_the_pack_is_promised_once(world: World) -> None:
    old = unprinted(world)
    before = [(lot.id, lot.promised) for lot in world.all("lots", order_by="id")]
    put_in_doubt(world, old.serial)
    settle(world, old.serial)
    assert [(lot.id, lot.promised) for lot in world.all("lots", order_by="id")] == before


def test_the_old_label_is_never_printed_again_and_the_new_one_is(world: World) -> None:
    old = unprinted(world)
    put_in_doubt(world, old.serial)
    assert waiting(world) == []
    settle(world, old.serial)
    new = drawn_again(world)
    assert new.serial in waiting(world) and old.serial not in waiting(world)
    assert world.get("prints", new.serial).digest != world.get("prints", old.serial).digest


def waiting(world: World) -> list[str]:
    found = world.do(lambda unit: waiting_labels(unit, world.house.printer, 100))
    return [label.pack for label in found]


def drawn_again(world: World) -> Pack:
    """Have the new label drawn; it waits for the printer."""
    Labeller(world.writer, world.house).work()
    return world.pack_of("a")


def given(world: World, pack: Pack) -> Any:
    scan = BedsideScan(str(world.get("patients", "p1").code), pack.serial)
    return world.do(lambda unit: give(unit, scan, world.house), NURSE)


SCANS = {
    "picked": lambda world, old: world.pick(old),
    "loaded": lambda world, old: world.do(lambda unit: load_pack(unit, old.trolley or "none", old.drawer, old.serial)),
    "handed over": lambda world, old: world.do(lambda unit: hand_over(unit, [old.serial], NURSE)),
    "given": given,
    "returned": lambda world, old: world.do(lambda unit: return_pack(unit, old.serial, sealed=True)),
    "rejected": lambda world, old: world.do(
        lambda unit: scan_reject(unit, PackSerial(old.serial), False, "", world.house)
    ),
}


@pytest.mark.parametrize("way", SCANS)
def test_the_old_label_is_refused_wherever_it_is_scanned_also_when_the_new_pack_is_out(world: World, way: str) -> None:
    old = unprinted(world)
    put_in_doubt(world, old.serial)
    settle(world, old.serial)
    new = drawn_again(world)
    world.do(lambda unit: keep_printed(unit, world.house.printer, unit.prints.get(new.serial)))
    assert world.pick(new).state is PackState.RELEASED
    refusal = SCANS[way](world, old)
    assert isinstance(refusal, Refusal), refusal
    assert refusal.code == "replaced"
    assert new.serial in refusal.text and new.serial in refusal.text_ru
    assert "replaced" in refusal.text and "заменена" in refusal.text_ru


def test_a_label_that_was_replaced_again_names_its_own_successor(world: World) -> None:
    first = unprinted(world)
    for _ in range(5):
        pack = world.pack_of("a")
        drawn_again(world)
        put_in_doubt(world, pack.serial)
        settle(world, pack.serial)
    last = world.pack_of("a")
    assert last.state is PackState.EXPECTED
    assert len({pack.serial for pack in world.all("packs") if pack.doses == first.doses}) == 6
    assert world.pick(first).code == "replaced"


def test_a_tray_gets_another_label_and_the_old_one_finds_no_trolley(world: World) -> None:
    world.sheet(order_line("a"))
    world.at("06:15")
    Labeller(world.writer, world.house).work()
    [trolley] = world.all("trolleys")
    old = trolley.label
    assert world.get("prints", old) is not None
    put_in_doubt(world, old)
    settle(world, old)
    [renamed] = world.all("trolleys")
    assert renamed.label != old and renamed.id == trolley.id
    Labeller(world.writer, world.house).work()
    assert renamed.label in waiting(world) and old not in waiting(world)
    refusal = world.do(lambda unit: load_pack(unit, old, "1", "none"))
    assert refusal.code == "replaced"
    [fact] = world.facts("tray-label-replaced")
    assert (fact["label"], fact["replaced_by"]) == (old, renamed.label)


def test_a_lost_label_is_printed_anew_when_a_person_asks(world: World) -> None:
    old = unprinted(world)
    world.do(lambda unit: keep_printed(unit, world.house.printer, unit.prints.get(old.serial)))
    told = world.do(lambda unit: new_label(unit, old.serial, world.house))
    assert isinstance(told, Pack) and told.replaced_by == world.pack_of("a").serial
    assert world.pick(old).code == "replaced"
    assert world.do(lambda unit: new_label(unit, old.serial, world.house)).code == "replaced"
    new = drawn_again(world)
    world.do(lambda unit: keep_printed(unit, world.house.printer, unit.prints.get(new.serial)))
    assert world.pick(new).state is PackState.RELEASED
    assert world.do(lambda unit: new_label(unit, new.serial, world.house)).code == "not-open"
    assert world.do(lambda unit: new_label(unit, "NOBODY", world.house)).code == "unknown-pack"


def test_asking_for_a_new_label_settles_its_doubt(world: World) -> None:
    old = unprinted(world)
    put_in_doubt(world, old.serial)
    world.do(lambda unit: new_label(unit, old.serial, world.house))
    assert world.all("reviews", kind=LABEL_IN_DOUBT, decision="") == []
    assert len([pack for pack in world.all("packs") if pack.doses == old.doses]) == 2


def test_a_pouch_of_the_machine_keeps_its_label(world: World) -> None:
    world.sheet(order_line("a"))
    world.at("06:15")
    pack = world.pack_of("a")
    assert pack.job is not None
    assert world.do(lambda unit: new_label(unit, pack.serial, world.house)).code == "not-open"
