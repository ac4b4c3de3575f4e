"""A stopwatch with named hands: where the wall time of a demonstration goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up seconds by name; what runs inside another measured part counts for its own name only."""

    def __init__(self) -> None:
        self.spent_s: dict[str, float] = {}
        self._inner_s = 0.0

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Count the time of a block for `name`, without what blocks inside it counted."""
        outer_s, self._inner_s = self._inner_s, 0.0
        started_s = time.monotonic()
        try:
            yield
        finally:
            passed_s = time.monotonic() - started_s
            self.spent_s[name] = self.spent_s.get(name, 0.0) + passed_s - self._inner_s
            self._inner_s = outer_s + passed_s

    def rounded(self) -> dict[str, float]:
        """Return the seconds of each name, the longest first."""
        return {name: round(spent, 2) for name, spent in sorted(self.spent_s.items(), key=lambda part: -part[1])}
