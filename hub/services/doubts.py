"""What a machine says of a slot in doubt: it asks, a person answers (resolve_doubt.py), and it tells what it booked.

Nothing here moves the machine: it waits until it was told what fell. Events may come twice, late and in any order.
"""

from dataclasses import replace

from hub.domain.doubts import IN_DOUBT, Doubt, is_news
from hub.domain.identifiers import DeviceId
from hub.domain.packs import ENDED_JOB_STATES, JobState, PackJob, PackState, Verdict
from hub.services.drops import Drop, has_dropped, take_drop
from hub.services.endings import move_pack
from hub.services.outbox import finish_command
from hub.services.ports import UnitOfWork
from hub.services.reviews import open_review, settle_reviews

A_PERSON = "a person"
_STILL_IN_THE_MACHINE = (PackState.EXPECTED, PackState.PRODUCED, PackState.VERIFIED)
_ON_ITS_WAY = (PackState.RELEASED, PackState.LOADED, PackState.DISPATCHED, PackState.RECEIVED, PackState.HELD)


def take_doubt(unit: UnitOfWork, job: PackJob, told: Doubt) -> bool:
    """Put a job in doubt and ask a person; asked anew after another loss of power, the newer question takes the older one's place.

    One that the hub had thought ended is asked about all the same: the machine waits, and only an answer makes it go on.
    False where the question comes late: a newer one is known, or what fell was told already.
    """
    if not is_news(job.doubt, told):
        return False
    finish_answers(unit, job)
    answer = job.doubt.answer if job.doubt is not None else None
    state = job.state if job.state in ENDED_JOB_STATES else JobState.IN_DOUBT
    doubtful = replace(job, state=state, doubt=replace(told, answer=answer))
    unit.jobs.put(doubtful)
    unit.record("job-in-doubt", {"job": job.id, "device": job.device, "slot": told.slot, "boot": told.boot, "event": told.event})
    _keep_in(unit, job)
    settle_reviews(unit, (IN_DOUBT,), job.pack, "the machine lost power again and asks anew")
    _ask(unit, doubtful, f"{told.boot}/{told.event}")
    return True


def take_resolved(unit: UnitOfWork, job: PackJob, drop: Drop, told: tuple[int, int], *, without_machine: bool = False) -> None:
    """Book what was counted, once and exactly as told; the pouch is then diverted, by events of the machine where it knows of the doubt.

    It may be told before the question that it answers: then that question is answered before it is asked.
    """
    doubt = job.doubt or Doubt(drop.slot, *told)
    if doubt.resolved is not None:
        _ask_about_second_count(unit, job, doubt.resolved, drop.counted)
        return
    told_of = {"cassette": drop.cassette, "asked": drop.asked, "counted": drop.counted}
    unit.record("doubt-resolved", {"job": job.id, "device": job.device, "slot": drop.slot, **told_of})
    known = has_dropped(unit, job, drop.slot)
    state = job.state if job.state in ENDED_JOB_STATES else JobState.IN_DOUBT
    settled = replace(job, state=state, doubt=replace(doubt, resolved=drop.counted, without_machine=without_machine))
    unit.jobs.put(settled)
    _keep_in(unit, job)
    if not known:
        take_drop(unit, settled, drop)
    finish_answers(unit, job)
    settle_reviews(unit, (IN_DOUBT,), job.pack, "two people ended it without the machine" if without_machine else "the machine was told what fell")
    _ask_about_differences(unit, job, doubt, drop, known)


def answer_not_taken(unit: UnitOfWork, job: PackJob, command: str, rc: str, reason: str) -> None:
    """Ask again: the machine did not take the answer, and nothing moved. An answer that a newer question overtook asks nothing."""
    finish_command(unit, command)
    doubt = job.doubt
    if doubt is None or doubt.resolved is not None or not doubt.is_answered or command != answer_command(job):
        return
    asked_again = replace(job, doubt=replace(doubt, refused=f"{rc}: {reason}" if rc != reason else rc))
    unit.jobs.put(asked_again)
    _ask(unit, asked_again, command)


def answer_command(job: PackJob) -> str:
    """Return the outbox id of the newest answer to a job's doubt: it names the ledger entry of the decision."""
    assert job.doubt is not None and job.doubt.answer is not None
    return f"resolve-{job.id}-{job.doubt.answer.entry}"


