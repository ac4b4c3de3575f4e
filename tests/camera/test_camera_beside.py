"""A second label that only a later step reads is never missed, and a pouch that no step reads costs the dear steps once."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import zxingcpp
from camera_plant import LABEL, look, lying, picture
from camera_rasters import label, symbol

from devices.barcode_camera import cascade, decode
from devices.barcode_camera.cascade import Budget, View, read_repaired_over
from devices.barcode_camera.content import Content
from devices.barcode_camera.decode import MATRIX, read_data_matrix_cheaply, read_unread
from devices.barcode_camera.frame import Colour, Frame
from devices.barcode_camera.inspect import CodeNote, Expected, FrameNote, inspect, look_for
from hub.adapters.camera_station import seen_pouch
from hub.domain.identifiers import PackSerial
from hub.domain.packs import Verdict
from hub.domain.verification import ExpectedPouch, verify_pouch
from simulators.camera.scene import Picture, Scene
from tests.verification.judging import LIVE

SERIAL, OTHER, MAKERS = "ABCDEF0123456789", "WRONG00000000000", "(01)04012345678901(21)A1"
EXPECTED = Expected(SERIAL, (look(),))
LEFT, TOP, SIDE = 502, 154, 106
"""Where the second code lies in the frame, with its quiet zone, in px."""
Spoil = Callable[[Colour], Colour]


def pixels_of(frame: Frame) -> Colour:
    return np.asarray(cv2.imdecode(np.frombuffer(frame.evidence(), np.uint8), cv2.IMREAD_COLOR), np.uint8)


def with_second(content: str) -> Picture:
    """Stick a second Data Matrix over the text of the label."""
    raster = label(SERIAL)
    code = np.pad(symbol(content, zxingcpp.BarcodeFormat.DataMatrix, 5, force_square=True, gs1=content == MAKERS), 10)
    raster[80:80 + len(code), 200:200 + len(code)] = code
    return raster


def spoilt(content: str, spoil: Spoil) -> Frame:
    pixels = pixels_of(picture(Scene("a", with_second(content), (lying(),))))
    place = (slice(TOP, TOP + SIDE), slice(LEFT, LEFT + SIDE))
    pixels[place] = spoil(pixels[place])
    return Frame(1, 0.0, None, pixels)


def blurred(part: Colour) -> Colour:
    return np.asarray(220 - (220 - cv2.GaussianBlur(part, (0, 0), 2.0).astype(np.float32)) * 0.3, np.uint8)


def faint(part: Colour) -> Colour:
    return np.asarray(220 - (220 - part.astype(np.float32)) * 0.15, np.uint8)


def glared(part: Colour) -> Colour:
    part = part.copy()
    part[:, 30:38] = 255
    return part


@pytest.mark.parametrize("spoil", [blurred, faint, glared])
@pytest.mark.parametrize("content", [OTHER, MAKERS])
def test_a_second_label_that_the_first_steps_do_not_show_fails_the_pouch(content: str, spoil: Spoil) -> None:
    frame = spoilt(content, spoil)
    assert [read.text for read in read_data_matrix_cheaply(frame.grey, frame.half_grey)] == [SERIAL]
    found = look_for([frame] * 3, EXPECTED)
    assert found is not None
    assert set(found.notes) & {CodeNote.SEVERAL_SERIALS, CodeNote.FOREIGN_CODE}
    seen = seen_pouch(found, EXPECTED, ((1, 1),), LIVE)
    assert verify_pouch(ExpectedPouch(PackSerial(SERIAL), 1), seen)[0] is Verdict.FAIL


def test_a_second_label_is_found_where_the_first_frame_alone_would_prove_the_pouch() -> None:
    frames = iter([spoilt(OTHER, faint), picture(Scene("b", LABEL, (lying(),))), picture(Scene("b", LABEL, (lying(),)))])
    found = look_for(frames, EXPECTED)
    assert found is not None and set(found.serials) == {SERIAL, OTHER}


def test_a_faint_copy_of_the_own_label_is_looked_at() -> None:
    frame = spoilt(SERIAL, faint)
    assert len(read_data_matrix_cheaply(frame.grey, frame.half_grey)) == 1
    found = look_for([frame] * 3, EXPECTED)
    assert found is not None and FrameNote.COPY in found.notes and not found.certain


def test_a_label_alone_is_read_as_before_and_its_own_text_is_no_code() -> None:
    found = look_for([picture(Scene("b", LABEL, (lying(),)))] * 3, EXPECTED)
    assert found is not None and (found.serials, found.certain, len(found.frames)) == ((SERIAL,), True, 1)


def test_dear_steps_are_taken_once_a_pouch_after_all_its_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count how often a pouch without a Data Matrix is read as it is, the dearest step of all."""
    blank = label(SERIAL, "")
    blank[50:160, 500:630] = 0
    calls: list[int] = []
    plain = decode.read_plain
    monkeypatch.setattr(decode, "read_plain", lambda grey, formats: (calls.append(grey.size), plain(grey, formats))[1])
    found = look_for([picture(Scene("none", blank, (lying(),)))] * 3, EXPECTED)
    assert found is not None and found.serials == () and len(found.frames) == 3
    assert len(calls) == 1


def test_repairs_of_all_frames_share_one_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every question of the budget take one second: seven of them are answered by yes, for all three frames together."""
    seconds = iter(range(1000))
    parts: list[int] = []
    monkeypatch.setattr(cascade, "REPAIRS", (("counted", lambda part: (parts.append(part.size), part)[1:]),) * 5)
    views = [View(np.random.default_rng(seed).integers(0, 255, (960, 1280), np.uint8)) for seed in range(3)]
    assert read_repaired_over(views, MATRIX, Budget(8.0, lambda: float(next(seconds)))) == ()
    assert len(parts) == 7


def test_no_frame_has_no_code() -> None:
    assert read_unread([]) == ()


def test_a_code_that_only_a_repair_reads_is_still_read_of_one_frame_and_of_three() -> None:
    pixels = pixels_of(picture(Scene("a", LABEL, (lying(),))))
    (read,) = [read for read in inspect(picture(Scene("a", LABEL, (lying(),))), EXPECTED).reads if read.identifier == "]d1"]
    left, top = (int(min(point[axis] for point in read.polygon)) for axis in (0, 1))
    pixels[top - 10:top + 110, left + 30:left + 38] = 255
    frame = Frame(1, 0.0, None, pixels)
    assert read_data_matrix_cheaply(frame.grey, frame.half_grey) == ()
    one, three = inspect(frame, EXPECTED), look_for([frame] * 3, EXPECTED)
    assert three is not None and one.serials == three.serials == (SERIAL,)
    assert isinstance(three.content, Content) and three.count == 1
