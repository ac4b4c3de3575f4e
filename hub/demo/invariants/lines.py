"""Invariant 1: every line of every file ends in exactly one named outcome, by file, place and order."""

from collections import Counter

from hub.demo.invariants.story import NOT_EXERCISED, Answer, Story

TOLD = ("line-decided", "order-changed", "order-unchanged")
PLANNED_OUTCOMES = frozenset({"scheduled", "once"})


def every_line_ends(story: Story) -> Answer:
    """Tell whether each file has as many places told of as it had lines, none twice, and whether doses come from decided lines."""
    files = story.of("sheet-received", "changes-received")
    if not files:
        return NOT_EXERCISED if not story.planned else False
    places = Counter((told["sha256"], told["position"]) for told in story.of(*TOLD) if told["sha256"] is not None)
    lines = Counter(sha256 for sha256, _ in places)
    complete = {file["sha256"]: file["orders"] for file in files if file["orders"]} == dict(lines)
    return complete and max(places.values(), default=1) == 1 and _planned_by_decisions(story)


def _planned_by_decisions(story: Story) -> bool:
    """Tell whether every dose was planned by a decision about its order, in that version, that asks for doses."""
    decided: set[tuple[str, int]] = set()
    for entry in story.entries:
        data = entry["data"]
        if entry["kind"] == "line-decided" and data["outcome"] in PLANNED_OUTCOMES:
            decided.add((data["order"], data["version"]))
        elif entry["kind"] == "dose-planned" and (data["order"], data["version"]) not in decided:
            return False
    return True
