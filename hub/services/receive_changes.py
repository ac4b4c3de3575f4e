"""Changes of the day: stops, edits, transfers and discharges act on doses wherever they are (`late_changes` says how)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hub.domain.codes import translated
from hub.domain.doses import TERMINAL_DOSE_STATES, DoseState
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
    Reason,
    SheetChange,
    Stay,
    is_in_force,
)
from hub.domain.recorded_words import in_russian
from hub.domain.records import Import, NewestChange
from hub.domain.refusals import Refusal
from hub.domain.regulation_checks import RULE_UNCONFIRMED
from hub.domain.releases import RULE_EARLIER_STAY
from hub.domain.words import Words
from hub.services.announced_edits import announce_edit, ask_about_silence, ended_by_news, starting_from
from hub.services.announced_moves import announce_move, is_move
from hub.services.feeds import sends_sheets
from hub.services.house import House
from hub.services.late_deeds import Change, act_on
from hub.services.line_facts import decided_fact
from hub.services.order_edits import (
    ENDED_STATUSES,
    from_then_on,
    is_here,
    is_ours,
    is_same_line,
    order_edited,
    placed,
    stay_changed,
)
from hub.services.ports import UnitOfWork
from hub.services.receive_allergies import with_listed
from hub.services.receive_sheet import Desk, decide_lines, judge_for_allergies, open_desk, plan_orders, register
from hub.services.reviews import open_review
from hub.services.sheet_oddities import note_rejects

_WHICH_HOLDS = Words("Ask the ward which of the two holds.", "Спросите отделение, что из этого верно.")
# A sender's clock may be that far ahead: what holds from then on holds now.
_CLOCKS_DIFFER = timedelta(minutes=5)
_IN_FORCE_OR_NOT_OURS = (*IN_FORCE, LineState.EXCLUDED)


@dataclass(frozen=True, slots=True)
class ChangesResult:
    """What changes did: how many there were, and the outcomes of the order lines that were new."""

    changes: int
    orders: int
    outcomes: Mapping[str, int]


def receive_changes(unit: UnitOfWork, sheet: OrderSheet, house: House) -> ChangesResult | Refusal:
    """Take in dated changes in the order of their times; the same content again is refused and changes nothing."""
    known = unit.imports.get(sheet.sha256)
    if known is not None:
        return Refusal(
            "known-sheet",
            f"{sheet.name}: the same content was taken in at {known.received_at.isoformat()} as {known.name}.",
            f"{sheet.name}: это содержимое уже принято {known.received_at:%d.%m.%Y %H:%M} как {known.name}.",
        )
    desk = open_desk(unit, sheet.source, house)
    if isinstance(desk, Refusal):
        return desk
    unit.imports.put(Import(sheet.sha256, sheet.source, sheet.name, "changes", unit.now, len(sheet.changes)))
    return take_changes(unit, desk, sheet)


def take_changes(unit: UnitOfWork, desk: Desk, sheet: OrderSheet) -> ChangesResult:
    """Take in dated changes that nobody took in before, at a desk that is open."""
    with_line = sum(change.line is not None for change in sheet.changes)
    unit.record(
        "changes-received",
        {"changes": sheet.name, "source": sheet.source, "sha256": sheet.sha256, "entries": len(sheet.changes), "orders": with_line},
    )
    note_rejects(unit, sheet)
    new_orders = [order for change in sheet.changes if (order := _take(unit, desk, change, sheet.sha256)) is not None]
    return ChangesResult(
        len(sheet.changes), len(new_orders), dict(Counter(order.outcome.value for order in new_orders))
    )


def _take(unit: UnitOfWork, desk: Desk, change: SheetChange, sha256: str) -> Order | None:
    """Take one change; returns the order if it is a new one."""
    if change.patient is not None:
        judge_for_allergies(unit, desk, register(unit, desk, (change.patient,), ()))
    if change.allergies is not None:
        _take_allergies(unit, desk, *change.allergies)
    change = _moved_in_time(unit, desk, change)
    if change.stay is not None and not _overtaken(unit, f"stay:{change.stay.patient}", change, sha256):
        take_stay(unit, desk, change.stay, change.at)
    return _take_line(unit, desk, change.line, change.at, change.told_at or change.at, sha256) if change.line is not None else None


def _moved_in_time(unit: UnitOfWork, desk: Desk, change: SheetChange) -> SheetChange:
    """Return what counts of a change at once: a move that is told for later waits for its time; a discharge told with it is announced by itself."""
    before = desk.stays.get(change.stay.patient) if change.stay is not None else None
    if change.stay is None or before is None or change.at <= unit.now:
        return change
    stay = placed(change.stay, before)
    if not is_move(before, stay, unit.now):
        return change
    if stay.finished_at is None or stay.finished_at > change.at:
        announce_move(unit, desk.settings.name, before, stay, change.at)
    leaves = stay.finished_at is not None and is_here(before, unit.now)
    return replace(change, stay=replace(before, finished_at=stay.finished_at, died=stay.died) if leaves else None)


def _take_allergies(unit: UnitOfWork, desk: Desk, patient: PatientId, texts: tuple[str, ...]) -> None:
    """Add new allergies to a patient's and judge the orders in force by them; of somebody whom nobody told of, a person is asked."""
    known = desk.patients.get(patient)
    if not texts:
        return
    if known is None:
        told = Words(
            f"An allergy came of patient {patient}, whom no sheet told of: it is not kept.",
            f"Пришли сведения об аллергии пациента {patient}, о котором ни один лист не сообщал: они не сохранены.",
        )
        open_review(unit, "allergy-unknown-patient", patient, "", (told, Words("Send it again with the patient.", "Пришлите их ещё раз вместе с пациентом.")))
        return
    judge_for_allergies(unit, desk, register(unit, desk, (with_listed(known, texts),), ()))


