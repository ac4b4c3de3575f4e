"""The one way anything durable changes: first into the state file, then into memory, then the facts into the truth."""

from collections.abc import Callable, Sequence

from simulators.packager.journal import Entry
from simulators.packager.memory import Memory, movement_entry
from simulators.packager.world import Fact, Movement


class Recorder:
    """Join a memory with the sinks of its entries and facts; `mark` tells how long the truth is by now.

    `append_by_hand` takes the entries of what hands do without the machine, the same as the others where it is None.
    """

    def __init__(
        self,
        memory: Memory,
        append: Callable[[Sequence[Entry]], None],
        tell: Callable[[Fact], None],
        mark: Callable[[], int],
        append_by_hand: Callable[[Sequence[Entry]], None] | None = None,
    ) -> None:
        self.memory = memory
        self._append = append
        self._tell = tell
        self._mark = mark
        self._append_by_hand = append_by_hand or append

    def commit(self, *entries: Entry) -> None:
        """Make `entries` durable together, then true."""
        self._append(entries)
        self._apply(entries)

    def moved(self, movement: Movement) -> Entry:
        """Make the entry of a movement of matter, with the place in the truth where its facts are to stand."""
        return movement_entry(movement, truth_at=self._mark())

    def move(self, movement: Movement, *entries: Entry) -> None:
        """Commit one movement of matter, and `entries` with it."""
        self.commit(self.moved(movement), *entries)

    def take_out(self, bin_name: str) -> None:
        """Commit that a hand emptied a bin. The hand needs no power for that: what it holds it holds, even if the machine goes dark."""
        entries = (self.moved({"op": "take", "bin": bin_name}),)
        self._append_by_hand(entries)
        self._apply(entries)

    def _apply(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            for fact in self.memory.apply(entry):
                self._tell(fact)
