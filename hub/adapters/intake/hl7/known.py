"""What the hub knows already when messages are read: a message says only what is new, and is completed from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.identifiers import OrderId, PatientId
from hub.domain.orders import OrderLine, Patient, Stay


def _nothing(_: Any) -> None:
    return None


def _none(_: Any) -> Sequence[OrderLine]:
    return ()


@dataclass(frozen=True, slots=True)
class Known:
    """Orders as their source wrote them, patients and stays by their ids; `now` dates what no field dates, and is the latest that anything happened.

    `below`: the orders whose ids go on behind an id and a `/`.
    """

    order: Callable[[OrderId], OrderLine | None] = _nothing
    patient: Callable[[PatientId], Patient | None] = _nothing
    stay: Callable[[PatientId], Stay | None] = _nothing
    below: Callable[[OrderId], Sequence[OrderLine]] = _none
    now: datetime | None = None

    def happened(self, at: datetime | None) -> datetime | None:
        """Return when a message without a date of its own holds: never from the future; None where nobody can tell."""
        if at is None or self.now is None:
            return at or self.now
        return min(at, self.now)


NOTHING_KNOWN = Known()