def _take_line(unit: UnitOfWork, desk: Desk, line: OrderLine, at: datetime, told_at: datetime, sha256: str) -> Order | None:
    """Decide a line that is new or says something new; every other one leaves a fact that names its place in the file, too."""
    line = translated(line, desk.codes)
    before = unit.orders.get(line.id)
    if line.status not in ENDED_STATUSES:
        at = _holds_from(unit, desk, before, line, unit.now if unit.now < at <= unit.now + _CLOCKS_DIFFER else at)
    is_later = at > unit.now and before is not None and (line.status in ENDED_STATUSES or not is_same_line(line, before))
    newest = _newest(unit, f"order:{line.id}", at if told_at == at else min(told_at, unit.now), announces=is_later)
    if before is None:
        orders = decide_lines(unit, desk, [starting_from(line, at) if at > unit.now else line], sha256)
        plan_orders(unit, desk, orders)
        return orders[0]
    if newest is not None:
        _line_overtaken(unit, before, line, at, newest, sha256)
        return None
    if line.status in ENDED_STATUSES:
        _stop(unit, desk, before, line, at, sha256)
    elif is_later:
        announce_edit(unit, desk.house, desk.stays, before, line, at)
        unit.record("order-unchanged", {"order": before.id, "version": before.version, **_place(line, sha256), "announced_for": at.isoformat()})
    elif _is_confirmed_by(line, before):
        plan_orders(unit, desk, decide_lines(unit, desk, [line], sha256))
    elif not is_same_line(line, before):
        order_edited(unit, desk.house, desk.stays, before, line, at)
        plan_orders(unit, desk, decide_lines(unit, desk, [line], sha256))
        _ask_about_the_end(unit, desk.house, before, at)
    elif ended_by_news(unit, before):
        ask_about_silence(unit, desk.house, before, at)
    else:
        unit.record("order-unchanged", {"order": before.id, "version": before.version, **_place(line, sha256)})
    return None


def _holds_from(unit: UnitOfWork, desk: Desk, before: Order | None, line: OrderLine, at: datetime) -> datetime:
    """Return from when an edit holds: one that begins later than doses of the order that began already holds from its own beginning."""
    starts = line.starts_at
    if before is None or starts is None or starts <= max(at, unit.now) or not is_in_force(before, unit.now):
        return at
    if before.line.starts_at is not None and before.line.starts_at > unit.now:
        return at
    until_then = [dose for dose in unit.doses.where(order=before.id) if unit.now < dose.due < starts and dose.state not in TERMINAL_DOSE_STATES]
    return starts if until_then or starts >= desk.window[1] else at


def _is_confirmed_by(line: OrderLine, before: Order) -> bool:
    """Tell whether an order that waits for its source to say that it still holds is told of again as it was."""
    asked = {reason.rule for reason in before.reasons} & {RULE_UNCONFIRMED, RULE_EARLIER_STAY}
    return before.state is LineState.NEEDS_REVIEW and bool(asked) and is_same_line(line, before)


