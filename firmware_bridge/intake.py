"""Takes commands and acknowledgements from the broker into the spool; when it returns, they are durable."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from firmware_bridge.contract import (
    AbortCommand,
    Command,
    ContractError,
    ResolveCommand,
    RunCommand,
    StatusCommand,
    VerdictCommand,
    decode_ack,
    decode_command,
    named_command,
    named_seq,
)
from firmware_bridge.inbox import Inbox, Sign
from firmware_bridge.spool import NewCommand, Refusal, Spool
from firmware_bridge.spool_file import SpoolFull

KINDS: dict[type[Command], str] = {
    RunCommand: "run",
    VerdictCommand: "verdict",
    ResolveCommand: "resolve",
    AbortCommand: "abort",
    StatusCommand: "status",
}

logger = logging.getLogger(__name__)


def _wall_clock() -> datetime:
    return datetime.now(UTC)


class Intake:
    """The handlers of one machine's `job/cmd` and `job/ack`; called from the broker's thread."""

    def __init__(self, spool: Spool, device: str, inbox: Inbox, now: Callable[[], datetime] = _wall_clock) -> None:
        self._spool = spool
        self._device = device
        self._inbox = inbox
        self._now = now

    def command(self, message: bytes) -> None:
        """Spool a command, or its refusal when it is not sound or its fence is old; a known one changes nothing."""
        try:
            command = decode_command(message)
        except ContractError as error:
            name = named_command(message)
            logger.warning("%s: command %r refused: %s", self._device, name, error)
            unread = NewCommand(name, "unread", None, 0.0, b"", named_seq(message))
            self._refuse(unread, Refusal(name, None, "INVALID", str(error)))
            return
        new = _as_new(command, message)
        fence = self._spool.fence(self._device)
        if command.fence < fence:
            reason = f"the fence {command.fence} is older than {fence}"
            self._refuse(new, Refusal(new.command, new.job, "FENCED", reason))
            return
        if command.fence > fence:
            self._spool.raise_fence(self._device, command.fence)
        self._take(new)

    def acknowledgement(self, message: bytes) -> None:
        """Forget the event that the hub has committed."""
        try:
            ack = decode_ack(message)
        except ContractError as error:
            logger.warning("%s: acknowledgement not readable: %s", self._device, error)
            return
        self._spool.acknowledge(self._device, ack)
        self._inbox.leave(Sign.ACKNOWLEDGED)

    def _take(self, new: NewCommand) -> None:
        try:
            self._spool.take(self._device, new)
        except SpoolFull as error:
            # Not taken and not known: the hub's outbox sends it again later.
            logger.warning("%s: command %s not taken: %s", self._device, new.command, error)
            return
        self._inbox.leave(Sign.COMMANDS)

    def _refuse(self, new: NewCommand, refusal: Refusal) -> None:
        try:
            self._spool.take_refused(self._device, new, refusal, self._now())
        except SpoolFull as error:
            logger.warning("%s: refusal of %s not kept: %s", self._device, new.command, error)
            return
        self._inbox.leave(Sign.ACKNOWLEDGED)


def _as_new(command: Command, message: bytes) -> NewCommand:
    job = None if isinstance(command, StatusCommand) else command.job
    expires_at_s = command.expires_at.timestamp()
    return NewCommand(command.command, KINDS[type(command)], job, expires_at_s, message, command.seq)
