"""From what one dosage says about time to a pattern of a ward's day, or the reason why nobody can tell."""

from dataclasses import replace
from datetime import time, timedelta
from fractions import Fraction

from hub.domain.calendar_days import elapsed, months_in
from hub.domain.code_agreement import WEEK, Reading, agreed
from hub.domain.courses import DAY, ONE, DayTimes, Interval, Moments, Pattern
from hub.domain.events_of_day import events_at
from hub.domain.frequencies import FrequencyRule, ScheduleKind, WardDay
from hub.domain.intake_slots import IntakeSlot
from hub.domain.orders import Reason
from hub.domain.schedule_rules import IntervalAnchor, ScheduleRules
from hub.domain.timing import NOTHING_REPEATED, PeriodUnit, Repeat, SlotDose, Span, Timing
from hub.domain.timing_doubts import differs, unclear, without_period
from hub.domain.timing_rules import (
    MOST_TIMES,
    RULE_CONTRADICTION,
    RULE_FREQUENCY,
    RULE_UNCLEAR,
    broken_rule,
    reason,
)

ORDER_1088 = "order 1088, section II.1"
TABLE = "frequencies.csv"
SHORTEST_STEP = timedelta(minutes=1)


def read_timing(timing: Timing, ward: WardDay, slots: tuple[IntakeSlot, ...], rules: ScheduleRules) -> Reading | Reason:
    """Return what a timing means at a ward on a day of its table, or why nobody can tell."""
    if timing.prn and timing.repeat is not None and timing.repeat.frequency_max is not None:
        timing = replace(timing, repeat=_at_most(timing.repeat))
    if timing.repeat is not None and (broken := broken_rule(timing.repeat)) is not None:
        return broken
    found = _read_form(timing, ward, slots, rules)
    if isinstance(found, Reason) or not timing.prn:
        return found
    return Reading(ScheduleKind.PRN, found.pattern)


def _at_most(repeat: Repeat) -> Repeat:
    """Return an as-needed repetition whose most times are its only ones: nothing is scheduled, so the least says nothing."""
    if repeat.frequency is not None and repeat.frequency_max is not None and repeat.frequency > repeat.frequency_max:
        return repeat
    return replace(repeat, frequency=repeat.frequency_max, frequency_max=None)


def _read_form(timing: Timing, ward: WardDay, slots: tuple[IntakeSlot, ...], rules: ScheduleRules) -> Reading | Reason:
    code, repeat = (timing.code or "").strip(), timing.repeat or NOTHING_REPEATED
    forms = [bool(timing.events), bool(timing.slots), bool(code)]
    if timing.slots and code and not timing.events and (weekly := _slots_of_a_week(timing.slots, code, slots, ward)) is not None and not _shape_is_written(repeat):
        return weekly
    if timing.slots and sum(forms) > 1:
        return reason(RULE_CONTRADICTION, "slots of the day stand beside another timing", "рядом с приёмами дня указан другой режим")
    if timing.events:
        return _of_events(timing, code, repeat, ward)
    if code:
        return _of_code(code, repeat, ward, rules)
    if timing.slots:
        return _of_slots(timing.slots, repeat, slots, ward)
    if _shape(repeat) == NOTHING_REPEATED and timing.prn:
        return Reading(ScheduleKind.PRN)
    return _of_repeat(repeat, ward, rules)


def _slots_of_a_week(written: tuple[SlotDose, ...], code: str, slots: tuple[IntakeSlot, ...], ward: WardDay) -> Reading | Reason | None:
    """Return one slot on the days of a code that says 'once a week' (or rarer): a day sheet has no other place for the hour.

    None for any other code, and for several slots: which one is of the week, nobody can tell.
    """
    rule = ward.rule(code)
    if rule is None or rule.kind is not ScheduleKind.REGULAR or len(rule.times) > 1 or len([dose for dose in written if dose.factor]) != 1:
        return None
    if not (rule.every_months or rule.every_days % len(WEEK) == 0 or len(rule.weekdays) == 1):
        return None
    found = _of_slots(written, NOTHING_REPEATED, slots, ward)
    if isinstance(found, Reason) or not isinstance(found.pattern, DayTimes):
        return found
    return _read(replace(found.pattern, every_days=rule.every_days, weekdays=rule.weekdays, every_months=rule.every_months))


