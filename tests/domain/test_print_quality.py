"""Print that fades is told of before codes fail, and print that only varies is not."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.identifiers import DeviceId
from hub.domain.print_quality import (
    FRESH_PRINTS,
    LAST_PRINTS,
    Fading,
    PrintQuality,
    fading,
    fading_words,
    renewed,
    steady_slope,
    to_tell,
    with_print,
)

PRINTER = DeviceId("packager-1")
shares = st.integers(0, 100)


def printed(*runs: tuple[int, int]) -> PrintQuality:
    """Take in runs of (unused percent, how many)."""
    quality = PrintQuality(PRINTER)
    for unused, times in runs:
        for _ in range(times):
            quality = with_print(quality, unused)
    return quality


@pytest.mark.parametrize(("runs", "found"), [
    (((95, 30), (95, 40)), None),
    (((95, 30), (76, 40)), None),
    (((95, 30), (75, 40)), Fading(95, 75, 0)),
    (((60, 30), (55, 40)), None),
    (((60, 30), (54, 40)), Fading(60, 54, 0)),
    (((95, 29),), None),
    (((95, 30), (20, 9)), None),
    (((95, 40), (20, 19)), None),
    (((95, 40), (20, 21)), Fading(95, 20, -2727)),
])
def test_fading_is_told_by_the_median_of_the_last_against_the_fresh(runs: tuple[tuple[int, int], ...], found: Fading | None) -> None:
    told = fading(printed(*runs))
    assert (told is None) == (found is None)
    if told is not None and found is not None:
        assert (told.fresh, told.now) == (found.fresh, found.now)


def test_a_slope_that_leads_to_failure_is_told_before_the_level_is_reached() -> None:
    falling = printed((95, 30), *((95 - number // 3, 1) for number in range(55)))
    flat = printed((95, 30), (84, 40))
    assert fading(flat) is None, "the same distance without a slope is no fading"
    found = fading(falling)
    assert found is not None and found.fresh - found.now < 20 and found.slope < -200


def test_a_few_bad_prints_move_neither_median_nor_slope() -> None:
    assert fading(printed((95, 30), (95, 30), (5, 6), (95, 20))) is None
    assert steady_slope((90, 90, 10, 90, 90, 90)) == 0


def test_the_sentence_has_its_figures_in_both_languages() -> None:
    words = fading_words(PRINTER, Fading(95, 70, -120))
    for text in (words.en, words.ru):
        assert all(figure in text for figure in ("packager-1", "95", "70", "-120", str(LAST_PRINTS)))


def test_a_ticket_is_told_once_and_again_only_when_print_is_clearly_worse() -> None:
    quality = printed((95, 30), (70, 40))
    found = fading(quality)
    assert found is not None and to_tell(quality, found)
    told = replace(quality, told=found.now)
    assert not to_tell(told, found) and not to_tell(told, replace(found, now=61)) and to_tell(told, replace(found, now=60))


@settings(max_examples=50)
@given(st.lists(shares, max_size=150))
def test_what_is_kept_is_bounded_and_the_fresh_prints_stay(values: list[int]) -> None:
    quality = PrintQuality(PRINTER)
    for value in values:
        quality = with_print(quality, value)
    assert quality.fresh == tuple(values[:FRESH_PRINTS]) and quality.last == tuple(values[-LAST_PRINTS:])
    assert quality.printed == len(values) and renewed(quality) == PrintQuality(PRINTER)


@settings(max_examples=50)
@given(st.lists(shares, min_size=FRESH_PRINTS, max_size=FRESH_PRINTS), st.lists(shares, min_size=LAST_PRINTS, max_size=LAST_PRINTS))
def test_worse_print_never_hides_a_fading_that_better_print_showed(fresh: list[int], last: list[int]) -> None:
    better = PrintQuality(PRINTER, tuple(fresh), tuple(last), 200)
    worse = replace(better, last=tuple(max(0, value - 10) for value in last))
    if min(last) >= 10 and fading(better) is not None:
        assert fading(worse) is not None


@pytest.mark.parametrize("outside", [-1, 101])
def test_what_is_no_share_is_refused(outside: int) -> None:
    with pytest.raises(ValueError, match="unused"):
        with_print(PrintQuality(PRINTER), outside)
