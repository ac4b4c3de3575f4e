"""What the hub notices about devices between two looks: gaps in their events that stay, and machines that do not tell of themselves.

One look is not enough: an event that was lost on its way is sent again within seconds, and a birth comes before what it announces.
"""

import threading
from collections.abc import Iterable

from hub.services.devices import Gap

ASK_EVERY_S = 60.0
WANTED = frozenset({"status", "$description"})


class DeviceWatch:
    """Hear what comes from any thread; `stays` and `to_ask` are called once a look, with the time in seconds that only goes forward."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._living: set[str] = set()
        self._told: dict[str, set[str]] = {}
        self._gaps: dict[str, frozenset[Gap]] = {}
        self._wanting: set[str] = set()
        self._asked_s: dict[str, float] = {}

    def heard(self, device: str, leaf: str) -> None:
        """Note that a device told its `status` or `$description`."""
        with self._lock:
            self._told.setdefault(device, set()).add(leaf)

    def born(self, device: str) -> None:
        """Note that a device is there and its machine answers: it sends again whatever it holds, so its gaps are looked at anew."""
        with self._lock:
            self._living.add(device)
            self._gaps.pop(device, None)

    def died(self, device: str) -> None:
        """Note that a device is gone, or its machine does not answer: what it holds comes after its next birth, and that tells all anew."""
        with self._lock:
            self._living.discard(device)
            self._told.pop(device, None)

    def begin_anew(self) -> None:
        """Note that the broker was away: whatever could not come meanwhile comes now."""
        with self._lock:
            self._gaps.clear()
            self._wanting.clear()

    def stays(self, device: str, found: Iterable[Gap]) -> tuple[Gap, ...]:
        """Take the gaps of this look; return those that a living device has left since the look before."""
        with self._lock:
            if device not in self._living:
                return ()
            now = frozenset(found)
            before, self._gaps[device] = self._gaps.get(device, frozenset()), now
            return tuple(sorted(now & before))

    def to_ask(self, devices: Iterable[str], with_gaps: Iterable[str], now_s: float) -> list[str]:
        """Return which of these devices to ask for a rebirth: each at most once a minute.

        That is one with a gap that stays, and one that lives and has not told status and description since the look before.
        """
        with self._lock:
            silent = {each for each in devices if each in self._living and not self._told.get(each, set()) >= WANTED}
            wanting, self._wanting = (silent & self._wanting) | set(with_gaps), silent
            due = sorted(each for each in wanting if now_s - self._asked_s.get(each, float("-inf")) >= ASK_EVERY_S)
            self._asked_s |= dict.fromkeys(due, now_s)
            return due
