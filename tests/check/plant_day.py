"""A small day told twice by hand: the entries of a ledger and the facts of a plant that agree."""

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import rfc8785

Entries = list[tuple[str, dict[str, Any]]]
Facts = list[dict[str, Any]]

SHEET = json.dumps(
    {
        "resourceType": "Bundle",
        "entry": [{"resource": {"resourceType": "Patient", "id": "p1"}}]
        + [{"resource": {"resourceType": "MedicationRequest", "id": f"o-{number}"}} for number in range(1, 7)],
    }
).encode()
SHEET_SHA256 = hashlib.sha256(SHEET).hexdigest()
LABELS = {pack: hashlib.sha256(pack.encode()).hexdigest() for pack in ("A", "B", "C", "D")}


def _moved(item: str, lot: str, source: str, target: str, quantity: str, because: str) -> tuple[str, dict[str, Any]]:
    data = {"item": item, "lot": lot, "from": source, "to": target, "quantity": quantity, "because": because}
    return "stock-moved", data


def _expected(pack: str, lane: str, dose: str, patient: str, job: str | None) -> tuple[str, dict[str, Any]]:
    label = LABELS[pack]
    more = {"label": label, "job": job, "replaces": None, "expires_on": "2026-12-01"}
    return "pack-expected", {"pack": pack, "lane": lane, "doses": [dose], "patient": patient, **more}


def _planned(dose: str, patient: str, drug: str, lane: str, units: str) -> tuple[str, dict[str, Any]]:
    due = {"due": "2026-11-22T08:00:00Z", "slot": "morning", "lane": lane, "units": units}
    return "dose-planned", {"dose": dose, "order": f"o-{dose}", "version": 1, "patient": patient, "drug": drug, **due}


def _decided(order: str, outcome: str) -> tuple[str, dict[str, Any]]:
    place = {"sheet": "day.json", "sha256": SHEET_SHA256, "position": f"day.json entry {order[2:]}"}
    return "line-decided", {"order": order, "version": 1, "outcome": outcome, **place}


def _labelled(pack: str) -> tuple[str, dict[str, Any]]:
    return "label-printed", {"pack": pack, "label": LABELS[pack], "device": "printer-1"}


def _pouch(pack: str, dose: str, patient: str, tablets: str, verdict: str) -> Entries:
    job = f"job{pack}"
    return [
        _planned(dose, patient, "D1", "machine", tablets),
        _expected(pack, "machine", dose, patient, job),
        ("job-queued", {"job": job, "pack": pack, "device": "packager-1", "fills": []}),
        _moved("D1", "L1", "cassette:7", f"pack:{pack}", tablets, "drop"),
        ("pack-produced", {"pack": pack, "job": job}),
        ("pack-verified", {"pack": pack, "verdict": verdict, "reasons": [], "read": [pack], "evidence": []}),
    ]


def ledger() -> Entries:
    """Pouch A is given, pouch B destroyed and its dose given up, bag C picked and restocked, bag D picked and given.

    Dose 5 is given from ward stock.
    """
    return [
        ("sheet-received", {"sheet": "day.json", "sha256": SHEET_SHA256, "orders": 6}),
        *(_decided(f"o-{number}", "scheduled") for number in range(1, 6)),
        _decided("o-6", "rejected"),
        _moved("D1", "L1", "supplier", "store", "30", "receipt"),
        _moved("D2", "L2", "supplier", "store", "10", "receipt"),
        _moved("D1", "L1", "store", "cassette:7", "20", "cassette-load"),
        *_pouch("A", "1", "p1", "2", "PASS"),
        ("pack-released", {"pack": "A", "by": "camera"}),
        ("dose-packed", {"dose": "1", "pack": "A"}),
        ("pack-given", {"pack": "A", "patient": "p1"}),
        _moved("D1", "L1", "pack:A", "patient:p1", "2", "given"),
        ("dose-given", {"dose": "1", "patient": "p1", "pack": "A", "units": "2"}),
        *_pouch("B", "2", "p2", "1", "LOOK"),
        ("pack-destroyed", {"pack": "B", "reason": "rejected"}),
        _moved("D1", "L1", "pack:B", "waste", "1", "wasted"),
        ("dose-wasted", {"dose": "2", "reason": "rejected"}),
        _planned("3", "p1", "D2", "half-tablet", "1/2"),
        _expected("C", "half-tablet", "3", "p1", None),
        _labelled("C"),
        _moved("D2", "L2", "store", "pack:C", "0.5", "pick"),
        _moved("D2", "L2", "store", "waste", "1/2", "wasted"),
        ("pack-verified", {"pack": "C", "verdict": "PASS", "reasons": [], "read": ["C"], "evidence": []}),
        ("pack-released", {"pack": "C", "by": "picker"}),
        ("dose-not-given", {"dose": "3", "reason": "refused"}),
        ("pack-restocked", {"pack": "C", "reason": "refused"}),
        _moved("D2", "L2", "pack:C", "store", "1/2", "restocked"),
        ("dose-returned", {"dose": "3", "reason": "refused"}),
        _planned("4", "p2", "D2", "ampoule", "3"),
        _expected("D", "ampoule", "4", "p2", None),
        _labelled("D"),
        _moved("D2", "L2", "store", "pack:D", "3", "pick"),
        ("pack-verified", {"pack": "D", "verdict": "PASS", "reasons": [], "read": ["D"], "evidence": []}),
        ("pack-released", {"pack": "D", "by": "picker"}),
        ("pack-given", {"pack": "D", "patient": "p2"}),
        _moved("D2", "L2", "pack:D", "patient:p2", "3", "given"),
        ("dose-given", {"dose": "4", "patient": "p2", "pack": "D", "units": "3"}),
        _planned("5", "p2", "D2", "ward-stock", "0.5"),
        _moved("D2", "L2", "store", "ward:Cardiology", "2", "ward-issue"),
        _moved("D2", "L2", "ward:Cardiology", "patient:p2", "0.5", "given"),
        ("dose-given", {"dose": "5", "patient": "p2", "pack": None, "units": "0.5"}),
    ]


