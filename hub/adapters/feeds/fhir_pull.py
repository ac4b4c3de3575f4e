"""Reads the orders of a FHIR server, and stays and allergies beside them: the whole list once a working day, and before and between what has changed since.

The whole list is `status=active`; what it no longer names is asked about, never stopped. A change is asked for in every status,
so that a stop is heard, also one from a night when nobody asked; only changes move the cursor. `_lastUpdated` begins a little before the last pull began, by the server's own clock, and what was taken
in in that version is left out; nothing falls between two pulls. The cursor moves in the same decision as the orders.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from hub.adapters.feeds.fhir_beside import ALLERGY, PERSON, STAY, BesideOrders, KnownPeople, about
from hub.adapters.feeds.fhir_server import Entry, FhirServer, PullFailed, outcome_words
from hub.adapters.feeds.taking import Also, Fate, Taken
from hub.adapters.intake.fhir_people import is_visit
from hub.adapters.intake_desk import note_untold
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.services.feeds import feed_of, stay_asked, type_unknown

ORDER = "MedicationRequest"
INCLUDED = [("_include", f"{ORDER}:{member}") for member in ("medication", "patient", "encounter")]
OVERLAP = timedelta(minutes=2)
PAGE_SIZE = "200"
READINGS = 3
VERSIONS_AT_MOST = 5_000
RESOURCES_AT_MOST = 200_000
_STAYS = frozenset({"in-progress", "arrived", "triaged", "onleave", "on-hold", "finished", "completed", "discharged"})
_DECODE = msgspec.json.Decoder(float_hook=Decimal).decode
_ENCODE = msgspec.json.Encoder(decimal_format="number").encode
_log = logging.getLogger(__name__)


class _ListMoved(PullFailed):
    """Orders came or went between two pages, so that others may have been skipped."""


class _NotTaken(PullFailed):
    """What was read was refused by the readers."""


class _Meta(msgspec.Struct, rename={"version": "versionId", "at": "lastUpdated"}):
    version: str = ""
    at: str = ""


class _Head(msgspec.Struct, rename={"kind": "resourceType", "identity": "id"}):
    kind: str = ""
    identity: str = ""
    status: str = ""
    meta: _Meta = msgspec.field(default_factory=_Meta)


@dataclass(frozen=True, slots=True)
class Pulled:
    """A resource as the server has it: what it is, which version (of a server that tells none, a digest), and its bytes."""

    kind: str
    identity: str
    version: str
    updated_at: datetime | None
    status: str
    entry: Entry
    is_match: bool

    @property
    def reference(self) -> str:
        """What other resources call it."""
        return f"{self.kind}/{self.identity}"


@dataclass(frozen=True, slots=True)
class Cursor:
    """From where a pull goes on: the server's clock when the last one began, the versions taken in since a little before, the day of the whole list.

    `missing` are the types beside the orders that the server did not know on that day.
    """

    since: datetime | None = None
    seen: tuple[tuple[str, str], ...] = ()
    whole_on: str = ""
    missing: tuple[str, ...] = ()

    def text(self) -> str:
        """Return it as the feed's record keeps it."""
        return json.dumps({"since": self.since.isoformat() if self.since else "", "seen": dict(self.seen), "whole_on": self.whole_on, "missing": list(self.missing)})


def read_cursor(text: str) -> Cursor:
    """Return a kept cursor; one that cannot be read begins anew, with the whole list."""
    try:
        told = json.loads(text)
        since = datetime.fromisoformat(told["since"]) if told["since"] else None
        return Cursor(since, tuple(sorted(told["seen"].items())), str(told["whole_on"]), tuple(map(str, told.get("missing", ()))))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Cursor()


@dataclass
class _Gathered:
    """The newest version of every resource of a search."""

    resources: dict[str, Pulled] = field(default_factory=dict)
    total: int | None = None
    began_at: datetime | None = None

    @property
    def matches(self) -> list[Pulled]:
        return [pulled for pulled in self.resources.values() if pulled.is_match]


@dataclass(frozen=True, slots=True)
class PullDoor:
    """What a pull needs of the hub: the time and the working day, the kept cursor, whom it knows, taking in, writing alone, and where its failure is told."""

    now: Callable[[], datetime]
    day: Callable[[], str]
    cursor: Callable[[], str]
    known: Callable[[], KnownPeople]
    take: Callable[..., Taken]
    write: Callable[[Also], None]
    works: Callable[[], None]
    fails: Callable[[str, str], None]


