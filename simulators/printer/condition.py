"""In what condition the head and the paper's guide are: how dark, with which dead dots, how far beside its place a label is printed."""

import random
from dataclasses import dataclass

from PIL import Image

DOTS_PER_MM = 8
_CHANCE = 0.01


@dataclass(frozen=True)
class Condition:
    """`contrast` 0 .. 1 is how dark the ink is; `dead_columns` are dots that burn nothing; the shift is to the right and down."""

    contrast: float = 1.0
    dead_columns: tuple[int, ...] = ()
    right_mm: float = 0.0
    down_mm: float = 0.0

    def on_paper(self, ink: Image.Image) -> Image.Image:
        """Give the dots that are on the paper: what is beside the paper is lost."""
        shown = Image.new("1", ink.size)
        worn = ink.copy()
        for column in self.dead_columns:
            if column < ink.width:
                worn.paste(0, (column, 0, column + 1, ink.height))
        shown.paste(worn, (round(self.right_mm * DOTS_PER_MM), round(self.down_mm * DOTS_PER_MM)))
        return shown

    def grey(self, dots: Image.Image) -> Image.Image:
        """Give the picture of printed dots: black ink on white paper, or grey where the print is faint."""
        depth = round(255 * self.contrast)
        return dots.convert("L").point(lambda value: 255 - depth if value else 255)


@dataclass(frozen=True)
class Mishaps:
    """What goes wrong with one label besides the condition of the head."""

    condition: Condition
    loses_answer: bool = False
    ends_after_rows: int | None = None


def drawn(seed: int, number: int, faults: str) -> Mishaps:
    """Choose by seed and label number what goes wrong: `mild`: a streak, a lost answer; `rough`: also faint, beside its place, no paper."""
    chance = random.Random(f"{seed}/{number}")
    streaked, lost, first = chance.random() < _CHANCE, chance.random() < _CHANCE, chance.randrange(600)
    columns = tuple(range(first, first + 24)) if streaked else ()
    if faults == "none":
        return Mishaps(Condition())
    if faults == "mild":
        return Mishaps(Condition(dead_columns=columns), lost)
    faint, aside, ends = (chance.random() < _CHANCE for _ in range(3))
    condition = Condition(
        contrast=chance.uniform(0.1, 0.6) if faint else 1.0,
        dead_columns=columns,
        right_mm=chance.uniform(-8, 8) if aside else 0.0,
        down_mm=chance.uniform(-5, 5) if aside else 0.0,
    )
    return Mishaps(condition, lost, chance.randrange(1, 300) if ends else None)
