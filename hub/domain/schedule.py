"""Schedules: from a frequency code or the slots of a day sheet to the exact times at which doses are due."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from fractions import Fraction

from hub.domain.orders import OrderLine, Reason
from hub.domain.timing import Timing

RULE_FREQUENCY = "frequency"
_ROUND_TO = timedelta(minutes=30)
_LONGEST_WINDOW_DAYS = 400
_MOST_REMEMBERED = 10_000


class ScheduleKind(StrEnum):
    """How the times of an order come about; `continuous` is all that has no dose times (infusions, protocols, as directed)."""

    REGULAR = "regular"
    PRN = "prn"
    ONCE = "once"
    CONTINUOUS = "continuous"


@dataclass(frozen=True, slots=True)
class FrequencyRule:
    """What one frequency code means at one ward (`ward` empty: everywhere).

    `every_days` counts from the order's start date; `weekdays` (Monday = 0) empty means every day.
    """

    code: str
    ward: str
    kind: ScheduleKind
    times: tuple[time, ...] = ()
    every_days: int = 1
    weekdays: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """The expandable meaning of a timing: (clock time, how many doses then) of the days that count."""

    kind: ScheduleKind
    times: tuple[tuple[time, Fraction], ...] = ()
    every_days: int = 1
    weekdays: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class IntakeSlot:
    """One round of the day: doses due from `opens` to the next slot's `opens` belong to it.

    `clock` is when a day sheet's dose is taken, `cut` when the batch is frozen, `delivery` when the trolley reaches the ward.
    """

    name: str
    label_ru: str
    label_en: str
    clock: time
    opens: time
    cut: time
    delivery: time


DAY_SLOTS = (
    IntakeSlot("morning", "утро", "morning", time(8), time(7), time(6, 15), time(7, 30)),
    IntakeSlot("noon", "обед", "noon", time(13), time(11), time(10), time(11)),
    IntakeSlot("evening", "вечер", "evening", time(18), time(16), time(15), time(16)),
    IntakeSlot("night", "ночь", "night", time(22), time(20), time(19), time(20)),
)

_PRN = re.compile(r"(?:^|[^A-Z])PRN(?:$|[^A-Z])|(?:^|\s)ПРИ\s|ПО ТРЕБОВАНИЮ|ПО НЕОБХОДИМОСТИ|ПО ПОТРЕБНОСТИ")
_TIMES_A_DAY = re.compile(r"[XХ]?([1-9])(?:X|Х|Р|РАЗ|РАЗА)\.?(?:/|В)?(?:Д|ДЕНЬ|Д\.|СУТ|СУТКИ|С)\.?")
_ABBREVIATION_DOT = re.compile(r"(?<=[^\W\d_])\.(?!\d)")
_LOOSE_SPACE = re.compile(r"(?<!\d) | (?!\d)")
_PRN_WORD = "PRN"


def normal_code(code: str) -> str:
    """Return a frequency code without case, spaces and the dots of abbreviations; `2 раза в день` and `2р/д` are one.

    What stands between two digits, be it a space, is never dropped: `Q2-4H` is not `Q24H`, and `Q1.2H` is not `Q12H`.
    """
    upper = " ".join(code.upper().replace("Ё", "Е").split())
    if counted := _TIMES_A_DAY.fullmatch(_LOOSE_SPACE.sub("", upper)):
        return f"{counted[1]}Р/Д"
    return _LOOSE_SPACE.sub("", _ABBREVIATION_DOT.sub("", upper))


def is_prn(code: str) -> bool:
    """Tell whether a code says 'when needed', however the word is glued in (`Q6H:PRN`, `X1 PRN`, `при болях`)."""
    return _PRN.search(" ".join(code.upper().split())) is not None


class FrequencyTable(Mapping[tuple[str, str], FrequencyRule]):
    """The frequency rules by (normal code, ward in lower case); a ward's own rule goes before the general one."""

    def __init__(self, rules: Iterable[FrequencyRule]) -> None:
        self._rules = {(normal_code(rule.code), rule.ward.strip().casefold()): rule for rule in rules}
        self._schedules: dict[tuple[str, str], Schedule | None] = {}

    def __getitem__(self, key: tuple[str, str]) -> FrequencyRule:
        return self._rules[normal_code(key[0]), key[1].strip().casefold()]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def find(self, code: str, ward: str) -> FrequencyRule | None:
        """Return the rule of a code at a ward, or None where the code is unknown."""
        normal = normal_code(code)
        if is_prn(code) or any(self._known(rest, ward) for rest in _without_prn(normal)):
            return FrequencyRule(code, "", ScheduleKind.PRN)
        return self._known(normal, ward)

    def _known(self, normal: str, ward: str) -> FrequencyRule | None:
        return self._rules.get((normal, ward.strip().casefold())) or self._rules.get((normal, ""))

    def schedule(self, code: str, ward: str) -> Schedule | None:
        """Return what a code means at a ward, or None where the code is unknown; remembered, as a day asks thousands of times."""
        asked = (code, ward)
        if asked not in self._schedules:
            if len(self._schedules) >= _MOST_REMEMBERED:
                self._schedules.clear()
            rule = self.find(code, ward)
            self._schedules[asked] = None if rule is None else _schedule_of(rule)
        return self._schedules[asked]