def finish_answers(unit: UnitOfWork, job: PackJob) -> None:
    """Take the answers about a job out of the outbox: the machine has booked one, or asks another question now."""
    for command in unit.commands.where(job=job.id, kind="resolve", done=False):
        unit.commands.put(replace(command, done=True))


def jobs_in_doubt(unit: UnitOfWork) -> list[PackJob]:
    """Return the jobs whose doubt the machine has not settled, the longest waiting first; also those thought ended."""
    jobs = {job.id: job for job in unit.jobs.where(state=JobState.IN_DOUBT, order_by="queued_at")}
    for review in unit.reviews.where(kind=IN_DOUBT, decision="", order_by="opened_at"):
        pack = unit.packs.get(review.subject)
        job = unit.jobs.get(pack.job) if pack is not None and pack.job is not None else None
        if job is not None:
            jobs[job.id] = job
    return [job for job in jobs.values() if job.doubt is not None and job.doubt.resolved is None]


def waits_for_a_person(unit: UnitOfWork, device: DeviceId) -> bool:
    """Tell whether a machine is in doubt, also about a job thought ended: it gets no new job until that is settled."""
    on_its_way = unit.commands.count(device=device, kind="resolve", done=False)
    return on_its_way > 0 or any(job.device == device for job in jobs_in_doubt(unit))


def _keep_in(unit: UnitOfWork, job: PackJob) -> None:
    """Keep a pouch in doubt from ever going out; where it was stopped or revoked before, that stands."""
    pack = unit.packs.get(job.pack)
    if pack is None:
        return
    failed = replace(pack, verdict=Verdict.FAIL) if pack.verdict is not None else pack
    if pack.state in _STILL_IN_THE_MACHINE:
        move_pack(unit, failed, PackState.QUARANTINED, "power was lost while it was filled: it is in doubt and will be destroyed")
    elif pack.state in _ON_ITS_WAY:
        # The machine contradicts itself: it had let this pouch out.
        move_pack(unit, failed, PackState.REVOKED, "the machine says that this pouch was in doubt: hand it back")


def _ask(unit: UnitOfWork, job: PackJob, occasion: str) -> None:
    open_review(unit, IN_DOUBT, job.pack, "", _reasons(unit, job), occasion=f"{job.id}/{occasion}")


def _reasons(unit: UnitOfWork, job: PackJob) -> tuple[str, ...]:
    doubt = job.doubt
    assert doubt is not None
    where = f"drop {doubt.slot + 1} of {len(job.fills)}"
    reasons = [f"{job.device} lost power at {where} and does not know what fell (event {doubt.event} of boot {doubt.boot})."]
    if doubt.refused:
        reasons.append(f"It did not take the last answer ({doubt.refused}): count again.")
    if has_dropped(unit, job, doubt.slot):
        reasons.append("It told before that this drop was counted: what was told then stays booked.")
    if job.state in ENDED_JOB_STATES:
        reasons.append(f"By the hub's books this job had ended ({job.state.value}).")
    return tuple(reasons)


def _ask_about_second_count(unit: UnitOfWork, job: PackJob, booked: int, counted: int) -> None:
    """Ask a person where a machine books a doubt that was settled with another number: the first one stays booked."""
    if counted != booked:
        told = f"{job.device} booked {counted} for a doubt that was settled with {booked} before: {booked} stay booked."
        open_review(unit, "doubt-differs", job.pack, "", (told,), occasion=f"{job.id}/{counted}")


def _ask_about_differences(unit: UnitOfWork, job: PackJob, doubt: Doubt, drop: Drop, known: bool) -> None:
    """Ask a person where machine and hub do not tell the same; what the machine booked is booked here."""
    answer, wrong = doubt.answer, []
    if answer is None:
        wrong.append(f"{job.device} was told that {drop.counted} fell; nobody decided that here.")
    elif answer.counted != drop.counted:
        wrong.append(f"{job.device} was told that {drop.counted} fell; a person here had counted {answer.counted}.")
    if drop.slot != doubt.slot:
        wrong.append(f"It asked about drop {doubt.slot + 1} and booked drop {drop.slot + 1}.")
    if known:
        wrong.append(f"Drop {drop.slot + 1} was booked before, as its sensor had counted; nothing more was booked.")
    if wrong:
        open_review(unit, "doubt-differs", job.pack, "", tuple(wrong))