def _newest(unit: UnitOfWork, subject: str, at: datetime, *, announces: bool) -> datetime | None:
    """Return the time of a newer change of the same order or stay, which overtook this one; else keep this one's time as the newest.

    What is announced for later was said by now. An announced end overtakes nothing: whatever comes before it still counts until then.
    """
    known = unit.newest_changes.get(subject)
    if known is not None and known.at > at:
        return known.at
    unit.newest_changes.put(NewestChange(_announced(subject) if announces else subject, min(at, unit.now)))
    return None


def _announced(subject: str) -> str:
    return f"announced-end:{subject}"


def _ask_about_the_end(unit: UnitOfWork, house: House, before: Order, at: datetime) -> None:
    """Ask whether an order that was changed still ends when it was announced; until somebody says otherwise it does."""
    ends = before.stopped_at
    if ends is None or ends <= unit.now:
        return
    changed, end = at.astimezone(house.zone), ends.astimezone(house.zone)
    told = Words(
        f"Order {before.id} was changed at {changed:%H:%M on %d.%m.%Y}, and its end was announced for {end:%H:%M on %d.%m.%Y}: it still ends then.",
        f"Назначение {before.id} изменено {changed:%d.%m.%Y в %H:%M}, а его окончание объявлено на {end:%d.%m.%Y %H:%M}: оно остаётся в силе.",
    )
    deed = Words("Ask the prescriber whether the end still holds.", "Спросите врача, окончится ли оно тогда.")
    open_review(unit, "end-announced", before.id, "", (told, deed), occasion=at.isoformat())


def _overtaken(unit: UnitOfWork, subject: str, change: SheetChange, sha256: str) -> bool:
    """Tell whether a newer change of the same stay came before this one: then it is a fact, and a discharge among them is asked about."""
    leaves = change.stay.finished_at if change.stay is not None else None
    newest = _newest(unit, subject, change.at, announces=leaves is not None and leaves > unit.now)
    if newest is None or change.stay is None:
        return False
    at, by = change.at.isoformat(), newest.isoformat()
    unit.record("change-overtaken", {"subject": subject, "at": at, "by": by, "sha256": sha256})
    if change.stay.finished_at is not None:
        left = change.stay.finished_at.isoformat()
        told = Words(
            f"Patient {change.stay.patient} left at {left}; a change of {by} that came before says that the patient is here.",
            f"Пациент {change.stay.patient} выбыл {left}; по изменению от {by}, пришедшему раньше, пациент здесь.",
        )
        open_review(unit, "discharge-overtaken", change.stay.patient, "", (told, _WHICH_HOLDS), occasion=at)
    return True


def _line_overtaken(unit: UnitOfWork, before: Order, line: OrderLine, at: datetime, newest: datetime, sha256: str) -> None:
    """Leave an order as a newer change made it; an end that comes late for an order still in force is asked about."""
    overtaken = {"at": at.isoformat(), "overtaken_by": newest.isoformat()}
    unit.record("order-unchanged", {"order": before.id, "version": before.version, **_place(line, sha256), **overtaken})
    if line.status in ENDED_STATUSES and before.state in IN_FORCE:
        status_ru = in_russian(f"the order was {line.status.value}")
        told = Words(
            f"Order {before.id} was {line.status.value} at {overtaken['at']}; a change of {overtaken['overtaken_by']} that came before says that it is in force.",
            f"{before.id}: {status_ru} {overtaken['at']}; по изменению от {overtaken['overtaken_by']}, пришедшему раньше, оно действует.",
        )
        deed = Words("Ask the prescriber which of the two holds.", "Спросите врача, что из этого верно.")
        open_review(unit, "end-overtaken", before.id, "", (told, deed), occasion=overtaken["at"])


def _place(line: OrderLine, sha256: str) -> dict[str, str]:
    return {"sheet": line.sheet, "sha256": sha256, "position": line.position}


def _stop(unit: UnitOfWork, desk: Desk, before: Order, line: OrderLine, at: datetime, sha256: str) -> None:
    """End an order at its time: one that ends later than now stays in force until then, and loses the doses from then on."""
    ended = LineState.COMPLETED if line.status is OrderStatus.COMPLETED else LineState.STOPPED
    state = ended if at <= unit.now else before.state
    unit.orders.put(replace(before, state=state, stopped_at=at))
    unit.record(
        "order-changed",
        {
            "order": before.id, "version": before.version, "state": state.value, "at": at.isoformat(), "status": line.status.value,
            **_place(line, sha256),
        },
    )  # fmt: skip
    change = Change(ChangeKind.STOP, at, f"the order was {line.status.value}", desk.house, desk.stays)
    act_on(unit, change, from_then_on(unit.doses.where(order=before.id), at, unit.now))


