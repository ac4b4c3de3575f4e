"""What a late change does to doses wherever they are: each action of `late_changes` with its deed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hub.domain.doses import TERMINAL_DOSE_STATES, WARD_LANES, DoseState, PlannedDose
from hub.domain.identifiers import PatientId, derived_id
from hub.domain.late_changes import ChangeAction, ChangeKind, action_for, position_of
from hub.domain.orders import Stay
from hub.domain.packs import JobState, Pack, PackState
from hub.domain.records import Command, Incident
from hub.services.call_off import call_off, cancel_dose, withdraw
from hub.services.endings import doses_of, end_dose, move_pack
from hub.services.house import House
from hub.services.make_packs import make_packs
from hub.services.outbox import abort_command, send
from hub.services.ports import UnitOfWork

_GIVEN_WITHIN = timedelta(days=1)
_PATIENT_GONE = (ChangeKind.DISCHARGE, ChangeKind.DEATH)


@dataclass(frozen=True, slots=True)
class Change:
    """One change as it acts on doses; `stays` tells where patients lie now."""

    kind: ChangeKind
    at: datetime
    reason: str
    house: House
    stays: Mapping[PatientId, Stay]


def act_on(unit: UnitOfWork, change: Change, doses: Iterable[PlannedDose]) -> None:
    """Do to each dose what the change asks for at the place where it is now; ended doses stay as they are."""
    for listed in doses:
        dose = unit.doses.get(listed.id)
        if dose is None or (dose.state in TERMINAL_DOSE_STATES and dose.state is not DoseState.GIVEN):
            continue
        pack = unit.packs.get(dose.pack) if dose.pack is not None else None
        job = unit.jobs.get(pack.job) if pack is not None and pack.job is not None else None
        _DEEDS[action_for(change.kind, position_of(dose, pack, job))](unit, change, dose, pack)


Deed = Callable[[UnitOfWork, Change, PlannedDose, Pack | None], None]


def _cancel(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """Nothing of the dose can reach the patient: it is cancelled. A pouch that waits for a person's eye needs none any more."""
    cancel_dose(unit, dose, change.reason)
    if pack is not None and pack.state is PackState.QUARANTINED:
        move_pack(unit, pack, PackState.REVOKED, change.reason)


