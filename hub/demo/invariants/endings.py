"""Invariants 2, 3 and 9: one live pack a dose, one end for each dose and pack, one job a pouch, each doubt settled by a person."""

from collections import Counter

from hub.demo.invariants.story import DOSE_ENDS, NOT_EXERCISED, PACK_ENDS, REVIEWERS, Answer, Data, Entry, Story

GONE = frozenset({"pack-destroyed", "pack-lost", "pack-never-made"})


def one_live_pack(story: Story) -> Answer:
    """2: between its `pack-expected` and its end or revocation, no dose has a second pack."""
    live: dict[str, str] = {}
    doses_of: dict[str, list[str]] = {}
    for entry in story.entries:
        data, kind = entry["data"], entry["kind"]
        if kind == "pack-expected":
            doses_of[data["pack"]] = data["doses"]
            for dose in data["doses"]:
                if dose in live:
                    return False
                live[dose] = data["pack"]
        elif kind in PACK_ENDS or kind in ("pack-revoked", "pack-quarantined"):
            for dose in doses_of.get(data["pack"], ()):
                if live.get(dose) == data["pack"]:
                    del live[dose]
    return True if doses_of else NOT_EXERCISED


def ends_once(story: Story) -> Answer:
    """3: every planned dose and every expected pack was told of once and has exactly one terminal fact; nothing else has one."""
    planned = Counter(data["dose"] for data in story.of("dose-planned"))
    expected = Counter(data["pack"] for data in story.of("pack-expected"))
    doses = Counter(data["dose"] for data in story.of(*DOSE_ENDS))
    packs = Counter(data["pack"] for data in story.of(*PACK_ENDS))
    return planned == doses and expected == packs and set(planned.values()) | set(expected.values()) <= {1}


def moved_once(story: Story) -> bool:
    """9: one job a pouch, each job ended at most once, and what power was lost over was counted by a person, booked once and destroyed."""
    ended = Counter(job["job"] for job in story.of("job-ended"))
    queued = Counter(job["job"] for job in story.of("job-queued"))
    packs = Counter(job["pack"] for job in story.of("job-queued"))
    once = all(count == 1 for count in (*ended.values(), *queued.values(), *packs.values()))
    return once and _decided_by_people(story) and _settled_as_decided(story) and _destroyed(story)


def _decided_by_people(story: Story) -> bool:
    """Tell whether each answer named the newest question that had been asked by then, by somebody who may answer."""
    asked: dict[str, tuple[int, int, int]] = {}
    for entry in story.entries:
        data = entry["data"]
        if entry["kind"] == "job-in-doubt":
            if _question(data)[1:] <= asked.get(data["job"], (0, 0, 0))[1:]:
                return False
            asked[data["job"]] = _question(data)
        elif entry["kind"] == "doubt-decided" and (asked.get(data["job"]) != _question(data) or not _by_one_who_may(story, entry)):
            return False
    return True


def _question(data: Data) -> tuple[int, int, int]:
    return data["slot"], data["boot"], data["event"]


def _by_one_who_may(story: Story, entry: Entry) -> bool:
    data = entry["data"]
    second = data["second"]
    named = data["by"] == entry["actor"] and data["reason"] != "" and second != data["by"]
    return named and all(story.roles.get(person) in REVIEWERS for person in (data["by"], second) if person is not None)


def _settled_as_decided(story: Story) -> bool:
    """Tell whether each doubt was settled once, by a number that a person had counted for that slot."""
    counted = {(data["job"], data["slot"], data["counted"]) for data in story.of("doubt-decided")}
    settled = [(data["job"], data["slot"], data["counted"]) for data in story.of("doubt-resolved")]
    return len({job for job, *_ in settled}) == len(settled) and set(settled) <= counted


def _destroyed(story: Story) -> bool:
    """Tell whether the pouches that were in doubt ended nowhere but in the waste."""
    doubtful = {data["job"] for data in story.of("job-in-doubt", "doubt-resolved")}
    packs = {pack for pack, expected in story.expected.items() if expected["job"] in doubtful}
    return all(entry["kind"] in GONE for entry in story.entries if entry["kind"] in PACK_ENDS and entry["data"]["pack"] in packs)