def _without_prn(normal: str) -> Iterator[str]:
    """Yield what is left of a code that begins or ends with PRN (`Q6HPRN`, `PRNQ6H`)."""
    if normal.endswith(_PRN_WORD):
        yield normal.removesuffix(_PRN_WORD)
    if normal.startswith(_PRN_WORD):
        yield normal.removeprefix(_PRN_WORD)


def _schedule_of(rule: FrequencyRule) -> Schedule:
    return Schedule(rule.kind, tuple((clock, Fraction(1)) for clock in rule.times), rule.every_days, rule.weekdays)


def read_frequency_table(rows: Iterable[Mapping[str, str]]) -> FrequencyTable:
    """Build a table from rows with the members code, ward, kind, times (`08:00;20:00`), every_days, weekdays (`0;2;4`).

    Raises ValueError naming the row and the code where a row is not readable or a code occurs twice.
    """
    rules: list[FrequencyRule] = []
    seen: set[tuple[str, str]] = set()
    for number, row in enumerate(rows, start=2):
        try:
            rule = _read_rule(row)
        except (KeyError, ValueError) as problem:
            raise ValueError(f"frequency table row {number} ({row.get('code', '')!r}): {problem}") from problem
        key = (normal_code(rule.code), rule.ward.casefold())
        if key in seen:
            raise ValueError(f"frequency table row {number}: {rule.code!r} occurs twice for ward {rule.ward!r}")
        seen.add(key)
        rules.append(rule)
    return FrequencyTable(rules)


def _read_rule(row: Mapping[str, str]) -> FrequencyRule:
    kind = ScheduleKind(row["kind"].strip())
    times = tuple(
        sorted({time.fromisoformat(text.strip()) for text in (row.get("times") or "").split(";") if text.strip()})
    )
    weekdays = tuple(sorted({int(text) for text in (row.get("weekdays") or "").split(";") if text.strip()}))
    every_days = int((row.get("every_days") or "").strip() or 1)
    if not row["code"].strip():
        raise ValueError("the code is empty")
    if (kind is ScheduleKind.REGULAR) != bool(times):
        raise ValueError("a regular code needs times, and no other code has any")
    if every_days < 1 or any(day not in range(7) for day in weekdays):
        raise ValueError("every_days starts at 1 and weekdays are 0 (Monday) to 6")
    return FrequencyRule(row["code"].strip(), (row.get("ward") or "").strip(), kind, times, every_days, weekdays)


def schedule_for(
    timing: Timing, table: FrequencyTable, ward: str, intake_slots: tuple[IntakeSlot, ...] = DAY_SLOTS
) -> Schedule | Reason:
    """Return what a timing means at a ward, or why nobody can tell."""
    if timing.prn:
        return Schedule(ScheduleKind.PRN)
    if timing.slots:
        return _day_sheet_schedule(timing, intake_slots)
    if not timing.code or not timing.code.strip():
        return Reason(RULE_FREQUENCY, "no frequency is written", "order 1088, section II.1")
    schedule = table.schedule(timing.code, ward)
    if schedule is None:
        return Reason(RULE_FREQUENCY, f"the frequency '{timing.code}' is not in the frequency table", "frequencies.csv")
    return schedule


def _day_sheet_schedule(timing: Timing, intake_slots: tuple[IntakeSlot, ...]) -> Schedule | Reason:
    clocks = {slot.name: slot.clock for slot in intake_slots}
    factors: dict[time, Fraction] = {}
    for dose in timing.slots:
        if dose.slot not in clocks:
            return Reason(
                RULE_FREQUENCY, f"the intake slot '{dose.slot}' is not one of this hospital's", "intake slots"
            )
        if dose.factor < 0:
            return Reason(RULE_FREQUENCY, f"the slot '{dose.slot}' holds a negative count", "order 1088, section II.1")
        if dose.factor:
            factors[clocks[dose.slot]] = factors.get(clocks[dose.slot], Fraction(0)) + dose.factor
    if not factors:
        return Reason(RULE_FREQUENCY, "no slot of the day is marked", "order 1088, section II.1")
    return Schedule(ScheduleKind.REGULAR, tuple(sorted(factors.items())))


