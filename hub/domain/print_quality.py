"""How good a printer's codes are over time, told by the error correction that reading them left unused.

Fading print raises a ticket before codes fail: a code that is read with little left over is one scratch away from being unread.
Measured: 97, 68, 48, 28 % unused where 0, 2, 4, 8 % of a Data Matrix is covered, and then one in ten is not read any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import median

from hub.domain.identifiers import DeviceId
from hub.domain.words import Words

FRESH_PRINTS = 30
"""Prints after a change of head or ribbon that say what good print is here."""
LAST_PRINTS = 40
FALLEN_POINTS = 20
LEAST_UNUSED = 55
FALLING_POINTS, FAILS_AT, AHEAD_PRINTS = 10, 40, 1000
"""Falling by so much already, and on its way to this level within so many prints."""
AGAIN_POINTS = 10
"""After a ticket was closed without a change, it is raised again only where print is so much worse than it said."""


@dataclass(frozen=True, slots=True)
class PrintQuality:
    """What is kept of one printer: unused error correction in whole percent, 0 to 100.

    `fresh`: the first prints after the last change of head or ribbon; `last`: the newest prints; `printed`: how many since that change.
    `told`: the level that a ticket told of, or at which a person let it be; None where there was none.
    """

    device: DeviceId
    fresh: tuple[int, ...] = ()
    last: tuple[int, ...] = ()
    printed: int = 0
    told: int | None = None


@dataclass(frozen=True, slots=True)
class Fading:
    """Print that gets worse: the median of the fresh prints and of the last ones, and the slope in points a thousand prints."""

    fresh: int
    now: int
    slope: int


def with_print(quality: PrintQuality, unused: int) -> PrintQuality:
    """Take in one more print; both windows stay bounded. ValueError for a share outside of 0 to 100."""
    if not 0 <= unused <= 100:
        raise ValueError(f"unused error correction {unused} %")
    fresh = quality.fresh if len(quality.fresh) >= FRESH_PRINTS else (*quality.fresh, unused)
    return replace(quality, fresh=fresh, last=(*quality.last, unused)[-LAST_PRINTS:], printed=quality.printed + 1)


def renewed(quality: PrintQuality) -> PrintQuality:
    """Begin anew after a change of head or ribbon."""
    return PrintQuality(quality.device)


def accepted(quality: PrintQuality) -> PrintQuality:
    """Go on with print as it is: a person looked at it and changed nothing."""
    found = fading(quality)
    return quality if found is None else replace(quality, told=found.now)


def fading(quality: PrintQuality) -> Fading | None:
    """Say how print fades, or None where it does not or there are too few prints to tell.

    Fading: the last prints' median fell by 20 points, or is below 55 %, or fell by 10 and its slope leads below 40 % within 1000 prints.
    """
    if len(quality.fresh) < FRESH_PRINTS or len(quality.last) < LAST_PRINTS:
        return None
    fresh, now, slope = median(quality.fresh), median(quality.last), steady_slope(quality.last)
    fails_soon = fresh - now >= FALLING_POINTS and now + slope * AHEAD_PRINTS < FAILS_AT
    if fresh - now >= FALLEN_POINTS or now < LEAST_UNUSED or fails_soon:
        return Fading(round(fresh), round(now), round(slope * 1000))
    return None


def steady_slope(values: Sequence[int]) -> float:
    """Return the median of the slopes of all pairs (Theil 1950, Sen 1968), points a print: single bad prints do not move it."""
    slopes = [(later - earlier) / (at - before) for (before, earlier), (at, later) in combinations(enumerate(values), 2)]
    return median(slopes) if slopes else 0.0


def to_tell(quality: PrintQuality, found: Fading) -> bool:
    """Tell whether a ticket is to be raised: none was yet, or print is clearly worse than the last one said."""
    return quality.told is None or found.now <= quality.told - AGAIN_POINTS


def fading_words(device: DeviceId, found: Fading) -> Words:
    """Return the ticket's sentence, with its figures and what to do."""
    return Words(
        f"The print of {device} fades: {found.now} % of the error correction is left unused (median of the last {LAST_PRINTS} pouches), it was "
        f"{found.fresh} % after the last change, {found.slope:+d} points per 1000 pouches. Clean or change the print head or the ribbon before codes fail.",
        f"Печать {device} бледнеет: не израсходовано {found.now} % избыточности кода (медиана последних {LAST_PRINTS} пакетов), после последней замены "
        f"было {found.fresh} %, {found.slope:+d} пунктов на 1000 пакетов. Очистите или замените печатающую головку или ленту, пока коды читаются.",
    )
