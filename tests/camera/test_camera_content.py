"""What lies in a pouch is counted, and a count that could be wrong is never called certain."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from camera_plant import LABEL, look, lying, picture, random_case
from camera_rasters import label
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.barcode_camera.content import (
    UNKNOWN_LOOK,
    ContentNote,
    Shape,
    StationGeometry,
    TabletLook,
    TabletSeen,
    content_of_pictures,
    count_tablets,
    crop,
    match_looks,
)
from devices.barcode_camera.frame import Frame
from devices.barcode_camera.inspect import CodeNote, FrameNote
from devices.barcode_camera.looks import LookSource, look_alike
from devices.barcode_camera.thresholds import PATH, load_thresholds
from hub.adapters.expected_content import look_of, measured
from hub.domain.recorded_words import in_russian
from hub.domain.references import middle_look
from simulators.camera import optics
from simulators.camera.conditions import BOTH, Glare, Lights, draw_conditions
from simulators.camera.scene import Scene, Tablet, scene_random

CASES = 40


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


LEFT, RIGHT = Lights(second=False), Lights(first=False)
FACED = {1: Glare(1, 20.0, 70.0, 6.0, 6.0, 0.0), 2: Glare(2, 60.0, 75.0, 6.0, 6.0, 0.0)}


def under_lights(scene: Scene, *lights: Lights, **changed: object) -> list[np.ndarray]:
    """Take pictures of half size of one pouch that lies still, one under each of the lights."""
    chance = scene_random(1, scene.pouch)
    still = optics.lay(scene, replace(draw_conditions(chance, "none"), **changed), chance)
    return [Frame(number, 0.0, optics.encode(optics.lit(still, each), 3.0, chance)).half_colour for number, each in enumerate(lights)]


def learn(tablet: Tablet) -> TabletLook:
    """Learn the look of a tablet from three pouches that hold it alone."""
    contents = [count_tablets(picture(Scene(f"learn-{seed}", LABEL, (tablet,)), seed, "mild", glare=None, film_glare=()).half_colour, (UNKNOWN_LOOK,)) for seed in range(3)]
    assert all(content.can_be_learned and content.unknown == 1 for content in contents)
    return look_of(middle_look([measured(content.tablets[0].sample) for content in contents]))


def test_glare_of_one_light_is_no_tablet_once_the_other_light_is_on() -> None:
    scene = Scene("lights", LABEL, (lying(),))
    halves = under_lights(scene, LEFT, RIGHT, BOTH, film_glare=tuple(FACED.values()))
    alone = count_tablets(halves[-1], (look(),))
    assert len(alone.tablets) == 3 and not alone.certain, "one picture takes the glare for things"
    together = content_of_pictures(halves, (look(),))
    assert (together.count, together.certain, together.notes) == (1, True, ())


def test_a_pouch_that_moved_between_the_pictures_is_not_certain() -> None:
    first, second = (picture(Scene("moved", LABEL, (lying(),)), angle=0.0, shift_mm=(shift, 0.0)).half_colour for shift in (0.0, 3.0))
    content = content_of_pictures((first, second), (look(),))
    assert not content.certain and ContentNote.MOVED in content.notes and content.count == 1


def test_a_picture_without_a_label_says_nothing_beside_others_and_no_picture_is_an_error() -> None:
    good = picture(Scene("seen", LABEL, (lying(),))).half_colour
    assert content_of_pictures((np.zeros_like(good), good), (look(),)) == content_of_pictures((good,), (look(),))
    with pytest.raises(ValueError, match="no picture"):
        content_of_pictures((), (look(),))


CAPSULE = Tablet((48, 48, 192), "capsule", 18.0, second_colour=(240, 245, 245))


def test_a_capsule_of_two_colours_is_learned_and_known_again_whichever_way_it_lies() -> None:
    learned = learn(CAPSULE)
    assert learned.second is not None and learned.shape is Shape.CAPSULE and abs(learned.size_mm - 18) < 0.6
    for seed in range(5, 11):
        content = count_tablets(picture(Scene(f"two-{seed}", LABEL, (CAPSULE,)), seed).half_colour, (learned,))
        assert (content.count, content.certain, content.notes, content.strangers) == (1, True, (), 0)


@pytest.mark.parametrize("other", [
    replace(CAPSULE, second_colour=(96, 160, 80)), replace(CAPSULE, second_colour=None), replace(CAPSULE, size_mm=14.0),
    replace(CAPSULE, broken=True), Tablet((48, 48, 192), "round", 9.0),
])  # fmt: skip
def test_another_tablet_in_a_learned_ones_place_is_a_stranger_or_doubted(other: Tablet) -> None:
    content = count_tablets(picture(Scene("stranger", LABEL, (other,))).half_colour, (learn(CAPSULE),))
    assert content.strangers == 1 or not content.certain or content.notes


def test_what_is_far_from_every_learned_look_is_a_stranger_for_certain_and_a_typed_look_never_makes_one() -> None:
    half = picture(Scene("far", LABEL, (lying("#50a060", "round", 7),))).half_colour
    content = count_tablets(half, (learn(CAPSULE),))
    assert (content.certain, content.strangers) == (True, 1)
    typed = count_tablets(half, (look("#c03030", "capsule", 18),))
    assert typed.strangers == 0 and not typed.certain


def test_two_that_overlap_to_one_outline_are_never_counted_for_certain_however_many_other_things_lie_there() -> None:
    """Two of three round ones make one oval; a round spot of glare stands for the third thing: the picture cannot tell."""
    half = picture(Scene("overlap", LABEL)).half_colour.copy()
    yellow, learned = (105, 215, 233), TabletLook((233, 215, 105), Shape.ROUND, 8.0, None, 8.0, 0.785, LookSource.LEARNED)
    spots = [((200, 380), 18, yellow), ((330, 380), 18, yellow), ((349, 380), 18, yellow), ((450, 380), 9, (255, 255, 255))]
    for middle, radius, colour in spots:
        cv2.circle(half, middle, radius, colour, -1)
    content = count_tablets(half, (learned,) * 3)
    assert [round(thing.length_mm) for thing in content.tablets] == [8, 12, 4] and content.tablets[1].is_whole
    assert not content.certain and ContentNote.NOT_ONE_TABLET in content.notes
    apart = half.copy()
    cv2.circle(apart, (349, 380), 19, tuple(int(part) for part in half[450, 600]), -1)
    cv2.circle(apart, (330, 380), 18, yellow, -1)
    stopped = count_tablets(apart, (learned,) * 3)
    assert (stopped.certain, stopped.strangers) == (True, 1), "each alone and whole: what is strange there stops the pouch"


def test_tablets_of_an_unknown_look_are_counted_but_only_whole_ones() -> None:
    whole = count_tablets(picture(Scene("u", LABEL, (lying(), lying("#3060b0", "capsule", 18)))).half_colour, (UNKNOWN_LOOK, UNKNOWN_LOOK))
    assert (whole.count, whole.certain, whole.unknown, whole.can_be_learned) == (2, True, 2, True)
    touching = count_tablets(picture(Scene("ut", LABEL, (lying(), lying())), touching=True).half_colour, (UNKNOWN_LOOK, UNKNOWN_LOOK))
    assert not touching.can_be_learned


def test_a_tablet_is_cut_out_of_the_full_picture() -> None:
    frame = picture(Scene("crop", LABEL, (lying("#c03030"),)))
    (thing,) = count_tablets(frame.half_colour, (look("#c03030"),)).tablets
    cut = cv2.imdecode(np.frombuffer(crop(frame, thing), np.uint8), cv2.IMREAD_COLOR)
    assert 80 <= min(cut.shape[:2]) <= max(cut.shape[:2]) <= 110, "9 mm at 9 px a mm and a border"
    blue, _, red = (int(part) for part in cut[cut.shape[0] // 2, cut.shape[1] // 2])
    assert red > 150 and blue < 100


def test_looks_are_alike_both_ways_and_only_within_the_tolerances() -> None:
    white, cream, red, small = look(), look("#f5f0e0"), look("#c03030"), look(size_mm=6.0)
    learned = learn(lying())
    for one, other in ((white, cream), (white, learned), (learned, cream)):
        assert look_alike(one, other) and look_alike(other, one)
    for one in (white, learned):
        assert look_alike(one, UNKNOWN_LOOK) and look_alike(UNKNOWN_LOOK, one), "nobody knows that it is another one"
        for other in (red, small):
            assert not look_alike(one, other) and not look_alike(other, one)


def test_a_damaged_file_of_thresholds_is_told_by_name(tmp_path: Path) -> None:
    text = PATH.read_text(encoding="utf-8")
    for broken, word in ((text.replace("[solidity]", "[solid]"), "solidity"), (text.replace("value = 0.945", "value = true"), "solidity")):
        damaged = tmp_path / "thresholds.toml"
        damaged.write_text(broken, encoding="utf-8")
        with pytest.raises(ValueError, match=word):
            load_thresholds(damaged)
    assert all(each.unit and each.en and each.ru for each in load_thresholds())


def test_every_note_of_the_camera_has_its_russian() -> None:
    for note in (*ContentNote, *FrameNote, CodeNote.FOREIGN_CODE):
        assert in_russian(note.value) != note.value, note


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
