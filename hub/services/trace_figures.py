"""What the frames of a watch add up to: errors by cause, repetitions, rates, and how long the machine takes to answer."""

from collections import Counter, deque
from collections.abc import Iterable
from math import ceil
from typing import Any

from hub.services.device_service import Frame

ROUND_TRIPS_KEPT = 5000
CAUSES = ("crc", "cobs", "overrun", "stale", "payload")
US_A_SECOND = 1_000_000
LONG_ENOUGH_US = 500_000


class TraceFigures:
    """Sums over the frames heard; round trips over the last 5,000."""

    def __init__(self) -> None:
        self._frames = 0
        self._octets = 0
        self._errors: Counter[str] = Counter()
        self._repeated = 0
        self._round_trips_us: deque[int] = deque(maxlen=ROUND_TRIPS_KEPT)
        self._last_request: tuple[int, str, str] | None = None
        self._span_us: tuple[int, int] | None = None

    def hear(self, frames: Iterable[Frame]) -> None:
        """Take the next frames, in their order."""
        for frame in frames:
            self._count(frame)

    def _count(self, frame: Frame) -> None:
        self._frames += 1
        self._octets += frame.octets
        if frame.error:
            self._errors[frame.error] += 1
        if frame.round_trip_us is not None:
            self._round_trips_us.append(frame.round_trip_us)
        if frame.direction == "to-device":
            request = (frame.seq, frame.type, frame.op)
            self._repeated += request == self._last_request
            self._last_request = request
        first_us = frame.at_us if self._span_us is None else min(self._span_us[0], frame.at_us)
        self._span_us = (first_us, frame.at_us)

    def facts(self) -> dict[str, Any]:
        """Return the figures by name; rates and round trips are None where there is too little to tell them."""
        return {
            "frames": self._frames, "repeated": self._repeated, **{cause: self._errors[cause] for cause in CAUSES},
            "frames_a_second": self._rate(self._frames), "bytes_a_second": self._rate(self._octets),
            "round_trip_p50_us": self._round_trip(0.5), "round_trip_p99_us": self._round_trip(0.99),
        }  # fmt: skip

    def _rate(self, count: int) -> float | None:
        if self._span_us is None or (span_us := self._span_us[1] - self._span_us[0]) < LONG_ENOUGH_US:
            return None
        return round(count * US_A_SECOND / span_us, 1)

    def _round_trip(self, part: float) -> int | None:
        ordered = sorted(self._round_trips_us)
        return ordered[ceil(part * len(ordered)) - 1] if ordered else None
