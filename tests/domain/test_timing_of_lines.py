"""What a line's own bounds and the doses planned now make of its timing."""

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from domain_cases import METFORMIN, MONDAY, MOSCOW, PATIENT, SOURCE, STAY, TABLE, decide, drug, line, mg, order
from test_domain_planning import plan

from hub.domain.drugs import Dosing
from hub.domain.orders import LineDecision, OrderLine
from hub.domain.schedule import DAY_SLOTS
from hub.domain.timing import Dosage, SlotDose, Timing
from hub.domain.validation import decide_line

HOUR = timedelta(hours=1)
NOON = datetime(2026, 3, 2, 12, tzinfo=MOSCOW)


def decided(written: OrderLine, planned_from: datetime) -> LineDecision:
    return decide_line(written, PATIENT, STAY, {METFORMIN.code: METFORMIN}, TABLE, DAY_SLOTS, SOURCE, planned_from, MONDAY, planned_from)


def rules(decision: LineDecision) -> list[str]:
    return [reason.rule for reason in decision.reasons]


def loading(starts_at: datetime | None) -> OrderLine:
    steps = (Dosage(mg(1000), Timing(code="ONCE"), "PO", sequence=1, starts_at=starts_at), Dosage(mg(250), Timing(code="DAILY"), "PO", sequence=2))
    return replace(line(starts_at=MONDAY), dosages=steps)


def test_a_first_dose_that_is_still_to_come_is_not_said_to_be_over() -> None:
    after = MONDAY + HOUR
    assert "first-dose" in rules(decided(loading(None), after))
    assert "first-dose" not in rules(decided(loading(after + HOUR), after))


def test_tonight_is_not_over_at_noon() -> None:
    tonight = line(starts_at=MONDAY, timing=Timing(code="TONIGHT"))
    (reason,) = (each for each in decided(tonight, NOON).reasons if each.rule == "once")
    assert reason.text == "given once, at the time of its code"
    assert [each.due.strftime("%d %H:%M") for each in plan(whole=order(tonight), days=1)] == ["02 20:00"]


def test_a_single_dose_that_may_be_repeated_is_said() -> None:
    (reason,) = (each for each in decide(line(timing=Timing(code="ONCE MR1"))).reasons if each.rule == "once")
    assert "repeated 1 ×: that is not planned" in reason.text and "допускает повтор 1 ×" in reason.text_ru


def test_an_exact_moment_outside_the_line_s_bounds_is_for_a_person() -> None:
    early = line(starts_at=NOON, timing=Timing(events=(NOON - HOUR, NOON + HOUR)))
    assert "timing-contradiction" in rules(decide(early))
    assert "timing-contradiction" not in rules(decide(replace(early, starts_at=NOON - HOUR)))
    assert [each.due for each in plan(whole=order(early), days=2)] == [NOON + HOUR]


@pytest.mark.parametrize(("days", "stopped"), [(0, False), (2, True)])
def test_a_weekly_drug_on_the_sheet_of_one_day_is_one_dose(days: int, stopped: bool) -> None:
    day = MONDAY.replace(hour=0, minute=0)
    written = line(timing=Timing(slots=(SlotDose("evening", Fraction(1)),)), starts_at=day, starts_on_day=True, ends_at=day + timedelta(days=days, hours=23, minutes=59))
    assert ("weekly-drug" in rules(decide(written, drug(dosed=Dosing.WEEKLY)))) is stopped
    twice = Timing(slots=(SlotDose("morning", Fraction(1)), SlotDose("evening", Fraction(1))))
    assert "weekly-drug" in rules(decide(replace(written, dosages=(replace(written.dosages[0], timing=twice),)), drug(dosed=Dosing.WEEKLY)))
