"""No picture that a camera sends, however small, large or spoilt, ends its reader or leaves a pouch without a verdict."""

import threading
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from camera_plant import look, lying, picture
from camera_rasters import label

from devices.barcode_camera.capture import CaptureSettings, Refused
from devices.barcode_camera.frame import MOST_PIXELS, Frame, UnreadableFrame, jpeg_size
from devices.barcode_camera.inspect import Expected, inspect, look_for
from devices.barcode_camera.stream import BAD_FRAMES_LIMIT, CameraHealth, CameraState, CameraStream
from hub.adapters.camera_station import seen_pouch
from hub.domain.identifiers import PackSerial
from hub.domain.packs import Verdict
from hub.domain.verification import ExpectedPouch, verify_pouch
from simulators.camera.scene import Scene

SIZES = [(1, 1), (2, 2), (1, 1280), (1280, 1), (3, 3)]
SERIAL = PackSerial("ABCDEF0123456789")
WANTED = Expected(SERIAL, (look(), look()))
LIVE = CameraHealth(CameraState.LIVE, "", frames=0, bad_frames=0, connections=1)


def raw(height: int, width: int) -> Frame:
    return Frame(1, 0.0, None, np.full((height, width, 3), 200, np.uint8))


def as_jpeg(height: int, width: int) -> Frame:
    return Frame(1, 0.0, cv2.imencode(".jpg", np.full((height, width, 3), 200, np.uint8))[1].tobytes())


def lying_about(height: int, width: int) -> Frame:
    """Offer a good JPEG whose header tells of another size."""
    jpeg = bytearray(as_jpeg(480, 640).jpeg or b"")
    at = jpeg.find(b"\xff\xc0")
    jpeg[at + 5:at + 9] = height.to_bytes(2) + width.to_bytes(2)
    return Frame(1, 0.0, bytes(jpeg))


SPOILT = [
    *(pytest.param(raw(*size), id=f"raw {size}") for size in SIZES), *(pytest.param(as_jpeg(*size), id=f"jpeg {size}") for size in SIZES),
    pytest.param(lying_about(65000, 65000), id="a header of 65000 x 65000"), pytest.param(lying_about(0, 640), id="a header without a height"),
    pytest.param(Frame(1, 0.0, b"\xff\xd8\xff\xd9"), id="nothing but both ends"), pytest.param(Frame(1, 0.0, b""), id="no byte"),
    pytest.param(Frame(1, 0.0, b"\xff\xd8\xff\xe0\xff"), id="a header cut off"),
    pytest.param(Frame(1, 0.0, None, np.zeros((480, 640), np.uint8)), id="grey pixels"),
]  # fmt: skip


@pytest.mark.parametrize("frame", SPOILT)
def test_what_is_no_picture_of_a_station_is_an_unreadable_frame_and_the_pouch_is_looked_at(frame: Frame) -> None:
    for part in ("grey", "half_grey", "half_colour"):
        with pytest.raises(UnreadableFrame):
            getattr(frame, part)
    assert not frame.is_whole and frame.trouble
    seen = seen_pouch(look_for([frame] * 4, WANTED), WANTED, ((2, 2),), LIVE)
    verdict, reasons = verify_pouch(ExpectedPouch(SERIAL, 2), seen)
    assert verdict is Verdict.LOOK
    assert "no picture came that can be looked into" in [reason.text for reason in reasons] and all(reason.text_ru for reason in reasons)


def test_a_frame_that_opencv_refuses_is_unreadable() -> None:
    spoilt = Frame(1, 0.0, None, np.full((480, 640, 3), 7, np.int64))
    with pytest.raises(UnreadableFrame):
        _ = spoilt.grey


def test_the_size_is_read_of_the_header_and_a_good_picture_is_still_one() -> None:
    good = picture(Scene("whole", label(SERIAL), (lying(), lying())))
    assert jpeg_size(good.jpeg or b"") == (1280, 960) and good.is_whole
    assert inspect(good, WANTED).serials == (SERIAL,)
    width = 10_000
    assert lying_about(MOST_PIXELS // width, width).trouble == "" and "too large" in lying_about(MOST_PIXELS // width + 1, width).trouble


class Sensor:
    """A capture that gives what it is told to, as OpenCV would."""

    def __init__(self, read: Callable[[int], Any]) -> None:
        self._read, self._number = read, 0

    def isOpened(self) -> bool:
        return True

    def read(self) -> tuple[bool, Any]:
        self._number += 1
        threading.Event().wait(0.002)
        return True, self._read(self._number)

    def release(self) -> None:
        return


def living(number: int) -> Any:
    return np.random.default_rng(number).integers(60, 200, (96, 128, 3), np.uint8)


def refusing(number: int) -> Any:
    if number == 5:
        raise cv2.error("the driver refused a buffer")
    return living(number)


def wait_until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "waited in vain"
        threading.Event().wait(0.005)


def plugged(monkeypatch: pytest.MonkeyPatch, read: Callable[[int], Any]) -> None:
    def opened(settings: CaptureSettings) -> tuple[Sensor, tuple[Refused, ...]]:
        return Sensor(read), ()

    monkeypatch.setattr("devices.barcode_camera.stream.open_capture", opened)
    monkeypatch.setattr("devices.barcode_camera.stream.BACKOFF_FIRST_S", 0.01)


def test_one_tiny_raw_frame_is_counted_as_damaged_and_the_camera_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    plugged(monkeypatch, lambda number: np.full((1, 1, 3), 200, np.uint8) if number == 5 else living(number))
    with CameraStream("raw") as reader:
        wait_until(lambda: reader.health().frames > 30)
        assert reader.health().bad_frames == 1 and reader.health().connections == 1
        assert reader.health().state is CameraState.LIVE


def test_nothing_but_tiny_frames_is_torn_with_its_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    plugged(monkeypatch, lambda number: np.full((1, 1, 3), 200, np.uint8))
    with CameraStream("raw") as reader:
        wait_until(lambda: reader.health().state is CameraState.TORN)
        assert reader.health().reason == f"{BAD_FRAMES_LIMIT}/{BAD_FRAMES_LIMIT}"
        wait_until(lambda: reader.health().connections > 1)


def test_the_reader_outlives_whatever_is_raised_says_why_and_connects_again(monkeypatch: pytest.MonkeyPatch) -> None:
    plugged(monkeypatch, refusing)
    told: list[tuple[CameraState, str]] = []
    with CameraStream("raw", lambda state, reason: told.append((state, reason))) as reader:
        wait_until(lambda: reader.health().connections > 2)
    assert any(state is CameraState.DOWN and "the driver refused a buffer" in reason for state, reason in told)


def test_a_listener_that_fails_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(state: CameraState, reason: str) -> None:
        raise RuntimeError("the board is away")

    plugged(monkeypatch, living)
    with CameraStream("raw", failing) as reader:
        wait_until(lambda: reader.health().frames > 30)
