"""The conversation in ESC/POS: a label is believed in once the printer names its process ID (`GS ( H` fn 48)."""

import time
from collections.abc import Callable

from firmware_bridge.printer_conversation import Conversation
from firmware_bridge.printer_escpos import (
    CLEAR_AFTER_ANYTHING,
    CLEAR_BUFFERS,
    FEED_AND_CUT,
    STATUS_NUMBERS,
    AnswerReader,
    parse_status,
    status_request,
)
from firmware_bridge.printer_status import PrinterStatus
from firmware_bridge.printer_transport import Transport

PADDING_BYTES = 512
PADDING_POLL_S = 0.01
PADDING_PATIENCE = 5
"""How many answer timeouts an open raster is filled up at a time; what is missing yet is filled up at the next clear."""


class EscposConversation(Conversation):
    """One open line to an ESC/POS printer."""

    def __init__(self, transport: Transport, answer_timeout_s: float, alive: Callable[[], None] = lambda: None) -> None:
        super().__init__(transport, answer_timeout_s, alive)
        self._answers = AnswerReader()
        self._found_half_a_job = False

    def status(self) -> PrinterStatus:
        """Ask for each status byte; the first silence or a lost line leaves the rest unknown."""
        found: dict[int, int] = {}
        try:
            for number in STATUS_NUMBERS:
                answer = self._ask(number)
                if answer is None:
                    break
                found[number] = answer
        except OSError:
            found.clear()
        return parse_status(found)

    def clear(self) -> bool:
        """Have the printer forget what waits in its buffer; True once it says so, False also where the line is lost."""
        try:
            return self._ask_to_clear(CLEAR_AFTER_ANYTHING, self._answer_timeout_s) or self._clear_behind_raster()
        except OSError:
            return False

    def _clear_behind_raster(self) -> bool:
        """Fill up what half a job may have left open, with a request after each piece.

        Printers of the reference kind see real-time requests in every byte; others take them for dots while a raster is open.
        Zeros are white dots there and nothing anywhere else.
        """
        until = time.monotonic() + PADDING_PATIENCE * self._answer_timeout_s
        while time.monotonic() < until:
            if self._ask_to_clear(bytes(PADDING_BYTES) + CLEAR_BUFFERS, PADDING_POLL_S):
                break
        # Several requests may be answered yet: the last one is asked alone, and answered before anything of the job.
        self._found_half_a_job = self._ask_to_clear(CLEAR_AFTER_ANYTHING, self._answer_timeout_s)
        return self._found_half_a_job

    def _opened(self, job: bytes) -> bytes:
        return self._after_doubt(job) if self._found_half_a_job else job

    def _after_doubt(self, job: bytes) -> bytes:
        return FEED_AND_CUT + job

    def _hear(self, data: bytes) -> None:
        self._answers.feed(data)

    def _forget_answers(self) -> None:
        self._answers = AnswerReader()

    def _is_acknowledged(self, process_id: bytes) -> bool:
        return process_id in self._answers.process_ids

    def _call_off(self) -> None:
        self._ask_to_clear(CLEAR_AFTER_ANYTHING, self._answer_timeout_s)

    def _ask_to_clear(self, request: bytes, timeout_s: float) -> bool:
        self._answers.cleared = False
        self._transport.write(request, self._answer_timeout_s)
        deadline = time.monotonic() + timeout_s
        while not self._answers.cleared and (left_s := deadline - time.monotonic()) > 0:
            self._answers.feed(self._transport.read(left_s))
        return self._answers.cleared

    def _ask(self, number: int) -> int | None:
        """Exchange one status byte; None when none came in time."""
        self._answers.last_status = None
        self._transport.write(status_request(number), self._answer_timeout_s)
        deadline = time.monotonic() + self._answer_timeout_s
        while self._answers.last_status is None and (left_s := deadline - time.monotonic()) > 0:
            self._answers.feed(self._transport.read(left_s))
        return self._answers.last_status
