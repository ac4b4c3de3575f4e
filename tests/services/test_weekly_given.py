"""A drug that is given once a week: what an order gave that has ended counts for the next one."""

from dataclasses import replace
from datetime import time, timedelta
from fractions import Fraction

import pytest

from hub.domain.doses import DoseState
from hub.domain.drugs import Dosing
from hub.domain.orders import LineState, OrderLine, Outcome
from hub.domain.timing import Dosage, PeriodUnit, Repeat, Timing
from tests.services.small_world import DRUGS, SIX, World, order_line

MONDAY, WEDNESDAY = 0, 2


def weekly(order: str, weekday: int) -> OrderLine:
    """Return a line for one dose on a day of the week at eight."""
    line = order_line(order, drug="TWIN")
    timing = Timing(repeat=Repeat(period=Fraction(1), period_unit=PeriodUnit.WEEK, weekdays=(weekday,), times=(time(8),)))
    return replace(line, dosages=(Dosage(line.dose, timing, "PO"),))


@pytest.fixture
def given(world: World) -> World:
    """A hospital in which a weekly drug was given on Monday at eight, by an order that was stopped on Tuesday."""
    item = next(drug for drug in DRUGS if drug.code == "TWIN")
    world.do(lambda unit: unit.drugs.put(replace(item, dosed=Dosing.WEEKLY)))
    first = weekly("a", MONDAY)
    world.sheet(first)
    (dose,) = world.all("doses", order="a")
    world.do(lambda unit: unit.doses.put(replace(dose, state=DoseState.GIVEN)))
    world.now = SIX + timedelta(days=1)
    world.stop(first)
    assert world.get("orders", "a").state is LineState.STOPPED
    return world


def test_a_new_order_within_the_week_is_a_hard_stop_in_both_languages(given: World) -> None:
    given.change(line=weekly("b", WEDNESDAY))
    order = given.get("orders", "b")
    assert (order.outcome, [reason.rule for reason in order.reasons]) == (Outcome.REJECTED, ["weekly-drug"])
    assert "order a, which has ended, gave it at 08:00 on 02.03.2026" in order.reasons[0].said("en")
    assert "по оконченному назначению a его дали 02.03.2026 в 08:00" in order.reasons[0].said("ru")


def test_a_new_order_for_the_same_day_of_the_week_is_none(given: World) -> None:
    given.change(line=weekly("b", MONDAY))
    assert given.get("orders", "b").outcome is Outcome.SCHEDULED


def test_a_dose_that_is_a_week_old_holds_nothing_up(given: World) -> None:
    given.now = SIX + timedelta(days=8)
    given.change(line=weekly("b", WEDNESDAY))
    assert given.get("orders", "b").outcome is Outcome.SCHEDULED


def test_a_dose_that_was_not_given_holds_nothing_up(given: World) -> None:
    (dose,) = given.all("doses", order="a")
    given.do(lambda unit: unit.doses.put(replace(dose, state=DoseState.MISSED)))
    given.change(line=weekly("b", WEDNESDAY))
    assert given.get("orders", "b").outcome is Outcome.SCHEDULED