def _pouch_facts(pouch: str, pack: str, tablets: int, left: str) -> Facts:
    job = f"job{pack}"
    drop = {"what": "tablet-dropped", "pouch": pouch, "job": job, "slot": 0, "item": "D1", "lot": "L1", "quantity": "1"}
    return [
        *(copy.copy(drop) for _ in range(tablets)),
        {"what": "label-printed", "pouch": pouch, "digest": LABELS[pack]},
        {"what": "pouch-cut", "pouch": pouch, "job": job},
        {"what": "pouch-pictured", "pouch": pouch, "tablets": tablets},
        {"what": left, "pouch": pouch, "job": job},
        {"what": "pouch-labelled", "pouch": pouch, "digest": LABELS[pack]},
    ]


def truth() -> Facts:
    """The same day as the plant saw it."""
    return [
        {"what": "cassette-loaded", "cassette": 7, "item": "D1", "lot": "L1", "quantity": "20"},
        *_pouch_facts("u1", "A", 2, "pouch-released"),
        *_pouch_facts("u2", "B", 1, "pouch-diverted"),
        {"what": "label-printed", "label": "l1", "digest": LABELS["C"]},
        {"what": "label-printed", "label": "l2", "digest": LABELS["D"]},
        {"what": "picked", "item": "D2", "lot": "L2", "quantity": "1/2", "label": "l1"},
        {"what": "picked", "item": "D2", "lot": "L2", "quantity": "1", "label": "l2"},
        {"what": "picked", "item": "D2", "lot": "L2", "quantity": "2", "label": "l2"},
        {"what": "pouch-handed", "pouch": "u1", "patient": "p1", "codes": ["w1", "A"]},
        {"what": "pouch-handed", "label": "l2", "patient": "p2", "codes": ["w2", "D"]},
        {"what": "ward-issued", "department": "Cardiology", "item": "D2", "lot": "L2", "quantity": "2"},
        {"what": "item-given", "patient": "p2", "item": "D2", "lot": "L2", "quantity": "1/2"},
        {"what": "destroyed", "pouch": "u2"},
        {"what": "restocked", "label": "l1"},
    ]


def written(entries: Entries) -> bytes:
    """Return an export of entries, sealed with an RFC 8785 library of other people."""
    lines, prev = [], "0" * 64
    for seq, (kind, data) in enumerate(entries, start=1):
        entry = {"seq": seq, "at": "2026-11-22T08:00:00.5Z", "actor": "system", "kind": kind, "data": data, "prev": prev}
        prev = hashlib.sha256(rfc8785.dumps(entry)).hexdigest()
        lines.append(rfc8785.dumps({**entry, "hash": prev}) + b"\n")
    return b"".join(lines)


def put_down(folder: Path, entries: Entries, facts: Facts) -> list[str]:
    """Write both to files, the truth in two of them, and return the arguments of the checker."""
    (folder / "ledger.ndjson").write_bytes(written(entries))
    half = len(facts) // 2
    for name, part in (("machine", facts[:half]), ("people", facts[half:])):
        (folder / name).write_text("".join(json.dumps(fact, ensure_ascii=False) + "\n" for fact in part))
    return ["--ledger", str(folder / "ledger.ndjson"), "--truth", str(folder / "machine"), str(folder / "people")]
