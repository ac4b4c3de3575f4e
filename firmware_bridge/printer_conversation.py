"""The conversation with a label printer, whatever its language: the one way in which bytes become a label.

It never repeats a print by itself, and believes in a label once the printer says so in its language's way. A receipt `in_doubt`
means that a label may lie in the tray: a person looks. Silence is UNKNOWN, never "paper ok".

No job follows upon half a job: each begins only when the printer has said that it forgot what was before.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from firmware_bridge.printer_status import PrinterState, PrinterStatus
from firmware_bridge.printer_transport import Transport

ANSWER_TIMEOUT_S = 1.0
POLL_S = 0.25
PIECE_BYTES = 2048
NOT_CLEARED = "nothing was sent: the printer does not say that it has forgotten what was sent before"
STOPPING = (
    PrinterState.OUT_OF_PAPER,
    PrinterState.OUT_OF_RIBBON,
    PrinterState.COVER_OPEN,
    PrinterState.PAUSED,
    PrinterState.OUT_OF_ORDER,
)


@dataclass(frozen=True, slots=True)
class PrintReceipt:
    """What became of one label. `printed`: the printer said so; else `in_doubt`: it may exist all the same."""

    printed: bool
    state: PrinterState
    reason: str = ""
    in_doubt: bool = False


class Conversation(ABC):
    """One open line to a printer; `alive` is called while a long job goes over the line."""

    def __init__(self, transport: Transport, answer_timeout_s: float, alive: Callable[[], None] = lambda: None) -> None:
        self._transport = transport
        self._answer_timeout_s = answer_timeout_s
        self._alive = alive

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._transport.close()

    @abstractmethod
    def status(self) -> PrinterStatus:
        """Ask how it is; what is not answered is unknown, and a lost line leaves everything unknown."""

    @abstractmethod
    def clear(self) -> bool:
        """Have the printer forget what waits in its buffer; True once it says so, False also where the line is lost."""

    def print_next(self, job: bytes, process_id: bytes, timeout_s: float, *, after_doubt: bool) -> PrintReceipt:
        """Print on a printer that has forgotten what was before and is READY; to any other one nothing is sent."""
        if not self.clear():
            return PrintReceipt(False, PrinterState.UNKNOWN, NOT_CLEARED)
        state = self.status().state
        if state is not PrinterState.READY:
            return PrintReceipt(False, state, f"nothing was sent: the printer is {state.value}")
        begun = self._after_doubt(job) if after_doubt else self._opened(job)
        return self._print(begun, process_id, time.monotonic() + timeout_s)

    def _print(self, job: bytes, process_id: bytes, deadline: float) -> PrintReceipt:
        """Send the job and wait until its process ID is acknowledged, at most until the deadline (monotonic seconds).

        What was acknowledged before the first byte left is an answer to an earlier job.
        """
        self._forget_answers()
        try:
            self._send(job, deadline)
            return self._wait_for(process_id, deadline)
        except OSError as error:
            return PrintReceipt(False, PrinterState.UNKNOWN, f"the line was lost in the middle: {error}", in_doubt=True)

    def _send(self, job: bytes, deadline: float) -> None:
        for start in range(0, len(job), PIECE_BYTES):
            self._transport.write(job[start : start + PIECE_BYTES], max(deadline - time.monotonic(), 0.001))
            self._alive()

    def _wait_for(self, process_id: bytes, deadline: float) -> PrintReceipt:
        state = PrinterState.UNKNOWN
        while (left_s := deadline - time.monotonic()) > 0:
            received = self._transport.read(min(POLL_S, left_s))
            self._hear(received)
            self._alive()
            if not received and not self._is_acknowledged(process_id):
                state = self.status().state
            if self._is_acknowledged(process_id):
                return PrintReceipt(True, PrinterState.READY)
            if not received and state in STOPPING:
                return self._give_up(process_id, state, f"printing stopped: the printer is {state.value}")
        return self._give_up(process_id, state, "the printer did not confirm the label in time")

    def _give_up(self, process_id: bytes, state: PrinterState, reason: str) -> PrintReceipt:
        """Have the printer forget the job, so that no late label comes when paper is put in."""
        self._call_off()
        if self._is_acknowledged(process_id):
            return PrintReceipt(True, state)
        # A label may be out and its answer held back by a cover that was opened since: once sent, only the answer ends the doubt.
        return PrintReceipt(False, state, reason, in_doubt=True)

    def _opened(self, job: bytes) -> bytes:
        """Return what is sent for a job where nothing of another one is left."""
        return job

    def _after_doubt(self, job: bytes) -> bytes:
        """Return what is sent for a job where some of another one may hang under the head."""
        return job

    @abstractmethod
    def _hear(self, data: bytes) -> None:
        """Take what the printer sent."""

    @abstractmethod
    def _forget_answers(self) -> None:
        """Let no answer of before count any more."""

    @abstractmethod
    def _is_acknowledged(self, process_id: bytes) -> bool:
        """Tell whether the printer has said that this label came out."""

    @abstractmethod
    def _call_off(self) -> None:
        """Ask it to forget the job at hand, and hear what it says until then; raises OSError."""
