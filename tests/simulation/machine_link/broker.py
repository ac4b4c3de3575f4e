"""A model of the broker: messages between hub and bridge that get lost, doubled, late and so out of order, and cut connections."""

from typing import Any

from tests.simulation.machine_link.faults import Faults
from tests.simulation.machine_link.timeline import Timeline

LATENCY_S = (0.0005, 0.004)
LATE_S = (0.1, 30.0)
CUT_OFF_S = (0.5, 20.0)


class Broker:
    """Two clients and what is under way between them; a client that is cut off gets and gives nothing."""

    def __init__(self, timeline: Timeline, faults: Faults) -> None:
        self.faults = faults
        self.messages = 0
        self.bridge_connected = self.hub_connected = False
        self.box: Any = None
        self.hub: Any = None
        self._timeline = timeline
        self._hub_state: bytes = b""

    # Messages

    def from_bridge(self, leaf: str, message: bytes) -> None:
        """Carry a message of the bridge to the hub."""
        if leaf in ("job/evt", "$state", "status"):
            self._carry(leaf, message, lambda: self.hub.deliver(leaf, message) if self.hub_connected else None)

    def from_hub(self, leaf: str, message: bytes) -> None:
        """Carry a message of the hub to the bridge; the hub's state is retained."""
        if leaf == "hub/$state":
            self._hub_state = message
        self._carry(leaf, message, lambda: self.box.deliver(leaf, message) if self.bridge_connected else None)

    def _carry(self, leaf: str, message: bytes, deliver: Any) -> None:
        timeline, faults = self._timeline, self.faults
        self.messages += 1
        timeline.note("mqtt", leaf, message)
        if leaf != "hub/$state" and timeline.happens(faults.message_lost):  # what is retained comes, if late
            return
        for _ in range(2 if timeline.happens(faults.message_twice) else 1):
            span = LATE_S if timeline.happens(faults.message_late) else LATENCY_S
            timeline.after(timeline.chance.uniform(*span), deliver)

    # Connections

    def bridge_started(self) -> None:
        """Let the bridge connect."""
        self._connect_bridge()

    def bridge_ended(self) -> None:
        """Drop the bridge's connection with its process."""
        self.bridge_connected = False

    def cut_bridge_off(self) -> None:
        """Cut the bridge off for a while."""
        if self.bridge_connected:
            self.bridge_connected = False
            self.box.connection_changed()
            self._timeline.after(self._timeline.chance.uniform(*CUT_OFF_S), self._connect_bridge)

    def cut_hub_off(self) -> None:
        """Cut the hub off for a while: its will tells the bridge."""
        if self.hub_connected:
            self.hub_connected = False
            self.from_hub("hub/$state", self.hub.state("lost"))
            self._timeline.after(self._timeline.chance.uniform(*CUT_OFF_S), self.connect_hub)

    def connect_hub(self) -> None:
        """Let the hub connect, if it runs."""
        if not self.hub_connected and self.hub.is_running:
            self.hub_connected = True
            self.hub.connected()

    def settle(self) -> None:
        """Have both connected, at the latest now."""
        self.connect_hub()
        self._connect_bridge()

    def _connect_bridge(self) -> None:
        if self.bridge_connected or self.box is None or not self.box.is_running:
            return
        self.bridge_connected = True
        if self._hub_state:
            state = self._hub_state
            self._timeline.after(LATENCY_S[0], lambda: self.box.deliver("hub/$state", state) if self.bridge_connected else None)
        self.box.connection_changed()
