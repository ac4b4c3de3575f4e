"""Edits and holds that are told of before they hold: the order goes on as it is until then, and a person says what comes after."""

from dataclasses import replace
from datetime import datetime

from hub.domain.late_changes import ChangeKind
from hub.domain.orders import IN_FORCE, LineState, Order, OrderLine, OrderStatus, has_ended, is_in_force
from hub.domain.words import Words
from hub.services.house import House
from hub.services.late_deeds import Change, act_on
from hub.services.order_edits import Stays, from_then_on
from hub.services.ports import UnitOfWork
from hub.services.reviews import open_review

KIND = "change-announced"


def starting_from(line: OrderLine, at: datetime) -> OrderLine:
    """Return a new order that is told for later so that no dose of it is due before."""
    if line.starts_at is not None and line.starts_at >= at:
        return line
    return replace(line, starts_at=at, starts_on_day=False)


def announce_edit(unit: UnitOfWork, house: House, stays: Stays, before: Order, line: OrderLine, at: datetime) -> None:
    """Let an order end when an announced edit or hold begins, and ask what is to be given from then on: nothing is until somebody says so."""
    if is_in_force(before, unit.now) and not has_ended(before, at):
        unit.orders.put(replace(before, stopped_at=at))
        fact = {"order": before.id, "version": before.version, "state": before.state.value, "at": at.isoformat(), "status": line.status.value}
        unit.record("order-changed", fact)
        change = Change(ChangeKind.STOP, at, "the order is to be changed from then on", house, stays)
        act_on(unit, change, from_then_on(unit.doses.where(order=before.id), at, unit.now))
    _ask(unit, house, before, line, at)


def ended_by_news(unit: UnitOfWork, before: Order) -> bool:
    """Tell whether an order ended because it was to be changed, and nobody has said what comes after."""
    is_over = before.state in (*IN_FORCE, LineState.STOPPED) and has_ended(before, unit.now)
    return is_over and unit.reviews.count(kind=KIND, subject=before.id) > 0


def ask_about_silence(unit: UnitOfWork, house: House, before: Order, at: datetime) -> None:
    """Ask about an order that ended with an announced change and is told of again as it was."""
    assert before.stopped_at is not None
    ended = before.stopped_at.astimezone(house.zone)
    told = Words(
        f"Order {before.id} is told of again as it was, but from {ended:%H:%M on %d.%m.%Y} it was to be changed: nothing is given of it since.",
        f"О назначении {before.id} снова сообщено без изменений, а с {ended:%H:%M %d.%m.%Y} оно должно было измениться: с тех пор доз нет.",
    )
    open_review(unit, KIND, before.id, "", (told, _DEED), occasion=f"again {at.isoformat()}")


_DEED = Words(
    "Ask the prescriber; have the order sent once more when it holds, or ordered anew from then on.",
    "Уточните у врача; пусть изменение пришлют снова, когда оно начнёт действовать, или оформят новое назначение с этого времени.",
)


def _ask(unit: UnitOfWork, house: House, before: Order, line: OrderLine, at: datetime) -> None:
    local = at.astimezone(house.zone)
    what, what_ru = ("put on hold", "приостановлено") if line.status is OrderStatus.ON_HOLD else ("changed", "изменено")
    told = Words(
        f"Order {before.id} is to be {what} from {local:%H:%M on %d.%m.%Y}: until then it goes on as it is, and no dose is made from then on.",
        f"Назначение {before.id} будет {what_ru} с {local:%H:%M %d.%m.%Y}: до тех пор оно действует как есть, дозы с этого времени не готовятся.",
    )
    change = Words(f"It is told of with: {_said(line)}.", f"В сообщении указано: {_said(line)}.")
    open_review(unit, KIND, before.id, "", (told, change, _DEED), occasion=at.isoformat())


def _said(line: OrderLine) -> str:
    """Return drug and amounts as their source wrote them."""
    doses = [dosage.dose for dosage in line.dosages if dosage.dose is not None]
    amounts = [f"{low.amount} {low.unit}" if low == high else f"{low.amount}–{high.amount} {high.unit}" for low, high in doses]
    return ", ".join([line.drug_text or line.drug, *amounts])
