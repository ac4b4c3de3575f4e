"""The camera station's word on a pouch: the verdict recorded, sent back to the machine, and what follows for the pack."""

from dataclasses import replace

from hub.domain.identifiers import JobId
from hub.domain.packs import ENDED_JOB_STATES, TERMINAL_PACK_STATES, Pack, PackJob, PackState, Verdict, advanced
from hub.domain.records import Command
from hub.domain.verification import ExpectedPouch, SeenPouch, verify_pouch
from hub.services.endings import move_pack
from hub.services.outbox import send
from hub.services.ports import UnitOfWork
from hub.services.reviews import open_review

POUCH, POUCH_FAILED = "pouch", "pouch-failed"
"""Kinds of review: a pouch that a person decides about, and one that failed and goes into the reject bin."""
_NOT_TO_GO_OUT = (PackState.REVOKED, PackState.QUARANTINED)


def expected_pouch(job: PackJob) -> ExpectedPouch:
    """Return what the camera must see of this job's pouch: its own serial and its tablets."""
    return ExpectedPouch(serial=job.pack, count=sum(fill.count for fill in job.fills))


def verdict_to_send(pack: Pack) -> Verdict:
    """Return what the machine is told of a verified pouch: one that was revoked since, or that has ended, is never let out."""
    assert pack.verdict is not None
    if pack.verdict is Verdict.PASS and (pack.state in _NOT_TO_GO_OUT or pack.state in TERMINAL_PACK_STATES):
        return Verdict.FAIL
    return pack.verdict


def verify_pack(unit: UnitOfWork, job_id: JobId, seen: SeenPouch, evidence: str) -> Verdict:
    """Decide about the pouch at the camera; the verdict is durable before the machine hears of it.

    A pack that was revoked meanwhile gets FAIL: its pouch goes into the reject bin.
    """
    job = unit.jobs.get(job_id)
    assert job is not None and job.at_camera is not None
    pack = unit.packs.get(job.pack)
    assert pack is not None
    if pack.verdict is not None:
        return pack.verdict
    seen = replace(seen, wrong_drops=(job.reason,) if job.reason else ())
    verdict, reasons = verify_pouch(expected_pouch(job), seen)
    if pack.state is PackState.REVOKED:
        verdict, reasons = Verdict.FAIL, (f"revoked: {pack.reason}",)
    elif job.doubt is not None:
        verdict, reasons = Verdict.FAIL, ("it was in doubt: it is destroyed in any case",)
    read = [*seen.data_matrix, *seen.code_128]
    unit.record(
        "pack-verified",
        {"pack": pack.serial, "verdict": verdict.value, "reasons": list(reasons), "read": read, "evidence": evidence},
    )
    if verdict is Verdict.PASS:
        unit.packs.put(replace(pack, verdict=verdict, state=advanced(pack.state, PackState.VERIFIED)))
    else:
        _question(unit, job, verdict, reasons, evidence)
    send(unit, Command(f"verdict-{job.id}", job.device, "verdict", 0, job.id, unit.now))
    return verdict


def send_verdict_again(unit: UnitOfWork, job: PackJob) -> bool:
    """Put the verdict on a pouch that still lies at the camera into the outbox under a new id; False where nothing waits for one."""
    pack = unit.packs.get(job.pack)
    if job.state in ENDED_JOB_STATES or job.at_camera is None or pack is None or pack.verdict is None:
        return False
    if unit.commands.where(job=job.id, kind="verdict", done=False):
        return True
    times = unit.commands.count(job=job.id, kind="verdict")
    send(unit, Command(f"verdict-{job.id}-again-{times}", job.device, "verdict", 0, job.id, unit.now))
    return True


def _question(unit: UnitOfWork, job: PackJob, verdict: Verdict, reasons: tuple[str, ...], evidence: str) -> None:
    """A pouch that failed is revoked at once; one to be looked at waits in quarantine for a person. Both are shown to one.

    The line waits for neither: the review of a failed pouch ends when it is scanned into the reject bin, if not before.
    """
    pack = unit.packs.get(job.pack)
    assert pack is not None
    pack = replace(pack, verdict=verdict)
    reason = "; ".join(reasons)
    if pack.state is PackState.REVOKED:
        unit.packs.put(pack)
    elif verdict is Verdict.FAIL:
        move_pack(unit, pack, PackState.REVOKED, reason)
    else:
        move_pack(unit, pack, PackState.QUARANTINED, reason)
    kind = POUCH if verdict is Verdict.LOOK else POUCH_FAILED
    open_review(unit, kind, pack.serial, verdict.value, reasons, evidence)
