"""Clocks: the real one, and one that a demonstration steps forward."""

import threading
from datetime import UTC, datetime


def wall_clock() -> datetime:
    """Return the real time, UTC."""
    return datetime.now(UTC)


class SteppedClock:
    """A clock that stands until it is stepped on; for demonstrations and replays only."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
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
            self._now = to.astimezone(UTC)
