"""The invariants of docs/architecture.md section 5, judged from an export of the ledger and the independent checker's word alone."""

from collections.abc import Callable, Mapping, Sequence

from hub.demo.invariants.bedside import identified, stopped_stay_out
from hub.demo.invariants.endings import ends_once, moved_once, one_live_pack
from hub.demo.invariants.lines import every_line_ends
from hub.demo.invariants.release import proven
from hub.demo.invariants.stock import conserved, imbalanced
from hub.demo.invariants.story import NOT_EXERCISED, Answer, Entry, Story

__all__ = ["NOT_EXERCISED", "RULES", "Answer", "Entry", "imbalance", "judge"]

RULES: Mapping[str, Callable[[Story], Answer]] = {
    "1-every-line-has-one-outcome": every_line_ends,
    "2-one-live-pack-a-dose": one_live_pack,
    "3-packs-and-doses-end-once": ends_once,
    "4-tablets-conserved": conserved,
    "5-released-only-when-proven": proven,
    "6-given-only-when-identified": identified,
    "7-stopped-is-refused": stopped_stay_out,
}


def judge(entries: Sequence[Entry], chain_holds: bool, mismatches: int) -> dict[str, Answer]:
    """Return each invariant's answer: true, false, or "not-exercised" where nothing in this day touched it."""
    story = Story(entries)
    answers: dict[str, Answer] = {name: rule(story) for name, rule in RULES.items()}
    answers["8-ledger-unchanged"] = chain_holds
    answers["9-moved-at-most-once"] = moved_once(story) and mismatches == 0
    return answers


def imbalance(entries: Sequence[Entry]) -> int:
    """Return how many lots do not sum to zero, and how many accounts are negative that may not be."""
    return imbalanced(Story(entries))
