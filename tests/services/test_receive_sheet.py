"""Sheets: every line gets its outcome once, and a repeated or edited sheet changes only what it should."""

from dataclasses import replace
from datetime import timedelta

from hub.domain.doses import DoseState, Lane
from hub.domain.orders import LineState, OrderStatus, Outcome, Stay
from tests.services.small_world import MSK, SIX, STAYS, World, order_line


def test_the_outcomes_of_a_sheet_sum_to_its_orders(world: World) -> None:
    told = world.sheet(
        order_line("a"), order_line("b", patient=2, code="BID"), order_line("c", patient=3, drug_text="?", drug="PLAIN", route="nowhere"),
        order_line("d", status=OrderStatus.STOPPED), order_line("e", code="PRN"),
    )  # fmt: skip
    assert told.orders == 5 == sum(told.outcomes.values())
    assert told.outcomes == {"scheduled": 2, "needs-review": 1, "rejected": 1, "prn": 1}
    assert told.planned == 3 == len(world.facts("dose-planned"))
    assert len(world.facts("line-decided")) == 5


def test_the_same_content_again_is_refused_and_changes_nothing(world: World) -> None:
    world.sheet(order_line("a"), sha="one")
    before = len(world.ledger())
    assert world.sheet(order_line("a"), sha="one").code == "known-sheet"
    assert len(world.ledger()) == before


def test_an_unknown_source_is_refused(world: World) -> None:
    assert world.sheet(order_line("a"), source="nobody").code == "unknown-source"
    assert world.all("imports") == []


def test_an_unchanged_line_keeps_its_version_and_its_doses(world: World) -> None:
    world.sheet(order_line("a"))
    assert world.sheet(order_line("a", sheet="another", position="7")).planned == 0
    assert world.get("orders", "a").version == 1 and len(world.all("doses")) == 1


def test_a_changed_line_gets_a_new_version_and_its_old_doses_are_cancelled(world: World) -> None:
    world.sheet(order_line("a"))
    assert world.sheet(order_line("a", units=2)).planned == 1
    assert world.get("orders", "a").version == 2
    assert sorted((dose.version, dose.state, dose.units) for dose in world.all("doses")) == [
        (1, DoseState.CANCELLED, 1), (2, DoseState.PLANNED, 2),
    ]  # fmt: skip


def test_a_changed_line_of_a_second_sheet_revokes_the_pack_that_is_on_its_way(world: World) -> None:
    world.brought(order_line("a"))
    world.sheet(order_line("a", units=2))
    old = next(pack for pack in world.all("packs") if pack.replaces is None)
    assert old.state.value == "revoked" and world.dose("a").units == 2


def test_a_patient_in_another_bed_on_a_later_sheet_is_a_move(world: World) -> None:
    world.sheet(order_line("a"))
    moved = Stay(STAYS[0].patient, "e", "Surgery", "5", "1")
    world.sheet(order_line("a"), stays=(moved, *STAYS[1:]))
    assert (world.dose("a").department, world.dose("a").room) == ("Surgery", "5")
    assert world.facts("patient-moved")[-1]["to"] == "Surgery"


def test_a_stopped_order_does_not_come_back_with_an_older_sheet(world: World) -> None:
    line = order_line("a")
    world.sheet(line)
    world.stop(line)
    told = world.sheet(line)
    assert told.outcomes == {"rejected": 1} and told.planned == 0
    assert world.get("orders", "a").state is LineState.STOPPED


def test_a_stopped_order_that_is_written_anew_is_in_force_again(world: World) -> None:
    world.sheet(order_line("a"))
    world.stop(order_line("a"))
    assert world.sheet(order_line("a", units=2)).planned == 1


def test_lines_of_an_excluded_ward_are_named_not_ours_and_planned_once_the_patient_leaves_it(world: World) -> None:
    there = replace(STAYS[0], department="Intensive care unit")
    assert world.sheet(order_line("a"), stays=(there,)).outcomes == {"excluded": 1}
    assert world.sheet(order_line("a"), stays=(STAYS[0],)).planned == 1
    assert world.get("orders", "a").outcome is Outcome.SCHEDULED


def test_lanes_follow_drug_dose_and_route(world: World) -> None:
    world.sheet(
        order_line("m"), order_line("h", patient=2, units="1/2"), order_line("x", drug="TOXIC"), order_line("c", drug="COLD", route="SC"),
        order_line("v", drug="AMP"), order_line("i", patient=2, drug="AMP", route="IM"),
    )  # fmt: skip
    lanes = {dose.order: dose.lane for dose in world.all("doses")}
    assert lanes == {"m": Lane.MACHINE, "h": Lane.HALF_TABLET, "x": Lane.HAZARDOUS, "c": Lane.COLD, "v": Lane.AMPOULE, "i": Lane.INJECTION}


def test_the_same_line_twice_in_one_sheet_is_planned_once(world: World) -> None:
    world.sheet(order_line("a"), order_line("a"))
    assert len(world.facts("dose-planned")) == 1


def test_a_sheet_that_comes_before_the_day_begins_plans_that_day_once(world: World) -> None:
    world.now = SIX - timedelta(minutes=40)
    early = world.sheet(order_line("a"), sha="early")
    assert early.planned == 1 and world.dose("a").due.astimezone(MSK).strftime("%d %H:%M") == "02 08:00"
    world.now = SIX
    again = world.sheet(order_line("a"), order_line("b", 2), sha="morning")
    assert again.planned == 1 and len(world.all("doses", order="a")) == 1, "what is planned is not planned twice"


def early(world: World) -> None:
    """Take a sheet at twenty past five, and go on to twenty to six."""
    world.now = SIX - timedelta(minutes=40)
    world.sheet(order_line("a"), sha="early")
    world.now = SIX - timedelta(minutes=20)


def test_what_changes_between_an_early_sheet_and_six_is_planned_for_the_coming_day_too(world: World) -> None:
    early(world)
    world.change(line=replace(order_line("a", units=2), version=2))
    world.change(line=order_line("b", 2))
    doses = [dose for dose in world.all("doses") if dose.state is DoseState.PLANNED]
    assert sorted((dose.order, dose.units) for dose in doses) == [("a", 2), ("b", 1)]


def test_what_is_held_and_goes_on_between_an_early_sheet_and_six_keeps_its_dose(world: World) -> None:
    early(world)
    world.change(line=order_line("a", status=OrderStatus.ON_HOLD))
    world.change(line=order_line("a"))
    assert [dose.state for dose in world.all("doses") if dose.order == "a" and dose.state is DoseState.PLANNED] == [DoseState.PLANNED]


def test_changes_of_the_night_without_an_early_sheet_plan_the_running_day_only(world: World) -> None:
    world.now = SIX - timedelta(minutes=20)
    world.change(line=order_line("b", 2))
    assert world.all("doses") == []
