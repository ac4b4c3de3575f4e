"""What a packaging machine says, taken into account exactly once: drops booked, pouches followed, jobs ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.domain.doses import DoseState
from hub.domain.doubts import IN_DOUBT, Doubt
from hub.domain.identifiers import DeviceId, JobId
from hub.domain.packs import ENDED_JOB_STATES, JobState, Pack, PackJob, PackState, Verdict, advanced
from hub.domain.records import Command, Received
from hub.services.doubts import A_PERSON, answer_not_taken, take_doubt, take_resolved, waits_for_a_person
from hub.services.drops import Drop, has_dropped, take_drop
from hub.services.endings import doses_of, move_pack
from hub.services.outbox import abort_command, finish_command, send
from hub.services.ports import UnitOfWork
from hub.services.reviews import open_review
from hub.services.verify_pack import send_verdict_again

_ANSWER = "resolve-"
VERDICT_REFUSED = "verdict-refused"
_NEVER_TO_BE_OUT = (PackState.EXPECTED, PackState.PRODUCED, PackState.QUARANTINED, PackState.REVOKED)


@dataclass(frozen=True, slots=True)
class MachineEvent:
    """One event of a device; (device, source, boot, number) is its identity for ever."""

    device: DeviceId
    source: str
    boot: int
    number: int
    kind: str
    job: JobId | None
    slot: int | None
    data: Mapping[str, Any]


def take_event(unit: UnitOfWork, event: MachineEvent) -> bool:
    """Take one event into account; False if it was known already. Unknown jobs, kinds and devices open a review, never an error."""
    if unit.received.get(event.device, event.source, event.boot, event.number) is not None:
        return False
    unit.received.put(Received(event.device, event.source, event.boot, event.number, unit.now))
    job = _job_of(unit, event)
    wrong = _not_its_own(unit, event, job)
    if wrong:
        open_review(unit, "foreign-event", event.device, "", (wrong, "Nothing was booked for it: look at the broker's rights and the bridge's settings."))
        return True
    if event.job is not None and job is None:
        _unknown_job(unit, event)
        return True
    handler = _HANDLERS.get("in-doubt" if _is_doubt(event) else event.kind)
    if handler is not None and job is not None:
        handler(unit, event, job)
    elif event.kind in _MACHINE_HANDLERS:
        _MACHINE_HANDLERS[event.kind](unit, event)
    return True


def event_unreadable(unit: UnitOfWork, device: DeviceId, reason: str) -> None:
    """Tell a person, once for each reason, of an event that cannot be read; it is not acknowledged, so nothing of it is lost."""
    told = f"{device} sends an event that this hub cannot read: {reason}."
    deed = "It waits at the device and comes again: are hub and bridge of different versions?"
    open_review(unit, "unreadable-event", device, "", (told, deed), occasion=reason)


def _not_its_own(unit: UnitOfWork, event: MachineEvent, job: PackJob | None) -> str:
    """Return in words why a device may not tell this: it is no machine of the settings, or the job is another machine's."""
    device = unit.devices.get(event.device)
    if device is None or device.kind != "packager":
        return f"{event.device} tells what only a packaging machine can ({event.kind}), and is none by the settings of this site."
    if job is not None and job.device != event.device:
        return f"{event.device} speaks of job {job.id} ({event.kind}), which {job.device} has."
    command = unit.commands.get(str(event.data.get("command", ""))) if event.kind == "refused" else None
    if command is not None and (command.device != event.device or (job is not None and command.job != job.id)):
        return f"{event.device} refused the command {command.id}, which was sent to {command.device} for job {command.job}."
    return ""


def _job_of(unit: UnitOfWork, event: MachineEvent) -> PackJob | None:
    """Return the job that an event is about; a command that could not be read was refused without naming its job."""
    job = event.job
    if job is None and event.kind == "refused":
        command = unit.commands.get(str(event.data.get("command", "")))
        job = command.job if command is not None else None
    return unit.jobs.get(job) if job is not None else None


def _is_doubt(event: MachineEvent) -> bool:
    return event.kind == "stopped" and event.data.get("reason") == IN_DOUBT and event.slot is not None


def _unknown_job(unit: UnitOfWork, event: MachineEvent) -> None:
    """Ask a person about a job that the hub does not know; a machine that is in doubt about one is asked about each time it says so."""
    assert event.job is not None
    if _is_doubt(event):
        _stopped(unit, event)
        return
    told = f"{event.device} speaks of a job that the hub never sent ({event.kind})."
    open_review(unit, "unknown-job", event.job, "", (told,))


