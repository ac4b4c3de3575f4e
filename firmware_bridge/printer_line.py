"""A label printer at an address: opens the line, speaks the printer's language, and lets the line go."""

from collections.abc import Callable

from firmware_bridge.printer_conversation import ANSWER_TIMEOUT_S, Conversation, PrintReceipt
from firmware_bridge.printer_escpos_conversation import EscposConversation
from firmware_bridge.printer_status import PrinterLanguage, PrinterStatus
from firmware_bridge.printer_transport import BAUD, CONNECT_TIMEOUT_S, Unreachable, carrying_s, open_transport
from firmware_bridge.printer_zpl_conversation import ZplConversation

_SPOKEN: dict[PrinterLanguage, type[Conversation]] = {
    PrinterLanguage.ESCPOS: EscposConversation,
    PrinterLanguage.ZPL: ZplConversation,
}


class PrinterLine:
    """A printer at `tcp://host:9100`, or at a serial path or URL; each call opens and closes the line."""

    def __init__(
        self,
        url: str,
        language: PrinterLanguage = PrinterLanguage.ESCPOS,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        baud: int = BAUD,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._url = url
        self._language = language
        self._connect_timeout_s = connect_timeout_s
        self._answer_timeout_s = answer_timeout_s
        self._baud = baud
        self._alive = alive

    def status(self) -> PrinterStatus:
        """Ask for paper, cover and errors; what is not answered is unknown. Raises Unreachable."""
        with self._conversation() as conversation:
            return conversation.status()

    def clear(self) -> bool:
        """Have the printer forget what waits in its buffer; True once it says that it did. Raises Unreachable."""
        with self._conversation() as conversation:
            return conversation.clear()

    def print_job(
        self, job: bytes, process_id: bytes, timeout_s: float, *, after_doubt: bool = False
    ) -> PrintReceipt:
        """Send a job that ends with its language's request for `process_id` and wait until the printer acknowledges it.

        A serial line has the time beside `timeout_s` that it takes to carry the job. `after_doubt`: what the label before may have left
        under the head comes away first. Raises Unreachable.
        """
        with self._conversation() as conversation:
            until_s = timeout_s + carrying_s(self._url, self._baud, len(job))
            return conversation.print_next(job, process_id, until_s, after_doubt=after_doubt)

    def _conversation(self) -> Conversation:
        speak = _SPOKEN[self._language]
        try:
            transport = open_transport(self._url, self._baud, self._connect_timeout_s)
        except (OSError, ValueError) as error:
            raise Unreachable(f"{self._url}: {error}") from error
        return speak(transport, self._answer_timeout_s, self._alive)