class FhirPull:
    """The pull of one source; `work` is one round."""

    def __init__(self, source: str, server: FhirServer, door: PullDoor) -> None:
        self._source = source
        self._server = server
        self._door = door
        self._wants_all = False

    def ask_for_all(self) -> None:
        """Read the whole list in the next round: something may have been missed."""
        self._wants_all = True

    def work(self) -> bool:
        """Pull once; whatever cannot be read is told, and nothing of it counts."""
        try:
            self._pull()
        except PullFailed as failed:
            _log.warning("%s: %s", self._source, failed)
            self._door.fails(failed.english, failed.russian)
            return False
        self._door.works()
        return False

    def _pull(self) -> None:
        cursor, day = read_cursor(self._door.cursor()), self._door.day()
        if cursor.since is None or cursor.whole_on != day or self._wants_all:
            self._wants_all = False
            self._pull_all(self._after_changes(cursor), day)
        else:
            self._pull_changes(cursor)

    def _after_changes(self, cursor: Cursor) -> Cursor:
        """Pull what changed before the whole list, which is silent about a stop; changes that cannot be taken are asked for again."""
        if cursor.since is None:
            return cursor
        try:
            return self._pull_changes(cursor)
        except _NotTaken as refused:
            _log.warning("%s: %s", self._source, refused)
            return cursor

    def _pull_all(self, cursor: Cursor, day: str) -> None:
        gathered = self._gather([("status", "active")])
        if not gathered.matches:
            raise PullFailed(
                "the server lists no active order at all, which is taken for a fault of the server and for nobody's end",
                "сервер не назвал ни одного действующего назначения; это считается сбоем сервера, а не отменой",
            )
        begins = self._following(gathered, cursor)
        beside = self._beside_orders(())
        allergies = beside.allergies_of(pulled.identity for pulled in gathered.resources.values() if pulled.kind == "Patient")
        following = replace(begins if cursor.since is None else cursor, whole_on=day, missing=tuple(beside.missing))
        assert begins.since is not None
        told_at = begins.since.isoformat()
        told = _telling(gathered.resources, self._door.known())
        entries = [_entry(pulled) for pulled in (*told.values(), *allergies)]
        body = _ENCODE({"resourceType": "Bundle", "type": "collection", "timestamp": told_at, "entry": entries})
        untold = ALLERGY in beside.missing
        self._door.write(lambda unit: note_untold(unit, self._source, untold=untold))
        self._take(f"{self._source}-{day}.json", body, following, beside, complete=True)

    def _pull_changes(self, cursor: Cursor) -> Cursor:
        """Take in what changed since the cursor; returns the one that follows."""
        assert cursor.since is not None
        since = cursor.since - OVERLAP
        asked = ("_lastUpdated", f"gt{since.astimezone(UTC).isoformat(timespec='milliseconds').replace('+00:00', 'Z')}")
        gathered = self._gather([asked])
        beside, known = self._beside_orders(cursor.missing), self._door.known()
        changed = beside.changed(asked, known)
        seen = dict(cursor.seen)
        # A server that does not know _lastUpdated sends everything: what is older than asked for is no news.
        newer = [pulled for pulled in (*gathered.matches, *changed) if pulled.updated_at is None or pulled.updated_at > since]
        fresh = [pulled for pulled in newer if seen.get(pulled.reference) != pulled.version]
        odd = [pulled for pulled in fresh if pulled.kind == STAY and pulled.status not in _STAYS]
        met = {about(order.entry) for order in fresh if order.kind == ORDER} - known.patients - {""}
        allergies = beside.allergies_of(met)
        following = replace(self._following(gathered, cursor, changed), missing=tuple(beside.missing))
        now = self._door.now()
        told = _telling(gathered.resources, known)
        lines = [line for one in (*fresh, *allergies) for line in _change_lines(one, told, now)]
        if not lines:
            self._door.write(lambda unit: _keep(unit, self._source, following, beside, odd))
            return following
        begins = (gathered.began_at or cursor.since).astimezone(UTC)
        self._take(f"{self._source}-changes-{begins:%Y-%m-%dT%H%M%SZ}.ndjson", b"".join(line + b"\n" for line in dict.fromkeys(lines)), following, beside, odd, complete=False)
        return following

    def _beside_orders(self, missing: Iterable[str]) -> BesideOrders[Pulled]:
        return BesideOrders(lambda kind, parameters: self._gather(parameters, kind).matches, missing)

    def _following(self, gathered: _Gathered, cursor: Cursor, beside: Sequence[Pulled] = ()) -> Cursor:
        """Return from where the next pull goes on; it keeps only the versions that the overlap can bring again."""
        since = gathered.began_at or self._door.now() - OVERLAP
        recent = since - 2 * OVERLAP
        people = [pulled for pulled in gathered.resources.values() if pulled.kind in (STAY, PERSON)]
        seen = {pulled.reference: pulled.version for pulled in (*gathered.matches, *people, *beside) if pulled.updated_at is None or pulled.updated_at >= recent}
        return replace(cursor, since=since, seen=tuple(sorted(seen.items())[:VERSIONS_AT_MOST]))

    def _take(
        self, name: str, data: bytes, following: Cursor, beside: BesideOrders[Pulled], odd: Sequence[Pulled] = (), *, complete: bool
    ) -> None:
        taken = self._door.take(name, data, complete=complete, also=lambda unit: _keep(unit, self._source, following, beside, odd))
        if taken.fate is Fate.REFUSED:
            self._wants_all = True
            raise _NotTaken(taken.english, taken.russian)

    def _gather(self, parameters: list[tuple[str, str]], kind: str = ORDER) -> _Gathered:
        """Read all pages, anew where the list moved meanwhile."""
        for _ in range(READINGS - 1):
            try:
                return self._gather_once(parameters, kind)
            except _ListMoved as moved:
                _log.info("%s: %s", self._source, moved)
        return self._gather_once(parameters, kind)

    def _gather_once(self, parameters: list[tuple[str, str]], kind: str) -> _Gathered:
        """Read all pages; of a resource that was edited between two of them the newer version counts."""
        gathered = _Gathered()
        for page in self._server.pages(kind, [*parameters, *(INCLUDED if kind == ORDER else ()), ("_count", PAGE_SIZE)]):
            gathered.began_at = gathered.began_at or page.told_at
            if page.total is not None and gathered.total not in (None, page.total):
                raise _ListMoved(
                    f"the list moved while it was read (first {gathered.total} orders, then {page.total})",
                    f"список менялся во время чтения (сначала назначений {gathered.total}, потом {page.total})",
                )
            gathered.total = page.total if page.total is not None else gathered.total
            for entry in page.entries:
                self._keep_newer(gathered, entry, kind)
        found = len(gathered.matches)
        # Some servers count what they include, too.
        if gathered.total is not None and found < gathered.total != len(gathered.resources):
            raise _ListMoved(f"the server tells of {gathered.total} orders and brings {found}", f"сервер сообщает о назначениях: {gathered.total}, а передаёт {found}")
        return gathered

    def _keep_newer(self, gathered: _Gathered, entry: Entry, kind: str) -> None:
        pulled = _pulled(entry, kind)
        if pulled.kind == "OperationOutcome":
            if words := outcome_words(entry.resource):
                raise PullFailed(f"the server reports a failure: {words}", f"сервер сообщает о сбое: {words}")
            _log.warning("%s: the server warns: %s", self._source, bytes(entry.resource)[:300])
            return
        if not pulled.identity:
            raise PullFailed(f"the server sends a resource without an id ({pulled.kind or '-'})", f"сервер передаёт ресурс без id ({pulled.kind or '-'})")
        if len(gathered.resources) >= RESOURCES_AT_MOST:
            raise PullFailed(f"the server sends more than {RESOURCES_AT_MOST} resources", f"сервер передаёт больше {RESOURCES_AT_MOST} ресурсов")
        before = gathered.resources.get(pulled.reference)
        if before is None or not _is_older(pulled, before):
            gathered.resources[pulled.reference] = pulled


