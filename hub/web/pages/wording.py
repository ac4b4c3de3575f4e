"""The ledger in plain words: one sentence for each kind of entry."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.ledger import LedgerEntry

_SENTENCES: Mapping[str, str] = {
    "sheet-received": "Sheet {sheet} of {source} taken in: {orders} orders",
    "allergies-received": "Allergies of {source} taken in: {patients} patients",
    "line-decided": "Order line {position}: {outcome}",
    "changes-received": "Changes of {source} taken in",
    "row-rejected": "{position} is no order line: {reason}",
    "code-unknown": "Nobody understands the {code_kind} '{code}' of {source}: a pharmacist is asked",
    "code-decided": "The {code_kind} '{code}' of {source} means {meaning} now; {lines} lines were judged again",
    "maintenance-asked": "{device} needs maintenance: {text}",
    "maintenance-done": "Maintenance of {device} done: {reason}",
    "camera-set-up": "The set-up of {device} was accepted",
    "incident-opened": "Somebody must look: {text}",
    "order-changed": "Order is {state} now",
    "order-unchanged": "Order line {position}: as it was before",
    "order-superseded": "Order was replaced by a newer version",
    "patient-moved": "Patient {patient} moved from {from} to {to}, room {room}",
    "patient-discharged": "Patient {patient} was discharged",
    "patient-died": "Patient {patient} died",
    "discharge-cancelled": "The discharge of patient {patient} was taken back",
    "change-overtaken": "A change of {at} came after a newer one of {by} and changes nothing",
    "allergy-overridden": "Pharmacist let the allergy '{allergy}' pass for order {order}: {reason}",
    "line-refused": "Pharmacist refused order {order}: {reason}",
    "validation-withdrawn": "Pharmacist withdrew the validation of order {order}: {reason}",
    "validation-restored": "Pharmacist validated order {order} again: {reason}",
    "line-released": "Pharmacist released order {order} in spite of {rule}: {reason}",
    "dose-settled": "Pharmacist settled the range of order {order} to {dose}: {reason}",
    "duration-told": "Pharmacist said what the duration of order {order} is ({meaning}): {reason}",
    "ruling-withdrawn": "Pharmacist took a ruling about order {order} back: {reason}",
    "ruling-ended": "A ruling about order {order} fell: {because}",
    "line-returned": "Line {place} went back to {department}",
    "return-seen": "The ward has seen the returned line of order {order}",
    "return-passed-on": "The returned line of order {order} was passed on to {to}",
    "return-closed": "The returned line of order {order} is done: {because}",
    "administration-cancelled": "Entered in error: the dose was not given; it is {truth}. {reason}",
    "stock-move-cancelled": "Entered in error: {quantity} of {item} go back from {from} to {to}",
    "dose-planned": "Dose planned: {units} of {drug}, due {due}, by the lane {lane}",
    "dose-not-planned": "Dose due {due} not planned: {reason}",
    "dose-resumed": "Dose resumed",
    "dose-packed": "Dose is packed in {pack}",
    "dose-given": "Dose given to patient {patient}: {units}",
    "dose-not-given": "Dose not given: {reason}",
    "dose-returned": "Dose came back: {reason}",
    "dose-wasted": "Dose written off: {reason}",
    "dose-cancelled": "Dose cancelled: {reason}",
    "dose-missed": "Dose missed: {reason}",
    "dose-unfulfillable": "Dose could not be supplied: {reason}",
    "dose-lost": "Dose lost: {reason}",
    "batch-frozen": "Batch {batch} frozen with {doses} doses",
    "pack-expected": "Pack {pack} set up for patient {patient}, by the lane {lane}; its label is fixed",
    "pack-produced": "Pack {pack} was made",
    "pack-verified": "Pack {pack} verified: {verdict}",
    "pack-released": "Pack {pack} released by the {by}",
    "pack-loaded": "Pack {pack} put into drawer {drawer} of trolley {trolley}",
    "pack-pulled": "Pack {pack} taken out of trolley {trolley}",
    "pack-follows": "Pack {pack} follows its patient from {from} to {to}, room {room}",
    "pack-not-given": "Entered in error: pack {pack} was not given: {reason}",
    "pack-left-behind": "Pack {pack} left behind by trolley {trolley}: {why}",
    "pack-dispatched": "Pack {pack} left the pharmacy",
    "pack-received": "Pack {pack} received at the ward",
    "pack-held": "Pack {pack} kept back at the ward: {reason}",
    "pack-given": "Pack {pack} given to patient {patient}",
    "pack-quarantined": "Pack {pack} put in quarantine: {reason}",
    "pack-revoked": "Pack {pack} revoked: {reason}",
    "pack-restocked": "Pack {pack} went back into the store: {reason}",
    "pack-destroyed": "Pack {pack} destroyed: {reason}",
    "pack-never-made": "Pack {pack} was never made: {reason}",
    "job-queued": "Job queued for {device}",
    "job-ended": "Job ended: {state}",
    "job-in-doubt": "{device} lost power and is in doubt about slot {slot}: event {event} of boot {boot}",
    "doubt-decided": "A person counted {counted} for slot {slot} (event {event} of boot {boot}): {reason}",
    "doubt-resolved": "{device} booked {counted} of {asked} from cassette {cassette} for slot {slot}, as it was told",
    "lot-recalled": "Lot {lot} of {item} recalled: {reason}",
    "cassette-locked": "Cassette {cassette} locked: {reason}",
    "directory-entered": "Drug directory {name} entered: {drugs} drugs",
    "look-alike-decided": "A pharmacist decided about the names {first} and {second}: {decision}, {reason}",
    "reference-learned": "The look of lot {lot} of {item} is learned from {packs} packs: {look}",
    "reference-confirmed": "The look of lot {lot} of {item} is confirmed",
    "reference-rejected": "The look of lot {lot} of {item} is rejected: {reason}",
    "reference-retired": "The look of lot {lot} of {item} is retired: {reason}",
    "reference-begun-anew": "The look of lot {lot} of {item} is learned anew: {reason}",
    "cassettes-entered": "Cassette map {name} entered: {cassettes} new cassettes",
    "trolley-opened": "Trolley {trolley} opened",
    "label-asked": "Label asked for: {label} {subject}, {sheets} sheets on {device}",
    "label-printed": "Label of pack {pack} printed on {device}",
    "review-opened": "A person is asked about {subject}",
    "review-decided": "A person decided about {subject}: {decision}",
    "review-looked": "A person looked at {subject} for {took_ms} ms, at least {least_s} s were asked for",
    "trial-decided": "A known-bad pouch was judged ({judge}, {what}): {answer}, {result}",
    "stock-received": "Stock received",
    "stock-moved": "{quantity} of {item}, lot {lot}, from {from} to {to} ({because})",
    "cassette-loaded": "{quantity} tablets, lot {lot}, poured into cassette {cassette}, slot {slot}",
    "cassette-placed": "Cassette {cassette} sits in slot {slot} with {remaining} tablets",
    "tray-label-replaced": "The label of trolley {trolley} was replaced: {label} by {replaced_by}",
    "trolley-sealed": "Trolley {trolley} sealed with {seal}: {packs} packs",
    "trolley-dispatched": "Trolley {trolley} left the pharmacy",
    "trolley-received": "Trolley {trolley} received at its ward",
    "trolley-closed": "Trolley {trolley} closed",
    "device-stopped": "{device} stopped: {reason}",
    "device-ready": "{device} is ready",
    "events-missing": "Events {first} to {last} of boot {boot} of {device} never came: what it did then may be missing in the books",
    "service-lock": "The service lock of {device} was {mode} by {owner}",
    "service-asked": "Asked of {device}: {act}",
    "service-answered": "{device} answered to {act}: {rc}",
    "feed-alarm": "Alarm about the sheets of {source}: {text}",
    "feed-alarm-cleared": "Alarm about the sheets of {source} cleared: {reason}",
    "user-enrolled": "{name} enrolled as {role}",
}
_LINKED = frozenset(
    {"dose", "pack", "order", "job", "trolley", "replaces", "replaced_by", "doses", "patient", "subject"}
)


@dataclass(frozen=True, slots=True)
class ToldEntry:
    """An entry as people read it; `facts` are its members as (name, text, whether the text is an id to follow)."""

    seq: int
    at: datetime
    actor: str
    kind: str
    sentence: str
    facts: tuple[tuple[str, str, bool], ...]
    hash: str
    prev: str


def told(entry: LedgerEntry, names: Mapping[str, str]) -> ToldEntry:
    """Return an entry in words; `names` are those of people and drugs, by their ids and codes."""
    at = datetime.fromisoformat(entry.at.replace("Z", "+00:00"))
    facts = tuple(_facts(entry.data))
    actor = names.get(entry.actor, entry.actor)
    return ToldEntry(
        entry.seq, at, actor, entry.kind, _sentence(entry, dict(entry.data), names), facts, entry.hash, entry.prev
    )


def _sentence(entry: LedgerEntry, data: dict[str, Any], names: Mapping[str, str]) -> str:
    pattern = _SENTENCES.get(entry.kind)
    if pattern is None:
        return entry.kind.replace("-", " ").capitalize()
    for name in ("drug", "item", "due", "cut"):
        if name in data:
            data[name] = _readable(str(data[name]), names)
    return pattern.format_map(_Told(data))


def _readable(value: str, names: Mapping[str, str]) -> str:
    """Return a drug's name for its code, and a clock time for a moment."""
    try:
        return names.get(value) or datetime.fromisoformat(value).strftime("%d.%m. %H:%M")
    except ValueError:
        return value


class _Told(dict[str, Any]):
    """Members for a sentence; one that an entry does not have is a dash."""

    def __missing__(self, _: str) -> str:
        return "–"


def _facts(data: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    for name, value in sorted(data.items()):
        if isinstance(value, list) and name in _LINKED:
            yield from ((name, str(one), True) for one in value)
        elif isinstance(value, list | dict):
            yield name, "; ".join(_flat(value)), False
        elif value not in (None, ""):
            yield name, str(value), name in _LINKED


def _flat(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield ", ".join(f"{name} {' / '.join(_flat(one))}" for name, one in value.items())
    elif isinstance(value, list):
        for one in value:
            yield from _flat(one)
    else:
        yield str(value)
