"""What other threads leave for a machine's loop: bytes from the port, and signs that something is to be looked at."""

import threading
from enum import Enum

BYTES_LIMIT = 65536
FULL_WAIT_S = 0.25
SERVICE_LIMIT = 32


class Sign(Enum):
    """What happened outside; the loop looks up the details itself, so one of each is enough."""

    COMMANDS = "commands"
    SERVICE = "service"
    ACKNOWLEDGED = "acknowledged"
    BROKER = "broker"
    HUB = "hub"
    PORT_LOST = "port lost"
    STOP = "stop"


class Inbox:
    """A bounded meeting point of threads; the one reader sleeps in `take` until there is something."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._bytes = bytearray()
        self._signs: set[Sign] = set()
        self._service: list[bytes] = []

    def leave_bytes(self, data: bytes) -> None:
        """Add bytes; when 64 KiB lie here unread, drop these (the link asks again)."""
        with self._changed:
            if len(self._bytes) + len(data) > BYTES_LIMIT:
                self._changed.wait(FULL_WAIT_S)
            if len(self._bytes) + len(data) <= BYTES_LIMIT:
                self._bytes += data
            self._changed.notify_all()

    def leave(self, sign: Sign) -> None:
        """Add a sign and wake the reader."""
        with self._changed:
            self._signs.add(sign)
            self._changed.notify_all()

    def leave_service(self, message: bytes) -> bool:
        """Add a service command; False where 32 lie here unread, for then it cannot be done at once."""
        with self._changed:
            if len(self._service) >= SERVICE_LIMIT:
                return False
            self._service.append(message)
            self._signs.add(Sign.SERVICE)
            self._changed.notify_all()
        return True

    def take_service(self) -> list[bytes]:
        """Return the service commands that came since the last call, in order."""
        with self._changed:
            messages, self._service = self._service, []
        return messages

    def take(self, timeout_s: float) -> tuple[bytes, set[Sign]]:
        """Return all that is here, waiting at most `timeout_s` for the first."""
        with self._changed:
            if not self._bytes and not self._signs:
                self._changed.wait(timeout_s)
            data, signs = bytes(self._bytes), self._signs
            self._bytes.clear()
            self._signs = set()
            self._changed.notify_all()
        return data, signs

    def drop_bytes(self) -> None:
        """Forget unread bytes and the loss of a port that is closed now."""
        with self._changed:
            self._bytes.clear()
            self._signs.discard(Sign.PORT_LOST)
