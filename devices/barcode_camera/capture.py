"""Opens a camera by OpenCV with the least delay, sets what the settings name, and says what the device refused."""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

import cv2

OPEN_TIMEOUT_MS = 3000
READ_TIMEOUT_MS = 2000
HTTP_OPTIONS = "fflags;nobuffer|flags;low_delay|probesize;32|analyzeduration;0"
RTSP_OPTIONS = "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay"
OPTIONS_VARIABLE = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
BACKENDS = {"": cv2.CAP_V4L2, "v4l2": cv2.CAP_V4L2, "dshow": cv2.CAP_DSHOW, "msmf": cv2.CAP_MSMF, "any": cv2.CAP_ANY}
AUTO_EXPOSURE_OFF = 1.0
"""V4L2's menu of `exposure_auto`: manual."""
SIZE_LIMIT_PX = 10_000
FPS_LIMIT = 240.0

_opening = threading.Lock()


@dataclass(frozen=True)
class CaptureSettings:
    """Which camera, and how it is to be set; None leaves the camera's own value.

    `source`: device number, `/dev/video0`, RTSP or HTTP MJPEG URL. `backend`: "" (V4L2), "v4l2", "dshow", "msmf", "any".
    `exposure` is the fixed one, in the device's own unit (V4L2: 0.1 ms); with None the camera chooses by itself.
    """

    source: str
    backend: str = ""
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    exposure: float | None = None

    @classmethod
    def from_text(cls, source: str, backend: str = "", size: str = "", fps: float = 0, exposure: float = 0) -> "CaptureSettings":
        """Read settings as they are written ("1280x960"; 0 and "" leave the camera's own); ValueError says what is wrong."""
        if backend not in BACKENDS:
            raise ValueError(f"camera backend {backend!r}: one of {', '.join(filter(None, BACKENDS))}")
        if not 0 <= fps <= FPS_LIMIT:
            raise ValueError(f"camera frames a second {fps:g}: 0 to {FPS_LIMIT:g}")
        if not isfinite(exposure):
            raise ValueError(f"camera exposure {exposure:g}: a number in the camera's own unit")
        width, height = _size(size)
        return cls(source, backend, width, height, fps or None, exposure or None)

    @property
    def is_device(self) -> bool:
        """Tell whether it is a camera of this machine, which can be set from here."""
        return self.source.isdigit() or self.source.startswith("/dev/video")


@dataclass(frozen=True)
class Refused:
    """A setting that a camera did not take: `exposure-auto`, `width`, `height`, `fps` or `exposure`, what was asked and what it keeps."""

    setting: str
    wanted: float
    kept: float


def _size(text: str) -> tuple[int | None, int | None]:
    if not text:
        return None, None
    width, _, height = text.lower().partition("x")
    if not (text.isascii() and width.isdigit() and height.isdigit() and 0 < int(width) <= SIZE_LIMIT_PX and 0 < int(height) <= SIZE_LIMIT_PX):
        raise ValueError(f"camera size {text!r}: write it as 1280x960, at most {SIZE_LIMIT_PX} px a side")
    return int(width), int(height)


def open_capture(settings: CaptureSettings) -> tuple[cv2.VideoCapture, tuple[Refused, ...]]:
    """Open a camera; returns it and what was asked of it in vain. Of HTTP MJPEG it takes the camera's own JPEGs, not decoded."""
    if settings.is_device:
        source = int(settings.source) if settings.source.isdigit() else settings.source
        capture = cv2.VideoCapture(source, BACKENDS[settings.backend])
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    else:
        capture = _open_network(settings.source)
    return capture, (tuple(_refused(capture, settings)) if capture.isOpened() else ())


def _refused(capture: cv2.VideoCapture, settings: CaptureSettings) -> Iterator[Refused]:
    """Set the camera and yield each setting that it did not take: it says so, or keeps another value."""
    for name, number, wanted in (
        ("exposure-auto", cv2.CAP_PROP_AUTO_EXPOSURE, None if settings.exposure is None else AUTO_EXPOSURE_OFF),
        ("width", cv2.CAP_PROP_FRAME_WIDTH, settings.width), ("height", cv2.CAP_PROP_FRAME_HEIGHT, settings.height),
        ("fps", cv2.CAP_PROP_FPS, settings.fps), ("exposure", cv2.CAP_PROP_EXPOSURE, settings.exposure),
    ):
        if wanted is not None and not _took(capture, number, float(wanted)):
            yield Refused(name, wanted, capture.get(number))


def _took(capture: cv2.VideoCapture, number: int, wanted: float) -> bool:
    """Set one value; OpenCV may say yes and change nothing, so the value is read back."""
    capture.set(number, wanted)
    return abs(capture.get(number) - wanted) <= 0.02 * abs(wanted)


def _open_network(source: str) -> cv2.VideoCapture:
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