def _shape_is_written(repeat: Repeat) -> bool:
    return _shape(repeat) != NOTHING_REPEATED


def _shape(repeat: Repeat) -> Repeat:
    """Return the members that say when, without those that limit or describe whatever the times are."""
    return replace(repeat, count=None, count_max=None, duration=None, duration_max=None, duration_unit=None)


def _of_events(timing: Timing, code: str, repeat: Repeat, ward: WardDay) -> Reading | Reason:
    if any(moment.tzinfo is None for moment in timing.events):
        return reason(RULE_UNCLEAR, "an exact moment has no time zone", "у точного момента нет часового пояса")
    moments = tuple(sorted(set(timing.events)))
    if len(moments) > MOST_TIMES:
        return reason(RULE_UNCLEAR, f"{len(moments)} moments are more than {MOST_TIMES}", f"{len(moments)} моментов — больше {MOST_TIMES}")
    if _shape(repeat) != NOTHING_REPEATED:
        return reason(RULE_CONTRADICTION, "exact moments stand beside a repetition", "рядом с точными моментами указано повторение")
    if repeat.count not in (None, len(moments)):
        return reason(RULE_CONTRADICTION, f"{len(moments)} moments are written, and {repeat.count} times", f"моментов указано {len(moments)}, а раз — {repeat.count}")
    if code:
        rule = ward.rule(code)
        if rule is None:
            return unknown_code(code)
        if rule.kind is not ScheduleKind.ONCE or len(moments) > 1:
            return reason(RULE_CONTRADICTION, f"exact moments stand beside the code '{code}'", f"рядом с точными моментами указан код «{code}»")
    return Reading(ScheduleKind.REGULAR, Moments(moments))


def unknown_code(code: str) -> Reason:
    """Return the reason for a code that the ward's table does not know."""
    return Reason(RULE_FREQUENCY, f"the frequency '{code}' is not in the frequency table", TABLE, f"режима «{code}» нет в таблице режимов")


def _of_code(code: str, repeat: Repeat, ward: WardDay, rules: ScheduleRules) -> Reading | Reason:
    rule = ward.rule(code)
    if rule is None:
        return unknown_code(code)
    found = Reading(rule.kind, _pattern_or_none(rule, rules))
    shape = _shape(repeat)
    if rule.kind is ScheduleKind.ONCE and (repeat.count not in (None, 1) or repeat.count_max not in (None, 1)):
        most = repeat.count_max or repeat.count
        return reason(RULE_CONTRADICTION, f"the code '{code}' means once, and {most} times are written", f"код «{code}» значит «однократно», а раз указано {most}")
    if shape == NOTHING_REPEATED or _is_once_again(rule, shape, repeat):
        return found
    beside = _of_repeat(shape, ward, rules)
    if isinstance(beside, Reason):
        return beside
    if rule.kind is ScheduleKind.PRN and found.pattern is None and beside.pattern is not None:
        return Reading(ScheduleKind.PRN, beside.pattern)
    both = agreed(code, found, beside, repeat)
    if both is None:
        return reason(RULE_CONTRADICTION, f"the code '{code}' and the repetition beside it say different things", f"код «{code}» и повторение рядом с ним говорят разное")
    return both


def _is_once_again(rule: FrequencyRule, shape: Repeat, repeat: Repeat) -> bool:
    """Tell whether a repetition beside 'once' only says 'one time' again."""
    return rule.kind is ScheduleKind.ONCE and shape in (NOTHING_REPEATED, Repeat(frequency=1)) and repeat.count in (None, 1)


def _pattern_or_none(rule: FrequencyRule, rules: ScheduleRules) -> Pattern | None:
    """Return the pattern of a rule that has one: times, or of an as-needed dose the least gap alone."""
    if rule.times:
        return pattern_of(rule, rules)
    return Interval(timedelta(hours=rule.every_hours)) if rule.kind is ScheduleKind.PRN and rule.every_hours else None


