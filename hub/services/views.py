"""Read-only views for the pages: the line board, the bench, the devices, one question to the ledger."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.custody import TrolleyState
from hub.domain.doses import DoseState
from hub.domain.doubts import IN_DOUBT
from hub.domain.identifiers import DeviceId
from hub.domain.ledger import LedgerEntry
from hub.domain.packs import JobState, Pack, PackJob, PackState
from hub.domain.printer_words import printer_words
from hub.domain.quantities import fraction_text
from hub.domain.records import Batch, Device, Requisition, Review
from hub.domain.schedule import IntakeSlot, cut_of
from hub.domain.state_words import stop_reason_ru
from hub.services.house import House
from hub.services.maintenance import open_tickets
from hub.services.pick_packs import open_picks
from hub.services.ports import UnitOfWork
from hub.services.reject_packs import packs_to_reject
from hub.services.return_packs import packs_to_return
from hub.services.trolleys import view_trolley

SHOWN = 60
WORKING = [JobState.SENT, JobState.ACCEPTED, JobState.RUNNING]
_WAITS = [PackState.EXPECTED]
_CHECKED = [PackState.PRODUCED, PackState.VERIFIED, PackState.QUARANTINED, PackState.REVOKED]
_DROPPED = [PackState.NEVER_MADE, PackState.DESTROYED, PackState.LOST]


@dataclass(frozen=True, slots=True)
class LedgerQuestion:
    """What a page asks of the ledger: at most `limit` entries, the newest first, before entry `before` (0: from the head).

    `about` holds ids; an entry fits when its data names any of them. `oldest_first` tells a story in its order.
    """

    before: int = 0
    limit: int = 100
    kind: str = ""
    actor: str = ""
    about: tuple[str, ...] = ()
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """The entries that fit, and the head of the whole ledger."""

    entries: tuple[LedgerEntry, ...]
    head_seq: int
    head_hash: str


def line_board(unit: UnitOfWork, house: House) -> dict[str, Any]:
    """Return what runs on the line now: jobs by state, machines, jobs under way, and the day's batches with their progress."""
    jobs = {state.value: unit.jobs.count(state=state) for state in JobState}
    running = unit.jobs.where(state=WORKING, order_by="queued_at", limit=12)
    running = sorted(running, key=lambda job: WORKING.index(job.state), reverse=True)[:6]
    return {
        "now": unit.now,
        "jobs": {state: count for state, count in jobs.items() if count or state in ("queued", "running", "done")},
        "machines": [_machine(unit, device) for device in unit.devices.where(order_by="-kind,id")],
        "running": [_running(unit, job) for job in running],
        "batches": _batches(unit, house),
        "unlabelled": unit.packs.count(state=PackState.EXPECTED, label_digest=""),
    }


def bench_board(unit: UnitOfWork) -> dict[str, Any]:
    """Return what waits for people at the line: reviews, rejects, packs to fill, requisitions and returns."""
    picks, rejects = open_picks(unit), packs_to_reject(unit)
    requisitions = unit.requisitions.where(issued=False, order_by="department,item")
    return {
        "reviews": [_review(unit, review) for review in open_reviews(unit)],
        "rejects": [{"pack": pack.serial, "job": pack.job, "reason": pack.reason} for pack in rejects],
        "picks": [pick_view(unit, pack) for pack in picks[:SHOWN]],
        "picks_more": max(0, len(picks) - SHOWN),
        "requisitions": [_requisition(unit, row) for row in requisitions[:SHOWN]],
        "requisitions_more": max(0, len(requisitions) - SHOWN),
        "returns": len(packs_to_return(unit)),
    }


def open_reviews(unit: UnitOfWork) -> list[Review]:
    """Return the questions that are answered by accepting or rejecting; a doubt is answered by counting."""
    return [review for review in unit.reviews.where(decision="", order_by="opened_at") if review.kind != IN_DOUBT]


def pick_view(unit: UnitOfWork, pack: Pack) -> dict[str, Any]:
    """Return a pack that a person fills: what goes in, of which lot, and whether its label came out of the printer."""
    printed = unit.prints.get(pack.serial)
    return {
        "pack": pack.serial, "lane": pack.lane.value, "department": pack.department, "room": pack.room, "due": pack.due,
        "patient": patient_code(unit, pack.patient), "stat": pack.stat, "printed": printed is not None and printed.printed,
        "contents": [
            {"name": drug_name(unit, content.drug), "item": content.drug, "units": fraction_text(content.units), "lot": _lot(unit, content.lot)}
            for content in pack.contents
        ],
    }  # fmt: skip


def device_board(unit: UnitOfWork) -> list[dict[str, Any]]:
    """Return each device with its last report, the books' word on its cassettes, waiting commands and its last events."""
    return [_device(unit, device) for device in unit.devices.where(order_by="-kind,id")]


def drug_name(unit: UnitOfWork, code: object) -> str:
    """Return the trade name and strength of a drug, or its code where the directory does not know it."""
    drug = unit.drugs.get(code)
    return f"{drug.trade_name} {drug.strength}".strip() if drug is not None else str(code)


