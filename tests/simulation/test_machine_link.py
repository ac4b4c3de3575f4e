"""The chain from the hub's outbox to the actuator keeps its promises at every step, whatever is lost, doubled, late, cut or crashed."""

import os
import time

import pytest

from tests.simulation.machine_link.faults import CALM
from tests.simulation.machine_link.mutants import ROUGH
from tests.simulation.machine_link.run import run_seed

DOSES = 500
FIXED = range(1, 21)
FRESH = int(os.environ.get("DOSEHUB_FRESH_SEED", time.time_ns() // 1_000_000_000))


@pytest.mark.parametrize("seed", FIXED)
def test_no_dose_is_lost_or_doubled(seed: int) -> None:
    outcome = run_seed(seed, DOSES)
    assert (outcome.doses, outcome.lost, outcome.doubled) == (DOSES, 0, 0)


@pytest.mark.parametrize("part", range(4))
def test_no_dose_is_lost_or_doubled_in_seeds_that_nobody_has_seen(part: int) -> None:
    """A seed that breaks is in the message; DOSEHUB_FRESH_SEED repeats the run."""
    for seed in range(FRESH + 5 * part, FRESH + 5 * part + 5):
        outcome = run_seed(seed, DOSES)
        assert (outcome.lost, outcome.doubled) == (0, 0), seed


def test_a_seed_replays_exactly() -> None:
    assert run_seed(7, 100) == run_seed(7, 100)


def test_nothing_is_in_doubt_where_nothing_goes_wrong() -> None:
    outcome = run_seed(1, 100, CALM)
    assert (outcome.doubts, outcome.power_cuts, outcome.crashes) == (0, 0, 0)


@pytest.mark.parametrize("seed", range(1, 6))
def test_the_hub_s_own_services_and_store_keep_the_same_promises(seed: int) -> None:
    outcome = run_seed(seed, 100, ROUGH, whole=True)
    assert (outcome.doses, outcome.lost, outcome.doubled) == (100, 0, 0)


def test_the_hub_s_own_services_and_store_keep_them_in_a_seed_that_nobody_has_seen() -> None:
    outcome = run_seed(FRESH, 100, whole=True)
    assert (outcome.lost, outcome.doubled) == (0, 0), FRESH


def test_a_seed_with_the_hub_s_own_services_replays_exactly() -> None:
    assert run_seed(7, 60, whole=True) == run_seed(7, 60, whole=True)
