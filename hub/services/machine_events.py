"""What a packaging machine says, taken into account exactly once: drops booked, pouches followed, jobs ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.domain.doses import DoseState
from hub.domain.identifiers import DeviceId, JobId
from hub.domain.packs import JobState, Pack, PackJob, PackState, Verdict, advanced
from hub.domain.records import Command, Received
from hub.services.drops import Drop, has_dropped, take_drop
from hub.services.endings import doses_of, move_pack
from hub.services.make_packs import send
from hub.services.ports import UnitOfWork
from hub.services.reviews import open_review

_ENDED = (JobState.DONE, JobState.PARTIAL, JobState.REFUSED, JobState.ABORTED)
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
    """Take one event into account; False if it was known already. Unknown jobs and kinds open a review, never an error."""
    if unit.received.get(event.device, event.source, event.boot, event.number) is not None:
        return False
    unit.received.put(Received(event.device, event.source, event.boot, event.number, unit.now))
    job = unit.jobs.get(event.job) if event.job is not None else None
    if event.job is not None and job is None:
        open_review(
            unit,
            "unknown-job",
            event.job,
            "",
            (f"{event.device} speaks of a job that the hub never sent ({event.kind}).",),
        )
        return True
    handler = _HANDLERS.get(event.kind)
    if handler is not None and job is not None:
        handler(unit, event, job)
    elif event.kind in _MACHINE_HANDLERS:
        _MACHINE_HANDLERS[event.kind](unit, event)
    return True


def _accepted(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    if job.state in (JobState.QUEUED, JobState.SENT):
        unit.jobs.put(replace(job, state=JobState.ACCEPTED))
    finish_command(unit, f"run-{job.id}")


def _dropped(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    """Book a drop once: a machine that lost power tells of it again under a new number, and that is no second drop."""
    if event.slot is None or event.slot >= len(job.fills):
        open_review(unit, "unknown-slot", job.pack, "", (f"{event.device} dropped for slot {event.slot}, which the job has not.",))
    elif not has_dropped(unit, job, event.slot):
        told = (event.data[name] for name in ("cassette", "asked", "counted"))
        take_drop(unit, job, Drop(event.slot, *told))


def _at_camera(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    """The pouch lies at the camera; after a loss of power the machine says so again and waits for a verdict on the new event."""
    pack, told = unit.packs.get(job.pack), (event.boot, event.number)
    assert pack is not None
    if job.state in _ENDED or (job.at_camera is not None and told <= job.at_camera):
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
    pack = unit.packs.get(job.pack)
    assert pack is not None
    finish_verdicts(unit, job)
    _reject(unit, pack, "the machine diverted it without a verdict")


def _reject(unit: UnitOfWork, pack: Pack, reason: str) -> None:
    """Revoke a pouch that belongs into the reject bin, unless a verdict or a person decided about it already."""
    failed = replace(pack, verdict=Verdict.FAIL)
    if pack.state in (PackState.EXPECTED, PackState.PRODUCED, PackState.VERIFIED):
        move_pack(unit, failed, PackState.REVOKED, reason)
    elif pack.state is PackState.REVOKED and pack.verdict in (None, Verdict.PASS):
        unit.packs.put(failed)


def _done(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    """The job ended; what it did not drop is free again."""
    finish_command(unit, f"run-{job.id}")
    finish_verdicts(unit, job)
    if job.state in _ENDED:
        return
    if event.data.get("state") == "diverted":
        _diverted(unit, event, job)
    release_reservations(unit, job)
    unit.jobs.put(replace(job, state=JobState.DONE))
    unit.record("job-ended", {"job": job.id, "state": str(event.data.get("state", "done")), "reason": job.reason})


def _refused(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    """The machine took no job and moved nothing: the reservation is given back and a person is asked."""
    reason, command_id = str(event.data.get("reason", "refused")), str(event.data.get("command", ""))
    if command_id.startswith("verdict-"):
        command = unit.commands.get(command_id)
        if command is not None and not command.done:
            open_review(unit, "verdict-refused", job.pack, "", (f"{event.device} did not take the verdict: {reason}",))
            finish_command(unit, command_id)
        return
    finish_command(unit, f"run-{job.id}")
    if job.state not in (JobState.QUEUED, JobState.SENT):
        return
    release_reservations(unit, job)
    unit.jobs.put(replace(job, state=JobState.REFUSED, reason=reason))
    unit.record("job-ended", {"job": job.id, "state": "refused", "reason": reason})
    pack = unit.packs.get(job.pack)
    if pack is not None and pack.state in (PackState.EXPECTED, PackState.REVOKED):
        open_review(unit, "job-refused", pack.serial, "", (reason,))


def release_reservations(unit: UnitOfWork, job: PackJob) -> None:
    """Give back the tablets that a job held in its cassettes and will not drop."""
    for slot, fill in enumerate(job.fills):
        cassette = unit.cassettes.get(fill.cassette)
        if cassette is not None and not has_dropped(unit, job, slot):
            unit.cassettes.put(replace(cassette, reserved=max(0, cassette.reserved - fill.count)))


def finish_command(unit: UnitOfWork, command_id: str) -> None:
    """Take a command out of the outbox: its device has answered, or it is called off."""
    command = unit.commands.get(command_id)
    if command is not None and not command.done:
        unit.commands.put(replace(command, done=True))


def finish_verdicts(unit: UnitOfWork, job: PackJob) -> None:
    """Take the verdicts on a job out of the outbox."""
    for command in unit.commands.where(job=job.id, kind="verdict", done=False):
        unit.commands.put(replace(command, done=True))


def _stopped(unit: UnitOfWork, event: MachineEvent) -> None:
    unit.record("device-stopped", {"device": event.device, "reason": event.data.get("reason")})


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
    "refused": _refused,
}
_MACHINE_HANDLERS: Mapping[str, Callable[[UnitOfWork, MachineEvent], None]] = {
    "stopped": _stopped,
    "ready": _ready,
    "cassette": _cassette,
}


def send_next(unit: UnitOfWork, device: DeviceId, most: int) -> list[JobId]:
    """Mark queued jobs as sent while fewer than `most` are on the way to a device: from then on they cannot be called off."""
    under_way = unit.jobs.count(device=device, state=[JobState.SENT, JobState.ACCEPTED, JobState.RUNNING])
    sent = []
    for command in unit.commands.where(device=device, kind="run", done=False, order_by="seq", limit=2 * most):
        job = unit.jobs.get(command.job)
        if job is not None and job.state is JobState.QUEUED and under_way < most:
            unit.jobs.put(replace(job, state=JobState.SENT))
            under_way += 1
            sent.append(job.id)
    return sent
