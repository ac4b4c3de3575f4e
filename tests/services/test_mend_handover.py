"""What leaves the pharmacy by hand: ampoules to the treatment nurse alone, and nothing that is out of date, stopped or unlabelled."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.domain.packs import Pack, PackState
from hub.domain.people import Action, Role, may
from hub.services.trolleys import hand_over
from tests.services.small_world import NURSE, TECHNICIAN, TREATMENT, World, order_line


def ready(world: World, **line: Any) -> Pack:
    world.sheet(order_line("a", **line))
    world.at("06:15")
    world.pick_all()
    pack = world.pack_of("a")
    assert pack.state is PackState.RELEASED and pack.trolley is None
    return pack


def handed(world: World, pack: Pack, receiver: str) -> Any:
    return world.do(lambda unit: hand_over(unit, [pack.serial], receiver), TECHNICIAN)


def test_ampoules_are_handed_to_a_treatment_nurse_only(world: World) -> None:
    pack = ready(world, drug="AMP")
    assert handed(world, pack, NURSE).code == "not-treatment-nurse" and handed(world, pack, "nobody").code == "not-treatment-nurse"
    assert handed(world, pack, TREATMENT) == 1
    assert world.get("packs", pack.serial).state is PackState.RECEIVED


def test_other_packs_that_go_by_hand_go_to_any_nurse(world: World) -> None:
    assert handed(world, ready(world, drug="TOXIC", stat=True), NURSE) == 1


def test_a_treatment_nurse_may_do_what_a_nurse_may_and_take_ampoules() -> None:
    assert all(may(Role.TREATMENT_NURSE, action) for action in Action if may(Role.NURSE, action))
    assert [role for role in Role if may(role, Action.RECEIVE_AMPOULES)] == [Role.TREATMENT_NURSE]


def test_an_expired_pack_is_not_handed_over(world: World) -> None:
    pack = ready(world, drug="AMP")
    expired = replace(pack, expires_on=world.now.date() - timedelta(days=1))
    world.do(lambda unit: unit.packs.put(expired))
    assert handed(world, pack, TREATMENT).code == "expired"


@pytest.mark.parametrize("by_trolley", [False, True])
def test_a_pack_whose_order_has_ended_does_not_leave(world: World, by_trolley: bool) -> None:
    if by_trolley:
        world.sheet(order_line("a"))
        world.at("06:15")
        world.machine.run_all()
        pack = world.pack_of("a")
    else:
        pack = ready(world, drug="AMP")
    ended = replace(world.get("orders", "a"), stopped_at=world.now)
    world.do(lambda unit: unit.orders.put(ended))
    assert (world.load(pack) if by_trolley else handed(world, pack, TREATMENT)).code == "stopped"


def test_a_pack_is_picked_only_after_its_label_was_printed(world: World) -> None:
    world.sheet(order_line("a", drug="TOXIC"))
    world.at("06:15")
    pack = world.pack_of("a")
    label = world.get("prints", pack.serial)
    world.do(lambda unit: unit.prints.put(replace(label, printed=False)))
    assert world.pick(pack).code == "not-printed" and world.get("packs", pack.serial).state is PackState.EXPECTED
    world.do(lambda unit: unit.prints.put(label))
    assert world.pick(pack).state is PackState.RELEASED
