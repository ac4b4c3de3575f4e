"""What a machine's core reaches outside itself: the connection to the broker, the port, and chance."""

from typing import Protocol

REOPEN_FIRST_S = 0.1
REOPEN_LONGEST_S = 5.0


class PortLost(Exception):
    """The port cannot be opened, read or written any more."""


def reopen_wait_s(failures: int) -> float:
    """Return the wait before the next attempt after so many failures in a row, doubling up to 5 s."""
    return min(REOPEN_FIRST_S * 2.0 ** min(failures, 16), REOPEN_LONGEST_S)


class Surroundings(Protocol):
    """Broker and port of one machine; either may be lost at any moment, which is told by these answers and by signs."""

    @property
    def is_connected(self) -> bool:
        """Tell whether messages can leave now."""

    @property
    def hub_is_lost(self) -> bool:
        """Tell whether the hub is known to be lost."""

    @property
    def denials(self) -> int:
        """Return how often the broker refused a login, a subscription or a message since the start."""

    def take_service(self) -> list[bytes]:
        """Return the messages of `svc/cmd` since the last call, in order; `Sign.SERVICE` tells that there are some."""

    def publish(self, leaf: str, message: bytes, *, retain: bool = False) -> bool:
        """Publish a message of this machine; False where it could not leave, and nothing was kept of it."""

    def publish_state(self, state: str) -> None:
        """Publish `init` or `ready` of the present session."""

    def open_port(self) -> None:
        """Open the port and begin to read; raise PortLost."""

    def close_port(self) -> None:
        """Close the port; no byte of it comes afterwards."""

    def write(self, data: bytes) -> None:
        """Write all bytes; raise PortLost."""

    def new_session(self) -> int:
        """Return a session id (1 .. 65535) that was not used lately."""
