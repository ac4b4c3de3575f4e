"""What a chore works with, and how it reports: counts, refusals by code, and troubles that somebody must look at."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulators.people.calls import Hub, Machine, Reply
from simulators.people.matter import World
from simulators.truth import Truth

TROUBLES_LIMIT = 100

TECHNICIAN = "technician"
SECOND_TECHNICIAN = "technician2"
PHARMACIST = "pharmacist"
NURSE = "nurse"
TREATMENT_NURSE = "treatment"

PROPER_REFUSALS = frozenset(
    {"too-early", "too-late", "stopped", "on-hold", "already-given", "expired", "recalled", "revoked", "not-received", "discharged"}
)
"""What a right scan may be refused for; any other refusal of it is trouble."""


@dataclass(frozen=True)
class Crew:
    """The people with what they can reach and what they hold; `seed` decides how they behave."""

    hub: Hub
    packager: Machine
    printer: Machine
    world: World
    truth: Truth
    seed: str
    clock_s: Callable[[], float]
    """A clock that never goes back, in seconds: how long a person has looked for something."""
    sought_since_s: dict[str, float]

    def decider(self) -> str:
        """Name the role that decides reviews: a pharmacist where one has logged in."""
        return PHARMACIST if self.hub.knows(PHARMACIST) else TECHNICIAN

    def treatment(self) -> str:
        """Name the role that gives ampoules and injections: the treatment nurse where one has logged in."""
        return TREATMENT_NURSE if self.hub.knows(TREATMENT_NURSE) else NURSE


class BadRequest(ValueError):
    """The director asked for something that is no chore."""


def asked(request: Mapping[str, Any], name: str) -> Any:
    """Give a member of what the director asked for; raises BadRequest where it is missing."""
    if name not in request:
        raise BadRequest(f"{name!r} is missing")
    return request[name]


class Report:
    """The outcome of one chore; counts that were named at the start are there even when nothing happened."""

    def __init__(self, *names: str) -> None:
        self.counts = dict.fromkeys(names, 0)
        self.refused: Counter[str] = Counter()
        self.troubles: list[dict[str, str]] = []
        self.troubles_left_out = 0
        self.failed: set[str] = set()
        """What was not accepted in this chore, so that it is not tried again before the next."""

    def add(self, name: str, number: int = 1) -> None:
        """Count something."""
        self.counts[name] = self.counts.get(name, 0) + number

    def total(self, *, but: str) -> int:
        """Add up all counts whose names do not end like this."""
        return sum(number for name, number in self.counts.items() if not name.endswith(but))

    def reset(self, ending: str) -> None:
        """Set the counts whose names end like this to zero."""
        self.counts.update({name: 0 for name in self.counts if name.endswith(ending)})

    def trouble(self, what: str, why: str) -> None:
        """Tell of something that must not be passed over; once each, the first hundred in words."""
        entry = {"what": what, "why": why[:500]}
        if entry in self.troubles:
            return
        if len(self.troubles) < TROUBLES_LIMIT:
            self.troubles.append(entry)
        else:
            self.troubles_left_out += 1

    def accepted(self, what: str, reply: Reply, proper: frozenset[str] = PROPER_REFUSALS) -> bool:
        """Tell whether a call was accepted; a proper refusal is counted by its code, anything else is trouble."""
        if reply.ok:
            return True
        self.failed.add(what)
        if reply.refused:
            self.refused[reply.refused] += 1
        if reply.refused not in proper:
            self.trouble(what, reply.why)
        return False

    def rows(self, what: str, reply: Reply) -> list[dict[str, Any]]:
        """Give the rows of a list that was asked for; none, and trouble, where it did not come."""
        if reply.ok and isinstance(reply.body, list):
            return reply.body
        self.trouble(what, reply.why)
        return []

    def answer(self) -> dict[str, Any]:
        """Give the report as the control port sends it."""
        return {
            **self.counts,
            "refused": dict(sorted(self.refused.items())),
            "troubles": self.troubles,
            "troubles_left_out": self.troubles_left_out,
        }


Chore = Callable[[Crew, Mapping[str, Any]], Report]
"""Does one chore to its end; the mapping is what the director asked for. Raises BadRequest."""
