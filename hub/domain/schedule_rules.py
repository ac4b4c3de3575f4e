"""What the standards leave to the house about times of doses: each choice has a name, and is printed with the plan."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from hub.domain.orders import SourceSettings


class IntervalAnchor(StrEnum):
    """From where 'every n hours' is counted, where n hours divide the day."""

    WARD_CLOCK = "ward-clock"
    FIRST_DOSE = "first-dose"


class FirstDose(StrEnum):
    """When the first dose of a new order is due."""

    NEXT_TIME = "next-time"
    AT_START = "at-start"


class MonthEnd(StrEnum):
    """What becomes of 'monthly from the 31st' in a shorter month."""

    LAST_DAY = "last-day"
    SKIP = "skip"


class DurationMeaning(StrEnum):
    """What a duration of at least its period means: nobody knows (a person looks), the length of the course, or that of one dose."""

    ASK = "ask"
    COURSE = "course"
    DOSE = "dose"


@dataclass(frozen=True, slots=True)
class ScheduleRules:
    """The house's choices. `first_gap`: a time of the table nearer than that after the start is left out."""

    interval_anchor: IntervalAnchor = IntervalAnchor.WARD_CLOCK
    first_dose: FirstDose = FirstDose.NEXT_TIME
    first_gap: timedelta = timedelta(0)
    month_end: MonthEnd = MonthEnd.LAST_DAY
    duration: DurationMeaning = DurationMeaning.ASK


HOUSE_RULES = ScheduleRules()
_COURSE_RULES = replace(HOUSE_RULES, duration=DurationMeaning.COURSE)

_WORDS: Mapping[StrEnum, tuple[str, str]] = {
    IntervalAnchor.WARD_CLOCK: ("anchor: every n hours by the ward's clock", "отсчёт: каждые n часов по часам отделения"),
    IntervalAnchor.FIRST_DOSE: ("anchor: every n hours from the first dose", "отсчёт: каждые n часов от первой дозы"),
    FirstDose.NEXT_TIME: ("first dose: at the next time of the ward's table", "первая доза: в ближайшее время по распорядку отделения"),
    FirstDose.AT_START: ("first dose: at the order's start", "первая доза: в начале назначения"),
    MonthEnd.LAST_DAY: ("months: the last day where the month is shorter", "месяцы: последний день, если месяц короче"),
    MonthEnd.SKIP: ("months: left out where the day does not exist", "месяцы: пропуск, если такого дня нет"),
    DurationMeaning.ASK: ("duration: asked where it is not shorter than its period", "длительность: вопрос, если она не короче периода"),
    DurationMeaning.DOSE: ("duration: of one dose, also where it is not shorter than its period", "длительность: одной дозы, даже если она не короче периода"),
    DurationMeaning.COURSE: ("duration: the length of the course where it is not shorter than its period", "длительность: длина курса, если она не короче периода"),
}  # fmt: skip
_FIXED = (
    ("days: every n days counts from the order's start date", "дни: каждые n дней от даты начала назначения"),
    ("ranges: the least is scheduled, the most is permission", "диапазоны: планируется меньшее, большее — разрешение"),
    ("spring clock change: a skipped time is given an hour later", "перевод часов весной: пропавшее время — на час позже"),
)


def rules_of(rules: ScheduleRules, settings: SourceSettings | None) -> ScheduleRules:
    """Return the house's rules as they hold for one source."""
    if settings is None or not settings.duration_as_bounds or rules.duration is DurationMeaning.COURSE:
        return rules
    return _COURSE_RULES if rules == HOUSE_RULES else replace(rules, duration=DurationMeaning.COURSE)


def rules_told(rules: ScheduleRules) -> dict[str, tuple[str, ...]]:
    """Return every rule in force in both languages, as an answer tells them beside a decision."""
    return {language: rules_in_words(rules, language) for language in ("ru", "en")}


def rules_in_words(rules: ScheduleRules, language: str) -> tuple[str, ...]:
    """Return every rule in force as one sentence, in `ru` or `en`."""
    column = 1 if language == "ru" else 0
    chosen = [_WORDS[each][column] for each in (rules.interval_anchor, rules.first_dose, rules.month_end, rules.duration)]
    if rules.first_gap:
        minutes = int(rules.first_gap.total_seconds() // 60)
        told = (f"first dose: a time less than {minutes} min after the start is left out", f"первая доза: время ближе {minutes} мин от начала пропускается")
        chosen.insert(2, told[column])
    return (*chosen, *(each[column] for each in _FIXED))
