"""Reads a camera by OpenCV in a thread of its own and keeps its newest frames; it never blocks whoever asks for one.

Only a LIVE stream is a witness. Each other state is a fault with its figure: in none of them may a pouch be released by the picture.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np

from devices.barcode_camera.capture import OPEN_TIMEOUT_MS, READ_TIMEOUT_MS, CaptureSettings, Refused, open_capture
from devices.barcode_camera.frame import Frame, UnreadableFrame
from devices.barcode_camera.image_health import FrameFault, frame_fault

_log = logging.getLogger(__name__)
FRAMES_KEPT = 8
BACKOFF_FIRST_S, BACKOFF_LIMIT_S = 0.2, 5.0
STALE_AFTER_S = 1.5
FROZEN_AFTER_FRAMES, FROZEN_AFTER_S = 20, 3.0
SLOW_GAP_S = 0.7
"""Mean seconds between the frames kept, above which the station cannot take its frames of a pouch in time."""
BAD_FRAMES_LIMIT = 10
RECENT_FRAMES, TORN_LIMIT = 20, 5
LOOK_EVERY_S = 0.5
"""How often the reader looks into a picture by itself; a pouch's own frames are all looked at by the station."""
FAULT_HOLDS_S = 2.0
"""How long a stream counts as faulty after a black or torn picture was seen: a loose cable spoils one picture and not the next."""


class CameraState(StrEnum):
    """What can be said of the stream at this moment.

    STALE: connected, and nothing comes. FROZEN: the very same picture again and again, which no living sensor gives.
    BLACK: a covered lens, or no light. TORN: half pictures or shifted lines. SLOW: too few frames a second.
    """

    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    FROZEN = "frozen"
    BLACK = "black"
    TORN = "torn"
    SLOW = "slow"
    DOWN = "down"


@dataclass(frozen=True)
class CameraHealth:
    """State, the figure or detail of a state that is not LIVE (`reason`), counters since the start, and settings refused."""

    state: CameraState
    reason: str
    frames: int
    bad_frames: int
    connections: int
    refused: tuple[Refused, ...] = ()


