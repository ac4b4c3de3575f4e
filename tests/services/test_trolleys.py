"""Trolleys take the right packs into the right drawers, and leave only sealed and without anything revoked."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.domain.custody import TrolleyState
from hub.domain.packs import PackState
from hub.services.trolleys import close_trolley, load_pack, pull_pack, view_trolley
from tests.services.small_world import NURSE, TECHNICIAN, World, order_line


@pytest.fixture
def pack(world: World) -> Any:
    """Offer a released pouch for the morning's trolley."""
    world.sheet(order_line("a"), order_line("b", 2, drug="TWIN"), order_line("v", drug="AMP"))
    world.at("06:15")
    world.machine.run_all()
    return world.pack_of("a")


def load(world: World, trolley: str, drawer: str, serial: str) -> Any:
    return world.do(lambda unit: load_pack(unit, trolley, drawer, serial), TECHNICIAN)


def pull(world: World, trolley: str, serial: str) -> Any:
    return world.do(lambda unit: pull_pack(unit, trolley, serial), TECHNICIAN)


def state(world: World, pack: Any) -> PackState:
    return PackState(world.get("packs", pack.serial).state)


def test_a_trolley_goes_its_whole_way(world: World, pack: Any) -> None:
    view = world.load(pack)
    assert [one.serial for one in view.packs] == [pack.serial] and [why for _, why in view.missing] == ["released: scan it into its drawer"]
    assert world.load(world.pack_of("b")).missing == ()
    assert world.seal(pack.trolley).state is TrolleyState.SEALED and world.dispatch(pack.trolley).state is TrolleyState.DISPATCHED
    assert world.receive(pack.trolley).state is TrolleyState.RECEIVED and state(world, pack) is PackState.RECEIVED
    refused = world.do(lambda unit: close_trolley(unit, pack.trolley), NURSE)
    assert refused.code == "open-packs"


def test_wrong_scans_at_the_trolley_are_refused(world: World, pack: Any) -> None:
    assert load(world, "nobody", pack.drawer, pack.serial).code == "trolley"
    assert load(world, pack.trolley, pack.drawer, "NOBODY").code == "unknown-pack"
    assert load(world, pack.trolley, "another", pack.serial).code == "wrong-drawer"
    ampoules = world.pack_of("v")
    assert load(world, pack.trolley, ampoules.drawer, ampoules.serial).code == "state", "it was not filled yet"
    world.pick_all()
    assert load(world, pack.trolley, ampoules.drawer, ampoules.serial).code == "wrong-drawer", "ampoules go by hand"
    world.load(pack)
    assert world.load(pack).code == "state"


def test_an_expired_or_revoked_pack_is_not_loaded(world: World, pack: Any) -> None:
    world.do(lambda unit: unit.packs.put(replace(pack, expires_on=world.now.date() - timedelta(days=1))))
    assert world.load(pack).code == "expired"
    world.stop(order_line("a"))
    assert world.load(pack).code == "revoked"


def test_each_step_is_taken_once_and_in_its_order(world: World, pack: Any) -> None:
    trolley = pack.trolley
    assert world.dispatch(trolley).code == "trolley" and world.receive(trolley).code == "trolley"
    assert world.seal(trolley, "").code == "seal" and world.seal("nobody").code == "trolley"
    assert world.do(lambda unit: close_trolley(unit, trolley), NURSE).code == "trolley"
    world.seal(trolley)
    assert world.seal(trolley).code == "trolley" and world.load(pack).code in ("trolley", "wrong-drawer")
    world.dispatch(trolley)
    assert world.receive(trolley, "S2").code == "seal"
    assert world.receive(trolley).state is TrolleyState.RECEIVED and world.receive(trolley).code == "trolley"


def test_what_is_missing_when_the_trolley_is_sealed_goes_by_hand(world: World, pack: Any) -> None:
    world.load(pack)
    world.seal(pack.trolley)
    late = world.pack_of("b")
    assert late.trolley is None and world.facts("pack-left-behind")[0]["pack"] == late.serial
    assert world.hand(late) == 1 and state(world, late) is PackState.RECEIVED


def test_a_stop_after_loading_blocks_the_trolley_until_the_pack_is_out(world: World, pack: Any) -> None:
    world.load(pack)
    assert pull(world, pack.trolley, pack.serial).code == "not-on-list"
    world.stop(order_line("a"))
    view = world.do(lambda unit: view_trolley(unit, unit.trolleys.get(pack.trolley)))
    assert [one.serial for one in view.pull] == [pack.serial]
    assert world.seal(pack.trolley).code == "pull"
    assert not pull(world, view.trolley.label or pack.trolley, pack.serial).in_drawer
    assert world.seal(pack.trolley).state is TrolleyState.SEALED


def test_a_stop_after_sealing_keeps_the_trolley_here_until_it_is_sealed_anew(world: World, pack: Any) -> None:
    world.load(pack)
    world.seal(pack.trolley)
    world.stop(order_line("a"))
    assert world.dispatch(pack.trolley).code == "pull"
    pull(world, pack.trolley, pack.serial)
    assert world.get("trolleys", pack.trolley).state is TrolleyState.ASSEMBLING
    world.seal(pack.trolley, "S2")
    assert world.dispatch(pack.trolley).state is TrolleyState.DISPATCHED and world.receive(pack.trolley, "S1").code == "seal"


def test_only_released_packs_without_a_trolley_are_handed_over_and_each_once(world: World, pack: Any) -> None:
    ampoules = world.pack_of("v")
    assert world.hand(ampoules).code == "state"
    world.pick_all()
    assert world.hand(pack).code == "state"
    assert world.hand(ampoules, ampoules) == 1 and world.hand(ampoules).code == "state"
    assert len([fact for fact in world.facts("pack-received") if fact["pack"] == ampoules.serial]) == 1
    assert world.hand(replace(pack, serial="NOBODY")).code == "unknown-pack"


def test_a_stopped_pack_is_not_handed_over(world: World, pack: Any) -> None:
    world.pick_all()
    ampoules = world.pack_of("v")
    world.stop(order_line("v", drug="AMP"))
    assert world.hand(ampoules).code == "revoked"
