"""Invariants 2, 3 and 9: one live pack a dose, one end for each dose and pack, one job a pouch."""

from collections import Counter

from hub.demo.invariants.story import DOSE_ENDS, NOT_EXERCISED, PACK_ENDS, Answer, Story


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
    """9: one job a pouch, and each job ended at most once."""
    ended = Counter(job["job"] for job in story.of("job-ended"))
    queued = Counter(job["job"] for job in story.of("job-queued"))
    packs = Counter(job["pack"] for job in story.of("job-queued"))
    return all(count == 1 for count in (*ended.values(), *queued.values(), *packs.values()))
