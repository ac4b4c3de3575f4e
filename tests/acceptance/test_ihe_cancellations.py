"""The cancellation cases of IHE Pharmacy (Medication Documentation, use cases), each a story through the services.

Cancelled before validation, after validation, after dispense, after administration; refused by the pharmacist; the validation
withdrawn before dispense, after dispense, after administration; an administration cancelled. At the end of each the ledger is checked:
one terminal fact a dose, what was corrected not counted, and every tablet accounted for.
"""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from hub.adapters.ledger_export import wrong_balances
from hub.domain.doses import DoseState
from hub.domain.identifiers import OrderId, UserId
from hub.domain.orders import LineState, Order, OrderLine, OrderSheet, OrderStatus, Outcome, SheetChange
from hub.domain.packs import PackState
from hub.domain.words import Words
from hub.services.administer import BedsideScan, give, give_from_ward
from hub.services.cancel_administration import EnteredInError, Truth, cancel_administration
from hub.services.overrides import Said, refuse_line, validate_again, withdraw_validation
from hub.services.receive_changes import receive_changes
from hub.services.return_packs import packs_to_return, return_pack
from hub.services.trolleys import pull_pack
from tests.services.small_world import NURSE, PHARMACIST, TECHNICIAN, World, order_line

LINE = order_line("a")
ENDS = frozenset(f"dose-{end}" for end in ("given", "returned", "wasted", "cancelled", "missed", "unfulfillable", "lost"))
DISPENSED = ("packed", "on-trolley", "on-ward")


def brought(world: World, place: str, line: OrderLine = LINE) -> None:
    """Have a line validated and dispensed as far as a place."""
    world.sheet(line)
    if place == "validated":
        return
    world.at("06:15")
    world.machine.run_all()
    if place == "packed":
        return
    if place == "on-trolley":
        world.load(world.pack_of(line.id))
        return
    world.deliver(line.id)
    if place == "given":
        world.at("08:00")
        assert not hasattr(given(world), "code")


def given(world: World, order: str = "a") -> Any:
    scan = BedsideScan("W-1", world.pack_of(order).serial)
    return world.do(lambda unit: give(unit, scan, world.house), NURSE)


def cleared(world: World) -> None:
    """Do what the lists ask people for: pull what is revoked, take back what must come back."""
    for pack in world.all("packs", state="revoked", in_drawer=True):
        world.do(lambda unit, pack=pack: pull_pack(unit, str(pack.trolley), pack.serial), TECHNICIAN)
    for pack in world.do(packs_to_return):
        world.do(lambda unit, pack=pack: return_pack(unit, pack.serial, True), TECHNICIAN)


def counted_ends(world: World) -> dict[str, list[str]]:
    """Return the terminal facts of each dose that count: those that no later entry corrects."""
    entries = world.ledger()
    corrected = {entry["data"]["corrects"] for entry in entries if "corrects" in entry["data"]}
    ends: dict[str, list[str]] = {}
    for entry in entries:
        if entry["kind"] in ENDS and entry["seq"] not in corrected:
            ends.setdefault(entry["data"]["dose"], []).append(entry["kind"].removeprefix("dose-"))
    return ends


def the_ledger_says(world: World, *ends: str) -> None:
    """Assert that each dose ended once, in these ways, and that the books agree with the ledger and hold every tablet."""
    found = counted_ends(world)
    assert all(len(each) == 1 for each in found.values()), found
    assert Counter(each[0] for each in found.values()) == Counter(ends)
    assert list(wrong_balances(world.path)) == []
    accounts = ["store", "cassette:1", "waste", "patient:p1", "ward:Cardiology", *(f"{kind}:{pack.serial}" for pack in world.all("packs") for kind in ("pack", "returned"))]
    assert sum((world.held(account, "PLAIN/P1") for account in accounts), Fraction(0)) == 60
    assert world.get("cassettes", 1).reserved == 0


def said(reason: str = "interacts with the anticoagulant", order: str = "a") -> Said:
    return Said(OrderId(order), reason, UserId(PHARMACIST))


def told(world: World, decision: Any) -> Any:
    return world.do(decision, PHARMACIST)


# ---- the prescriber cancels ----


def test_cancelled_before_validation_nothing_is_ever_planned(world: World) -> None:
    unclear = order_line("a", unsupported=(Words("a rate", "скорость введения"),))
    world.sheet(unclear)
    assert world.get("orders", "a").outcome is Outcome.NEEDS_REVIEW
    world.change(line=replace(unclear, status=OrderStatus.CANCELLED))
    world.at("06:15")
    order = world.get("orders", "a")
    assert (order.state, world.all("doses")) == (LineState.STOPPED, [])
    assert [fact["status"] for fact in world.facts("order-changed")] == ["cancelled"]
    the_ledger_says(world)


def test_cancelled_after_validation_the_planned_dose_is_cancelled(world: World) -> None:
    brought(world, "validated")
    world.stop(LINE)
    world.at("06:15")
    assert world.all("packs") == []
    the_ledger_says(world, "cancelled")


