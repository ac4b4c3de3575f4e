"""The one door for files that come by themselves: taken in, known already, held for a pharmacist, or refused with the reason."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hub.adapters.desk import decided
from hub.adapters.feeds.held_sheets import HeldSheets, TooManyHeld
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.formats import is_changes_feed
from hub.adapters.intake_desk import IntakeDesk
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.refusals import Refusal
from hub.services.feeds import SUSPICIOUS, file_refused, hold_sheet
from hub.services.sheets_again import OLDER

ACTOR = "system"
Also = Callable[[SqlUnitOfWork], None]


class Fate(StrEnum):
    """What became of a file."""

    TAKEN = "taken"
    KNOWN = "known"
    HELD = "held"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file, with the sentences of its refusal."""

    fate: Fate
    english: str = ""
    russian: str = ""


class Taker:
    """Takes files into the store, each in one decision; `CommitUnknown` passes through, and the file is offered again."""

    def __init__(self, writer: Writer, desk: IntakeDesk, held: HeldSheets) -> None:
        self._writer = writer
        self._desk = desk
        self._held = held

    def take(self, source: str, name: str, data: bytes, *, complete: bool = False, also: Also | None = None) -> Taken:
        """Take in a sheet or a changes feed, told by its content; a refusal raises an alarm, a stump is held.

        `also` is done in the same decision, whatever becomes of the file but a refusal. Bytes that are refused are not kept here.
        """
        also = also or _nothing_more
        answer = decided(self._writer, ACTOR, lambda unit: self._taken(unit, source, name, data, complete, also))
        if not isinstance(answer, Refusal):
            return Taken(Fate.TAKEN)
        fate = {"known-sheet": Fate.KNOWN, SUSPICIOUS: Fate.HELD, OLDER: Fate.HELD}.get(answer.code, Fate.REFUSED)
        if fate is Fate.HELD:
            try:
                self._held.keep(source, name, data)
            except TooManyHeld as full:
                fate, answer = Fate.REFUSED, Refusal("too-many-held", f"{answer.text} {full.english}", f"{answer.text_ru} {full.russian}")
        self._writer.submit(ACTOR, self._what_follows(fate, source, name, data, answer, also)).result()
        return Taken(fate, answer.said("en"), answer.said("ru"))

    def _what_follows(self, fate: Fate, source: str, name: str, data: bytes, answer: Refusal, also: Also) -> Callable[[SqlUnitOfWork], None]:
        digest = hashlib.sha256(data).hexdigest()
        if fate is Fate.REFUSED:
            return lambda unit: file_refused(unit, source, name, digest, answer)
        if fate is Fate.KNOWN:
            return also

        def hold(unit: SqlUnitOfWork) -> None:
            hold_sheet(unit, source, name, digest, answer)
            also(unit)

        return hold

    def _taken(self, unit: SqlUnitOfWork, source: str, name: str, data: bytes, complete: bool, also: Also) -> dict[str, Any] | Refusal:
        try:
            is_changes = is_changes_feed(name, data)
        except IntakeError as error:
            return Refusal("unreadable", str(error), error.in_russian())
        if is_changes:
            answer = self._desk.changes(unit, source, name, data)
        else:
            answer = self._desk.sheet(unit, source, name, data, complete=complete)
        if not isinstance(answer, Refusal):
            also(unit)
        return answer


def _nothing_more(_: SqlUnitOfWork) -> None:
    """Do nothing beside."""
