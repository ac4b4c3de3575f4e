"""The hub's numbers of commands as the machine hears them: which ones below the highest have not come."""

from dataclasses import dataclass, field


@dataclass
class Sequence:
    """The first number heard is the beginning; `gaps` are (first, last), and one that comes late is no gap any more."""

    highest: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """Give how many numbers have not come."""
        return sum(last - first + 1 for first, last in self.gaps)

    def note(self, seq: int) -> None:
        """Take one number in; 0 is none, and one that is known changes nothing."""
        if seq > self.highest:
            if self.highest and seq > self.highest + 1:
                self.gaps.append((self.highest + 1, seq - 1))
            self.highest = seq
        else:
            self.gaps = [part for gap in self.gaps for part in _without(gap, seq)]


def _without(gap: tuple[int, int], seq: int) -> list[tuple[int, int]]:
    first, last = gap
    if not first <= seq <= last:
        return [gap]
    return [part for part in ((first, seq - 1), (seq + 1, last)) if part[0] <= part[1]]
