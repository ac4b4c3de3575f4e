"""The hard set is what it says, and the cascade reads of it what zxing-cpp alone does not."""

import numpy as np
import pytest

from devices.barcode_camera.decode import read_data_matrix, read_data_matrix_over
from devices.barcode_camera.fusion import join
from tests.verification.hard_frames import bare
from tests.verification.hard_set import HEIGHT, WIDTH, hard_case, ordinary_case


def test_the_same_number_draws_the_same_case() -> None:
    first, again = hard_case(2, 9, frames=2), hard_case(2, 9, frames=2)
    assert first.truth == again.truth and first.optics == again.optics
    assert all(np.array_equal(one, other) for one, other in zip(first.frames, again.frames, strict=True))
    assert first.frames[0].shape == (HEIGHT, WIDTH) and not np.array_equal(first.frames[0], first.frames[1])


def test_ordinary_frames_are_read_and_hard_ones_oftener_than_by_the_reader_alone() -> None:
    ordinary = [ordinary_case(2, number) for number in range(2)]
    assert all([read.payload for read in read_data_matrix(case.frames[0])] == [case.truth] for case in ordinary)
    hard = [hard_case(2, number) for number in range(5, 12)]
    ours = sum(case.truth in [read.payload for read in read_data_matrix(case.frames[0])] for case in hard)
    alone = sum(case.truth in bare(case.frames) for case in hard)
    assert alone < ours >= 5


def test_glare_that_no_single_frame_survives_is_read_over_three() -> None:
    for number in (3, 20):
        case = hard_case(2, number, frames=3)
        assert case.defect == "glare" and case.optics.glare > 0.05
        assert [read.payload for read in read_data_matrix_over(case.frames)][:1] == [case.truth]


def test_a_shift_between_frames_is_taken_back_before_they_are_joined() -> None:
    chance = np.random.default_rng(1)
    scene = np.where(chance.random((75, 75)) < 0.5, 30, 220).astype(np.uint8).repeat(4, 0).repeat(4, 1)
    joined = join([scene[:280, :280], np.ascontiguousarray(scene[6:286, 9:289])])
    inside = (slice(20, 250), slice(20, 250))
    assert np.mean(np.abs(joined[inside].astype(int) - scene[:280, :280][inside])) < 12


def test_a_frame_that_shows_something_else_is_left_out_of_the_join() -> None:
    chance = np.random.default_rng(2)
    one, other = (np.where(chance.random((70, 70)) < 0.5, 30, 220).astype(np.uint8).repeat(4, 0).repeat(4, 1) for _ in range(2))
    assert np.array_equal(join([one, other]), one)


@pytest.mark.parametrize("frames", [(), (np.zeros((9, 9), np.uint8),), (np.zeros((9, 9), np.uint8), np.zeros((5, 9), np.uint8))])
def test_too_few_frames_alike_give_nothing(frames: tuple[np.ndarray, ...]) -> None:
    assert read_data_matrix_over(frames) == ()
