"""What a person at a label printer has to know, whatever language it speaks, and the name by which a label is acknowledged.

A fact that was not told is not known: silence is never taken for paper.
"""

from dataclasses import dataclass
from enum import StrEnum

PROCESS_ID_LENGTH = 4
_FIRST_ID, _ID_BASE = 0x20, 95


class PrinterLanguage(StrEnum):
    """What a label printer is spoken to in; the value stands in configurations and print commands."""

    ESCPOS = "escpos"
    ZPL = "zpl"

    @property
    def protocol(self) -> str:
        """Return its name as a printer's `$description` tells it."""
        return {PrinterLanguage.ESCPOS: "ESC/POS", PrinterLanguage.ZPL: "ZPL"}[self]


def language_of(protocol: str) -> PrinterLanguage | None:
    """Return the language that a `$description` names; None for one that is not spoken here."""
    return next((language for language in PrinterLanguage if language.protocol == protocol), None)


class PrinterState(StrEnum):
    """What a person at the printer has to know; UNKNOWN where any answer is missing."""

    READY = "ready"
    OUT_OF_PAPER = "out-of-paper"
    OUT_OF_RIBBON = "out-of-ribbon"
    COVER_OPEN = "cover-open"
    PAUSED = "paused"
    LABEL_WAITING = "label-waiting"
    OUT_OF_ORDER = "out-of-order"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """The facts that a printer told; None is not known. The last three are those of a printer that has such parts."""

    online: bool | None = None
    cover_open: bool | None = None
    paper_out: bool | None = None
    paper_low: bool | None = None
    cutter_error: bool | None = None
    other_error: bool | None = None
    ribbon_out: bool = False
    paused: bool = False
    label_waiting: bool = False

    @property
    def state(self) -> PrinterState:
        """Name the first reason why nothing prints; READY needs every answer."""
        if self.cover_open:
            return PrinterState.COVER_OPEN
        if self.paper_out:
            return PrinterState.OUT_OF_PAPER
        if self.ribbon_out:
            return PrinterState.OUT_OF_RIBBON
        if self.cutter_error or self.other_error:
            return PrinterState.OUT_OF_ORDER
        if None in (self.online, self.cover_open, self.paper_out, self.cutter_error, self.other_error):
            return PrinterState.UNKNOWN
        return self._state_of_a_sound_one

    @property
    def _state_of_a_sound_one(self) -> PrinterState:
        if self.paused:
            return PrinterState.PAUSED
        if self.label_waiting:
            return PrinterState.LABEL_WAITING
        return PrinterState.READY if self.online else PrinterState.OFFLINE


def process_id(number: int) -> bytes:
    """Write a number as the four printable characters of a process ID; numbers repeat after 95^4 (81 million)."""
    characters = []
    for _ in range(PROCESS_ID_LENGTH):
        number, digit = divmod(number, _ID_BASE)
        characters.append(_FIRST_ID + digit)
    return bytes(reversed(characters))


def checked_process_id(identifier: bytes) -> bytes:
    """Return a process ID; raise ValueError for anything else than four characters 20 .. 7E."""
    if len(identifier) != PROCESS_ID_LENGTH or any(not 0x20 <= value <= 0x7E for value in identifier):
        raise ValueError(f"a process ID has four characters 20 .. 7E: {identifier!r}")
    return identifier