def patient_code(unit: UnitOfWork, patient_id: object) -> str:
    """Return the code on a patient's wristband: lists carry codes, not names."""
    patient = unit.patients.get(patient_id)
    return patient.code if patient is not None else ""


def report_of(device: Device) -> Mapping[str, Any]:
    """Return a device's last report; empty where it sent none, or none that can be read."""
    try:
        report = json.loads(device.status)
    except ValueError:
        return {}
    return report if isinstance(report, dict) else {}


def _machine(unit: UnitOfWork, device: Device) -> dict[str, Any]:
    report = report_of(device)
    waiting = {
        "packager": ("commands waiting", unit.commands.count(device=device.id, done=False)),
        "label-printer": ("labels waiting", _labels_waiting(unit, device.id)),
        "camera": ("pouches there", unit.packs.count(state=PackState.PRODUCED)),
    }.get(device.kind)
    reason = str(report.get("reason") or "")
    if device.kind == "label-printer" and (told := printer_words(device.state, reason)) is not None:
        reason, report = told.en, {"reason_ru": told.ru}
    return {
        "device": device.id, "kind": device.kind, "state": device.state, "reason": "" if reason == "none" else reason,
        "reason_ru": str(report.get("reason_ru") or ("" if reason == "none" else stop_reason_ru(reason))), "waiting": waiting,
        "tickets": [{"ticket": ticket.id, "since": ticket.opened_at, "text": ticket.said("en"), "text_ru": ticket.said("ru")} for ticket in open_tickets(unit, device.id)],
    }  # fmt: skip


def _labels_waiting(unit: UnitOfWork, device: DeviceId) -> int:
    return unit.prints.count(device=device, printed=False)


def _running(unit: UnitOfWork, job: PackJob) -> dict[str, Any]:
    pack = unit.packs.get(job.pack)
    return {
        "job": job.id, "pack": job.pack, "state": "at-camera" if job.at_camera is not None else job.state.value, "device": job.device,
        "department": pack.department if pack else "", "room": pack.room if pack else "", "slot": pack.slot if pack else "",
        "fills": [{"name": drug_name(unit, fill.drug), "count": fill.count, "cassette": fill.cassette, "slot": fill.machine_slot} for fill in job.fills],
    }  # fmt: skip


def _batches(unit: UnitOfWork, house: House) -> list[dict[str, Any]]:
    day = house.day_of(unit.now)
    frozen = {batch.id: batch for batch in unit.batches.where(day=day, order_by="cut_at")}
    rows = []
    for slot in sorted(house.slots, key=lambda slot: slot.opens):
        batch = frozen.pop(house.batch_id(slot.name, day), None)
        cut_at, delivery = cut_of(slot, day, house.zone), datetime.combine(day, slot.delivery, house.zone)
        made = _progress(unit, [batch]) if batch is not None else _planned(unit, slot)
        rows.append({"slot": slot.name, "cut_at": cut_at, "delivery": delivery, "frozen": batch is not None, **made})
    if frozen:
        cut_at = max(batch.cut_at for batch in frozen.values())
        rows.append(
            {"slot": "stat", "cut_at": cut_at, "delivery": None, "frozen": True, **_progress(unit, frozen.values())}
        )
    return rows


def _progress(unit: UnitOfWork, batches: Iterable[Batch]) -> dict[str, int]:
    of = {"batch": [batch.id for batch in batches]}
    waiting, checked = unit.packs.count(state=_WAITS, **of), unit.packs.count(state=_CHECKED, **of)
    total = unit.packs.count(**of) - unit.packs.count(state=_DROPPED, **of)
    return {"packs": total, "waiting": waiting, "checked": checked, "ready": total - waiting - checked, "doses": 0}


def _planned(unit: UnitOfWork, slot: IntakeSlot) -> dict[str, int]:
    doses = unit.doses.count(state=DoseState.PLANNED, slot=slot.name)
    return {"packs": 0, "waiting": 0, "checked": 0, "ready": 0, "doses": doses}


def _review(unit: UnitOfWork, review: Review) -> dict[str, Any]:
    pack = unit.packs.get(review.subject)
    doses = unit.doses.where(pack=pack.serial) if pack is not None else []
    return {
        "review": review.id, "kind": review.kind, "subject": review.subject, "verdict": review.verdict, "opened_at": review.opened_at,
        "reasons": list(review.reasons), "reasons_ru": list(review.said("ru")), "evidence": list(review.evidence), "pouch": review.kind == "pouch" and pack is not None,
        "expected": [{"name": drug_name(unit, dose.drug), "units": fraction_text(dose.units), "text": dose.dose_text} for dose in doses],
    }  # fmt: skip


def _requisition(unit: UnitOfWork, row: Requisition) -> dict[str, Any]:
    return {
        "requisition": row.id, "department": row.department, "name": drug_name(unit, row.item), "item": row.item,
        "units": fraction_text(row.units), "lot": _lot(unit, row.lot),
    }  # fmt: skip


