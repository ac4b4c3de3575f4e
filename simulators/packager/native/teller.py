"""Tells the hub what happened, in order and again and again until it has acknowledged it, and how the machine stands."""

import json
from collections.abc import Iterator
from typing import Any, Protocol

from simulators.packager.firmware import Firmware
from simulators.packager.native.desk import Now
from simulators.packager.native.notes import Notes
from simulators.packager.native.telling import event_told, status_told

WINDOW_EVENTS = 100
RESEND_S = 2.0
STATUS_SPACING_S = 0.5
EVT_ACK = 0x05

Name = tuple[str, int, int]
"""Source, boot and number of an event."""


class Publisher(Protocol):
    """Where messages leave; False where they cannot."""

    def publish(self, leaf: str, message: bytes, *, retain: bool = False) -> bool:
        """Publish one message of this machine."""


def to_json(told: dict[str, Any]) -> bytes:
    """Write one message."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


class Teller:
    """What was sent on this connection and when; forgotten with it, as everything is told again on the next."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._sent_s: dict[Name, float] = {}
        self._happened: dict[Name, str] = {}
        self._acknowledged: set[int] = set()
        self._status: dict[str, Any] = {}
        self._status_s = float("-inf")

    def start_over(self) -> None:
        """Send everything again: the connection or the hub is new."""
        self._sent_s.clear()
        self.tell_status_again()

    def tell_status_again(self) -> None:
        """Publish `status` at the next turn though it is no news."""
        self._status, self._status_s = {}, float("-inf")

    def forget(self) -> None:
        """Forget what power took away: events have other numbers after a boot."""
        self.start_over()
        self._happened.clear()
        self._acknowledged.clear()

    def acknowledge(self, source: str, boot: int, number: int, firmware: Firmware, now: Now) -> None:
        """Take the hub's acknowledgement; the firmware forgets an event when all before it are acknowledged too."""
        memory = firmware.memory
        if source == "bridge" and boot == 0:
            self._notes.acknowledge(number)
        elif source == "firmware" and boot == memory.boot and memory.first_evt <= number < memory.next_evt:
            self._acknowledged.add(number)
            last = memory.first_evt - 1
            while last + 1 in self._acknowledged:
                last += 1
                self._acknowledged.remove(last)
            if last >= memory.first_evt:
                firmware.ask(EVT_ACK, boot.to_bytes(4, "little") + last.to_bytes(4, "little"), now.simulated_s)

    def tell(self, firmware: Firmware, out: Publisher, now: Now, *, again: bool) -> None:
        """Publish what was never sent, and where `again`, what has waited 2 s for its acknowledgement."""
        sent_s: dict[Name, float] = {}
        for name, told in self._pending(firmware, now):
            before_s = self._sent_s.get(name)
            if before_s is None or (again and now.real_s - before_s >= RESEND_S):
                before_s = now.real_s if out.publish("job/evt", to_json(told)) else before_s
            if before_s is not None:
                sent_s[name] = before_s
        self._sent_s = sent_s
        self._happened = {name: at for name, at in self._happened.items() if name in sent_s}

    def _pending(self, firmware: Firmware, now: Now) -> Iterator[tuple[Name, dict[str, Any]]]:
        for number, told in list(self._notes.refused.items())[:WINDOW_EVENTS]:
            yield ("bridge", 0, number), told
        memory = firmware.memory
        for number in range(memory.first_evt, min(memory.first_evt + WINDOW_EVENTS, memory.next_evt)):
            if number not in self._acknowledged:
                name = ("firmware", memory.boot, number)
                at = self._happened.setdefault(name, now.told)
                yield name, event_told(memory.events[number - memory.first_evt], memory.boot, number, at)

    def tell_status(self, firmware: Firmware, counters: dict[str, int], queued: int, out: Publisher, now: Now) -> None:
        """Publish `status` when it has news, at most twice a second."""
        if now.real_s - self._status_s < STATUS_SPACING_S:
            return
        told = status_told(firmware, counters, queued)
        if told != self._status and out.publish("status", to_json(told), retain=True):
            self._status, self._status_s = told, now.real_s

    def due_s(self, now_s: float) -> float:
        """Give when to tell again at the latest, in real seconds."""
        dues = [sent_s + RESEND_S for sent_s in self._sent_s.values()]
        return min([*dues, max(now_s, self._status_s) + STATUS_SPACING_S])
