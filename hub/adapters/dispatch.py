"""What the hub sends its machines: which commands are to be on the way now, and what each says; apart from how it gets there."""

import base64
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from firmware_bridge import contract
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.domain.identifiers import DeviceId
from hub.domain.packs import ENDED_JOB_STATES, JobState, PackJob
from hub.domain.records import Command
from hub.services.doubts import answer_command
from hub.services.machine_events import send_next
from hub.services.outbox import numbered
from hub.services.verify_pack import verdict_to_send

RUNS_ON_THE_WAY = 6
DECISIONS_ON_THE_WAY = 16
FENCE = 1


def commands_on_the_way(unit: SqlUnitOfWork) -> list[Command]:
    """Return, numbered, what is to be on the way: verdicts, people's answers and aborts, and runs of jobs that are marked as sent."""
    found = unit.commands.where(done=False, kind=["verdict", "resolve", "abort"], order_by="seq", limit=DECISIONS_ON_THE_WAY)
    for device in unit.devices.where(kind="packager"):
        send_next(unit, device.id, RUNS_ON_THE_WAY)
        found += _runs_on_the_way(unit, device.id)
    jobs = [(command, unit.jobs.get(command.job)) for command in found]
    return [numbered(unit, command) for command, job in jobs if job is not None and _still_stands(command, job)]


def _runs_on_the_way(unit: SqlUnitOfWork, device: DeviceId) -> list[Command]:
    runs = unit.commands.where(device=device, done=False, kind="run", order_by="seq", limit=RUNS_ON_THE_WAY)
    jobs = [(run, unit.jobs.get(run.job)) for run in runs]
    return [run for run, job in jobs if job is not None and job.state is not JobState.QUEUED]


def payload_of(unit: SqlUnitOfWork, command: Command, expires_at: datetime) -> bytes | None:
    """Return a command as docs/mqtt.md has it; None where it is not to be sent any more."""
    job = unit.jobs.get(command.job)
    if job is None:
        return None
    envelope: dict[str, Any] = {"command": command.id, "seq": command.seq, "fence": FENCE, "expires_at": expires_at}
    made = _COMMANDS[command.kind](unit, command, job, envelope)
    return contract.encode(made) if made is not None else None


def _still_stands(command: Command, job: PackJob) -> bool:
    """Tell whether a command is to be published: not an answer whose place a newer one took, nor the abort of what has ended."""
    if command.kind == "abort":
        return job.state not in ENDED_JOB_STATES
    if command.kind != "resolve":
        return True
    return job.doubt is not None and job.doubt.answer is not None and answer_command(job) == command.id


def _run(unit: SqlUnitOfWork, _: Command, job: PackJob, envelope: dict[str, Any]) -> contract.RunCommand:
    label = unit.prints.get(job.pack)
    assert label is not None
    stream = zlib.compress(base64.b64decode(label.raster), 6)
    slots = tuple(contract.RunSlot(slot=fill.machine_slot, cassette=fill.cassette, count=fill.count) for fill in job.fills)
    raster = contract.RunLabel(digest=label.digest, width=label.width, height=label.height, raster=stream)
    return contract.RunCommand(job=job.id, slots=slots, label=raster, **envelope)


def _verdict(unit: SqlUnitOfWork, _: Command, job: PackJob, envelope: dict[str, Any]) -> contract.VerdictCommand:
    pack = unit.packs.get(job.pack)
    assert job.at_camera is not None and pack is not None
    boot, event = job.at_camera
    verdict = verdict_to_send(pack)
    return contract.VerdictCommand(
        job=job.id, slot=len(job.fills) - 1, boot=boot, event=event, verdict=verdict.value, **envelope
    )


def _resolve(_: SqlUnitOfWork, command: Command, job: PackJob, envelope: dict[str, Any]) -> contract.ResolveCommand | None:
    """Return the answer to a doubt; None where a newer one took its place since: an id never stands for two answers."""
    if job.doubt is None or job.doubt.answer is None or not _still_stands(command, job):
        return None
    told = job.doubt.answer
    return contract.ResolveCommand(
        job=job.id, slot=job.doubt.slot, boot=told.boot, event=told.event, counted=told.counted, **envelope
    )


def _abort(_: SqlUnitOfWork, __: Command, job: PackJob, envelope: dict[str, Any]) -> contract.AbortCommand:
    return contract.AbortCommand(job=job.id, **envelope)


_COMMANDS: Mapping[str, Callable[[SqlUnitOfWork, Command, PackJob, dict[str, Any]], contract.Command | None]] = {
    "run": _run,
    "verdict": _verdict,
    "resolve": _resolve,
    "abort": _abort,
}
