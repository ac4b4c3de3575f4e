"""How long a person looks at a pouch before it may be accepted, and what that tells of rubber-stamping.

The least time holds for accepting alone: a pouch that is rejected at once harms nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from hub.domain.identifiers import UserId
from hub.domain.words import Words

NEAR_THE_LEAST = Fraction(3, 2)


@dataclass(frozen=True, slots=True)
class StationRules:
    """The review station's settings: least seconds of looking, and how often a known-bad pouch is shown.

    One known-bad pouch comes in `one_in` shown ones (0: none), at most `trials_a_shift` for each person and shift. `seed` moves where they come.
    The machine is tried by itself, so often a day.
    """

    least_s: int = 5
    least_high_alert_s: int = 10
    one_in: int = 50
    trials_a_shift: int = 3
    shift_hours: int = 8
    machine_trials_a_day: int = 200
    seed: str = ""

    def least_of(self, *, is_high_alert: bool) -> int:
        """Return the least seconds of looking before a pouch may be accepted."""
        return self.least_high_alert_s if is_high_alert else self.least_s


USUAL_STATION = StationRules()


@dataclass(frozen=True, slots=True)
class Look:
    """That a case (a review or a trial) was shown to a person: since when, and when and how it was decided."""

    case: str
    person: UserId
    shown_at: datetime
    least_s: int
    decided_at: datetime | None = None
    decision: str = ""

    @property
    def took_ms(self) -> int:
        """Milliseconds from showing to deciding; 0 while it is undecided."""
        return milliseconds(self.decided_at - self.shown_at) if self.decided_at is not None else 0


def milliseconds(span: timedelta) -> int:
    """Return a span in whole milliseconds."""
    return span // timedelta(milliseconds=1)


def too_quick(look: Look, at: datetime) -> Words | None:
    """Return why a pouch may not be accepted yet, or None where it was looked at for long enough; a clock set back counts as no time."""
    looked_ms = max(0, milliseconds(at - look.shown_at))
    if looked_ms >= look.least_s * 1000:
        return None
    seconds = f"{looked_ms // 1000}.{looked_ms % 1000 // 100}"
    return Words(
        f"Look at this pouch for at least {look.least_s} s before you accept it; {seconds} s have passed.",
        f"Смотрите на пакет не меньше {look.least_s} с, прежде чем принять; прошло {seconds.replace('.', ',')} с.",
    )


@dataclass(frozen=True, slots=True)
class LookingFigures:
    """How one person decides: how many, the median time in ms, and how many accepted near the least time."""

    person: UserId
    decided: int
    accepted: int
    median_ms: int
    near_least: int


def figures_of(looks: Iterable[Look]) -> tuple[LookingFigures, ...]:
    """Return the figures of each person who decided, by person."""
    by_person: dict[UserId, list[Look]] = {}
    for look in looks:
        if look.decided_at is not None:
            by_person.setdefault(look.person, []).append(look)
    return tuple(_figures(person, by_person[person]) for person in sorted(by_person))


def _figures(person: UserId, looks: list[Look]) -> LookingFigures:
    accepted = [look for look in looks if look.decision == "accept"]
    near = [look for look in accepted if look.took_ms <= look.least_s * 1000 * NEAR_THE_LEAST]
    return LookingFigures(person, len(looks), len(accepted), median([look.took_ms for look in looks]), len(near))


def median(values: list[int]) -> int:
    """Return the median of whole numbers, of an even count the lower middle's and upper middle's mean, rounded down; 0 of none."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    if not ordered:
        return 0
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) // 2
