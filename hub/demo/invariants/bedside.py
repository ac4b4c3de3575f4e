"""Invariants 6 and 7: who was given what by whom, and that what was stopped, revoked or expired was not."""

from collections import defaultdict
from datetime import datetime
from fractions import Fraction

from hub.demo.invariants.story import NOT_EXERCISED, NURSES, WARD_LANES, Answer, Data, Entry, Story, expired

NOT_IN_FORCE = frozenset({"rejected", "excluded", "needs-review"})


def identified(story: Story) -> Answer:
    """6: a nurse gave it, to the patient it was planned and packed for, out of the pack it was in, or from the ward's stock."""
    given = [entry for entry in story.entries if entry["kind"] == "dose-given"]
    if not given:
        return NOT_EXERCISED if not story.of("pack-given") else False
    handed = {entry["data"]["pack"]: entry for entry in story.entries if entry["kind"] == "pack-given"}
    doses_of: dict[str, set[str]] = defaultdict(set)
    for entry in given:
        doses_of[entry["data"]["pack"] or ""].add(entry["data"]["dose"])
    whole = all(doses_of[pack] == set(story.expected.get(pack, {}).get("doses", ())) for pack in handed)
    return whole and all(_right(story, entry, handed) for entry in given)


def _right(story: Story, entry: Entry, handed: dict[str, Entry]) -> bool:
    data = entry["data"]
    planned = story.planned.get(data["dose"])
    if planned is None or planned["patient"] != data["patient"] or Fraction(planned["units"]) != Fraction(data["units"]):
        return False
    if story.roles.get(entry["actor"]) not in NURSES:
        return False
    if data["pack"] is None:
        return planned["lane"] in WARD_LANES
    expected, giving = story.expected.get(data["pack"]), handed.get(data["pack"])
    if expected is None or giving is None or giving["actor"] != entry["actor"]:
        return False
    return data["dose"] in expected["doses"] and expected["patient"] == giving["data"]["patient"] == data["patient"]


def stopped_stay_out(story: Story) -> Answer:
    """7: nothing was given of an order that was not in force, to a patient who had left, or out of a revoked or expired pack or lot.

    What was given before the stop was known is kept as a fact: it has its incident.
    """
    watch = _Watch(story)
    held = all(watch.takes(entry) for entry in story.entries)
    return (True if watch.exercised else NOT_EXERCISED) if held else False


class _Watch:
    """What is stopped, revoked or gone, entry by entry."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._excused = {data.get("dose") for data in story.of("incident-opened")}
        self._in_force: dict[str, int] = {}
        self._versions: dict[str, int] = {}
        self._left_at: dict[str, str] = {}
        self._received: set[str] = set()
        self.exercised = False

    def takes(self, entry: Entry) -> bool:
        """Take in one entry; False where something was given that must not be."""
        kind, data = entry["kind"], entry["data"]
        if kind == "line-decided" and data["outcome"] not in NOT_IN_FORCE:
            self._in_force[data["order"]] = data["version"]
        elif kind in ("line-decided", "order-changed"):
            self._in_force.pop(data["order"], None)
            self.exercised |= kind == "order-changed"
        elif kind in ("dose-planned", "dose-resumed"):
            self._versions[data["dose"]] = data["version"]
        elif kind == "patient-discharged":
            self._left_at[data["patient"]] = data["at"]
        elif kind == "patient-moved":
            self._left_at.pop(data["patient"], None)
        elif kind == "pack-received":
            self._received.add(data["pack"])
        elif kind in ("pack-revoked", "pack-destroyed", "pack-restocked", "pack-lost"):
            self._received.discard(data["pack"])
            self.exercised |= kind == "pack-revoked"
        elif kind == "stock-moved" and data["to"].startswith("patient:"):
            return self._story.in_date(data, self._story.day_of(entry))
        elif kind == "pack-given":
            return data["pack"] in self._received and self._in_date(entry)
        elif kind == "dose-given":
            return self._given(entry, data)
        return True

    def _in_date(self, entry: Entry) -> bool:
        expected = self._story.expected.get(entry["data"]["pack"])
        return expected is not None and not expired(expected["expires_on"], self._story.day_of(entry))

    def _given(self, entry: Entry, data: Data) -> bool:
        planned = self._story.planned.get(data["dose"])
        if planned is None or (data["pack"] is not None and data["pack"] not in self._received):
            return False
        left_at = self._left_at.get(data["patient"])
        gone = left_at is not None and datetime.fromisoformat(left_at) <= datetime.fromisoformat(entry["at"])
        in_force = self._in_force.get(planned["order"]) == self._versions[data["dose"]]
        return (in_force and not gone) or data["dose"] in self._excused
