"""A person answers a machine in doubt: how many tablets fell. The decision is durable before the machine hears of it."""

from dataclasses import replace

from hub.domain.doubts import IN_DOUBT, Counting, DoubtAnswer, counting_refused
from hub.domain.packs import PackJob
from hub.domain.records import Command
from hub.domain.refusals import Refusal
from hub.services.doubts import answer_command
from hub.services.outbox import send
from hub.services.ports import UnitOfWork
from hub.services.reviews import settle_reviews


def resolve_doubt(unit: UnitOfWork, told: Counting) -> PackJob | Refusal:
    """Take a person's count for the slot in doubt and tell the machine; it books tablets and releases nothing."""
    job = unit.jobs.get(told.job)
    if job is None or job.device != told.device:
        return Refusal("unknown-job", f"{told.device} has no job {told.job}.")
    refusal = counting_refused(job.doubt, told, high_alert=needs_second_count(unit, job))
    if refusal is not None:
        return refusal
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
    send(unit, Command(answer_command(decided), job.device, "resolve", 0, job.id, unit.now))
    return decided


def needs_second_count(unit: UnitOfWork, job: PackJob) -> bool:
    """Tell whether two people must count: where any drug of the pouch is high-alert, or unknown to the directory."""
    drugs = [unit.drugs.get(fill.drug) for fill in job.fills]
    return any(drug is None or drug.high_alert for drug in drugs)
