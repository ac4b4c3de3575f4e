"""What is measured of a picture against what the picture was made with: scale, edge width, rotation, exposure, glare, faults."""

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
from camera_plant import LABEL, lying, picture
from camera_rasters import label

from devices.barcode_camera.decode import read_data_matrix
from devices.barcode_camera.frame import Frame
from devices.barcode_camera.image_health import FrameFault, frame_fault, has_shifted_lines, is_black
from devices.barcode_camera.lights import Light
from devices.barcode_camera.set_up import edge_width, glare_places, measure
from devices.barcode_camera.takes import SETTLE_FRAMES, takes
from hub.adapters.camera_desk import figures_of, measured_frame
from simulators.camera.scene import Scene

POUCH = Scene("set-up", label("ABCDEF012345"), (lying("#60a0d0"),))


@pytest.mark.parametrize("angle", [0.0, 4.0, -4.0])
def test_scale_and_rotation_are_those_of_the_picture(angle: float) -> None:
    frame = picture(POUCH, angle=angle)
    measured = measured_frame(frame)
    assert measured is not None
    assert measured.pixels_per_mm == pytest.approx(9.0, rel=0.015)
    assert measured.pixels_per_module == pytest.approx(5.625, rel=0.015)
    assert abs(abs(measured.turn_degrees) - abs(angle)) < 1.5
    assert measured.tilt < 0.05


def test_a_label_that_looks_turned_clockwise_has_a_positive_turn() -> None:
    grey = picture(POUCH).grey
    turn = cv2.getRotationMatrix2D((640.0, 480.0), -5.0, 1.0)  # OpenCV turns counterclockwise for positive angles
    frame = Frame(1, 0.0, None, cv2.cvtColor(cv2.warpAffine(grey, turn, (1280, 960)), cv2.COLOR_GRAY2BGR))
    (read,) = read_data_matrix(frame.grey)
    assert 3.5 < measure(frame, read).turn_degrees < 6.5


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 3.0])
def test_the_width_of_an_edge_is_that_of_its_blur(sigma: float) -> None:
    edge = np.zeros((120, 240), np.uint8)
    for left in range(15, 240, 60):
        edge[:, left:left + 30] = 200
    edge = cv2.GaussianBlur(edge, (0, 0), sigma)
    # A Gaussian edge goes from 10 to 90 % in 2.563 sigma.
    assert edge_width(edge) == pytest.approx(2.563 * sigma, rel=0.12)


