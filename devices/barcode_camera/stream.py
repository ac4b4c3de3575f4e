"""Reads a camera by OpenCV in a thread of its own and keeps its newest frames; it never blocks whoever asks for one.

DOWN: cable, power or address of the camera. STALE: it is connected but sends nothing. FROZEN: it sends the very
same bytes again and again, which a living sensor cannot. In none of these may a pouch be released by the picture.
"""

import os
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

from devices.barcode_camera.frame import JPEG_START, Frame

FRAMES_KEPT = 8
OPEN_TIMEOUT_MS = 3000
READ_TIMEOUT_MS = 2000
BACKOFF_FIRST_S, BACKOFF_LIMIT_S = 0.2, 5.0
STALE_AFTER_S = 1.5
FROZEN_AFTER_FRAMES, FROZEN_AFTER_S = 20, 3.0
BAD_FRAMES_LIMIT = 10
HTTP_OPTIONS = "fflags;nobuffer|flags;low_delay|probesize;32|analyzeduration;0"
RTSP_OPTIONS = "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay"
OPTIONS_VARIABLE = "OPENCV_FFMPEG_CAPTURE_OPTIONS"

_opening = threading.Lock()


class CameraState(StrEnum):
    """What can be said of the stream at this moment."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    FROZEN = "frozen"
    DOWN = "down"


@dataclass(frozen=True)
class CameraHealth:
    """State, the reason of a state that is not LIVE, and the counters since the start."""

    state: CameraState
    reason: str
    frames: int
    bad_frames: int
    connections: int


class CameraStream:
    """The newest frames of a camera: a device number (`0`, `/dev/video0`), an RTSP URL or an HTTP MJPEG URL.

    `on_state` is called in the reader's thread at each change between CONNECTING, LIVE and DOWN.
    """

    def __init__(self, source: str, on_state: Callable[[CameraState, str], None] | None = None) -> None:
        self._source, self._on_state = source, on_state
        self._changed = threading.Condition()
        self._frames: deque[Frame] = deque(maxlen=FRAMES_KEPT)
        self._state, self._reason = CameraState.CONNECTING, ""
        self._count = self._bad = self._connections = 0
        self._same_frames, self._same_since_s = 0, 0.0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to read; connecting goes on in the background for ever."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the reader; waits at most for the read timeout. Safe to repeat."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join((OPEN_TIMEOUT_MS + READ_TIMEOUT_MS) / 1000 + 1)
            self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def health(self) -> CameraHealth:
        """Say how the stream is now."""
        with self._changed:
            state, reason = self._present_state(time.monotonic())
            return CameraHealth(state, reason, self._count, self._bad, self._connections)

    def _present_state(self, now_s: float) -> tuple[CameraState, str]:
        if self._state is CameraState.LIVE and self._frames:
            silent_s = now_s - self._frames[-1].arrived_s
            if silent_s > STALE_AFTER_S:
                return CameraState.STALE, f"no frame for {silent_s:.1f} s"
            if self._same_frames >= FROZEN_AFTER_FRAMES and now_s - self._same_since_s >= FROZEN_AFTER_S:
                return CameraState.FROZEN, f"{self._same_frames} frames of the same bytes"
        return self._state, self._reason

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
            while not self._stopping.is_set():
                for frame in self._frames:
                    if frame.sequence > sequence and frame.arrived_s >= arrived_s:
                        return frame
                remaining_s = deadline_s - time.monotonic()
                if remaining_s <= 0:
                    return None
                self._changed.wait(remaining_s)
        return None

    def _run(self) -> None:
        backoff_s = BACKOFF_FIRST_S
        while not self._stopping.is_set():
            frames_before = self._count
            reason = self._read_one_connection()
            if self._stopping.is_set():
                return
            self._tell(CameraState.DOWN, reason)
            backoff_s = BACKOFF_FIRST_S if self._count > frames_before else min(backoff_s * 2, BACKOFF_LIMIT_S)
            self._stopping.wait(backoff_s)

    def _read_one_connection(self) -> str:
        """Open the camera and read until it ends; returns why it ended."""
        try:
            capture = open_capture(self._source)
        except (cv2.error, OSError) as error:
            return f"cannot open {self._source}: {error}"
        try:
            if not capture.isOpened():
                return f"cannot open {self._source}"
            self._connections += 1
            return self._read(capture)
        finally:
            capture.release()

    def _read(self, capture: cv2.VideoCapture) -> str:
        bad_in_a_row = 0
        while not self._stopping.is_set():
            done, data = capture.read()
            if not done:
                return "the stream ended"
            if self._keep(np.asarray(data, np.uint8)):
                bad_in_a_row = 0
            elif (bad_in_a_row := bad_in_a_row + 1) >= BAD_FRAMES_LIMIT:
                return f"{bad_in_a_row} damaged frames in a row"
        return "stopped"

    def _keep(self, data: Any) -> bool:
        """Put what one read gave among the newest frames; False where it is neither JPEG nor picture."""
        now_s = time.monotonic()
        packet = data.tobytes() if data.ndim == 2 and 1 in data.shape else None
        if packet is not None and not packet.startswith(JPEG_START):
            self._bad += 1
            return False
        with self._changed:
            same = packet is not None and bool(self._frames) and self._frames[-1].jpeg == packet
            self._same_frames = self._same_frames + 1 if same else 0
            self._same_since_s = self._same_since_s if same else now_s
            self._count += 1
            self._frames.append(Frame(self._count, now_s, packet, None if packet is not None else data))
            self._changed.notify_all()
        if self._state is not CameraState.LIVE:
            self._tell(CameraState.LIVE, "")
        return True

    def _tell(self, state: CameraState, reason: str) -> None:
        with self._changed:
            changed, self._state, self._reason = state is not self._state, state, reason
            self._changed.notify_all()
        if changed and self._on_state is not None:
            self._on_state(state, reason)


def open_capture(source: str) -> cv2.VideoCapture:
    """Open a camera with the least delay OpenCV can give; of HTTP MJPEG it takes the camera's own JPEGs, not decoded."""
    if source.isdigit() or source.startswith("/dev/video"):
        capture = cv2.VideoCapture(int(source) if source.isdigit() else source, cv2.CAP_V4L2)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return capture
    if not source.startswith(("http://", "https://")):
        return _open_ffmpeg(source, RTSP_OPTIONS, [])
    capture = _open_ffmpeg(source, HTTP_OPTIONS, [cv2.CAP_PROP_FORMAT, -1])
    if not capture.isOpened() or int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little") == b"MJPG":
        return capture
    capture.release()
    return _open_ffmpeg(source, RTSP_OPTIONS, [])


def _open_ffmpeg(source: str, options: str, settings: list[int]) -> cv2.VideoCapture:
    """Open by FFmpeg, whose options OpenCV takes only from the environment: set for this one opening."""
    with _opening:
        before = os.environ.get(OPTIONS_VARIABLE)
        os.environ[OPTIONS_VARIABLE] = options if before is None else before
        try:
            return cv2.VideoCapture(source, cv2.CAP_FFMPEG, [
                cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS,
                cv2.CAP_PROP_N_THREADS, 1, *settings,
            ])
        finally:
            if before is None:
                del os.environ[OPTIONS_VARIABLE]
