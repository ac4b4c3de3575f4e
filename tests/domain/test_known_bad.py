"""Known-bad pouches: how a list is made wrong, and how sure a counted share of misses is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.identifiers import DrugCode, LotId, PackSerial
from hub.domain.known_bad import (
    ExpectedTablet,
    GoodCase,
    Misses,
    Other,
    TrialKind,
    changed,
    clopper_pearson,
    looks_apart,
    percent,
    told,
)
from tests.said import english

# Two-sided 95 % limits as printed in tables of exact binomial limits.
TABLE = (
    (0, 1, 0.0, 0.9750), (0, 10, 0.0, 0.3085), (1, 10, 0.0025, 0.4450), (2, 10, 0.0252, 0.5561), (5, 10, 0.1871, 0.8129), (10, 10, 0.6915, 1.0),
    (0, 20, 0.0, 0.1684), (1, 20, 0.0013, 0.2487), (0, 50, 0.0, 0.0711), (0, 100, 0.0, 0.0362), (1, 100, 0.0003, 0.0545), (10, 100, 0.0490, 0.1762),
)  # fmt: skip
A, B = (ExpectedTablet(DrugCode(name), 2, LotId(f"{name}/1")) for name in "AB")
C = ExpectedTablet(DrugCode("C"), 1, LotId("C/1"))
GOOD = GoodCase(PackSerial("OWN"), (A, B), ("f" * 64,))
OTHER = Other(C, PackSerial("NEIGHBOUR"))
SHARES = st.integers(1, 400).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


@pytest.mark.parametrize(("hits", "trials", "low", "high"), TABLE)
def test_the_interval_is_that_of_the_tables(hits: int, trials: int, low: float, high: float) -> None:
    assert clopper_pearson(hits, trials) == pytest.approx((low, high), abs=5e-5)


@settings(max_examples=60, deadline=None)
@given(SHARES)
def test_an_interval_holds_its_share_and_mirrors(share: tuple[int, int]) -> None:
    hits, trials = share
    low, high = clopper_pearson(hits, trials)
    assert 0 <= low <= hits / trials <= high <= 1
    mirrored = clopper_pearson(trials - hits, trials)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 40), st.integers(40, 400))
def test_more_trials_prove_more(hits: int, trials: int) -> None:
    assert clopper_pearson(hits, trials + 1)[1] < clopper_pearson(hits, trials)[1] or hits == trials
    assert clopper_pearson(0, trials)[1] == pytest.approx(1 - 0.025 ** (1 / trials), abs=1e-9)


@pytest.mark.parametrize(("hits", "trials"), [(-1, 3), (4, 3)])
def test_what_is_no_share_has_no_interval(hits: int, trials: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        clopper_pearson(hits, trials)


def test_a_large_run_is_told_exactly_too() -> None:
    assert clopper_pearson(0, 1_000_000)[1] == pytest.approx(3.6889e-6, rel=1e-4)
    assert clopper_pearson(50, 2000) == pytest.approx((0.01861, 0.03283), abs=5e-6)


def test_no_miss_says_what_it_proves_and_no_more() -> None:
    assert english(told(Misses(0, 120))) == "0 in 120: fewer than 2.5 % are missed (< 3/120 at 95 %)"
    assert told(Misses(0, 120)).ru == "0 из 120: пропускается меньше 2,5 % (< 3/120 при 95 %)"
    assert english(told(Misses(0, 0))) == "no trial yet: nothing is known"
    assert english(told(Misses(0, 3))) == "0 in 3 missed: so few tell nothing" and told(Misses(1, 1)).ru == "пропущено 1 из 1: так мало ни о чём не говорит"
    assert english(told(Misses(0, 4))) == "0 in 4: fewer than 75.0 % are missed (< 3/4 at 95 %)"
    assert english(told(Misses(1, 10))) == "1 in 10 missed: 10.0 %, between 0.25 % and 44.5 % at 95 %"


@pytest.mark.parametrize(("share", "text"), [(0.5, "50.0 %"), (0.0123, "1.2 %"), (0.00123, "0.12 %"), (3e-6, "0.0003 %"), (1.0, "100.0 %")])
def test_a_small_share_is_not_rounded_to_none(share: float, text: str) -> None:
    assert percent(share).en == text and percent(share).ru == text.replace(".", ",")


def test_each_kind_makes_the_list_wrong_in_its_own_way() -> None:
    made = {kind: changed(GOOD, kind, OTHER, 1) for kind in TrialKind}
    counts = {kind: [(line.drug, line.count) for line in case.expected] for kind, case in made.items() if case is not None}
    assert counts[TrialKind.ONE_MORE] == [("A", 2), ("B", 3)]
    assert counts[TrialKind.ONE_LESS] == [("A", 2), ("B", 1)]
    assert counts[TrialKind.OTHER_LOOK] == [("A", 2), ("B", 1), ("C", 1)]
    assert counts[TrialKind.OTHER_SERIAL] == [("A", 2), ("B", 2)]
    assert [case.serial for case in made.values() if case is not None] == ["OWN", "OWN", "OWN", "NEIGHBOUR"]


def test_what_cannot_be_made_wrong_is_left() -> None:
    single = GoodCase(PackSerial("OWN"), (C,), ("f" * 64,))
    assert changed(single, TrialKind.ONE_LESS, OTHER, 0) is None
    assert changed(GOOD, TrialKind.OTHER_LOOK, Other(None, None), 0) is None
    assert changed(GOOD, TrialKind.OTHER_SERIAL, Other(None, GOOD.serial), 0) is None
    assert changed(GoodCase(PackSerial("OWN"), (), ()), TrialKind.ONE_MORE, OTHER, 0) is None


LINES = st.lists(st.builds(ExpectedTablet, st.sampled_from([DrugCode("A"), DrugCode("B")]), st.integers(1, 5), st.just(LotId("L"))), min_size=1, max_size=5)


@settings(max_examples=80, deadline=None)
@given(LINES, st.sampled_from(list(TrialKind)), st.integers(0, 1000))
def test_a_wrong_list_always_differs_and_never_counts_below_one(lines: list[ExpectedTablet], kind: TrialKind, number: int) -> None:
    good = GoodCase(PackSerial("OWN"), tuple(lines), ())
    bad = changed(good, kind, OTHER, number)
    if bad is None:
        assert kind is TrialKind.ONE_LESS and sum(line.count for line in lines) == 1
    else:
        assert (bad.serial, sorted(map(str, bad.expected))) != (good.serial, sorted(map(str, good.expected)))
        assert all(line.count >= 1 for line in bad.expected)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("#ffffff round 8.5", "#ffffff round 8", False),
        ("#ffffff round 8.5", "#b02020 round 8.5", True),
        ("#ffffff round 8.5", "#f0f0f0 capsule 19", True),
        ("#ffffff round 8.5", "", False),
        ("", "", False),
    ],
)
def test_looks_are_apart_only_where_nobody_mixes_them_up(one: str, other: str, apart: bool) -> None:
    assert looks_apart(one, other) is apart and looks_apart(other, one) is apart
