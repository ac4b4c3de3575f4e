"""What must hold at every step, told from what physically happened and from the hub's books, in words of its own."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


class Broken(AssertionError):
    """An invariant does not hold; the message names it and what was seen."""


def must(holds: bool, rule: str, *seen: object) -> None:
    """Raise Broken unless a rule holds."""
    if not holds:
        raise Broken(f"{rule}: {' '.join(map(str, seen))}")


@dataclass
class Truth:
    """What physically happened in the machine, fact by fact."""

    opened: Counter[tuple[str, int]] = field(default_factory=Counter)
    fell: Counter[tuple[str, int]] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)
    labels: dict[str, str] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)
    diverted: set[str] = field(default_factory=set)
    jobs_of_pouches: dict[str, str] = field(default_factory=dict)

    def movement(self, movement: dict[str, Any], asked: int) -> None:
        """Take one movement of the actuator: it opens a cassette for one slot of one job."""
        if movement["op"] != "drop":
            return
        key = (movement["job"], movement["drop"])
        self.opened[key] += 1
        must(self.opened[key] == 1, "9: an actuator moves at most once for a slot of a job", *key)
        must(movement["fell"] == asked, "no more and no fewer tablets fall than asked for", *key, movement["fell"], asked)

    def fact(self, fact: dict[str, Any]) -> None:
        """Take one fact of the machine's own record of the truth."""
        match fact["what"]:
            case "tablet-dropped":
                self.fell[fact["job"], fact["slot"]] += int(fact["quantity"])
            case "label-printed":
                self.labels[fact["pouch"]] = fact["digest"]
            case "pouch-cut":
                self.cut[fact["job"]] += 1
                self.jobs_of_pouches[fact["pouch"]] = fact["job"]
                must(self.cut[fact["job"]] == 1, "a job makes one pouch", fact["job"])
            case "pouch-released":
                self._out(fact["job"], self.released)
            case "pouch-diverted":
                self._out(fact["job"], self.diverted)

    def _out(self, job: str, way: set[str]) -> None:
        must(job not in self.released | self.diverted, "a pouch leaves once", job)
        way.add(job)
