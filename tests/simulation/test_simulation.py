"""Random walks through the line's life keep every invariant at every step and let everything end exactly once."""

import os
from pathlib import Path

import pytest

from tests.simulation.walker import Walk

SEEDS = int(os.environ.get("DOSEHUB_SEEDS", "12"))
STEPS = 200


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_walk_keeps_every_invariant_and_ends(seed: int, tmp_path: Path) -> None:
    Walk(seed, tmp_path).run(STEPS)
