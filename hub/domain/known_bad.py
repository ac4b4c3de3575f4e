"""Known-bad pouches: kept frames of a good pouch beside a list that is wrong, to measure what machine and people miss.

A trial is no pouch: it names frames and a changed list, and nothing of stock, pack or dose follows from it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from math import exp, fsum, lgamma, log

from hub.domain.identifiers import DrugCode, LotId, PackSerial, UserId
from hub.domain.stock import written_look
from hub.domain.verdict_words import VerdictRule, verdict_reason
from hub.domain.words import Words

DOUBT_BY = 0.025
"""Left out on either side of a two-sided interval at 95 %."""
LEAST_COLOUR_APART = 120
LEAST_SIZE_APART_MM = Fraction(3)
_HALVINGS = 60
TELLS_NOTHING = 3
"""So many trials with no miss leave every share possible: 3/n is one or more."""


class TrialKind(StrEnum):
    """What is wrong with the list beside the frames."""

    ONE_MORE = "one-more"
    ONE_LESS = "one-less"
    OTHER_LOOK = "other-look"
    OTHER_SERIAL = "other-serial"


KIND_WORDS = {
    TrialKind.ONE_MORE: Words("a tablet is missing", "не хватает таблетки"),
    TrialKind.ONE_LESS: Words("there is a tablet too many", "лишняя таблетка"),
    TrialKind.OTHER_LOOK: Words("there is another tablet than listed", "не та таблетка, что в списке"),
    TrialKind.OTHER_SERIAL: Words("it is another pouch than named", "не тот пакет, что назван"),
}


class Judge(StrEnum):
    """Who was tried."""

    MACHINE = "machine"
    PERSON = "person"


class TrialResult(StrEnum):
    """How a trial ended; `not-counted` is one that says nothing of an eye: the pouch was looked for and not found, or urgent work came first."""

    OPEN = "open"
    FOUND = "found"
    MISSED = "missed"
    NOT_COUNTED = "not-counted"


@dataclass(frozen=True, slots=True)
class ExpectedTablet:
    """So many tablets of one lot of one drug, as a list beside a picture names them."""

    drug: DrugCode
    count: int
    lot: LotId


@dataclass(frozen=True, slots=True)
class Trial:
    """One known-bad case: the frames `evidence` of a pouch that passed, and the serial and list that are shown with them.

    `before` is the review that it came before, `person` who was tried (None: the machine), `answer` a verdict or a decision.
    """

    id: str
    judge: Judge
    kind: TrialKind
    evidence: tuple[str, ...]
    serial: PackSerial
    expected: tuple[ExpectedTablet, ...]
    made_at: datetime
    result: TrialResult = TrialResult.OPEN
    before: str = ""
    person: UserId | None = None
    answer: str = ""
    decided_at: datetime | None = None
    took_ms: int = 0


@dataclass(frozen=True, slots=True)
class GoodCase:
    """A pouch that passed and whose frames are kept: what a trial is made from."""

    serial: PackSerial
    expected: tuple[ExpectedTablet, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Other:
    """What a changed list may name instead: a tablet that looks different from all in the pouch, and another pouch's serial."""

    tablet: ExpectedTablet | None
    serial: PackSerial | None


def changed(good: GoodCase, kind: TrialKind, other: Other, number: int) -> GoodCase | None:
    """Return the case with a list that is wrong in the way of `kind`, `number` choosing the line; None where it cannot be made so."""
    if kind is TrialKind.OTHER_SERIAL:
        return replace(good, serial=other.serial) if other.serial not in (None, good.serial) else None
    if not good.expected:
        return None
    at = number % len(good.expected)
    if kind is TrialKind.OTHER_LOOK:
        return _with_line(good, at, replace(other.tablet, count=1)) if other.tablet is not None else None
    if kind is TrialKind.ONE_LESS and sum(line.count for line in good.expected) < 2:
        return None
    return _recounted(good, at, 1 if kind is TrialKind.ONE_MORE else -1)


def _recounted(good: GoodCase, at: int, by: int) -> GoodCase:
    lines = [replace(line, count=line.count + by) if number == at else line for number, line in enumerate(good.expected)]
    return replace(good, expected=tuple(line for line in lines if line.count))


def _with_line(good: GoodCase, at: int, stranger: ExpectedTablet) -> GoodCase:
    return replace(good, expected=(*_recounted(good, at, -1).expected, stranger))


