"""Transfers and admissions that are told of before they happen: they wait for their time, and nobody is moved before it."""

from datetime import datetime

from hub.domain.identifiers import PatientId
from hub.domain.orders import Stay
from hub.domain.records import AnnouncedMove
from hub.domain.words import Words
from hub.services.house import House
from hub.services.order_edits import is_here
from hub.services.ports import UnitOfWork
from hub.services.reviews import open_review


def is_move(before: Stay, stay: Stay, now: datetime) -> bool:
    """Tell whether a stay brings a known patient somewhere else, or back."""
    return place_of(before) != place_of(stay) or before.encounter != stay.encounter or not is_here(before, now)


def place_of(stay: Stay) -> tuple[str, str, str]:
    """Return department, room and bed of a stay."""
    return stay.department, stay.room, stay.bed


def announce_move(unit: UnitOfWork, source: str, before: Stay, stay: Stay, at: datetime) -> None:
    """Keep a move until its time; what is announced for the same time later takes its place."""
    unit.announced_moves.put(AnnouncedMove(stay.patient, at, source, unit.now, before, stay))
    fact = {"patient": stay.patient, "from": before.department, "to": stay.department, "room": stay.room, "at": at.isoformat()}
    unit.record("move-announced", {**fact, "source": source})


def is_in_doubt(unit: UnitOfWork, move: AnnouncedMove, now_there: Stay) -> bool:
    """Tell whether anything was told of the patient's stay after a move was announced, or the patient lies somewhere else by now."""
    newest = unit.newest_changes.get(f"stay:{move.patient}")
    is_newer = newest is not None and newest.at > move.told_at
    return is_newer or place_of(now_there) != place_of(move.before)


def ask_about_move(unit: UnitOfWork, house: House, move: AnnouncedMove, now_there: Stay) -> None:
    """Ask the ward about a move whose time has come and that newer news speak against; nobody is moved by it."""
    at = f"{move.at.astimezone(house.zone):%H:%M on %d.%m.%Y}"
    at_ru = f"{move.at.astimezone(house.zone):%d.%m.%Y в %H:%M}"
    told = Words(
        f"Patient {move.patient} was to move to {_place(move.stay, 'room')} at {at}; what was told since shows {_place(now_there, 'room')}: nobody was moved.",
        f"Пациента {move.patient} должны были перевести {at_ru}: {_place(move.stay, 'палата')}; по более новым сведениям: {_place(now_there, 'палата')}. Перевод не выполнен.",
    )
    deed = Words("Ask the ward where the patient lies.", "Спросите отделение, где лежит пациент.")
    open_review(unit, "move-announced", move.patient, "", (told, deed), occasion=move.at.isoformat())
    move_not_made(unit, move.patient, move.at, "newer news")


def move_not_made(unit: UnitOfWork, patient: PatientId, at: datetime, because: str) -> None:
    """Write down that an announced move did not take place, and why."""
    unit.record("move-not-made", {"patient": patient, "at": at.isoformat(), "because": because})


def _place(stay: Stay, room: str) -> str:
    return f"{stay.department}, {room} {stay.room}" if stay.room else stay.department
