"""Tablets fall into the pouch, push each other aside and come to rest where tablets can lie."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sim_camera import scene, tablet

from simulators.camera.conditions import Conditions
from simulators.camera.falling import lay_tablets
from simulators.camera.outlines import APART_MM, Lying, gap_mm, outline_mm, overlap_mm2, stratum
from simulators.camera.scene import scene_random, window_mm

MIXED = (tablet(), tablet("capsule", 18), tablet("oval", 14), tablet("round", 6))
ANY_TABLET = st.builds(tablet, st.sampled_from(["round", "oval", "capsule"]), st.floats(5, 20))


def fallen(count: int, seed: int, **conditions: bool) -> list[Lying]:
    return lay_tablets(scene(*MIXED[:count]), Conditions(**conditions), scene_random(seed, "falling"))


def test_distances_of_two_round_tablets_are_those_of_their_circles() -> None:
    left, right, upon = (outline_mm(Lying(tablet(size_mm=8), x, 70.0)) for x in (20.0, 30.0, 24.0))
    assert gap_mm(left, right) == pytest.approx(2.0, abs=0.05)
    assert gap_mm(left, upon) == 0.0
    lens = 2 * 16 * np.arccos(0.5) - 4 * np.sqrt(16 - 4)
    assert overlap_mm2(left, upon) == pytest.approx(lens, rel=0.02)


def test_distance_from_the_straight_side_of_a_capsule_is_measured_between_its_corners() -> None:
    capsule = outline_mm(Lying(tablet("capsule", 20), 40, 70))
    assert gap_mm(capsule, outline_mm(Lying(tablet(size_mm=6), 40, 70 + 4 + 3 + 1.5))) == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize(
    ("distance_mm", "name"), [(7.0, "overlapping"), (8.2, "touching"), (8.0 + APART_MM + 0.1, "apart")]
)
def test_stratum_follows_from_the_outlines(distance_mm: float, name: str) -> None:
    assert stratum([Lying(tablet(size_mm=8), 20, 70), Lying(tablet(size_mm=8), 20 + distance_mm, 70)]) == name
    assert stratum([Lying(tablet(size_mm=8), 20, 70)]) == "single"
    assert stratum([]) == "empty"


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize(
    ("order", "name"), [({}, "apart"), ({"touching": True}, "touching"), ({"overlapping": True}, "overlapping")]
)
def test_the_stratum_that_was_asked_for_comes_about(count: int, order: dict[str, bool], name: str) -> None:
    assert {stratum(fallen(count, seed, **order)) for seed in range(8)} == {name}


def test_the_same_seed_lets_them_fall_the_same_way_and_another_one_does_not() -> None:
    assert fallen(4, 1) == fallen(4, 1)
    assert fallen(4, 1) != fallen(4, 2)


def test_most_come_to_rest_in_the_lower_half() -> None:
    _, top, _, bottom = window_mm(scene())
    heights = [lying.y_mm for seed in range(20) for lying in fallen(3, seed)]
    assert np.mean(np.array(heights) > (top + bottom) / 2) > 0.6


@settings(max_examples=15, deadline=None)
@given(st.lists(ANY_TABLET, max_size=5), st.integers(0, 1000), st.sampled_from(["", "touching", "overlapping"]))
@example([tablet(size_mm=5.0), tablet(size_mm=8.0)], 0, "touching")
def test_every_tablet_lies_in_the_window_and_none_is_lost(tablets: list, seed: int, lie: str) -> None:
    pouch = scene(*tablets)
    conditions = replace(Conditions(), **({lie: True} if lie else {}))
    lying = lay_tablets(pouch, conditions, scene_random(seed, "any"))
    left, top, right, bottom = window_mm(pouch)
    assert [each.tablet for each in lying] == tablets
    for each in lying:
        x, y = outline_mm(each).T
        assert left - 0.5 <= x.min() and x.max() <= right + 0.5 and top - 0.5 <= y.min() and y.max() <= bottom + 0.5


def test_more_than_there_is_room_for_comes_to_an_end() -> None:
    crowd = scene(*[tablet("capsule", 22)] * 30)
    assert len(lay_tablets(crowd, Conditions(), scene_random(1, "crowd"))) == 30