@pytest.mark.parametrize("place", DISPENSED)
def test_cancelled_after_dispense_the_pack_is_dead_at_once_and_comes_back(world: World, place: str) -> None:
    brought(world, place)
    world.stop(LINE)
    assert world.pack_of("a").state is PackState.REVOKED
    world.at("08:00")
    assert given(world).code in ("revoked", "stopped"), "the bedside refuses it wherever it is"
    cleared(world)
    assert world.pack_of("a").state is PackState.RESTOCKED
    the_ledger_says(world, "returned")


def test_cancelled_after_administration_the_dose_stays_a_fact(world: World) -> None:
    brought(world, "given")
    world.now = world.now.replace(hour=9)
    world.stop(LINE)
    assert world.get("orders", "a").state is LineState.STOPPED and world.all("incidents") == []
    the_ledger_says(world, "given")


def test_cancelled_before_it_was_given_but_told_after_it_opens_an_incident(world: World) -> None:
    brought(world, "given")
    world.now = world.now.replace(hour=9)
    stopped_at = world.now.replace(hour=7)
    change = SheetChange(stopped_at, line=replace(LINE, status=OrderStatus.CANCELLED))
    world.do(lambda unit: receive_changes(unit, OrderSheet("hospital", "late", "late", changes=(change,)), world.house))
    assert [incident.kind for incident in world.all("incidents")] == ["given-after-change"]
    the_ledger_says(world, "given")


# ---- the pharmacist refuses ----


def test_refused_by_the_pharmacist_the_line_goes_back_to_the_ward_with_the_reason(world: World) -> None:
    brought(world, "validated")
    order = told(world, lambda unit: refuse_line(unit, said(), world.house))
    assert isinstance(order, Order) and (order.outcome, order.state) == (Outcome.REJECTED, LineState.REJECTED)
    assert [reason.rule for reason in order.reasons] == ["pharmacist-refused"] and "anticoagulant" in order.reasons[0].text_ru
    (waiting,) = world.all("returned_lines")
    assert (waiting.state.value, waiting.department) == ("open", "Cardiology")
    world.sheet(LINE)
    assert world.get("orders", "a").outcome is Outcome.REJECTED, "sending it again does not help"
    world.at("06:15")
    the_ledger_says(world, "cancelled")


def test_a_refused_line_that_says_something_else_is_judged_by_itself(world: World) -> None:
    brought(world, "validated")
    told(world, lambda unit: refuse_line(unit, said(), world.house))
    world.sheet(order_line("a", units=2))
    order = world.get("orders", "a")
    assert (order.outcome, world.all("returned_lines")[0].closed_because) == (Outcome.SCHEDULED, "corrected")
    assert [fact["kind"] for fact in world.facts("ruling-ended")] == ["pharmacist-refused"]
    world.at("06:15")
    world.machine.run_all()
    world.deliver("a")
    world.at("08:00")
    given(world)
    the_ledger_says(world, "cancelled", "given")


# ---- the validation is withdrawn ----


def test_withdrawn_before_dispense_the_dose_is_cancelled_and_the_line_waits(world: World) -> None:
    brought(world, "validated")
    order = told(world, lambda unit: withdraw_validation(unit, said(), world.house))
    assert isinstance(order, Order) and order.state is LineState.NEEDS_REVIEW
    world.sheet(LINE)
    assert world.get("orders", "a").state is LineState.NEEDS_REVIEW, "the same line sent again is not validated by that"
    world.at("06:15")
    the_ledger_says(world, "cancelled")


def test_a_withdrawn_validation_that_is_given_again_brings_the_dose_back(world: World) -> None:
    brought(world, "validated")
    told(world, lambda unit: withdraw_validation(unit, said(), world.house))
    again = told(world, lambda unit: validate_again(unit, said("asked the doctor: it is right"), world.house))
    assert isinstance(again, Order) and again.state is LineState.ACTIVE
    world.at("06:15")
    world.machine.run_all()
    world.deliver("a")
    world.at("08:00")
    assert [dose.state for dose in given(world)] == [DoseState.GIVEN]
    the_ledger_says(world, "cancelled", "given")


@pytest.mark.parametrize("place", DISPENSED)
def test_withdrawn_after_dispense_the_pack_is_revoked_wherever_it_is(world: World, place: str) -> None:
    brought(world, place)
    told(world, lambda unit: withdraw_validation(unit, said(), world.house))
    assert world.pack_of("a").state is PackState.REVOKED
    world.at("08:00")
    assert given(world).code in ("revoked", "stopped")
    cleared(world)
    the_ledger_says(world, "returned")


def test_withdrawn_after_administration_the_dose_stays_a_fact_and_opens_an_incident(world: World) -> None:
    brought(world, "given")
    world.now = world.now.replace(hour=10)
    told(world, lambda unit: withdraw_validation(unit, said(), world.house))
    (incident,) = world.all("incidents")
    assert (incident.kind, incident.subject) == ("given-before-withdrawal", "a") and "anticoagulant" in incident.text
    the_ledger_says(world, "given")


