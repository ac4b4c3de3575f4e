"""Cuts freeze slots into packs: stock is reserved or promised, chosen by expiry, and what cannot be had is said so."""

from dataclasses import replace
from datetime import date, timedelta

from hub.domain.doses import DoseState, Lane
from hub.domain.packs import JobState, PackState
from hub.services.close_day import tick
from tests.services.small_world import SIX, World, long_standing, order_line


def test_nothing_is_frozen_before_the_cut_and_nothing_twice_after_it(world: World) -> None:
    world.sheet(order_line("a"))
    world.at("06:14")
    assert world.dose("a").state is DoseState.PLANNED
    world.at("06:15")
    world.at("06:20")
    assert world.dose("a").state is DoseState.FROZEN and world.dose("a").batch == "2026-03-02-morning"
    assert len(world.all("packs")) == 1 and len(world.facts("batch-frozen")) == 1


def test_a_dose_planned_after_its_cut_goes_at_once_and_by_hand(world: World) -> None:
    world.at("06:20")
    world.sheet(order_line("a"))
    world.tick()
    assert world.dose("a").stat and world.pack_of("a").trolley is None and world.pack_of("a").stat


def test_stat_doses_do_not_wait_for_the_cut(world: World) -> None:
    world.sheet(order_line("a", stat=True), order_line("b", patient=2))
    world.tick()
    assert world.dose("a").state is DoseState.FROZEN and world.dose("b").state is DoseState.PLANNED


def test_the_night_belongs_to_the_evening_before(world: World) -> None:
    world.sheet(order_line("a", code="Q6H"))
    slots = {dose.due.astimezone(SIX.tzinfo).hour: dose.slot for dose in world.all("doses")}
    assert set(slots.values()) <= {"morning", "noon", "evening", "night"} and slots[min(slots)] == "night"


def test_reservations_never_exceed_the_cassette_and_the_rest_is_packed_by_hand(world: World) -> None:
    world.sheet(*(order_line(f"t{number}", number + 1, "TWIN", units=4) for number in range(9)))
    world.at("06:15")
    cassette = world.get("cassettes", 3)
    assert cassette.count == 30 and cassette.reserved == 28
    lanes = [dose.lane for dose in world.all("doses")]
    assert lanes.count(Lane.MACHINE) == 7 and lanes.count(Lane.TRAY) == 2
    assert world.get("lots", "TWIN/T1").promised == 8


def test_the_first_expiring_lot_goes_first_and_a_promised_one_is_not_promised_again(world: World) -> None:
    world.sheet(*(order_line(f"h{number}", number + 1, units="1/2") for number in range(31)))
    world.at("06:15")
    lots = {lot.number: lot.promised for lot in world.all("lots", item="PLAIN")}
    assert lots == {"P1": 30, "P2": 1}


def test_a_lot_that_does_not_outlive_the_dose_is_not_taken(world: World) -> None:
    lot = world.get("lots", "TOXIC/X1")
    world.do(lambda unit: unit.lots.put(replace(lot, expires_on=SIX.date() - timedelta(days=1))))
    world.sheet(order_line("a", drug="TOXIC"))
    world.at("06:15")
    assert world.dose("a").state is DoseState.UNFULFILLABLE
    assert "outlives" in world.facts("dose-unfulfillable")[0]["reason"]


def test_the_pack_expires_with_a_quarter_of_the_time_its_lot_has_left(world: World) -> None:
    world.sheet(order_line("a", drug="TOXIC"))
    world.at("06:15")
    left = (date(2027, 9, 1) - SIX.date()).days
    assert world.pack_of("a").expires_on == min(SIX.date() + timedelta(days=left // 4), date(2026, 9, 2))


def test_a_cassette_opened_too_long_ago_is_not_used(world: World) -> None:
    cassette = world.get("cassettes", 1)
    world.do(lambda unit: unit.cassettes.put(replace(cassette, opened_at=SIX - timedelta(days=31))))
    world.sheet(order_line("a"))
    world.at("06:15")
    assert world.dose("a").lane is Lane.TRAY


def test_stable_orders_of_one_time_share_a_pouch_and_high_alert_ones_never(world: World) -> None:
    world.sheet(long_standing("a"), long_standing("b", drug="TWIN"), long_standing("c", drug="ALERT"))
    world.at("06:15")
    assert world.dose("a").pack == world.dose("b").pack != world.dose("c").pack
    assert [fill.drug for fill in world.job_of("a").fills] == ["PLAIN", "TWIN"]
    assert {(pack.part, pack.parts) for pack in world.all("packs")} == {(1, 2), (2, 2)}


def test_a_pack_is_announced_with_its_label_and_only_then_its_job_is_queued(world: World) -> None:
    world.sheet(order_line("a"))
    world.now = SIX.replace(minute=15)
    world.do(lambda unit: tick(unit, world.house))
    assert world.facts("pack-expected") == [] and world.all("commands") == []
    world.labels()
    world.labels()
    assert len(world.facts("pack-expected")) == len(world.facts("job-queued")) == len(world.all("commands")) == 1
    assert world.job_of("a").state is JobState.QUEUED


def test_a_label_for_a_pack_that_was_called_off_changes_nothing(world: World) -> None:
    line = order_line("a", drug="TOXIC")
    world.sheet(line)
    world.now = SIX.replace(minute=15)
    world.do(lambda unit: tick(unit, world.house))
    world.stop(line)
    world.labels()
    assert world.pack_of("a").state is PackState.NEVER_MADE and world.facts("pack-expected", "pack-never-made") == []
    assert world.get("lots", "TOXIC/X1").promised == 0
