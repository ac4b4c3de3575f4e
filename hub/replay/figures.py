"""What one run of a history came to: counted from its store when it is over."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.domain.doses import DoseState, Lane
from hub.domain.orders import OrderLine
from hub.domain.packs import PackState, Verdict

CAME_BACK = (PackState.RESTOCKED, PackState.DESTROYED)


@dataclass
class Figures:
    """One history with so many packings a day.

    `lines` counts (frequency code, outcome) of the lines of every sheet and the new orders of the changes; `late` counts
    (kind of change, position) of doses; `doses` counts (lane, state); `returns` counts doses of packs that came back after their
    release, by reason; `packed` doses that were packed for a patient by name, `given` of them, `at_once` packed by hand after
    the cut of their slot.
    """

    packings: int
    days: int = 0
    lines: Counter[tuple[str, str]] = field(default_factory=Counter)
    late: Counter[tuple[str, str]] = field(default_factory=Counter)
    doses: Counter[tuple[str, str]] = field(default_factory=Counter)
    returns: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    packed: int = 0
    given: int = 0
    at_once: int = 0
    came_back: int = 0
    changes: int = 0
    seconds: float = 0.0
    largest_memory_mib: float = 0.0

    @property
    def share_back(self) -> float:
        """Return the share of packed doses that came back; zero where nothing was packed."""
        return self.came_back / self.packed if self.packed else 0.0

    def told(self) -> dict[str, Any]:
        """Return the figures as JSON."""
        return {
            "packings_a_day": self.packings, "days": self.days, "changes": self.changes, "packed": self.packed, "given": self.given,
            "packed_at_once": self.at_once, "came_back": self.came_back, "share_back": round(self.share_back, 4), "returns": dict(self.returns.most_common()),
            "lines": _nested(self.lines), "doses": _nested(self.doses), "late_changes": _nested(self.late), "refused_to_people": _nested(self.refused),
            "seconds": round(self.seconds, 1), "largest_memory_mib": round(self.largest_memory_mib, 1),
        }  # fmt: skip


def _nested(counted: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (first, second), count in sorted(counted.items()):
        nested.setdefault(first, {})[second] = count
    return nested


def code_of(line: OrderLine) -> str:
    """Return what a line's frequency is counted under: its code, or what stands in its place."""
    timing = line.timing
    if timing is None or not timing.is_written:
        return "(none)"
    code = (timing.code or "").strip()
    return code or ("(slots)" if timing.slots else "(when needed)" if timing.prn else "(structured)")


def count_store(unit: SqlUnitOfWork, figures: Figures) -> None:
    """Count doses and packs as they stand at the end."""
    for lane in Lane:
        for state in DoseState:
            if count := unit.doses.count(lane=lane, state=state):
                figures.doses[lane.value, state.value] = count
    for pack in unit.packs.where(verdict=Verdict.PASS):
        figures.packed += len(pack.doses)
        figures.at_once += len(pack.doses) if pack.stat else 0
        if pack.state in (PackState.GIVEN, PackState.GIVEN_IN_PART):
            figures.given += len(pack.doses)
        if pack.state in CAME_BACK:
            figures.came_back += len(pack.doses)
            figures.returns[reason_kind(pack.reason)] += len(pack.doses)


def reason_kind(reason: str) -> str:
    """Return which kind of event brought a pack back, from the sentence that its state machine kept."""
    for words, kind in _KINDS:
        if words in reason:
            return kind
    return reason.split(";", maxsplit=1)[0] or "(no reason)"


_KINDS = (
    ("the patient leaves", "discharge"), ("which keeps its own procedure", "moved to an excluded ward"), ("the patient moved", "transfer"),
    ("the order was put on hold", "hold"), ("the order was changed", "order changed"), ("the order is to be changed", "order changed"), ("the order was", "order stopped"), ("the order ended", "order ended"),
    ("the course is over", "order ended"), ("not given in time", "not given in time"), ("not made in time", "not made in time"),
)  # fmt: skip
