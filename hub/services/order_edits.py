"""An order or a patient's place changed, by a sheet or by a change of the day: what is on its way follows."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from hub.domain.allergies import ALLERGY_RULES
from hub.domain.doses import DoseState, PlannedDose
from hub.domain.identifiers import PatientId
from hub.domain.late_changes import ChangeKind
from hub.domain.orders import (
    IN_FORCE,
    LineState,
    Order,
    OrderLine,
    OrderSheet,
    OrderStatus,
    Outcome,
    SourceSettings,
    Stay,
)
from hub.domain.packs import TERMINAL_PACK_STATES, PackState
from hub.domain.planning import PLANNED_OUTCOMES
from hub.domain.validation import is_excluded_department
from hub.domain.words import Words
from hub.services.house import House
from hub.services.late_deeds import Change, act_on
from hub.services.ports import UnitOfWork
from hub.services.reviews import open_review

ENDED_STATUSES = frozenset(
    {OrderStatus.STOPPED, OrderStatus.CANCELLED, OrderStatus.COMPLETED, OrderStatus.ENTERED_IN_ERROR}
)
Stays = Mapping[PatientId, Stay]


def is_same_line(line: OrderLine, before: Order) -> bool:
    """Tell whether a line says what it said before, wherever it stands now."""
    return replace(line, version=before.version, sheet=before.line.sheet, position=before.line.position) == before.line


def is_only_held(line: OrderLine, before: Order) -> bool:
    """Tell whether a line was put on hold and says nothing else new: its doses stay those of the same version."""
    return line.status is OrderStatus.ON_HOLD and is_same_line(replace(line, status=before.line.status), before)


def order_edited(unit: UnitOfWork, house: House, stays: Stays, before: Order, line: OrderLine, at: datetime) -> None:
    """Act on the doses of an order whose line says something else now; the line itself is decided by the caller."""
    doses = unit.doses.where(order=before.id)
    only_status = is_same_line(replace(line, status=before.line.status), before)
    if before.state is LineState.ON_HOLD and line.status is OrderStatus.ACTIVE and only_status:
        _carry_over(unit, before.version + 1, doses)
        return
    if line.status in ENDED_STATUSES:
        change = Change(ChangeKind.STOP, at, f"the order was {line.status.value}", house, stays)
    elif line.status is OrderStatus.ON_HOLD:
        change = Change(ChangeKind.HOLD, at, "the order was put on hold", house, stays)
    else:
        change = Change(ChangeKind.DOSE_CHANGE, at, "the order was changed", house, stays)
    act_on(unit, change, doses)


def _carry_over(unit: UnitOfWork, version: int, doses: list[PlannedDose]) -> None:
    """The order was resumed: what was kept of it is good again, under the order's new version."""
    for dose in doses:
        pack = unit.packs.get(dose.pack) if dose.pack is not None else None
        if pack is None or pack.state in TERMINAL_PACK_STATES or pack.state is PackState.REVOKED:
            continue
        if dose.state in (DoseState.FROZEN, DoseState.PACKED, DoseState.NOT_GIVEN):
            unit.doses.put(replace(dose, version=version))
            unit.record("dose-resumed", {"dose": dose.id, "version": version})


def placed(stay: Stay, before: Stay | None) -> Stay:
    """Return a stay with the place that is known where it tells none: a notice of death or discharge may leave it out."""
    if stay.department or before is None:
        return stay
    return replace(stay, encounter=stay.encounter or before.encounter, department=before.department, room=before.room, bed=before.bed)


def as_shown(stay: Stay, before: Stay | None, now: datetime) -> Stay:
    """Return a stay as a sheet shows it: its silence takes back neither a death nor a discharge of this stay that is announced for later."""
    stay = placed(stay, before)
    if before is None or before.finished_at is None or stay.finished_at is not None:
        return stay
    announced = before.finished_at > now and stay.encounter == before.encounter
    return replace(stay, finished_at=before.finished_at, died=before.died) if before.died or announced else stay


def shown_again(unit: UnitOfWork, house: House, stays: Stays, sheet: OrderSheet) -> frozenset[PatientId]:
    """Ask about every patient who had left or died and whom a sheet shows; returns those who are back."""
    known = [stays.get(stay.patient) for stay in sheet.stays if stay.finished_at is None]
    gone = [before for before in known if before is not None and not is_here(before, unit.now)]
    for before in gone:
        _ask_about_presence(unit, house, before, sheet.name, sheet.sha256)
    return frozenset(before.patient for before in gone if not before.died)


