"""The conversation in ZPL: a label is believed in once its ID came back (`^HV`) and the printer then says that nothing waits (`~HS`).

That is weaker evidence than ESC/POS has: ZPL has no word for "everything before this is on paper" (docs/printers.md).
"""

import time
from collections.abc import Callable

from firmware_bridge.printer_conversation import STOPPING, Conversation
from firmware_bridge.printer_status import PrinterState, PrinterStatus
from firmware_bridge.printer_transport import Transport
from firmware_bridge.printer_zpl import FORGET, STATUS_REQUEST, HostStatus, ZplAnswers, identity

FORGETTING_PATIENCE = 5
"""How many answer timeouts the printer may take to become idle: a label that is on its way ends first."""
FORGETTING_POLL_S = 0.05
_LABEL_IS_OUT = (PrinterState.READY, PrinterState.LABEL_WAITING)


class ZplConversation(Conversation):
    """One open line to a ZPL printer."""

    def __init__(self, transport: Transport, answer_timeout_s: float, alive: Callable[[], None] = lambda: None) -> None:
        super().__init__(transport, answer_timeout_s, alive)
        self._answers = ZplAnswers()
        self._out: frozenset[bytes] = frozenset()
        self._missed = False

    def status(self) -> PrinterStatus:
        """Ask `~HS`; anything but the whole answer leaves everything unknown."""
        try:
            found = self._ask()
        except OSError:
            found = None
        return PrinterStatus() if found is None else found.facts

    def clear(self) -> bool:
        """Cancel everything and ask until nothing waits; the cancelling itself is answered by nothing."""
        try:
            self._transport.write(FORGET, self._answer_timeout_s)
            return self._becomes_idle()
        except OSError:
            return False

    def _becomes_idle(self) -> bool:
        until = time.monotonic() + FORGETTING_PATIENCE * self._answer_timeout_s
        while time.monotonic() < until:
            found = self._ask()
            if found is None or found.is_idle:
                return found is not None
            self._hear(self._transport.read(FORGETTING_POLL_S))
            self._alive()
        return False

    def _hear(self, data: bytes) -> None:
        self._answers.feed(data)

    def _forget_answers(self) -> None:
        self._answers, self._out, self._missed = ZplAnswers(), frozenset(), False

    def _is_acknowledged(self, process_id: bytes) -> bool:
        return identity(process_id) in self._out

    def _call_off(self) -> None:
        """The printer may say first that the label came out: after the cancelling an idle printer proves nothing."""
        self._ask()
        self._transport.write(FORGET, self._answer_timeout_s)

    def _ask(self) -> HostStatus | None:
        """Exchange one host status; None when it did not come whole in time.

        What was verified before the question, and is not waiting by the answer, is out. A question in between that was not
        answered may have met a printer that had stopped in the middle, and an answer may say that it had: nothing that comes
        after it proves this label.
        """
        verified = frozenset(self._answers.verified)
        self._answers.strings.clear()
        self._transport.write(STATUS_REQUEST, self._answer_timeout_s)
        deadline = time.monotonic() + self._answer_timeout_s
        while self._answers.host_status is None and (left_s := deadline - time.monotonic()) > 0:
            self._hear(self._transport.read(left_s))
        found = self._answers.host_status
        if found is None:
            self._missed = self._missed or bool(verified)
        elif found.facts.state in STOPPING:
            self._missed = self._missed or bool(self._answers.verified)
        elif found.is_idle and found.facts.state in _LABEL_IS_OUT and not self._missed:
            self._out = verified
        return found
