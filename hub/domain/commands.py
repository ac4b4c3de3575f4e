"""Command cards of the review station: what a card that is scanned asks for, so that a whole shift goes without touching glass.

A code is `CMD`, its word, and the check character of ISO/IEC 7064 MOD 37-2 over both; none is as long as a pack's serial.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hub.domain.words import Words


class StationCommand(StrEnum):
    """What a person asks the review station to do."""

    ACCEPT = "accept"
    REJECT = "reject"
    REMAKE = "remake"
    UNREADABLE = "unreadable"
    NEXT = "next"
    LEAVE = "leave"
    REASON = "reason"


@dataclass(frozen=True, slots=True)
class CommandCard:
    """One card: its code, what it asks for, and the words that are printed on it; `reason` names a reason for a decision."""

    code: str
    command: StationCommand
    words: Words
    reason: str = ""


NOT_FOUND = "not-found"
REASONS: Mapping[str, Words] = {
    "broken": Words("a tablet is broken", "таблетка сломана"),
    "content": Words("not what the label says", "содержимое не по этикетке"),
    "label": Words("label cannot be read", "этикетка не читается"),
    "damaged": Words("pouch is open or damaged", "пакет вскрыт или повреждён"),
    NOT_FOUND: Words("pouch not found", "пакет не найден"),
}
"""Reasons of a decision by their key; the ledger keeps the English."""

CARDS: tuple[CommandCard, ...] = (
    CommandCard("CMDACCEPTN", StationCommand.ACCEPT, Words("Accept", "Принять")),
    CommandCard("CMDREJECTW", StationCommand.REJECT, Words("Reject", "Забраковать")),
    CommandCard("CMDREMAKEE", StationCommand.REMAKE, Words("Into the reject bin, make anew", "В брак и сделать заново")),
    CommandCard("CMDUNREADJ", StationCommand.UNREADABLE, Words("Label cannot be scanned", "Этикетка не сканируется")),
    CommandCard("CMDNEXT4", StationCommand.NEXT, Words("Next pouch", "Следующий пакет")),
    CommandCard("CMDLEAVEY", StationCommand.LEAVE, Words("Leave it, back", "Оставить, назад")),
    CommandCard("CMDBROKENZ", StationCommand.REASON, Words("Reason: a tablet is broken", "Причина: таблетка сломана"), "broken"),
    CommandCard("CMDCONTENT0", StationCommand.REASON, Words("Reason: not what the label says", "Причина: содержимое не по этикетке"), "content"),
    CommandCard("CMDLABELX", StationCommand.REASON, Words("Reason: label cannot be read", "Причина: этикетка не читается"), "label"),
    CommandCard("CMDOPENP", StationCommand.REASON, Words("Reason: pouch is open or damaged", "Причина: пакет вскрыт или повреждён"), "damaged"),
    CommandCard("CMDGONEW", StationCommand.REASON, Words("Reason: pouch not found", "Причина: пакет не найден"), NOT_FOUND),
)


def card_of(code: str) -> CommandCard | None:
    """Return the card that has this code, or None where it is no command of ours."""
    return next((card for card in CARDS if card.code == code), None)


def reason_words(reason: str) -> Words:
    """Return a reason in words: of a key the trade's own, else what the person wrote, in either language the same."""
    return REASONS.get(reason, Words(reason, reason))
