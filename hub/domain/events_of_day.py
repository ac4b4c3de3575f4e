"""Events of the day (FHIR EventTiming) as a ward's clock times: meals, sleep, parts of the day, minutes before and after."""

from collections.abc import Mapping
from datetime import time, timedelta

from hub.domain.calendar_days import elapsed
from hub.domain.courses import DAY, ONE, DayTimes
from hub.domain.frequencies import WardDay
from hub.domain.orders import Reason
from hub.domain.timing import Repeat, Span
from hub.domain.timing_rules import RULE_CONTRADICTION, RULE_UNCLEAR, RULE_VALUE, reason

EVENT_TABLE = "frequencies.csv, rows of the kind event"
_MEALS: Mapping[str, str] = {"AC": "C", "ACM": "CM", "ACD": "CD", "ACV": "CV", "PC": "C", "PCM": "CM", "PCD": "CD", "PCV": "CV"}
_BEFORE = frozenset({"AC", "ACM", "ACD", "ACV", "HS"})
_ANY_MEAL = frozenset({"C", "AC", "PC"})
_MOST_OFFSET = 24 * 60


def events_at(repeat: Repeat, ward: WardDay) -> DayTimes | Reason:
    """Return the clock times of a repetition's events at a ward, named by them, or why there are none.

    An offset is counted from the meal itself, before it or after it as the code says; from any other event after it, but
    before sleep. 'With meals' once a day is the first meal, twice the first and the last.
    """
    found: dict[time, str] = {}
    for code in repeat.when:
        clocks = _clocks(code, repeat, ward)
        if isinstance(clocks, Reason):
            return clocks
        for clock, name in clocks.items():
            if clock in found:
                return reason(
                    RULE_CONTRADICTION, f"'{found[clock]}' and '{name}' are both at {clock:%H:%M} at this ward",
                    f"«{found[clock]}» и «{name}» в этом отделении — одно время, {clock:%H:%M}",
                )  # fmt: skip
            found[clock] = name
    times = tuple(sorted(found))
    return DayTimes(tuple((clock, ONE) for clock in times), called=tuple(found[clock] for clock in times))


def _clocks(code: str, repeat: Repeat, ward: WardDay) -> Mapping[time, str] | Reason:
    minutes = repeat.offset_minutes or 0
    if not 0 <= minutes < _MOST_OFFSET:
        return reason(RULE_VALUE, f"the offset {minutes} min is not between 0 and a day", f"сдвиг {minutes} мин вне пределов суток")
    clocks = ward.event(_MEALS.get(code, code) if minutes else code)
    if clocks is None:
        return reason(RULE_UNCLEAR, f"the event of the day '{code}' is not in the ward's table", f"события дня «{code}» нет в таблице отделения", EVENT_TABLE)
    clocks = _meals_wanted(clocks, repeat) if code in _ANY_MEAL else clocks
    shift = -minutes if code in _BEFORE else minutes
    moved = [_moved(clock, shift) for clock in clocks]
    if not _is_of_each_day(repeat) and any(away for _, away in moved):
        return reason(
            RULE_UNCLEAR, f"'{code}' with {minutes} min falls on another day than the one that the days written count",
            f"«{code}» со сдвигом {minutes} мин — уже другой день, чем указано",
        )  # fmt: skip
    name = f"{code}{shift:+d}" if shift else code
    return {clock: name for clock, _ in moved}


def _is_of_each_day(repeat: Repeat) -> bool:
    """Tell whether a repetition is of every day, so that a time moved over midnight changes no dosing day."""
    if repeat.weekdays:
        return False
    return repeat.period is None or repeat.period_unit is None or elapsed(Span(repeat.period, repeat.period_unit)) == DAY


def _meals_wanted(clocks: tuple[time, ...], repeat: Repeat) -> tuple[time, ...]:
    """Return the meals of 'with food n times a day': once the first, twice the first and the last."""
    if len(repeat.when) > 1 or repeat.frequency not in (1, 2) or len(clocks) <= repeat.frequency:
        return clocks
    return clocks[:1] if repeat.frequency == 1 else (clocks[0], clocks[-1])


def _moved(clock: time, minutes: int) -> tuple[time, bool]:
    """Return a clock time so many minutes later (or earlier), and whether that is on another day."""
    since = timedelta(hours=clock.hour, minutes=clock.minute + minutes)
    within = int((since % DAY).total_seconds())
    return time(within // 3600, within // 60 % 60), not timedelta(0) <= since < DAY