def _drop(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """The pack is not being made yet: it is called off, and what else should have been in it is packed anew."""
    cancel_dose(unit, dose, change.reason)
    if pack is not None:
        call_off(unit, pack, change.reason)
        _pack_again(unit, change, pack)


def _pack_again(unit: UnitOfWork, change: Change, pack: Pack, without: PlannedDose | None = None) -> None:
    """Make packs for the doses of a pack that died with another dose; they go by hand. A patient who left needs none.

    The dose `without` is not wanted any more; where it was packed it ends when its pack comes back.
    """
    ended = without.id if without is not None else None
    rest = [dose for dose in doses_of(unit, pack) if dose.id != ended and dose.state in (DoseState.FROZEN, DoseState.PACKED)]
    if not rest or change.kind in _PATIENT_GONE:
        return
    again = [replace(dose, stat=True, combine=False) for dose in rest]
    made = make_packs(unit, again, pack.batch, change.house, remake_of=unit.packs.get(pack.serial))
    dead = unit.packs.get(pack.serial)
    if made and dead is not None:
        unit.packs.put(replace(dead, replaced_by=made[0].serial))


def _reroute(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """The patient moved before the pack was made: it is made anew with the new ward on its label."""
    if dose.lane in WARD_LANES:
        _from_the_new_ward(unit, change, dose)
        return
    if _is_there(change, dose):
        return
    for other in doses_of(unit, pack) if pack is not None else [dose]:
        _moved(unit, change, other)
    if pack is not None:
        call_off(unit, pack, change.reason)
        _pack_again(unit, change, pack)


def _revoke_at_machine(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """The machine may be at it: the pouch is expected and fails at verification; other doses in it are made anew after that.

    Where no other dose is in it, the machine is asked to abort; one that has begun says so, and the pouch is caught all the same.
    """
    end_dose(unit, dose, DoseState.CANCELLED, change.reason)
    if pack is None:
        return
    if pack.state is not PackState.REVOKED:
        move_pack(unit, pack, PackState.REVOKED, change.reason)
    job = unit.jobs.get(pack.job) if pack.job is not None else None
    nothing_else = not any(each.state is DoseState.FROZEN for each in doses_of(unit, pack))
    if job is not None and nothing_else and job.doubt is None and job.state in (JobState.SENT, JobState.ACCEPTED):
        send(unit, Command(abort_command(job.id), job.device, "abort", 0, job.id, unit.now))


def _revoke(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """The pack exists: its serial is dead from now on, it comes back, and other doses in it are packed anew.

    A dose that was packed ends when its pack comes back; one that never was ends now.
    """
    if pack is None:
        cancel_dose(unit, dose, change.reason)
        return
    if pack.state is not PackState.REVOKED:
        move_pack(unit, pack, PackState.REVOKED, change.reason)
    cancel_dose(unit, dose, change.reason)
    _pack_again(unit, change, pack, without=dose)


def _relabel(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """The patient moved while the pack is in the pharmacy: its label names the old ward, so it is made anew and goes by hand."""
    if pack is None or _is_there(change, dose):
        return
    for other in doses_of(unit, pack):
        _moved(unit, change, other)
    move_pack(unit, pack, PackState.REVOKED, change.reason)
    _pack_again(unit, change, pack)


def _divert(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """The patient moved while the pouch is in the machine: it fails at the camera, and from the reject bin it is made anew.

    Its doses stay frozen, so that the pouch that replaces it bears the new ward.
    """
    if pack is None or _is_there(change, dose):
        return
    for other in doses_of(unit, pack):
        _moved(unit, change, other)
    if pack.state is not PackState.REVOKED:
        move_pack(unit, pack, PackState.REVOKED, change.reason)


def _out_of_the_trolley(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """The patient moved while the pack lies in a drawer: still here, it is pulled and made anew; on its way, it is handed over."""
    if pack is None or pack.state is not PackState.LOADED:
        _by_nurses(unit, change, dose, pack)
        return
    _relabel(unit, change, dose, pack)


def _by_nurses(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """The pack is on its way or on the ward: nurses hand it over; the bedside asks for patient and pack, not for the ward."""
    if dose.lane in WARD_LANES:
        _from_the_new_ward(unit, change, dose)
        return
    moved = _moved(unit, change, dose)
    if pack is not None and (pack.department, pack.room) != (moved.department, moved.room):
        unit.packs.put(replace(pack, department=moved.department, room=moved.room))
        unit.record("pack-follows", {"pack": pack.serial, "from": pack.department, "to": moved.department, "room": moved.room})


def _from_the_new_ward(unit: UnitOfWork, change: Change, dose: PlannedDose) -> None:
    """A dose from ward stock is asked for again, for the new ward; what was issued stays in the old one."""
    if dose.department == change.stays[dose.patient].department:
        _moved(unit, change, dose)
        return
    withdraw(unit, dose)
    moved = replace(_moved(unit, change, dose), stat=True)
    if dose.batch is not None:
        make_packs(unit, [moved], dose.batch, change.house)


def _is_there(change: Change, dose: PlannedDose) -> bool:
    """Tell whether a dose is meant for its patient's place already (another dose of its pack took it along)."""
    stay = change.stays[dose.patient]
    return (dose.department, dose.room) == (stay.department, stay.room)


def _moved(unit: UnitOfWork, change: Change, dose: PlannedDose) -> PlannedDose:
    stay = change.stays[dose.patient]
    moved = replace(dose, department=stay.department, room=stay.room, bed=stay.bed)
    unit.doses.put(moved)
    return moved


def _replan(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """Nothing of the dose is on its way; a pouch that waits for a person's eye bears the old ward and is made anew."""
    if change.kind is not ChangeKind.TRANSFER:
        _cancel(unit, change, dose, pack)
    elif pack is not None and pack.state is PackState.QUARANTINED:
        _divert(unit, change, dose, pack)
    else:
        _moved(unit, change, dose)


def _incident(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """A dose that was given although the order had ended by then is kept as a fact, and somebody must look.

    It counts when it was due after the end, or was given after it.
    """
    if dose.due < change.at and not _given_since(unit, dose, change.at):
        return
    incident = Incident(
        derived_id("incident", dose.id, change.kind, digits=16), "given-after-change", f"given, but {change.reason}", unit.now, dose.id,
        text_ru=f"доза дана, хотя: {change.reason}",
    )  # fmt: skip
    if unit.incidents.get(incident.id) is not None:
        return
    unit.incidents.put(incident)
    unit.record("incident-opened", {"incident": incident.id, "kind": incident.kind, "dose": dose.id, "text": incident.text})


def _given_since(unit: UnitOfWork, dose: PlannedDose, moment: datetime) -> bool:
    """Tell whether a dose was given at a moment or later; one that was due a day before cannot have been."""
    if moment - dose.due > _GIVEN_WITHIN:
        return False
    fact = unit.newest_fact("dose-given", dose=dose.id)
    return fact is not None and datetime.fromisoformat(fact.at) >= moment


def _nothing(unit: UnitOfWork, change: Change, dose: PlannedDose, pack: Pack | None) -> None:
    """Nothing is to be done: what is on hold is not loaded, must come out of its drawer, and is refused at the bedside."""


_DEEDS: Mapping[ChangeAction, Deed] = {
    ChangeAction.CANCEL: _cancel,
    ChangeAction.WITHHOLD: _cancel,
    ChangeAction.REPLAN: _replan,
    ChangeAction.DROP_FROM_BATCH: _drop,
    ChangeAction.DROP_AND_REPLAN: _drop,
    ChangeAction.REROUTE: _reroute,
    ChangeAction.CANCEL_AT_MACHINE: _revoke_at_machine,
    ChangeAction.LET_FINISH_AND_DIVERT: _divert,
    ChangeAction.REVOKE: _revoke,
    ChangeAction.RELABEL: _relabel,
    ChangeAction.KEEP_BACK: _nothing,
    ChangeAction.REVOKE_AND_PULL: _revoke,
    ChangeAction.PULL_AND_KEEP: _nothing,
    ChangeAction.MOVE_TROLLEY: _out_of_the_trolley,
    ChangeAction.REVOKE_AND_RETURN: _revoke,
    ChangeAction.REFUSE_WHILE_HELD: _nothing,
    ChangeAction.HAND_OVER: _by_nurses,
    ChangeAction.INCIDENT_IF_AFTER: _incident,
    ChangeAction.NOTHING: _nothing,
}
