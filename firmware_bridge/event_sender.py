"""Sends a machine's events to the hub, in order, again and again until the hub's own acknowledgement."""

from collections.abc import Callable

from firmware_bridge.spool import Spool

WINDOW_EVENTS = 100
RESEND_S = 2.0


class EventSender:
    """The oldest events of the spool on their way; `publish` tells whether the message could leave."""

    def __init__(self, spool: Spool, device: str, publish: Callable[[bytes], bool]) -> None:
        self._spool = spool
        self._device = device
        self._publish = publish
        self._sent_at_s: dict[int, float] = {}
        self._due_s: float | None = 0.0

    def due_in_s(self, now_s: float) -> float | None:
        """Return the seconds until `send` has something to do, or None."""
        return None if self._due_s is None else max(0.0, self._due_s - now_s)

    def look_again(self) -> None:
        """Look into the spool at the next `send`: events or acknowledgements have come."""
        self._due_s = 0.0

    def start_over(self) -> None:
        """Send everything again at the next `send`: the connection or the hub is new."""
        self._sent_at_s.clear()
        self._due_s = 0.0

    def send(self, now_s: float, *, again: bool) -> None:
        """Publish what was never sent and, where `again`, what has waited 2 s for its acknowledgement."""
        if self._due_s is None or now_s < self._due_s:
            return
        sent_at_s: dict[int, float] = {}
        can_leave = True
        for event in self._spool.pending(self._device, 0, WINDOW_EVENTS):
            before_s = self._sent_at_s.get(event.id)
            is_due = before_s is None or (again and now_s - before_s >= RESEND_S)
            if is_due and can_leave:
                can_leave = self._publish(event.message)
                before_s = now_s if can_leave else before_s
            if before_s is not None:
                sent_at_s[event.id] = before_s
        self._sent_at_s = sent_at_s
        self._due_s = min(sent_at_s.values()) + RESEND_S if again and sent_at_s and can_leave else None
