"""What the set-up page says is to be moved: literal sentences, and that a right camera has nothing to move."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.camera_set_up import CameraFigures, Glare, centimetres, moved_words, what_to_move
from hub.domain.camera_words import camera_words, lights_words, refused_words
from hub.domain.identifiers import DeviceId
from hub.domain.recorded_words import in_russian

RIGHT = CameraFigures(Fraction(45, 8), Fraction(9), Fraction(2), Fraction(0), Fraction(0), 220, 5)
CAMERA = DeviceId("camera-1")


def test_a_right_camera_has_nothing_to_be_moved() -> None:
    assert what_to_move(RIGHT, 250) == ()


@pytest.mark.parametrize(("changes", "english", "russian"), [
    ({"pixels_per_mm": Fraction(792, 100)}, "Lower the camera by about 3 cm", "Опустите камеру примерно на 3 см"),
    ({"pixels_per_mm": Fraction(12)}, "Raise the camera by about 8.5 cm", "Поднимите камеру примерно на 8.5 см"),
    ({"pixels_per_module": Fraction(3)}, "px a module", "пикс на модуль"),
    ({"edge_px": Fraction(41, 10)}, "Focus the lens: edges are 4.1 px wide, at most 2.5.", "края шириной 4.1 пикс"),
    ({"paper": 120}, "Too dark", "Слишком темно"), ({"paper": 250}, "Too bright", "Слишком светло"),
    ({"turn": Fraction(4)}, "Turn the camera by 4° clockwise.", "Поверните камеру на 4° по часовой стрелке."),
    ({"turn": Fraction(-4)}, "Turn the camera by 4° counterclockwise.", "против часовой стрелки"),
    ({"tilt": Fraction(9, 100)}, "differ by 9 %", "различаются на 9 %"),
    ({"unevenness": 60}, "unevenly lit: 60 levels", "60 уровней"),
    ({"glare": (Glare("top", "right", 12),)}, "Light 2 glares at the top right (1.2 % of the picture)", "Свет 2 бликует справа вверху (1.2 % снимка)"),
])
def test_each_wrong_figure_says_what_to_move(changes: dict[str, object], english: str, russian: str) -> None:
    (move,) = what_to_move(replace(RIGHT, **changes), 250, light=2)  # type: ignore[arg-type]
    assert english in move.en and russian in move.ru


@settings(max_examples=60)
@given(st.fractions(3, 15, max_denominator=50), st.integers(100, 600))
def test_moving_by_what_is_said_brings_the_camera_nearer_to_right(scale: Fraction, height_mm: int) -> None:
    moves = what_to_move(replace(RIGHT, pixels_per_mm=scale), height_mm)
    if moves:
        moved_mm = round(float(moves[0].en.split(" by about ")[1].split(" cm")[0]) * 10)
        down = moves[0].en.startswith("Lower")
        after = scale * height_mm / (height_mm - moved_mm if down else height_mm + moved_mm)
        assert abs(after - 9) < abs(scale - 9)


@pytest.mark.parametrize(("millimetres", "said"), [(1, "0.5"), (-30, "3"), (34, "3.5"), (100, "10")])
def test_a_distance_is_told_to_half_a_centimetre(millimetres: int, said: str) -> None:
    assert centimetres(millimetres) == said


@pytest.mark.parametrize(("changes", "is_told"), [
    ({"pixels_per_mm": Fraction(936, 100)}, False), ({"pixels_per_mm": Fraction(937, 100)}, True), ({"pixels_per_mm": Fraction(863, 100)}, True),
    ({"edge_px": Fraction(35, 10)}, False), ({"edge_px": Fraction(36, 10)}, True), ({"turn": Fraction(20)}, False),
])
def test_a_camera_was_knocked_where_its_scale_or_its_edges_changed(changes: dict[str, Fraction], is_told: bool) -> None:
    words = moved_words(CAMERA, RIGHT, replace(RIGHT, **changes))  # type: ignore[arg-type]
    assert (words is not None) == is_told


@pytest.mark.parametrize("state", ["connecting", "stale", "frozen", "black", "torn", "slow", "down"])
def test_what_the_ledger_has_of_a_camera_in_english_is_told_in_russian(state: str) -> None:
    words = camera_words(state, "17")
    assert words.en and in_russian(words.en) == words.ru and words.ru != words.en


def test_lights_and_refused_settings_are_told_in_both_languages() -> None:
    lights, refused = lights_words("no such file"), refused_words([("width", 640.0, 1280.0), ("exposure-auto", 1.0, 3.0)])
    assert in_russian(lights.en) == lights.ru != lights.en
    assert refused.en == "the camera did not take: width 640 (it keeps 1280), fixed exposure 1 (it keeps 3)"
    assert refused.ru == "камера не приняла: ширину 640 (остаётся 1280), фиксированную экспозицию 1 (остаётся 3)"
    assert camera_words("live", "").en == ""
