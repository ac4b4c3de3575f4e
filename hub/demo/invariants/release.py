"""Invariant 5: a pack is released only by its own serial, by records that agree with the plan, in date, and by somebody who may."""

from collections import defaultdict
from fractions import Fraction

from hub.demo.invariants.story import NOT_EXERCISED, REVIEWERS, Answer, Data, Entry, Story, Units, expired

PHARMACY = frozenset({"technician", "pharmacist", "head"})


def proven(story: Story) -> Answer:
    """5: every release follows from what was read, counted, asked of the machine and, where it was doubted, decided by a person.

    What the machine itself was in doubt about is never released, whoever decides.
    """
    released = [entry for entry in story.entries if entry["kind"] == "pack-released"]
    if not released:
        return NOT_EXERCISED
    evidence = _Evidence(story)
    packs = [entry["data"]["pack"] for entry in released]
    return len(set(packs)) == len(packs) and all(evidence.supports(entry) for entry in released)


class _Evidence:
    """What the ledger holds for and against each pack."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._verdicts: dict[str, list[Entry]] = defaultdict(list)
        self._accepted: dict[str, list[Entry]] = defaultdict(list)
        self._dead: dict[str, int] = {}
        self._doubtful = {data["job"] for data in story.of("job-in-doubt", "doubt-resolved")}
        self._asked: dict[str, Units] = {}
        self._moves: dict[str, list[Data]] = defaultdict(list)
        for move in story.moves:
            self._moves[move["to"].removeprefix("pack:")].append(move)
        cassettes: dict[int, str] = {}
        for entry in story.entries:
            kind, data = entry["kind"], entry["data"]
            if kind == "pack-verified":
                self._verdicts[data["pack"]].append(entry)
            elif kind == "review-decided" and data["decision"] == "accept":
                self._accepted[data["subject"]].append(entry)
            elif kind in ("pack-revoked", "pack-destroyed"):
                self._dead.setdefault(data["pack"], entry["seq"])
            elif kind == "cassette-loaded":
                cassettes[data["cassette"]] = data["item"]
            elif kind == "job-queued":
                self._asked[data["pack"]] = _asked(data, cassettes)

    def supports(self, release: Entry) -> bool:
        """Tell whether a release was right."""
        pack, story = release["data"]["pack"], self._story
        expected, wanted = story.expected.get(pack), story.wanted(pack)
        if expected is None or wanted is None or self._dead.get(pack, release["seq"]) < release["seq"]:
            return False
        by_machine = expected["job"] is not None
        if expected["job"] in self._doubtful:
            return False
        day = story.day_of(release)
        in_date = not expired(expected["expires_on"], day) and all(story.in_date(move, day) for move in self._moves[pack])
        agreed = story.filled.get(pack) == wanted and (not by_machine or self._asked.get(pack) == wanted)
        return in_date and agreed and self._seen(pack, release, by_machine)

    def _seen(self, pack: str, release: Entry, by_machine: bool) -> bool:
        earlier = [entry["data"] for entry in self._verdicts[pack] if entry["seq"] < release["seq"]]
        last = earlier[-1] if earlier else {"verdict": "", "read": []}
        passed = last["verdict"] == "PASS" and pack in last["read"]
        by, role = release["data"]["by"], self._story.roles.get(release["actor"])
        if by == "review":
            accepted = any(
                self._story.roles.get(decision["actor"]) in REVIEWERS and decision["actor"] == release["actor"]
                for decision in self._accepted[pack]
            )
            return by_machine and last["verdict"] == "LOOK" and accepted
        if by == "picker":
            return passed and not by_machine and role in PHARMACY
        return by == "camera" and passed and by_machine


def _asked(job: Data, cassettes: dict[int, str]) -> Units:
    """Return what a job asks for by item, as its cassettes are loaded; a cassette that was never loaded gives nothing."""
    found: Units = defaultdict(Fraction)
    for fill in job["fills"]:
        found[cassettes.get(fill["cassette"], "")] += fill["count"]
    return found