def _pulled(entry: Entry, kind: str) -> Pulled:
    try:
        head = msgspec.json.decode(entry.resource, type=_Head)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise PullFailed(f"the server sends an entry that cannot be read ({error})", f"сервер передаёт запись, которую нельзя прочитать ({error})") from error
    mode = entry.search.mode if entry.search is not None else ""
    is_match = head.kind == kind and mode in ("", "match")
    version = head.meta.version or hashlib.sha256(entry.resource).hexdigest()[:16]
    return Pulled(head.kind, head.identity, version, _moment(head.meta.at), head.status, entry, is_match)


def _is_older(one: Pulled, other: Pulled) -> bool:
    """Tell whether what was read later is the older version after all, as a server of several nodes may answer."""
    if one.updated_at is not None and other.updated_at is not None and one.updated_at != other.updated_at:
        return one.updated_at < other.updated_at
    return one.version.isdigit() and other.version.isdigit() and int(one.version) < int(other.version)


def _keep(unit: SqlUnitOfWork, source: str, cursor: Cursor, beside: BesideOrders[Pulled], odd: Sequence[Pulled] = ()) -> None:
    unit.feeds.put(replace(feed_of(unit, source), cursor=cursor.text()))
    for kind, why in beside.newly_missing.items():
        type_unknown(unit, source, kind, why.english, why.russian)
    for stay in odd:
        stay_asked(unit, source, about(stay.entry), stay.identity, stay.status, stay.version)


