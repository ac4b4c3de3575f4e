"""Machines in doubt as the line shows them: what the machine knows beside what the hub knows, and no patient."""

from collections.abc import Mapping
from typing import Any

from hub.domain.doubts import IN_DOUBT, Doubt, has_lost_touch
from hub.domain.packs import Fill, PackJob
from hub.services.doubts import jobs_in_doubt
from hub.services.drops import has_dropped
from hub.services.ports import UnitOfWork
from hub.services.resolve_doubt import needs_second_count, state_told
from hub.services.views import drug_name, report_of


def doubt_board(unit: UnitOfWork) -> list[dict[str, Any]]:
    """Return each machine that waits for a person to count, the longest waiting first; an answer that is on its way is told of."""
    return [_doubt(unit, job, job.doubt) for job in jobs_in_doubt(unit) if job.doubt is not None]


def _doubt(unit: UnitOfWork, job: PackJob, doubt: Doubt) -> dict[str, Any]:
    fill, drops = job.fills[doubt.slot], _drops(unit, job, doubt)
    others = sum(drop["counted"] or 0 for drop in drops if drop["drug"] == fill.drug and not drop["in_doubt"])
    asked = unit.reviews.where(kind=IN_DOUBT, subject=job.pack, order_by="-opened_at", limit=1)
    return {
        "device": job.device, "job": job.id, "pack": job.pack, "boot": doubt.boot, "event": doubt.event, "slot": doubt.slot,
        "open": doubt.is_open, "refused": doubt.refused, "answer": _answer(unit, doubt), "needs_second": needs_second_count(unit, job),
        "lost_touch": has_lost_touch(doubt, state_told(unit, job.device)),
        "name": drug_name(unit, fill.drug), "asked": fill.count, "cassette": fill.cassette, "machine_slot": fill.machine_slot,
        "since": asked[0].opened_at if asked else unit.now, "reasons": list(asked[0].reasons) if asked else [],
        "reasons_ru": list(asked[0].said("ru")) if asked else [],
        "machine": _machine(unit, job, fill), "books": _books(unit, fill), "drops": drops,
        "same_drug_before": others,
    }  # fmt: skip


def _answer(unit: UnitOfWork, doubt: Doubt) -> dict[str, Any] | None:
    if doubt.answer is None or not doubt.is_answered:
        return None
    user = unit.users.get(doubt.answer.by)
    return {"by": user.name if user is not None else doubt.answer.by, "counted": doubt.answer.counted}


def _machine(unit: UnitOfWork, job: PackJob, fill: Fill) -> dict[str, Any]:
    """Return the machine's last report, as far as it is about this doubt; what it did not tell is None."""
    device = unit.devices.get(job.device)
    report = report_of(device) if device is not None else {}
    taken = unit.commands.get(f"run-{job.id}")
    return {
        "state": device.state if device is not None else "unknown", "reason": report.get("reason"), "link": report.get("link"),
        "its_job": report.get("job") == job.id if report.get("job") else None, "remaining": _remaining(report, fill),
        "accepted": taken is not None and taken.done,
    }  # fmt: skip


def _remaining(report: Mapping[str, Any], fill: Fill) -> int | None:
    """Return how many tablets the machine counts in the cassette."""
    places = report.get("cassettes")
    for place in places if isinstance(places, list) else ():
        if isinstance(place, dict) and place.get("cassette") == fill.cassette and isinstance(place.get("remaining"), int):
            return int(place["remaining"])
    return None


def _books(unit: UnitOfWork, fill: Fill) -> dict[str, int]:
    cassette = unit.cassettes.get(fill.cassette)
    return {"count": cassette.count, "reserved": cassette.reserved} if cassette is not None else {"count": 0, "reserved": 0}


def _drops(unit: UnitOfWork, job: PackJob, doubt: Doubt) -> list[dict[str, Any]]:
    """Return the plan of the pouch, drop by drop, with what was heard of each; `counted` is None where nothing was."""
    pack = unit.packs.get(job.pack)
    contents = pack.contents if pack is not None else ()
    rows = []
    for slot, fill in enumerate(job.fills):
        heard = has_dropped(unit, job, slot)
        counted = int(sum(content.units for content in contents if content.dose == fill.dose)) if heard else None
        row = {"drug": fill.drug, "name": drug_name(unit, fill.drug), "count": fill.count, "machine_slot": fill.machine_slot, "cassette": fill.cassette}
        rows.append({**row, "counted": counted, "in_doubt": slot == doubt.slot})
    return rows