def pattern_of(rule: FrequencyRule, rules: ScheduleRules) -> Pattern:
    """Return the pattern of a regular rule: its clock times, or its interval where the house counts from the first dose."""
    step = None if rule.every_hours is None else timedelta(hours=rule.every_hours)
    if step is not None and step % DAY and rules.interval_anchor is IntervalAnchor.FIRST_DOSE:
        return Interval(step)
    times = tuple((clock, ONE) for clock in rule.times)
    return DayTimes(times, rule.every_days, rule.weekdays, every_months=rule.every_months, called=rule.called, step=step)


def _of_slots(
    written: tuple[SlotDose, ...], repeat: Repeat, slots: tuple[IntakeSlot, ...], ward: WardDay
) -> Reading | Reason:
    clocks = {slot.name: slot.clock for slot in slots}
    factors: dict[time, Fraction] = {}
    names: dict[time, str] = {}
    for dose in written:
        if dose.slot not in clocks:
            return Reason(RULE_FREQUENCY, f"the intake slot '{dose.slot}' is not one of this hospital's", "intake slots", f"приёма «{dose.slot}» в этой больнице нет")
        if dose.factor < 0:
            return Reason(RULE_FREQUENCY, f"the slot '{dose.slot}' holds a negative count", ORDER_1088, f"в приёме «{dose.slot}» отрицательное число")
        if dose.factor:
            clock = clocks[dose.slot]
            factors[clock] = factors.get(clock, Fraction(0)) + dose.factor
            names[clock] = dose.slot
    if not factors:
        return Reason(RULE_FREQUENCY, "no slot of the day is marked", ORDER_1088, "не отмечен ни один приём дня")
    times = tuple(sorted(factors.items()))
    return _on_days(DayTimes(times, called=tuple(names[clock] for clock, _ in times)), repeat, ward)


def _of_repeat(repeat: Repeat, ward: WardDay, rules: ScheduleRules) -> Reading | Reason:
    shape = _shape(repeat)
    if shape in (NOTHING_REPEATED, Repeat(frequency=1)):
        return _of_count(repeat)
    if repeat.times:
        return _on_days(DayTimes(tuple((clock, ONE) for clock in sorted(repeat.times)), called=("clock",) * len(repeat.times)), repeat, ward)
    if repeat.when == ("IMD",):
        return _at_once(shape)
    if repeat.when:
        events = events_at(repeat, ward)
        return events if isinstance(events, Reason) else _on_days(events, repeat, ward)
    return _of_rate(repeat, ward, rules)


def _of_count(repeat: Repeat) -> Reading | Reason:
    """Return the single dose of 'one time in all'; other counts without a rhythm are for a person."""
    if repeat.count == 1 and repeat.count_max in (None, 1):
        return Reading(ScheduleKind.ONCE)
    if repeat.count is not None:
        return reason(RULE_UNCLEAR, f"'{repeat.count} times in all' does not say how often", f"«всего {repeat.count} раз» не говорит, как часто")
    if repeat.duration is not None:
        return reason(RULE_UNCLEAR, "only how long one dose takes is written, and not when it is given", "указано только, сколько длится введение, но не когда")
    if repeat.frequency is not None:
        return reason(RULE_UNCLEAR, "a number of times is written without its period", "число раз указано без периода")
    return Reason(RULE_FREQUENCY, "no frequency is written", ORDER_1088, "частота не указана")


def _at_once(shape: Repeat) -> Reading | Reason:
    if shape == Repeat(when=("IMD",)) or shape == Repeat(when=("IMD",), frequency=1):
        return Reading(ScheduleKind.ONCE)
    return reason(RULE_CONTRADICTION, "'immediately' stands beside a repetition", "рядом с «немедленно» указано повторение")


def _on_days(base: DayTimes, repeat: Repeat, ward: WardDay) -> Reading | Reason:
    """Return clock times on the days that a repetition says; its number of times must be theirs."""
    a_day, often = len(base.times), repeat.frequency
    days, weeks, months = _count_of(repeat, PeriodUnit.DAY), _count_of(repeat, PeriodUnit.WEEK), _months(repeat)
    if weeks is not None and repeat.period_unit is PeriodUnit.WEEK and (repeat.weekdays or often not in (None, a_day)):
        return _on_weekdays(base, repeat, weeks, ward)
    if months is not None and not repeat.weekdays:
        return _read(replace(base, every_months=months)) if often in (None, a_day) else unclear(repeat)
    if (repeat.period is not None and days is None) or (repeat.weekdays and days not in (None, 1)):
        return unclear(repeat)
    if often not in (None, a_day):
        return differs(repeat, a_day)
    return _read(replace(base, every_days=days or 1, weekdays=_weekdays(repeat)))


