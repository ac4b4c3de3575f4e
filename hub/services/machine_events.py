"""What a packaging machine says, taken into account exactly once: drops booked, pouches followed, jobs ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from hub.domain.doses import DoseState
from hub.domain.identifiers import DeviceId, JobId, derived_id
from hub.domain.packs import Content, JobState, Pack, PackJob, PackState, advanced
from hub.domain.records import Received, Review
from hub.domain.stock import SURPLUS, Account, Cassette, StockMove, cassette_account, pack_account
from hub.services.endings import doses_of, move_pack
from hub.services.ports import UnitOfWork
from hub.services.stock_in import take_from_layers


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
    """Book what the drop sensor counted out of the cassette into the pack, lot by lot in the order of loading."""
    assert event.slot is not None
    fill, counted = job.fills[event.slot], int(event.data["counted"])
    pack, cassette = unit.packs.get(job.pack), unit.cassettes.get(fill.cassette)
    assert pack is not None and cassette is not None
    left, taken = take_from_layers(cassette, counted)
    unit.cassettes.put(replace(left, reserved=max(0, cassette.reserved - fill.count)))
    contents = list(pack.contents)
    for layer in taken:
        _book_drop(unit, pack, fill.drug, layer.lot, Fraction(layer.count), cassette_account(fill.cassette))
        contents.append(Content(fill.dose, fill.drug, layer.lot, Fraction(layer.count)))
    more = counted - sum(layer.count for layer in taken)
    if more > 0:
        contents.append(_book_surplus(unit, pack, job, event.slot, cassette, more))
    unit.packs.put(replace(pack, contents=tuple(contents)))
    sensor = (
        ""
        if counted == fill.count
        else f"the drop sensor counted {counted} of {fill.count} from cassette {fill.cassette}"
    )
    reason = "; ".join(filter(None, (job.reason, sensor)))
    unit.jobs.put(replace(job, state=JobState.RUNNING, reason=reason))


def _book_drop(unit: UnitOfWork, pack: Pack, drug: Any, lot: Any, units: Fraction, source: Account) -> None:
    unit.move(StockMove(drug, lot, source, pack_account(pack.serial), units), "drop", pack=pack.serial)


def _book_surplus(unit: UnitOfWork, pack: Pack, job: PackJob, slot: int, cassette: Cassette, more: int) -> Content:
    """Book tablets that the cassette should not have held: they come from `surplus`, and somebody must look."""
    fill = job.fills[slot]
    lots = [layer.lot for layer in cassette.layers] or [lot.id for lot in unit.lots.where(item=fill.drug, limit=1)]
    _book_drop(unit, pack, fill.drug, lots[-1], Fraction(more), SURPLUS)
    open_review(
        unit,
        "surplus",
        str(fill.cassette),
        "",
        (f"Cassette {fill.cassette} gave {more} more than the books say it held.",),
    )
    return Content(fill.dose, fill.drug, lots[-1], Fraction(more))


def _at_camera(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    pack = unit.packs.get(job.pack)
    assert pack is not None
    unit.jobs.put(replace(job, at_camera=(event.boot, event.number)))
    if pack.state is PackState.REVOKED:
        unit.record("pack-produced", {"pack": pack.serial, "job": job.id})
    else:
        move_pack(unit, pack, PackState.PRODUCED, job=job.id)


def _released(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    """The pouch left the camera station: it and its doses are packed, unless a stop came in between."""
    pack = unit.packs.get(job.pack)
    assert pack is not None
    if pack.state is PackState.VERIFIED:
        release_pack(unit, pack, "camera")
    elif pack.state is not PackState.REVOKED:
        open_review(
            unit, "released-unverified", pack.serial, "", (f"{event.device} let a pouch out that was not verified.",)
        )
        move_pack(unit, pack, PackState.QUARANTINED, "let out without a verdict")


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
    """The pouch lies in the reject bin. Nothing to book: contents stay in the pack until it is scanned out."""
    finish_command(unit, f"verdict-{job.id}")


def _done(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    ended = unit.jobs.get(job.id) or job
    unit.jobs.put(replace(ended, state=JobState.DONE))
    unit.record("job-ended", {"job": job.id, "state": str(event.data.get("state", "done")), "reason": ended.reason})
    finish_command(unit, f"run-{job.id}")
    finish_command(unit, f"verdict-{job.id}")


def _refused(unit: UnitOfWork, event: MachineEvent, job: PackJob) -> None:
    """The machine took no job and moved nothing: the reservation is given back and a person is asked."""
    reason = str(event.data.get("reason", "refused"))
    if str(event.data.get("command", "")).startswith("verdict-"):
        open_review(unit, "verdict-refused", job.pack, "", (f"{event.device} did not take the verdict: {reason}",))
        finish_command(unit, f"verdict-{job.id}")
        return
    release_reservations(unit, job)
    unit.jobs.put(replace(job, state=JobState.REFUSED, reason=reason))
    unit.record("job-ended", {"job": job.id, "state": "refused", "reason": reason})
    finish_command(unit, f"run-{job.id}")
    pack = unit.packs.get(job.pack)
    if pack is not None and pack.state in (PackState.EXPECTED, PackState.REVOKED):
        open_review(unit, "job-refused", pack.serial, "", (reason,))


def release_reservations(unit: UnitOfWork, job: PackJob) -> None:
    """Give back the tablets that a job held in its cassettes and will not drop."""
    for fill in job.fills:
        cassette = unit.cassettes.get(fill.cassette)
        if cassette is not None:
            unit.cassettes.put(replace(cassette, reserved=max(0, cassette.reserved - fill.count)))


def open_review(
    unit: UnitOfWork, kind: str, subject: str, verdict: str, reasons: tuple[str, ...], evidence: str = ""
) -> Review:
    """Ask a person; the same question about the same subject is asked once."""
    review_id = derived_id("review", kind, subject, digits=16)
    review = Review(review_id, kind, subject, unit.now, verdict, reasons, evidence)
    if unit.reviews.get(review_id) is None:
        unit.reviews.put(review)
        unit.record("review-opened", {"review": review_id, "kind": kind, "subject": subject, "reasons": list(reasons)})
    return review


def finish_command(unit: UnitOfWork, command_id: str) -> None:
    """Take a command out of the outbox: its device has answered, or it is called off."""
    command = unit.commands.get(command_id)
    if command is not None and not command.done:
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