def test_only_a_pharmacist_with_a_reason_rules_and_only_about_what_is_in_force(world: World) -> None:
    brought(world, "validated")
    nurse = Said(OrderId("a"), "why", UserId(NURSE))
    assert told(world, lambda unit: withdraw_validation(unit, nurse, world.house)).code == "not-allowed"
    assert told(world, lambda unit: withdraw_validation(unit, said(" "), world.house)).code == "reason"
    assert told(world, lambda unit: withdraw_validation(unit, said(order="b"), world.house)).code == "unknown-order"
    assert told(world, lambda unit: validate_again(unit, said(), world.house)).code == "no-ruling"
    told(world, lambda unit: withdraw_validation(unit, said(), world.house))
    assert told(world, lambda unit: withdraw_validation(unit, said(), world.house)).code == "not-validated"
    world.stop(LINE)
    assert told(world, lambda unit: refuse_line(unit, said(), world.house)).code == "over"
    assert world.dose("a").state is DoseState.CANCELLED


# ---- the administration is cancelled ----


def error(world: World, truth: Truth, reason: str = "the wrong pouch was scanned", order: str = "a") -> EnteredInError:
    return EnteredInError("W-1", truth, reason, pack_code=world.pack_of(order).serial)


def cancelled(world: World, wrong: EnteredInError) -> Any:
    return world.do(lambda unit: cancel_administration(unit, wrong), PHARMACIST)


def test_cancelled_administration_with_the_pack_still_here_the_dose_is_open_and_given_later(world: World) -> None:
    brought(world, "given")
    (dose,) = cancelled(world, error(world, Truth.HERE))
    assert (dose.state, world.pack_of("a").state) == (DoseState.PACKED, PackState.RECEIVED)
    assert world.held("patient:p1", "PLAIN/P1") == 0 and counted_ends(world) == {}
    (fact,) = world.facts("administration-cancelled")
    assert world.ledger()[fact["corrects"] - 1]["kind"] == "dose-given" and fact["reason"] == "the wrong pouch was scanned"
    world.at("08:30")
    assert [each.state for each in given(world)] == [DoseState.GIVEN]
    the_ledger_says(world, "given")
    assert world.held("patient:p1", "PLAIN/P1") == 1


def test_cancelled_administration_of_what_was_thrown_away_is_waste(world: World) -> None:
    brought(world, "given")
    (dose,) = cancelled(world, error(world, Truth.WASTED, "it fell on the floor"))
    assert (dose.state, world.pack_of("a").state, world.held("waste", "PLAIN/P1")) == (DoseState.WASTED, PackState.DESTROYED, 1)
    the_ledger_says(world, "wasted")


def test_cancelled_administration_of_an_order_that_was_stopped_since_sends_the_pack_back(world: World) -> None:
    brought(world, "given")
    world.now = world.now.replace(hour=9)
    world.stop(LINE)
    cancelled(world, error(world, Truth.HERE))
    assert world.pack_of("a").state is PackState.REVOKED
    cleared(world)
    the_ledger_says(world, "returned")


@pytest.mark.parametrize("truth", Truth)
def test_cancelled_administration_from_the_ward_s_stock(world: World, truth: Truth) -> None:
    world.sheet(order_line("i", drug="AMP", route="IM"))
    world.at("06:15")
    world.issue_all()
    world.at("08:00")
    dose = world.dose("i")
    scan = BedsideScan("W-1", dose=dose.id, source_code="AMP-F1")
    assert not hasattr(world.do(lambda unit: give_from_ward(unit, scan, world.house), NURSE), "code")
    wrong = EnteredInError("W-1", truth, "another patient's", dose=dose.id)
    cancelled(world, wrong)
    waste = truth is Truth.WASTED
    assert world.dose("i").state is (DoseState.WASTED if waste else DoseState.PACKED)
    assert world.held("waste", "AMP/F1") == waste and world.held("patient:p1", "AMP/F1") == 0
    assert list(wrong_balances(world.path)) == []
    assert list(counted_ends(world).values()) == ([["wasted"]] if waste else [])
    if not waste:
        assert not hasattr(world.do(lambda unit: give_from_ward(unit, scan, world.house), NURSE), "code")


def test_what_was_never_given_or_is_another_patient_s_cannot_be_cancelled(world: World) -> None:
    brought(world, "on-ward")
    assert cancelled(world, error(world, Truth.HERE)).code == "not-given"
    world.at("08:00")
    given(world)
    assert cancelled(world, error(world, Truth.HERE, " ")).code == "reason"
    assert cancelled(world, replace(error(world, Truth.HERE), patient_code="W-2")).code == "wrong-patient"
    assert cancelled(world, replace(error(world, Truth.HERE), pack_code="NOBODY")).code == "not-given"
    cancelled(world, error(world, Truth.WASTED))
    assert cancelled(world, error(world, Truth.WASTED)).code == "not-given", "once"
    the_ledger_says(world, "wasted")
