"""One printer's decisions: which print is begun, what its outcome is called, what is told, and again until the hub has it.

A print is begun once: what was begun and has no outcome after a start is in doubt. Nothing is begun while the hub is lost.
"""

import logging
from collections.abc import Callable, Set
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Protocol

from firmware_bridge.contract import Description, StatusReport, encode
from firmware_bridge.inbox import Sign
from firmware_bridge.print_contract import OutcomeWord, PrintEvent
from firmware_bridge.printer_conversation import PrintReceipt
from firmware_bridge.printer_spool import PrintSpool, WaitingPrint
from firmware_bridge.printer_status import PrinterState, PrinterStatus
from firmware_bridge.printer_transport import Unreachable

PRINT_TIMEOUT_S = 10.0
LOOK_EVERY_S = 2.0
TURN_S = 0.5
RESEND_S = 2.0
STATUS_SPACING_S = 0.5
WINDOW_OUTCOMES = 100
IN_DOUBT, NONE = "in-doubt", "none"

logger = logging.getLogger(__name__)


class Line(Protocol):
    """The way to the printer; every call ends in time and may raise Unreachable, and then nothing was sent."""

    def status(self) -> PrinterStatus:
        """Ask for paper, cover and errors."""

    def clear(self) -> bool:
        """Have the printer forget what waits in its buffer; True once it says that it did."""

    def print_job(self, job: bytes, process_id: bytes, timeout_s: float, *, after_doubt: bool = False) -> PrintReceipt:
        """Send a job to a printer that has forgotten what was before, and wait until it names the job's process ID."""


class Outside(Protocol):
    """The printer's connection to the broker, and what was counted there."""

    @property
    def is_connected(self) -> bool:
        """Tell whether messages can leave now."""

    @property
    def hub_is_lost(self) -> bool:
        """Tell whether the hub is known to be lost."""

    @property
    def denials(self) -> int:
        """Return how often the broker refused something since the start."""

    @property
    def unreadable(self) -> int:
        """Return how many commands came of which not even the id could be read."""

    @property
    def refused(self) -> int:
        """Return how many commands were refused as they came since the start."""

    @property
    def not_taken(self) -> int:
        """Return how many commands came while too many were open."""

    def publish(self, leaf: str, message: bytes, *, retain: bool = False) -> bool:
        """Publish a message of this printer; False where it could not leave."""

    def publish_state(self, state: str) -> None:
        """Publish `init` or `ready` of the present session."""


@dataclass
class PrintCounters:
    """The outcomes since the start, for `status`."""

    printed: int = 0
    refused: int = 0
    in_doubt: int = 0


