"""Takes print commands and acknowledgements from the broker into the spool; when it returns, they are durable."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from firmware_bridge.contract import ContractError, named_command
from firmware_bridge.inbox import Inbox, Sign
from firmware_bridge.print_contract import PrintEvent, decode_print_ack, decode_print_command
from firmware_bridge.printer_spool import PrintSpool
from firmware_bridge.printer_status import PrinterLanguage
from firmware_bridge.spool_file import SpoolFull

logger = logging.getLogger(__name__)


def _wall_clock() -> datetime:
    return datetime.now(UTC)


class PrintIntake:
    """The handlers of one printer's `print/cmd` and `print/ack`; called from the broker's thread."""

    def __init__(
        self,
        spool: PrintSpool,
        device: str,
        inbox: Inbox,
        now: Callable[[], datetime] = _wall_clock,
        language: PrinterLanguage = PrinterLanguage.ESCPOS,
    ) -> None:
        self._spool = spool
        self._device = device
        self._language = language
        self._inbox = inbox
        self._now = now
        self.unreadable = 0
        self.refused = 0
        self.not_taken = 0

    def command(self, message: bytes) -> None:
        """Spool a command, or its refusal when it is not sound or its fence is old; a known one is told its outcome again."""
        try:
            command = decode_print_command(message)
        except ContractError as error:
            self._refuse(named_command(message), "INVALID", str(error))
            return
        if command.language is not self._language:
            reason = f"$.language: this printer speaks {self._language.protocol}, not {command.language.protocol}"
            self._refuse(command.command, "INVALID", reason)
            return
        fence = self._spool.fence(self._device)
        if command.fence < fence:
            self._refuse(command.command, "FENCED", f"the fence {command.fence} is older than {fence}")
            return
        if command.fence > fence:
            self._spool.raise_fence(self._device, command.fence)
        self._keep(command.command, lambda: self._spool.take(self._device, command))

    def acknowledgement(self, message: bytes) -> None:
        """Stop telling the outcome that the hub has committed."""
        try:
            ack = decode_print_ack(message)
        except ContractError as error:
            logger.warning("%s: acknowledgement not readable: %s", self._device, error)
            return
        self._spool.acknowledge(self._device, ack.command)
        self._inbox.leave(Sign.ACKNOWLEDGED)

    def _refuse(self, name: str, rc: str, reason: str) -> None:
        logger.warning("%s: print %r refused: %s", self._device, name, reason)
        refusal = PrintEvent(command=name, kind="refused", rc=rc, reason=reason, at=self._now())
        if not name:
            self.unreadable += 1  # nothing names it, so no outcome can be told; the status counts it
        elif self._keep(name, lambda: self._spool.take_refused(self._device, refusal)):
            self.refused += 1

    def _keep(self, name: str, take: Callable[[], bool]) -> bool:
        """Keep it and wake the printer's thread; True where it is new."""
        try:
            is_new = take()
        except SpoolFull as error:
            # Not taken and not known: the hub sends it again later.
            self.not_taken += 1
            logger.warning("%s: print %s not taken: %s", self._device, name, error)
            return False
        self._inbox.leave(Sign.COMMANDS)
        return is_new
