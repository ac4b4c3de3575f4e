"""The ward's time-table: what a frequency code and an event of the day mean at a ward, and from which day on."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, time
from enum import StrEnum
from typing import Any, TypeVar

from hub.domain.as_needed import AsNeeded, as_needed, glued_rests, least_hours
from hub.domain.words import Unfit, words_of

ALWAYS = date.min
_EVENT = "event"
_TIMES_A_DAY = re.compile(r"[XХ]?([1-9])(?:X|Х|Р|РАЗ|РАЗА)\.?(?:/|В)?(?:Д|ДЕНЬ|Д\.|СУТ|СУТКИ|С)\.?")
_ABBREVIATION_DOT = re.compile(r"(?<=[^\W\d_])\.(?!\d)")
_MAY_REPEAT = re.compile(r"MRX?([1-9])$")
_LOOSE_SPACE = re.compile(r"(?<!\d) | (?!\d)")


class ScheduleKind(StrEnum):
    """How the times of an order come about; `continuous` is all that has no dose times (infusions, protocols, as directed)."""

    REGULAR = "regular"
    PRN = "prn"
    ONCE = "once"
    CONTINUOUS = "continuous"


@dataclass(frozen=True, slots=True)
class FrequencyRule:
    """What one frequency code means at one ward (`ward` empty: everywhere) from a day on.

    `every_days` and `every_months` count from the order's start date; `weekdays` (Monday = 0) empty means every day. `every_hours`: the code is an
    interval, and `times` are its times by the ward's clock (none: as needed, at the least so far apart). `called`: the events
    of the day that the times stand for. A code of the kind once may have one time: that one of its day.
    """

    code: str
    ward: str
    kind: ScheduleKind
    times: tuple[time, ...] = ()
    every_days: int = 1
    weekdays: tuple[int, ...] = ()
    every_hours: int | None = None
    every_months: int = 0
    called: tuple[str, ...] = ()
    valid_from: date = ALWAYS


@dataclass(frozen=True, slots=True)
class EventRule:
    """When an event of the day (a code of FHIR EventTiming) is at one ward, from a day on; meals in general have several times."""

    code: str
    ward: str
    times: tuple[time, ...]
    valid_from: date = ALWAYS


Rule = FrequencyRule | EventRule
_R = TypeVar("_R", FrequencyRule, EventRule)


def normal_code(code: str) -> str:
    """Return a frequency code without case, spaces and the dots of abbreviations; `2 раза в день` and `2р/д` are one.

    What stands between two digits, be it a space, is never dropped: `Q2-4H` is not `Q24H`, and `Q1.2H` is not `Q12H`.
    """
    upper = " ".join(code.upper().replace("Ё", "Е").split())
    if counted := _TIMES_A_DAY.fullmatch(_LOOSE_SPACE.sub("", upper)):
        return f"{counted[1]}Р/Д"
    return _LOOSE_SPACE.sub("", _ABBREVIATION_DOT.sub("", upper))


def is_prn(code: str) -> bool:
    """Tell whether a code says 'when needed' (`Q6H:PRN`, `X1 PRN`, `при болях`); a meal or a waking is no need."""
    return as_needed(code) is not None


def repeats_allowed(code: str) -> int:
    """Return how many times more a single dose may be given by its code (`ONCE MR2`: twice), 0 where it says nothing of it."""
    found = _MAY_REPEAT.search(normal_code(code))
    return 0 if found is None else int(found[1])


class FrequencyTable(Mapping[tuple[str, str], tuple[FrequencyRule, ...]]):
    """The rules by (code, ward), those of one key in order of the day from which they hold.

    The rule in force on a day is the latest one not after it; a ward's own rule goes before the general one.
    """

    def __init__(self, rules: Iterable[FrequencyRule], events: Iterable[EventRule] = ()) -> None:
        self._rules = _by_key(rules)
        self._events = _by_key(events)
        every = [rule.valid_from for known in (self._rules, self._events) for held in known.values() for rule in held]
        self.changes = tuple(sorted({ALWAYS, *every}))
        self.readings: dict[tuple[int, int], tuple[object, object, dict[object, Any]]] = {}

    def __getitem__(self, key: tuple[str, str]) -> tuple[FrequencyRule, ...]:
        return self._rules[_key(*key)]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def find(self, code: str, ward: str, day: date = date.max) -> FrequencyRule | None:
        """Return what a code means at a ward on a day, or None where it is unknown; PRN in it makes it as-needed."""
        if (needed := as_needed(code)) is not None:
            return self._when_needed(code, needed, ward, day)
        for rest in glued_rests(normal_code(code)):
            if (kept := self._known(rest, ward, day)) is not None:
                return _as_needed(code, kept)
        return self._known(normal_code(code), ward, day)

    def _when_needed(self, code: str, needed: AsNeeded, ward: str, day: date) -> FrequencyRule | None:
        """Return an as-needed rule with the least gap that its rest says, or None where the rest means nothing here."""
        if not needed.rest:
            return FrequencyRule(code, "", ScheduleKind.PRN)
        if (kept := self._known(normal_code(needed.rest), ward, day)) is not None:
            return _as_needed(code, kept)
        hours = least_hours(needed.rest)
        if hours is None:
            return None
        kept = self._known(f"Q{hours}H", ward, day)
        return FrequencyRule(code, "", ScheduleKind.PRN, every_hours=hours) if kept is None else _as_needed(code, kept)

    def event(self, code: str, ward: str, day: date = date.max) -> EventRule | None:
        """Return when an event is at a ward on a day, or None where the table has no such event."""
        return _in_force(self._events, normal_code(code), ward, day)

    def _known(self, normal: str, ward: str, day: date) -> FrequencyRule | None:
        return _in_force(self._rules, normal, ward, day)


@dataclass(frozen=True, slots=True)
class WardDay:
    """The table as one ward sees it on one day."""

    table: FrequencyTable
    ward: str
    day: date

    def rule(self, code: str) -> FrequencyRule | None:
        """Return what a code means here, or None where it is unknown."""
        return self.table.find(code, self.ward, self.day)

    def event(self, code: str) -> tuple[time, ...] | None:
        """Return the clock times of an event here, or None where the table has no such event."""
        found = self.table.event(code, self.ward, self.day)
        return None if found is None else found.times


def _key(code: str, ward: str) -> tuple[str, str]:
    return normal_code(code), ward.strip().casefold()


def _by_key(rules: Iterable[_R]) -> dict[tuple[str, str], tuple[_R, ...]]:
    found: dict[tuple[str, str], list[_R]] = {}
    for rule in sorted(rules, key=lambda each: each.valid_from):
        found.setdefault(_key(rule.code, rule.ward), []).append(rule)
    return {key: tuple(held) for key, held in found.items()}


def _in_force(known: Mapping[tuple[str, str], tuple[_R, ...]], normal: str, ward: str, day: date) -> _R | None:
    for key in ((normal, ward.strip().casefold()), (normal, "")):
        held = [rule for rule in known.get(key, ()) if rule.valid_from <= day]
        if held:
            return held[-1]
    return None


def _as_needed(code: str, kept: FrequencyRule) -> FrequencyRule:
    """Return the as-needed form of a rule: its times say how often at most."""
    if kept.kind is not ScheduleKind.REGULAR:
        return FrequencyRule(code, "", ScheduleKind.PRN)
    return replace(kept, code=code, kind=ScheduleKind.PRN)


def read_frequency_table(rows: Iterable[Mapping[str, str]]) -> FrequencyTable:
    """Build a table from rows with the members code, ward, kind, times (`08:00;20:00`), every_days, weekdays (`0;2;4`).

    Optional: every_hours, every_months, called (`MORN;EVE`), valid_from (`2026-05-01`). The kind `event` makes a row an event of the day.
    Raises ValueError naming the row and the code where a row is not readable, a code occurs twice for one day, changes its
    kind, or has no meaning before a day.
    """
    rules: dict[tuple[bool, str, str, date], Rule] = {}
    for number, row in enumerate(rows, start=2):
        try:
            rule = _read_rule(row)
        except (KeyError, ValueError) as problem:
            code, why = repr(row.get("code", "")), words_of(problem)
            raise Unfit(
                f"frequency table row {number} ({code}): {why.en}",
                f"таблица режимов, строка {number} ({code}): {why.ru}",
            ) from problem
        key = (isinstance(rule, EventRule), *_key(rule.code, rule.ward), rule.valid_from)
        if key in rules:
            raise Unfit(
                f"frequency table row {number}: {rule.code!r} occurs twice for ward {rule.ward!r}",
                f"таблица режимов, строка {number}: {rule.code!r} есть дважды для отделения {rule.ward!r}",
            )
        rules[key] = rule
    _check_editions(rules.values())
    return FrequencyTable(
        [rule for rule in rules.values() if isinstance(rule, FrequencyRule)],
        [rule for rule in rules.values() if isinstance(rule, EventRule)],
    )


def _check_editions(rules: Iterable[Rule]) -> None:
    """Refuse a code that means nothing before a day, or something of another kind from a day on or at a ward."""
    first: dict[tuple[bool, str], Rule] = {}
    for rule in sorted(rules, key=lambda each: (each.valid_from, each.ward)):
        before = first.setdefault((isinstance(rule, EventRule), normal_code(rule.code)), rule)
        if before.valid_from != ALWAYS:
            raise Unfit(
                f"frequency table: {rule.code!r} means nothing before {rule.valid_from}: its first row needs no valid_from",
                f"таблица режимов: {rule.code!r} ничего не значит до {rule.valid_from}: в первой его строке valid_from не нужен",
            )
        if isinstance(rule, FrequencyRule) and isinstance(before, FrequencyRule) and rule.valid_from != ALWAYS and rule.kind is not before.kind:
            raise Unfit(
                f"frequency table: {rule.code!r} becomes {rule.kind} on {rule.valid_from}: the new meaning needs a code of its own",
                f"таблица режимов: {rule.code!r} с {rule.valid_from} становится {rule.kind}: новому значению нужен свой код",
            )


def _read_rule(row: Mapping[str, str]) -> Rule:
    code, ward = row["code"].strip(), (row.get("ward") or "").strip()
    if not code:
        raise Unfit("the code is empty", "код пуст")
    times = tuple(sorted({time.fromisoformat(text) for text in _parts(row, "times")}))
    valid_from = date.fromisoformat(written) if (written := (row.get("valid_from") or "").strip()) else ALWAYS
    if row["kind"].strip() == _EVENT:
        if not times:
            raise Unfit("an event needs times", "событию нужно время")
        return EventRule(code, ward, times, valid_from)
    kind = ScheduleKind(row["kind"].strip())
    weekdays = tuple(sorted({int(text) for text in _parts(row, "weekdays")}))
    every_days = int((row.get("every_days") or "").strip() or 1)
    every_hours = int(hours) if (hours := (row.get("every_hours") or "").strip()) else None
    every_months = int((row.get("every_months") or "").strip() or 0)
    called = _parts(row, "called")
    if (kind is ScheduleKind.REGULAR) != bool(times) and not (kind is ScheduleKind.ONCE and len(times) == 1):
        raise Unfit(
            "a regular code needs times, and of the others only a single dose may have one",
            "времена нужны регулярному коду; из прочих одно время может быть у разовой дозы",
        )
    if every_days < 1 or any(day not in range(7) for day in weekdays):
        raise Unfit("every_days starts at 1 and weekdays are 0 (Monday) to 6", "every_days — от 1, дни недели — от 0 (понедельник) до 6")
    if called and len(called) != len(times):
        raise Unfit("called names an event for each of the times", "called называет событие для каждого времени")
    if every_months < 0 or (every_hours is not None and every_hours < 1):
        raise Unfit("every_hours and every_months start at 1", "every_hours и every_months — от 1")
    return FrequencyRule(code, ward, kind, times, every_days, weekdays, every_hours, every_months, called, valid_from)


def _parts(row: Mapping[str, str], member: str) -> tuple[str, ...]:
    return tuple(text.strip() for text in (row.get(member) or "").split(";") if text.strip())
