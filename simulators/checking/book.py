"""What the ledger tells: the story of each dose and each pack, and every quantity that moved."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from simulators.checking.chain import Entry
from simulators.checking.lines import FILES, TOLD, Lines, Mismatch

DOSE_ENDS = frozenset(f"dose-{end}" for end in ("given", "returned", "wasted", "cancelled", "missed", "unfulfillable", "lost"))
PACK_ENDS = frozenset(f"pack-{end}" for end in ("given", "given-in-part", "restocked", "destroyed", "lost", "never-made"))
MAY_BE_NEGATIVE = frozenset({"supplier", "surplus"})

Amounts = defaultdict[tuple[str, ...], Fraction]


def amounts() -> Amounts:
    """Return an empty table of exact sums."""
    return defaultdict(Fraction)


@dataclass(frozen=True, slots=True)
class Giving:
    """One dose given: to whom, out of which pack (None: the ward's stock), how much."""

    patient: str
    pack: str | None
    units: Fraction


@dataclass(slots=True)
class DoseStory:
    """One dose: how often it was planned, of what order, for whom and what, how it ended, and what was said of its giving."""

    planned: int = 0
    patient: str = ""
    order: str = ""
    drug: str = ""
    lane: str = ""
    units: Fraction = Fraction(0)
    given: list["Giving"] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)


@dataclass(slots=True)
class PackStory:
    """One pack: what was expected, what the camera said, who let it go, and how it ended."""

    expected: int = 0
    patient: str = ""
    label: str = ""
    doses: tuple[str, ...] = ()
    job: str | None = None
    verdicts: list[str] = field(default_factory=list)
    released_by: list[str] = field(default_factory=list)
    produced: int = 0
    given_to: list[str] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)