def _on_weekdays(base: DayTimes, repeat: Repeat, weeks: int, ward: WardDay) -> Reading | Reason:
    """Return clock times on written days of the week, or on those of the ward's table for so many times a week."""
    a_week = len(base.times) * len(repeat.weekdays)
    if repeat.weekdays:
        found = _read(replace(base, weekdays=_weekdays(repeat), every_weeks=weeks))
        return found if repeat.frequency in (None, a_week) else differs(repeat, a_week)
    rule = ward.rule(f"{repeat.frequency}X/WEEK") if weeks == 1 and len(base.times) == 1 else None
    if rule is None or rule.kind is not ScheduleKind.REGULAR:
        return differs(repeat, len(base.times))
    return _read(replace(base, every_days=rule.every_days, weekdays=rule.weekdays))


def _read(pattern: DayTimes) -> Reading:
    return Reading(ScheduleKind.REGULAR, pattern)


def _weekdays(repeat: Repeat) -> tuple[int, ...]:
    return tuple(sorted(repeat.weekdays))


def _count_of(repeat: Repeat, unit: PeriodUnit) -> int | None:
    """Return the period as a whole number of days or weeks, or None where it is none."""
    if repeat.period is None or repeat.period_unit is None:
        return None
    passed = elapsed(Span(repeat.period, repeat.period_unit))
    size = DAY if unit is PeriodUnit.DAY else 7 * DAY
    if passed is None or passed % size or not passed:
        return None
    return passed // size


def _months(repeat: Repeat) -> int | None:
    if repeat.period is None or repeat.period_unit is None:
        return None
    months = months_in(Span(repeat.period, repeat.period_unit))
    return months.numerator if months is not None and months.denominator == 1 else None


def _of_rate(repeat: Repeat, ward: WardDay, rules: ScheduleRules) -> Reading | Reason:
    """Return 'n times a period' without clock times: an interval, or times and days of the ward's table."""
    often = repeat.frequency or 1
    if repeat.period is None and repeat.weekdays:
        if repeat.frequency is not None and (often, len(repeat.weekdays)) != (1, 1):
            return without_period(repeat)
        return _n_a_day(often, ward, repeat, 1)
    if repeat.period is None:
        return _of_count(repeat)
    assert repeat.period_unit is not None
    if repeat.period_unit in (PeriodUnit.MONTH, PeriodUnit.YEAR):
        return _n_a_month(often, repeat, ward)
    days, weeks = _count_of(repeat, PeriodUnit.DAY), _count_of(repeat, PeriodUnit.WEEK)
    if days is None or repeat.period_unit in (PeriodUnit.HOUR, PeriodUnit.MINUTE, PeriodUnit.SECOND):
        return _of_interval(repeat, often, ward, rules)
    if weeks is not None and repeat.period_unit is PeriodUnit.WEEK:
        return _n_a_week(often, weeks, repeat, ward)
    return _n_in_days(often, days, repeat, ward)