def _accepted(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    if job.state in (JobState.QUEUED, JobState.SENT):
        unit.jobs.put(replace(job, state=JobState.ACCEPTED))
    finish_command(unit, f"run-{job.id}")


def _dropped(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    """Book a drop once: a machine that lost power tells of it again under a new number, and that is no second drop."""
    drop = _drop_of(unit, event, job, "the drop sensor")
    if drop is None or has_dropped(unit, job, drop.slot):
        return
    if job.doubt is not None and job.doubt.slot == drop.slot:
        told = f"{event.device} is in doubt about drop {drop.slot + 1}, and says that {drop.counted} fell: only a person's count is booked."
        open_review(unit, "doubt-contradicted", job.pack, "", (told,))
        return
    take_drop(unit, job, drop)


def _drop_of(unit: UnitOfWork, event: MachineEvent, job: PackJob, counter: str) -> Drop | None:
    """Return the drop that an event tells of; of a slot that the job has not a person is asked."""
    if event.slot is None or event.slot >= len(job.fills):
        told = f"{event.device} told of slot {event.slot} ({event.kind}), which the job has not."
        open_review(unit, "unknown-slot", job.pack, "", (told,))
        return None
    cassette, asked, counted = (event.data[name] for name in ("cassette", "asked", "counted"))
    return Drop(event.slot, cassette, asked, counted, counter)


def _in_doubt(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    """Power was lost while a slot was dropped: the machine waits until a person has counted."""
    assert event.slot is not None
    known_slot = event.slot < len(job.fills)
    if not known_slot or not take_doubt(unit, job, Doubt(event.slot, event.boot, event.number)):
        unit.record("device-stopped", {"device": event.device, "reason": IN_DOUBT})
    if not known_slot:
        _ask_for_an_engineer(unit, event)


def _resolved(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    """The machine was told what fell in the slot in doubt: that is booked, once, as told."""
    drop = _drop_of(unit, event, job, A_PERSON)
    if drop is not None:
        take_resolved(unit, job, drop, (event.boot, event.number))


def _at_camera(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    """The pouch lies at the camera; after a loss of power the machine says so again and waits for a verdict on the new event."""
    pack, told = unit.packs.get(job.pack), (event.boot, event.number)
    assert pack is not None
    if job.state in ENDED_JOB_STATES or (job.at_camera is not None and told <= job.at_camera):
        return
    if job.state is JobState.IN_DOUBT:
        wrong = f"{event.device} is in doubt about this pouch, and says that it lies at the camera: it gets no verdict."
        open_review(unit, "doubt-contradicted", job.pack, "", (wrong,))
        return
    unit.jobs.put(replace(job, at_camera=told, state=JobState.RUNNING))
    if pack.verdict is not None:
        finish_verdicts(unit, job)
        send(unit, Command(f"verdict-{job.id}-{event.boot}-{event.number}", job.device, "verdict", 0, job.id, unit.now))
    elif job.at_camera is None and pack.state is PackState.REVOKED:
        unit.record("pack-produced", {"pack": pack.serial, "job": job.id})
    elif pack.state is PackState.EXPECTED:
        move_pack(unit, pack, PackState.PRODUCED, job=job.id)


def _released(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    """The pouch left the camera station: it and its doses are packed, unless a stop came in between.

    One that passed and was revoked before the machine heard of it stays revoked and comes back as a return. What no verdict
    let out, or a failed one, belongs into the reject bin, and somebody must find it.
    """
    pack = unit.packs.get(job.pack)
    assert pack is not None
    finish_verdicts(unit, job)
    if pack.state is PackState.VERIFIED:
        release_pack(unit, pack, "camera")
    elif pack.state in _NEVER_TO_BE_OUT and pack.verdict is not Verdict.PASS:
        told = f"{event.device} let a pouch out that was not verified."
        open_review(unit, "released-unverified", pack.serial, "", (told,))
        _reject(unit, pack, "let out without a verdict")


def release_pack(unit: UnitOfWork, pack: Pack, by: str) -> Pack:
    """Release a verified pack: from here on its doses are packed."""
    released = replace(pack, state=advanced(pack.state, PackState.RELEASED))
    unit.packs.put(released)
    unit.record("pack-released", {"pack": pack.serial, "by": by})
    for dose in doses_of(unit, pack):
        if dose.state is DoseState.FROZEN:
            unit.doses.put(replace(dose, state=DoseState.PACKED))
            unit.record("dose-packed", {"dose": dose.id, "pack": pack.serial})
    return released


def _diverted(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    """The pouch lies in the reject bin; nothing is booked until it is scanned there.

    One that no verdict sent there (it was in doubt, and a person had it destroyed) is revoked by that.
    """
    divert(unit, job)


def divert(unit: UnitOfWork, job: PackJob) -> None:
    """Revoke the pouch of a job that goes into the reject bin."""
    pack = unit.packs.get(job.pack)
    assert pack is not None
    finish_verdicts(unit, job)
    _reject(unit, pack, "the machine diverted it without a verdict", doubted=job.doubt is not None)


def _reject(unit: UnitOfWork, pack: Pack, reason: str, *, doubted: bool = False) -> None:
    """Revoke a pouch that belongs into the reject bin, unless a verdict or a person decided about it already.

    One in quarantine that nobody is to look at was in doubt: it is destroyed.
    """
    failed = replace(pack, verdict=Verdict.FAIL)
    in_doubt = pack.state is PackState.QUARANTINED and (doubted or pack.verdict is not Verdict.LOOK)
    if in_doubt or pack.state in (PackState.EXPECTED, PackState.PRODUCED, PackState.VERIFIED):
        move_pack(unit, failed, PackState.REVOKED, reason)
    elif pack.state is PackState.REVOKED and pack.verdict in (None, Verdict.PASS):
        unit.packs.put(failed)


def _done(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    end_job(unit, job, str(event.data.get("state", "done")))


def end_job(unit: UnitOfWork, job: PackJob, state: str) -> None:
    """End a job, once; what it did not drop is free again. A pouch that was in doubt belongs into the reject bin, however it ended."""
    finish_command(unit, f"run-{job.id}")
    finish_command(unit, abort_command(job.id))
    finish_verdicts(unit, job)
    if job.state in ENDED_JOB_STATES:
        return
    begun = job.doubt is not None or any(has_dropped(unit, job, slot) for slot in range(len(job.fills)))
    if state == "diverted" or job.doubt is not None or (state == "aborted" and begun):
        divert(unit, job)
    release_reservations(unit, job)
    unit.jobs.put(replace(job, state=JobState.ABORTED if state == "aborted" else JobState.DONE))
    unit.record("job-ended", {"job": job.id, "state": state, "reason": job.reason})
    if state == "aborted" and not begun:
        _ask_to_make_anew(unit, job, f"{job.device} ended the job before anything had moved.")


def _refused(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    """A command was not taken and nothing moved for it; where it was the run, the reservation is given back and a person is asked."""
    reason, command_id = str(event.data.get("reason", "refused")), str(event.data.get("command", ""))
    if command_id.startswith("verdict-"):
        _verdict_refused(unit, event, job, command_id, reason)
        return
    if command_id.startswith(_ANSWER):
        answer_not_taken(unit, job, command_id, str(event.data.get("rc", "REFUSED")), reason)
        return
    if command_id == abort_command(job.id) and unit.commands.get(command_id) is not None:
        finish_command(unit, command_id)  # the job has begun or is over: its pouch is revoked, and caught at the camera
        return
    if command_id != f"run-{job.id}":
        told = f"{event.device} refused the command {command_id!r} about this job, which the hub did not send: {reason}"
        open_review(unit, "unknown-command", job.pack, "", (told,))
        return
    finish_command(unit, command_id)
    if job.state not in (JobState.QUEUED, JobState.SENT):
        return
    release_reservations(unit, job)
    unit.jobs.put(replace(job, state=JobState.REFUSED, reason=reason))
    unit.record("job-ended", {"job": job.id, "state": "refused", "reason": reason})
    finish_command(unit, abort_command(job.id))
    _ask_to_make_anew(unit, job, reason)


def _verdict_refused(unit: UnitOfWork, event: MachineEvent, job: PackJob, command_id: str, reason: str) -> None:
    """Send a verdict again that came too late; where the machine does not take it, a person is asked, who may have it sent again."""
    command = unit.commands.get(command_id)
    if command is None or command.done:
        return
    finish_command(unit, command_id)
    if event.data.get("rc") == "EXPIRED" and send_verdict_again(unit, job):
        return
    told = f"{event.device} did not take the verdict: {reason}"
    open_review(unit, VERDICT_REFUSED, job.pack, "", (told,), occasion=command_id)


def _ask_to_make_anew(unit: UnitOfWork, job: PackJob, reason: str) -> None:
    """Nothing of a job was made: a person says whether its doses are made anew; a pouch that nobody wants any more never was."""
    pack = unit.packs.get(job.pack)
    if pack is not None and pack.state is PackState.REVOKED and not any(dose.state is DoseState.FROZEN for dose in doses_of(unit, pack)):
        move_pack(unit, pack, PackState.NEVER_MADE, pack.reason)
        return
    if pack is not None and pack.state in (PackState.EXPECTED, PackState.REVOKED):
        open_review(unit, "job-refused", pack.serial, "", (reason,))


def release_reservations(unit: UnitOfWork, job: PackJob) -> None:
    """Give back the tablets that a job held in its cassettes and will not drop."""
    for slot, fill in enumerate(job.fills):
        cassette = unit.cassettes.get(fill.cassette)
        if cassette is not None and not has_dropped(unit, job, slot):
            unit.cassettes.put(replace(cassette, reserved=max(0, cassette.reserved - fill.count)))


def finish_verdicts(unit: UnitOfWork, job: PackJob) -> None:
    """Take the verdicts on a job out of the outbox."""
    for command in unit.commands.where(job=job.id, kind="verdict", done=False):
        unit.commands.put(replace(command, done=True))


def _stopped(unit: UnitOfWork, event: MachineEvent) -> None:
    unit.record("device-stopped", {"device": event.device, "reason": event.data.get("reason")})
    if event.data.get("reason") == IN_DOUBT:
        _ask_for_an_engineer(unit, event)


def _ask_for_an_engineer(unit: UnitOfWork, event: MachineEvent) -> None:
    """A machine is in doubt about something that the hub does not know: no answer from here would fit."""
    told = f"{event.device} is in doubt about slot {event.slot} of job {event.job}, which the hub never sent, and waits: nothing here can answer it."
    deed = "Take out the pouch, destroy it, and have an engineer clear the machine."
    open_review(unit, "unknown-doubt", event.job or event.device, "", (told, deed), occasion=f"{event.boot}/{event.number}")


def _lock(unit: UnitOfWork, event: MachineEvent) -> None:
    told = {name: event.data.get(name) for name in ("mode", "owner")}
    unit.record("service-lock", {"device": event.device, "boot": event.boot, "event": event.number, **told})


def _ready(unit: UnitOfWork, event: MachineEvent) -> None:
    unit.record("device-ready", {"device": event.device})


def _cassette(unit: UnitOfWork, event: MachineEvent) -> None:
    unit.record(
        "cassette-placed",
        {"device": event.device, **{name: event.data.get(name) for name in ("slot", "cassette", "remaining")}},
    )


_HANDLERS: Mapping[str, Callable[[UnitOfWork, MachineEvent, PackJob], None]] = {
    "accepted": _accepted,
    "dropped": _dropped,
    "at-camera": _at_camera,
    "released": _released,
    "diverted": _diverted,
    "done": _done,
    "in-doubt": _in_doubt,
    "resolved": _resolved,
    "refused": _refused,
}
_MACHINE_HANDLERS: Mapping[str, Callable[[UnitOfWork, MachineEvent], None]] = {
    "stopped": _stopped,
    "lock": _lock,
    "ready": _ready,
    "cassette": _cassette,
}


def send_next(unit: UnitOfWork, device: DeviceId, most: int) -> list[JobId]:
    """Mark queued jobs as sent while fewer than `most` are on the way to a device: from then on they cannot be called off.

    A machine that waits for a person gets none: its line goes on when the doubt is settled.
    """
    if waits_for_a_person(unit, device):
        return []
    under_way = unit.jobs.count(device=device, state=[JobState.SENT, JobState.ACCEPTED, JobState.RUNNING])
    sent = []
    for command in unit.commands.where(device=device, kind="run", done=False, order_by="seq", limit=2 * most):
        job = unit.jobs.get(command.job)
        if job is not None and job.state is JobState.QUEUED and under_way < most:
            unit.jobs.put(replace(job, state=JobState.SENT))
            under_way += 1
            sent.append(job.id)
    return sent