def _telling(resources: Mapping[str, Pulled], known: KnownPeople) -> Mapping[str, Pulled]:
    """Return the resources that count beside an order: a visit to an outpatient clinic says nothing of where an inpatient lies."""
    inside = {about(pulled.entry) for pulled in resources.values() if pulled.kind == STAY and not _is_visit(pulled)} | known.patients

    def counts(pulled: Pulled) -> bool:
        return pulled.kind != STAY or pulled.identity in known.stays or not _is_visit(pulled) or about(pulled.entry) not in inside

    return {reference: pulled for reference, pulled in resources.items() if counts(pulled)}


def _is_visit(stay: Pulled) -> bool:
    return is_visit(_DECODE(stay.entry.resource).get("class"))


def _entry(pulled: Pulled) -> dict[str, Any]:
    return {"fullUrl": pulled.entry.full_url, "resource": pulled.entry.resource} if pulled.entry.full_url else {"resource": pulled.entry.resource}


def _change_lines(order: Pulled, resources: Mapping[str, Pulled], now: datetime) -> list[bytes]:
    """Return an order as dated changes: its patient, where the patient lies, then the order with its medication inside. A stay or an allergy is one by itself,
    an allergy after the patient.

    What a server whose clock is ahead has written down already was not written later than now: a stop does not wait.
    """
    content = _DECODE(order.entry.resource)
    at = min(order.updated_at or now, now)
    if order.kind == ALLERGY:
        return [_line(now, order.entry.resource)]
    if order.kind == PERSON:
        return [_line(at, order.entry.resource)]
    if order.kind == STAY:
        return [_line(at, order.entry.resource)] if order.status in _STAYS else []
    beside = [_named(content, member, resources) for member in ("subject", "encounter")]
    wanted = [pulled for pulled in beside if pulled is not None and (pulled.kind == "Patient" or pulled.status in _STAYS)]
    lines = [_line(at, pulled.entry.resource) for pulled in wanted]
    return [*lines, _line(at, _with_medication(content, resources))]


def _line(at: datetime, resource: Any) -> bytes:
    return _ENCODE({"at": at.isoformat(), "resource": resource})


def _named(content: dict[str, Any], member: str, resources: Mapping[str, Pulled]) -> Pulled | None:
    value = content.get(member)
    reference = value.get("reference") if isinstance(value, dict) else None
    return _found(reference, resources) if isinstance(reference, str) else None


def _found(reference: str, resources: Mapping[str, Pulled]) -> Pulled | None:
    """Return the resource that a reference names: relative, versioned, or absolute."""
    parts = reference.partition("/_history/")[0].split("/")
    return resources.get("/".join(parts[-2:]))


def _with_medication(content: dict[str, Any], resources: Mapping[str, Pulled]) -> dict[str, Any]:
    """Return an order that carries the Medication it refers to (R4 `medicationReference`, R5 `medication.reference`): a change stands alone."""
    for path in (("medicationReference",), ("medication", "reference")):
        holder: Any = content
        for member in path:
            holder = holder.get(member) if isinstance(holder, dict) else None
        reference = holder.get("reference") if isinstance(holder, dict) else None
        medication = _found(reference, resources) if isinstance(reference, str) and not reference.startswith("#") else None
        if medication is not None and medication.kind == "Medication":
            holder["reference"] = "#pulled-medication"
            inside = {**_DECODE(medication.entry.resource), "id": "pulled-medication"}
            return {**content, "contained": [*content.get("contained", []), inside]}
    return content


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
