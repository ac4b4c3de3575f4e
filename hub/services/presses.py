"""Presses of a jog button: many short commands are one press, one entry when it begins and one when it ends.

A press that was let go is over for good: a command of it that was late on its way moves nothing.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace

from hub.services.device_service import JogAct

PRESSES_KEPT = 200


@dataclass(frozen=True, slots=True)
class Press:
    """One press: whose, of which machine, the entry that asked for it, and where the motor stood by the first and the last answer."""

    user: str
    device: str
    act: JogAct | None
    asked: int = 0
    commands: int = 0
    first: int | None = None
    last: int | None = None
    is_over: bool = False


class Presses:
    """The last presses by the id that the page made; used from one event loop."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Press] = OrderedDict()

    def get(self, press: str) -> Press | None:
        """Return what is known of a press."""
        return self._known.get(press)

    def begin(self, press: str, begun: Press) -> None:
        """Note that a press began; one that was let go meanwhile stays over."""
        known = self._known.get(press)
        self._put(press, replace(begun, is_over=known.is_over) if known is not None else begun)

    def moved(self, press: str, position: int) -> None:
        """Note one command that the machine did, with the motor's position at its answer."""
        known = self._known[press]
        first = position if known.first is None else known.first
        self._put(press, replace(known, commands=known.commands + 1, first=first, last=position))

    def end(self, press: str, user: str, device: str) -> Press | None:
        """End a press; return it where it had begun and was not over, so that it is told of once."""
        known = self._known.get(press)
        if known is None:
            self._put(press, Press(user, device, None, is_over=True))
            return None
        self._put(press, replace(known, is_over=True))
        return known if known.act is not None and not known.is_over else None

    def _put(self, press: str, known: Press) -> None:
        self._known[press] = known
        self._known.move_to_end(press)
        while len(self._known) > PRESSES_KEPT:
            self._known.popitem(last=False)
