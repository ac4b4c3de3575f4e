"""Presses of a jog button: many short commands are one press, one entry when it begins and one when it is over and its last answer is in.

A press that was let go is over for good: a command of it that was late on its way moves nothing.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace

from hub.services.device_service import JogAct, ServiceAnswer

PRESSES_KEPT = 200
DONE = ServiceAnswer("OK")
LET_GO = ServiceAnswer("LET_GO", "the button was let go before the first command")


@dataclass(frozen=True, slots=True)
class Press:
    """One press: whose, of which machine, the entry that asked for it, and where the motor stood by the first and the last answer.

    `events` are the commands sent, `under_way` counts those without an answer, `outcome` is OK or the first refusal.
    """

    user: str
    device: str
    act: JogAct | None
    asked: int = 0
    commands: int = 0
    first: int | None = None
    last: int | None = None
    is_over: bool = False
    events: frozenset[str] = frozenset()
    under_way: int = 0
    outcome: ServiceAnswer = DONE
    is_told: bool = False


class Presses:
    """The last presses by the id that the page made; used from one event loop.

    Each method that may be the end of a press returns it then, once, for the ledger to tell of it.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, Press] = OrderedDict()

    def get(self, press: str) -> Press | None:
        """Return what is known of a press."""
        return self._known.get(press)

    def begin(self, press: str, begun: Press) -> Press | None:
        """Note that a press began; one that was let go meanwhile is over without a command."""
        known = self._known.get(press)
        if known is None:
            self._put(press, begun)
        elif known.act is None:
            self._put(press, replace(begun, is_over=True, outcome=LET_GO))
        return self._told_of(press)

    def sent(self, press: str, event: str) -> bool:
        """Note a command before it is sent; False where it was sent before."""
        known = self._known[press]
        if event in known.events:
            return False
        self._put(press, replace(known, events=known.events | {event}, under_way=known.under_way + 1))
        return True

    def answered(self, press: str, answer: ServiceAnswer) -> Press | None:
        """Note the answer to a command, with the motor's position; a refusal ends the press."""
        known = replace(self._known[press], under_way=self._known[press].under_way - 1)
        if answer.is_done:
            position = int(answer.data.get("position", 0))
            first = position if known.first is None else known.first
            self._put(press, replace(known, commands=known.commands + 1, first=first, last=position))
        else:
            outcome = answer if known.outcome.is_done else known.outcome
            self._put(press, replace(known, is_over=True, outcome=outcome))
        return self._told_of(press)

    def end(self, press: str, user: str, device: str) -> Press | None:
        """Note that a press was let go."""
        known = self._known.get(press) or Press(user, device, None)
        self._put(press, replace(known, is_over=True))
        return self._told_of(press)

    def _told_of(self, press: str) -> Press | None:
        known = self._known[press]
        if known.act is None or not known.is_over or known.under_way or known.is_told:
            return None
        self._put(press, replace(known, is_told=True))
        return known

    def _put(self, press: str, known: Press) -> None:
        self._known[press] = known
        self._known.move_to_end(press)
        while len(self._known) > PRESSES_KEPT:
            self._known.popitem(last=False)
