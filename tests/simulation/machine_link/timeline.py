"""Virtual time: what is to happen, in order; the same seed gives the same order, byte for byte."""

import hashlib
import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

Deed = Callable[[], None]


@dataclass
class Timeline:
    """The one clock and the one source of chance of a run; `note` adds to the trace by which two runs are compared."""

    seed: int
    now_s: float = 0.0
    chance: random.Random = field(init=False)
    wall_offset_s: float = 0.0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self._waiting: list[tuple[float, int, Deed]] = []
        self._count = 0
        self._trace = hashlib.sha256()

    def after(self, seconds: float, deed: Deed) -> None:
        """Do something later."""
        self._count += 1
        heapq.heappush(self._waiting, (self.now_s + max(0.0, seconds), self._count, deed))

    def step(self) -> bool:
        """Go on to the next thing and do it; False where nothing waits."""
        if not self._waiting:
            return False
        at_s, _, deed = heapq.heappop(self._waiting)
        self.now_s = max(self.now_s, at_s)
        deed()
        return True

    def happens(self, probability: float) -> bool:
        """Tell whether something of this probability happens now."""
        return probability > 0 and self.chance.random() < probability

    def note(self, *facts: object) -> None:
        """Add to the trace."""
        self._trace.update(f"{self.now_s:.6f} {facts}".encode())

    @property
    def digest(self) -> str:
        """Return the hash of the trace so far."""
        return self._trace.hexdigest()
