"""Clocks of a place."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.adapters.clock import SteppedClock, clock_in

MOSCOW = ZoneInfo("Europe/Moscow")


def test_the_day_of_a_clock_is_the_day_of_its_place_also_after_midnight_there() -> None:
    clock = SteppedClock(datetime(2026, 3, 5, 21, 30, tzinfo=UTC), MOSCOW)
    assert clock().date() == date(2026, 3, 6)
    clock.step(datetime(2026, 3, 5, 22, 0, tzinfo=UTC))
    assert clock().date() == date(2026, 3, 6)


def test_a_stepped_clock_does_not_go_back() -> None:
    clock = SteppedClock(datetime(2026, 3, 5, 6, tzinfo=MOSCOW), MOSCOW)
    with pytest.raises(ValueError, match="does not go back"):
        clock.step(clock() - timedelta(seconds=1))


def test_the_real_clock_of_a_place_tells_real_time_there() -> None:
    now = clock_in(MOSCOW)()
    assert now.utcoffset() == timedelta(hours=3)
    assert abs(datetime.now(UTC) - now) < timedelta(minutes=1)