def _n_in_days(often: int, days: int, repeat: Repeat, ward: WardDay) -> Reading | Reason:
    if repeat.weekdays and days > 1:
        return unclear(repeat)
    if often % days == 0:
        return _n_a_day(often // days, ward, repeat, 1)
    if days % often == 0:
        return _n_a_day(1, ward, repeat, days // often)
    return unclear(repeat)


def _n_a_day(often: int, ward: WardDay, repeat: Repeat, every_days: int) -> Reading | Reason:
    rule = ward.rule(f"{often}X/DAY")
    if rule is None or rule.kind is not ScheduleKind.REGULAR:
        return Reason(RULE_FREQUENCY, f"the ward's table has no times for {often} times a day", TABLE, f"в таблице отделения нет времени для {often} раз в день")
    return _read(DayTimes(tuple((clock, ONE) for clock in rule.times), every_days, _weekdays(repeat)))


def _n_a_week(often: int, weeks: int, repeat: Repeat, ward: WardDay) -> Reading | Reason:
    if repeat.weekdays:
        known = len(repeat.weekdays)
        found = _n_a_day(often // known, ward, repeat, 1) if often % known == 0 else _n_a_day(1, ward, repeat, 1)
        if often % known and repeat.frequency is not None:
            return differs(repeat, known)
        if isinstance(found, Reading) and isinstance(found.pattern, DayTimes):
            return _read(replace(found.pattern, every_weeks=weeks))
        return found
    if 7 * weeks % often == 0 or often % (7 * weeks) == 0:
        return _n_in_days(often, 7 * weeks, repeat, ward)
    rule = ward.rule(f"{often}X/WEEK") if weeks == 1 else None
    if rule is None or rule.kind is not ScheduleKind.REGULAR:
        return unclear(repeat)
    return _read(DayTimes(tuple((clock, ONE) for clock in rule.times), rule.every_days, rule.weekdays))


def _n_a_month(often: int, repeat: Repeat, ward: WardDay) -> Reading | Reason:
    months = _months(repeat)
    if months is None or months % often or repeat.weekdays:
        return unclear(repeat)
    found = _n_a_day(1, ward, repeat, 1)
    if isinstance(found, Reading) and isinstance(found.pattern, DayTimes):
        return _read(replace(found.pattern, every_months=months // often))
    return found


def _of_interval(repeat: Repeat, often: int, ward: WardDay, rules: ScheduleRules) -> Reading | Reason:
    """Return 'every so many hours': by the ward's clock where it has times for it and the house wants that, else from the start."""
    assert repeat.period is not None and repeat.period_unit is not None
    passed = elapsed(Span(repeat.period / often, repeat.period_unit))
    if passed is None or passed < SHORTEST_STEP:
        return reason(RULE_UNCLEAR, "the time between two doses is less than a minute", "между дозами меньше минуты")
    if passed % SHORTEST_STEP:
        return unclear(repeat)
    rule = ward.rule(_interval_code(passed))
    if rule is not None and rule.kind is ScheduleKind.CONTINUOUS:
        return Reading(ScheduleKind.CONTINUOUS, Interval(passed))
    found = _by_step(passed, rule, repeat, ward, rules)
    if repeat.weekdays and not isinstance(found, Reason):
        if not isinstance(found.pattern, DayTimes) or found.pattern.every_days > 1 or found.pattern.weekdays:
            return unclear(repeat)
        return _read(replace(found.pattern, weekdays=_weekdays(repeat)))
    return found


def _by_step(passed: timedelta, rule: FrequencyRule | None, repeat: Repeat, ward: WardDay, rules: ScheduleRules) -> Reading | Reason:
    if passed % DAY and rules.interval_anchor is IntervalAnchor.FIRST_DOSE:
        return Reading(ScheduleKind.REGULAR, Interval(passed))
    if rule is not None and rule.kind is ScheduleKind.REGULAR:
        return Reading(ScheduleKind.REGULAR, pattern_of(replace(rule, called=()), rules))
    if passed % DAY == timedelta(0):
        found = _n_a_day(1, ward, replace(repeat, weekdays=()), passed // DAY)
        return replace(found, pattern=replace(found.pattern, step=passed)) if isinstance(found, Reading) and isinstance(found.pattern, DayTimes) else found
    if DAY % passed == timedelta(0):
        clocks = [(timedelta(0) + number * passed) for number in range(DAY // passed)]
        return _read(DayTimes(tuple((_clock(since), ONE) for since in clocks), step=passed))
    return Reading(ScheduleKind.REGULAR, Interval(passed))


def _clock(since: timedelta) -> time:
    seconds = int(since.total_seconds())
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60)


def _interval_code(passed: timedelta) -> str:
    hours = timedelta(hours=1)
    return f"Q{passed // hours}H" if passed % hours == timedelta(0) else f"Q{passed // timedelta(minutes=1)}MIN"
