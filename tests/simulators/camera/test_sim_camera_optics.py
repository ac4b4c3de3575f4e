"""What the simulated camera's pictures show: light, glare of the film, wrinkles, motion, and what a severity means."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from sim_camera import decoded, printed, scene, tablet

from simulators.camera import optics
from simulators.camera.conditions import BOTH, SEVERITIES, Conditions, Glare, Lights, draw_conditions, ordered
from simulators.camera.scene import Picture, Scene, Tablet, camera_matrix, scene_random

STILL = Conditions(blur_sigma=0.5)
FIRST, SECOND, NONE = (
    Lights(first=True, second=False),
    Lights(first=False, second=True),
    Lights(first=False, second=False),
)
GLARES = (Glare(1, 20, 80, 10, 3, 0), Glare(2, 60, 80, 10, 3, 0))
POUCH = scene(tablet())


def drawn(conditions: Conditions, lights: Lights = BOTH, pouch: Scene = POUCH) -> Picture:
    return optics.draw(pouch, conditions, scene_random(1, pouch.pouch), lights)


def at(picture: Picture, conditions: Conditions, x_mm: float, y_mm: float) -> Sequence[int]:
    """Give the colour (blue, green, red) that is seen at a place of the pouch."""
    (((x, y),),) = cv2.perspectiveTransform(np.array([[[x_mm, y_mm]]], np.float64), camera_matrix(POUCH, conditions))
    return [int(part) for part in picture[round(y), round(x)]]


@pytest.mark.parametrize(("lights", "shining"), [(FIRST, (True, False)), (SECOND, (False, True)), (BOTH, (True, True))])
def test_each_light_makes_its_own_glare_and_no_other(lights: Lights, shining: tuple[bool, bool]) -> None:
    conditions = replace(STILL, film_glare=GLARES)
    picture = drawn(conditions, lights, scene())
    assert [min(at(picture, conditions, glare.x_mm, glare.y_mm)) > 240 for glare in GLARES] == list(shining)


def test_a_light_alone_is_brighter_on_its_own_side() -> None:
    for lights, sign in ((FIRST, 1), (SECOND, -1)):
        paper = [at(drawn(STILL, lights), STILL, x_mm, 51)[0] for x_mm in (2, 78)]
        assert sign * (paper[0] - paper[1]) > 5


def test_in_the_dark_hardly_anything_is_seen() -> None:
    assert drawn(STILL, NONE).max() < 16


def test_low_light_darkens_everything_alike() -> None:
    bright, dim = (at(drawn(replace(STILL, light=light)), STILL, 40, 51)[0] for light in (1.0, 0.5))
    assert dim == pytest.approx(bright / 2, abs=2)


def test_wrinkles_shift_the_print_and_leave_the_tablets() -> None:
    flat, wrinkled = drawn(STILL), drawn(replace(STILL, wrinkle_mm=0.3, wrinkle=5))
    moved = np.abs(flat.astype(int) - wrinkled).max(axis=2) > 100
    assert moved[60:480].any() and not moved[520:].any()


def test_motion_smears_along_its_way_only() -> None:
    def edges(angle: float) -> tuple[float, float]:
        grey = cv2.cvtColor(drawn(replace(STILL, motion_px=9, motion_angle=angle)), cv2.COLOR_BGR2GRAY).astype(float)
        return float(np.abs(np.diff(grey, axis=1)).max()), float(np.abs(np.diff(grey, axis=0)).max())

    (across_x, across_y), (down_x, down_y) = edges(0), edges(90)
    assert across_x < across_y / 2 and down_y < down_x / 2


def test_a_covered_place_and_dust_are_seen() -> None:
    covered = replace(STILL, covered_mm=(30.0, 10.0, 10.0, 10.0))
    assert at(drawn(covered), covered, 35, 15)[0] == pytest.approx(150, abs=3)
    assert (drawn(replace(STILL, dust=50, dust_mm=1.0)) != drawn(STILL)).any()


def test_a_capsule_of_two_colours_shows_both() -> None:
    capsule = Tablet((48, 48, 192), "capsule", 20, second_colour=(255, 255, 255))
    picture = drawn(STILL, pouch=scene(capsule))
    red, white = (
        (np.abs(picture.astype(int) - colour).max(axis=2) < 6).sum() for colour in ((48, 48, 192), (255, 255, 255))
    )
    assert 0.5 < red / white < 2


def test_a_tilted_pouch_is_smaller_on_its_far_side() -> None:
    conditions = replace(STILL, tilt=(0.0, 30.0))
    places = np.array([[[0.0, 0.0], [0.0, 98.0], [80.0, 0.0], [80.0, 98.0]]])
    left_top, left_bottom, right_top, right_bottom = cv2.perspectiveTransform(places, camera_matrix(POUCH, conditions))[
        0
    ]
    assert right_bottom[1] - right_top[1] < 0.95 * (left_bottom[1] - left_top[1])


@pytest.mark.parametrize("severity", SEVERITIES)
def test_the_same_seed_and_pouch_give_the_same_picture(severity: str) -> None:
    def jpeg() -> bytes:
        chance = scene_random(3, "again")
        conditions = draw_conditions(chance, severity)
        return optics.encode(optics.draw(POUCH, conditions, chance), conditions.noise_sigma, chance)

    assert jpeg() == jpeg()
    assert decoded(jpeg()).shape == (960, 1280, 3)


def test_severities_differ_in_what_they_do() -> None:
    def mean(severity: str, field: str) -> float:
        return float(
            np.mean([getattr(draw_conditions(scene_random(1, str(number)), severity), field) for number in range(300)])
        )

    for field in ("blur_sigma", "noise_sigma", "wrinkle_mm"):
        assert mean("none", field) < mean("mild", field) < mean("severe", field)
    unreadable = [draw_conditions(scene_random(1, str(number)), "mild").unreadable for number in range(3000)]
    assert 0.003 < np.mean(unreadable) < 0.02
    with pytest.raises(ValueError, match="no such severity"):
        draw_conditions(scene_random(1, ""), "wild")


@pytest.mark.parametrize(
    "order",
    [
        {"blur_sigma": 99},
        {"blur_sigma": True},
        {"blur_sigma": "1"},
        {"stratum": "sideways"},
        {"glow": 1},
        {"tilt": 3},
        {"tilt": [0, 90]},
        {"film_glare": [{"light": 3}]},
        {"film_glare": [{"light": 1, "x_mm": 1}]},
        {"film_glare": [{"light": 1, "colour": 1}]},
        {"covered_mm": [1, 2, 3]},
    ],
)
def test_conditions_that_make_no_sense_are_refused(order: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"no such condition|is a number|not a glare"):
        ordered(Conditions(), order)


def test_ordered_conditions_stand_in_place_of_the_drawn_ones() -> None:
    glare = {"light": 2, "x_mm": 10, "y_mm": 20, "length_mm": 5, "width_mm": 1, "angle": 0}
    got = ordered(
        Conditions(touching=True), {"stratum": "overlapping", "dust": 7, "tilt": [1, 2], "film_glare": [glare]}
    )
    assert (got.touching, got.overlapping, got.dust, got.tilt) == (False, True, 7, (1.0, 2.0))
    assert got.film_glare == (Glare(2, 10.0, 20.0, 5.0, 1.0, 0.0),)


def test_print_is_only_where_the_raster_is_black() -> None:
    assert printed().any()
    blank = Scene("p", np.zeros_like(printed()))
    assert drawn(STILL, pouch=blank)[100:400, 400:880].min() > 200
