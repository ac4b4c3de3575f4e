"""The judges of a day find nothing to blame in seeded walks through the life of the line, whatever goes wrong there."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.demo.invariants import judge
from hub.domain.orders import OrderLine
from tests.simulation.walker import Walk


class ToldWalk(Walk):
    """A walk whose lines stand in places of their own, and that keeps its ledger."""

    told: list[dict[str, Any]]

    def _new_line(self) -> OrderLine:
        line = super()._new_line()
        self.lines[line.id] = replace(line, position=str(line.id))
        return self.lines[line.id]

    def heal(self) -> None:
        super().heal()
        self.told = self.world.ledger()


@pytest.mark.parametrize("seed", [3, 7, 9])
def test_a_walk_through_the_life_of_the_line_breaks_no_rule(seed: int, tmp_path: Path) -> None:
    walk = ToldWalk(seed, tmp_path)
    walk.run(200)
    answers = judge(walk.told, True, 0)
    assert [name for name, answer in answers.items() if answer is False] == []