def take_stay(unit: UnitOfWork, desk: Desk, stay: Stay, at: datetime) -> None:
    """Enter where a patient lies from a moment that has come, and act on doses and orders."""
    before = desk.stays.get(stay.patient)
    stay = _still_leaving(unit, placed(stay, before), before, at)
    if before == stay:
        return
    register(unit, desk, (), (stay,))
    if before is None:
        return
    stay_changed(unit, desk.settings, desk.house, desk.stays, before, stay, at)
    if not is_here(stay, unit.now):
        return
    if _is_new_admission(before, stay, unit.now):
        _ask_about_earlier_stay(unit, desk, before)
        return
    if _leaves_later(before, stay) or is_ours(before, desk.settings, unit.now) != is_ours(stay, desk.settings, unit.now):
        _judge_again(unit, desk, stay, at)


def _still_leaving(unit: UnitOfWork, stay: Stay, before: Stay | None, at: datetime) -> Stay:
    """Return a stay with the discharge that was announced after this news happened, so that the news cannot take it back."""
    announced = unit.newest_changes.get(_announced(f"stay:{stay.patient}"))
    if before is None or announced is None or stay.finished_at is not None or at >= announced.at:
        return stay
    return replace(stay, finished_at=before.finished_at, died=before.died)


def _is_new_admission(before: Stay, stay: Stay, now: datetime) -> bool:
    """Tell whether a patient who had left came again: the orders of the earlier stay do not wake up by it."""
    return not is_here(before, now) and bool(before.encounter) and bool(stay.encounter) and before.encounter != stay.encounter


def _ask_about_earlier_stay(unit: UnitOfWork, desk: Desk, before: Stay) -> None:
    """Have the orders of an earlier stay wait for a pharmacist where no sheet tells which of them still hold: no day is planned for them until then."""
    assert before.finished_at is not None
    if sends_sheets(unit, desk.house, desk.settings.name):
        return
    left = before.finished_at.astimezone(desk.house.zone)
    reason = Reason(
        RULE_EARLIER_STAY, f"it was ordered in the stay that ended at {left:%H:%M on %d.%m.%Y}, and the patient was admitted again: ask whether it still holds",
        "list of discharged patients, order 1088, section II", f"назначено в пребывание, окончившееся {left:%d.%m.%Y в %H:%M}; пациент поступил снова: уточните, действует ли оно",
    )  # fmt: skip
    known = unit.orders.where(patient=before.patient, state=list(IN_FORCE), order_by="id")
    asked = [
        replace(order, outcome=Outcome.NEEDS_REVIEW, state=LineState.NEEDS_REVIEW, reasons=(reason,), decided_at=unit.now)
        for order in known if order.line.source == desk.settings.name
    ]  # fmt: skip
    unit.orders.put_many(asked)
    unit.record_many("line-decided", [decided_fact(order, desk.settings, None) for order in asked])


def _leaves_later(before: Stay, stay: Stay) -> bool:
    """Tell whether a discharge was put off or taken back: the doses that it took away are wanted again."""
    return before.finished_at is not None and (stay.finished_at is None or stay.finished_at > before.finished_at)


def _fell_by_the_discharge(order: Order) -> bool:
    """Tell whether a sheet's line was rejected for no other reason than that the patient had left."""
    return {reason.rule for reason in order.reasons} == {"discharged"}


def _judge_again(unit: UnitOfWork, desk: Desk, stay: Stay, at: datetime) -> None:
    """Decide the patient's orders anew under their next version; what is on its way under the old one is made anew."""
    again = Change(ChangeKind.DOSE_CHANGE, at, "the patient's orders were judged anew", desk.house, desk.stays)
    act_on(unit, again, [dose for dose in unit.doses.where(patient=stay.patient) if dose.state is not DoseState.GIVEN])
    known = unit.orders.where(patient=stay.patient, state=[*_IN_FORCE_OR_NOT_OURS, LineState.REJECTED], order_by="id")
    orders = [order for order in known if order.state is not LineState.REJECTED or _fell_by_the_discharge(order)]
    plan_orders(unit, desk, decide_lines(unit, desk, [order.line for order in orders], None))
