"""A person answers a machine in doubt: how many tablets fell. The decision is durable before the machine hears of it.

Where the machine no longer knows of the doubt, two people end it without the machine.
"""

from dataclasses import replace

from hub.domain.doubts import IN_DOUBT, Counting, DoubtAnswer, counting_refused, ending_refused
from hub.domain.identifiers import DeviceId
from hub.domain.packs import PackJob
from hub.domain.records import Command
from hub.domain.refusals import Refusal
from hub.services.doubts import answer_command, take_resolved
from hub.services.drops import Drop
from hub.services.machine_events import divert, end_job
from hub.services.outbox import send
from hub.services.ports import UnitOfWork
from hub.services.reviews import settle_reviews
from hub.services.views import report_of


def resolve_doubt(unit: UnitOfWork, told: Counting) -> PackJob | Refusal:
    """Take a person's count for the slot in doubt and tell the machine; it books tablets and releases nothing."""
    job = _job_of(unit, told)
    if isinstance(job, Refusal):
        return job
    refusal = counting_refused(job.doubt, told, high_alert=needs_second_count(unit, job))
    if refusal is not None:
        return refusal
    decided = _decide(unit, job, told)
    send(unit, Command(answer_command(decided), job.device, "resolve", 0, job.id, unit.now))
    return decided


def end_without_machine(unit: UnitOfWork, told: Counting) -> PackJob | Refusal:
    """Book what two people counted where the machine no longer knows of the doubt, and end the job as the machine would have ended it."""
    job = _job_of(unit, told)
    if isinstance(job, Refusal):
        return job
    refusal = ending_refused(job.doubt, told, state_told(unit, job.device))
    if refusal is not None:
        return refusal
    decided = _decide(unit, job, told)
    assert decided.doubt is not None
    fill = job.fills[decided.doubt.slot]
    counted = Drop(decided.doubt.slot, fill.cassette, fill.count, told.counted, "two people")
    take_resolved(unit, decided, counted, decided.doubt.question, without_machine=True)
    settled = unit.jobs.get(job.id)
    assert settled is not None
    divert(unit, settled)
    end_job(unit, settled, "diverted")
    settle_reviews(unit, ("job-refused",), job.pack, "tablets had fallen: two people ended it, and its pouch is destroyed")
    return decided


def state_told(unit: UnitOfWork, device_id: DeviceId) -> str | None:
    """Return the state in a machine's last report, None where the machine is not reached."""
    device = unit.devices.get(device_id)
    report = report_of(device) if device is not None else {}
    return str(report.get("state")) if report.get("link") == "up" else None


def _job_of(unit: UnitOfWork, told: Counting) -> PackJob | Refusal:
    job = unit.jobs.get(told.job)
    if job is None or job.device != told.device:
        return Refusal("unknown-job", f"{told.device} has no job {told.job}.", f"У {told.device} нет задания {told.job}.")
    return job


def _decide(unit: UnitOfWork, job: PackJob, told: Counting) -> PackJob:
    assert job.doubt is not None
    entry = unit.record(
        "doubt-decided",
        {
            "job": job.id, "slot": job.doubt.slot, "boot": told.boot, "event": told.event, "counted": told.counted,
            "reason": told.reason, "by": told.by, "second": told.second,
        },
    )  # fmt: skip
    answer = DoubtAnswer(entry, told.boot, told.event, told.counted, told.by)
    decided = replace(job, doubt=replace(job.doubt, answer=answer, refused=""))
    unit.jobs.put(decided)
    settle_reviews(unit, (IN_DOUBT,), job.pack, f"{told.counted} counted: {told.reason}")
    return decided


def needs_second_count(unit: UnitOfWork, job: PackJob) -> bool:
    """Tell whether two people must count: where any drug of the pouch is high-alert, or unknown to the directory."""
    drugs = [unit.drugs.get(fill.drug) for fill in job.fills]
    return any(drug is None or drug.high_alert for drug in drugs)