def _ask_about_presence(unit: UnitOfWork, house: House, before: Stay, sheet: str, occasion: str) -> None:
    """Ask the ward about a patient who has left or died and whom a sheet shows again."""
    assert before.finished_at is not None
    left = before.finished_at.astimezone(house.zone)
    at, at_ru = f"{left:%H:%M on %d.%m.%Y}", f"{left:%d.%m.%Y в %H:%M}"
    if before.died:
        told = Words(
            f"Patient {before.patient} died at {at}, and {sheet} shows the patient present: nothing is planned.",
            f"Пациент {before.patient} умер {at_ru}, а по листу {sheet} он в отделении: ничего не планируется.",
        )
        deed = Words("Ask the ward; a cancelled discharge brings the orders back.", "Спросите отделение; отмена выписки вернёт назначения.")
        open_review(unit, "present-after-death", before.patient, "", (told, deed), occasion=occasion)
        return
    told = Words(
        f"Patient {before.patient} left at {at}, and {sheet} shows the patient present: the day's doses are planned again.",
        f"Пациент {before.patient} выбыл {at_ru}, а по листу {sheet} он в отделении: дозы дня спланированы снова.",
    )
    deed = Words("Ask the ward whether the patient is there.", "Спросите отделение, там ли пациент.")
    open_review(unit, "present-again", before.patient, "", (told, deed), occasion=occasion)


def stay_changed(
    unit: UnitOfWork, settings: SourceSettings, house: House, stays: Stays, before: Stay, stay: Stay, at: datetime
) -> None:
    """Act on the doses of a patient who was moved, discharged or died; `stays` tells of the new place already."""
    doses = unit.doses.where(patient=stay.patient)
    if stay.finished_at is not None and (stay.finished_at, stay.died) != (before.finished_at, before.died):
        _left(unit, house, stays, stay, at, doses)
    elif before.finished_at is not None and stay.finished_at is None:
        unit.record("discharge-cancelled", {"patient": stay.patient, "was": before.finished_at.isoformat(), "at": at.isoformat()})
    if not is_here(stay, unit.now) or (before.department, before.room, before.bed) == (stay.department, stay.room, stay.bed):
        return
    unit.record(
        "patient-moved",
        {"patient": stay.patient, "from": before.department, "to": stay.department, "room": stay.room, "at": at.isoformat()},
    )
    if (before.department, before.room) == (stay.department, stay.room):
        return
    if is_excluded_department(stay.department, settings):
        reason = f"the patient moved to {stay.department}, which keeps its own procedure"
        act_on(unit, Change(ChangeKind.DISCHARGE, at, reason, house, stays), doses)
    elif not is_excluded_department(before.department, settings):
        reason = f"the patient moved to {stay.department}, room {stay.room}"
        act_on(unit, Change(ChangeKind.TRANSFER, at, reason, house, stays), doses)


def _left(unit: UnitOfWork, house: House, stays: Stays, stay: Stay, at: datetime, doses: list[PlannedDose]) -> None:
    """Act on the doses of a patient who leaves or died: those due from then on; what was given after a death opens an incident."""
    assert stay.finished_at is not None
    gone = "patient-died" if stay.died else "patient-discharged"
    unit.record(gone, {"patient": stay.patient, "at": stay.finished_at.isoformat()})
    kind = ChangeKind.DEATH if stay.died else ChangeKind.DISCHARGE
    when = f"{stay.finished_at.astimezone(house.zone):%H:%M on %d.%m.%Y}"
    reason = f"the patient died at {when}" if stay.died else f"the patient leaves at {when}"
    change = Change(kind, stay.finished_at if stay.died else at, reason, house, stays)
    act_on(unit, change, from_then_on(doses, stay.finished_at, unit.now))


def from_then_on(doses: Iterable[PlannedDose], moment: datetime, now: datetime) -> list[PlannedDose]:
    """Return the doses that an end at a moment takes away: those due then or later; all of them where the moment is over."""
    return [dose for dose in doses if moment <= now or dose.due >= moment]


def order_fell(unit: UnitOfWork, house: House, stays: Stays, order: Order, at: datetime) -> None:
    """Act on the doses of an order that a decision took out of what is packed; its reasons say why."""
    doses = [dose for dose in unit.doses.where(order=order.id) if dose.state is not DoseState.GIVEN]
    reason = "; ".join(reason.text for reason in order.reasons) or f"the order is {order.outcome.value}"
    kind = ChangeKind.STOP
    if any(reason.rule in ALLERGY_RULES for reason in order.reasons):
        kind, doses = ChangeKind.ALLERGY, unit.doses.where(order=order.id)
    elif order.outcome is Outcome.EXCLUDED:
        kind = ChangeKind.DISCHARGE
    act_on(unit, Change(kind, at, reason, house, stays), doses)


def is_packed(order: Order) -> bool:
    """Tell whether doses of an order are made for the patient: scheduled or once, and in force or on hold."""
    return order.outcome in PLANNED_OUTCOMES and order.state in IN_FORCE


def is_here(stay: Stay, now: datetime) -> bool:
    """Tell whether a patient lies there at a moment; a discharge that was announced for later has not come yet."""
    return stay.finished_at is None or stay.finished_at > now


def is_ours(stay: Stay, settings: SourceSettings, now: datetime) -> bool:
    """Tell whether doses are packed for a patient who lies there: not for one who left or whose ward keeps its own procedure."""
    return is_here(stay, now) and not is_excluded_department(stay.department, settings)
