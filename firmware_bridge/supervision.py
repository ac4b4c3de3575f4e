"""Tells systemd that the bridge runs, and lives as long as the loop of every machine turns (sd_notify(3): datagrams to a socket).

Without systemd it says nothing. It never says that a machine answers: a machine that is switched off is no reason to start the bridge anew.
"""

import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass

QUIET_PERIOD_S = 3600.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Supervision:
    """Where the notices go (None: nowhere), and how often systemd wants to hear that we live."""

    address: str | None
    period_s: float

    def tell(self, notice: str) -> None:
        """Send `READY=1`, `WATCHDOG=1` or `STOPPING=1`; machines are served on where systemd does not listen."""
        if self.address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto(notice.encode(), self.address)
        except OSError as error:
            logger.warning("systemd was not told %s: %s", notice, error)


def supervision_of(environment: Mapping[str, str]) -> Supervision:
    """Return what systemd put into the environment; half of its watchdog time is our period."""
    address = environment.get("NOTIFY_SOCKET")
    watchdog_us = int(environment.get("WATCHDOG_USEC", "0"))
    period_s = watchdog_us / 2_000_000 if watchdog_us else QUIET_PERIOD_S
    # A leading @ is systemd's way to write the zero byte of an abstract socket.
    return Supervision(f"\0{address[1:]}" if address and address[0] == "@" else address or None, period_s)
