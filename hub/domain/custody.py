"""Trolleys: accountable containers with drawers and a seal, one a department and intake slot."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from hub.domain.identifiers import PackSerial, TrolleyId


class TrolleyState(StrEnum):
    """State of a trolley's round (architecture, section 4)."""

    ASSEMBLING = "assembling"
    SEALED = "sealed"
    DISPATCHED = "dispatched"
    RECEIVED = "received"
    IN_ROUND = "in-round"
    CLOSED = "closed"
    RECONCILED = "reconciled"


@dataclass(frozen=True, slots=True)
class Trolley:
    """One trolley's round: the packs of one department for one intake slot; a drawer is a room.

    `label` is the serial on the label of its tray, which is scanned to choose it.
    """

    id: TrolleyId
    department: str
    slot: str
    day: date
    state: TrolleyState
    label: PackSerial
    seal: str = ""
    sealed_at: datetime | None = None
    received_at: datetime | None = None