class Book:
    """Reads entries in order; `mismatches` are contradictions of the ledger with itself."""

    def __init__(self, corrected: frozenset[int]) -> None:
        self.entries = 0
        self.head = "0" * 64
        self.mismatches: list[Mismatch] = []
        self.doses: defaultdict[str, DoseStory] = defaultdict(DoseStory)
        self.packs: defaultdict[str, PackStory] = defaultdict(PackStory)
        self.pack_of_job: dict[str, str] = {}
        self.pack_of_label: dict[str, str] = {}
        self.dropped, self.picked, self.given, self.loaded = amounts(), amounts(), amounts(), amounts()
        self.issued = amounts()
        self.balances = amounts()
        self.printed: set[str] = set()
        self.labels_in_doubt: set[str] = set()
        self.doubtful: set[str] = set()
        self.lines = Lines()
        self._corrected = corrected

    def read(self, entries: Iterable[Entry]) -> None:
        """Take in every entry that counts."""
        for entry in entries:
            self.entries, self.head = self.entries + 1, entry["hash"]
            if entry["seq"] not in self._corrected:
                self._take(entry)

    def _take(self, entry: Entry) -> None:
        kind, data = entry["kind"], entry["data"]
        corrects = data.get("corrects")
        try:
            if corrects is not None and not 0 < int(corrects) < entry["seq"]:
                self._wrong(entry, "it corrects no earlier entry")
            if kind == "stock-moved":
                self._move(entry)
            elif kind == "job-queued":
                self._job(entry)
            elif kind in ("job-in-doubt", "doubt-resolved"):
                self.doubtful.add(data["job"])
            elif kind == "label-printed":
                self.printed.add(data["label"])
            elif kind == "label-in-doubt":
                self.labels_in_doubt.add(data["label"])
            elif kind in FILES or kind in TOLD:
                self.lines.take(kind, data)
            elif kind == "dose-planned" or kind in DOSE_ENDS:
                self._dose(entry)
            elif kind.startswith("pack-"):
                self._pack(kind, data)
        except (KeyError, ValueError, TypeError, ZeroDivisionError) as error:
            self._wrong(entry, f"its data cannot be understood: {error!r}")

    def _wrong(self, entry: Entry, reason: str) -> None:
        self.mismatches.append({"fact": entry["kind"], "seq": entry["seq"], "reason": reason})

    def _job(self, entry: Entry) -> None:
        job, pack = entry["data"]["job"], entry["data"]["pack"]
        if self.pack_of_job.setdefault(job, pack) != pack:
            self._wrong(entry, f"job {job} makes two packs")

    def _dose(self, entry: Entry) -> None:
        story, kind = self.doses[entry["data"]["dose"]], entry["kind"]
        if kind == "dose-planned":
            self._plan(story, entry)
            return
        story.ends.append(kind)
        if kind == "dose-given":
            self._give(story, entry)

    def _plan(self, story: DoseStory, entry: Entry) -> None:
        data = entry["data"]
        story.planned += 1
        story.patient, story.order, story.drug, story.lane = (data[name] for name in ("patient", "order", "drug", "lane"))
        story.units = Fraction(data["units"])
        if story.order not in self.lines.decided:
            self._wrong(entry, f"nothing was decided about its order {story.order}")

    def _give(self, story: DoseStory, entry: Entry) -> None:
        data = entry["data"]
        giving = Giving(data["patient"], data["pack"], Fraction(data["units"]))
        story.given.append(giving)
        if giving.patient != story.patient:
            self._wrong(entry, f"planned for {story.patient}, given to {giving.patient}")
        if giving.units != story.units:
            self._wrong(entry, f"planned were {story.units}, given {giving.units}")

    def _pack(self, kind: str, data: dict[str, Any]) -> None:
        story = self.packs[data["pack"]]
        if kind == "pack-expected":
            story.expected += 1
            story.patient, story.label, story.job = data["patient"], data["label"], data["job"]
            story.doses = tuple(data["doses"])
            self.pack_of_label[data["label"]] = data["pack"]
            if data["job"] is not None:
                self.pack_of_job.setdefault(data["job"], data["pack"])
        elif kind == "pack-produced":
            story.produced += 1
        elif kind == "pack-verified":
            story.verdicts.append(data["verdict"])
        elif kind == "pack-released":
            story.released_by.append(data["by"])
        elif kind in PACK_ENDS:
            story.ends.append(kind)
            if kind.startswith("pack-given"):
                story.given_to.append(data["patient"])

    def _move(self, entry: Entry) -> None:
        data = entry["data"]
        item, lot, source, target = (data[name] for name in ("item", "lot", "from", "to"))
        quantity = Fraction(data["quantity"])
        if not isinstance(data["quantity"], str) or quantity <= 0 or source == target:
            raise ValueError("a move takes an exact quantity from one account to another")
        made = f"{item} {lot}"  # makers number their lots each for himself
        self.balances[source, made] -= quantity
        self.balances[target, made] += quantity
        if self.balances[source, made] < 0 and source not in MAY_BE_NEGATIVE:
            self._wrong(entry, f"{source} falls to {self.balances[source, made]} of lot {made}")
        self._sort(data, source, target, item, lot, quantity)

    def _sort(self, data: dict[str, Any], source: str, target: str, item: str, lot: str, quantity: Fraction) -> None:
        origin, (kind, _, name) = source.partition(":")[0], target.partition(":")
        if kind == "pack" and data["because"] == "drop":
            self.dropped[name, item, lot] += quantity
        elif kind == "pack" and data["because"] == "pick":
            self.picked[name, item, lot] += quantity
        elif kind == "ward" and data["because"] == "ward-issue":
            self.issued[name, item, lot] += quantity
        elif kind == "cassette":
            self.loaded[name, item, lot] += quantity
        elif kind == "patient" and origin == "ward":
            self.given[name, item, lot] += quantity
        elif kind == "patient" and origin == "pack" and self.packs[source.partition(":")[2]].patient != name:
            raise ValueError(f"what was in {source} went to patient {name}")

    def contradictions(self, *, unfinished: bool) -> list[Mismatch]:
        """Return what does not add up in the ledger alone; `unfinished`: doses and packs may still be on their way."""
        found = list(self.mismatches)
        fewest = 0 if unfinished else 1
        for dose, dose_story in self.doses.items():
            found += _once("dose-planned", {"dose": dose}, dose_story.planned)
            found += _ended("dose-ended", {"dose": dose}, dose_story.ends, fewest)
        for pack, story in self.packs.items():
            found += _once("pack-expected", {"pack": pack}, story.expected)
            found += _ended("pack-ended", {"pack": pack}, story.ends, fewest)
            found += [
                {"fact": "pack-given", "pack": pack, "expected": story.patient, "ledger": patient}
                for patient in story.given_to
                if patient != story.patient
            ]
        return found + self.lines.contradictions() + self._left_in_packs() + self._not_conserved()

    def _left_in_packs(self) -> list[Mismatch]:
        return [
            {"fact": "pack-emptied", "pack": account[5:], "lot": lot, "left": str(held)}
            for (account, lot), held in self.balances.items()
            if held and account.startswith("pack:") and self.packs[account[5:]].ends
        ]

    def _not_conserved(self) -> list[Mismatch]:
        sums: Counter[str] = Counter()
        for (_, lot), held in self.balances.items():
            sums[lot] += held  # type: ignore[assignment]
        return [{"fact": "lot-conserved", "lot": lot, "sum": str(total)} for lot, total in sums.items() if total]


def _once(fact: str, thing: dict[str, str], count: int) -> list[Mismatch]:
    return [] if count == 1 else [{"fact": fact, **thing, "times": count}]


def _ended(fact: str, thing: dict[str, str], ends: list[str], fewest: int) -> list[Mismatch]:
    return [] if fewest <= len(ends) <= 1 else [{"fact": fact, **thing, "ends": ends}]
