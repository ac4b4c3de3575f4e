"""What lies in a pouch is counted, and a count that could be wrong is never called certain."""

import cv2
import numpy as np
import pytest
from camera_plant import LABEL, look, lying, picture, random_case
from camera_rasters import label
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.barcode_camera.content import (
    ContentNote,
    Shape,
    StationGeometry,
    TabletLook,
    TabletSeen,
    count_tablets,
    match_looks,
)
from simulators.camera.scene import Scene

CASES = 300


def test_no_count_is_certain_and_wrong_in_seeded_scenes_and_most_clean_ones_are_certain() -> None:
    clean = certain = 0
    for number in range(CASES):
        case = random_case(7, number)
        content = count_tablets(case.frame.half_colour, case.expected)
        if content.certain:
            assert content.count == len(case.present), (number, content)
        clean += case.clean
        certain += case.clean and content.certain
    assert clean > CASES // 2
    assert certain / clean > 0.9


def test_expected_tablets_are_matched_by_outline_and_colour() -> None:
    scene = Scene("m", LABEL, (lying("#ffffff"), lying("#c03030", "capsule", 18)))
    content = count_tablets(picture(scene).half_colour, (look("#c03030", "capsule", 18), look("#ffffff")))
    assert (content.count, content.certain, content.notes) == (2, True, ())
    assert {thing.look: round(thing.length_mm) for thing in content.tablets} == {0: 18, 1: 9}


def test_empty_pouch_counts_zero_with_certainty() -> None:
    content = count_tablets(picture(Scene("e", LABEL)).half_colour, ())
    assert (content.count, content.certain, content.tablets) == (0, True, ())


def test_empty_station_has_no_count() -> None:
    content = count_tablets(picture(None).half_colour, (look(),))
    assert (content.count, content.certain, content.notes) == (None, False, (ContentNote.NO_POUCH,))


@pytest.mark.parametrize(("shape", "size_mm"), [("round", 8), ("oval", 14), ("capsule", 18)])
def test_half_a_tablet_is_not_certain(shape: str, size_mm: float) -> None:
    scene = Scene("h", LABEL, (lying(shape=shape, size_mm=size_mm, broken=True),))
    content = count_tablets(picture(scene).half_colour, (look(shape=shape, size_mm=size_mm),))
    assert not content.certain
    assert ContentNote.NOT_ONE_TABLET in content.notes


def test_touching_tablets_are_not_certain() -> None:
    scene = Scene("t", LABEL, (lying(), lying()))
    content = count_tablets(picture(scene, touching=True).half_colour, (look(), look()))
    assert (content.count, content.certain) == (2, False)


def test_a_tablet_on_top_of_another_is_not_certain() -> None:
    half = picture(Scene("o", LABEL, (lying("#c03030", "oval", 20),))).half_colour.copy()
    seen = count_tablets(half, (look("#c03030", "oval", 20),))
    assert seen.certain
    middle = (round(seen.tablets[0].x_px / 2), round(seen.tablets[0].y_px / 2))
    cv2.circle(half, middle, 14, (255, 255, 255), -1)
    assert not count_tablets(half, (look("#c03030", "oval", 20), look("#ffffff", "round", 6))).certain


def test_a_tablet_of_another_colour_is_told() -> None:
    content = count_tablets(picture(Scene("c", LABEL, (lying("#c03030"),))).half_colour, (look("#ffffff"),))
    assert content.count == 1
    assert content.tablets[0].look is None
    assert ContentNote.UNLIKE in content.notes


def test_a_tablet_as_dark_as_the_base_makes_the_count_uncertain() -> None:
    content = count_tablets(picture(Scene("k", LABEL, (lying("#221e1e"),))).half_colour, (look("#221e1e"),))
    assert not content.certain
    assert ContentNote.DARK_TABLET in content.notes


def test_a_tablet_against_the_label_is_not_certain() -> None:
    half = picture(Scene("l", LABEL, ()), angle=0.0).half_colour.copy()
    whole = count_tablets(half, ())
    assert whole.label is not None
    left, top, width, height = (side // 2 for side in whole.label)
    cv2.circle(half, (left + width // 2, top + height + 12), 20, (255, 255, 255), -1)
    assert not count_tablets(half, (look(),)).certain


def test_a_pouch_that_leaves_the_picture_is_not_certain() -> None:
    scene = Scene("v", LABEL, (lying(),))
    content = count_tablets(picture(scene).half_colour, (look(),), StationGeometry(pouch_height_mm=115.0))
    assert not content.certain
    assert ContentNote.OUT_OF_VIEW in content.notes


def test_glare_over_the_label_is_not_certain() -> None:
    content = count_tablets(picture(Scene("g", LABEL, (lying(),)), glare=(0.2, 1.0, 45.0)).half_colour, (look(),))
    assert not content.certain


def test_a_label_with_a_faint_print_is_still_found() -> None:
    content = count_tablets(picture(Scene("f", label("A" * 16), (lying(),), contrast=0.3)).half_colour, (look(),))
    assert (content.count, content.certain) == (1, True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([6.0, 8.0, 10.0]), max_size=8), st.lists(st.sampled_from([6.0, 8.0, 10.0]), max_size=8))
def test_matching_pairs_as_many_as_possible_and_uses_no_look_twice(seen: list[float], expected: list[float]) -> None:
    things = tuple(TabletSeen(0, 0, size, size, 0.785 * size * size, 0.98, 0.785, 1.0, (255, 255, 255)) for size in seen)
    looks = tuple(TabletLook((255, 255, 255), Shape.ROUND, size) for size in expected)
    used = [thing.look for thing in match_looks(things, looks) if thing.look is not None]
    assert len(used) == len(set(used)) == sum(min(seen.count(size), expected.count(size)) for size in set(seen))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_noise_alone_never_raises(seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    assert not count_tablets(noise, (look(),)).certain
