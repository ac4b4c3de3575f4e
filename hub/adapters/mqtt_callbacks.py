"""What every MQTT connection of the hub needs of paho's callbacks."""

import logging
import socket
from collections.abc import Callable
from typing import Any

_log = logging.getLogger(__name__)


def guarded(callback: Callable[..., None]) -> Callable[..., None]:
    """Return a callback whose exception is logged: it would end paho's thread without a word."""

    def call(*arguments: Any) -> None:
        try:
            callback(*arguments)
        except Exception:  # noqa: BLE001 the network thread must go on
            _log.exception("MQTT callback failed")

    return call


def without_delay(_client: Any, _data: Any, opened: Any) -> None:
    """Take Nagle's algorithm off a connection: against delayed acknowledgements it costs 44 ms a message."""
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
