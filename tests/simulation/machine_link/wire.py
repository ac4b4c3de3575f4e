"""The serial line: frames that take time, get lost, flipped, doubled and late; none overtakes another of its direction and connection.

What an older connection still carries can come after what a newer one began with: a serial server keeps it.
"""

import re
from collections.abc import Callable

from simulators.packager.codec import Frame, encode_frame
from tests.simulation.machine_link.faults import Faults
from tests.simulation.machine_link.timeline import Timeline

LATENCY_S = (0.001, 0.006)
LATE_S = (0.05, 3.0)
SENT_KEPT = 4000
_FRAMES = re.compile(rb"\x00[^\x00]+\x00")

Taker = Callable[[bytes], None]


class Wire:
    """One direction after another: `send` towards either end; bytes of an older plugging can still come late."""

    def __init__(self, timeline: Timeline, faults: Faults) -> None:
        self.faults = faults
        self.frames = self.damaged = 0
        self._timeline = timeline
        self._sent: dict[bytes, None] = {}
        self._busy_until_s: dict[str, float] = {}

    def was_sent(self, frame: Frame) -> bool:
        """Tell whether exactly this frame was sent lately."""
        return encode_frame(frame) in self._sent

    def send(self, data: bytes, deliver: Taker, way: str) -> None:
        """Carry bytes, frame by frame, the one way or the other."""
        for frame in _FRAMES.findall(data):
            self.frames += 1
            self._sent[frame] = None
            if len(self._sent) > SENT_KEPT:
                del self._sent[next(iter(self._sent))]
            self._carry(frame, deliver, way)

    def _carry(self, frame: bytes, deliver: Taker, way: str) -> None:
        timeline, faults = self._timeline, self.faults
        timeline.note("wire", frame)
        if timeline.happens(faults.frame_lost):
            self.damaged += 1
            return
        if timeline.happens(faults.frame_flipped):
            self.damaged += 1
            at = timeline.chance.randrange(len(frame))
            frame = frame[:at] + bytes([frame[at] ^ (1 << timeline.chance.randrange(8))]) + frame[at + 1 :]
        copies = 2 if timeline.happens(faults.frame_twice) else 1
        for _ in range(copies):
            span = LATE_S if timeline.happens(faults.frame_late) else LATENCY_S
            arrives_s = max(timeline.now_s + timeline.chance.uniform(*span), self._busy_until_s.get(way, 0.0))
            self._busy_until_s[way] = arrives_s
            timeline.after(arrives_s - timeline.now_s, lambda: deliver(frame))
