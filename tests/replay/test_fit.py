"""A ward's clock is fitted on what was charted: its own where it has enough doses, everybody's elsewhere."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from fractions import Fraction

from hub.domain.identifiers import DrugCode, OrderId, PatientId
from hub.domain.orders import OrderLine, OrderStatus
from hub.domain.quantities import Quantity
from hub.domain.timing import Dosage, Timing
from tests.replay.fit import ENOUGH, fitted, shares
from tests.replay.fortnight import Charted, KnownOrder, house

AT = house()
START = datetime(2026, 3, 2, 7, tzinfo=AT.zone)
LINE = OrderLine(
    id=OrderId("bid"), version=1, source="hospital", sheet="s", position="1", patient=PatientId("p"), drug=DrugCode("D"), drug_text="D",
    dosages=(Dosage((Quantity(Fraction(1), "tablet"),) * 2, Timing(code="BID"), "PO"),), status=OrderStatus.ACTIVE, authored_at=START,
    starts_at=START, ends_at=None, signed_by="Dr",
)  # fmt: skip
EARLY, LATE = KnownOrder(LINE, "Early ward"), KnownOrder(replace(LINE, id=OrderId("late")), "Late ward")
ORDERS = {"bid": EARLY, "late": LATE}


def charted_at(order: str, *hours: int, days: int = ENOUGH, since: int = 0) -> set[Charted]:
    midnight = START.replace(hour=0)
    return {Charted(order, midnight + timedelta(days=since + day, hours=hour)) for day in range(days) for hour in hours}


def times(ward: str, doses: set[Charted]) -> tuple[time, ...]:
    rule = fitted(AT.frequencies, doses, ORDERS, AT).find("BID", ward)
    assert rule is not None
    return rule.times


def test_a_ward_with_enough_doses_gets_its_own_times_and_the_others_the_common_ones() -> None:
    doses = charted_at("bid", 9, 21, days=2 * ENOUGH) | charted_at("late", 10, 22)
    assert times("Early ward", doses) == (time(9), time(21))
    assert times("Late ward", doses) == (time(10), time(22))
    assert times("Third ward", doses) == (time(9), time(21))


def test_too_few_doses_leave_the_shipped_times() -> None:
    assert times("Early ward", charted_at("bid", 9, 21, days=ENOUGH // 4)) == (time(8), time(20))


def test_the_share_counts_exact_times_and_those_within_an_hour_up_to_the_stop() -> None:
    table = fitted(AT.frequencies, charted_at("bid", 9, 21), ORDERS, AT)
    second = charted_at("bid", 9, 21, days=2, since=7) | charted_at("bid", 15, days=1, since=7) | {Charted("bid", START.replace(hour=8) + timedelta(days=7))}
    (share,) = shares(table, second, ORDERS, AT)
    assert (share.doses, share.exactly, share.within_an_hour) == (6, 4, 5)
    stopped = {"bid": replace(EARLY, stopped_at=START.replace(hour=12) + timedelta(days=7))}
    (share,) = shares(table, second, stopped, AT)
    assert (share.doses, share.exactly) == (6, 1)