class CameraStream:
    """The newest frames of a camera; `on_state` is called in the reader's thread at each change of state."""

    def __init__(
        self, source: str | CaptureSettings, on_state: Callable[[CameraState, str], None] | None = None,
    ) -> None:
        self._settings = source if isinstance(source, CaptureSettings) else CaptureSettings(source)
        self._on_state = on_state
        self._changed = threading.Condition()
        self._frames: deque[Frame] = deque(maxlen=FRAMES_KEPT)
        self._state, self._reason = CameraState.CONNECTING, ""
        self._told = CameraState.CONNECTING
        self._count = self._bad = self._connections = 0
        self._same_frames, self._same_since_s = 0, 0.0
        self._torn: deque[bool] = deque(maxlen=RECENT_FRAMES)
        self._looked_s, self._fault_s = 0.0, 0.0
        self._fault: FrameFault | None = None
        self._refused: tuple[Refused, ...] = ()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to read; connecting goes on in the background for ever."""
        self._stopping.clear()
        self._threads = [
            threading.Thread(target=self._run, name="camera", daemon=True),
            threading.Thread(target=self._watch, name="camera-watch", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the reader; waits at most for the read timeout. Safe to repeat."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            thread.join((OPEN_TIMEOUT_MS + READ_TIMEOUT_MS) / 1000 + 1)
        self._threads = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def health(self) -> CameraHealth:
        """Say how the stream is now."""
        with self._changed:
            state, reason = self._present_state(time.monotonic())
            return CameraHealth(state, reason, self._count, self._bad, self._connections, self._refused)

    def _present_state(self, now_s: float) -> tuple[CameraState, str]:
        if self._state is not CameraState.LIVE or not self._frames:
            return self._state, self._reason
        silent_s = now_s - self._frames[-1].arrived_s
        gap_s = self._mean_gap_s()
        if silent_s > STALE_AFTER_S:
            return CameraState.STALE, f"{silent_s:.1f} s"
        if self._same_frames >= FROZEN_AFTER_FRAMES and now_s - self._same_since_s >= FROZEN_AFTER_S:
            return CameraState.FROZEN, str(self._same_frames)
        if sum(self._torn) >= TORN_LIMIT or self._fault is FrameFault.TORN:
            return CameraState.TORN, f"{sum(self._torn)}/{len(self._torn)}"
        if self._fault is FrameFault.BLACK:
            return CameraState.BLACK, ""
        if gap_s > SLOW_GAP_S:
            return CameraState.SLOW, f"{1 / gap_s:.1f}"
        return CameraState.LIVE, ""

    def _mean_gap_s(self) -> float:
        """Give the mean seconds between the kept frames; 0 before there are enough of this connection."""
        if len(self._frames) < FRAMES_KEPT:
            return 0.0
        return (self._frames[-1].arrived_s - self._frames[0].arrived_s) / (FRAMES_KEPT - 1)

    def latest(self) -> Frame | None:
        """Give the newest frame, or None before the first one."""
        with self._changed:
            return self._frames[-1] if self._frames else None

    def frames_after(self, *, timeout_s: float, sequence: int = 0, arrived_s: float = 0.0) -> Iterator[Frame]:
        """Yield frames newer than `sequence` and not older than `arrived_s` as they come, until the time is over.

        Kept frames come first, oldest first; whoever is slower than the camera misses frames, never gets old ones late.
        """
        deadline_s = time.monotonic() + timeout_s
        while (frame := self._next(sequence, arrived_s, deadline_s)) is not None:
            sequence = frame.sequence
            yield frame

    def _next(self, sequence: int, arrived_s: float, deadline_s: float) -> Frame | None:
        with self._changed:
            # The time ends also for whoever is slower than the camera, who would find a newer frame for ever.
            while not self._stopping.is_set() and (remaining_s := deadline_s - time.monotonic()) > 0:
                for frame in self._frames:
                    if frame.sequence > sequence and frame.arrived_s >= arrived_s:
                        return frame
                self._changed.wait(remaining_s)
        return None

    def _run(self) -> None:
        backoff_s = BACKOFF_FIRST_S
        while not self._stopping.is_set():
            frames_before = self._count
            state, reason = self._outlived_connection()
            if self._stopping.is_set():
                return
            self._become(state, reason)
            backoff_s = BACKOFF_FIRST_S if self._count > frames_before else min(backoff_s * 2, BACKOFF_LIMIT_S)
            self._stopping.wait(backoff_s)

    def _outlived_connection(self) -> tuple[CameraState, str]:
        """Read one connection; whatever is raised ends it and not the reader, which tries the next one after the pause."""
        try:
            return self._read_one_connection()
        except Exception as error:  # noqa: BLE001 - whatever is raised, the camera is tried again
            _log.exception("the reader of %s goes on after an error", self._settings.source)
            return CameraState.DOWN, f"cannot read {self._settings.source}: {type(error).__name__}: {error}"

    def _read_one_connection(self) -> tuple[CameraState, str]:
        """Open the camera and read until it ends; returns what it is now and why."""
        source = self._settings.source
        try:
            capture, refused = open_capture(self._settings)
        except (cv2.error, OSError) as error:
            return CameraState.DOWN, f"cannot open {source}: {error}"
        try:
            if not capture.isOpened():
                return CameraState.DOWN, f"cannot open {source}"
            self._begin(refused)
            return self._read(capture)
        finally:
            capture.release()

    def _begin(self, refused: tuple[Refused, ...]) -> None:
        """Start a connection: what was kept of the one before says nothing of this one's pace."""
        with self._changed:
            self._connections += 1
            self._refused = refused
            self._frames.clear()
            self._torn.clear()
            self._same_frames, self._fault = 0, None

    def _read(self, capture: cv2.VideoCapture) -> tuple[CameraState, str]:
        bad_in_a_row = 0
        while not self._stopping.is_set():
            done, data = capture.read()
            if not done:
                return CameraState.DOWN, "the stream ended"
            if self._keep(np.asarray(data, np.uint8)):
                bad_in_a_row = 0
            elif (bad_in_a_row := bad_in_a_row + 1) >= BAD_FRAMES_LIMIT:
                return CameraState.TORN, f"{bad_in_a_row}/{bad_in_a_row}"
        return CameraState.DOWN, "stopped"

    def _keep(self, data: Any) -> bool:
        """Put what one read gave among the newest frames; False where it is no picture or only a part of one."""
        now_s = time.monotonic()
        packet = data.tobytes() if data.ndim == 2 and 1 in data.shape else None
        frame = Frame(self._count + 1, now_s, packet, None if packet is not None else data)
        is_whole, found = self._look_into(frame)
        with self._changed:
            self._torn.append(not is_whole or found is FrameFault.TORN)
            if found is not None:
                self._fault, self._fault_s = found, now_s
            elif now_s - self._fault_s > FAULT_HOLDS_S:
                self._fault = None
            if not is_whole:
                self._bad += 1
                return False
            self._same_frames = self._same_frames + 1 if self._is_repeated(frame) else 0
            self._same_since_s = self._same_since_s if self._same_frames else now_s
            self._count += 1
            self._frames.append(frame)
            self._changed.notify_all()
        if self._state is not CameraState.LIVE:
            self._become(CameraState.LIVE, "")
        return True

    def _look_into(self, frame: Frame) -> tuple[bool, FrameFault | None]:
        """Tell whether a frame is a whole picture, and now and then what is wrong with what it shows."""
        if not frame.is_whole:
            return False, None
        if frame.arrived_s - self._looked_s < LOOK_EVERY_S:
            return True, None
        self._looked_s = frame.arrived_s
        try:
            return True, frame_fault(frame)
        except UnreadableFrame:
            return False, FrameFault.TORN

    def _is_repeated(self, frame: Frame) -> bool:
        """Tell whether a frame is the one before to the last bit, by its bytes or, of a raw camera, by its pixels."""
        before = self._frames[-1] if self._frames else None
        if before is None or before.jpeg != frame.jpeg:
            return False
        return frame.pixels is None or (before.pixels is not None and np.array_equal(before.pixels, frame.pixels))

    def _become(self, state: CameraState, reason: str) -> None:
        with self._changed:
            self._state, self._reason = state, reason
            self._changed.notify_all()
        self._tell()

    def _watch(self) -> None:
        """Tell of states that show only with time: silence, the same picture, too few frames."""
        while not self._stopping.wait(LOOK_EVERY_S):
            self._tell()

    def _tell(self) -> None:
        """Call `on_state` where the state differs from the one told last; in the order in which they came."""
        with self._changed:
            state, reason = self._present_state(time.monotonic())
            changed, self._told = state is not self._told, state
            if changed and self._on_state is not None:
                self._call(self._on_state, state, reason)

    def _call(self, on_state: Callable[[CameraState, str], None], state: CameraState, reason: str) -> None:
        """Tell of a state; a listener that fails must not end the reader."""
        try:
            on_state(state, reason)
        except Exception:  # noqa: BLE001 - a listener must not end the reader
            _log.exception("nobody was told that the camera is %s (%s)", state.value, reason)
