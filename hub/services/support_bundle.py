"""The support bundle of a machine: all that a maker needs to look into a fault, and nothing about a patient or a person.

What may leave is listed here, member by member; what nobody thought of stays in the house.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from hub.domain.ledger import LedgerEntry
from hub.open_frames import is_open
from hub.services.bundle_words import PEOPLE_FIELDS, plain
from hub.services.device_service import Frame, Watched
from hub.services.shown_frames import withheld
from hub.services.views import LedgerQuestion

# Free text of people (reasons, names) is in none of these members.
MEMBERS: Mapping[str, frozenset[str]] = {
    "device-stopped": frozenset({"device", "reason"}),
    "device-ready": frozenset({"device"}),
    "events-missing": frozenset({"device", "boot", "first", "last"}),
    "cassette-placed": frozenset({"device", "slot", "cassette", "remaining"}),
    "service-lock": frozenset({"device", "mode", "boot", "event"}),
    "service-asked": frozenset({"device", "act", "mode", "motor", "direction", "hold_ms", "version", "size", "sha256"}),
    "service-answered": frozenset({"device", "act", "asked", "rc", "data", "commands", "first", "last", "carried"}),
    "job-in-doubt": frozenset({"device", "job", "slot", "boot", "event"}),
    "doubt-resolved": frozenset({"device", "job", "slot", "cassette", "asked", "counted"}),
}
ENTRIES_AT_MOST = 500
README = """The support bundle of one machine, without patients and people.

Labels, and bytes that could not be read, are told by length and SHA-256 only (in frames.jsonl: octets, withheld), people as "person".
A text that is no word of the contract with machines is "withheld".
manifest.json names each file with its SHA-256.
"""


def questions(device: str) -> list[LedgerQuestion]:
    """Return the questions to the ledger whose answers are put in: the newest entries of each kind that name the device."""
    return [LedgerQuestion(limit=ENTRIES_AT_MOST, kind=kind, about=(device,)) for kind in MEMBERS]


def frame_line(frame: Frame) -> str:
    """Return a frame as one line of JSON; members that say nothing are left out."""
    told = {name: value for name, value in asdict(frame).items() if value not in ("", None, {})}
    return json.dumps(told, ensure_ascii=False) + "\n"


def frame_lines(watched: Watched) -> str:
    """Return frames as JSON lines; the last one tells how many are missing, if any."""
    lines = "".join(map(frame_line, watched.frames))
    return lines + (json.dumps({"dropped": watched.dropped}) + "\n" if watched.dropped else "")


def for_makers(frame: Frame) -> Frame:
    """Return a frame without bytes that may be of a label, and without the name of who holds or asked for the lock."""
    fields = {name: value for name, value in frame.fields.items() if name not in PEOPLE_FIELDS}
    names_people = len(fields) < len(frame.fields) or frame.op == "LOCK"
    told = replace(frame, fields=fields)
    if is_open(frame.type, frame.op, frame.error, frame.octets) and not names_people:
        return told
    return withheld(told)


def entry_told(entry: LedgerEntry, device: str) -> dict[str, Any]:
    """Return a ledger entry with the listed members only; who it was is told as `person`."""
    listed = MEMBERS[entry.kind]
    data = plain({name: value for name, value in entry.data.items() if name in listed}, device)
    actor = entry.actor if entry.actor == "system" or entry.actor.startswith("device:") else "person"
    return {"seq": entry.seq, "at": entry.at, "actor": actor, "kind": entry.kind, "data": data, "hash": entry.hash}


def bundle(
    device: str, made_at: datetime, versions: Mapping[str, str], description: Mapping[str, Any] | None, status: Mapping[str, Any],
    entries: Iterable[LedgerEntry], watched: Watched,
) -> bytes:  # fmt: skip
    """Return the zip of a machine's support bundle."""
    told = sorted((entry_told(entry, device) for entry in entries), key=lambda row: int(row["seq"]))
    counters = status.get("counters")
    files = {
        "README.txt": README,
        "description.json": _json(plain(description, device)),
        "status.json": _json(plain({name: value for name, value in status.items() if name != "counters"}, device)),
        "counters.json": _json(plain(counters if isinstance(counters, Mapping) else {}, device)),
        "ledger.jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in told),
        "frames.jsonl": frame_lines(replace(watched, frames=tuple(map(for_makers, watched.frames)))),
        "versions.json": _json(plain(versions, device)),
    }
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
    manifest = {"device": device, "made_at": made_at.isoformat(), "sha256": digests, "frames_missing": watched.dropped}
    return _zipped({**files, "manifest.json": _json(manifest)}, made_at)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _zipped(files: Mapping[str, str], made_at: datetime) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, made_at.timetuple()[:6]), text.encode(), zipfile.ZIP_DEFLATED)
    return whole.getvalue()