def fits_reasons(kind: TrialKind, reasons: Sequence[str]) -> bool:
    """Tell whether a wrong list of this kind may stand beside a pouch's own reasons without one of them telling of it.

    Another count contradicts a reason with a number in it; another serial goes only with a pouch whose code could not be read.
    """
    if kind is TrialKind.OTHER_SERIAL:
        return verdict_reason(VerdictRule.NO_CODE).text in reasons
    return kind is TrialKind.OTHER_LOOK or not any(letter.isdigit() for reason in reasons for letter in reason)


def looks_apart(one: str, other: str) -> bool:
    """Tell whether two written looks (`#rrggbb shape size_mm`) differ so that nobody takes one for the other; unknown ones never do."""
    first, second = written_look(one), written_look(other)
    if first is None or second is None:
        return False
    distance = sum((a - b) ** 2 for a, b in zip(_parts(first["colour"]), _parts(second["colour"]), strict=True))
    return distance >= LEAST_COLOUR_APART**2 or abs(Fraction(first["size_mm"]) - Fraction(second["size_mm"])) >= LEAST_SIZE_APART_MM


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@dataclass(frozen=True, slots=True)
class Misses:
    """How many trials of a kind were missed, with the exact two-sided interval at 95 %."""

    misses: int
    trials: int

    @property
    def interval(self) -> tuple[float, float]:
        """The bounds of the share that is missed."""
        return clopper_pearson(self.misses, self.trials)


@dataclass(frozen=True, slots=True)
class Uncounted:
    """How many trials say nothing of an eye: due and not shown, taken back, looked for and not found, and not decided yet."""

    skipped: int
    withdrawn: int
    not_found: int
    open: int


def clopper_pearson(hits: int, trials: int) -> tuple[float, float]:
    """Return the exact interval at 95 % of a share of which `hits` in `trials` were seen (Clopper and Pearson, Biometrika 26, 1934).

    Raises ValueError where there are more hits than trials, or fewer than none.
    """
    if not 0 <= hits <= trials:
        raise ValueError(f"{hits} of {trials} is no share")
    low = 0.0 if hits == 0 else _share_where(lambda share: 1 - _at_most(hits - 1, trials, share) >= DOUBT_BY)
    high = 1.0 if hits == trials else _share_where(lambda share: _at_most(hits, trials, share) <= DOUBT_BY)
    return low, high


def _share_where(holds: Callable[[float], bool]) -> float:
    """Return the least share from which on something holds, by halving."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _at_most(hits: int, trials: int, share: float) -> float:
    """Return the chance of at most so many hits, each with this share: the sum of the binomial's terms."""
    if share <= 0:
        return 1.0
    if share >= 1:
        return float(hits >= trials)
    whole, yes, no = lgamma(trials + 1), log(share), log(1 - share)
    return fsum(exp(whole - lgamma(k + 1) - lgamma(trials - k + 1) + k * yes + (trials - k) * no) for k in range(hits + 1))


def told(misses: Misses) -> Words:
    """Say the figure in words: with no miss, what so many trials prove (the rule of three), else the share with its interval."""
    count, trials = misses.misses, misses.trials
    if not trials:
        return Words("no trial yet: nothing is known", "проб ещё не было: ничего не известно")
    if trials <= TELLS_NOTHING:
        return Words(f"{count} in {trials} missed: so few tell nothing", f"пропущено {count} из {trials}: так мало ни о чём не говорит")
    if not count:
        bound = percent(min(1.0, 3 / trials))
        return Words(f"0 in {trials}: fewer than {bound.en} are missed (< 3/{trials} at 95 %)", f"0 из {trials}: пропускается меньше {bound.ru} (< 3/{trials} при 95 %)")
    low, high = map(percent, misses.interval)
    share = percent(count / trials)
    return Words(
        f"{count} in {trials} missed: {share.en}, between {low.en} and {high.en} at 95 %",
        f"пропущено {count} из {trials}: {share.ru}, от {low.ru} до {high.ru} при 95 %",
    )


def percent(share: float) -> Words:
    """Return a share in per cent, a small one with as many digits as it takes to tell it from none, four at most."""
    value = share * 100
    digits = next((digits for digits in (1, 2, 3) if value >= 10 ** (1 - digits)), 4)
    text = f"{value:.{digits}f} %"
    return Words(text, text.replace(".", ","))
