"""What a pull asks a FHIR server beside the orders: deaths and names, stays and allergies of the patients whom the hub knows.

A server that does not know a type, or does not let it be read, is asked for it again with the next whole list; that it is missing is told once.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import msgspec

from hub.adapters.feeds.fhir_server import Entry, NotKnown

STAY, ALLERGY, PERSON = "Encounter", "AllergyIntolerance", "Patient"
PATIENTS_AT_ONCE = 50


class _Reference(msgspec.Struct):
    reference: str = ""


class _About(msgspec.Struct):
    subject: _Reference | None = None
    patient: _Reference | None = None


@dataclass(frozen=True, slots=True)
class KnownPeople:
    """The ids of the patients in the hub, and of the stays in which they lie."""

    patients: frozenset[str] = frozenset()
    stays: frozenset[str] = frozenset()


class Found(Protocol):
    """A resource of a search."""

    @property
    def kind(self) -> str:
        """Its type."""

    @property
    def identity(self) -> str:
        """Its id on the server."""

    @property
    def entry(self) -> Entry:
        """It, as it was sent."""


Resource = TypeVar("Resource", bound=Found)


class BesideOrders(Generic[Resource]):
    """The searches of one pull beside the orders; `missing` are the types that the server does not know."""

    def __init__(self, search: Callable[[str, list[tuple[str, str]]], Sequence[Resource]], missing: Iterable[str]) -> None:
        self._search = search
        self.missing: dict[str, NotKnown | None] = dict.fromkeys(missing)

    @property
    def newly_missing(self) -> dict[str, NotKnown]:
        """The types that turned out to be missing in this pull, each with what the server answered."""
        return {kind: why for kind, why in self.missing.items() if why is not None}

    def changed(self, since: tuple[str, str], known: KnownPeople) -> list[Resource]:
        """Return the stays and the patients that the hub knows, and the allergies of its patients, that have changed."""
        stays = [found for found in self._asked(STAY, [since]) if found.identity in known.stays]
        people = [found for found in self._asked(PERSON, [since]) if found.identity in known.patients]
        return [*people, *stays, *(found for found in self._asked(ALLERGY, [since]) if about(found.entry) in known.patients)]

    def allergies_of(self, patients: Iterable[str]) -> list[Resource]:
        """Return all allergies of some patients."""
        names = sorted(patients)
        parts = (names[first : first + PATIENTS_AT_ONCE] for first in range(0, len(names), PATIENTS_AT_ONCE))
        return [found for part in parts for found in self._asked(ALLERGY, [("patient", ",".join(part))]) if about(found.entry) in part]

    def _asked(self, kind: str, parameters: list[tuple[str, str]]) -> Sequence[Resource]:
        if kind in self.missing:
            return ()
        try:
            return self._search(kind, parameters)
        except NotKnown as refused:
            self.missing[kind] = refused
            return ()


def about(entry: Entry) -> str:
    """Return the id of the patient whom a resource is about, empty where it names none."""
    try:
        told = msgspec.json.decode(entry.resource, type=_About)
    except (msgspec.MsgspecError, RecursionError):
        return ""
    person = told.patient or told.subject
    return person.reference.partition("/_history/")[0].rpartition("/")[2] if person is not None else ""