def expand(
    schedule: Schedule,
    starts_at: datetime,
    ends_at: datetime | None,
    window_start: datetime,
    window_end: datetime,
    zone: tzinfo,
) -> tuple[tuple[datetime, Fraction], ...]:
    """Return (due, factor) of each dose in [window_start, window_end) of an order in force from starts_at to ends_at inclusive.

    All times carry a zone; due times are in `zone`. A clock time that a spring change skips becomes the same instant an
    hour later by the clock; one that occurs twice in autumn is given the first time. Bounds as FHIR R4 Timing.repeat.
    """
    if schedule.kind is ScheduleKind.ONCE:
        inside = window_start <= starts_at < window_end and (ends_at is None or starts_at <= ends_at)
        return ((starts_at.astimezone(zone), Fraction(1)),) if inside else ()
    if schedule.kind is not ScheduleKind.REGULAR:
        return ()
    first = max(window_start.astimezone(UTC), starts_at.astimezone(UTC))
    last = window_end.astimezone(UTC)
    until = None if ends_at is None else ends_at.astimezone(UTC)
    due_times: dict[datetime, Fraction] = {}
    for day in _days(
        schedule, starts_at.astimezone(zone).date(), first.astimezone(zone).date(), last.astimezone(zone).date()
    ):
        for clock, factor in schedule.times:
            instant = datetime.combine(day, clock, zone).astimezone(UTC)
            if first <= instant < last and (until is None or instant <= until):
                due_times.setdefault(instant, factor)
    return tuple((instant.astimezone(zone), factor) for instant, factor in sorted(due_times.items()))


def once_due(line: OrderLine, planned_from: datetime, slots: tuple[IntakeSlot, ...], zone: tzinfo) -> datetime:
    """Return when the dose of an order to be given once is due, in `zone`; doses are planned from `planned_from` on.

    Without any start it is due at once. A start that is only a date means the first slot's clock time of that day, and the next
    half hour where that has passed today; on a later day its time is over.
    """
    written = line.starts_at or line.authored_at
    if written is None:
        return planned_from.astimezone(zone)
    local = written.astimezone(zone)
    if line.starts_at is None or not line.starts_on_day:
        return local
    first = min(slots, key=lambda slot: slot.opens)
    due = datetime.combine(local.date(), first.clock, zone)
    if due < planned_from and planned_from.astimezone(zone).date() == local.date():
        return _next_half_hour(planned_from).astimezone(zone)
    return due


def _next_half_hour(moment: datetime) -> datetime:
    past = timedelta(minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond) % _ROUND_TO
    return moment - past + _ROUND_TO if past else moment


def shortest_interval(schedule: Schedule) -> timedelta:
    """Return the shortest time between two doses of a regular schedule; the night's gap to the next day that counts is one."""
    minutes = sorted(clock.hour * 60 + clock.minute for clock, _ in schedule.times)
    days = _days_apart(schedule)
    following = [*minutes[1:], minutes[0] + days * 24 * 60]
    return min(timedelta(minutes=later - earlier) for earlier, later in zip(minutes, following, strict=True))


def _days_apart(schedule: Schedule) -> int:
    if not schedule.weekdays:
        return schedule.every_days
    following = [*schedule.weekdays[1:], schedule.weekdays[0] + 7]
    return max(schedule.every_days, min(b - a for a, b in zip(schedule.weekdays, following, strict=True)))


def _days(schedule: Schedule, anchor: date, first: date, last: date) -> Iterator[date]:
    """Yield the days of a schedule from `first` to `last`, counted from the order's own start date."""
    if (last - first).days > _LONGEST_WINDOW_DAYS:
        raise ValueError(f"a window of more than {_LONGEST_WINDOW_DAYS} days is not a plan")
    day = first
    while day <= last:
        if (day - anchor).days % schedule.every_days == 0 and (
            not schedule.weekdays or day.weekday() in schedule.weekdays
        ):
            yield day
        day += timedelta(days=1)


def slot_of(due: datetime, slots: tuple[IntakeSlot, ...] = DAY_SLOTS) -> tuple[IntakeSlot, date]:
    """Return the slot that a due time (in the hospital's zone) belongs to and the slot's day; night goes on after midnight."""
    clock = due.timetz().replace(tzinfo=None)
    ordered = sorted(slots, key=lambda slot: slot.opens)
    for slot in reversed(ordered):
        if slot.opens <= clock:
            return slot, due.date()
    return ordered[-1], due.date() - timedelta(days=1)


def slot_bounds(slot: IntakeSlot, day: date, slots: tuple[IntakeSlot, ...], zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the half-open span of due times that belong to a slot of a day."""
    ordered = sorted(slots, key=lambda each: each.opens)
    position = [each.name for each in ordered].index(slot.name)
    starts = datetime.combine(day, slot.opens, zone)
    if position + 1 < len(ordered):
        return starts, datetime.combine(day, ordered[position + 1].opens, zone)
    return starts, datetime.combine(day + timedelta(days=1), ordered[0].opens, zone)


def cut_of(slot: IntakeSlot, day: date, zone: tzinfo) -> datetime:
    """Return when the batch of a slot of a day is frozen; a cut written later than the opening is the evening before."""
    cut_day = day if slot.cut <= slot.opens else day - timedelta(days=1)
    return datetime.combine(cut_day, slot.cut, zone)
