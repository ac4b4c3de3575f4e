"""A schedule in Russian and English words, so that a person can check what was understood."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from fractions import Fraction

from hub.domain.counted_words import (
    Case,
    amount_text,
    every_text,
    genitive_text,
    listed,
    once_every_text,
    span_text,
    times_text,
)
from hub.domain.courses import Course, DayTimes, Interval, Moments, Pattern, Schedule, steps_of
from hub.domain.frequencies import ALWAYS, ScheduleKind
from hub.domain.quantities import Quantity
from hub.domain.schedule_rules import FirstDose, MonthEnd, ScheduleRules
from hub.domain.timing import DoseLimit, LimitPer, PeriodUnit, Span

WrittenDose = tuple[Quantity, Quantity] | None
_RUSSIAN, _ENGLISH = 0, 1
_MOST_MOMENTS = 6
_DAY_S_END = time(23, 59, 59)
_EVENTS: Mapping[str, tuple[str, str]] = {
    "morning": ("утром", "in the morning"), "noon": ("в обед", "at noon"), "evening": ("вечером", "in the evening"), "night": ("на ночь", "at night"),
    "MORN": ("утром", "in the morning"), "MORN.early": ("рано утром", "early in the morning"), "MORN.late": ("поздним утром", "late in the morning"),
    "NOON": ("в обед", "at noon"), "AFT": ("днём", "in the afternoon"), "AFT.early": ("в начале дня", "early in the afternoon"),
    "AFT.late": ("под вечер", "late in the afternoon"), "EVE": ("вечером", "in the evening"), "EVE.early": ("ранним вечером", "early in the evening"),
    "EVE.late": ("поздним вечером", "late in the evening"), "NIGHT": ("на ночь", "at night"), "PHS": ("после засыпания", "after falling asleep"),
    "HS": ("перед сном", "before sleep"), "WAKE": ("после пробуждения", "on waking"), "C": ("во время еды", "with meals"),
    "CM": ("во время завтрака", "with breakfast"), "CD": ("во время обеда", "with lunch"), "CV": ("во время ужина", "with dinner"),
    "AC": ("до еды", "before meals"), "ACM": ("до завтрака", "before breakfast"), "ACD": ("до обеда", "before lunch"), "ACV": ("до ужина", "before dinner"),
    "PC": ("после еды", "after meals"), "PCM": ("после завтрака", "after breakfast"), "PCD": ("после обеда", "after lunch"), "PCV": ("после ужина", "after dinner"),
}  # fmt: skip
_FROM_EVENT: Mapping[str, tuple[str, str]] = {"HS": ("до сна", "before sleep"), "WAKE": ("после пробуждения", "after waking")}
_MEALS_IN_GENERAL = re.compile(r"(C|AC|PC)([+-]\d+)?")
_OFFSET = re.compile(r"(.+?)([+-]\d+)")
_WEEKDAYS = (
    ("понедельникам", "Mondays"), ("вторникам", "Tuesdays"), ("средам", "Wednesdays"), ("четвергам", "Thursdays"),
    ("пятницам", "Fridays"), ("субботам", "Saturdays"), ("воскресеньям", "Sundays"),
)  # fmt: skip


def in_words(schedule: Schedule, dose: WrittenDose, language: str, rules: ScheduleRules | None = None) -> str:
    """Return a schedule with its dose as one sentence in `ru` or `en`: `по 1 таблетке утром и вечером, 5 дней`.

    `dose` is (low, high) of the line's first dosage, None where it is left out. `rules`: those of the house, as far as this
    schedule depends on them; None: those under which it was read.
    """
    rules = rules or schedule.rules
    steps = [
        ("; также " if language == "ru" else "; also ").join(_course(course, dose, language, rules) for course in step)
        for step in steps_of(schedule)
    ]
    return ("; затем " if language == "ru" else "; then ").join(steps)


def _said(language: str, russian: str, english: str) -> str:
    return russian if language == "ru" else english


def _course(course: Course, dose: WrittenDose, language: str, rules: ScheduleRules) -> str:
    parts = [_core(course, dose, language), *_permissions(course, language), *_bounds(course, language), *_rules(course, language, rules)]
    return ", ".join(part for part in parts if part)


def _core(course: Course, dose: WrittenDose, language: str) -> str:
    if course.kind is ScheduleKind.ONCE:
        when = [_when(pattern, language) for _, pattern in course.editions[-1:]]
        return " ".join([_dose(dose, course.factor, language, Case.PLAIN), _said(language, "однократно", "once"), *when]).strip()
    if course.kind is ScheduleKind.CONTINUOUS:
        told = _said(language, "без времени приёма (инфузия, протокол или по указанию)", "without dose times (infusion, protocol or as directed)")
        steps = [every_text(_span(pattern.step), language) for _, pattern in course.editions if isinstance(pattern, Interval)]
        if steps:
            return f"{_dose(dose, course.factor, language, Case.EACH)} {steps[-1]}, {_said(language, 'время приёма заранее не назначается', 'dose times are not planned ahead')}".strip()
        return f"{_dose(dose, course.factor, language, Case.PLAIN)} {told}".strip()
    if course.kind is ScheduleKind.PRN:
        return _as_needed(course, dose, language)
    phrases = [_regular(pattern, course.factor, dose, language) for _, pattern in course.editions]
    since = [_since(day, language) for day, _ in course.editions]
    return "; ".join(f"{day}{phrase}" for day, phrase in zip(since, phrases, strict=True))


def _since(day: date, language: str) -> str:
    return "" if day == ALWAYS else _said(language, f"с {day:%d.%m.%Y} ", f"from {day:%d.%m.%Y} ")


def _dose(dose: WrittenDose, factor: Fraction, language: str, case: Case) -> str:
    if dose is None or not dose[1].amount:
        return ""
    low, high = (quantity.times(factor) for quantity in dose)
    text = amount_text(low, high, language, case)
    return f"по {text}" if case is Case.EACH and language == "ru" else text


def _as_needed(course: Course, dose: WrittenDose, language: str) -> str:
    words = f"{_dose(dose, course.factor, language, Case.EACH)} {_said(language, 'при необходимости', 'when needed')}".strip()
    if not course.editions:
        return words
    pattern = course.editions[-1][1]
    if isinstance(pattern, DayTimes) and pattern.called:
        return f"{words} {_when(pattern, language)}"
    return f"{words}, {_at_most(pattern, language)}"


def _at_most(pattern: Pattern, language: str) -> str:
    if isinstance(pattern, Moments):
        return _when(pattern, language)
    if pattern.step is not None:
        every = every_text(_span(pattern.step), language)
        return _said(language, f"не чаще чем {every}", f"not more often than {every}")
    assert isinstance(pattern, DayTimes)
    often = len(pattern.times)
    if _days(pattern, language):
        return _said(language, f"не чаще: {_when(pattern, 'ru')}", f"not more often than {_when(pattern, 'en')}")
    return _said(language, f"не более {times_text(often, 'ru', at_most=True)} в день", f"not more than {times_text(often, 'en')} a day")


def _regular(pattern: Pattern, factor: Fraction, dose: WrittenDose, language: str) -> str:
    if not isinstance(pattern, DayTimes) or len({part for _, part in pattern.times}) == 1:
        part = pattern.times[0][1] if isinstance(pattern, DayTimes) else Fraction(1)
        return f"{_dose(dose, factor * part, language, Case.EACH)} {_when(pattern, language)}".strip()
    names = pattern.called or ("clock",) * len(pattern.times)
    told = []
    for (clock, part), name in zip(pattern.times, names, strict=True):
        amount = _dose(dose, factor * part, language, Case.PLAIN) or f"× {part}"
        told.append(f"{_event(name, clock, language)} {amount}")
    return " ".join(each for each in (", ".join(told), _days(pattern, language)) if each)


def _when(pattern: Pattern, language: str) -> str:
    if isinstance(pattern, Interval):
        return f"{every_text(_span(pattern.step), language)} {_said(language, 'от первой дозы', 'from the first dose')}"
    if isinstance(pattern, Moments):
        return _moments(pattern.moments, language)
    days, clocks = _days(pattern, language), f"({', '.join(f'{clock:%H:%M}' for clock, _ in pattern.times)})"
    if pattern.called:
        return " ".join(each for each in (_named(pattern, language), days) if each)
    if pattern.step is not None:
        return " ".join(each for each in (every_text(_span(pattern.step), language), clocks, days if pattern.weekdays else "") if each)
    often = f"{times_text(len(pattern.times), language)} {_said(language, 'в день', 'a day')}"
    if days and len(pattern.times) == 1:
        often = ""
    return " ".join(each for each in (often, days, clocks) if each)


def _named(pattern: DayTimes, language: str) -> str:
    """Return the events of the day that the times stand for; meals in general with how often a day."""
    names = [_event(name, clock, language) for name, (clock, _) in zip(pattern.called, pattern.times, strict=True)]
    if all(name == "clock" for name in pattern.called):
        return f"{_said(language, 'в', 'at')} {listed([f'{clock:%H:%M}' for clock, _ in pattern.times], language)}"
    if len(set(pattern.called)) == 1 and _MEALS_IN_GENERAL.fullmatch(pattern.called[0]):
        return f"{times_text(len(names), language)} {_said(language, 'в день', 'a day')} {names[0]}"
    return listed(list(dict.fromkeys(names)), language)


def _event(name: str, clock: time, language: str) -> str:
    column = _RUSSIAN if language == "ru" else _ENGLISH
    if name == "clock":
        return f"{_said(language, 'в', 'at')} {clock:%H:%M}"
    offset = _OFFSET.fullmatch(name)
    if offset is None:
        return _EVENTS[name][column] if name in _EVENTS else f"{clock:%H:%M}"
    event, minutes = offset[1], int(offset[2])
    before_or_after = _FROM_EVENT.get(event, _EVENTS[event])[column]
    if event in _FROM_EVENT or event[:2] in ("AC", "PC"):
        lead = _said(language, "за " if minutes < 0 else "через ", "")
        return f"{lead}{abs(minutes)} {_said(language, 'мин', 'min')} {before_or_after}"
    return _said(language, f"{before_or_after} (+{minutes} мин)", f"{before_or_after} (+{minutes} min)")


def _days(pattern: DayTimes, language: str) -> str:
    if pattern.every_months:
        unit, number = (PeriodUnit.YEAR, pattern.every_months // 12) if pattern.every_months % 12 == 0 else (PeriodUnit.MONTH, pattern.every_months)
        return once_every_text(Span(Fraction(number), unit), language)
    if pattern.weekdays:
        return _weekdays(pattern, language)
    if pattern.every_days == 1:
        return ""
    weeks, rest = divmod(pattern.every_days, 7)
    span = Span(Fraction(pattern.every_days), PeriodUnit.DAY) if rest else Span(Fraction(weeks), PeriodUnit.WEEK)
    return once_every_text(span, language)


def _weekdays(pattern: DayTimes, language: str) -> str:
    column = _RUSSIAN if language == "ru" else _ENGLISH
    days = listed([_WEEKDAYS[day][column] for day in pattern.weekdays], language)
    words = _said(language, f"по {days}", f"on {days}")
    if pattern.every_weeks == 1:
        return words
    english = "of every other week" if pattern.every_weeks == 2 else f"once every {pattern.every_weeks} weeks"
    return f"{words} {_said(language, f'каждой {pattern.every_weeks}-й недели', english)}"


def _moments(moments: tuple[datetime, ...], language: str) -> str:
    told = [f"{moment:%d.%m.%Y %H:%M}" for moment in moments[:_MOST_MOMENTS]]
    if len(moments) > _MOST_MOMENTS:
        rest = len(moments) - _MOST_MOMENTS
        told.append(_said(language, f"и ещё {times_text(rest, 'ru')}", f"and {rest} more"))
    return ", ".join(told)


def _span(step: timedelta) -> Span:
    """Return an interval in the largest unit that it is a whole number of, hours before days."""
    for unit, size in ((PeriodUnit.HOUR, timedelta(hours=1)), (PeriodUnit.MINUTE, timedelta(minutes=1)), (PeriodUnit.SECOND, timedelta(seconds=1))):
        if step % size == timedelta(0):
            return Span(Fraction(step // size), unit)
    return Span(Fraction(step // timedelta(microseconds=1), 10**6), PeriodUnit.SECOND)


def _permissions(course: Course, language: str) -> list[str]:
    told = []
    if course.permission.frequency is not None and course.permission.frequency[0] != course.permission.frequency[1]:
        most = course.permission.frequency[1]
        told.append(_said(language, f"допустимо до {times_text(most, 'ru', at_most=True)}", f"up to {times_text(most, 'en')} permitted"))
    if course.kind is ScheduleKind.ONCE and (course.permission.count_max or 1) > 1:
        again = (course.permission.count_max or 1) - 1
        told.append(_said(language, f"допустимо повторить {times_text(again, 'ru')} по решению врача", f"may be repeated {times_text(again, 'en')}, not planned"))
    if course.permission.period is not None and course.permission.period[0] != course.permission.period[1]:
        longest = every_text(course.permission.period[1], language)
        told.append(_said(language, f"допустимо и {longest}", f"{longest} also permitted"))
    return told


def _bounds(course: Course, language: str) -> list[str]:
    told = []
    if course.duration is not None:
        told.append(_said(language, f"в течение {_genitive(course.duration)}", f"each over {span_text(*course.duration, 'en')}"))
    if course.count is not None and course.kind is not ScheduleKind.ONCE:
        told.append(_said(language, f"всего {times_text(course.count, 'ru')}", f"{times_text(course.count, 'en')} in all"))
        if course.permission.count_max not in (None, course.count):
            most = course.permission.count_max or 0
            told.append(_said(language, f"допустимо всего до {times_text(most, 'ru', at_most=True)}", f"up to {times_text(most, 'en')} in all permitted"))
    if course.starts_at is not None:
        told.append(f"{_said(language, 'с', 'from')} {_moment(course.starts_at, time(0))}")
    if course.ends_at is not None:
        whole = course.ends_at.time().replace(microsecond=0) == _DAY_S_END
        until = _said(language, "по" if whole else "до", "through" if whole else "until")
        told.append(f"{until} {_moment(course.ends_at, _DAY_S_END)}")
    if course.lasts is not None:
        told.append(_said(language, "", "for ") + span_text(*course.lasts, language) + _least(course.lasts, language))
    return told + [_limit(limit, language) for limit in course.limits]


def _moment(moment: datetime, day_alone: time) -> str:
    """Return a moment as people write it; a day alone where its clock time only stands for the day's edge."""
    return f"{moment:%d.%m.%Y}" if moment.time().replace(microsecond=0) == day_alone else f"{moment:%d.%m.%Y %H:%M}"


