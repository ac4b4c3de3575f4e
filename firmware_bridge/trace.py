"""What crosses a machine's port, decoded for an engineer: frames in, the messages of `trace` out, only while somebody watches; pure."""

from collections import deque
from collections.abc import Callable
from typing import Literal

from firmware_bridge.codec import Frame, cobs_decode, encode_frame
from firmware_bridge.frame_words import fields_of, name_of
from firmware_bridge.link import Crossing
from firmware_bridge.trace_contract import FRAMES_A_MESSAGE, TracedFrame, TraceReport

FRAMES_WAITING = 1000
SPACING_S = 0.1


def traced(crossing: Crossing, begun_s: float) -> TracedFrame:
    """Return a crossing as it is told; an unreadable payload has no fields, its bytes are there all the same."""
    frame = crossing.frame
    direction: Literal["to-device", "from-device"] = "to-device" if crossing.is_sent else "from-device"
    at_us = max(0, round((crossing.at_s - begun_s) * 1e6))
    if frame is None:
        return TracedFrame(at_us=at_us, direction=direction, hex=crossing.raw.hex(), error=crossing.error)
    round_trip_us = None if crossing.round_trip_s is None else round(crossing.round_trip_s * 1e6)
    kind, op = name_of(frame)
    return TracedFrame(
        at_us=at_us, direction=direction, hex=_whole(frame).hex(), type=kind, seq=frame.seq, sid=frame.session, op=op,
        fields=fields_of(frame), error=crossing.error, round_trip_us=round_trip_us,
    )  # fmt: skip


def _whole(frame: Frame) -> bytes:
    return cobs_decode(encode_frame(frame)[1:-1])


class Trace:
    """The frames of one machine that wait to be told, for as long as somebody watches."""

    def __init__(self) -> None:
        self._begun_s = 0.0
        self._until_s: float | None = None
        self._told_s = 0.0
        self._dropped = 0
        self._waiting: deque[Crossing] = deque()

    def watch(self, seconds: int, now_s: float) -> None:
        """Begin to watch, or watch on: two who watch see the same frames, until the later of their ends."""
        if self._until_s is None:
            self._begun_s, self._told_s, self._dropped = now_s, now_s, 0
            self._until_s = now_s
        self._until_s = max(self._until_s, now_s + seconds)

    def tap(self, now_s: float) -> Callable[[Crossing], None] | None:
        """Return what is to be told of each crossing, or None while nobody watches."""
        return self._take if self._until_s is not None and now_s < self._until_s else None

    def due_in_s(self, now_s: float) -> float | None:
        """Return the seconds until `message_due` has something to say, or None while nobody watches."""
        if self._until_s is None:
            return None
        due_s = min(self._told_s + SPACING_S, self._until_s) if self._waiting else self._until_s
        return max(0.0, due_s - now_s)

    def message_due(self, now_s: float) -> TraceReport | None:
        """Return the next message, at most ten a second unless more frames wait than one can hold."""
        if self._until_s is None or not self._is_due(now_s, self._until_s):
            return None
        frames = tuple(self._waiting.popleft() for _ in range(min(FRAMES_A_MESSAGE, len(self._waiting))))
        self._told_s = now_s
        ended = now_s >= self._until_s and not self._waiting
        if ended:
            self._until_s = None
        told = tuple(traced(crossing, self._begun_s) for crossing in frames)
        return TraceReport(frames=told, dropped=self._dropped, ended=ended)

    def lose(self, report: TraceReport) -> None:
        """Count the frames of a message that could not leave."""
        self._dropped += len(report.frames)

    def _is_due(self, now_s: float, until_s: float) -> bool:
        is_full = len(self._waiting) >= FRAMES_A_MESSAGE
        return now_s >= until_s or is_full or (bool(self._waiting) and now_s >= self._told_s + SPACING_S)

    def _take(self, crossing: Crossing) -> None:
        if len(self._waiting) >= FRAMES_WAITING:
            self._dropped += 1
        else:
            self._waiting.append(crossing)
