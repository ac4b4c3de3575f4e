"""The rounds of a hospital's day: which slot a due time belongs to, when its batch is frozen, when a single dose is due."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from hub.domain.orders import OrderLine

_ROUND_TO = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class IntakeSlot:
    """One round of the day: doses due from `opens` to the next slot's `opens` belong to it.

    `clock` is when a day sheet's dose is taken, `cut` when the batch is frozen, `delivery` when the trolley reaches the ward.
    """

    name: str
    label_ru: str
    label_en: str
    clock: time
    opens: time
    cut: time
    delivery: time


DAY_SLOTS = (
    IntakeSlot("morning", "утро", "morning", time(8), time(7), time(6, 15), time(7, 30)),
    IntakeSlot("noon", "обед", "noon", time(13), time(11), time(10), time(11)),
    IntakeSlot("evening", "вечер", "evening", time(18), time(16), time(15), time(16)),
    IntakeSlot("night", "ночь", "night", time(22), time(20), time(19), time(20)),
)


def slot_of(due: datetime, slots: tuple[IntakeSlot, ...] = DAY_SLOTS) -> tuple[IntakeSlot, date]:
    """Return the slot that a due time (in the hospital's zone) belongs to and the slot's day; night goes on after midnight."""
    clock = due.timetz().replace(tzinfo=None)
    ordered = sorted(slots, key=lambda slot: slot.opens)
    for slot in reversed(ordered):
        if slot.opens <= clock:
            return slot, due.date()
    return ordered[-1], due.date() - timedelta(days=1)


def slot_bounds(slot: IntakeSlot, day: date, slots: tuple[IntakeSlot, ...], zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the half-open span of due times that belong to a slot of a day."""
    ordered = sorted(slots, key=lambda each: each.opens)
    position = [each.name for each in ordered].index(slot.name)
    starts = datetime.combine(day, slot.opens, zone)
    if position + 1 < len(ordered):
        return starts, datetime.combine(day, ordered[position + 1].opens, zone)
    return starts, datetime.combine(day + timedelta(days=1), ordered[0].opens, zone)


def cut_of(slot: IntakeSlot, day: date, zone: tzinfo) -> datetime:
    """Return when the batch of a slot of a day is frozen; a cut written later than the opening is the evening before."""
    cut_day = day if slot.cut <= slot.opens else day - timedelta(days=1)
    return datetime.combine(cut_day, slot.cut, zone)


def first_slot_on(day: date, slots: tuple[IntakeSlot, ...], zone: tzinfo) -> datetime:
    """Return when doses are first taken on a day: the clock of its first slot."""
    return datetime.combine(day, min(slots, key=lambda slot: slot.opens).clock, zone)


def once_due(line: OrderLine, planned_from: datetime, slots: tuple[IntakeSlot, ...], zone: tzinfo) -> datetime:
    """Return when the dose of an order to be given once is due, in `zone`; doses are planned from `planned_from` on.

    Without any start it is due at once. A start that is only a date means the first slot's clock time of that day, and the next
    half hour where that has passed today; on a later day its time is over.
    """
    written = line.starts_at or line.authored_at
    if written is None:
        return planned_from.astimezone(zone)
    local = written.astimezone(zone)
    if line.starts_at is None or not line.starts_on_day:
        return local
    due = first_slot_on(local.date(), slots, zone)
    if due < planned_from and planned_from.astimezone(zone).date() == local.date():
        return _next_half_hour(planned_from).astimezone(zone)
    return due


def _next_half_hour(moment: datetime) -> datetime:
    past = timedelta(minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond) % _ROUND_TO
    return moment - past + _ROUND_TO if past else moment
