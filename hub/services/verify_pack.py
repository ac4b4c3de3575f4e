"""The camera station's word on a pouch: the verdict recorded, sent back to the machine, and what follows for the pack."""

from dataclasses import replace

from hub.domain.evidence import is_kept
from hub.domain.identifiers import JobId, PackSerial
from hub.domain.orders import Reason
from hub.domain.packs import (
    ENDED_JOB_STATES,
    PACK_TRANSITIONS,
    TERMINAL_PACK_STATES,
    Pack,
    PackJob,
    PackState,
    Verdict,
    advanced,
)
from hub.domain.recorded_words import in_russian
from hub.domain.records import Command
from hub.domain.verdict_words import VerdictRule, pouch_elsewhere, verdict_reason
from hub.domain.verification import ExpectedPouch, OtherPack, SeenPouch, is_serial, verify_pouch
from hub.domain.words import Words
from hub.services.endings import move_pack
from hub.services.evidence import name_frames
from hub.services.interlock import is_proven
from hub.services.outbox import send
from hub.services.ports import UnitOfWork
from hub.services.references import learn_from
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


def verify_pack(unit: UnitOfWork, job_id: JobId, seen: SeenPouch, evidence: tuple[str, ...], trouble: Words | None = None) -> Verdict:
    """Decide about the pouch at the camera; the verdict is durable before the machine hears of it.

    A pack that was revoked meanwhile gets FAIL: its pouch goes into the reject bin; so does one that by the books is anything but just
    made, whose state changes only as far as the books allow. Where its frames could not be kept (`trouble`),
    nothing could be shown later for a PASS: a person looks.
    """
    decided = verify_with_evidence(unit, job_id, seen, evidence, trouble)
    assert decided is not None
    return decided


def verify_with_evidence(
    unit: UnitOfWork, job_id: JobId, seen: SeenPouch, evidence: tuple[str, ...] | None, trouble: Words | None = None, pass_share: int = 1
) -> Verdict | None:
    """Decide as `verify_pack` does; with `evidence` None, only where the verdict is one that keeps no frames.

    None: nothing was recorded; keep the frames of the pouch, then ask again with their digests. So no verdict is recorded
    before the evidence that it names is on the disk, whatever happened to the pack meanwhile.
    """
    job = unit.jobs.get(job_id)
    assert job is not None and job.at_camera is not None
    pack = unit.packs.get(job.pack)
    assert pack is not None
    if pack.verdict is not None:
        return pack.verdict
    seen = _with_records(unit, job, seen)
    verdict, reasons = verify_pouch(replace(expected_pouch(job), others=_other_packs(unit, job, seen)), seen)
    if pack.state is PackState.REVOKED:
        verdict, reasons = Verdict.FAIL, (verdict_reason(VerdictRule.POUCH_REVOKED, Words(pack.reason, in_russian(pack.reason))),)
    elif job.doubt is not None:
        verdict, reasons = Verdict.FAIL, (verdict_reason(VerdictRule.POUCH_IN_DOUBT),)
    elif pack.state is not PackState.PRODUCED:
        verdict, reasons = Verdict.FAIL, (pouch_elsewhere(pack.state),)
    if trouble is not None:
        verdict = Verdict.LOOK if verdict is Verdict.PASS else verdict
        reasons = (*reasons, verdict_reason(VerdictRule.EVIDENCE_NOT_KEPT, trouble))
    if evidence is None:
        if is_kept(verdict, pack.serial, pass_share):
            return None
        evidence = ()
    name_frames(unit, pack.serial, verdict, evidence)
    read = [*seen.data_matrix, *seen.code_128]
    unit.record(
        "pack-verified",
        {
            "pack": pack.serial, "verdict": verdict.value, "reasons": [reason.text for reason in reasons],
            "rules": [reason.rule for reason in reasons], "read": read, "evidence": list(evidence),
            "codes": [{"text": code.text, "symbology": code.symbology, "reader": code.reader} for code in seen.readings],
        },
    )  # fmt: skip
    if verdict is Verdict.PASS:
        unit.packs.put(replace(pack, verdict=verdict, state=advanced(pack.state, PackState.VERIFIED)))
    else:
        _question(unit, job, verdict, reasons, evidence)
    learn_from(unit, pack, verdict, seen.sightings)
    send(unit, Command(f"verdict-{job.id}", job.device, "verdict", 0, job.id, unit.now))
    return verdict


def _with_records(unit: UnitOfWork, job: PackJob, seen: SeenPouch) -> SeenPouch:
    """Return what was seen with what the books say of the drops and of the cassettes."""
    pairs = tuple(replace(pair, proven=is_proven(unit, job, pair.drug)) for pair in seen.look_alikes)
    return replace(seen, wrong_drops=tuple(filter(None, job.reason.split("; "))), look_alikes=pairs)


def _other_packs(unit: UnitOfWork, job: PackJob, seen: SeenPouch) -> dict[str, OtherPack]:
    """Return what the books say of each other serial that was read; a code that is no serial of ours is not looked up."""
    read = {text for text in (*seen.data_matrix, *seen.code_128) if text != job.pack and is_serial(text)}
    packs = (unit.packs.get(PackSerial(text)) for text in sorted(read))
    return {pack.serial: OtherPack(pack.serial, pack.department, _is_live(pack)) for pack in packs if pack is not None}


def _is_live(pack: Pack) -> bool:
    return pack.state not in _NOT_TO_GO_OUT and pack.state not in TERMINAL_PACK_STATES


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


def _question(unit: UnitOfWork, job: PackJob, verdict: Verdict, reasons: tuple[Reason, ...], evidence: tuple[str, ...]) -> None:
    """A pouch that failed is revoked at once; one to be looked at waits in quarantine for a person. Both are shown to one.

    The line waits for neither: the review of a failed pouch ends when it is scanned into the reject bin, if not before.
    """
    pack = unit.packs.get(job.pack)
    assert pack is not None
    pack = replace(pack, verdict=verdict)
    reason = "; ".join(each.text for each in reasons)
    if PackState.REVOKED not in PACK_TRANSITIONS.get(pack.state, frozenset()):
        unit.packs.put(pack)
    elif verdict is Verdict.FAIL:
        move_pack(unit, pack, PackState.REVOKED, reason)
    else:
        move_pack(unit, pack, PackState.QUARANTINED, reason)
    kind = POUCH if verdict is Verdict.LOOK else POUCH_FAILED
    told = tuple(Words(each.text, each.text_ru) for each in reasons)
    open_review(unit, kind, pack.serial, verdict.value, told, evidence)
