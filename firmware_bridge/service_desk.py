"""What becomes of each service command: asked of the machine at once, or refused with a reason; answered once, never kept and done later.

Pure: messages, the machine's answers and the time go in; requests and answers come out. The last answers are remembered, so that
a message which comes twice moves nothing twice. A jog is a dead man's handle: it is asked once, and only the link repeats its frame.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from firmware_bridge import dispatch
from firmware_bridge.contract import ContractError, named_command
from firmware_bridge.dispatch import Ask, Refuse
from firmware_bridge.service_answers import answer_of, ask_for, refused
from firmware_bridge.service_contract import (
    JogCommand,
    MachineCommand,
    SelfTestCommand,
    ServiceCommand,
    ServiceEvent,
    WatchCommand,
    decode_service_command,
)

ANSWERS_KEPT = 100
WAITING_LIMIT = 8
AT_ONCE_S = 0.5
JOG_VALIDITY = timedelta(seconds=2)

LINK_DOWN = Refuse("LINK_DOWN", "the machine does not answer the bridge: nothing was done")
NO_ANSWER = Refuse(
    "NO_ANSWER", "the link was lost before the answer: whether it was done is not known, look at the machine"
)
NOT_AT_ONCE = Refuse(
    "NOT_AT_ONCE", "the bridge could not ask the machine at once: nothing was done, and it will not be done later"
)
TOO_LONG_VALID = Refuse("INVALID", "$.expires_at: a jog may be valid for two seconds at most")


@dataclass(frozen=True)
class Standing:
    """How things stand when a command comes: both clocks, the lowest fence that still counts, and whether the machine answers."""

    now_s: float
    now: datetime
    fence: int
    is_up: bool


@dataclass(frozen=True)
class _Waiting:
    command: MachineCommand
    since_s: float


def objection(command: ServiceCommand, standing: Standing) -> Refuse | None:
    """Return why a command must not be done now, or None; a watch moves nothing and needs no machine."""
    if standing.now >= command.expires_at:
        return dispatch.EXPIRED
    if command.fence < standing.fence:
        return Refuse("FENCED", f"the fence {command.fence} is older than {standing.fence}")
    if isinstance(command, JogCommand) and command.expires_at - standing.now > JOG_VALIDITY:
        return TOO_LONG_VALID
    if not standing.is_up and not isinstance(command, WatchCommand):
        return LINK_DOWN
    return None


class ServiceDesk:
    """The service commands of one machine.

    `answer` gets each answer, `watch` the seconds and the time of a watch that begins, `tested` the answer to a self test that was made.
    """

    def __init__(
        self,
        answer: Callable[[ServiceEvent], None],
        watch: Callable[[int, float], None],
        tested: Callable[[ServiceEvent], None],
    ) -> None:
        self._tell = answer
        self._watch = watch
        self._tested = tested
        self._answers: OrderedDict[str, ServiceEvent] = OrderedDict()
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._asked: MachineCommand | None = None

    def take(self, message: bytes, standing: Standing) -> None:
        """Take one message of `svc/cmd`: let it wait for its turn, or answer it; one that is under way is answered when it ends."""
        name = named_command(message)
        if name in self._answers:
            self._tell(self._answers[name])
            return
        if name in self._waiting or (self._asked is not None and self._asked.command == name):
            return
        try:
            self._heed(decode_service_command(message), standing)
        except ContractError as error:
            self._answer(refused(name, Refuse("INVALID", str(error))))

    def _heed(self, command: ServiceCommand, standing: Standing) -> None:
        refuse = objection(command, standing)
        if refuse is None and len(self._waiting) >= WAITING_LIMIT:
            refuse = NOT_AT_ONCE
        if refuse is not None:
            self._answer(refused(command.command, refuse))
        elif isinstance(command, WatchCommand):
            self._watch(command.seconds, standing.now_s)
            self._answer(ServiceEvent(command=command.command, rc="OK", reason="", data={"seconds": command.seconds}))
        else:
            self._waiting[command.command] = _Waiting(command, standing.now_s)

    @property
    def has_waiting(self) -> bool:
        """Tell whether a command waits to be asked."""
        return bool(self._waiting)

    def due_in_s(self, now_s: float) -> float | None:
        """Return the seconds until a waiting command is refused because its turn did not come, or None."""
        first = next(iter(self._waiting.values()), None)
        return None if first is None else max(0.0, first.since_s + AT_ONCE_S - now_s)

    def refuse_late(self, now_s: float) -> None:
        """Refuse what has waited half a second for its turn."""
        for waiting in list(self._waiting.values()):
            if now_s >= waiting.since_s + AT_ONCE_S:
                self._answer(refused(waiting.command.command, NOT_AT_ONCE))

    def ask(self, standing: Standing) -> Ask | None:
        """Return the request of the command whose turn it is, looked at once more, or None."""
        while self._waiting:
            _, waiting = self._waiting.popitem(last=False)
            refuse = objection(waiting.command, standing)
            if refuse is None:
                self._asked = waiting.command
                return ask_for(waiting.command)
            self._answer(refused(waiting.command.command, refuse))
        return None

    def answered(self, rc: int, payload: bytes) -> None:
        """Take the machine's answer to the last `ask`; raise DecodeError for one that cannot be read."""
        assert self._asked is not None
        command, answer = self._asked, answer_of(self._asked, rc, payload)
        self._asked = None
        if isinstance(command, SelfTestCommand) and answer.rc == "OK":
            self._tested(answer)
        self._answer(answer)

    def lose_link(self) -> None:
        """Answer all that was under way: what was asked may have been done, what waited was not."""
        if self._asked is not None:
            name, self._asked = self._asked.command, None
            self._answer(refused(name, NO_ANSWER))
        for name in list(self._waiting):
            self._answer(refused(name, LINK_DOWN))

    def _answer(self, answer: ServiceEvent) -> None:
        self._waiting.pop(answer.command, None)
        if answer.command:
            self._answers[answer.command] = answer
        while len(self._answers) > ANSWERS_KEPT:
            self._answers.popitem(last=False)
        self._tell(answer)
