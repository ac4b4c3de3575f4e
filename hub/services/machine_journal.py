"""What the books have of a machine's newest jobs, step by step, to be held beside the machine's own journal; no patient."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from hub.domain.ledger import LedgerEntry
from hub.domain.packs import PackJob
from hub.services.drops import has_dropped
from hub.services.ports import UnitOfWork
from hub.services.views import LedgerQuestion

JOBS_SHOWN = 8
ENTRIES_OF_A_KIND = 50
# Each kind of a step with the members that are shown: an entry's other members may lead to a patient.
STEPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "job-queued": ("queued", ()),
    "pack-produced": ("pouch at the camera", ()),
    "job-in-doubt": ("in doubt", ("slot", "boot", "event")),
    "doubt-decided": ("counted by a person", ("slot", "counted")),
    "doubt-resolved": ("doubt booked", ("slot", "asked", "counted")),
    "job-ended": ("ended", ("state",)),
}


def newest_jobs(unit: UnitOfWork, device: str) -> list[dict[str, Any]]:
    """Return the newest jobs of a machine: their state and each drop of their plan, with whether it was heard of."""
    jobs = unit.jobs.where(device=device, order_by="-queued_at", limit=JOBS_SHOWN)
    return [_job(unit, job) for job in jobs]


def _job(unit: UnitOfWork, job: PackJob) -> dict[str, Any]:
    drops = [
        {
            "cassette": fill.cassette, "machine_slot": fill.machine_slot, "count": fill.count,
            "heard": has_dropped(unit, job, slot),
        }
        for slot, fill in enumerate(job.fills)
    ]  # fmt: skip
    return {"job": job.id, "pack": job.pack, "state": job.state.value, "reason": job.reason, "drops": drops}


def questions(jobs: Iterable[Mapping[str, Any]]) -> list[LedgerQuestion]:
    """Return the questions to the ledger for the steps of these jobs."""
    names = tuple(str(job["job"]) for job in jobs)
    return [LedgerQuestion(limit=ENTRIES_OF_A_KIND, kind=kind, about=names) for kind in STEPS] if names else []


def steps_of(job: str, entries: Iterable[LedgerEntry]) -> list[dict[str, Any]]:
    """Return the steps of one job in the order of the ledger: when, in a word, and the numbers of it."""
    own = sorted((entry for entry in entries if entry.data.get("job") == job), key=lambda entry: entry.seq)
    return [_step(entry) for entry in own]


def _step(entry: LedgerEntry) -> dict[str, Any]:
    word, members = STEPS[entry.kind]
    facts = ", ".join(f"{name} {entry.data[name]}" for name in members if entry.data.get(name) is not None)
    at = datetime.fromisoformat(entry.at.replace("Z", "+00:00"))
    return {"seq": entry.seq, "at": at, "word": word, "facts": facts}
