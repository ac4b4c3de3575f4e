"""What an export tells, found by kind, dose and pack; corrected entries do not count."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from fractions import Fraction
from functools import cached_property
from typing import Any

Entry = Mapping[str, Any]
Data = Mapping[str, Any]
Answer = bool | str
Units = dict[str, Fraction]
NOT_EXERCISED = "not-exercised"
DOSE_ENDS = frozenset(
    f"dose-{end}" for end in ("given", "returned", "wasted", "cancelled", "missed", "unfulfillable", "lost")
)
PACK_ENDS = frozenset(f"pack-{end}" for end in ("given", "restocked", "destroyed", "lost", "never-made"))
WARD_LANES = frozenset({"injection", "ward-stock"})
REVIEWERS = frozenset({"technician", "pharmacist"})
NURSES = frozenset({"nurse", "treatment-nurse", "senior-nurse"})


class Story:
    """The entries of a day that count, in their order."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        corrected = {entry["data"]["corrects"] for entry in entries if "corrects" in entry["data"]}
        self.entries = [entry for entry in entries if entry["seq"] not in corrected]

    def of(self, *kinds: str) -> list[Data]:
        """Return the data of all entries of these kinds."""
        return [entry["data"] for entry in self.entries if entry["kind"] in kinds]

    @cached_property
    def planned(self) -> dict[str, Data]:
        """Return what was planned, by dose."""
        return {data["dose"]: data for data in self.of("dose-planned")}

    @cached_property
    def expected(self) -> dict[str, Data]:
        """Return what was set up, by pack."""
        return {data["pack"]: data for data in self.of("pack-expected")}

    @cached_property
    def roles(self) -> dict[str, str]:
        """Return the role of every person that was enrolled, by user."""
        return {data["user"]: data["role"] for data in self.of("user-enrolled")}

    @cached_property
    def moves(self) -> list[Data]:
        """Return every movement of stock."""
        return self.of("stock-moved")

    @cached_property
    def filled(self) -> dict[str, Units]:
        """Return what the drop sensor counted and pickers scanned into each pack, by item."""
        found: dict[str, Units] = defaultdict(lambda: defaultdict(Fraction))
        for move in self.moves:
            if move["because"] in ("drop", "pick") and move["to"].startswith("pack:"):
                found[move["to"][5:]][move["item"]] += Fraction(move["quantity"])
        return found

    @cached_property
    def last_days(self) -> dict[tuple[str, str], str]:
        """Return the last day of use of each (item, lot) as it was received, the earliest where packs of it differ."""
        found: dict[tuple[str, str], str] = {}
        for move in self.moves:
            if move["because"] == "receipt":
                lot = move["item"], move["lot"]
                found[lot] = min(found.get(lot, move["expires_on"]), move["expires_on"])
        return found

    def in_date(self, move: Data, day: date) -> bool:
        """Tell whether the lot that was moved was received and may be used on a day."""
        last_day = self.last_days.get((move["item"], move["lot"]))
        return last_day is not None and not expired(last_day, day)

    def wanted(self, pack: str) -> Units | None:
        """Return the units by drug that the doses of a pack ask for; None where a dose or the pack was never planned."""
        doses = [self.planned.get(dose) for dose in self.expected.get(pack, {}).get("doses", ())]
        return units_of(dose for dose in doses if dose is not None) if doses and None not in doses else None

    @cached_property
    def zone(self) -> tzinfo | None:
        """Return the hospital's offset as its doses are due in it."""
        first = next(iter(self.planned.values()), None)
        return datetime.fromisoformat(first["due"]).tzinfo if first is not None else None

    def day_of(self, entry: Entry) -> date:
        """Return the hospital's date when a fact was recorded."""
        return datetime.fromisoformat(entry["at"]).astimezone(self.zone).date()


def units_of(doses: Iterable[Data]) -> Units:
    """Sum the units of doses by drug."""
    found: Counter[str] = Counter()
    for dose in doses:
        found[dose["drug"]] += Fraction(dose["units"])  # type: ignore[assignment]
    return dict(found)  # type: ignore[arg-type]


def expired(expires_on: str | None, day: date) -> bool:
    """Tell whether a day lies after the last day of use (`YYYY-MM-DD`; None: never)."""
    return expires_on is not None and date.fromisoformat(expires_on) < day
