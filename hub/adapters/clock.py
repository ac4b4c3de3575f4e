"""Clocks: the real one, and one that a demonstration steps forward."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo


def wall_clock() -> datetime:
    """Return the real time, UTC."""
    return datetime.now(UTC)


def clock_in(zone: tzinfo) -> Callable[[], datetime]:
    """Return the real clock of a place: its date is the day that people there write."""
    return lambda: datetime.now(zone)


class SteppedClock:
    """A clock of a place that stands until it is stepped on; for demonstrations and replays only."""

    def __init__(self, start: datetime, zone: tzinfo) -> None:
        self._zone = zone
        self._now = start.astimezone(zone)
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """Return the moment that the clock stands at."""
        with self._lock:
            return self._now

    def step(self, to: datetime) -> None:
        """Step on; a step back is refused with ValueError."""
        with self._lock:
            if to < self._now:
                raise ValueError(
                    f"the clock stands at {self._now.isoformat()} and does not go back to {to.isoformat()}"
                )
            self._now = to.astimezone(self._zone)
