"""The hub's numbers of commands as the machine hears them: which ones below the highest have not come.

What is missing counts among the REACH numbers below the highest only, so an old loss is not told for ever. Of more than GAPS_KEPT
gaps the oldest become one: then what came between them counts as missing too, and the count is an upper bound.
"""

from dataclasses import dataclass, field

GAPS_KEPT = 100
REACH = 20_000


@dataclass
class Sequence:
    """The first number heard is the beginning; `gaps` are (first, last), and one that comes late is no gap any more."""

    highest: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """Give how many of the REACH numbers below the highest have not come; an upper bound where gaps were joined."""
        return sum(last - max(first, self.highest - REACH) + 1 for first, last in self.gaps)

    def note(self, seq: int) -> None:
        """Take one number in; 0 is none, and one that is known changes nothing."""
        if seq > self.highest:
            if self.highest and seq > self.highest + 1:
                self.gaps.append((self.highest + 1, seq - 1))
            self.highest = seq
        else:
            self.gaps = [part for gap in self.gaps for part in _without(gap, seq)]
        self.gaps = _joined([gap for gap in self.gaps if gap[1] >= self.highest - REACH])


def _joined(gaps: list[tuple[int, int]]) -> list[tuple[int, int]]:
    surplus = len(gaps) - GAPS_KEPT
    return gaps if surplus <= 0 else [(gaps[0][0], gaps[surplus][1]), *gaps[surplus + 1 :]]


def _without(gap: tuple[int, int], seq: int) -> list[tuple[int, int]]:
    first, last = gap
    if not first <= seq <= last:
        return [gap]
    return [part for part in ((first, seq - 1), (seq + 1, last)) if part[0] <= part[1]]
