"""The one way anything durable changes: first into the state file, then into memory, then the facts into the truth."""

from collections.abc import Callable, Sequence

from simulators.packager.journal import Entry
from simulators.packager.memory import Memory, movement_entry
from simulators.packager.world import Fact, Movement


class Recorder:
    """Join a memory with the sinks of its entries and facts; `mark` tells how long the truth is by now."""

    def __init__(
        self,
        memory: Memory,
        append: Callable[[Sequence[Entry]], None],
        tell: Callable[[Fact], None],
        mark: Callable[[], int],
    ) -> None:
        self.memory = memory
        self._append = append
        self._tell = tell
        self._mark = mark

    def commit(self, *entries: Entry) -> None:
        """Make `entries` durable together, then true."""
        self._append(entries)
        for entry in entries:
            for fact in self.memory.apply(entry):
                self._tell(fact)

    def move(self, movement: Movement, *entries: Entry) -> None:
        """Commit one movement of matter, and `entries` with it."""
        self.commit(movement_entry(movement, truth_at=self._mark()), *entries)