class PrinterCore:
    """One printer between the spool and its line; `turn` is called by one thread."""

    def __init__(
        self,
        device: str,
        spool: PrintSpool,
        outside: Outside,
        line: Line,
        description: Description,
        now: Callable[[], datetime],
        on_ready: Callable[[], None],
    ) -> None:
        self._device, self._spool, self._outside, self._line = device, spool, outside, line
        self._description, self._now, self._on_ready = description, now, on_ready
        self._counters = PrintCounters()
        self._state = PrinterState.UNKNOWN
        self._reason = NONE
        self._must_forget = False
        self._look_at_s = float("-inf")
        self._told_at_s: dict[str, float] = {}
        self._published: StatusReport | None = None
        self._published_at_s = float("-inf")
        self._birth: str | None = None
        self._was_ready = False

    def recover(self) -> None:
        """Put in doubt what was begun before this start; what was in doubt before is so until a label is printed."""
        while (begun := self._spool.begun(self._device)) is not None:
            self._end(begun, "in-doubt", "INTERRUPTED", "the bridge was stopped in the middle of this label")
        if self._spool.last_attempt(self._device) == IN_DOUBT:
            self._doubt()

    @property
    def is_ready(self) -> bool:
        """Tell whether the printer would print, as it was seen last."""
        return self._state is PrinterState.READY

    def sleep_s(self) -> float:
        """Return how long nothing is to be done unless a sign comes."""
        return 0.0 if self._may_begin and self._spool.waiting(self._device) is not None else TURN_S

    def turn(self, signs: Set[Sign], now_s: float) -> None:
        """Print at most one label, look at the printer when it is time, and tell what is news."""
        if not signs.isdisjoint({Sign.BROKER, Sign.HUB}):
            self._told_at_s.clear()
            self._published = self._birth = None
        waiting = self._spool.waiting(self._device)
        if waiting is not None:
            self._go_on_with(waiting)
        if now_s >= self._look_at_s:
            self._look(now_s)
        if self._outside.is_connected:
            self._announce()
            self._tell(now_s)
            self._report(now_s)

    @property
    def _may_begin(self) -> bool:
        return self._outside.is_connected and not self._outside.hub_is_lost

    def _go_on_with(self, waiting: WaitingPrint) -> None:
        spoken = waiting.command.language.protocol
        if spoken != self._description.protocol:  # taken in before the printer was set to another language
            self._end(waiting, "refused", "INVALID", f"$.language: this printer speaks {self._description.protocol}, not {spoken}")
        elif waiting.command.expires_at <= self._now():
            self._end(waiting, "refused", "EXPIRED", "its time was over before it was begun")
        elif self._may_begin:
            self._print(waiting)

    def _print(self, waiting: WaitingPrint) -> None:
        command = waiting.command
        after_doubt = self._reason == IN_DOUBT
        self._spool.begin(waiting)
        try:
            receipt = self._line.print_job(command.data, command.process_id.encode(), PRINT_TIMEOUT_S, after_doubt=after_doubt)
        except Unreachable as error:
            self._state = PrinterState.UNKNOWN
            self._end(waiting, "refused", "UNREACHABLE", str(error))
            return
        self._state = receipt.state
        self._must_forget = receipt.state is PrinterState.UNKNOWN
        if receipt.printed:
            self._end(waiting, "printed", "OK", "")
        elif receipt.in_doubt:
            self._end(waiting, "in-doubt", "NOT_CONFIRMED", receipt.reason)
        else:
            self._end(waiting, "refused", "NOT_READY", receipt.reason)

    def _end(self, waiting: WaitingPrint, kind: OutcomeWord, rc: str, reason: str) -> None:
        name = waiting.command.command
        self._spool.finish(waiting, PrintEvent(command=name, kind=kind, rc=rc, reason=reason, at=self._now()))
        logger.log(
            logging.INFO if kind == "printed" else logging.WARNING, "%s: %s %s %s", self._device, name, kind, reason
        )
        counter = kind.replace("-", "_")
        setattr(self._counters, counter, getattr(self._counters, counter) + 1)
        if kind == "in-doubt":
            self._doubt()
        elif kind == "printed":
            self._reason, self._must_forget = NONE, False

    def _doubt(self) -> None:
        """A label may lie there, and the printer may hold the rest of it."""
        self._reason, self._must_forget = IN_DOUBT, True

    def _look(self, now_s: float) -> None:
        """Look at the printer; one that may hold a job is first made to forget it, so that no late label comes."""
        try:
            if self._must_forget:
                self._must_forget = not self._line.clear()
            self._state = PrinterState.UNKNOWN if self._must_forget else self._line.status().state
        except Unreachable:
            self._state = PrinterState.UNKNOWN
        self._look_at_s = now_s + LOOK_EVERY_S
        if self._answers and not self._was_ready:
            self._was_ready = True
            self._on_ready()

    @property
    def _answers(self) -> bool:
        return self._state is not PrinterState.UNKNOWN

    def _announce(self) -> None:
        """Tell of the birth once a connection, and when the printer begins or ceases to answer."""
        birth = "ready" if self._answers else "init"
        if self._birth is None:
            self._outside.publish("$description", encode(self._description), retain=True)
        if birth != self._birth:
            self._outside.publish_state(birth)
            self._birth = birth

    def _tell(self, now_s: float) -> None:
        told: dict[str, float] = {}
        for outcome in self._spool.untold(self._device, WINDOW_OUTCOMES):
            before_s = self._told_at_s.get(outcome.command)
            if before_s is not None and now_s < before_s + RESEND_S:
                told[outcome.command] = before_s
            elif self._outside.publish("print/evt", encode(outcome)):
                told[outcome.command] = now_s
        self._told_at_s = told

    def _report(self, now_s: float) -> None:
        """Publish `status` when it has news, at most twice a second."""
        report = self._present()
        if report != self._published and now_s >= self._published_at_s + STATUS_SPACING_S:
            self._outside.publish("status", encode(report), retain=True)
            self._published, self._published_at_s = report, now_s

    def _present(self) -> StatusReport:
        outside = self._outside
        counters = asdict(self._counters) | {
            "denied": outside.denials, "unreadable": outside.unreadable, "not_taken": outside.not_taken
        }  # fmt: skip
        counters["refused"] += outside.refused
        return StatusReport(
            state=self._state.value,
            reason=self._reason,
            job=None,
            cassettes=(),
            counters=counters,
            link="up" if self._answers else "down",
            queued=self._spool.queued(self._device),
        )
