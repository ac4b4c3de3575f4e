"""The invariants of docs/architecture.md section 5, judged from an export of the ledger and the independent checker's word alone."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

Entry = Mapping[str, Any]
Answer = bool | str
NOT_EXERCISED = "not-exercised"
DOSE_ENDS = frozenset(
    f"dose-{end}" for end in ("given", "returned", "wasted", "cancelled", "missed", "unfulfillable", "lost")
)
PACK_ENDS = frozenset(f"pack-{end}" for end in ("given", "restocked", "destroyed", "lost", "never-made"))
MAY_BE_NEGATIVE = frozenset({"supplier", "surplus"})


def judge(entries: Sequence[Entry], chain_holds: bool, mismatches: int) -> dict[str, Answer]:
    """Return each invariant's answer: true, false, or "not-exercised" where nothing in this day touched it."""
    counted = _without_corrected(entries)
    answers: dict[str, Answer] = {name: rule(counted) for name, rule in RULES.items()}
    answers["8-ledger-unchanged"] = chain_holds
    answers["9-moved-at-most-once"] = _moved_once(counted) and mismatches == 0
    return answers


def _without_corrected(entries: Sequence[Entry]) -> list[Entry]:
    corrected = {entry["data"]["corrects"] for entry in entries if "corrects" in entry["data"]}
    return [entry for entry in entries if entry["seq"] not in corrected]


def _of(entries: Iterable[Entry], *kinds: str) -> list[Mapping[str, Any]]:
    return [entry["data"] for entry in entries if entry["kind"] in kinds]


def _every_line_ends(entries: Sequence[Entry]) -> Answer:
    """1: every line of every sheet has an outcome: as many decisions as the sheets have orders."""
    orders = sum(sheet["orders"] for sheet in _of(entries, "sheet-received"))
    decided = {line["order"] for line in _of(entries, "line-decided")}
    return bool(len(decided) >= orders) if orders else NOT_EXERCISED


def _one_live_pack(entries: Sequence[Entry]) -> Answer:
    """2: between its `pack-expected` and its end or revocation, no dose has a second pack."""
    live: dict[str, str] = {}
    doses_of: dict[str, list[str]] = {}
    for entry in entries:
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


def _ends_once(entries: Sequence[Entry]) -> Answer:
    """3: every planned dose and every expected pack has exactly one terminal fact."""
    planned = {dose["dose"] for dose in _of(entries, "dose-planned")}
    ends = Counter(data["dose"] for data in _of(entries, *DOSE_ENDS))
    expected = {pack["pack"] for pack in _of(entries, "pack-expected")}
    packs = Counter(data["pack"] for data in _of(entries, *PACK_ENDS))
    doses_end = all(ends[dose] == 1 for dose in planned) and set(ends) <= planned
    return doses_end and all(packs[pack] == 1 for pack in expected)


Lot = tuple[str, str]


def balances(entries: Sequence[Entry]) -> dict[tuple[str, Lot], Fraction]:
    """Return the balance of every (account, (item, lot)) by the stock moves."""
    held: dict[tuple[str, Lot], Fraction] = defaultdict(Fraction)
    for move in _of(entries, "stock-moved"):
        lot = (move["item"], move["lot"])
        held[move["from"], lot] -= Fraction(move["quantity"])
        held[move["to"], lot] += Fraction(move["quantity"])
    return held


def imbalance(entries: Sequence[Entry]) -> int:
    """Return how many lots do not sum to zero, and how many accounts are negative that may not be."""
    held = balances(entries)
    lots: dict[Lot, Fraction] = defaultdict(Fraction)
    for (_, lot), quantity in held.items():
        lots[lot] += quantity
    negative = sum(1 for (account, _), quantity in held.items() if quantity < 0 and account not in MAY_BE_NEGATIVE)
    return sum(1 for quantity in lots.values() if quantity) + negative


def _conserved(entries: Sequence[Entry]) -> Answer:
    """4: lots balance, nothing is negative, and an ended pack holds nothing."""
    ended = {f"pack:{pack['pack']}" for pack in _of(entries, *PACK_ENDS)}
    left = [account for (account, _), quantity in balances(entries).items() if quantity and account in ended]
    return imbalance(entries) == 0 and not left


def _proven(entries: Sequence[Entry]) -> Answer:
    """5: no release without a verdict PASS, or a person's decision, in which the pack's own serial was read."""
    passed = {
        data["pack"]
        for data in _of(entries, "pack-verified")
        if data["verdict"] == "PASS" and data["pack"] in data["read"]
    }
    released = _of(entries, "pack-released")
    return all(data["pack"] in passed or data["by"] == "review" for data in released) if released else NOT_EXERCISED


def _identified(entries: Sequence[Entry]) -> Answer:
    """6: who gave is a person, and patient and pack were named."""
    given = [entry for entry in entries if entry["kind"] == "dose-given"]
    people = {user["user"] for user in _of(entries, "user-enrolled")}
    return all(entry["actor"] in people and entry["data"]["patient"] for entry in given) if given else NOT_EXERCISED


def _stopped_stay_out(entries: Sequence[Entry]) -> Answer:
    """7: after a pack was revoked it was never given."""
    revoked: set[str] = set()
    for entry in entries:
        if entry["kind"] == "pack-revoked":
            revoked.add(entry["data"]["pack"])
        elif entry["kind"] == "pack-given" and entry["data"]["pack"] in revoked:
            return False
    return True if revoked else NOT_EXERCISED


def _moved_once(entries: Sequence[Entry]) -> bool:
    """9: one job a pouch, and each job ended at most once."""
    ended = Counter(job["job"] for job in _of(entries, "job-ended"))
    queued = Counter(job["job"] for job in _of(entries, "job-queued"))
    return all(count == 1 for count in (*ended.values(), *queued.values()))


RULES: Mapping[str, Callable[[Sequence[Entry]], Answer]] = {
    "1-every-line-has-one-outcome": _every_line_ends,
    "2-one-live-pack-a-dose": _one_live_pack,
    "3-packs-and-doses-end-once": _ends_once,
    "4-tablets-conserved": _conserved,
    "5-released-only-when-proven": _proven,
    "6-given-only-when-identified": _identified,
    "7-stopped-is-refused": _stopped_stay_out,
}