def _least(lasts: tuple[Span, Span], language: str) -> str:
    least = span_text(lasts[0], lasts[0], language)
    return "" if lasts[0] == lasts[1] else _said(language, f" (планируется {least})", f" ({least} scheduled)")


def _genitive(duration: tuple[Span, Span]) -> str:
    """Return how long one dose takes after 'в течение': short units have no cases."""
    short = {PeriodUnit.SECOND: "с", PeriodUnit.MINUTE: "мин", PeriodUnit.HOUR: "ч", PeriodUnit.DAY: "сут"}
    least, most = duration
    text = span_text(least, most, "ru")
    return f"{text.rsplit(' ', 1)[0]} {short[most.unit]}" if most.unit in short else genitive_text(least, most)


def _limit(limit: DoseLimit, language: str) -> str:
    most = amount_text(limit.most, limit.most, language, Case.AT_MOST)
    if limit.per is LimitPer.ADMINISTRATION:
        return _said(language, f"не более {most} за приём", f"not more than {most} at once")
    if limit.per is LimitPer.LIFETIME:
        return _said(language, f"не более {most} за всю жизнь", f"not more than {most} in a lifetime")
    span = "" if limit.span is None else span_text(limit.span, limit.span, language)
    return _said(language, f"не более {most} за {span}", f"not more than {most} in {span}")


def _rules(course: Course, language: str, rules: ScheduleRules) -> list[str]:
    """Return the house's choices on which this course depends and that its words do not show yet."""
    told = []
    patterns = [pattern for _, pattern in course.editions if course.kind is ScheduleKind.REGULAR]
    if any(isinstance(pattern, DayTimes) and pattern.every_months for pattern in patterns):
        in_full = rules.month_end is MonthEnd.LAST_DAY
        told.append(_said(language, "в коротком месяце — в последний день" if in_full else "в коротком месяце — пропуск", "on the last day of a shorter month" if in_full else "left out in a shorter month"))
    if rules.first_dose is FirstDose.AT_START and course.step == 0 and any(isinstance(pattern, DayTimes) for pattern in patterns):
        told.append(_said(language, "первая доза в начале назначения", "the first dose at the order's start"))
    return told
