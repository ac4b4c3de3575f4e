"""Announced moves whose time has come: the patient is moved as by a change of that moment, or the ward is asked."""

from dataclasses import replace
from datetime import datetime

from hub.domain.orders import Stay
from hub.domain.records import AnnouncedMove, NewestChange
from hub.domain.refusals import Refusal
from hub.services.announced_moves import ask_about_move, is_in_doubt, move_not_made, place_of
from hub.services.house import House
from hub.services.order_edits import is_here
from hub.services.ports import UnitOfWork
from hub.services.receive_changes import take_stay
from hub.services.receive_sheet import Desk, open_desk

MOVES_AT_ONCE = 100


def move_announced(unit: UnitOfWork, house: House) -> int:
    """Make the announced moves whose time has come, the earliest first; returns how many were looked at."""
    due = [move for move in unit.announced_moves.where(is_done=False, order_by="at", limit=MOVES_AT_ONCE) if move.at <= unit.now]
    for move in due:
        desk = open_desk(unit, move.source, house)
        if isinstance(desk, Refusal):
            move_not_made(unit, move.patient, move.at, desk.text)
        else:
            _make(unit, desk, move)
        unit.announced_moves.put(replace(move, is_done=True))
    return len(due)


def _make(unit: UnitOfWork, desk: Desk, move: AnnouncedMove) -> None:
    move, there = unit.announced_moves.get(move.patient, move.at) or move, desk.stays.get(move.patient)
    if there is None or (not is_here(there, unit.now) and is_here(move.before, unit.now)):
        move_not_made(unit, move.patient, move.at, "the patient left before")
    elif is_here(there, unit.now) and place_of(there) == place_of(move.stay):
        move_not_made(unit, move.patient, move.at, "the patient lies there already")
    elif is_in_doubt(unit, move, there):
        ask_about_move(unit, desk.house, move, there)
    else:
        take_stay(unit, desk, _still_leaving(move.stay, there, unit.now), move.at)
        unit.newest_changes.put(NewestChange(f"stay:{move.patient}", move.at))
        _start_from_there(unit, move)


def _still_leaving(stay: Stay, there: Stay, now: datetime) -> Stay:
    """Return a stay with the discharge that is announced for later: a move takes none back."""
    if stay.finished_at is not None or not is_here(there, now):
        return stay
    return replace(stay, finished_at=there.finished_at, died=there.died)


def _start_from_there(unit: UnitOfWork, made: AnnouncedMove) -> None:
    """Let further moves of the patient go on from where this one brought them."""
    for later in unit.announced_moves.where(patient=made.patient, is_done=False):
        if later.at > made.at:
            unit.announced_moves.put(replace(later, before=made.stay, told_at=made.at))