def test_a_picture_out_of_focus_has_wider_edges_and_a_small_one_a_smaller_scale() -> None:
    sharp, blurred = measured_frame(picture(POUCH, blur_sigma=0.6)), measured_frame(picture(POUCH, blur_sigma=2.0))
    assert sharp is not None and blurred is not None and sharp.edge_px < 2.5 and blurred.edge_px > 4
    small = cv2.resize(picture(POUCH).grey, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    far = measured_frame(Frame(1, 0.0, None, cv2.cvtColor(small, cv2.COLOR_GRAY2BGR)))
    assert far is not None and far.pixels_per_mm == pytest.approx(7.2, rel=0.02)


def test_glare_is_found_in_its_ninth_of_the_picture() -> None:
    grey = np.full((480, 640), 40, np.uint8)
    grey[10:60, 560:620] = 255
    (place,) = glare_places(grey)
    assert (place.down, place.across, place.permille) == ("top", "right", 10)
    assert glare_places(np.full((480, 640), 249, np.uint8)) == ()


def test_an_unevenly_lit_base_is_measured() -> None:
    grey = picture(POUCH).grey.astype(int)
    slope = np.linspace(0, 80, grey.shape[1]).astype(int)[None, :]
    lit = np.clip(np.where(grey < 100, grey + slope, grey), 0, 255).astype(np.uint8)
    even, uneven = measured_frame(picture(POUCH)), measured_frame(Frame(1, 0.0, None, cv2.cvtColor(lit, cv2.COLOR_GRAY2BGR)))
    assert even is not None and uneven is not None and even.unevenness < 20 and uneven.unevenness > 45


def test_figures_are_the_medians_of_several_pouches() -> None:
    measured = measured_frame(picture(POUCH))
    assert measured is not None
    figures = figures_of((measured, replace(measured, pixels_per_mm=12.0), measured))
    assert float(figures.pixels_per_mm) == pytest.approx(measured.pixels_per_mm, abs=0.001)
    assert figures.paper == measured.paper


def test_a_picture_without_a_code_or_none_at_all_is_not_measured() -> None:
    assert measured_frame(picture(None)) is None
    assert measured_frame(Frame(1, 0.0, b"\xff\xd8 damaged")) is None


def test_a_plain_picture_is_neither_black_nor_torn() -> None:
    for frame in (picture(POUCH), picture(None), picture(POUCH, blur_sigma=6.0), picture(Scene("t", LABEL, (lying(), lying())), touching=True)):
        assert frame_fault(frame) is None


def test_half_a_jpeg_is_torn_and_zeros_behind_its_end_do_no_harm() -> None:
    jpeg = picture(POUCH).jpeg
    assert jpeg is not None
    assert frame_fault(Frame(1, 0.0, jpeg[: len(jpeg) // 2])) is FrameFault.TORN
    assert frame_fault(Frame(1, 0.0, jpeg + b"\0" * 64)) is None


@pytest.mark.parametrize("level", [0, 8, 20])
def test_a_covered_lens_is_black(level: int) -> None:
    noise = np.random.default_rng(level).normal(level, 2, (480, 640))
    assert is_black(np.clip(noise, 0, 255).astype(np.uint8))
    assert not is_black(picture(None).half_grey)


@pytest.mark.parametrize(("row", "shift"), [(row, shift) for row in (100, 150, 200, 240) for shift in (-60, -25, 30, 100)])
def test_lines_that_jump_sideways_within_the_label_are_torn(row: int, shift: int) -> None:
    half = picture(POUCH).half_grey.copy()
    half[row:] = np.roll(half[row:], shift, axis=1)
    assert has_shifted_lines(half)


@pytest.mark.parametrize(("row", "shift"), [(row, shift) for row in (201, 302, 403, 425) for shift in (-300, 180, 420)])
def test_a_camera_that_loses_its_lines_at_any_row_of_the_whole_picture_is_torn(row: int, shift: int) -> None:
    whole = cv2.imdecode(np.frombuffer(picture(POUCH).jpeg or b"", np.uint8), cv2.IMREAD_COLOR)
    whole[row:] = np.roll(whole[row:], shift, axis=1)
    assert frame_fault(Frame(1, 0.0, cv2.imencode(".jpg", whole)[1].tobytes())) is FrameFault.TORN


@pytest.mark.parametrize(("move", "torn"), [(0, False), (30, True), (-80, True)])
def test_a_tablet_that_ends_where_another_begins_is_no_torn_line_while_the_sides_of_the_pouch_go_on(move: int, torn: bool) -> None:
    levels = np.random.default_rng(1).normal(70, 4, (480, 640))
    levels[40:440, 130:500] += 14
    levels[378:392, 220:250] += 90
    levels[392:406, 270:300] += 90
    levels[392:] = np.roll(levels[392:], move, axis=1)
    assert has_shifted_lines(np.clip(levels, 0, 255).astype(np.uint8)) is torn


@pytest.mark.parametrize("number", range(6))
def test_no_slanting_edge_of_a_severe_picture_is_a_torn_line(number: int) -> None:
    tablets = (lying("#c03030", "capsule", 18), lying())
    assert not has_shifted_lines(picture(Scene(f"slant-{number}", LABEL, tablets), 3, "severe").half_grey)


class Switch:
    """Lights that remember what was asked of them."""

    plan = (Light.FIRST, Light.SECOND, Light.BOTH)
    trouble = ""

    def __init__(self) -> None:
        self.shown: list[Light] = []

    def show(self, light: Light) -> bool:
        changes = not self.shown or self.shown[-1] is not light
        self.shown.append(light)
        return changes

    def close(self) -> None:
        self.shown.clear()


def test_after_a_switch_the_frames_that_may_show_the_light_before_are_passed_over() -> None:
    lights, clock_s = Switch(), iter([10.0, 20.0, 30.0])
    lights.show(Light.FIRST)
    frames = (Frame(number, float(number)) for number in range(1, 60))
    sequences = [frame.sequence for _, frame in zip(range(3), takes(frames, lights, lambda: next(clock_s)), strict=False)]
    assert sequences == [1, 10 + SETTLE_FRAMES, 20 + SETTLE_FRAMES]
    assert lights.shown == [Light.FIRST, *Switch.plan]


def test_no_light_is_switched_before_another_frame_is_wanted_and_the_end_of_the_frames_is_the_end() -> None:
    lights = Switch()
    lights.show(Light.FIRST)

    def frames() -> Iterator[Frame]:
        yield Frame(1, 1.0)

    taken = takes(frames(), lights, lambda: 0.0)
    assert next(taken).sequence == 1 and lights.shown[-1] is Light.FIRST
    assert list(taken) == []