def _lot(unit: UnitOfWork, lot_id: object) -> str:
    lot = unit.lots.get(lot_id)
    return lot.number if lot is not None else ""


def _device(unit: UnitOfWork, device: Device) -> dict[str, Any]:
    report = report_of(device)
    waiting = unit.commands.where(device=device.id, done=False, order_by="seq", limit=10)
    events = unit.received.where(device=device.id, order_by="-at,-boot,-event", limit=12)
    return {
        **_machine(unit, device),
        "link": report.get("link", ""), "queued": report.get("queued"), "job": report.get("job"), "reported": bool(report),
        "counters": _pairs(report.get("counters")), "cassettes": _cassettes(unit, device.id, report.get("cassettes")),
        "commands": [{"id": row.id, "kind": row.kind, "job": row.job, "created_at": row.created_at} for row in waiting],
        "commands_waiting": unit.commands.count(device=device.id, done=False),
        "events": [{"source": row.source, "boot": row.boot, "event": row.event, "at": row.at} for row in events],
    }  # fmt: skip


def _pairs(counters: object) -> list[tuple[str, Any]]:
    return sorted(counters.items()) if isinstance(counters, dict) else []


def _cassettes(unit: UnitOfWork, device: DeviceId, reported: object) -> list[dict[str, Any]]:
    """Return the slots in order: what the machine says lies there, beside what the books say."""
    told = {row.get("slot"): row for row in reported if isinstance(row, dict)} if isinstance(reported, list) else {}
    rows = []
    for cassette in unit.cassettes.where(device=device, order_by="slot"):
        machine = told.pop(cassette.slot, {})
        rows.append(
            {
                "slot": cassette.slot, "cassette": cassette.id, "name": drug_name(unit, cassette.item), "state": cassette.state.value,
                "reason": cassette.reason, "capacity": cassette.capacity, "books": cassette.count, "reserved": cassette.reserved,
                "placed": machine.get("cassette"), "remaining": machine.get("remaining"),
            }
        )  # fmt: skip
    return rows


def trolley_list(unit: UnitOfWork) -> list[dict[str, Any]]:
    """Return the trolleys that are not reconciled, with how much lies in them, is missing and must come out."""
    open_states = [state for state in TrolleyState if state is not TrolleyState.RECONCILED]
    views = [view_trolley(unit, trolley) for trolley in unit.trolleys.where(state=open_states, order_by="day,id")]
    rows = [
        {"trolley": view.trolley, "packs": len(view.packs), "missing": len(view.missing), "pull": len(view.pull)}
        for view in views
    ]
    return sorted(rows, key=lambda row: _STATES.index(row["trolley"].state))


def trolley_board(unit: UnitOfWork, trolley_id: str) -> dict[str, Any] | None:
    """Return one trolley drawer by drawer: what lies in each, what is missing and why, what must be pulled; None if unknown."""
    trolley = unit.trolleys.get(trolley_id)
    if trolley is None:
        return None
    view = view_trolley(unit, trolley)
    drawers: dict[str, dict[str, Any]] = {}
    rows = [*((pack, "in", "") for pack in view.packs), *((pack, "missing", why) for pack, why in view.missing)]
    for pack, place, why in [*rows, *((pack, "pull", pack.reason) for pack in view.pull)]:
        drawer = drawers.setdefault(pack.drawer, {"drawer": pack.drawer, "in": 0, "missing": 0, "pull": 0, "packs": []})
        drawer[place] += 1
        drawer["packs"].append({"pack": pack.serial, "place": place, "why": why, "ready": pack.state is PackState.RELEASED,
                                "patient": patient_code(unit, pack.patient), "lane": pack.lane.value})  # fmt: skip
    for drawer in drawers.values():
        drawer["packs"].sort(
            key=lambda row: (_PLACES.index(row["place"]), not row["ready"], row["patient"], row["pack"])
        )
    counts = {"packs": len(view.packs), "missing": len(view.missing), "pull": len(view.pull)}
    return {"trolley": trolley, **counts, "drawers": [drawers[name] for name in sorted(drawers, key=_drawer_order)]}


def _drawer_order(name: str) -> tuple[int, str]:
    digits = "".join(character for character in name if character.isdecimal())
    return (int(digits) if digits else 10**9, name)


def ward_list(unit: UnitOfWork, until: datetime) -> list[dict[str, Any]]:
    """Return the departments that have patients now, with how many patients and how many open doses due up to `until`."""
    rows: dict[str, dict[str, Any]] = {}
    place = {stay.patient: stay.department for stay in unit.stays.where(finished_at=None)}
    for department in place.values():
        rows.setdefault(department, {"department": department, "patients": 0, "due": 0})["patients"] += 1
    for dose in unit.doses.where(state=[DoseState.FROZEN, DoseState.PACKED]):
        if dose.due <= until and dose.patient in place:
            rows[place[dose.patient]]["due"] += 1
    return [rows[name] for name in sorted(rows)]


_STATES = tuple(TrolleyState)
_PLACES = ("pull", "missing", "in")
