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

    def moved(self, movement: Movement) -> Entry:
        """Make the entry of a movement of matter, with the place in the truth where its facts are to stand."""
        return movement_entry(movement, truth_at=self._mark())

    def move(self, movement: Movement, *entries: Entry) -> None:
        """Commit one movement of matter, and `entries` with it."""
        self.commit(self.moved(movement), *entries)
